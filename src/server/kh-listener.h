/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-quota.h"

G_BEGIN_DECLS

#define KH_TYPE_LISTENER (kh_listener_get_type ())
G_DECLARE_FINAL_TYPE (KhListener, kh_listener, KH, LISTENER, GObject)

/**
 * KhListenerAccept:
 * @connection: a new connection within the limits; its place is free again when it is finalized
 * @place: as given to kh_listener_add()
 * @user_data: as given to kh_listener_new()
 */
typedef void (*KhListenerAccept) (GSocketConnection *connection, guint place, gpointer user_data);

KhListener         *kh_listener_new         (const KhQuotaLimits *limits, KhListenerAccept accept, gpointer user_data);
GInetSocketAddress *kh_listener_add         (KhListener *self, GInetAddress *address, guint16 port, guint place,
                                             GError **error);
void                kh_listener_set_refuse  (KhListener *self, KhListenerAccept refuse, guint max);
void                kh_listener_stop        (KhListener *self);
guint               kh_listener_get_count   (KhListener *self);
guint64             kh_listener_get_refused (KhListener *self);

G_END_DECLS
