/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *kh_text_plain       (const char *text, gsize max_characters);
char *kh_text_plain_lines (const char *text, gsize max_characters);

G_END_DECLS
