/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-trace.h"

G_BEGIN_DECLS

char *kh_sentence_for_event (KhEvent *event);

G_END_DECLS
