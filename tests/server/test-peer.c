/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-listener.h"
#include "kh-peer.h"
#include "kh-server-process.h"

/* Clients that never read, of a server in this process. */
typedef struct
{
  KhListener *listener;
  GInetSocketAddress *address;
  GPtrArray *sockets;
  GPtrArray *peers; /* in the order they came */
  guint closed;
} Fixture;

static gsize
on_received (KhPeer *peer, const guint8 *bytes, gsize length, gpointer user_data)
{
  return length;
}

static void
on_closed (KhPeer *peer, gpointer user_data)
{
  ((Fixture *) user_data)->closed++;
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

  fixture->sockets = g_ptr_array_new_with_free_func (g_object_unref);
  fixture->peers = g_ptr_array_new_with_free_func (g_object_unref);
  fixture->listener = kh_listener_new (&(KhQuotaLimits){ .total = 1000 }, on_accept, fixture);
  fixture->address = kh_listener_add (fixture->listener, loopback, 0, 0, NULL);
}

static void
tear_down (Fixture *fixture)
{
  for (guint i = 0; i < fixture->peers->len; i++)
    kh_peer_close (g_ptr_array_index (fixture->peers, i));
  g_ptr_array_unref (fixture->peers);
  g_ptr_array_unref (fixture->sockets);
  g_object_unref (fixture->address);
  g_assert_finalize_object (fixture->listener);
}

static KhPeer *
add_peer (Fixture *fixture)
{
  guint count = fixture->peers->len;

  g_ptr_array_add (fixture->sockets, kh_test_socket_to (fixture->address));
  kh_test_wait_until (fixture->peers->len > count, 2000);
  return g_ptr_array_index (fixture->peers, count);
}

#define KIB 1024
#define MIB (1024 * KIB)

/* Each of them has less waiting than one may have. Together it is too much, and then those with most go: the
 * first is one of them, the last, who has least, stays. */
static void
test_total (void)
{
  Fixture fixture = { 0 };
  g_autofree char *filling = g_strnfill (MIB, 'x');
  KhPeer *greedy;
  KhPeer *modest;

  set_up (&fixture);
  modest = add_peer (&fixture);
  kh_peer_send (modest, filling, MIB / 2);
  greedy = add_peer (&fixture);
  kh_peer_send (greedy, filling, MIB);
  kh_peer_send (greedy, filling, MIB / 8);

  for (int i = 0; i < 55; i++)
    kh_peer_send (add_peer (&fixture), filling, MIB);
  g_assert_cmpuint (fixture.closed, ==, 0);
  for (int i = 0; i < 45; i++)
    kh_peer_send (add_peer (&fixture), filling, MIB);
  g_assert_cmpuint (fixture.closed, >=, 20);
  g_assert_cmpuint (fixture.closed, <=, 45);
  g_assert_false (kh_peer_is_open (greedy));
  g_assert_true (kh_peer_is_open (modest));

  /* and those who are gone give their room back */
  for (guint i = 0; i < fixture.peers->len; i++)
    kh_peer_close (g_ptr_array_index (fixture.peers, i));
  fixture.closed = 0;
  for (int i = 0; i < 55; i++)
    kh_peer_send (add_peer (&fixture), filling, MIB);
  g_assert_cmpuint (fixture.closed, ==, 0);
  tear_down (&fixture);
}

/* A client that reads slowly, but always some of it, has no more waiting than one that reads nothing. */
static void
test_slow_reader (void)
{
  Fixture fixture = { 0 };
  g_autofree char *filling = g_strnfill (128 * KIB, 'x');
  g_autofree char *buffer = g_malloc (128 * KIB);
  KhPeer *peer;

  set_up (&fixture);
  peer = add_peer (&fixture);
  kh_peer_send (peer, filling, 128 * KIB);
  for (int i = 0; i < 5; i++)
    kh_peer_send (peer, filling, 128 * KIB);
  for (int i = 0; i < 1000; i++)
    {
      kh_test_socket_receive (g_ptr_array_index (fixture.sockets, 0), buffer, 8 * KIB);
      g_main_context_iteration (NULL, FALSE);
      if (i % 16 == 15)
        kh_peer_send (peer, filling, 128 * KIB);
      g_assert_true (kh_peer_is_open (peer));
    }
  tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/peer/total", test_total);
  g_test_add_func ("/peer/slow-reader", test_slow_reader);
  return g_test_run ();
}
