/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test.h"
#include "kh-words.h"

#include <string.h>

static void
check_list (KhWordList list, JsonObject *vectors, const char *words_name, const char *digest_name)
{
  JsonArray *expected = json_object_get_array_member (vectors, words_name);
  g_autoptr (GString) joined = g_string_new (NULL);
  g_autofree char *digest = NULL;

  g_assert_cmpuint (json_array_get_length (expected), ==, KH_WORDS_COUNT);
  for (guint i = 0; i < KH_WORDS_COUNT; i++)
    {
      const char *word = kh_words_get (list, i);

      g_assert_cmpstr (word, ==, json_array_get_string_element (expected, i));
      g_assert_true (kh_words_contains (list, word));
      g_assert_false (kh_words_contains (list == KH_WORDS_ODD ? KH_WORDS_EVEN : KH_WORDS_ODD, word));
      if (i > 0)
        g_string_append_c (joined, '\n');
      g_string_append (joined, word);
    }

  digest = g_compute_checksum_for_string (G_CHECKSUM_SHA256, joined->str, joined->len);
  g_assert_cmpstr (digest, ==, json_object_get_string_member (vectors, digest_name));
}

static void
test_lists (void)
{
  g_autoptr (JsonObject) root = kh_test_load_json ("data/wormhole/vectors.json");
  JsonObject *vectors = json_object_get_object_member (root, "wordlist");

  check_list (KH_WORDS_EVEN, vectors, "even", "sha256_even_joined_by_newline");
  check_list (KH_WORDS_ODD, vectors, "odd", "sha256_odd_joined_by_newline");
  g_assert_cmpint (kh_words_list_at (0), ==, KH_WORDS_ODD);
  g_assert_cmpint (kh_words_list_at (1), ==, KH_WORDS_EVEN);
  g_assert_cmpint (kh_words_list_at (2), ==, KH_WORDS_ODD);
}

static void
test_complete (void)
{
  g_auto (GStrv) some = kh_words_complete (KH_WORDS_ODD, "CRO");
  g_auto (GStrv) none = kh_words_complete (KH_WORDS_EVEN, "crossover");
  g_auto (GStrv) all = kh_words_complete (KH_WORDS_EVEN, "");

  g_assert_cmpuint (g_strv_length (some), ==, 1);
  g_assert_cmpstr (some[0], ==, "crossover");
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_assert_cmpuint (g_strv_length (all), ==, KH_WORDS_COUNT);
}

static void
test_nearest (void)
{
  static const struct
  {
    KhWordList list;
    const char *typed;
    const char *nearest;
  } cases[] = {
    { KH_WORDS_ODD, "crosover", "crossover" },
    { KH_WORDS_ODD, "Corssover", "crossover" },
    { KH_WORDS_EVEN, "clokcwork", "clockwork" },
    { KH_WORDS_EVEN, "purple", NULL },
    { KH_WORDS_ODD, "", NULL },
    { KH_WORDS_ODD, "croßover", "crossover" },
    { KH_WORDS_ODD, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpstr (kh_words_nearest (cases[i].list, cases[i].typed, 2), ==, cases[i].nearest);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/words/lists", test_lists);
  g_test_add_func ("/words/complete", test_complete);
  g_test_add_func ("/words/nearest", test_nearest);
  return g_test_run ();
}
