/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"

G_BEGIN_DECLS

/* Who is in a demo. */
#define KH_DEMO_LEFT "Alice"
#define KH_DEMO_RIGHT "Bob"

int  kh_demo      (KhLabOptions *options);
void kh_demo_tell (const char *text);

G_END_DECLS
