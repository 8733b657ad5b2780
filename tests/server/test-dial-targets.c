/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-dial-targets.h"
#include "kh-listener.h"
#include "kh-server-process.h"

#include <string.h>

#define MILLISECOND 1000
#define COOKIE_MILLISECONDS 100
#define MAX_ENDED 3
#define PEERS 5

/* Connections of a listener in this process; the time is the test's own. */
typedef struct
{
  KhListener *listener;
  GPtrArray *sockets;
  GPtrArray *peers;
  KhDialTargets *targets;
} Fixture;

static gsize
on_received (KhPeer *peer, const guint8 *bytes, gsize length, gpointer user_data)
{
  return length;
}

static void
on_closed (KhPeer *peer, gpointer user_data)
{
}

static void
on_accept (GSocketConnection *connection, guint place, gpointer user_data)
{
  static const KhPeerHandlers handlers = { on_received, on_closed };
  Fixture *fixture = user_data;

  g_ptr_array_add (fixture->peers, kh_peer_new (connection, &handlers, fixture));
}

static void
set_up (Fixture *fixture)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetSocketAddress) address = NULL;

  fixture->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  fixture->peers = g_ptr_array_new_with_free_func (g_object_unref);
  fixture->targets = kh_dial_targets_new (COOKIE_MILLISECONDS, MAX_ENDED);
  fixture->listener = kh_listener_new (&(KhQuotaLimits){ .total = PEERS }, on_accept, fixture);
  address = kh_listener_add (fixture->listener, loopback, 0, 0, NULL);
  for (int i = 0; i < PEERS; i++)
    g_ptr_array_add (fixture->sockets, kh_test_socket_to (address));
  kh_test_wait_until (fixture->peers->len == PEERS, 5000);
}

static void
tear_down (Fixture *fixture)
{
  kh_dial_targets_free (fixture->targets);
  for (int i = 0; i < PEERS; i++)
    {
      KhPeer *peer = g_ptr_array_index (fixture->peers, i);

      kh_peer_close (peer);
    }
  g_ptr_array_unref (fixture->peers);
  g_ptr_array_unref (fixture->sockets);
  g_assert_finalize_object (fixture->listener);
}

static KhDialTarget *
get (Fixture *fixture, int which)
{
  return kh_dial_targets_get (fixture->targets, g_ptr_array_index (fixture->peers, which), NULL);
}

static void
end (Fixture *fixture, int which, gint64 now)
{
  kh_dial_targets_end (fixture->targets, g_ptr_array_index (fixture->peers, which), now);
}

static void
test_names (void)
{
  Fixture fixture;
  guint8 wrong[KH_STUN_COOKIE_BYTES];

  set_up (&fixture);
  for (int i = 0; i < PEERS; i++)
    {
      KhDialTarget *target = get (&fixture, i);

      g_assert_true (target->peer == g_ptr_array_index (fixture.peers, i));
      g_assert_true (target->remote == kh_peer_get_remote (target->peer));
      g_assert_true (get (&fixture, i) == target);
      g_assert_true (kh_dial_targets_find (fixture.targets, target->cookie, 0) == target);
      memcpy (wrong, target->cookie, sizeof wrong);
      wrong[15] ^= 1; /* where the hash does not see it */
      g_assert_null (kh_dial_targets_find (fixture.targets, wrong, 0));
    }
  g_assert_cmpuint (kh_dial_targets_get_count (fixture.targets), ==, PEERS);
  tear_down (&fixture);
}

/* A cookie lives on for its time, by which nobody else gets it. */
static void
test_expiry (void)
{
  Fixture fixture;
  guint8 cookie[KH_STUN_COOKIE_BYTES];
  KhDialTarget *found;

  set_up (&fixture);
  memcpy (cookie, get (&fixture, 0)->cookie, sizeof cookie);
  g_assert_nonnull (kh_dial_targets_find (fixture.targets, cookie, G_MAXINT32 * (gint64) MILLISECOND));
  end (&fixture, 0, 5 * MILLISECOND);
  end (&fixture, 0, 6 * MILLISECOND); /* twice is harmless, and not twice the time */
  found = kh_dial_targets_find (fixture.targets, cookie, 105 * MILLISECOND - 1);
  g_assert_nonnull (found);
  g_assert_null (found->peer);
  g_assert_null (kh_dial_targets_find (fixture.targets, cookie, 105 * MILLISECOND));
  g_assert_cmpuint (kh_dial_targets_get_count (fixture.targets), ==, 0);
  end (&fixture, 1, 0); /* one that never had a name */
  tear_down (&fixture);
}

static void
test_bounded (void)
{
  Fixture fixture;
  guint8 cookies[PEERS][KH_STUN_COOKIE_BYTES];

  set_up (&fixture);
  for (int i = 0; i < PEERS; i++)
    memcpy (cookies[i], get (&fixture, i)->cookie, KH_STUN_COOKIE_BYTES);
  for (int i = 0; i < PEERS; i++)
    end (&fixture, i, i);
  g_assert_cmpuint (kh_dial_targets_get_count (fixture.targets), ==, MAX_ENDED);
  for (int i = 0; i < PEERS; i++)
    g_assert_cmpint (kh_dial_targets_find (fixture.targets, cookies[i], PEERS) != NULL, ==, i >= PEERS - MAX_ENDED);
  tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dial-targets/names", test_names);
  g_test_add_func ("/dial-targets/expiry", test_expiry);
  g_test_add_func ("/dial-targets/bounded", test_bounded);
  return g_test_run ();
}
