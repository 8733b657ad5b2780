/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-peer.h"
#include "kh-stun.h"

G_BEGIN_DECLS

/**
 * KhDialTarget:
 * @cookie: its name, which only the connection's client was told
 * @remote: the source of the connection: the one thing that may be dialled for it
 * @local: where the connection went to
 * @other: (nullable): the server's other address, as seen from there
 * @peer: (nullable): the connection, while it is open
 * @used: a bit for each #KhDialKind that was done for it
 *
 * A mapping that the server may dial: the source of a connection that it has or had.
 */
typedef struct
{
  guint8 cookie[KH_STUN_COOKIE_BYTES];
  GInetSocketAddress *remote;
  GInetSocketAddress *local;
  GInetSocketAddress *other;
  KhPeer *peer;
  guint used;

  /*< private >*/
  gint64 expires;
  GList link;
} KhDialTarget;

typedef struct _KhDialTargets KhDialTargets;

KhDialTargets *kh_dial_targets_new       (guint cookie_ms, guint max_ended);
void           kh_dial_targets_free      (KhDialTargets *self);
KhDialTarget  *kh_dial_targets_get       (KhDialTargets *self, KhPeer *peer, GInetSocketAddress *other);
KhDialTarget  *kh_dial_targets_find      (KhDialTargets *self, const guint8 *cookie, gint64 now);
void           kh_dial_targets_end       (KhDialTargets *self, KhPeer *peer, gint64 now);
guint          kh_dial_targets_get_count (KhDialTargets *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhDialTargets, kh_dial_targets_free)

G_END_DECLS
