/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define KH_STUN_DEFAULT_PORT 3478

/**
 * KhServerAddresses:
 * @v4: (nullable): its first IPv4 address with the port
 * @v6: (nullable): its first IPv6 address
 */
typedef struct
{
  GInetSocketAddress *v4;
  GInetSocketAddress *v6;
} KhServerAddresses;

void     kh_server_name_resolve_async  (const char          *name,
                                        GCancellable        *cancellable,
                                        GAsyncReadyCallback  callback,
                                        gpointer             user_data);
gboolean kh_server_name_resolve_finish (GAsyncResult        *result,
                                        KhServerAddresses   *addresses,
                                        GError             **error);

G_END_DECLS
