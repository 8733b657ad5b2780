/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test.h"
#include "kh-text.h"

static void
test_plain (void)
{
  static const struct
  {
    const char *text;
    gsize max;
    const char *plain;
  } cases[] = {
    { "", 10, "" },
    { "hello", 10, "hello" },
    { "hello", 3, "hel" },
    { "你好世界", 2, "你好" },
    { "a\nb\r\tc\u2028d\xc2\x85"
      "e",
      20, "a b  c d e" },
    { "\x1b[2J\x07\x7f\xc2\x9b"
      "1m",
      20, "[2J1m" },
    { "\xff"
      "a",
      20,
      "\ufffd"
      "a" },
    { "soft\u00adhyphen\u200b", 20, "softhyphen" },
    { "👨\u200d👩\u200d👧", 20, "👨\u200d👩\u200d👧" },
    { "a\u202eb\u2066c\u200fd\u061ce", 20, "abcde" },
    { "👋🏽 emoji", 20, "👋🏽 emoji" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *plain = kh_text_plain (cases[i].text, cases[i].max);

      g_assert_cmpstr (plain, ==, cases[i].plain);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/plain", test_plain);
  return g_test_run ();
}
