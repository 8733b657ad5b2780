/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-json.h"
#include "kh-mailbox-server.h"
#include "kh-server-process.h"

#include <libsoup/soup.h>
#include <signal.h>
#include <string.h>

/* Clients of the running server, through libsoup as in Knothole itself. */
typedef struct
{
  SoupWebsocketConnection *connection;
  GQueue messages; /* JsonObject */
  gboolean closed;
} Client;

static void
on_message (SoupWebsocketConnection *connection, int type, GBytes *message, gpointer user_data)
{
  Client *client = user_data;
  gsize length;
  const char *text = g_bytes_get_data (message, &length);

  g_assert_cmpint (type, ==, SOUP_WEBSOCKET_DATA_TEXT);
  g_queue_push_tail (&client->messages, kh_json_parse_object (text, length, NULL));
}

static void
on_closed (SoupWebsocketConnection *connection, gpointer user_data)
{
  ((Client *) user_data)->closed = TRUE;
}

static SoupWebsocketConnection *
try_connect (SoupSession *session, const char *url, SoupStatus *status)
{
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_GET, url);
  g_autoptr (GAsyncResult) result = NULL;
  SoupWebsocketConnection *connection;

  soup_session_websocket_connect_async (session, message, NULL, NULL, G_PRIORITY_DEFAULT, NULL, kh_test_store_result,
                                        &result);
  kh_test_wait_until (result != NULL, 5000);
  connection = soup_session_websocket_connect_finish (session, result, NULL);
  *status = soup_message_get_status (message);

  return connection;
}

static Client *
client_new (SoupSession *session, const char *url)
{
  Client *client = g_new0 (Client, 1);
  SoupStatus status;

  client->connection = try_connect (session, url, &status);
  g_assert_nonnull (client->connection);
  soup_websocket_connection_set_max_incoming_payload_size (client->connection, 1024 * 1024);
  g_signal_connect (client->connection, "message", G_CALLBACK (on_message), client);
  g_signal_connect (client->connection, "closed", G_CALLBACK (on_closed), client);

  return client;
}

static void
client_free (Client *client)
{
  g_signal_handlers_disconnect_by_data (client->connection, client);
  if (soup_websocket_connection_get_state (client->connection) == SOUP_WEBSOCKET_STATE_OPEN)
    soup_websocket_connection_close (client->connection, 1000, NULL);
  g_object_unref (client->connection);
  g_queue_clear_full (&client->messages, (GDestroyNotify) json_object_unref);
  g_free (client);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Client, client_free)

static void
say (Client *client, const char *text)
{
  soup_websocket_connection_send_text (client->connection, text);
}

static JsonObject *
wait_for (Client *client, const char *type)
{
  while (TRUE)
    {
      g_autoptr (JsonObject) message = NULL;

      kh_test_wait_until (!g_queue_is_empty (&client->messages), 5000);
      message = g_queue_pop_head (&client->messages);
      if (g_strcmp0 (kh_json_get_string (message, "type"), type) == 0)
        return g_steal_pointer (&message);
    }
}

static void
assert_lives (Client *client)
{
  g_autoptr (JsonObject) pong = NULL;

  say (client, "{\"type\":\"ping\",\"ping\":1}");
  pong = wait_for (client, "pong");
}

static void
test_exchange (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) a = client_new (session, server->url);
  g_autoptr (Client) b = client_new (session, server->url);
  g_autoptr (JsonObject) welcome = wait_for (a, "welcome");
  JsonObject *address = kh_json_get_object (kh_json_get_object (welcome, "welcome"), "your-address");
  g_autoptr (JsonObject) to_a = NULL;
  g_autoptr (JsonObject) to_b = NULL;
  gint64 port;

  g_assert_null (soup_websocket_connection_get_extensions (a->connection));
  g_assert_cmpstr (kh_json_get_string (address, "ipv4"), ==, "127.0.0.1");
  g_assert_true (kh_json_get_int (address, "port", 1, 65535, &port));

  say (a, "{\"type\":\"bind\",\"appid\":\"app\",\"side\":\"A\"}");
  say (b, "{\"type\":\"bind\",\"appid\":\"app\",\"side\":\"B\"}");
  say (a, "{\"type\":\"open\",\"mailbox\":\"box\"}");
  say (b, "{\"type\":\"open\",\"mailbox\":\"box\"}");
  assert_lives (a);
  assert_lives (b);
  say (a, "{\"type\":\"add\",\"phase\":\"x\",\"body\":\"你好\"}");
  to_a = wait_for (a, "message");
  to_b = wait_for (b, "message");
  g_assert_cmpstr (kh_json_get_string (to_b, "body"), ==, "你好");
}

/* The largest message that is taken, and one that is not: it costs its sender the connection, and nobody
 * else. */
static void
test_sizes (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) good = client_new (session, server->url);
  g_autoptr (Client) bad = client_new (session, server->url);
  const char *start = "{\"type\":\"ping\",\"ping\":\"";
  g_autofree char *filling = g_strnfill (128 * 1024 - strlen (start) - 2, 'x');
  g_autofree char *largest = g_strconcat (start, filling, "\"}", NULL);
  g_autofree char *larger = g_strconcat (largest, " ", NULL);
  g_autoptr (JsonObject) pong = NULL;

  say (good, largest);
  pong = wait_for (good, "pong");
  say (bad, larger);
  kh_test_wait_until (bad->closed, 5000);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (bad->connection), ==, 1009);
  assert_lives (good);
}

static void
test_nonsense (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) good = client_new (session, server->url);
  g_autoptr (Client) bad = client_new (session, server->url);

  say (bad, "nonsense");
  kh_test_wait_until (bad->closed, 5000);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (bad->connection), ==, 1008);
  assert_lives (good);
}

static void
test_flood (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) good = client_new (session, server->url);
  g_autoptr (Client) bad = client_new (session, server->url);
  g_autoptr (JsonObject) error = NULL;

  for (int i = 0; i < 500; i++)
    say (bad, "{\"type\":\"ping\",\"ping\":1}");
  error = wait_for (bad, "error");
  g_assert_cmpstr (kh_json_get_string (error, "error"), ==, "too many messages");
  kh_test_wait_until (bad->closed, 5000);
  assert_lives (good);
}

static void
test_other_paths (void)
{
  static const struct
  {
    const char *path;
    SoupStatus status;
  } cases[] = {
    { "/", 404 },
    { "/v2", 404 },
    { "/v1/x", 404 },
    { "/v1", 426 },
  };
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *url = g_strdup_printf ("http://127.0.0.1:%u%s", server->mailbox_port, cases[i].path);
      g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_GET, url);
      g_autoptr (GAsyncResult) result = NULL;
      g_autoptr (GBytes) body = NULL;
      g_autoptr (GError) error = NULL;

      soup_session_send_and_read_async (session, message, G_PRIORITY_DEFAULT, NULL, kh_test_store_result, &result);
      kh_test_wait_until (result != NULL, 5000);
      body = soup_session_send_and_read_finish (session, result, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (soup_message_get_status (message), ==, cases[i].status);
      g_assert_cmpuint (g_bytes_get_size (body), >, 10);
    }
}

static void
test_max_connections (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--max-connections=2", NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) a = client_new (session, server->url);
  Client *b = client_new (session, server->url);
  g_autoptr (Client) c = NULL;
  g_autoptr (JsonObject) gone = NULL;
  g_autoptr (SoupWebsocketConnection) refused = NULL;
  SoupStatus status;

  refused = try_connect (session, server->url, &status);
  g_assert_null (refused);
  g_assert_cmpuint (status, ==, 503);
  assert_lives (a);
  assert_lives (b);

  client_free (b);
  gone = kh_server_process_event (server, "client.gone");
  c = client_new (session, server->url);
  assert_lives (c);
}

static const char request[] = "GET /v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/* The next connection from here is told that there are too many. */
static void
assert_excess (KhServerProcess *server)
{
  g_autoptr (GSocket) socket = kh_test_socket (server->mailbox_port);
  g_autofree char *answer = NULL;

  kh_test_socket_send (socket, request, sizeof request - 1);
  g_socket_shutdown (socket, FALSE, TRUE, NULL);
  answer = kh_test_socket_text (socket);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 503"));
  g_assert_nonnull (strstr (answer, "too many connections from your address"));
}

static void
test_per_address (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--max-connections-per-address=1", NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) a = client_new (session, server->url);

  assert_excess (server);
  assert_lives (a);
}

/* Those who are told that there are too many of them are not many. */
static void
test_much_excess (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--max-connections-per-address=1", NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) a = client_new (session, server->url);
  g_autoptr (GPtrArray) silent = g_ptr_array_new_with_free_func (g_object_unref);

  for (int i = 0; i < 33; i++)
    g_ptr_array_add (silent, kh_test_socket (server->mailbox_port));
  kh_test_socket_end (g_ptr_array_index (silent, 32));
  assert_lives (a);
}

static void
test_new_connections (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--max-new-connections=3", NULL);

  for (int i = 0; i < 3; i++)
    {
      g_autoptr (GSocket) socket = kh_test_socket (server->mailbox_port);
      g_autofree char *answer = NULL;

      kh_test_socket_send (socket, "x\r\n\r\n", 5);
      g_socket_shutdown (socket, FALSE, TRUE, NULL);
      answer = kh_test_socket_text (socket);
      g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 400"));
    }
  assert_excess (server);
}

/* Those who connect and say nothing lose their places to those who ask. */
static void
test_silent_crowd (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (GPtrArray) silent = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (Client) client = NULL;

  for (int i = 0; i < 200; i++)
    g_ptr_array_add (silent, kh_test_socket (server->mailbox_port));
  kh_test_socket_end (g_ptr_array_index (silent, 0));
  client = client_new (session, server->url);
  assert_lives (client);
}

/* From another address of this machine than the server's own. */
static GSocket *
connect_from (const char *text, guint16 port)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (text);
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new (address, 0);
  g_autoptr (GInetSocketAddress) remote = kh_address_new ("127.0.0.1", port);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &error);

  g_assert_no_error (error);
  g_socket_set_timeout (socket, 10);
  g_assert_true (g_socket_bind (socket, local, FALSE, &error));
  g_assert_true (g_socket_connect (socket, G_SOCKET_ADDRESS (remote), NULL, &error));

  return socket;
}

/* The crowd is another's: who was here before it, and needs a while to ask, keeps its place. */
static void
test_crowd_of_another (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (GSocket) slow = connect_from ("127.0.0.2", server->mailbox_port);
  g_autoptr (GPtrArray) silent = g_ptr_array_new_with_free_func (g_object_unref);
  g_autofree char *answer = NULL;

  for (int i = 0; i < 200; i++)
    g_ptr_array_add (silent, connect_from ("127.0.0.3", server->mailbox_port));
  kh_test_socket_end (g_ptr_array_index (silent, 0));
  kh_test_socket_end (g_ptr_array_index (silent, 130));
  kh_test_socket_send (slow, "x\r\n\r\n", 5);
  g_socket_shutdown (slow, FALSE, TRUE, NULL);
  answer = kh_test_socket_text (slow);
  g_assert_true (g_str_has_prefix (answer, "HTTP/1.1 400"));
}

/* A crowd of many addresses, one connection each: the oldest of them goes, not whoever comes to ask. */
static void
test_crowd_of_many (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (GPtrArray) silent = g_ptr_array_new_with_free_func (g_object_unref);
  g_autoptr (Client) client = NULL;

  for (int i = 0; i < 100; i++)
    {
      g_autofree char *address = g_strdup_printf ("127.0.1.%d", i + 1);

      g_ptr_array_add (silent, connect_from (address, server->mailbox_port));
    }
  kh_test_socket_end (g_ptr_array_index (silent, 0));
  client = client_new (session, server->url);
  assert_lives (client);
}

static void
test_goodbye_at_stop (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new ();
  g_autoptr (Client) client = client_new (session, server->url);

  g_assert_cmpint (kh_server_process_stop (server, SIGTERM), ==, 0);
  kh_test_wait_until (client->closed, 5000);
  g_assert_cmpuint (soup_websocket_connection_get_close_code (client->connection), ==, 1001);
}

/* In this process, so that what the client sends is surely unread when the server stops: the goodbye must
 * come, and no RST after it. */
static void
test_goodbye_to_a_talker (void)
{
  g_autoptr (KhServerLog) log = kh_server_log_new (-1, FALSE, FALSE);
  g_autoptr (KhMailboxServer) server = kh_mailbox_server_new (&(KhQuotaLimits){ .total = 10 }, FALSE, log);
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetSocketAddress) address = kh_mailbox_server_listen (server, loopback, 0, NULL);
  g_autoptr (GSocket) socket = kh_test_socket_to (address);
  g_autofree char *nonsense = g_strnfill (30000, 'x');
  g_autoptr (GError) error = NULL;
  KhMailboxServerStatus status;
  char answer[4096];
  gssize length;

  kh_test_socket_send (socket, request, sizeof request - 1);
  kh_test_wait_until ((kh_mailbox_server_get_status (server, &status), status.clients) == 1, 2000);
  kh_test_socket_send (socket, nonsense, 30000);
  kh_mailbox_server_stop (server);
  g_assert_true (g_socket_check_connect_result (socket, &error)); /* SO_ERROR, which a RST would have set */
  length = g_socket_receive (socket, answer, sizeof answer, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (g_strstr_len (answer, length, "the server stops"));
}

static void
test_many (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new (NULL, NULL);
  g_autoptr (SoupSession) session = soup_session_new_with_options ("max-conns", 400, "max-conns-per-host", 400, NULL);
  g_autoptr (GPtrArray) clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);

  for (int i = 0; i < 200; i++)
    g_ptr_array_add (clients, client_new (session, server->url));
  for (guint i = 0; i < clients->len; i++)
    assert_lives (g_ptr_array_index (clients, i));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mailbox-server/exchange", test_exchange);
  g_test_add_func ("/mailbox-server/sizes", test_sizes);
  g_test_add_func ("/mailbox-server/nonsense", test_nonsense);
  g_test_add_func ("/mailbox-server/flood", test_flood);
  g_test_add_func ("/mailbox-server/other-paths", test_other_paths);
  g_test_add_func ("/mailbox-server/max-connections", test_max_connections);
  g_test_add_func ("/mailbox-server/per-address", test_per_address);
  g_test_add_func ("/mailbox-server/much-excess", test_much_excess);
  g_test_add_func ("/mailbox-server/new-connections", test_new_connections);
  g_test_add_func ("/mailbox-server/silent-crowd", test_silent_crowd);
  g_test_add_func ("/mailbox-server/crowd-of-another", test_crowd_of_another);
  g_test_add_func ("/mailbox-server/crowd-of-many", test_crowd_of_many);
  g_test_add_func ("/mailbox-server/goodbye-at-stop", test_goodbye_at_stop);
  g_test_add_func ("/mailbox-server/goodbye-to-a-talker", test_goodbye_to_a_talker);
  g_test_add_func ("/mailbox-server/many", test_many);
  return g_test_run ();
}
