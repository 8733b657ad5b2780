/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GInetAddress *kh_way_find_local (GInetSocketAddress  *remote,
                                 GError             **error);
char         *kh_way_describe   (GInetSocketAddress  *remote);

G_END_DECLS
