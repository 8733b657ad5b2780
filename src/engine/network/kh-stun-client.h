/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-port.h"
#include "kh-stun.h"

G_BEGIN_DECLS

#define KH_TYPE_STUN_CLIENT (kh_stun_client_get_type ())
G_DECLARE_FINAL_TYPE (KhStunClient, kh_stun_client, KH, STUN_CLIENT, GObject)

KhStunClient       *kh_stun_client_new         (KhPort              *port,
                                                GInetSocketAddress  *server);
void                kh_stun_client_ask_async   (KhStunClient        *self,
                                                GAsyncReadyCallback  callback,
                                                gpointer             user_data);
GInetSocketAddress *kh_stun_client_ask_finish  (KhStunClient        *self,
                                                GAsyncResult        *result,
                                                GError             **error);
gboolean            kh_stun_client_send        (KhStunClient        *self,
                                                const KhStunMessage *message);
GInetSocketAddress *kh_stun_client_get_server  (KhStunClient        *self);
GInetSocketAddress *kh_stun_client_get_local   (KhStunClient        *self);
GInetSocketAddress *kh_stun_client_get_outside (KhStunClient        *self);
const guint8       *kh_stun_client_get_cookie  (KhStunClient        *self);
GInetSocketAddress *kh_stun_client_get_other   (KhStunClient        *self);
gint64              kh_stun_client_get_rtt     (KhStunClient        *self);
gboolean            kh_stun_client_is_open     (KhStunClient        *self);
void                kh_stun_client_shut_down   (KhStunClient        *self);
void                kh_stun_client_reset       (KhStunClient        *self);
void                kh_stun_client_close       (KhStunClient        *self);

G_END_DECLS
