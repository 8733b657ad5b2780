/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhConnectFlags:
 * @KH_CONNECT_NONE: a connection on the own network
 * @KH_CONNECT_INTERNET: a connection across the internet: segments are kept small enough for PPPoE and VPN paths
 *   (law 10: full-size segments hang there after a handshake that passed)
 * @KH_CONNECT_LASTING: if it is a primer, it stays one for as long as it waits
 */
typedef enum
{
  KH_CONNECT_NONE = 0,
  KH_CONNECT_INTERNET = 1 << 0,
  KH_CONNECT_LASTING = 1 << 1,
} KhConnectFlags;

int                kh_connect_open   (GInetSocketAddress  *remote,
                                      GError             **error);
void               kh_connect_async  (gpointer             source,
                                      int                  fd,
                                      GInetSocketAddress  *remote,
                                      KhConnectFlags       flags,
                                      guint                hops,
                                      GCancellable        *cancellable,
                                      GAsyncReadyCallback  callback,
                                      gpointer             user_data);
GSocketConnection *kh_connect_finish (GAsyncResult        *result,
                                      GError             **error);
GError            *kh_connect_error  (int                  code,
                                      const char          *what);

G_END_DECLS
