/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define KH_TYPE_PEER (kh_peer_get_type ())
G_DECLARE_FINAL_TYPE (KhPeer, kh_peer, KH, PEER, GObject)

/**
 * KhPeerHandlers:
 * @received: bytes came, or more of those that were there before; returns how many of them are done with, the rest is
 *   given again with what follows. May send, finish and close.
 * @closed: the connection is over, whoever ended it; the last call for this peer, and never from within
 *   kh_peer_new()
 */
typedef struct
{
  gsize (*received) (KhPeer *peer, const guint8 *bytes, gsize length, gpointer user_data);
  void (*closed) (KhPeer *peer, gpointer user_data);
} KhPeerHandlers;

KhPeer       *kh_peer_new          (GSocketConnection *connection, const KhPeerHandlers *handlers, gpointer user_data);
void          kh_peer_send         (KhPeer *self, const void *bytes, gsize length);
void          kh_peer_finish       (KhPeer *self);
void          kh_peer_close        (KhPeer *self);
void          kh_peer_set_deadline (KhPeer *self, guint milliseconds);
gboolean      kh_peer_is_open      (KhPeer *self);
GInetSocketAddress *kh_peer_get_remote (KhPeer *self);
GInetSocketAddress *kh_peer_get_local  (KhPeer *self);

G_END_DECLS
