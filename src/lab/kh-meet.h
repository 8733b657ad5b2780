/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"

G_BEGIN_DECLS

/* What kh_meet() says of a pair for which there was no laboratory. */
#define KH_MEET_NO_LAB "no-lab"

int kh_meet (KhLabOptions *options);

G_END_DECLS
