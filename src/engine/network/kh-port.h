/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-connect.h"

G_BEGIN_DECLS

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
                                            KhConnectFlags       flags,
                                            guint                hops,
                                            GCancellable        *cancellable,
                                            GAsyncReadyCallback  callback,
                                            gpointer             user_data);
GSocketConnection  *kh_port_connect_finish (KhPort              *self,
                                            GAsyncResult        *result,
                                            GError             **error);

G_END_DECLS
