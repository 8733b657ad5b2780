/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"
#include "kh-json.h"
#include "kh-mailbox-private.h"
#include "kh-test.h"
#include "ws-server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

typedef struct
{
  KhMailbox *mailbox;
  gboolean opened;
  GPtrArray *messages;
  GError *error;
} Client;

static void
on_opened (KhMailbox *mailbox, Client *client)
{
  g_assert_false (client->opened);
  client->opened = TRUE;
}

static void
on_message (KhMailbox *mailbox, JsonObject *message, Client *client)
{
  g_ptr_array_add (client->messages, json_object_ref (message));
}

static void
on_closed (KhMailbox *mailbox, GError *error, Client *client)
{
  g_assert_null (client->error);
  client->error = g_error_copy (error);
}

static void
client_init (Client *client, const char *url)
{
  memset (client, 0, sizeof *client);
  client->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
  client->mailbox = kh_mailbox_new (url);
  g_signal_connect (client->mailbox, "opened", G_CALLBACK (on_opened), client);
  g_signal_connect (client->mailbox, "message", G_CALLBACK (on_message), client);
  g_signal_connect (client->mailbox, "closed", G_CALLBACK (on_closed), client);
}

/* Whatever happened, nothing may be left that holds the mailbox. */
static void
client_clear (Client *client)
{
  kh_mailbox_close (client->mailbox);
  kh_test_wait_until (G_OBJECT (client->mailbox)->ref_count == 1, 2000);
  g_assert_finalize_object (client->mailbox);
  g_ptr_array_unref (client->messages);
  g_clear_error (&client->error);
  kh_test_settle ();
}

static void
do_nothing (WsServer *server, SoupWebsocketConnection *connection, gpointer user_data)
{
}

static void
test_urls (void)
{
  static const struct
  {
    const char *url;
    const char *host;
  } cases[] = {
    { "wss://relay.example.org/v1", "relay.example.org" },
    { "ws://127.0.0.1:4000/v1", "127.0.0.1" },
    { "ws://[::1]:4000/v1", "::1" },
    { "WSS://Example.org:443/v1", "Example.org" },
    { "http://example.org/v1", NULL },
    { "https://example.org/v1", NULL },
    { "file:///etc/passwd", NULL },
    { "example.org", NULL },
    { "wss://", NULL },
    { "wss:///v1", NULL },
    { "wss:example.org", NULL },
    { "wss://user@example.org/v1", NULL },
    { "wss://user:password@example.org/v1", NULL },
    { "wss://example.org:0/v1", NULL },
    { "wss://example.org:99999/v1", NULL },
    { "wss://exa mple.org/v1", NULL },
    { "wss://ex\u00e4mple.org/v1", NULL },
    { "wss://example.org/\n", NULL },
    { "", NULL },
  };
  g_autofree char *filler = g_strnfill (2000, 'x');
  g_autofree char *long_url = g_strconcat ("wss://", filler, "/v1", NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *host = kh_mailbox_url_get_host (cases[i].url);

      g_assert_cmpstr (host, ==, cases[i].host);
      g_assert_cmpint (kh_mailbox_url_is_valid (cases[i].url), ==, host != NULL);
    }
  g_assert_false (kh_mailbox_url_is_valid (long_url));
  g_assert_false (kh_mailbox_url_is_valid (NULL));
}

static void
echo (SoupWebsocketConnection *connection, SoupWebsocketDataType type, GBytes *message, gpointer user_data)
{
  soup_websocket_connection_send_message (connection, SOUP_WEBSOCKET_DATA_TEXT, message);
  soup_websocket_connection_send_message (connection, SOUP_WEBSOCKET_DATA_BINARY, message);
}

static void
echo_all (WsServer *server, SoupWebsocketConnection *connection, gpointer user_data)
{
  g_signal_connect (connection, "message", G_CALLBACK (echo), NULL);
}

/* Text and binary frames count alike, and no message waits for the acknowledgement of the one before. */
static void
test_messages (void)
{
  WsServer *server = ws_server_new (echo_all, NULL);
  g_autoptr (JsonObject) message = kh_json_build ("type:s", "ping");
  Client client;
  int no_delay = 0;

  client_init (&client, ws_server_get_url (server));
  g_assert_false (kh_mailbox_send (client.mailbox, message));
  kh_mailbox_open (client.mailbox);
  g_assert_false (kh_mailbox_send (client.mailbox, message));
  kh_test_wait_until (client.opened, 2000);
  g_assert_true (kh_mailbox_send (client.mailbox, message));
  kh_test_wait_until (client.messages->len == 2, 2000);
  g_assert_cmpstr (kh_json_get_string (client.messages->pdata[0], "type"), ==, "ping");
  g_assert_cmpstr (kh_json_get_string (client.messages->pdata[1], "type"), ==, "ping");
  g_assert_true (
      g_socket_get_option (kh_mailbox_get_socket (client.mailbox), IPPROTO_TCP, TCP_NODELAY, &no_delay, NULL));
  g_assert_cmpint (no_delay, !=, 0);

  kh_mailbox_close (client.mailbox);
  g_assert_false (kh_mailbox_send (client.mailbox, message));
  kh_test_wait_until (ws_server_get_open (server)->len == 0, 2000);
  g_assert_no_error (client.error);
  client_clear (&client);
  ws_server_free (server);
}

static void
keep_headers (SoupServer *soup, SoupServerMessage *message, gpointer user_data)
{
  SoupMessageHeaders **headers = user_data;

  *headers = soup_message_headers_ref (soup_server_message_get_request_headers (message));
}

/* Nothing about us goes along that need not. */
static void
test_headers (void)
{
  g_autoptr (SoupServer) soup = soup_server_new (NULL, NULL);
  SoupMessageHeaders *headers = NULL;
  g_autofree char *url = NULL;
  Client client;
  GSList *uris;

  g_signal_connect (soup, "request-read", G_CALLBACK (keep_headers), &headers);
  g_assert_true (soup_server_listen_local (soup, 0, SOUP_SERVER_LISTEN_IPV4_ONLY, NULL));
  uris = soup_server_get_uris (soup);
  url = g_strdup_printf ("ws://127.0.0.1:%d/v1", g_uri_get_port (uris->data));
  g_slist_free_full (uris, (GDestroyNotify) g_uri_unref);

  client_init (&client, url);
  kh_mailbox_open (client.mailbox);
  kh_test_wait_until (client.error != NULL, 2000);
  g_assert_cmpstr (soup_message_headers_get_one (headers, "User-Agent"), ==, "knothole");
  g_assert_null (soup_message_headers_get_one (headers, "Sec-WebSocket-Extensions"));
  g_assert_null (soup_message_headers_get_one (headers, "Origin"));
  g_assert_null (soup_message_headers_get_list (headers, "Cookie"));
  g_assert_null (soup_message_headers_get_list (headers, "Accept-Language"));
  soup_message_headers_unref (headers);
  client_clear (&client);
}

typedef enum
{
  AS_TEXT,
  AS_BINARY,
  AS_BYTES,
} How;

typedef struct
{
  const char *name;
  How how;
  GBytes *bytes;
  KhError code;
} Junk;

static void
send_junk (WsServer *server, SoupWebsocketConnection *connection, gpointer user_data)
{
  Junk *junk = user_data;

  if (junk->how == AS_BYTES)
    ws_server_write_raw (connection, junk->bytes);
  else
    soup_websocket_connection_send_message (
        connection, junk->how == AS_TEXT ? SOUP_WEBSOCKET_DATA_TEXT : SOUP_WEBSOCKET_DATA_BINARY, junk->bytes);
}

static void
check_junk (Junk *junk)
{
  WsServer *server = ws_server_new (send_junk, junk);
  Client client;

  g_test_message ("%s", junk->name);
  client_init (&client, ws_server_get_url (server));
  kh_mailbox_open (client.mailbox);
  kh_test_wait_until (client.error != NULL, 5000);
  g_assert_error (client.error, KH_ERROR, (int) junk->code);
  g_assert_cmpuint (client.messages->len, ==, 0);
  client_clear (&client);
  ws_server_free (server);
  g_bytes_unref (junk->bytes);
}

static GBytes *
repeat (const char *before, char c, gsize count, const char *after)
{
  GString *text = g_string_new (before);
  g_autofree char *filler = g_strnfill (count, c);

  g_string_append (text, filler);
  g_string_append (text, after);
  return g_string_free_to_bytes (text);
}

static void
test_junk (void)
{
  Junk cases[] = {
    { "not JSON", AS_TEXT, g_bytes_new_static ("hello", 5), KH_ERROR_PROTOCOL },
    { "nothing", AS_TEXT, g_bytes_new_static ("", 0), KH_ERROR_PROTOCOL },
    { "an array", AS_TEXT, g_bytes_new_static ("[1, 2]", 6), KH_ERROR_PROTOCOL },
    { "binary noise", AS_BINARY, g_bytes_new_static ("\xff\xfe\x00\x01", 4), KH_ERROR_PROTOCOL },
    { "60 000 levels", AS_TEXT, repeat ("{\"a\":", '[', 60000, "}"), KH_ERROR_PROTOCOL },
    { "one byte too much", AS_TEXT, repeat ("{\"a\":\"", 'x', KH_MAILBOX_MAX_MESSAGE - 7, "\"}"), KH_ERROR_PROTOCOL },
    { "100 MB", AS_TEXT, repeat ("{\"a\":\"", 'x', 100 * 1000 * 1000, "\"}"), KH_ERROR_PROTOCOL },
    { "100 MB announced", AS_BYTES, g_bytes_new_static ("\x81\x7f\0\0\0\0\x05\xf5\xe1\0", 10), KH_ERROR_PROTOCOL },
    { "2^63 bytes announced", AS_BYTES, g_bytes_new_static ("\x81\x7f\xff\xff\xff\xff\xff\xff\xff\xff", 10),
      KH_ERROR_PROTOCOL },
    { "a masked frame", AS_BYTES, g_bytes_new_static ("\x81\x82\0\0\0\0{}", 8), KH_ERROR_PROTOCOL },
    { "text that is not UTF-8", AS_BYTES, g_bytes_new_static ("\x81\x02\xff\xff", 4), KH_ERROR_PROTOCOL },
    { "no WebSocket", AS_BYTES, repeat ("HTTP/1.1 200 OK\r\n", 'x', 300, "\r\n"), KH_ERROR_PROTOCOL },
    { "an orderly end", AS_BYTES, g_bytes_new_static ("\x88\x02\x03\xe8", 4), KH_ERROR_SERVER_UNREACHABLE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    check_junk (&cases[i]);
}

/* One message in many frames is as long as all of them. */
static void
test_endless_fragments (void)
{
  static const guint8 first[4] = { 0x01, 126, 0xff, 0xff };
  static const guint8 next[4] = { 0x00, 126, 0xff, 0xff };
  g_autofree guint8 *payload = g_malloc0 (0xffff);
  g_autoptr (GByteArray) frames = g_byte_array_new ();
  Junk junk = { "256 MB in fragments", AS_BYTES, NULL, KH_ERROR_PROTOCOL };

  memset (payload, ' ', 0xffff);
  for (guint i = 0; i < 4096; i++)
    {
      g_byte_array_append (frames, i == 0 ? first : next, 4);
      g_byte_array_append (frames, payload, 0xffff);
    }
  junk.bytes = g_byte_array_free_to_bytes (g_steal_pointer (&frames));
  check_junk (&junk);
}

static void
send_longest (WsServer *server, SoupWebsocketConnection *connection, gpointer user_data)
{
  g_autoptr (GBytes) bytes = repeat ("{\"a\":\"", 'x', KH_MAILBOX_MAX_MESSAGE - 8, "\"}");

  soup_websocket_connection_send_message (connection, SOUP_WEBSOCKET_DATA_TEXT, bytes);
}

static void
test_longest_message (void)
{
  WsServer *server = ws_server_new (send_longest, NULL);
  Client client;

  client_init (&client, ws_server_get_url (server));
  kh_mailbox_open (client.mailbox);
  kh_test_wait_until (client.messages->len == 1, 2000);
  client_clear (&client);
  ws_server_free (server);
}

static void
check_unreachable (const char *url)
{
  Client client;

  g_test_message ("%s", url);
  client_init (&client, url);
  kh_mailbox_set_limits (client.mailbox, 300, 60000, 30);
  kh_mailbox_open (client.mailbox);
  g_assert_null (client.error);
  kh_test_wait_until (client.error != NULL, 2000);
  g_assert_error (client.error, KH_ERROR, KH_ERROR_SERVER_UNREACHABLE);
  g_assert_false (client.opened);
  client_clear (&client);
}

static void
test_unreachable (void)
{
  static const char *const paths[] = { "nowhere", "page", "moved", "locked" };
  WsServer *server = ws_server_new (do_nothing, NULL);
  g_autofree char *down = ws_closed_port_url ();
  g_autoptr (GSocketListener) silent = g_socket_listener_new ();
  g_autofree char *silent_url =
      g_strdup_printf ("ws://127.0.0.1:%u/v1", g_socket_listener_add_any_inet_port (silent, NULL, NULL));

  check_unreachable (down);
  check_unreachable (silent_url);
  check_unreachable ("http://127.0.0.1/v1");
  check_unreachable ("nonsense");
  for (gsize i = 0; i < G_N_ELEMENTS (paths); i++)
    {
      g_autofree char *root = g_strndup (ws_server_get_url (server), strlen (ws_server_get_url (server)) - 2);
      g_autofree char *url = g_strconcat (root, paths[i], NULL);

      check_unreachable (url);
    }
  g_assert_cmpuint (ws_server_get_count (server), ==, 0);
  ws_server_free (server);
}

static void
test_cut (void)
{
  WsServer *server = ws_server_new (do_nothing, NULL);
  Client client;

  client_init (&client, ws_server_get_url (server));
  kh_mailbox_open (client.mailbox);
  kh_test_wait_until (client.opened, 2000);
  ws_server_cut (server);
  kh_test_wait_until (client.error != NULL, 2000);
  g_assert_error (client.error, KH_ERROR, KH_ERROR_SERVER_UNREACHABLE);
  client_clear (&client);
  ws_server_free (server);
}

/* Without pings in between, silence is a loss; with them it is not. The first ping may take two seconds. */
static void
test_silence (void)
{
  WsServer *server = ws_server_new (do_nothing, NULL);
  gint64 start = g_get_monotonic_time ();
  Client lost;
  Client kept;

  client_init (&lost, ws_server_get_url (server));
  client_init (&kept, ws_server_get_url (server));
  kh_mailbox_set_limits (lost.mailbox, 2000, 500, 30);
  kh_mailbox_set_limits (kept.mailbox, 2000, 2500, 1);
  kh_mailbox_open (lost.mailbox);
  kh_mailbox_open (kept.mailbox);
  kh_test_wait_until (lost.error != NULL, 2000);
  g_assert_error (lost.error, KH_ERROR, KH_ERROR_SERVER_UNREACHABLE);
  kh_test_wait_until (kept.error != NULL || g_get_monotonic_time () - start > 3300 * 1000, 5000);
  g_assert_no_error (kept.error);
  client_clear (&lost);
  client_clear (&kept);
  ws_server_free (server);
}

/* Let go of in the middle of everything. */
static void
test_dispose (void)
{
  WsServer *server = ws_server_new (do_nothing, NULL);
  Client client;

  client_init (&client, ws_server_get_url (server));
  g_assert_finalize_object (client.mailbox);
  g_ptr_array_unref (client.messages);

  client_init (&client, ws_server_get_url (server));
  kh_mailbox_open (client.mailbox);
  client_clear (&client);

  client_init (&client, ws_server_get_url (server));
  kh_mailbox_open (client.mailbox);
  kh_test_wait_until (client.opened, 2000);
  g_assert_finalize_object (client.mailbox);
  g_ptr_array_unref (client.messages);
  kh_test_wait_until (ws_server_get_open (server)->len == 0, 2000);
  ws_server_free (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/mailbox/urls", test_urls);
  g_test_add_func ("/mailbox/messages", test_messages);
  g_test_add_func ("/mailbox/headers", test_headers);
  g_test_add_func ("/mailbox/junk", test_junk);
  g_test_add_func ("/mailbox/endless-fragments", test_endless_fragments);
  g_test_add_func ("/mailbox/longest-message", test_longest_message);
  g_test_add_func ("/mailbox/unreachable", test_unreachable);
  g_test_add_func ("/mailbox/cut", test_cut);
  g_test_add_func ("/mailbox/silence", test_silence);
  g_test_add_func ("/mailbox/dispose", test_dispose);
  return g_test_run ();
}
