/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-stun-client.h"

G_BEGIN_DECLS

#define KH_TYPE_PROBE (kh_probe_get_type ())
G_DECLARE_FINAL_TYPE (KhProbe, kh_probe, KH, PROBE, GObject)

KhProbe            *kh_probe_new         (GInetSocketAddress  *server,
                                          GError             **error);
void                kh_probe_ask_async   (KhProbe             *self,
                                          GAsyncReadyCallback  callback,
                                          gpointer             user_data);
gboolean            kh_probe_ask_finish  (KhProbe             *self,
                                          GAsyncResult        *result,
                                          GError             **error);
gboolean            kh_probe_listen      (KhProbe             *self,
                                          GError             **error);
void                kh_probe_read_token  (KhProbe             *self,
                                          GSocketConnection   *connection);
KhPort             *kh_probe_get_port    (KhProbe             *self);
KhStunClient       *kh_probe_get_client  (KhProbe             *self);
GInetSocketAddress *kh_probe_get_outside (KhProbe             *self);
void                kh_probe_close       (KhProbe             *self);

G_END_DECLS
