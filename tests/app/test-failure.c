/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-failure.h"

#include <string.h>

/* The last of the engine's codes. */
#define LAST_CODE KH_ERROR_TOO_LARGE

/* What a next step begins with, in the texts of the table. */
static gboolean
has_next_step (const char *sentence)
{
  static const char *const steps[] = { "Try again",        "Make a new",     "make a new", "sk your friend",
                                       "ask your friend",  "Compare",        "Check",      "check its",
                                       "Send it in parts", "Choose another", "should use" };

  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    if (strstr (sentence, steps[i]) != NULL)
      return TRUE;
  return FALSE;
}

static void
assert_told (KhError code, KhRole role)
{
  KhFailure failure = kh_failure_for_error (code, role);
  g_autofree char *told = g_strdup_printf ("code %d, role %d: “%s”, “%s”", code, role, failure.title, failure.sentence);

  g_test_message ("%s", told);
  g_assert_cmpstr (failure.title, !=, NULL);
  g_assert_cmpstr (failure.title, !=, "");
  g_assert_false (g_str_has_suffix (failure.title, "."));
  g_assert_cmpstr (failure.sentence, !=, NULL);
  if (!g_str_has_suffix (failure.sentence, ".") || !has_next_step (failure.sentence))
    g_error ("no whole sentence with a next step: %s", told);
}

static void
test_every_code (void)
{
  for (int code = 0; code <= LAST_CODE; code++)
    {
      assert_told (code, KH_ROLE_INVITER);
      assert_told (code, KH_ROLE_JOINER);
    }
}

/* Nobody without a code can make one, and nobody with one has to ask for one. */
static void
test_to_whom (void)
{
  for (int code = 0; code <= LAST_CODE; code++)
    {
      const char *inviter = kh_failure_for_error (code, KH_ROLE_INVITER).sentence;
      const char *joiner = kh_failure_for_error (code, KH_ROLE_JOINER).sentence;

      g_test_message ("code %d: “%s”, “%s”", code, inviter, joiner);
      g_assert_null (strstr (inviter, "sk your friend for a new"));
      g_assert_null (strstr (joiner, "Make a new code"));
      g_assert_null (strstr (joiner, "make a new code"));
    }
}

/* Only what spent no code may be tried with the same one. */
static void
test_try_again (void)
{
  static const KhError same[] = { KH_ERROR_NOBODY_THERE, KH_ERROR_SERVER_UNREACHABLE, KH_ERROR_PORT };

  for (int code = 0; code <= LAST_CODE; code++)
    {
      gboolean expected = FALSE;

      for (gsize i = 0; i < G_N_ELEMENTS (same); i++)
        expected |= (int) same[i] == code;
      g_test_message ("code %d", code);
      g_assert_cmpint (kh_failure_for_error (code, KH_ROLE_JOINER).try_again, ==, expected);
    }
}

static void
test_unknown (void)
{
  static const int codes[] = { -1, LAST_CODE + 1, G_MAXINT, G_MININT };

  for (gsize i = 0; i < G_N_ELEMENTS (codes); i++)
    {
      assert_told (codes[i], KH_ROLE_INVITER);
      assert_told (codes[i], KH_ROLE_JOINER);
      g_assert_false (kh_failure_for_error (codes[i], KH_ROLE_JOINER).try_again);
    }
}

static void
test_titles_differ (void)
{
  for (int a = 0; a <= LAST_CODE; a++)
    for (int b = 0; b < a; b++)
      {
        g_test_message ("codes %d and %d", a, b);
        g_assert_cmpstr (kh_failure_for_error (a, KH_ROLE_JOINER).title, !=,
                         kh_failure_for_error (b, KH_ROLE_JOINER).title);
      }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/failure/every-code", test_every_code);
  g_test_add_func ("/failure/to-whom", test_to_whom);
  g_test_add_func ("/failure/try-again", test_try_again);
  g_test_add_func ("/failure/unknown", test_unknown);
  g_test_add_func ("/failure/titles-differ", test_titles_differ);
  return g_test_run ();
}
