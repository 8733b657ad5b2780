/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-body.h"
#include "kh-error.h"
#include "kh-hkdf.h"
#include "kh-test.h"

#include <string.h>

static JsonObject *vectors;

static const char *
text (JsonObject *object, const char *member)
{
  return json_object_get_string_member (object, member);
}

static JsonObject *
vector_at (guint i)
{
  return json_array_get_object_element (json_object_get_array_member (vectors, "vectors"), i);
}

static void
check_phase (const guint8 *session_key, JsonObject *phase)
{
  g_autoptr (GBytes) nonce = kh_test_unhex (text (phase, "nonce"));
  g_autoptr (GBytes) plain = kh_test_unhex (text (phase, "plaintext"));
  g_autofree char *body = NULL;
  g_autofree char *upper = g_ascii_strup (text (phase, "body"), -1);
  g_autoptr (GBytes) opened = NULL;
  g_autoptr (GError) error = NULL;
  guint8 key[KH_BODY_KEY_BYTES];

  kh_body_phase_key (session_key, text (phase, "side"), text (phase, "phase"), key);
  kh_test_assert_hex (key, sizeof key, text (phase, "key"));

  body = kh_body_seal_with_nonce (session_key, text (phase, "side"), text (phase, "phase"), plain,
                                  g_bytes_get_data (nonce, NULL));
  g_assert_cmpstr (body, ==, text (phase, "body"));

  opened = kh_body_open (session_key, text (phase, "side"), text (phase, "phase"), upper, &error);
  g_assert_no_error (error);
  g_assert_true (g_bytes_equal (opened, plain));
}

static void
test_vectors (void)
{
  JsonArray *list = json_object_get_array_member (vectors, "vectors");

  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *v = json_array_get_object_element (list, i);
      JsonArray *phases = json_object_get_array_member (v, "phases");
      g_autoptr (GBytes) key = kh_test_unhex (text (v, "key"));
      guint8 verifier[32];

      kh_hkdf (g_bytes_get_data (key, NULL), 32, "wormhole:verifier", strlen ("wormhole:verifier"), verifier,
               sizeof verifier);
      kh_test_assert_hex (verifier, sizeof verifier, text (v, "verifier"));
      for (guint j = 0; j < json_array_get_length (phases); j++)
        check_phase (g_bytes_get_data (key, NULL), json_array_get_object_element (phases, j));
    }
}

static void
test_random_nonce (void)
{
  static const guint8 key[KH_BODY_KEY_BYTES] = { 7 };
  g_autoptr (GBytes) plain = g_bytes_new_static ("hello", 5);
  g_autofree char *one = kh_body_seal (key, "a1b2c3d4e5", "0", plain);
  g_autofree char *two = kh_body_seal (key, "a1b2c3d4e5", "0", plain);
  g_autoptr (GBytes) opened = kh_body_open (key, "a1b2c3d4e5", "0", one, NULL);

  g_assert_cmpstr (one, !=, two);
  g_assert_true (g_bytes_equal (opened, plain));
}

static void
test_bad_bodies (void)
{
  JsonObject *bad = json_object_get_object_member (vectors, "bad_bodies");
  JsonArray *cases = json_object_get_array_member (bad, "cases");
  g_autoptr (GBytes) key = kh_test_unhex (text (vector_at (0), "key"));

  for (guint i = 0; i < json_array_get_length (cases); i++)
    {
      JsonObject *bad_case = json_array_get_object_element (cases, i);
      const char *name = text (bad_case, "name");
      const char *side = strstr (name, "other side") != NULL ? text (vector_at (0), "side_b") : text (bad, "side");
      const char *phase = strstr (name, "other phase") != NULL ? "0" : text (bad, "phase");
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", name);
      g_assert_null (kh_body_open (g_bytes_get_data (key, NULL), side, phase, text (bad_case, "body"), &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_BAD_CODE);
    }
}

static void
test_not_hex (void)
{
  static const char *const cases[] = { "0", "zz", "00:11", " 00", "00 ", "0x00", "é" };
  static const guint8 key[KH_BODY_KEY_BYTES] = { 7 };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_null (kh_body_open (key, "a", "0", cases[i], NULL));
}

static void
test_wrong_password (void)
{
  JsonObject *v = json_object_get_object_member (vectors, "wrong_password");
  g_autoptr (GBytes) key_a = kh_test_unhex (text (v, "key_a"));
  g_autoptr (GBytes) key_b = kh_test_unhex (text (v, "key_b"));
  g_autoptr (GBytes) opened = NULL;

  g_assert_null (
      kh_body_open (g_bytes_get_data (key_a, NULL), text (v, "side_b"), "version", text (v, "version_body_b"), NULL));
  opened =
      kh_body_open (g_bytes_get_data (key_b, NULL), text (v, "side_b"), "version", text (v, "version_body_b"), NULL);
  g_assert_nonnull (opened);
}

static void
test_pake (void)
{
  JsonArray *invalid = json_object_get_array_member (vectors, "pake_bodies_invalid");
  g_autoptr (GBytes) message = kh_test_unhex (text (vector_at (0), "message_a"));
  g_autofree char *body = kh_body_encode_pake (g_bytes_get_data (message, NULL), g_bytes_get_size (message));
  g_autofree char *filler = g_strnfill (8192, 'a');
  g_autoptr (GBytes) decoded = NULL;

  g_assert_cmpstr (body, ==, text (vector_at (0), "pake_body_a"));
  decoded = kh_body_decode_pake (body, NULL);
  g_assert_true (g_bytes_equal (decoded, message));

  for (guint i = 0; i < json_array_get_length (invalid); i++)
    {
      JsonObject *bad = json_array_get_object_element (invalid, i);
      g_autoptr (GError) error = NULL;

      g_test_message ("%s", text (bad, "name"));
      g_assert_null (kh_body_decode_pake (text (bad, "body"), &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
    }

  g_assert_null (kh_body_decode_pake ("", NULL));
  g_assert_null (kh_body_decode_pake ("abc", NULL));
  g_assert_null (kh_body_decode_pake (filler, NULL));
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  vectors = kh_test_load_json ("data/wormhole/vectors.json");
  g_test_add_func ("/body/vectors", test_vectors);
  g_test_add_func ("/body/random-nonce", test_random_nonce);
  g_test_add_func ("/body/bad-bodies", test_bad_bodies);
  g_test_add_func ("/body/not-hex", test_not_hex);
  g_test_add_func ("/body/wrong-password", test_wrong_password);
  g_test_add_func ("/body/pake", test_pake);
  status = g_test_run ();
  json_object_unref (vectors);
  return status;
}
