/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs a fuzz target as a test: over every file of its corpus, and over each with bytes changed, cut off and doubled.
 *
 *   fuzz-NAME CORPUS-DIRECTORY */
#include "fuzz.h"

#include <gio/gio.h>
#include <string.h>

#define VARIANTS 300

static const char *corpus;

static void
run (const guint8 *data, gsize size)
{
  /* Exactly as long as it says, so that a sanitizer sees what is read beyond. */
  g_autofree guint8 *copy = g_memdup2 (data, size);

  LLVMFuzzerTestOneInput (copy, size);
}

static void
run_variant (GRand *random, const guint8 *data, gsize size)
{
  g_autoptr (GByteArray) bytes = g_byte_array_new ();

  g_byte_array_append (bytes, data, (guint) size);
  for (int changes = g_rand_int_range (random, 1, 6); changes > 0 && bytes->len > 0; changes--)
    bytes->data[g_rand_int_range (random, 0, (gint32) bytes->len)] = (guint8) g_rand_int (random);
  if (g_rand_int_range (random, 0, 4) == 0)
    g_byte_array_set_size (bytes, (guint) g_rand_int_range (random, 0, (gint32) bytes->len + 1));
  if (g_rand_int_range (random, 0, 4) == 0)
    g_byte_array_append (bytes, data, (guint) size);
  run (bytes->data, bytes->len);
}

static void
test_corpus (void)
{
  g_autoptr (GDir) directory = g_dir_open (corpus, 0, NULL);
  g_autoptr (GRand) random = g_rand_new_with_seed (1);
  const char *name;
  guint files = 0;

  g_assert_nonnull (directory);
  while ((name = g_dir_read_name (directory)) != NULL)
    {
      g_autofree char *path = g_build_filename (corpus, name, NULL);
      g_autofree char *data = NULL;
      gsize size;

      g_assert_true (g_file_get_contents (path, &data, &size, NULL));
      run ((const guint8 *) data, size);
      for (guint i = 0; i < VARIANTS; i++)
        run_variant (random, (const guint8 *) data, size);
      files++;
    }
  g_assert_cmpuint (files, >, 0);
  g_test_message ("%u files, %u variants of each", files, VARIANTS);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_assert_cmpint (argc, ==, 2);
  corpus = argv[1];
  g_test_add_func ("/fuzz/corpus", test_corpus);

  return g_test_run ();
}
