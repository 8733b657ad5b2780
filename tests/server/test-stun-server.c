/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-server-process.h"
#include "kh-stun-server.h"
#include "kh-stun.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

static GBytes *
make_request (void)
{
  g_autoptr (KhStunMessage) request = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, NULL);

  return kh_stun_message_to_bytes (request);
}

static void
send_bytes (GSocket *socket, GBytes *bytes)
{
  kh_test_socket_send (socket, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static KhStunMessage *
read_message (GSocket *socket)
{
  guint8 bytes[KH_STUN_MAX_BYTES];
  g_autoptr (GError) error = NULL;
  KhStunMessage *message;
  gssize length;

  kh_test_socket_receive (socket, bytes, KH_STUN_HEADER_BYTES);
  length = kh_stun_message_length (bytes, KH_STUN_HEADER_BYTES);
  g_assert_cmpint (length, >=, KH_STUN_HEADER_BYTES);
  kh_test_socket_receive (socket, bytes + KH_STUN_HEADER_BYTES, length - KH_STUN_HEADER_BYTES);
  message = kh_stun_message_from_bytes (bytes, length, &error);
  g_assert_no_error (error);

  return message;
}

/* Checks one whole answer, and that the connection goes on. */
static void
assert_answers (GSocket *socket)
{
  g_autoptr (GBytes) request = make_request ();
  g_autoptr (KhStunMessage) answer = NULL;
  g_autoptr (GSocketAddress) local = g_socket_get_local_address (socket, NULL);
  g_autoptr (GSocketAddress) remote = g_socket_get_remote_address (socket, NULL);

  send_bytes (socket, request);
  answer = read_message (socket);
  g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
  g_assert_cmpmem (answer->id, KH_STUN_ID_BYTES, (const guint8 *) g_bytes_get_data (request, NULL) + 8,
                   KH_STUN_ID_BYTES);
  g_assert_true (kh_address_equal (G_SOCKET_ADDRESS (answer->mapped), local));
  g_assert_true (kh_address_equal (G_SOCKET_ADDRESS (answer->response_origin), remote));
  g_assert_cmpstr (answer->software, ==, "knothole");
}

static void
test_one_address (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);

  g_assert_cmpuint (server->stun->len, ==, 2);
  for (guint i = 0; i < server->stun->len; i++)
    {
      g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, i));
      g_autoptr (GBytes) request = make_request ();
      g_autoptr (KhStunMessage) answer = NULL;

      assert_answers (socket);
      assert_answers (socket);
      send_bytes (socket, request);
      answer = read_message (socket);
      g_assert_null (answer->other_address);
    }
}

/* OTHER-ADDRESS has the other address and the other port, from whichever of the four it is asked. */
static void
test_other_address (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--alternate-address=127.0.0.2", NULL);

  g_assert_cmpuint (server->stun->len, ==, 4);
  for (guint i = 0; i < 4; i++)
    {
      GInetSocketAddress *here = g_ptr_array_index (server->stun, i);
      g_autoptr (GSocket) socket = kh_test_socket_to (here);
      g_autoptr (GBytes) request = make_request ();
      g_autoptr (KhStunMessage) answer = NULL;

      assert_answers (socket);
      send_bytes (socket, request);
      answer = read_message (socket);
      g_assert_nonnull (answer->other_address);
      g_assert_false (g_inet_address_equal (g_inet_socket_address_get_address (answer->other_address),
                                            g_inet_socket_address_get_address (here)));
      g_assert_cmpuint (g_inet_socket_address_get_port (answer->other_address), !=,
                        g_inet_socket_address_get_port (here));
      g_assert_true (
          kh_address_equal (G_SOCKET_ADDRESS (answer->other_address), g_ptr_array_index (server->stun, 3 - i)));
    }
  /* the same two ports on both addresses */
  for (guint i = 0; i < 2; i++)
    g_assert_cmpuint (g_inet_socket_address_get_port (g_ptr_array_index (server->stun, i)), ==,
                      g_inet_socket_address_get_port (g_ptr_array_index (server->stun, i + 2)));
}

static void
test_in_pieces (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
  g_autoptr (GBytes) request = make_request ();
  g_autoptr (KhStunMessage) slow = NULL;
  gsize length;
  const guint8 *bytes = g_bytes_get_data (request, &length);
  guint8 both[2 * 256];

  g_socket_set_option (socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  for (gsize i = 0; i < length; i++)
    kh_test_socket_send (socket, bytes + i, 1);
  slow = read_message (socket);
  g_assert_cmpint (slow->klass, ==, KH_STUN_SUCCESS);

  /* two at once, and one of them in two parts */
  memcpy (both, bytes, length);
  memcpy (both + length, bytes, length);
  kh_test_socket_send (socket, both, length + 3);
  kh_test_socket_send (socket, both + length + 3, length - 3);
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (KhStunMessage) answer = read_message (socket);

      g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
    }
  assert_answers (socket);
}

#define REST                                                                                                           \
  "2112a442"                                                                                                           \
  "000102030405060708090a0b"

static void
test_errors (void)
{
  static const struct
  {
    const char *hex;
    int code;
  } cases[] = {
    { "00010008" REST "0003000400000006", 420 }, /* CHANGE-REQUEST */
    { "00010004" REST "7ffe0000", 420 },
    { "00030000" REST, 400 }, /* Allocate, of TURN */
  };
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0));

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = kh_test_unhex (cases[i].hex);
      g_autoptr (KhStunMessage) answer = NULL;

      send_bytes (socket, bytes);
      answer = read_message (socket);
      g_assert_cmpint (answer->klass, ==, KH_STUN_ERROR);
      g_assert_cmpint (answer->error_code, ==, cases[i].code);
      kh_test_assert_hex (answer->id, KH_STUN_ID_BYTES, "000102030405060708090a0b");
      assert_answers (socket);
    }
}

/* No answer, but the connection goes on. */
static void
test_indication (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
  g_autoptr (GBytes) indication = kh_test_unhex ("00110000" REST);

  send_bytes (socket, indication);
  assert_answers (socket);
}

static void
test_garbage (void)
{
  static const char *const cases[] = {
    "474554202f20485454502f312e310d0a0d0a", /* "GET / HTTP/1.1" */
    "ff",
    "00010002",
    "0001fffc" REST,
    "00010000"
    "2112a443",
    "00010008" REST "0001000100000000", /* an address of one byte */
    "00010008" REST "8028000400000000", /* a wrong FINGERPRINT */
    "01010000" REST,                    /* an answer */
    "01110000" REST,
  };
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (GSocket) other = kh_test_socket_to (g_ptr_array_index (server->stun, 0));

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
      g_autoptr (GBytes) bytes = kh_test_unhex (cases[i]);

      send_bytes (socket, bytes);
      kh_test_socket_end (socket);
    }
  assert_answers (other);
}

/* Hundreds of requests at once are too many for one client, and nothing to the others. */
static void
test_flood (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
  g_autoptr (GSocket) other = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
  g_autoptr (GBytes) request = make_request ();
  g_autoptr (GByteArray) flood = g_byte_array_new ();
  g_autofree char *answers = NULL;

  for (int i = 0; i < 300; i++)
    g_byte_array_append (flood, g_bytes_get_data (request, NULL), g_bytes_get_size (request));
  kh_test_socket_send (socket, flood->data, flood->len);
  answers = kh_test_socket_text (socket);
  assert_answers (other);
}

static void
test_per_address (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--max-connections-per-address=2", NULL);
  g_autoptr (GSocket) a = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
  g_autoptr (GSocket) b = kh_test_socket_to (g_ptr_array_index (server->stun, 1));
  g_autoptr (GSocket) c = NULL;

  assert_answers (a);
  assert_answers (b);
  c = kh_test_socket_to (g_ptr_array_index (server->stun, 0));
  kh_test_socket_end (c);
  assert_answers (a);
}

/* In this process, to have a short idle limit. The client never says a thing, or not enough. */
static void
test_silent_clients (void)
{
  static const char *const said[] = { "", "00",
                                      "00010000"
                                      "2112a4" };
  g_autoptr (KhServerLog) log = kh_server_log_new (-1, FALSE, FALSE);
  g_autoptr (KhStunServer) server = kh_stun_server_new (&(KhQuotaLimits){ .total = 10 }, log);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GPtrArray) addresses = NULL;
  g_autoptr (GError) error = NULL;
  KhStunServerStatus status;

  kh_stun_server_set_patience (server, 50, 10000);
  g_assert_true (kh_stun_server_listen (server, loopback, NULL, 0, 0, &error));
  g_assert_no_error (error);
  addresses = kh_stun_server_get_addresses (server);

  for (gsize i = 0; i < G_N_ELEMENTS (said); i++)
    {
      g_autoptr (GSocket) socket = kh_test_socket_to (g_ptr_array_index (addresses, 0));
      g_autoptr (GBytes) bytes = kh_test_unhex (said[i]);

      send_bytes (socket, bytes);
      kh_test_wait_until ((kh_stun_server_get_status (server, &status), status.clients) == 1, 2000);
      /* a message that was begun has ten seconds */
      if (said[i][0] == '\0')
        kh_test_wait_until ((kh_stun_server_get_status (server, &status), status.clients) == 0, 2000);
      else
        {
          g_socket_close (socket, NULL);
          kh_test_wait_until ((kh_stun_server_get_status (server, &status), status.clients) == 0, 2000);
        }
    }
  g_assert_cmpuint (status.requests, ==, 0);
  kh_stun_server_stop (server);
  kh_stun_server_stop (server);
  g_assert_finalize_object (g_steal_pointer (&server));
}

/* A message that begins as another one ends has its time from then on. */
static void
test_overlapping_messages (void)
{
  g_autoptr (KhServerLog) log = kh_server_log_new (-1, FALSE, FALSE);
  g_autoptr (KhStunServer) server = kh_stun_server_new (&(KhQuotaLimits){ .total = 10 }, log);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GBytes) request = make_request ();
  const guint8 *bytes = g_bytes_get_data (request, NULL);
  gsize length = g_bytes_get_size (request);
  g_autoptr (GPtrArray) addresses = NULL;
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GByteArray) across = g_byte_array_new ();
  KhStunServerStatus status;
  gint64 begun;

  kh_stun_server_set_patience (server, 5000, 400);
  g_assert_true (kh_stun_server_listen (server, loopback, NULL, 0, 0, NULL));
  addresses = kh_stun_server_get_addresses (server);
  socket = kh_test_socket_to (g_ptr_array_index (addresses, 0));
  g_byte_array_append (across, bytes + length / 2, length - length / 2);
  g_byte_array_append (across, bytes, length / 2);

  kh_test_socket_send (socket, bytes, length / 2);
  begun = g_get_monotonic_time ();
  kh_test_wait_until (g_get_monotonic_time () - begun >= 200000, 2000);
  kh_test_socket_send (socket, across->data, across->len);
  begun = g_get_monotonic_time ();
  kh_test_wait_until ((kh_stun_server_get_status (server, &status), status.requests) == 1, 2000);
  kh_test_wait_until ((kh_stun_server_get_status (server, &status), status.clients) == 0, 2000);
  g_assert_cmpint (g_get_monotonic_time () - begun, >=, 350000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stun-server/one-address", test_one_address);
  g_test_add_func ("/stun-server/other-address", test_other_address);
  g_test_add_func ("/stun-server/in-pieces", test_in_pieces);
  g_test_add_func ("/stun-server/errors", test_errors);
  g_test_add_func ("/stun-server/indication", test_indication);
  g_test_add_func ("/stun-server/garbage", test_garbage);
  g_test_add_func ("/stun-server/flood", test_flood);
  g_test_add_func ("/stun-server/per-address", test_per_address);
  g_test_add_func ("/stun-server/silent-clients", test_silent_clients);
  g_test_add_func ("/stun-server/overlapping-messages", test_overlapping_messages);
  return g_test_run ();
}
