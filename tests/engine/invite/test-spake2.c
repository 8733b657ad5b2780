/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"
#include "kh-spake2.h"
#include "kh-test.h"

#include <string.h>

static JsonObject *vectors;

static const char *
text (JsonObject *object, const char *member)
{
  return json_object_get_string_member (object, member);
}

static KhSpake2 *
run_new (const char *code, const char *appid, const char *scalar_hex)
{
  g_autoptr (GBytes) scalar = kh_test_unhex (scalar_hex);

  return kh_spake2_new_with_scalar (code, appid, g_bytes_get_data (scalar, NULL));
}

static gboolean
finish (KhSpake2 *run, const char *message_hex, guint8 *key, GError **error)
{
  g_autoptr (GBytes) message = kh_test_unhex (message_hex);

  return kh_spake2_finish (run, g_bytes_get_data (message, NULL), g_bytes_get_size (message), key, error);
}

static void
check_run (const char *code, const char *appid, const char *scalar, const char *own, const char *other,
           const char *key_hex)
{
  g_autoptr (KhSpake2) run = run_new (code, appid, scalar);
  g_autoptr (GError) error = NULL;
  guint8 key[KH_SPAKE2_KEY_BYTES];

  kh_test_assert_hex (kh_spake2_get_message (run), KH_SPAKE2_MESSAGE_BYTES, own);
  finish (run, other, key, &error);
  g_assert_no_error (error);
  kh_test_assert_hex (key, sizeof key, key_hex);
}

static void
test_vectors (void)
{
  JsonArray *list = json_object_get_array_member (vectors, "vectors");

  for (guint i = 0; i < json_array_get_length (list); i++)
    {
      JsonObject *v = json_array_get_object_element (list, i);
      const char *typed =
          json_object_has_member (v, "code_not_normalised") ? text (v, "code_not_normalised") : text (v, "code");

      check_run (text (v, "code"), text (v, "appid"), text (v, "scalar_a"), text (v, "message_a"),
                 text (v, "message_b"), text (v, "key"));
      check_run (typed, text (v, "appid"), text (v, "scalar_b"), text (v, "message_b"), text (v, "message_a"),
                 text (v, "key"));
    }
}

static void
test_wrong_password (void)
{
  JsonObject *v = json_object_get_object_member (vectors, "wrong_password");

  check_run (text (v, "code_a"), text (v, "appid"), text (v, "scalar_a"), text (v, "message_a"), text (v, "message_b"),
             text (v, "key_a"));
  check_run (text (v, "code_b"), text (v, "appid"), text (v, "scalar_b"), text (v, "message_b"), text (v, "message_a"),
             text (v, "key_b"));
}

static void
test_invalid_messages (void)
{
  JsonObject *v = json_array_get_object_element (json_object_get_array_member (vectors, "vectors"), 0);
  JsonArray *cases =
      json_object_get_array_member (json_object_get_object_member (vectors, "invalid_messages"), "cases");

  g_assert_cmpuint (json_array_get_length (cases), ==, 30);
  for (guint i = 0; i < json_array_get_length (cases); i++)
    {
      JsonObject *invalid = json_array_get_object_element (cases, i);
      g_autoptr (KhSpake2) run = run_new (text (v, "code"), text (v, "appid"), text (v, "scalar_a"));
      g_autoptr (GError) error = NULL;
      guint8 key[KH_SPAKE2_KEY_BYTES] = { 0x5a };

      g_test_message ("%s", text (invalid, "name"));
      g_assert_false (finish (run, text (invalid, "message"), key, &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
      g_assert_cmpuint (key[0], ==, 0x5a);
    }
}

/* A second try with one scalar would be a second guess. */
static void
test_finishes_once (void)
{
  JsonObject *v = json_array_get_object_element (json_object_get_array_member (vectors, "vectors"), 0);
  g_autoptr (KhSpake2) refused = run_new (text (v, "code"), text (v, "appid"), text (v, "scalar_a"));
  g_autoptr (KhSpake2) used = run_new (text (v, "code"), text (v, "appid"), text (v, "scalar_a"));
  guint8 key[KH_SPAKE2_KEY_BYTES];

  g_assert_false (finish (refused, text (v, "message_a"), key, NULL));
  g_assert_false (finish (refused, text (v, "message_b"), key, NULL));
  g_assert_true (finish (used, text (v, "message_b"), key, NULL));
  g_assert_false (finish (used, text (v, "message_b"), key, NULL));
}

static void
test_random_scalars (void)
{
  g_autoptr (KhSpake2) a = kh_spake2_new ("4-purple-sausages", "knothole.invite/v1");
  g_autoptr (KhSpake2) b = kh_spake2_new ("4-purple-sausages", "knothole.invite/v1");
  guint8 a_message[KH_SPAKE2_MESSAGE_BYTES];
  guint8 a_key[KH_SPAKE2_KEY_BYTES];
  guint8 b_key[KH_SPAKE2_KEY_BYTES];

  memcpy (a_message, kh_spake2_get_message (a), sizeof a_message);
  g_assert_true (kh_spake2_finish (a, kh_spake2_get_message (b), KH_SPAKE2_MESSAGE_BYTES, a_key, NULL));
  g_assert_true (kh_spake2_finish (b, a_message, sizeof a_message, b_key, NULL));
  g_assert_cmpmem (a_key, sizeof a_key, b_key, sizeof b_key);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  vectors = kh_test_load_json ("data/wormhole/vectors.json");
  g_test_add_func ("/spake2/vectors", test_vectors);
  g_test_add_func ("/spake2/wrong-password", test_wrong_password);
  g_test_add_func ("/spake2/invalid-messages", test_invalid_messages);
  g_test_add_func ("/spake2/finishes-once", test_finishes_once);
  g_test_add_func ("/spake2/random-scalars", test_random_scalars);
  status = g_test_run ();
  json_object_unref (vectors);
  return status;
}
