/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

gboolean kh_wrap_has_endless_word (const char *text);

G_END_DECLS
