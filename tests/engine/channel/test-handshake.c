/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"
#include "kh-handshake.h"
#include "kh-test.h"

#include <string.h>

static const struct
{
  KhHandshake message;
  const char *text;
} good[] = {
  { { KH_HANDSHAKE_FIRST, 3, "dial" }, "{\"attempt\":3,\"move\":\"dial\"}" },
  { { KH_HANDSHAKE_FIRST, 0, "a" }, "{\"attempt\":0,\"move\":\"a\"}" },
  { { KH_HANDSHAKE_FIRST, 1u << 31, "abcdefgh-ij-789" }, "{\"attempt\":2147483648,\"move\":\"abcdefgh-ij-789\"}" },
  { { KH_HANDSHAKE_NOMINATE, 1, "" }, "{\"nominate\":1}" },
  { { KH_HANDSHAKE_NOMINATE, 1u << 31, "" }, "{\"nominate\":2147483648}" },
  { { KH_HANDSHAKE_HOLD, 0, "" }, "{\"hold\":true}" },
  { { KH_HANDSHAKE_ACCEPT, 1, "" }, "{\"accept\":1}" },
  { { KH_HANDSHAKE_CONFIRM, 12, "" }, "{\"confirm\":12}" },
};

static void
test_both_ways (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GBytes) bytes = kh_handshake_to_bytes (&good[i].message);
      g_autoptr (GError) error = NULL;
      KhHandshake read;

      g_assert_cmpmem (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), good[i].text, strlen (good[i].text));
      g_assert_true (kh_handshake_from_bytes (bytes, &read, &error));
      g_assert_no_error (error);
      g_assert_cmpint (read.kind, ==, good[i].message.kind);
      g_assert_cmpuint (read.number, ==, good[i].message.number);
      g_assert_cmpstr (read.move, ==, good[i].message.move);
    }
}

static void
assert_refused (const void *data, gsize length)
{
  g_autoptr (GBytes) bytes = g_bytes_new (data, length);
  g_autoptr (GError) error = NULL;
  KhHandshake read = { KH_HANDSHAKE_CONFIRM, 5, "left" };

  if (kh_handshake_from_bytes (bytes, &read, &error))
    g_error ("accepted: %.*s", (int) length, (const char *) data);
  g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_cmpuint (read.number, ==, 0);
  g_assert_cmpstr (read.move, ==, "");
}

static void
test_refuses (void)
{
  static const char *const bad[] = {
    "",
    "{}",
    "[]",
    "3",
    "null",
    "nonsense",
    "{\"nominate\":1",
    "{\"nominate\":0}",
    "{\"nominate\":-1}",
    "{\"nominate\":2147483649}",
    "{\"nominate\":4294967297}",
    "{\"nominate\":99999999999999999999}",
    "{\"nominate\":1.0}",
    "{\"nominate\":\"1\"}",
    "{\"nominate\":true}",
    "{\"nominate\":null}",
    "{\"nominate\":[1]}",
    "{\"nominate\":1,\"accept\":1}",
    "{\"nominate\":1,\"hold\":true}",
    "{\"nominate\":1,\"extra\":1}",
    "{\"accept\":0}",
    "{\"confirm\":0}",
    "{\"Confirm\":1}",
    "{\"hold\":false}",
    "{\"hold\":1}",
    "{\"hold\":null}",
    "{\"hold\":{}}",
    "{\"hold\":true,\"attempt\":1}",
    "{\"attempt\":1}",
    "{\"move\":\"dial\"}",
    "{\"attempt\":-1,\"move\":\"dial\"}",
    "{\"attempt\":2147483649,\"move\":\"dial\"}",
    "{\"attempt\":\"1\",\"move\":\"dial\"}",
    "{\"attempt\":1,\"move\":\"\"}",
    "{\"attempt\":1,\"move\":1}",
    "{\"attempt\":1,\"move\":null}",
    "{\"attempt\":1,\"move\":\"Dial\"}",
    "{\"attempt\":1,\"move\":\"di al\"}",
    "{\"attempt\":1,\"move\":\"di_al\"}",
    "{\"attempt\":1,\"move\":\"d\303\255al\"}",
    "{\"attempt\":1,\"move\":\"abcdefghijklmnop\"}",
    "{\"attempt\":1,\"move\":\"dial\",\"extra\":1}",
    "{\"attempt\":1,\"move\":\"dial\",\"nominate\":1}",
    "{\"unknown\":1}",
  };
  g_autofree char *padded = g_strnfill (200, ' ');

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    assert_refused (bad[i], strlen (bad[i]));

  assert_refused ("{\"nominate\":1}\0", 15);
  assert_refused ("\0", 1);
  assert_refused ("\xff\xfe", 2);
  memcpy (padded, "{\"nominate\":1}", 14);
  assert_refused (padded, 200);
}

/* Every cut of every good message, and every byte of one changed, gives a message or an error; never anything
 * else. */
static void
test_mangled (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      gsize length = strlen (good[i].text);

      for (gsize cut = 0; cut < length; cut++)
        assert_refused (good[i].text, cut);

      for (gsize at = 0; at < length; at++)
        {
          for (guint byte = 0; byte < 256; byte++)
            {
              g_autofree char *text = g_strdup (good[i].text);
              g_autoptr (GBytes) bytes = NULL;
              KhHandshake read;

              text[at] = byte;
              bytes = g_bytes_new (text, length);
              if (!kh_handshake_from_bytes (bytes, &read, NULL))
                continue;
              g_assert_cmpuint (strlen (read.move), <, sizeof read.move);
              g_assert_true (read.number > 0 || read.kind == KH_HANDSHAKE_FIRST || read.kind == KH_HANDSHAKE_HOLD);
            }
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/handshake/both-ways", test_both_ways);
  g_test_add_func ("/handshake/refuses", test_refuses);
  g_test_add_func ("/handshake/mangled", test_mangled);
  return g_test_run ();
}
