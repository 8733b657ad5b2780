/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-dial-client.h"
#include "kh-dial-socket.h"
#include "kh-json.h"
#include "kh-server-process.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* Each kind of dial against real sockets on loopback. */

static const char *program;
static const char *const loopbacks[] = { "127.0.0.1", "::1" };

#define first_address(server) ((GInetSocketAddress *) g_ptr_array_index ((server)->addresses, 0))

static GInetAddress *
ip_of (GInetSocketAddress *address)
{
  return g_inet_socket_address_get_address (address);
}

static guint16
port_of (GInetSocketAddress *address)
{
  return g_inet_socket_address_get_port (address);
}

static void
test_connected (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", "127.0.0.2", NULL);

  for (guint i = 0; i < server->addresses->len; i++)
    for (int kind = KH_DIAL_PORT; kind <= KH_DIAL_ADDRESS; kind++)
      {
        GInetSocketAddress *here = g_ptr_array_index (server->addresses, i);
        GInetSocketAddress *there = g_ptr_array_index (server->addresses, 3 - i);
        g_autoptr (KhDialClient) client = kh_dial_client_new (here, "127.0.0.1");
        g_autoptr (GSocket) listener = kh_dial_test_listen (client->local);
        g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, kind, NULL);

        g_assert_true (
            g_inet_address_equal (ip_of (answer->response_origin), ip_of (kind == KH_DIAL_PORT ? here : there)));
        g_assert_cmpuint (port_of (answer->response_origin), !=, port_of (here));
        g_assert_cmpuint (port_of (answer->response_origin), !=, port_of (there));
        kh_dial_client_assert_result (client, answer->id, KH_DIAL_CONNECTED);
        kh_dial_test_assert_dialled (listener, answer);
        kh_test_wait_until (kh_dial_server_get_dials (server) == 0, 900); /* as soon as we close, before 1 s */
        kh_dial_client_assert_served (client);
      }
}

/* Who takes the connection and never closes it is left after a second. */
static void
test_never_closed (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, NULL);
  g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (client->local);
  g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, KH_DIAL_PORT, NULL);
  gint64 begun = g_get_monotonic_time ();

  kh_dial_client_assert_result (client, answer->id, KH_DIAL_CONNECTED);
  g_assert_cmpuint (kh_dial_server_get_dials (server), ==, 1);
  kh_test_wait_until (kh_dial_server_get_dials (server) == 0, 3000);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 900000);
}

static void
test_ipv6_connected (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("::1", NULL, NULL);
  g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), "::1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (client->local);
  g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, KH_DIAL_PORT, NULL);

  kh_dial_client_assert_result (client, answer->id, KH_DIAL_CONNECTED);
  kh_dial_test_assert_dialled (listener, answer);
  kh_dial_client_assert_error (client, KH_DIAL_ADDRESS, NULL, 405);
}

static void
test_refused (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (loopbacks); i++)
    {
      g_autoptr (KhDialServer) server = kh_dial_server_new (loopbacks[i], NULL, NULL);
      g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), loopbacks[i]);
      g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, KH_DIAL_PORT, NULL);

      kh_dial_client_assert_result (client, answer->id, KH_DIAL_REFUSED);
      g_assert_cmpuint (kh_dial_server_get_dials (server), ==, 0);
    }
}

static void
test_silent (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (loopbacks); i++)
    {
      g_autoptr (KhDialServer) server = kh_dial_server_new (loopbacks[i], NULL, NULL);
      g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), loopbacks[i]);
      int silent_fd = kh_dial_socket_open (KH_DIAL_SOCKET_SILENT, client->local, port_of (client->local));
      gint64 begun = g_get_monotonic_time ();
      g_autoptr (KhStunMessage) answer = NULL;

      g_assert_cmpint (silent_fd, >=, 0);
      answer = kh_dial_client_ask (client, KH_DIAL_PORT, NULL);
      g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
      kh_dial_client_assert_result (client, answer->id, KH_DIAL_SILENT);
      g_assert_cmpint (g_get_monotonic_time () - begun, >=, 1500000);
      g_assert_cmpuint (kh_dial_server_get_dials (server), ==, 0);
      close (silent_fd);
    }
}

static int
tcp_state (int fd)
{
  struct tcp_info info;
  socklen_t size = sizeof info;

  g_assert_cmpint (getsockopt (fd, IPPROTO_TCP, TCP_INFO, &info, &size), ==, 0);
  return info.tcpi_state;
}

/* The client's own dial to the server's silent port. One that is deaf does not see bare SYNs, as a router may not
 * let them in. */
static int
dial_silent_port (KhDialClient *client, const KhStunMessage *answer, gboolean deaf)
{
  int fd = kh_dial_socket_open (deaf ? KH_DIAL_SOCKET_BARE_SYN : KH_DIAL_SOCKET_CROSSING, client->local,
                                port_of (client->local));
  struct sockaddr_storage native;
  GSocketAddress *origin = G_SOCKET_ADDRESS (answer->response_origin);

  g_assert_cmpint (fd, >=, 0);
  g_assert_true (g_socket_address_to_native (origin, &native, sizeof native, NULL));
  g_assert_cmpint (connect (fd, (struct sockaddr *) &native, g_socket_address_get_native_size (origin)), ==, -1);
  g_assert_cmpint (errno, ==, EINPROGRESS);
  /* On loopback an answer or an RST would be there already. */
  kh_dial_client_assert_served (client);
  g_assert_cmpint (tcp_state (fd), ==, TCP_SYN_SENT);

  return fd;
}

/* SYNs cross. A client that takes no bare SYN needs the server to take its own, which only the first kind does. */
static void
test_crossing (void)
{
  static const struct
  {
    KhDialKind kind;
    gboolean deaf;
    KhDialResult result;
  } cases[] = {
    { KH_DIAL_CROSSING, FALSE, KH_DIAL_CONNECTED },
    { KH_DIAL_CROSSING, TRUE, KH_DIAL_CONNECTED },
    { KH_DIAL_BARE_SYN, FALSE, KH_DIAL_CONNECTED },
    { KH_DIAL_BARE_SYN, TRUE, KH_DIAL_SILENT },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (loopbacks); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (cases); j++)
      {
        g_autoptr (KhDialServer) server = kh_dial_server_new (loopbacks[i], NULL, NULL);
        g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), loopbacks[i]);
        g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, cases[j].kind, NULL);
        int fd = dial_silent_port (client, answer, cases[j].deaf);
        g_autoptr (GSocket) connection = g_socket_new_from_fd (fd, NULL);

        g_assert_true (g_inet_address_equal (ip_of (answer->response_origin), ip_of (first_address (server))));
        kh_dial_client_go (client, answer->id);
        kh_dial_client_assert_result (client, answer->id, cases[j].result);
        if (cases[j].result == KH_DIAL_CONNECTED)
          kh_dial_test_assert_token (connection, answer->id);
        g_socket_close (connection, NULL);
        kh_test_wait_until (kh_dial_server_get_dials (server) == 0, 900);
      }
}

/* A go without the client's own dial: a dial like any other, from the silent port. */
static void
test_go_alone (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, NULL);
  g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (KhStunMessage) refused = kh_dial_client_ask (client, KH_DIAL_CROSSING, NULL);
  g_autoptr (KhStunMessage) answer = NULL;
  g_autoptr (GSocket) listener = NULL;

  kh_dial_client_go (client, refused->id);
  kh_dial_client_assert_result (client, refused->id, KH_DIAL_REFUSED);
  listener = kh_dial_test_listen (client->local);
  answer = kh_dial_client_ask (client, KH_DIAL_BARE_SYN, NULL);
  kh_dial_client_go (client, answer->id);
  kh_dial_client_assert_result (client, answer->id, KH_DIAL_CONNECTED);
  kh_dial_test_assert_dialled (listener, answer);
}

static void
assert_closed (GInetSocketAddress *address)
{
  g_autoptr (GInetSocketAddress) any = kh_address_new ("127.0.0.1", 0);
  g_autoptr (GSocket) socket = kh_dial_test_bind (any);
  g_autoptr (GError) error = NULL;

  g_assert_false (g_socket_connect (socket, G_SOCKET_ADDRESS (address), NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

static KhDialBackLimits
limits_with (guint cookie_ms, guint go_ms)
{
  KhDialBackLimits limits = kh_dial_back_limits;

  limits.cookie_ms = cookie_ms;
  limits.go_ms = go_ms;
  return limits;
}

static void
test_no_go (void)
{
  const KhDialBackLimits limits = limits_with (120000, 50);
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, &limits);
  g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (client->local);
  g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, KH_DIAL_CROSSING, NULL);

  g_assert_cmpuint (kh_dial_server_get_dials (server), ==, 1);
  kh_dial_client_assert_result (client, answer->id, KH_DIAL_FAILED);
  g_assert_cmpuint (kh_dial_server_get_dials (server), ==, 0);
  assert_closed (answer->response_origin);
  kh_dial_client_go (client, answer->id);
  kh_dial_client_assert_served (client);
  g_assert_cmpuint (kh_dial_test_count (listener), ==, 0);
}

/* Whether it waits for its go, dials, or has connected. */
static void
test_disconnected (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, NULL);
  g_autoptr (KhDialClient) stays = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (stays->local);
  KhDialClient *goes = kh_dial_client_new (first_address (server), "127.0.0.1");
  int silent_fd = kh_dial_socket_open (KH_DIAL_SOCKET_SILENT, goes->local, port_of (goes->local));
  g_autoptr (KhStunMessage) waiting = kh_dial_client_ask (goes, KH_DIAL_CROSSING, NULL);
  g_autoptr (KhStunMessage) dialling = kh_dial_client_ask (goes, KH_DIAL_PORT, NULL);
  g_autoptr (KhStunMessage) connected = kh_dial_client_ask (goes, KH_DIAL_PORT, stays->cookie);
  gint64 begun = g_get_monotonic_time ();

  g_assert_cmpint (silent_fd, >=, 0);
  g_assert_cmpint (dialling->klass, ==, KH_STUN_SUCCESS);
  kh_dial_client_assert_result (goes, connected->id, KH_DIAL_CONNECTED);
  g_assert_cmpuint (kh_dial_server_get_dials (server), ==, 3);
  kh_dial_client_free (goes);
  kh_test_wait_until (kh_dial_server_get_dials (server) == 0, 5000);
  g_assert_cmpint (g_get_monotonic_time () - begun, <, kh_test_patience (1400));
  assert_closed (waiting->response_origin);
  kh_dial_client_assert_served (stays);
  close (silent_fd);
}

/* What is asked on one connection about another one, that stands or has ended. */
static void
test_cookies (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", "127.0.0.2", NULL);
  g_autoptr (KhDialClient) asks = kh_dial_client_new (g_ptr_array_index (server->addresses, 3), "127.0.0.1");
  KhDialClient *ends = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (ends->local);
  guint8 cookie[KH_STUN_COOKIE_BYTES];
  KhStunServerStatus status;

  memcpy (cookie, ends->cookie, sizeof cookie);
  for (int kind = KH_DIAL_PORT; kind <= KH_DIAL_ADDRESS; kind++)
    {
      g_autoptr (KhStunMessage) answer = kh_dial_client_ask (asks, kind, cookie);

      /* from where that connection went to, or the other */
      g_assert_true (
          g_inet_address_equal (ip_of (answer->response_origin),
                                ip_of (g_ptr_array_index (server->addresses, kind == KH_DIAL_PORT ? 0 : 3))));
      kh_dial_client_assert_result (asks, answer->id, KH_DIAL_CONNECTED);
      kh_dial_test_assert_dialled (listener, answer);
      kh_dial_client_assert_error (asks, kind, cookie, 403);
      if (kind == KH_DIAL_PORT)
        {
          kh_dial_client_free (ends);
          kh_test_wait_until ((kh_stun_server_get_status (server->stun, &status), status.clients) == 1, 5000);
        }
    }
  kh_dial_client_assert_error (asks, KH_DIAL_POKE, cookie, 403);
  g_assert_cmpuint (kh_dial_test_count (listener), ==, 0);
}

static void
test_expiry (void)
{
  const KhDialBackLimits limits = limits_with (1, 5000);
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, &limits);
  g_autoptr (KhDialClient) asks = kh_dial_client_new (first_address (server), "127.0.0.1");
  KhDialClient *ends = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (ends->local);
  guint8 cookie[KH_STUN_COOKIE_BYTES];
  KhStunServerStatus status;
  gint64 ended;

  memcpy (cookie, ends->cookie, sizeof cookie);
  kh_dial_client_free (ends);
  kh_test_wait_until ((kh_stun_server_get_status (server->stun, &status), status.clients) == 1, 5000);
  ended = g_get_monotonic_time ();
  kh_test_wait_until (g_get_monotonic_time () - ended > 1000, 5000);
  kh_dial_client_assert_error (asks, KH_DIAL_PORT, cookie, 403);
  g_assert_cmpuint (kh_dial_test_count (listener), ==, 0);
}

static void
test_kinds (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, NULL);
  g_autoptr (KhDialClient) client = kh_dial_client_new (first_address (server), "127.0.0.1");

  kh_dial_client_assert_error (client, KH_DIAL_NONE, NULL, 400);
  kh_dial_client_assert_error (client, KH_N_DIAL_KINDS, NULL, 400);
  kh_dial_client_assert_error (client, KH_DIAL_ADDRESS, NULL, 405);
}

static void
assert_poked (KhDialClient *client, const guint8 *id)
{
  kh_dial_client_assert_result (client, id, KH_DIAL_UNKNOWN);
}

static void
test_poke (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, NULL);
  g_autoptr (KhDialClient) asks = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (KhDialClient) idle = kh_dial_client_new (first_address (server), "127.0.0.1");
  g_autoptr (KhStunMessage) answer = kh_dial_client_ask (asks, KH_DIAL_POKE, idle->cookie);

  g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
  g_assert_null (answer->response_origin);
  assert_poked (idle, answer->id);
  kh_dial_client_assert_error (asks, KH_DIAL_POKE, idle->cookie, 403);
  kh_dial_client_assert_served (idle);
}

static void
test_low_port (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", NULL, NULL);
  KhDialClient client = { 0 };

  if (geteuid () != 0)
    {
      g_test_skip ("only root has ports below 1024");
      return;
    }
  for (guint16 port = 1023; port > 900 && client.socket == NULL; port--)
    {
      g_autoptr (GInetSocketAddress) low = kh_address_new ("127.0.0.1", port);

      client.socket = kh_dial_test_bind (low);
      if (!g_socket_connect (client.socket, G_SOCKET_ADDRESS (first_address (server)), NULL, NULL))
        g_clear_object (&client.socket);
    }
  g_assert_nonnull (client.socket);
  kh_dial_client_assert_error (&client, KH_DIAL_PORT, NULL, 403);
  kh_dial_client_assert_error (&client, KH_DIAL_CROSSING, NULL, 403);
  g_object_unref (client.socket);
}

/* By address, in all, and at once. */
static void
test_limits (void)
{
  KhDialBackLimits limits = kh_dial_back_limits;
  g_autoptr (KhDialServer) by_address = NULL;
  g_autoptr (KhDialServer) in_all = NULL;
  g_autoptr (KhDialServer) at_once = NULL;
  KhDialServer **servers[] = { &by_address, &in_all, &at_once };
  static const int codes[] = { 486, 508, 508 };

  limits.address_burst = limits.address_per_minute = 1;
  by_address = kh_dial_server_new ("127.0.0.1", NULL, &limits);
  limits = kh_dial_back_limits;
  limits.burst = limits.per_second = 1;
  in_all = kh_dial_server_new ("127.0.0.1", NULL, &limits);
  limits = kh_dial_back_limits;
  limits.dials = 1;
  at_once = kh_dial_server_new ("127.0.0.1", NULL, &limits);

  for (gsize i = 0; i < G_N_ELEMENTS (servers); i++)
    {
      g_autoptr (KhDialClient) a = kh_dial_client_new (first_address (*servers[i]), "127.0.0.1");
      g_autoptr (KhDialClient) b = kh_dial_client_new (first_address (*servers[i]), "127.0.0.1");
      g_autoptr (KhDialClient) c = kh_dial_client_new (first_address (*servers[i]), "127.0.0.3");
      g_autoptr (KhStunMessage) granted = kh_dial_client_ask (a, KH_DIAL_CROSSING, NULL);
      g_autoptr (KhStunMessage) elsewhere = NULL;

      g_assert_cmpint (granted->klass, ==, KH_STUN_SUCCESS);
      kh_dial_client_assert_error (b, KH_DIAL_CROSSING, NULL, codes[i]);
      elsewhere = kh_dial_client_ask (c, KH_DIAL_CROSSING, NULL);
      g_assert_cmpint (elsewhere->klass, ==, i == 0 ? KH_STUN_SUCCESS : KH_STUN_ERROR);
    }
}

static void
test_switched_off (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--no-dial-back", NULL);
  g_autoptr (KhStunMessage) binding = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, NULL);
  g_autoptr (KhStunMessage) answer = NULL;
  KhDialClient client = { .socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0)) };

  kh_dial_client_send (&client, binding);
  answer = kh_dial_client_read (&client);
  g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
  g_assert_false (answer->has_cookie);
  kh_dial_client_assert_error (&client, KH_DIAL_PORT, NULL, 400);
  kh_dial_client_go (&client, answer->id);
  kh_dial_client_assert_error (&client, KH_DIAL_POKE, NULL, 400);
  g_object_unref (client.socket);
}

static void
test_log (void)
{
  static const char *const options[] = { NULL, "--log-addresses" };

  for (gsize i = 0; i < G_N_ELEMENTS (options); i++)
    {
      g_autoptr (KhServerProcess) server = kh_server_process_new (options[i], NULL);
      g_autoptr (KhDialClient) client = kh_dial_client_new (g_ptr_array_index (server->stun, 0), "127.0.0.1");
      g_autofree char *address = kh_address_to_text (G_SOCKET_ADDRESS (client->local));
      g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, KH_DIAL_PORT, NULL);
      g_autoptr (JsonObject) event = NULL;

      kh_dial_client_assert_result (client, answer->id, KH_DIAL_REFUSED);
      event = kh_server_process_event (server, "dial.end");
      g_assert_cmpstr (kh_json_get_string (event, "kind"), ==, "port");
      g_assert_cmpstr (kh_json_get_string (event, "result"), ==, "refused");
      g_assert_cmpstr (json_object_has_member (event, "address") ? kh_json_get_string (event, "address") : NULL, ==,
                       i == 0 ? NULL : address);
    }
}

/* A network of our own, in which a firewall refuses strangers' SYNs by ICMP. Returns whether there is one. */
static gboolean
enter_refusing_network (void)
{
  static const char *const script =
      "ip link set lo up && nft -f - <<EOF\n"
      "table inet t {\nchain c {\n  type filter hook input priority 0;\n"
      "  ip daddr 127.0.0.7 tcp flags & (syn | ack) == syn reject with icmp type admin-prohibited\n"
      "  ip6 saddr ::1 tcp dport != 1024-1030 tcp flags & (syn | ack) == syn reject with icmpv6 type admin-prohibited\n"
      "}\n}\nEOF";
  const char *argv[] = { "/bin/sh", "-c", script, NULL };
  int status = 0;

  if (unshare (CLONE_NEWNET) != 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) != 0)
    return FALSE;
  if (!g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, NULL, NULL, &status, NULL))
    return FALSE;
  return g_spawn_check_wait_status (status, NULL);
}

static void
assert_unreachable (const char *server_ip, const char *client_ip, int type, int code)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (server_ip);
  g_autoptr (KhServerLog) log = kh_server_log_new (-1, FALSE, FALSE);
  g_autoptr (KhStunServer) stun = kh_stun_server_new (&(KhQuotaLimits){ .total = 10 }, log);
  g_autoptr (GPtrArray) addresses = NULL;
  g_autoptr (KhDialClient) client = NULL;
  g_autoptr (KhStunMessage) answer = NULL;
  g_autoptr (KhStunMessage) told = NULL;

  kh_stun_server_set_dial_back (stun, kh_dial_back_new (NULL, log));
  g_assert_true (kh_stun_server_listen (stun, address, NULL, 1024, 1025, NULL));
  addresses = kh_stun_server_get_addresses (stun);
  client = kh_dial_client_new (g_ptr_array_index (addresses, 0), client_ip);
  answer = kh_dial_client_ask (client, KH_DIAL_PORT, NULL);
  told = kh_dial_client_read (client);
  g_assert_cmpmem (told->id, KH_STUN_ID_BYTES, answer->id, KH_STUN_ID_BYTES);
  g_assert_cmpint (told->dial_result, ==, KH_DIAL_UNREACHABLE);
  g_assert_cmpint (told->icmp_type, ==, type);
  g_assert_cmpint (told->icmp_code, ==, code);
  kh_stun_server_stop (stun);
}

/* In a process of its own, which says by its exit status how it went. */
#define EXIT_NO_NETWORK 77

static void
test_unreachable_inside (void)
{
  if (!enter_refusing_network ())
    exit (EXIT_NO_NETWORK);
  assert_unreachable ("127.0.0.1", "127.0.0.7", 3, 13);
  assert_unreachable ("::1", "::1", 1, 1);
}

static void
test_unreachable (void)
{
  const char *argv[] = { program, "-p", "/dial-back/unreachable/subprocess", NULL };
  int status = 0;

  g_assert_true (
      g_spawn_sync (NULL, (char **) argv, NULL, G_SPAWN_STDOUT_TO_DEV_NULL, NULL, NULL, NULL, NULL, &status, NULL));
  if (WIFEXITED (status) && WEXITSTATUS (status) == EXIT_NO_NETWORK)
    g_test_skip ("namespaces or nft are not to be had here");
  else
    g_assert_cmpint (status, ==, 0);
}

int
main (int argc, char **argv)
{
  program = argv[0];
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dial-back/connected", test_connected);
  g_test_add_func ("/dial-back/never-closed", test_never_closed);
  g_test_add_func ("/dial-back/ipv6-connected", test_ipv6_connected);
  g_test_add_func ("/dial-back/refused", test_refused);
  g_test_add_func ("/dial-back/unreachable", test_unreachable);
  g_test_add_func ("/dial-back/unreachable/subprocess", test_unreachable_inside);
  g_test_add_func ("/dial-back/silent", test_silent);
  g_test_add_func ("/dial-back/crossing", test_crossing);
  g_test_add_func ("/dial-back/go-alone", test_go_alone);
  g_test_add_func ("/dial-back/no-go", test_no_go);
  g_test_add_func ("/dial-back/disconnected", test_disconnected);
  g_test_add_func ("/dial-back/cookies", test_cookies);
  g_test_add_func ("/dial-back/expiry", test_expiry);
  g_test_add_func ("/dial-back/kinds", test_kinds);
  g_test_add_func ("/dial-back/poke", test_poke);
  g_test_add_func ("/dial-back/low-port", test_low_port);
  g_test_add_func ("/dial-back/limits", test_limits);
  g_test_add_func ("/dial-back/switched-off", test_switched_off);
  g_test_add_func ("/dial-back/log", test_log);
  return g_test_run ();
}
