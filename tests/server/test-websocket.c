/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test.h"
#include "kh-websocket.h"

#include <string.h>

#define KEY "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define VERSION "Sec-WebSocket-Version: 13\r\n"
#define UPGRADE "Upgrade: websocket\r\nConnection: Upgrade\r\n"
#define GET "GET /v1 HTTP/1.1\r\nHost: x\r\n"

static void
test_heads (void)
{
  static const struct
  {
    const char *head;
    guint status;
  } cases[] = {
    { GET UPGRADE VERSION KEY, 101 },
    { "GET /v1?x=/v2 HTTP/1.1\r\n" UPGRADE VERSION KEY, 101 },
    { GET "upgrade:WebSocket\r\nCONNECTION: keep-alive, upgrade\r\n" VERSION KEY, 101 },
    { GET "Upgrade: h2c, websocket\r\nConnection: Upgrade\r\n" VERSION KEY, 101 },
    /* other paths */
    { "GET / HTTP/1.1\r\n" UPGRADE VERSION KEY, 404 },
    { "GET /v1/ HTTP/1.1\r\n" UPGRADE VERSION KEY, 404 },
    { "GET /v11 HTTP/1.1\r\n" UPGRADE VERSION KEY, 404 },
    { "GET /v HTTP/1.1\r\n" UPGRADE VERSION KEY, 404 },
    { "GET http://x/v1 HTTP/1.1\r\n" UPGRADE VERSION KEY, 404 },
    { "POST /other HTTP/1.1\r\nContent-Length: 1\r\n", 404 },
    /* no WebSocket */
    { "POST /v1 HTTP/1.1\r\n" UPGRADE VERSION KEY, 405 },
    { "GET /v1 HTTP/1.0\r\n" UPGRADE VERSION KEY, 405 },
    { GET, 426 },
    { GET VERSION KEY, 426 },
    { GET "Upgrade: websocket\r\n" VERSION KEY, 426 },
    { GET "Connection: Upgrade\r\n" VERSION KEY, 426 },
    { GET UPGRADE KEY, 426 },
    { GET UPGRADE "Sec-WebSocket-Version: 8\r\n" KEY, 426 },
    /* keys that are none */
    { GET UPGRADE VERSION, 400 },
    { GET UPGRADE VERSION "Sec-WebSocket-Key:\r\n", 400 },
    { GET UPGRADE VERSION "Sec-WebSocket-Key: dGhlIHNhbXBsZQ==\r\n", 400 },
    { GET UPGRADE VERSION "Sec-WebSocket-Key: !!!!IHNhbXBsZSBub25jZQ==\r\n", 400 },
    /* no HTTP */
    { "", 400 },
    { "nonsense\r\n", 400 },
    { "GET /v1\r\n", 400 },
    { "GET /v1 FTP/1.1\r\n", 400 },
    { "GET  /v1 HTTP/1.1\r\n", 400 },
    { GET "no header\r\n", 400 },
    { GET ": no name\r\n", 400 },
    { GET " folded: line\r\n", 400 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *head = g_strconcat (cases[i].head, "\r\n", NULL);
      g_autofree char *answer = NULL;
      g_autofree char *start = g_strdup_printf ("HTTP/1.1 %u ", cases[i].status);
      guint status = kh_websocket_answer_head ((const guint8 *) head, strlen (head), "/v1", &answer);

      if (status != cases[i].status)
        g_error ("%u for: %s", status, head);
      g_assert_true (g_str_has_prefix (answer, start));
    }
}

/* The example of RFC 6455, section 1.3. */
static void
test_accept (void)
{
  const char *head = GET UPGRADE VERSION KEY "\r\n";
  g_autofree char *answer = NULL;

  kh_websocket_answer_head ((const guint8 *) head, strlen (head), "/v1", &answer);
  g_assert_nonnull (strstr (answer, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
  g_assert_null (strstr (answer, "Extensions"));
}

static void
test_nul_in_head (void)
{
  const char head[] = GET UPGRADE VERSION KEY "a: b\0c\r\n\r\n";
  g_autofree char *answer = NULL;

  g_assert_cmpuint (kh_websocket_answer_head ((const guint8 *) head, sizeof head - 1, "/v1", &answer), ==, 400);
}

static void
test_head_length (void)
{
  g_autofree char *long_head = g_strnfill (KH_WEBSOCKET_MAX_HEAD_BYTES + 10, 'x');

  g_assert_cmpint (kh_websocket_head_length ((const guint8 *) "", 0), ==, 0);
  g_assert_cmpint (kh_websocket_head_length ((const guint8 *) "GET\r\n\r", 6), ==, 0);
  g_assert_cmpint (kh_websocket_head_length ((const guint8 *) "GET\r\n\r\nmore", 11), ==, 7);
  g_assert_cmpint (kh_websocket_head_length ((guint8 *) long_head, KH_WEBSOCKET_MAX_HEAD_BYTES - 1), ==, 0);
  g_assert_cmpint (kh_websocket_head_length ((guint8 *) long_head, KH_WEBSOCKET_MAX_HEAD_BYTES), ==, -1);
  memcpy (long_head + KH_WEBSOCKET_MAX_HEAD_BYTES, "\r\n\r\n", 4);
  g_assert_cmpint (kh_websocket_head_length ((guint8 *) long_head, KH_WEBSOCKET_MAX_HEAD_BYTES + 4), ==, -1);
}

static void
test_frames (void)
{
  static const struct
  {
    const char *hex;
    gssize used;
    guint close_code;
  } cases[] = {
    { "", 0, 0 },
    { "81", 0, 0 },
    { "8185", 0, 0 },
    { "818537fa213d7f9f4d51", 0, 0 },
    { "818537fa213d7f9f4d5158", 11, 0 }, /* "Hello", RFC 6455 section 5.7 */
    { "818537fa213d7f9f4d5158"
      "8180",
      11, 0 },
    { "818000000000", 6, 0 },
    { "888000000000", 6, 0 },
    { "81fe0000"
      "00000000",
      8, 0 },
    { "81fe"
      "0400",
      0, 0 },
    { "81fe"
      "0401",
      -1, 1009 }, /* known by the length alone */
    { "81ff"
      "00000000000003ff",
      0, 0 },
    { "81ff"
      "0000000100000000",
      -1, 1009 },
    { "81ff"
      "ffffffffffffffff",
      -1, 1009 },
    { "810548656c6c6f", -1, 1002 }, /* a client must mask */
    { "c18000000000", -1, 1002 },   /* reserved bits */
    { "a18000000000", -1, 1002 },
    { "918000000000", -1, 1002 },
    { "838000000000", -1, 1002 }, /* opcodes that are none */
    { "878000000000", -1, 1002 },
    { "8b8000000000", -1, 1002 },
    { "8f8000000000", -1, 1002 },
    { "098000000000", -1, 1002 }, /* a control frame in fragments */
    { "89fe", -1, 1002 },         /* a long one */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = kh_test_unhex (cases[i].hex);
      g_autofree guint8 *data = g_memdup2 (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
      KhWebsocketFrame frame;
      guint close_code = 0;
      gssize used = kh_websocket_frame_parse (data, g_bytes_get_size (bytes), 1024, &frame, &close_code);

      if (used != cases[i].used || (used < 0 && close_code != cases[i].close_code))
        g_error ("%zd, %u for %s", used, close_code, cases[i].hex);
    }
}

static void
test_unmask (void)
{
  g_autoptr (GBytes) bytes = kh_test_unhex ("018537fa213d7f9f4d5158");
  g_autoptr (GByteArray) out = g_byte_array_new ();
  KhWebsocketFrame frame;
  guint close_code;

  kh_websocket_frame_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), 1024, &frame, &close_code);
  g_assert_cmpint (frame.opcode, ==, KH_WEBSOCKET_TEXT);
  g_assert_false (frame.final);
  g_byte_array_append (out, (const guint8 *) "> ", 2);
  kh_websocket_frame_append_to (&frame, out);
  g_assert_cmpmem (out->data, out->len, "> Hello", 7);
}

static void
test_build (void)
{
  static const struct
  {
    gsize length;
    const char *header;
  } cases[] = {
    { 0, "8100" }, { 125, "817d" }, { 126, "817e007e" }, { 65535, "817effff" }, { 65536, "817f0000000000010000" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *payload = g_strnfill (cases[i].length, 'x');
      g_autoptr (GBytes) frame = kh_websocket_frame_build (KH_WEBSOCKET_TEXT, payload, cases[i].length);
      gsize header = strlen (cases[i].header) / 2;

      g_assert_cmpuint (g_bytes_get_size (frame), ==, header + cases[i].length);
      kh_test_assert_hex (g_bytes_get_data (frame, NULL), header, cases[i].header);
    }
}

static void
test_close (void)
{
  g_autofree char *long_reason = g_strnfill (500, 'x');
  g_autoptr (GBytes) frame = kh_websocket_close_build (1001, "bye");
  g_autoptr (GBytes) longest = kh_websocket_close_build (1001, long_reason);

  kh_test_assert_hex (g_bytes_get_data (frame, NULL), g_bytes_get_size (frame), "880503e9627965");
  g_assert_cmpuint (g_bytes_get_size (longest), ==, 2 + 125);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/websocket/heads", test_heads);
  g_test_add_func ("/websocket/accept", test_accept);
  g_test_add_func ("/websocket/nul-in-head", test_nul_in_head);
  g_test_add_func ("/websocket/head-length", test_head_length);
  g_test_add_func ("/websocket/frames", test_frames);
  g_test_add_func ("/websocket/unmask", test_unmask);
  g_test_add_func ("/websocket/build", test_build);
  g_test_add_func ("/websocket/close", test_close);
  return g_test_run ();
}
