/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhPortFlags:
 * @KH_PORT_NONE: a connection on the own network
 * @KH_PORT_INTERNET: a connection across the internet: segments are kept small enough for PPPoE and VPN paths
 *   (law 10: full-size segments hang there after a handshake that passed)
 */
typedef enum
{
  KH_PORT_NONE = 0,
  KH_PORT_INTERNET = 1 << 0,
} KhPortFlags;

#define KH_TYPE_PORT (kh_port_get_type ())
G_DECLARE_FINAL_TYPE (KhPort, kh_port, KH, PORT, GObject)

KhPort             *kh_port_new            (guint16              number,
                                            GError             **error);
guint16             kh_port_get_number     (KhPort              *self);
void                kh_port_give_up        (KhPort              *self);
GInetSocketAddress *kh_port_local_for      (KhPort              *self,
                                            GInetSocketAddress  *remote,
                                            GError             **error);
GSocket            *kh_port_listen         (KhPort              *self,
                                            GSocketFamily        family,
                                            GError             **error);
void                kh_port_connect_async  (KhPort              *self,
                                            GInetSocketAddress  *remote,
                                            KhPortFlags          flags,
                                            GCancellable        *cancellable,
                                            GAsyncReadyCallback  callback,
                                            gpointer             user_data);
GSocketConnection  *kh_port_connect_finish (KhPort              *self,
                                            GAsyncResult        *result,
                                            GError             **error);

G_END_DECLS
