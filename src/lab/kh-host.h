/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-network.h"

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _KhHost KhHost;

/**
 * KhHostReceive:
 * @data: as given
 * @packet: an IP packet that a host sends, free to be changed
 * @length: its bytes
 * @sent: when it was sent, monotonic microseconds
 */
typedef void (*KhHostReceive) (gpointer data, guint8 *packet, gsize length, gint64 sent);

KhHost     *kh_host_new         (KhHostId id, const KhHostAddresses *addresses, GError **error);
void        kh_host_free        (KhHost *self);
const char *kh_host_id_to_name  (KhHostId id);
int         kh_host_get_network (KhHost *self);
int         kh_host_get_fd      (KhHost *self);
gboolean    kh_host_receive     (KhHost *self, KhHostReceive receive, gpointer data);
void        kh_host_send        (KhHost *self, const guint8 *packet, gsize length);
void        kh_host_flush       (KhHost *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhHost, kh_host_free)

G_END_DECLS
