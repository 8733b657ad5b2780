/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test.h"
#include "kh-text.h"

typedef struct
{
  const char *text;
  gsize max;
  const char *plain;
} Case;

static void
check (const Case *cases, gsize count, char *(*make_plain) (const char *text, gsize max))
{
  for (gsize i = 0; i < count; i++)
    {
      g_autofree char *plain = make_plain (cases[i].text, cases[i].max);

      g_assert_cmpstr (plain, ==, cases[i].plain);
    }
}

static void
test_plain (void)
{
  static const Case cases[] = {
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

  check (cases, G_N_ELEMENTS (cases), kh_text_plain);
}

static void
test_plain_lines (void)
{
  static const Case cases[] = {
    { "", 10, "" },
    { "one line", 20, "one line" },
    { "a\nb", 20, "a\nb" },
    { "a\r\nb", 20, "a\nb" },
    { "a\rb", 20, "a\nb" },
    { "a\n\rb", 20, "a\n\nb" },
    { "a\r\r\nb", 20, "a\n\nb" },
    { "a\n\n\nb\n", 20, "a\n\n\nb\n" },
    { "a\r", 20, "a\n" },
    { "a\x0b"
      "b\x0c"
      "c\xc2\x85"
      "d\u2028e\u2029f",
      20, "a\nb\nc\nd\ne\nf" },
    { "\ta\tb", 20, " a b" },
    { "一\r\n二\r\n三", 3, "一\n二" },
    { "a\u202eb\n\x1b[31mc\u200b", 20, "ab\n[31mc" },
    { "\xff\n", 20, "\ufffd\n" },
  };

  check (cases, G_N_ELEMENTS (cases), kh_text_plain_lines);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/text/plain", test_plain);
  g_test_add_func ("/text/plain-lines", test_plain_lines);
  return g_test_run ();
}
