/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

char *kh_programs_find (const char *bindir, const char *name, GError **error);

G_END_DECLS
