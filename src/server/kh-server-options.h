/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhServerOptions:
 * @alternate: (nullable): the second address of the STUN server
 * @per_address: connections at once from one address, 0 for no limit
 * @per_minute: new connections in a minute from one address, 0 for no limit
 * @spare_loopback: neither counts for this computer's own connections, since nobody asked for it
 */
typedef struct
{
  GInetAddress *address;
  GInetAddress *alternate;
  guint16 stun_port;
  guint16 alternate_stun_port;
  guint16 mailbox_port;
  guint max_connections;
  guint per_address;
  guint per_minute;
  gboolean spare_loopback;
  gboolean dial_back;
  gboolean allow_list;
  gboolean log_addresses;
  gboolean json;
  gboolean version;
} KhServerOptions;

KhServerOptions *kh_server_options_new  (char **arguments, GError **error);
void             kh_server_options_free (KhServerOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhServerOptions, kh_server_options_free)

G_END_DECLS
