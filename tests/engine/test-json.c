/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"
#include "kh-json.h"
#include "kh-test.h"

#include <string.h>

static void
test_refuses (void)
{
  static const struct
  {
    const char *text;
    gssize length;
  } cases[] = {
    { "", -1 },
    { "[]", -1 },
    { "3", -1 },
    { "{", -1 },
    { "{}\0{}", 5 },
    { "\xff", -1 },
    { "{\"a\":1}}", -1 },
    { "{\"a\":\"\\", -1 },
    { "nonsense", -1 },
    { "{}{}", -1 },
    { "{} x", -1 },
    { "{\"a\":1} {\"a\":2}", -1 },
    { "{'a':1}", -1 },
    { "{\"a\":/**/1}", -1 },
    { "{\"a\":\"\n\"}", -1 },
    { "}{", -1 },
    { "{\"a\":1}\"", -1 },
    { "\"{}\"", -1 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      gsize length = cases[i].length < 0 ? strlen (cases[i].text) : (gsize) cases[i].length;

      g_assert_null (kh_json_parse_object (cases[i].text, length, &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
    }
}

static char *
nested (guint depth)
{
  GString *text = g_string_new ("{\"a\":");

  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, '[');
  for (guint i = 1; i < depth; i++)
    g_string_append_c (text, ']');
  return g_string_free (g_string_append_c (text, '}'), FALSE);
}

static void
test_depth (void)
{
  g_autofree char *deepest = nested (KH_JSON_MAX_DEPTH);
  g_autofree char *too_deep = nested (KH_JSON_MAX_DEPTH + 1);
  g_autofree char *killer = nested (60000);
  const char *in_string = "{\"a\":\"[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[\"}";
  g_autoptr (JsonObject) accepted = NULL;
  g_autoptr (JsonObject) quoted = NULL;
  g_autoptr (GError) error = NULL;

  accepted = kh_json_parse_object (deepest, strlen (deepest), &error);
  g_assert_no_error (error);
  quoted = kh_json_parse_object (in_string, strlen (in_string), &error);
  g_assert_no_error (error);

  g_assert_null (kh_json_parse_object (too_deep, strlen (too_deep), NULL));
  g_assert_null (kh_json_parse_object (killer, strlen (killer), NULL));
}

/* What json-glib reads in another way than a scan for quotation marks would: behind each the nesting is real. */
static void
test_depth_in_disguise (void)
{
  static const char *const heads[] = {
    "{\"a\":/*\"*/",      "{\"a\":1,//\"\n\"b\":", "{'a':'\"','b':",
    "{\"a\":'\"',\"b\":", "{\"a\\\":1,\"b\":",     "/*\"*/{\"a\":",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (heads); i++)
    {
      g_autofree char *killer = nested (100000);
      g_autofree char *text = g_strconcat (heads[i], killer + strlen ("{\"a\":"), NULL);

      g_assert_null (kh_json_parse_object (text, strlen (text), NULL));
    }
}

static char *
members (guint n)
{
  GString *text = g_string_new ("{");

  for (guint i = 0; i < n; i++)
    g_string_append_printf (text, "%s\"m%u\":1", i > 0 ? "," : "", i);
  return g_string_free (g_string_append_c (text, '}'), FALSE);
}

/* Names that collide make a long object costly. */
static void
test_members (void)
{
  g_autofree char *most = members ((KH_JSON_MAX_SEPARATORS + 1) / 2);
  g_autofree char *too_many = members (KH_JSON_MAX_SEPARATORS / 2 + 1);
  g_autoptr (JsonObject) accepted = kh_json_parse_object (most, strlen (most), NULL);

  g_assert_nonnull (accepted);
  g_assert_null (kh_json_parse_object (too_many, strlen (too_many), NULL));
}

static void
test_types (void)
{
  const char *text = "{\"s\":\"x\",\"i\":7,\"d\":7.5,\"n\":null,\"b\":true,\"o\":{},\"a\":[]}";
  g_autoptr (JsonObject) object = kh_json_parse_object (text, strlen (text), NULL);
  gint64 value = -1;

  g_assert_cmpstr (kh_json_get_string (object, "s"), ==, "x");
  for (const char *const *name = (const char *const[]){ "i", "d", "n", "b", "o", "a", "none", NULL }; *name; name++)
    g_assert_null (kh_json_get_string (object, *name));
  for (const char *const *name = (const char *const[]){ "s", "d", "n", "b", "o", "a", "none", NULL }; *name; name++)
    g_assert_false (kh_json_get_int (object, *name, 0, 100, &value));
  g_assert_true (kh_json_get_int (object, "i", 7, 7, &value));
  g_assert_cmpint (value, ==, 7);
  g_assert_false (kh_json_get_int (object, "i", 8, 9, &value));
  g_assert_nonnull (kh_json_get_object (object, "o"));
  g_assert_null (kh_json_get_object (object, "a"));
  g_assert_nonnull (kh_json_get_array (object, "a"));
  g_assert_null (kh_json_get_array (object, "o"));
}

static void
test_build (void)
{
  g_autoptr (JsonObject) object =
      kh_json_build ("a:s b:i c:l d:s e:b o:o", "你好", 3, G_GINT64_CONSTANT (1) << 40, NULL, TRUE, json_object_new ());
  g_autofree char *text = kh_json_to_text (object);

  g_assert_cmpstr (text, ==, "{\"a\":\"你好\",\"b\":3,\"c\":1099511627776,\"d\":null,\"e\":true,\"o\":{}}");
}

static void
test_bytes (void)
{
  g_autoptr (GBytes) good = g_bytes_new_static ("{}", 2);
  g_autoptr (GBytes) empty = g_bytes_new (NULL, 0);
  g_autoptr (JsonObject) object = kh_json_parse_bytes (good, 2, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_nonnull (object);
  g_assert_null (kh_json_parse_bytes (good, 1, &error));
  g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_clear_error (&error);
  g_assert_null (kh_json_parse_bytes (empty, 10, &error));
  g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
}

/* Whatever a text holds, what we write we can read. */
static void
test_every_character (void)
{
  for (gunichar c = 1; c < 0x3000; c++)
    {
      char character[7] = { 0 };
      g_autoptr (JsonObject) object = NULL;
      g_autoptr (JsonObject) again = NULL;
      g_autofree char *text = NULL;

      g_unichar_to_utf8 (c, character);
      object = kh_json_build ("a:s", character);
      text = kh_json_to_text (object);
      again = kh_json_parse_object (text, strlen (text), NULL);
      g_assert_nonnull (again);
      g_assert_cmpstr (kh_json_get_string (again, "a"), ==, character);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json/refuses", test_refuses);
  g_test_add_func ("/json/depth", test_depth);
  g_test_add_func ("/json/depth-in-disguise", test_depth_in_disguise);
  g_test_add_func ("/json/members", test_members);
  g_test_add_func ("/json/types", test_types);
  g_test_add_func ("/json/build", test_build);
  g_test_add_func ("/json/bytes", test_bytes);
  g_test_add_func ("/json/every-character", test_every_character);
  return g_test_run ();
}
