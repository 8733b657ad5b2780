/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-error.h"
#include "kh-port.h"
#include "kh-test.h"

#include <gio/gnetworking.h>
#include <sys/socket.h>

static guint16
bound_port (GSocket *socket)
{
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);

  return g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (local));
}

static GInetSocketAddress *
loopback (guint16 port)
{
  return kh_address_new ("127.0.0.1", port);
}

static GSocketConnection *
dial (KhPort *from, GInetSocketAddress *to, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  kh_port_connect_async (from, to, KH_CONNECT_NONE, 0, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, 2000);
  return kh_port_connect_finish (from, result, error);
}

static int
option (GSocket *socket, int level, int name)
{
  int value = -1;

  g_assert_true (g_socket_get_option (socket, level, name, &value, NULL));
  return value;
}

/* A listener, a connection to one server and one to another, all on one port; and the options that make it so. */
static void
test_many_sockets_on_one_port (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) port = kh_port_new (0, &error);
  g_autoptr (KhPort) server_a = kh_port_new (0, &error);
  g_autoptr (KhPort) server_b = kh_port_new (0, &error);
  g_autoptr (GSocket) listener_a = kh_port_listen (server_a, G_SOCKET_FAMILY_IPV4, &error);
  g_autoptr (GSocket) listener_b = kh_port_listen (server_b, G_SOCKET_FAMILY_IPV4, &error);
  g_autoptr (GInetSocketAddress) to_a = loopback (kh_port_get_number (server_a));
  g_autoptr (GInetSocketAddress) to_b = loopback (kh_port_get_number (server_b));
  g_autoptr (GSocketConnection) a = dial (port, to_a, &error);
  g_autoptr (GSocket) listener = kh_port_listen (port, G_SOCKET_FAMILY_IPV4, &error);
  g_autoptr (GSocketConnection) b = dial (port, to_b, &error);
  GSocket *sockets[3];

  g_assert_no_error (error);
  sockets[0] = g_socket_connection_get_socket (a);
  sockets[1] = listener;
  sockets[2] = g_socket_connection_get_socket (b);
  for (gsize i = 0; i < G_N_ELEMENTS (sockets); i++)
    {
      g_assert_cmpuint (bound_port (sockets[i]), ==, kh_port_get_number (port));
      g_assert_cmpint (option (sockets[i], SOL_SOCKET, SO_REUSEADDR), ==, 1);
      g_assert_cmpint (option (sockets[i], SOL_SOCKET, SO_REUSEPORT), ==, 1);
      g_assert_false (g_socket_get_blocking (sockets[i]));
    }
  g_assert_cmpint (option (sockets[0], IPPROTO_TCP, TCP_NODELAY), ==, 1);
  g_assert_cmpint (option (sockets[0], IPPROTO_IP, IP_RECVERR), ==, 1);
}

static void
test_internet_segments (void)
{
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (KhPort) server = kh_port_new (0, NULL);
  g_autoptr (GSocket) listener = kh_port_listen (server, G_SOCKET_FAMILY_IPV4, NULL);
  g_autoptr (GInetSocketAddress) to = loopback (kh_port_get_number (server));
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GSocketConnection) connection = NULL;

  kh_port_connect_async (port, to, KH_CONNECT_INTERNET, 0, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, 2000);
  connection = kh_port_connect_finish (port, result, NULL);
  g_assert_cmpint (option (g_socket_connection_get_socket (connection), IPPROTO_TCP, TCP_MAXSEG), <=, 1220);
}

/* Law 3: the second connect on one pair of addresses is our own business, and never goes to another port. */
static void
test_same_pair_is_busy (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (KhPort) server = kh_port_new (0, NULL);
  g_autoptr (GSocket) listener = kh_port_listen (server, G_SOCKET_FAMILY_IPV4, NULL);
  g_autoptr (GInetSocketAddress) to = loopback (kh_port_get_number (server));
  g_autoptr (GSocketConnection) first = dial (port, to, &error);

  g_assert_no_error (error);
  g_assert_null (dial (port, to, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE);
}

/* Law 12. */
static void
test_own_address (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (GInetSocketAddress) self = loopback (kh_port_get_number (port));

  g_assert_null (dial (port, self, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT);
}

static void
test_refused (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (KhPort) nobody = kh_port_new (0, NULL);
  g_autoptr (GInetSocketAddress) to = loopback (kh_port_get_number (nobody));

  g_assert_null (dial (port, to, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED);
}

/* Law 11: somebody else's port is not shared, though SO_REUSEPORT would let us. */
static void
test_port_of_another (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (KhPort) second = kh_port_new (kh_port_get_number (port), &error);

  g_assert_null (second);
  g_assert_error (error, KH_ERROR, KH_ERROR_PORT);
  g_assert_nonnull (g_strrstr (error->message, "choose another port"));
}

/* A port that we closed a moment ago, with a connection in TIME_WAIT, is free for us. */
static void
test_port_in_time_wait (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) server = kh_port_new (0, NULL);
  g_autoptr (GSocket) listener = kh_port_listen (server, G_SOCKET_FAMILY_IPV4, NULL);
  g_autoptr (GInetSocketAddress) to = loopback (kh_port_get_number (server));
  KhPort *port = kh_port_new (0, NULL);
  guint16 number = kh_port_get_number (port);
  g_autoptr (GSocketConnection) connection = dial (port, to, &error);
  g_autoptr (GSocket) accepted = NULL;
  g_autoptr (KhPort) again = NULL;
  char byte;

  kh_test_wait_until (g_socket_condition_check (listener, G_IO_IN), 2000);
  accepted = g_socket_accept (listener, NULL, &error);
  g_assert_no_error (error);
  g_io_stream_close (G_IO_STREAM (connection), NULL, NULL); /* we close first: TIME_WAIT is ours */
  kh_test_wait_until (g_socket_condition_check (accepted, G_IO_IN), 2000);
  g_assert_cmpint (g_socket_receive (accepted, &byte, 1, NULL, NULL), ==, 0);
  g_socket_close (accepted, NULL);
  g_object_unref (port);

  again = kh_port_new (number, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (kh_port_get_number (again), ==, number);
}

static void
test_cancel (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  KhPort *port = kh_port_new (0, NULL);
  g_autoptr (KhPort) server = kh_port_new (0, NULL);
  g_autoptr (GSocket) listener = kh_port_listen (server, G_SOCKET_FAMILY_IPV4, NULL);
  g_autoptr (GInetSocketAddress) to = loopback (kh_port_get_number (server));

  kh_port_connect_async (port, to, KH_CONNECT_NONE, 0, cancellable, kh_test_store_result, &result);
  g_cancellable_cancel (cancellable);
  kh_test_wait_until (result != NULL, 2000);
  g_assert_null (kh_port_connect_finish (port, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_object (&result);
  kh_test_settle ();
  g_assert_finalize_object (port);
}

/* What is chosen lies outside the range that the system hands out by itself. */
static void
test_choice (void)
{
  g_autofree char *text = NULL;
  guint low = 0, high = 0;

  g_assert_true (g_file_get_contents ("/proc/sys/net/ipv4/ip_local_port_range", &text, NULL, NULL));
  g_assert_cmpint (sscanf (text, "%u %u", &low, &high), ==, 2);
  for (int i = 0; i < 20; i++)
    {
      g_autoptr (KhPort) port = kh_port_new (0, NULL);
      guint16 number = kh_port_get_number (port);

      g_assert_true (number >= 10000 && (number < low || number > high));
    }
}

static void
test_no_route (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (GInetSocketAddress) broadcast = kh_address_new ("255.255.255.255", 9);

  g_assert_null (dial (port, broadcast, &error));
  g_assert_nonnull (error);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/port/many-sockets", test_many_sockets_on_one_port);
  g_test_add_func ("/port/internet-segments", test_internet_segments);
  g_test_add_func ("/port/same-pair-is-busy", test_same_pair_is_busy);
  g_test_add_func ("/port/own-address", test_own_address);
  g_test_add_func ("/port/refused", test_refused);
  g_test_add_func ("/port/of-another", test_port_of_another);
  g_test_add_func ("/port/in-time-wait", test_port_in_time_wait);
  g_test_add_func ("/port/cancel", test_cancel);
  g_test_add_func ("/port/choice", test_choice);
  g_test_add_func ("/port/no-route", test_no_route);
  return g_test_run ();
}
