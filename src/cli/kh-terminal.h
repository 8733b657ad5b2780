/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-narrator.h"
#include "kh-role.h"

G_BEGIN_DECLS

char *kh_terminal_tell (KhNarrator *narrator,
                        KhRole      role,
                        KhEvent    *event);

G_END_DECLS
