/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test.h"

/* How long to wait for what should take MILLISECONDS, in microseconds. */
gint64
kh_test_patience (gint64 milliseconds)
{
  const char *factor = g_getenv ("KH_TEST_PATIENCE");

  return milliseconds * 1000 * (factor != NULL ? MAX (1, g_ascii_strtoll (factor, NULL, 10)) : 1);
}

gboolean
kh_test_tick (gpointer unused)
{
  return G_SOURCE_CONTINUE;
}

/* A callback for any _async call: keeps the result, so that the test itself calls _finish, in order. */
void
kh_test_store_result (GObject *source, GAsyncResult *result, gpointer location)
{
  GAsyncResult **stored = location;

  g_assert_null (*stored);
  *stored = g_object_ref (result);
}

JsonObject *
kh_test_load_json (const char *path_below_tests)
{
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, path_below_tests, NULL);
  g_autoptr (JsonParser) parser = json_parser_new ();
  g_autoptr (GError) error = NULL;

  json_parser_load_from_file (parser, path, &error);
  g_assert_no_error (error);

  return json_object_ref (json_node_get_object (json_parser_get_root (parser)));
}

GBytes *
kh_test_unhex (const char *hex)
{
  GByteArray *bytes = g_byte_array_new ();

  for (; hex[0] != '\0'; hex += 2)
    {
      guint8 byte = g_ascii_xdigit_value (hex[0]) << 4 | g_ascii_xdigit_value (hex[1]);

      g_byte_array_append (bytes, &byte, 1);
    }

  return g_byte_array_free_to_bytes (bytes);
}

char *
kh_test_hex (const void *data, gsize length)
{
  GString *hex = g_string_new (NULL);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (hex, "%02x", ((const guint8 *) data)[i]);

  return g_string_free (hex, FALSE);
}

void
kh_test_assert_hex (const void *data, gsize length, const char *expected)
{
  g_autofree char *hex = kh_test_hex (data, length);

  g_assert_cmpstr (hex, ==, expected);
}

/* Runs everything that is ready, so that idle callbacks and closed streams have had their turn. */
void
kh_test_settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}
