/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-listener.h"
#include "kh-server-process.h"
#include "kh-web-client.h"
#include "kh-websocket.h"

#include <string.h>

/* One client of a server in this process, to have short deadlines; its socket is used without blocking. */
typedef struct
{
  KhListener *listener;
  GSocket *socket;
  KhWebClient *web;
  GString *received;
  KhWebClientLimits limits;
  const char *objection;
  int opened;
  int messages;
  char *last;
  gsize last_length;
  gboolean drop_at_message;
} Fixture;

static const char *
on_admit (KhWebClient *web, gpointer user_data)
{
  return ((Fixture *) user_data)->objection;
}

static void
on_opened (KhWebClient *web, gpointer user_data)
{
  ((Fixture *) user_data)->opened++;
}

static void
on_message (KhWebClient *web, const char *text, gsize length, gpointer user_data)
{
  Fixture *fixture = user_data;

  fixture->messages++;
  g_free (fixture->last);
  fixture->last = g_strdup (text);
  fixture->last_length = length;
  g_assert_cmpint (text[length], ==, '\0');
  if (fixture->drop_at_message)
    kh_web_client_drop (web);
}

static void
on_closed (KhWebClient *web, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_true (fixture->web == web);
  g_clear_object (&fixture->web);
}

static void
on_accept (GSocketConnection *connection, guint place, gpointer user_data)
{
  static const KhWebClientHandlers handlers = { on_admit, on_opened, on_message, on_closed };
  Fixture *fixture = user_data;

  fixture->web = kh_web_client_new (connection, "/v1", &fixture->limits, &handlers, fixture);
}

static void
set_up (Fixture *fixture)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GInetSocketAddress) address = NULL;

  if (fixture->limits.max_message == 0)
    fixture->limits = (KhWebClientLimits){ 1024, 5000, 5000 };
  fixture->received = g_string_new (NULL);
  fixture->listener = kh_listener_new (&(KhQuotaLimits){ .total = 1 }, on_accept, fixture);
  address = kh_listener_add (fixture->listener, loopback, 0, 0, NULL);
  fixture->socket = kh_test_socket_to (address);
  g_socket_set_blocking (fixture->socket, FALSE);
  kh_test_wait_until (fixture->web != NULL, 2000);
}

static void
tear_down (Fixture *fixture)
{
  if (fixture->web != NULL)
    kh_web_client_drop (fixture->web);
  g_assert_cmpuint (kh_listener_get_count (fixture->listener), ==, 0);
  g_assert_finalize_object (fixture->listener);
  g_object_unref (fixture->socket);
  g_string_free (fixture->received, TRUE);
  g_free (fixture->last);
}

static void
say (Fixture *fixture, const void *bytes, gsize length)
{
  while (length > 0)
    {
      gssize sent = g_socket_send (fixture->socket, bytes, length, NULL, NULL);

      if (sent > 0)
        {
          bytes = (const char *) bytes + sent;
          length -= sent;
        }
      g_main_context_iteration (NULL, FALSE);
    }
}

static void
say_hex (Fixture *fixture, const char *hex)
{
  g_autoptr (GBytes) bytes = kh_test_unhex (hex);

  say (fixture, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static gboolean
hears (Fixture *fixture, gsize length)
{
  char buffer[4096];
  gssize got;

  while ((got = g_socket_receive (fixture->socket, buffer, sizeof buffer, NULL, NULL)) > 0)
    g_string_append_len (fixture->received, buffer, got);

  return fixture->received->len >= length;
}

static void
expect_hex (Fixture *fixture, const char *hex)
{
  kh_test_wait_until (hears (fixture, strlen (hex) / 2), 2000);
  kh_test_assert_hex (fixture->received->str, strlen (hex) / 2, hex);
  g_string_erase (fixture->received, 0, strlen (hex) / 2);
}

static const char request[] = "GET /v1 HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

static void
upgrade (Fixture *fixture)
{
  say (fixture, request, sizeof request - 1);
  kh_test_wait_until (hears (fixture, 4) && g_str_has_suffix (fixture->received->str, "\r\n\r\n"), 2000);
  g_assert_true (g_str_has_prefix (fixture->received->str, "HTTP/1.1 101 "));
  g_string_truncate (fixture->received, 0);
  g_assert_cmpint (fixture->opened, ==, 1);
}

#define FRAME(first, length) first length "00000000"

static void
test_byte_by_byte (void)
{
  Fixture fixture = { 0 };

  set_up (&fixture);
  for (gsize i = 0; i < sizeof request - 1; i++)
    say (&fixture, request + i, 1);
  kh_test_wait_until (fixture.opened == 1, 2000);
  for (const char *hex = FRAME ("81", "85") "48656c6c6f"; *hex != '\0'; hex += 2)
    {
      const char byte[3] = { hex[0], hex[1] };

      say_hex (&fixture, byte);
    }
  kh_test_wait_until (fixture.messages == 1, 2000);
  g_assert_cmpstr (fixture.last, ==, "Hello");
  tear_down (&fixture);
}

/* The request and the first frames in one write. */
static void
test_all_at_once (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GByteArray) all = g_byte_array_new ();
  g_autoptr (GBytes) frames = kh_test_unhex (FRAME ("81", "81") "61" FRAME ("82", "81") "62" FRAME ("81", "80"));

  set_up (&fixture);
  g_byte_array_append (all, (const guint8 *) request, sizeof request - 1);
  g_byte_array_append (all, g_bytes_get_data (frames, NULL), g_bytes_get_size (frames));
  say (&fixture, all->data, all->len);
  kh_test_wait_until (fixture.messages == 3, 2000);
  g_assert_cmpstr (fixture.last, ==, "");
  g_assert_cmpuint (fixture.last_length, ==, 0);
  tear_down (&fixture);
}

static void
test_fragments (void)
{
  Fixture fixture = { 0 };

  set_up (&fixture);
  upgrade (&fixture);
  say_hex (&fixture,
           FRAME ("01", "82") "4865" FRAME ("89", "82") "6162" FRAME ("00", "80") FRAME ("80", "83") "6c6c6f");
  kh_test_wait_until (fixture.messages == 1, 2000);
  g_assert_cmpstr (fixture.last, ==, "Hello");
  expect_hex (&fixture, "8a026162");
  tear_down (&fixture);
}

static void
test_goodbyes (void)
{
  static const struct
  {
    const char *sent;
    const char *answer;
  } cases[] = {
    { FRAME ("88", "80"), "880203e8" },
    { FRAME ("88", "82") "03e8", "880203e8" },
    { FRAME ("80", "80"), "881803ea" },                    /* a continuation of nothing */
    { FRAME ("01", "80") FRAME ("81", "80"), "881803ea" }, /* a message within another */
    { "8100", "880e03ea" },                                /* not masked */
    { FRAME ("c1", "80"), "880e03ea" },
    { "81fe0401"
      "00000000",
      "881303f1" }, /* 1025 bytes */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Fixture fixture = { 0 };

      set_up (&fixture);
      upgrade (&fixture);
      say_hex (&fixture, cases[i].sent);
      expect_hex (&fixture, cases[i].answer);
      g_socket_shutdown (fixture.socket, FALSE, TRUE, NULL);
      kh_test_wait_until (fixture.web == NULL, 2000);
      g_assert_cmpint (fixture.messages, ==, 0);
      tear_down (&fixture);
    }
}

/* Each fragment is small enough; together they are not. */
static void
test_endless_fragments (void)
{
  Fixture fixture = { 0 };
  g_autofree char *kilobyte = g_strnfill (1200, '0');
  g_autofree char *first = g_strconcat ("01fe0258"
                                        "00000000",
                                        kilobyte, NULL);
  g_autofree char *second = g_strconcat ("00fe0258"
                                         "00000000",
                                         kilobyte, NULL);

  set_up (&fixture);
  upgrade (&fixture);
  say_hex (&fixture, first);
  say_hex (&fixture, second);
  expect_hex (&fixture, "881303f1");
  tear_down (&fixture);
}

static void
test_too_many_frames (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GBytes) pong = kh_test_unhex (FRAME ("8a", "80"));

  set_up (&fixture);
  upgrade (&fixture);
  for (int i = 0; i < 1500; i++)
    say (&fixture, g_bytes_get_data (pong, NULL), g_bytes_get_size (pong));
  expect_hex (&fixture, "881103f0");
  tear_down (&fixture);
}

static void
test_refusals (void)
{
  static const struct
  {
    const char *head;
    const char *objection;
    const char *status;
  } cases[] = {
    { request, "There is no room.", "HTTP/1.1 503 " },
    { "GET / HTTP/1.1\r\n\r\n", NULL, "HTTP/1.1 404 " },
    { "GET /v1 HTTP/1.1\r\n\r\n", NULL, "HTTP/1.1 426 " },
    { "POST /v1 HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello", NULL, "HTTP/1.1 405 " },
    { "nonsense\r\n\r\n", NULL, "HTTP/1.1 400 " },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      Fixture fixture = { .objection = cases[i].objection };

      set_up (&fixture);
      say (&fixture, cases[i].head, strlen (cases[i].head));
      kh_test_wait_until (hears (&fixture, 13), 2000);
      g_assert_true (g_str_has_prefix (fixture.received->str, cases[i].status));
      if (cases[i].objection != NULL)
        g_assert_nonnull (strstr (fixture.received->str, cases[i].objection));
      g_socket_shutdown (fixture.socket, FALSE, TRUE, NULL);
      kh_test_wait_until (fixture.web == NULL, 2000);
      g_assert_cmpint (fixture.opened, ==, 0);
      tear_down (&fixture);
    }
}

/* Who is refused and does not hang up is hung up on. */
static void
test_lingering (void)
{
  Fixture fixture = { 0 };

  set_up (&fixture);
  say (&fixture, "nonsense\r\n\r\n", 12);
  kh_test_wait_until (fixture.web == NULL, 4000);
  tear_down (&fixture);
}

static void
test_never_asks (void)
{
  static const char *const said[] = { "", "GET /v1 HTTP/1.1\r\n" };

  for (gsize i = 0; i < G_N_ELEMENTS (said); i++)
    {
      Fixture fixture = { .limits = { 1024, 50, 5000 } };

      set_up (&fixture);
      say (&fixture, said[i], strlen (said[i]));
      kh_test_wait_until (fixture.web == NULL, 2000);
      tear_down (&fixture);
    }
}

static void
test_long_head (void)
{
  Fixture fixture = { 0 };
  g_autofree char *head = g_strnfill (9000, 'x');

  set_up (&fixture);
  say (&fixture, head, strlen (head));
  kh_test_wait_until (fixture.web == NULL, 2000);
  tear_down (&fixture);
}

static void
test_silence (void)
{
  Fixture fixture = { .limits = { 1024, 5000, 100 } };

  set_up (&fixture);
  upgrade (&fixture);
  kh_web_client_ping (fixture.web);
  expect_hex (&fixture, "8900");
  kh_test_wait_until (fixture.web == NULL, 2000);
  tear_down (&fixture);
}

static gboolean
on_tick (gpointer user_data)
{
  g_autoptr (GBytes) pong = kh_test_unhex (FRAME ("8a", "80"));

  g_socket_send (((Fixture *) user_data)->socket, g_bytes_get_data (pong, NULL), g_bytes_get_size (pong), NULL, NULL);
  return G_SOURCE_CONTINUE;
}

/* Whatever it sends: a client that never settles has to go. */
static void
test_never_settles (void)
{
  Fixture fixture = { .limits = { 1024, 5000, 5000, 200 } };
  guint tick_id;

  set_up (&fixture);
  upgrade (&fixture);
  tick_id = g_timeout_add (20, on_tick, &fixture);
  kh_test_wait_until (fixture.web == NULL, 2000);
  g_source_remove (tick_id);
  tear_down (&fixture);
}

static void
test_settles (void)
{
  Fixture fixture = { .limits = { 1024, 5000, 400, 100 } };
  gint64 start;

  set_up (&fixture);
  upgrade (&fixture);
  kh_web_client_settle (fixture.web);
  start = g_get_monotonic_time ();
  kh_test_wait_until (fixture.web == NULL, 2000);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 300000);
  tear_down (&fixture);
}

/* A client that does not read is closed, at a bounded cost, when others have much to tell it. */
static void
test_never_reads (void)
{
  Fixture fixture = { 0 };
  g_autofree char *text = g_strnfill (100000, 'x');
  int sent = 0;

  set_up (&fixture);
  upgrade (&fixture);
  while (fixture.web != NULL && sent < 1000)
    {
      kh_web_client_send_text (fixture.web, text);
      sent++;
    }
  g_assert_null (fixture.web);
  g_assert_cmpint (sent, >, 12);
  g_assert_cmpint (sent, <, 30);
  tear_down (&fixture);
}

/* A client that only sends is not read any more while its answers wait. */
static void
test_sends_and_never_reads (void)
{
  Fixture fixture = { 0 };
  g_autoptr (GByteArray) pings = g_byte_array_new ();
  g_autofree char *payload = g_strnfill (2 * 125, '0');
  g_autofree char *hex = g_strconcat (FRAME ("89", "fd"), payload, NULL);
  g_autoptr (GBytes) ping = kh_test_unhex (hex);

  set_up (&fixture);
  upgrade (&fixture);
  for (int i = 0; i < 900; i++)
    g_byte_array_append (pings, g_bytes_get_data (ping, NULL), g_bytes_get_size (ping));
  say (&fixture, pings->data, pings->len);
  kh_test_wait_until (hears (&fixture, 900 * 127), 2000);
  g_assert_nonnull (fixture.web);
  tear_down (&fixture);
}

/* The client may go in the middle of its own message. */
static void
test_dropped_while_reading (void)
{
  Fixture fixture = { .drop_at_message = TRUE };

  set_up (&fixture);
  upgrade (&fixture);
  say_hex (&fixture, FRAME ("81", "81") "61" FRAME ("81", "81") "62");
  kh_test_wait_until (fixture.web == NULL, 2000);
  g_assert_cmpint (fixture.messages, ==, 1);
  tear_down (&fixture);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/web-client/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/web-client/all-at-once", test_all_at_once);
  g_test_add_func ("/web-client/fragments", test_fragments);
  g_test_add_func ("/web-client/goodbyes", test_goodbyes);
  g_test_add_func ("/web-client/endless-fragments", test_endless_fragments);
  g_test_add_func ("/web-client/too-many-frames", test_too_many_frames);
  g_test_add_func ("/web-client/refusals", test_refusals);
  g_test_add_func ("/web-client/lingering", test_lingering);
  g_test_add_func ("/web-client/never-asks", test_never_asks);
  g_test_add_func ("/web-client/long-head", test_long_head);
  g_test_add_func ("/web-client/silence", test_silence);
  g_test_add_func ("/web-client/never-settles", test_never_settles);
  g_test_add_func ("/web-client/settles", test_settles);
  g_test_add_func ("/web-client/never-reads", test_never_reads);
  g_test_add_func ("/web-client/sends-and-never-reads", test_sends_and_never_reads);
  g_test_add_func ("/web-client/dropped-while-reading", test_dropped_while_reading);
  return g_test_run ();
}
