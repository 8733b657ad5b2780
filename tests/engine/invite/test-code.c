/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-code.h"
#include "kh-error.h"
#include "kh-test.h"

#include <string.h>

static void
test_generate (void)
{
  for (guint words = 1; words <= KH_CODE_MAX_WORDS; words++)
    {
      g_autofree char *code = kh_code_generate ("42", words);
      g_autofree char *parsed = kh_code_parse (code, NULL, NULL);
      g_autofree char *nameplate = kh_code_get_nameplate (code);
      g_auto (GStrv) parts = g_strsplit (code, "-", -1);

      g_assert_cmpuint (g_strv_length (parts), ==, words + 1);
      g_assert_cmpstr (nameplate, ==, "42");
      g_assert_cmpstr (parsed, ==, code);
    }
}

static void
test_clean (void)
{
  static const struct
  {
    const char *typed;
    const char *clean;
  } cases[] = {
    { "7-crossover-clockwork", "7-crossover-clockwork" },
    { "  7-crossover-clockwork \r\n", "7-crossover-clockwork" },
    { "7 crossover  clockwork", "7-crossover-clockwork" },
    { "7_crossover_-_clockwork", "7-crossover-clockwork" },
    { "7–crossover—clockwork", "7-crossover-clockwork" },
    { "7\u2010crossover\u00a0\u3000clockwork", "7-crossover-clockwork" },
    { "7-CROSSOVER-Clockwork", "7-crossover-clockwork" },
    { "7-CROSSOVER-Monkey", "7-CROSSOVER-Monkey" },
    { "12-cafe\u0301-u\u0308ber", "12-café-über" },
    { "7-crossover\tclockwork", "7-crossover\tclockwork" },
    { "", "" },
    { "   ", "" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *clean = kh_code_clean (cases[i].typed);

      g_assert_cmpstr (clean, ==, cases[i].clean);
    }
}

static void
test_accepts (void)
{
  static const struct
  {
    const char *typed;
    const char *code;
  } cases[] = {
    { "4-purple-sausages", "4-purple-sausages" },
    { " 4 Purple Sausages ", "4-Purple-Sausages" },
    { "7-Crossover clockwork CROSSOVER", "7-crossover-clockwork-crossover" },
    { "7-crossover", "7-crossover" },
    { "7-clockwork", "7-clockwork" },
    { "7-crossover-clockwork-drumbeat", "7-crossover-clockwork-drumbeat" },
    { "12-café-über", "12-café-über" },
    { "99-a-b", "99-a-b" },
    { "4-kid-rock", "4-kid-rock" },
    { "9-test-foo", "9-test-foo" },
    { "7-crosover-klockwork", "7-crosover-klockwork" },
    { "007-crossover-clockwork", "007-crossover-clockwork" },
    { "1234567890123456789012345678901234567890-crossover", "1234567890123456789012345678901234567890-crossover" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *url = g_strdup ("untouched");
      g_autofree char *code = NULL;

      g_clear_pointer (&url, g_free);
      code = kh_code_parse (cases[i].typed, &url, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (code, ==, cases[i].code);
      g_assert_null (url);
    }
}

static void
test_refuses (void)
{
  static const struct
  {
    const char *typed;
    const char *sentence;
  } cases[] = {
    { "", "starts with a number" },
    { "crossover-clockwork", "starts with a number" },
    { "-7-crossover", "starts with a number" },
    { "7x-crossover", "starts with a number" },
    { "٧-crossover-clockwork", "starts with a number" },
    { "７-crossover-clockwork", "starts with a number" },
    { "12345678901234567890123456789012345678901-crossover", "starts with a number" },
    { "7", "words of the code are missing" },
    { "7-", "a word is missing" },
    { "7-crossover-", "a word is missing" },
    { "7-crossover\nclockwork", "characters that no code has" },
    { "7-crossover\tclockwork", "characters that no code has" },
    { "7-crossover-clock\u200bwork", "characters that no code has" },
    { "7\n-crossover", "characters that no code has" },
    { "7-crosover-clockwork", "Did you mean “crossover”?" },
    { "7-crossover-klockwork", "Did you mean “clockwork”?" },
    { "7-clockwork-crossover", "two words are swapped" },
    { "7-crossover-customer-bedlamp-clockwork", "“customer” does not belong at this place" },
    { "7-\xff\xfe", "not a text" },
  };
  g_autofree char *long_word = g_strnfill (KH_CODE_MAX_LENGTH, 'x');
  g_autofree char *too_long = g_strconcat ("7-", long_word, NULL);
  g_autoptr (GError) long_error = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (kh_code_parse (cases[i].typed, NULL, &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_BAD_CODE);
      g_assert_nonnull (strstr (error->message, cases[i].sentence));
    }

  g_assert_null (kh_code_parse (too_long, NULL, &long_error));
  g_assert_error (long_error, KH_ERROR, KH_ERROR_BAD_CODE);
}

static void
test_faults (void)
{
  g_auto (KhCodeFault) fault = { NULL };
  g_autofree char *filled = NULL;
  g_autofree char *code = NULL;

  g_assert_null (kh_code_parse_explained ("7-crosover-clockwork", NULL, &fault));
  g_assert_cmpstr (fault.word, ==, "crosover");
  g_assert_cmpstr (fault.meant, ==, "crossover");
  filled = kh_code_fault_fill (&fault, "{meant}? Not {word}, {other} {");
  g_assert_cmpstr (filled, ==, "crossover? Not crosover, {other} {");

  g_assert_null (kh_code_parse_explained ("7-clockwork-crossover", NULL, &fault));
  g_assert_cmpstr (fault.word, ==, "clockwork");
  g_assert_null (fault.meant);
  g_assert_null (kh_code_parse_explained ("7", NULL, &fault));
  g_assert_nonnull (fault.sentence);
  g_assert_null (fault.word);

  code = kh_code_parse_explained ("7 crossover", NULL, &fault);
  g_assert_cmpstr (code, ==, "7-crossover");
  g_assert_null (fault.sentence);
}

/* A place for a word inside a word is not filled again, and one without a word is empty. */
static void
test_fills (void)
{
  static const KhCodeFault hostile = { "“{word}” {meant}", (char *) "{meant}{word}%s", NULL };
  g_autofree char *filled = kh_code_fault_fill (&hostile, hostile.sentence);

  g_assert_cmpstr (filled, ==, "“{meant}{word}%s” ");
}

#define CODE "7-crossover-bedlamp-customer"
#define BARE_LINK "knothole:" CODE
#define LINK BARE_LINK "?mailbox=ws%3A%2F%2F127.0.0.1%3A4000%2Fv1"

/* What is found; NULL: nothing, and the text stays as it is. */
static const struct
{
  const char *pasted;
  const char *found;
} pasted_texts[] = {
  { CODE, CODE },
  { " " CODE " \r\n", CODE },
  { "\t" CODE "\n\n", CODE },
  { "“" CODE "”", CODE },
  { "«" CODE "»", CODE },
  { "「" CODE "」", CODE },
  { "『" CODE "』", CODE },
  { "‘" CODE "’", CODE },
  { "'" CODE "'", CODE },
  { "`" CODE "`", CODE },
  { "\"" CODE "\"", CODE },
  { "<" CODE ">", CODE },
  { "(" CODE ")", CODE },
  { "（" CODE "）", CODE },
  { "[" CODE "]", CODE },
  { "【" CODE "】", CODE },
  { "{" CODE "}", CODE },
  { "**" CODE "**", CODE },
  { CODE ".", CODE },
  { CODE ",", CODE },
  { CODE "。", CODE },
  { CODE "，", CODE },
  { CODE "！", CODE },
  { "> " CODE, CODE },
  { "\ufeff" CODE "\u200b", CODE },
  { "Use my code " CODE " today!", CODE },
  { "my code: " CODE, CODE },
  { "我的邀请码是" CODE "。", CODE },
  { "我的邀请码是" CODE "，快来", CODE },
  { "邀请码：" CODE, CODE },
  { CODE "是我的邀请码", CODE },
  { "Code=" CODE ";", CODE },
  { "3 things: " CODE ", and so on", CODE },
  { "I am 10-year-old, " CODE, CODE },
  { "Since 2024-05-01: " CODE, CODE },
  { "call 030-1234-5678 or " CODE, CODE },
  { CODE " is my code", CODE },
  { CODE "\n-- \nBob", CODE },
  { CODE "\n- Bob", CODE },
  { CODE " and again " CODE, CODE },
  { "see you\n" CODE "\nbye", CODE },
  { "7-crossover-\nbedlamp-customer", CODE },
  { "7-crossover- \r\n bedlamp-\ncustomer", CODE },
  { "Use 7-crossover-\nbedlamp-customer today", CODE },
  { "7-CROSSOVER-BEDLAMP-CUSTOMER", "7-CROSSOVER-BEDLAMP-CUSTOMER" },
  { "Use 7–Crossover—bedlamp_customer!", "7–Crossover—bedlamp_customer" },
  { "7 crossover\nbedlamp\tcustomer", "7 crossover bedlamp customer" },
  { "“7 crossover bedlamp customer.”", "7 crossover bedlamp customer" },
  { "7-crossover\n-bedlamp-customer", "7-crossover -bedlamp-customer" },
  { "use 7-crossover-bedlamp, ok", "7-crossover-bedlamp" },
  { "7-cross\u00adover-bedlamp-customer", CODE },
  { LINK, LINK },
  { "<" LINK ">", LINK },
  { "see " LINK " ok", LINK },
  { "“" LINK "”", LINK },
  { "看" LINK "。", LINK },
  { "Join me (" LINK ").", LINK },
  { "KH: " LINK "\nSee you tonight", LINK },
  { LINK "!", LINK },
  { CODE " or " LINK, LINK },
  { LINK " or " CODE, LINK },
  { LINK " " LINK, LINK },
  { "see " BARE_LINK ".", BARE_LINK },
  { BARE_LINK " See you", BARE_LINK },
  { "knothole:7-crossover-\nbedlamp-customer", BARE_LINK },
  { "knothole:7-cross\nover-bedlamp-customer", BARE_LINK },
  { "(KNOTHOLE:7-Crossover-bedlamp-customer)", "KNOTHOLE:7-Crossover-bedlamp-customer" },
  { "see knothole:12-caf%C3%A9-%C3%BCber ok", "knothole:12-caf%C3%A9-%C3%BCber" },
  { "knothole:7-crossover-bedlamp?mailbox=ws://[::1]", "knothole:7-crossover-bedlamp?mailbox=ws://[::1]" },
  { "[knothole:7-crossover-bedlamp?mailbox=ws://[::1]:40/v1]",
    "knothole:7-crossover-bedlamp?mailbox=ws://[::1]:40/v1" },
  { "knothole:7-crossover", NULL },
  { "Use 7-crosover-bedlamp-customer today", "7-crosover-bedlamp-customer" },
  { "Use 7-bedlamp-crossover today", "7-bedlamp-crossover" },
  { "code 7-crossover-bedlamp- ok", "7-crossover-bedlamp-" },
  { "", NULL },
  { "7", NULL },
  { "7-", NULL },
  { "7-crossover", NULL },
  { "4-purple-sausages", NULL },
  { "4 Purple Sausages", NULL },
  { "12-café-über", NULL },
  { "12-你好-世界", NULL },
  { "code 7-crossover", NULL },
  { "code 7-crossover ok", NULL },
  { "code 7-crossover bedlamp customer", NULL },
  { "use 7-crossover-bedlamp customer please", NULL },
  { "my 10-year-old son", NULL },
  { "on 2024-05-01 at noon", NULL },
  { "see knothole:12-caf ok", NULL },
  { "x" CODE " ok", NULL },
  { "é7-crossover-bedlamp ok", NULL },
  { "12-" CODE " ok", NULL },
  { CODE " or 8-adroitness-aardvark", NULL },
  { CODE "é ok, see", CODE "é" },
  { "see knothole:7-crossover-bedlampé ok", NULL },
  { LINK " or " BARE_LINK "?mailbox=wss%3A%2F%2Fexample.org%2Fv1", NULL },
  { "http://example.org/", NULL },
  { "hello", NULL },
};

static void
test_finds (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pasted_texts); i++)
    {
      g_autofree char *found = kh_code_find (pasted_texts[i].pasted);

      g_assert_cmpstr (found, ==, pasted_texts[i].found != NULL ? pasted_texts[i].found : pasted_texts[i].pasted);
    }
}

/* What is not to be looked at comes back byte by byte. */
static void
test_finds_nothing_in_junk (void)
{
  g_autofree char *long_text = g_strnfill (4 * KH_CODE_MAX_LINK_LENGTH, ' ');
  g_autofree char *too_long = g_strconcat (long_text, CODE, NULL);
  g_autofree char *found = kh_code_find (too_long);
  g_autofree char *not_utf8 = kh_code_find (" " CODE "\xff ");
  g_autofree char *digits = g_strnfill (4 * KH_CODE_MAX_LINK_LENGTH, '7');
  g_autofree char *same_digits = kh_code_find (digits);

  g_assert_cmpstr (found, ==, too_long);
  g_assert_cmpstr (not_utf8, ==, " " CODE "\xff ");
  g_assert_cmpstr (same_digits, ==, digits);
}

/* Many things that are nearly codes take no longer than they have to. */
static void
test_finds_quickly (void)
{
  static const char *const pieces[] = {
    "7-crosover-bedlam ", "knothole:7-a-b ", "7-", "-\n", "(", "7-crossover-bedlamp ", "客7"
  };
  gint64 start = g_get_monotonic_time ();

  for (gsize i = 0; i < G_N_ELEMENTS (pieces); i++)
    {
      g_autoptr (GString) text = g_string_new (NULL);
      g_autofree char *found = NULL;

      while (text->len + strlen (pieces[i]) <= 4 * KH_CODE_MAX_LINK_LENGTH)
        g_string_append (text, pieces[i]);
      found = kh_code_find (text->str);
      g_assert_nonnull (found);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, <, kh_test_patience (2000) * 1000);
}

static void
test_completes (void)
{
  static const struct
  {
    const char *typed;
    const char *first;
    guint count;
  } cases[] = {
    { "7-cro", "7-crossover-", 1 },
    { "7 cro", "7-crossover-", 1 },
    { "7-crossover-clockw", "7-crossover-clockwork-", 1 },
    { "7-crossover clockwork CROSS", "7-crossover-clockwork-crossover", 1 },
    { "7-crossover-clockwork-crossover-clockw", "7-crossover-clockwork-crossover-clockwork", 1 },
    { "7-", "7-adroitness-", 256 },
    { "7-crossover ", "7-crossover-aardvark-", 256 },
    { "7-zzz", NULL, 0 },
    { "7", NULL, 0 },
    { "x-cro", NULL, 0 },
    { "", NULL, 0 },
    { "7-\xff", NULL, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) found = kh_code_complete (cases[i].typed, KH_CODE_DEFAULT_WORDS);

      g_assert_cmpuint (g_strv_length (found), ==, cases[i].count);
      g_assert_cmpstr (found[0], ==, cases[i].first);
    }
}

static void
check_link (const char *link, const char *expected_code, const char *expected_url)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *url = NULL;
  g_autofree char *code = kh_code_parse (link, &url, &error);

  g_assert_cmpstr (code, ==, expected_code);
  g_assert_cmpstr (url, ==, expected_url);
  if (expected_code == NULL)
    g_assert_error (error, KH_ERROR, KH_ERROR_BAD_CODE);
  else
    g_assert_no_error (error);
}

static void
test_links (void)
{
  g_autofree char *plain = kh_code_to_link ("7-crossover-clockwork", NULL);
  g_autofree char *foreign = kh_code_to_link ("12-café über", "wss://example.org:4000/v1?a=b&c");
  g_autofree char *long_name = g_strnfill (KH_CODE_MAX_LINK_LENGTH, 'x');
  g_autofree char *too_long = g_strconcat ("knothole:7-crossover?a=", long_name, NULL);

  g_assert_cmpstr (plain, ==, "knothole:7-crossover-clockwork");
  check_link (plain, "7-crossover-clockwork", NULL);
  check_link (foreign, "12-café-über", "wss://example.org:4000/v1?a=b&c");
  check_link (" KNOTHOLE:7-crossover%2Dclockwork\n", "7-crossover-clockwork", NULL);
  check_link ("knothole:7-crossover?x=y&mailbox=ws%3A%2F%2F127.0.0.1%3A4000%2Fv1&z", "7-crossover",
              "ws://127.0.0.1:4000/v1");
  check_link ("knothole:7-crossover#mailbox=wss://example.org/v1", "7-crossover", NULL);
  check_link ("knothole:7-crossover?Mailbox=http://x/", "7-crossover", NULL);

  check_link ("knothole:7-crossover?mailbox=http%3A%2F%2Fexample.org", NULL, NULL);
  check_link ("knothole:7-crossover?mailbox=wss%3A%2F%2F", NULL, NULL);
  check_link ("knothole:7-crossover?mailbox=wss%3A%2F%2Fa%40b%2Fv1", NULL, NULL);
  check_link ("knothole:7-crossover?mailbox=", NULL, NULL);
  check_link ("knothole:7-crossover?mailbox=%00", NULL, NULL);
  check_link ("knothole:7-crossover?mailbox=wss%3A%2F%2Fa%0A%2Fv1", NULL, NULL);
  check_link ("knothole:7-crossover?mailbox=wss://a/v1&mailbox=wss://b/v1", NULL, NULL);
  check_link ("knothole:7-crossover%00", NULL, NULL);
  check_link ("knothole:7-crosover-clockwork", NULL, NULL);
  check_link ("knothole:7-crossover-clockwork?mailbox=ws%3A%2F%2F%251b%255B31mEVIL%3A1%2Fv1", NULL, NULL);
  check_link ("knothole:7-crossover-clockwork?mailbox=ws%3A%2F%2Fa%250aFAKE%3A1%2Fv1", NULL, NULL);
  check_link ("knothole:7-%ff", NULL, NULL);
  check_link ("knothole:", NULL, NULL);
  check_link (too_long, NULL, NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/code/generate", test_generate);
  g_test_add_func ("/code/clean", test_clean);
  g_test_add_func ("/code/accepts", test_accepts);
  g_test_add_func ("/code/refuses", test_refuses);
  g_test_add_func ("/code/faults", test_faults);
  g_test_add_func ("/code/fills", test_fills);
  g_test_add_func ("/code/finds", test_finds);
  g_test_add_func ("/code/finds-nothing-in-junk", test_finds_nothing_in_junk);
  g_test_add_func ("/code/finds-quickly", test_finds_quickly);
  g_test_add_func ("/code/completes", test_completes);
  g_test_add_func ("/code/links", test_links);
  return g_test_run ();
}
