/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-dial-targets.h"

#include <sodium.h>
#include <string.h>

/* Which mappings may be dialled, and by which names.
 *
 * A cookie is all that keeps one client from having another one's mapping dialled, so it is random and compared in
 * constant time. Its own first bytes are its hash: nobody but us chooses them. */

struct _KhDialTargets
{
  guint cookie_ms;
  guint max_ended;
  GHashTable *by_cookie; /* cookie → target, which it owns */
  GHashTable *by_peer;   /* of connections that are open */
  GQueue ended;          /* of those that are not, the first to expire first */
};

static guint
hash_cookie (gconstpointer cookie)
{
  guint hash;

  memcpy (&hash, cookie, sizeof hash);
  return hash;
}

static gboolean
equal_cookies (gconstpointer a, gconstpointer b)
{
  return sodium_memcmp (a, b, KH_STUN_COOKIE_BYTES) == 0;
}

static void
target_free (gpointer data)
{
  KhDialTarget *target = data;

  g_object_unref (target->remote);
  g_object_unref (target->local);
  g_clear_object (&target->other);
  g_free (target);
}

/**
 * kh_dial_targets_new:
 * @cookie_ms: how long a cookie is valid when its connection has ended
 * @max_ended: how many such are kept; the one that expires first gives way
 *
 * Returns: (transfer full): an empty table
 */
KhDialTargets *
kh_dial_targets_new (guint cookie_ms, guint max_ended)
{
  KhDialTargets *self = g_new0 (KhDialTargets, 1);

  self->cookie_ms = cookie_ms;
  self->max_ended = max_ended;
  self->by_cookie = g_hash_table_new_full (hash_cookie, equal_cookies, NULL, target_free);
  self->by_peer = g_hash_table_new (NULL, NULL);
  g_queue_init (&self->ended);

  return self;
}

void
kh_dial_targets_free (KhDialTargets *self)
{
  g_hash_table_unref (self->by_peer);
  g_hash_table_unref (self->by_cookie);
  g_free (self);
}

/**
 * kh_dial_targets_get:
 * @self: a table
 * @peer: a connection that is open
 * @other: (nullable): the server's other address, for this connection
 *
 * Returns: (transfer none): the connection's own mapping; it gets its cookie when this is first asked
 */
KhDialTarget *
kh_dial_targets_get (KhDialTargets *self, KhPeer *peer, GInetSocketAddress *other)
{
  KhDialTarget *target = g_hash_table_lookup (self->by_peer, peer);

  if (target != NULL)
    return target;

  target = g_new0 (KhDialTarget, 1);
  randombytes_buf (target->cookie, sizeof target->cookie);
  target->remote = g_object_ref (kh_peer_get_remote (peer));
  target->local = g_object_ref (kh_peer_get_local (peer));
  g_set_object (&target->other, other);
  target->peer = peer;
  target->link.data = target;
  g_hash_table_insert (self->by_cookie, target->cookie, target);
  g_hash_table_insert (self->by_peer, peer, target);

  return target;
}

static void
forget_first (KhDialTargets *self)
{
  KhDialTarget *target = g_queue_pop_head_link (&self->ended)->data;

  g_hash_table_remove (self->by_cookie, target->cookie);
}

static void
forget_expired (KhDialTargets *self, gint64 now)
{
  while (self->ended.head != NULL && ((KhDialTarget *) self->ended.head->data)->expires <= now)
    forget_first (self);
}

/**
 * kh_dial_targets_find:
 * @self: a table
 * @cookie: (array fixed-size=16): what a client says
 * @now: monotonic time in microseconds
 *
 * Returns: (transfer none) (nullable): the mapping of that name, or %NULL when there is none, or no more
 */
KhDialTarget *
kh_dial_targets_find (KhDialTargets *self, const guint8 *cookie, gint64 now)
{
  forget_expired (self, now);
  return g_hash_table_lookup (self->by_cookie, cookie);
}

/**
 * kh_dial_targets_end:
 * @self: a table
 * @peer: a connection that has ended; one that never had a cookie is no harm
 * @now: monotonic time in microseconds
 *
 * The cookie's last time begins.
 */
void
kh_dial_targets_end (KhDialTargets *self, KhPeer *peer, gint64 now)
{
  KhDialTarget *target = g_hash_table_lookup (self->by_peer, peer);

  if (target == NULL)
    return;

  g_hash_table_remove (self->by_peer, peer);
  target->peer = NULL;
  target->expires = now + (gint64) self->cookie_ms * 1000;
  g_queue_push_tail_link (&self->ended, &target->link);
  forget_expired (self, now);
  if (self->ended.length > self->max_ended)
    forget_first (self);
}

/**
 * kh_dial_targets_get_count:
 *
 * Returns: mappings that are in the table
 */
guint
kh_dial_targets_get_count (KhDialTargets *self)
{
  return g_hash_table_size (self->by_cookie);
}
