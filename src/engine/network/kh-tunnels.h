/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

GHashTable *kh_tunnels_read  (void);
gboolean    kh_tunnels_is_one  (guint type, const char *kind);

G_END_DECLS
