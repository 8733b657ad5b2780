/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

char               *kh_address_to_text   (GSocketAddress *address);
GInetSocketAddress *kh_address_from_text (const char *text);
GInetSocketAddress *kh_address_new       (const char *ip, guint16 port);
gboolean            kh_address_equal     (GSocketAddress *a, GSocketAddress *b);
gboolean            kh_address_is_global (GInetAddress *address);
gboolean            kh_address_is_host   (GInetAddress *address);
gboolean            kh_address_is_neighbour (GInetSocketAddress *server, GInetSocketAddress *other);
gboolean            kh_address_is_host_and_port (const char *text);

G_END_DECLS
