/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test.h"
#include "side.h"
#include "ws-server.h"

/* What takes its time by the clock of people: servers that say nothing, or never come back. */

static void
stay_silent (WsServer *server, SoupWebsocketConnection *connection, gpointer user_data)
{
}

/* The two silences of 10 seconds, one before and one after the WebSocket's handshake, side by side. */
static void
test_silent_server (void)
{
  WsServer *server = ws_server_new (stay_silent, NULL);
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autofree char *url =
      g_strdup_printf ("ws://127.0.0.1:%u/v1", g_socket_listener_add_any_inet_port (listener, NULL, NULL));
  Side a;
  Side b;

  side_start_inviter (&a, ws_server_get_url (server), 60);
  side_start_joiner (&b, url, "3-crossover-clockwork");
  kh_test_wait_until (a.error != NULL && b.error != NULL, 12000);
  side_assert_failed (&a, KH_ERROR_SERVER_UNREACHABLE, "127.0.0.1 does not answer");
  side_assert_failed (&b, KH_ERROR_SERVER_UNREACHABLE, "127.0.0.1 cannot be reached");
  side_clear (&a);
  side_clear (&b);
  ws_server_free (server);
}

/* After the friend was verified, a server that is gone for good is no failure, and closing still takes 5 s at most. */
static void
test_server_gone_when_verified (void)
{
  WsServer *server = ws_server_new_mailbox ();
  gint64 start;
  Side a;
  Side b;

  side_start_inviter (&a, ws_server_get_url (server), 60);
  kh_test_wait_until (a.code_ready, 2000);
  side_start_joiner (&b, ws_server_get_url (server), kh_rendezvous_get_code (a.rendezvous));
  kh_test_wait_until (a.verified && b.verified, 2000);
  ws_server_free (server);
  kh_test_wait_until (side_count_events (&a, "mailbox.retry") >= 2, 6000);
  kh_test_wait_until (side_count_events (&b, "mailbox.retry") >= 2, 6000);
  g_assert_no_error (a.error);
  side_send (&a, "nobody hears this");

  start = g_get_monotonic_time ();
  kh_rendezvous_close_async (b.rendezvous, NULL, kh_test_store_result, &b.closed);
  side_close (&a);
  kh_test_wait_until (b.closed != NULL, 1000);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 5500 * 1000);
  side_clear (&a);
  side_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rendezvous/silent-server", test_silent_server);
  g_test_add_func ("/rendezvous/server-gone-when-verified", test_server_gone_when_verified);
  return g_test_run ();
}
