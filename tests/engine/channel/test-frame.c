/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-conversation.h"
#include "kh-error.h"
#include "kh-frame.h"
#include "kh-test.h"

#include <string.h>

static const struct
{
  KhFrame frame;
  const char *text;
} good[] = {
  { { KH_FRAME_TEXT, 1, (char *) "你好, \"you\"\n", 1700000000123 },
    "{\"type\":\"text\",\"id\":1,\"text\":\"你好, \\\"you\\\"\\n\",\"sent\":1700000000123}" },
  { { KH_FRAME_TEXT, 2, (char *) "", 0 }, "{\"type\":\"text\",\"id\":2,\"text\":\"\",\"sent\":0}" },
  { { KH_FRAME_ACK, 9007199254740991, NULL, 0 }, "{\"type\":\"ack\",\"id\":9007199254740991}" },
  { { KH_FRAME_PING, 7, NULL, 0 }, "{\"type\":\"ping\",\"n\":7}" },
  { { KH_FRAME_PONG, 7, NULL, 0 }, "{\"type\":\"pong\",\"n\":7}" },
  { { KH_FRAME_BYE, 0, NULL, 0 }, "{\"type\":\"bye\"}" },
};

static void
test_both_ways (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GBytes) bytes = kh_frame_to_bytes (&good[i].frame);
      g_autoptr (GError) error = NULL;
      g_auto (KhFrame) read = { 0 };

      g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), good[i].text, strlen (good[i].text));
      g_assert_true (kh_frame_from_bytes (bytes, &read, &error));
      g_assert_no_error (error);
      g_assert_cmpint (read.kind, ==, good[i].frame.kind);
      g_assert_cmpuint (read.number, ==, good[i].frame.number);
      g_assert_cmpstr (read.text, ==, good[i].frame.text);
      g_assert_cmpint (read.sent, ==, good[i].frame.sent);
    }
}

/* What a later version may say. */
static void
test_ignores (void)
{
  static const struct
  {
    const char *text;
    KhFrameKind kind;
  } cases[] = {
    { "{\"type\":\"typing\"}", KH_FRAME_OTHER },
    { "{\"type\":\"typing\",\"on\":true}", KH_FRAME_OTHER },
    { "{\"type\":\"file\",\"id\":\"x\"}", KH_FRAME_OTHER },
    { "{\"type\":\"\"}", KH_FRAME_OTHER },
    { "{\"type\":\"TEXT\",\"id\":0}", KH_FRAME_OTHER },
    { "{\"type\":\"bye\",\"why\":\"tired\"}", KH_FRAME_BYE },
    { " {\"n\":1, \"type\":\"ping\", \"more\":[{}]} ", KH_FRAME_PING },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = g_bytes_new (cases[i].text, strlen (cases[i].text));
      g_autoptr (GError) error = NULL;
      g_auto (KhFrame) read = { 0 };

      g_assert_true (kh_frame_from_bytes (bytes, &read, &error));
      g_assert_no_error (error);
      g_assert_cmpint (read.kind, ==, cases[i].kind);
    }
}

static void
assert_refused (const void *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  g_autoptr (GError) error = NULL;
  KhFrame read;

  if (kh_frame_from_bytes (bytes, &read, &error))
    g_error ("accepted: %.*s", (int) MIN (length, 100), (const char *) data);
  g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_null (read.text);
}

static void
test_refuses (void)
{
  static const char *const bad[] = {
    "",
    "{}",
    "[]",
    "[{\"type\":\"bye\"}]",
    "\"bye\"",
    "{\"type\":\"bye\"",
    "{\"type\":1}",
    "{\"type\":null}",
    "{\"type\":[\"bye\"]}",
    "{\"Type\":\"bye\"}",
    "{\"type\":\"ack\"}",
    "{\"type\":\"ack\",\"id\":0}",
    "{\"type\":\"ack\",\"id\":-1}",
    "{\"type\":\"ack\",\"id\":1.5}",
    "{\"type\":\"ack\",\"id\":\"1\"}",
    "{\"type\":\"ack\",\"id\":9007199254740992}",
    "{\"type\":\"ack\",\"id\":18446744073709551617}",
    "{\"type\":\"ack\",\"n\":1}",
    "{\"type\":\"ping\"}",
    "{\"type\":\"ping\",\"id\":1}",
    "{\"type\":\"ping\",\"n\":0}",
    "{\"type\":\"ping\",\"n\":{}}",
    "{\"type\":\"pong\",\"n\":null}",
    "{\"type\":\"text\"}",
    "{\"type\":\"text\",\"id\":1}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"x\"}",
    "{\"type\":\"text\",\"id\":1,\"sent\":1}",
    "{\"type\":\"text\",\"text\":\"x\",\"sent\":1}",
    "{\"type\":\"text\",\"id\":1,\"text\":1,\"sent\":1}",
    "{\"type\":\"text\",\"id\":1,\"text\":null,\"sent\":1}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":-1}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":\"now\"}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":1e3}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":253402300800000}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"\xff\",\"sent\":1}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"\\ud800\",\"sent\":1}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"\\udc00 \",\"sent\":1}",
    "{\"type\":\"text\",\"id\":1,\"text\":\"x,\"sent\":1}",
    "{\"type\":\"text\",\"a\":[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (bad[i], strlen (bad[i]));
  assert_refused ("\0", 1);
  assert_refused ("{\"type\":\"bye\"\0}", 15);
}

static GBytes *
frame_of_length (gsize length)
{
  g_autofree char *text = g_strnfill (length, 'x');

  return kh_frame_to_bytes (&(KhFrame){ KH_FRAME_TEXT, 1, text, 1 });
}

static void
test_length (void)
{
  g_autoptr (GBytes) longest = frame_of_length (KH_CONVERSATION_MAX_TEXT);
  g_autoptr (GBytes) too_long = frame_of_length (KH_CONVERSATION_MAX_TEXT + 1);
  g_auto (KhFrame) read = { 0 };

  g_assert_true (kh_frame_from_bytes (longest, &read, NULL));
  g_assert_cmpuint (strlen (read.text), ==, KH_CONVERSATION_MAX_TEXT);
  assert_refused (g_bytes_get_data (too_long, NULL), g_bytes_get_size (too_long));
}

/* Whatever a text escapes, what comes out is a string of valid UTF-8. */
static void
test_escapes (void)
{
  static const char *const texts[] = { "\\u0000",        "a\\u0000b", "\\u0001\\u001f\\u007f",
                                       "\\ud83d\\udc4b", "\\/\\b\\f", "\\x",
                                       "\\u12",          "\\ud83dx",  "\\uFFFF\\uFFFE" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"type\":\"text\",\"id\":1,\"text\":\"%s\",\"sent\":1}", texts[i]);
      g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));
      g_auto (KhFrame) read = { 0 };

      if (kh_frame_from_bytes (bytes, &read, NULL))
        g_assert_true (g_utf8_validate (read.text, -1, NULL));
    }
}

/* Every byte of every good frame changed to every other gives a frame or an error, never anything else. */
static void
test_mangled (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      gsize length = strlen (good[i].text);

      for (gsize at = 0; at < length; at++)
        {
          for (guint byte = 0; byte < 256; byte++)
            {
              g_autofree char *text = g_strdup (good[i].text);
              g_autoptr (GBytes) bytes = NULL;
              g_auto (KhFrame) read = { 0 };

              text[at] = byte;
              bytes = g_bytes_new (text, length);
              if (kh_frame_from_bytes (bytes, &read, NULL))
                g_assert_true ((read.kind == KH_FRAME_TEXT) == (read.text != NULL));
            }
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/frame/both-ways", test_both_ways);
  g_test_add_func ("/frame/ignores", test_ignores);
  g_test_add_func ("/frame/refuses", test_refuses);
  g_test_add_func ("/frame/length", test_length);
  g_test_add_func ("/frame/escapes", test_escapes);
  g_test_add_func ("/frame/mangled", test_mangled);
  return g_test_run ();
}
