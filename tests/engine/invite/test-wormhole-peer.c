/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-body.h"
#include "kh-test.h"
#include "world.h"

/* What a wormhole makes of the friend, and of whoever else sends something. */

static void
test_wrong_code (void)
{
  World world;

  world_init (&world);
  world_start_inviter (&world);
  world_start_joiner (&world, &world.b, "3-crossover-clockwork-yucatan");
  assert_failed (&world.a, KH_ERROR_BAD_CODE, "Someone tried this code and got it wrong.");
  assert_failed (&world.b, KH_ERROR_BAD_CODE, "The code does not match.");
  g_assert_cmpstr (world_get_mood (&world, &world.a), ==, "scary");
  g_assert_cmpstr (world_get_mood (&world, &world.b), ==, "scary");
  g_assert_cmpstr (world.a.events->str, ==, "code friend failed closed ");
  g_assert_cmpuint (world.a.delivered->len, ==, 0);
  world_clear (&world);
}

static void
test_bad_pakes (void)
{
  g_autoptr (JsonObject) vectors = kh_test_load_json ("data/wormhole/vectors.json");
  JsonArray *elements =
      json_object_get_array_member (json_object_get_object_member (vectors, "invalid_messages"), "cases");
  JsonArray *bodies = json_object_get_array_member (vectors, "pake_bodies_invalid");

  for (guint i = 0; i < json_array_get_length (elements) + json_array_get_length (bodies); i++)
    {
      World world;
      gboolean is_body = i >= json_array_get_length (elements);
      JsonObject *bad = is_body ? json_array_get_object_element (bodies, i - json_array_get_length (elements))
                                : json_array_get_object_element (elements, i);
      g_autofree char *body = NULL;

      /* A valid element of order L is only bad for the run that the vectors were made for. */
      if (g_str_equal (json_object_get_string_member (bad, "name"), "password-blind") ||
          g_str_equal (json_object_get_string_member (bad, "name"), "reflection"))
        continue;

      world_init (&world);
      world_start_inviter (&world);
      if (is_body)
        body = g_strdup (json_object_get_string_member (bad, "body"));
      else
        {
          g_autoptr (GBytes) message = kh_test_unhex (json_object_get_string_member (bad, "message"));

          body = kh_body_encode_pake (g_bytes_get_data (message, NULL), g_bytes_get_size (message));
        }
      world_receive_message (&world, &world.a, "stranger", "pake", body);
      assert_failed (&world.a, is_body ? KH_ERROR_PROTOCOL : KH_ERROR_BAD_CODE, "");
      g_assert_cmpstr (world_get_mood (&world, &world.a), ==, is_body ? "errory" : "scary");
      g_assert_cmpstr (world.a.events->str, ==, "code failed closed ");
      world_clear (&world);
    }
}

static void
test_reflection (void)
{
  World world;

  world_init (&world);
  world_start_inviter (&world);
  world_receive_message (&world, &world.a, "mirror", "pake", world.a.wormhole->pake_body);
  assert_failed (&world.a, KH_ERROR_BAD_CODE, "Someone tried this code");
  world_clear (&world);
}

static void
test_second_pake_is_ignored (void)
{
  World world;
  g_autofree char *body = NULL;
  g_autoptr (KhSpake2) again = kh_spake2_new (CODE, KH_WORMHOLE_APPID);

  world_start_both (&world);
  body = kh_body_encode_pake (kh_spake2_get_message (again), KH_SPAKE2_MESSAGE_BYTES);
  world_receive_message (&world, &world.a, world.a.wormhole->peer_side, "pake", body);
  world_receive_message (&world, &world.a, "third", "pake", body);
  world_receive_message (&world, &world.a, "third", "0", "00");
  g_assert_null (world.a.error);
  g_assert_cmpstr (world.a.events->str, ==, "code friend verified ");
  world_clear (&world);
}

/* Bodies may come before the pake they belong to. */
static void
test_early_bodies (void)
{
  World world;
  g_autoptr (KhSpake2) friend = kh_spake2_new (CODE, KH_WORMHOLE_APPID);
  g_autoptr (GBytes) pake = NULL;
  g_autoptr (GBytes) offer = g_bytes_new_static ("offer", 5);
  g_autofree char *pake_body = kh_body_encode_pake (kh_spake2_get_message (friend), KH_SPAKE2_MESSAGE_BYTES);
  g_autofree char *offer_body = NULL;
  guint8 key[KH_SPAKE2_KEY_BYTES];

  world_init (&world);
  world_start_inviter (&world);
  pake = kh_body_decode_pake (world.a.wormhole->pake_body, NULL);
  g_assert_true (kh_spake2_finish (friend, g_bytes_get_data (pake, NULL), g_bytes_get_size (pake), key, NULL));
  offer_body = kh_body_seal (key, "friend", "0", offer);

  world_receive_message (&world, &world.a, "other", "0", "0011");
  world_receive_message (&world, &world.a, "friend", "0", offer_body);
  for (guint i = 0; i < 100; i++)
    world_receive_message (&world, &world.a, "other", "0", "0011");
  g_assert_cmpuint (world.a.wormhole->early.length, ==, 16);
  world_receive_message (&world, &world.a, "friend", "pake", pake_body);

  g_assert_cmpstr (world.a.events->str, ==, "code friend verified message ");
  g_assert_cmpstr (world.a.delivered->str, ==, "offer");
  world_clear (&world);
}

static void
test_order_and_duplicates (void)
{
  World world;
  static const char *const names[] = { "2", "1", "2", "01", "0", "0", "+3", "3", "1", "unheard-of", "unheard-of", "4" };

  world_start_both (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    world_receive_sealed (&world, &world.a, names[i], names[i]);
  g_assert_cmpstr (world.a.delivered->str, ==, "01234");
  g_assert_null (world.a.error);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *name = g_strdup_printf ("name-%u", i);

      world_receive_sealed (&world, &world.a, name, "");
    }
  g_assert_cmpuint (g_hash_table_size (world.a.wormhole->seen), <=, 64);
  g_assert_null (world.a.error);
  world_clear (&world);
}

static void
test_too_many_held (void)
{
  World world;

  world_start_both (&world);
  for (guint i = 1; i <= 64; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      world_receive_sealed (&world, &world.a, name, "x");
    }
  g_assert_null (world.a.error);
  world_receive_sealed (&world, &world.a, "0", "x");
  g_assert_cmpuint (world.a.delivered->len, ==, 65);

  for (guint i = 0; i < 65; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i * 2 + 1000);

      world_receive_sealed (&world, &world.a, name, "x");
    }
  assert_failed (&world.a, KH_ERROR_PROTOCOL, "cannot be read");
  world_clear (&world);
}

static void
test_touched_body (void)
{
  World world;

  world_start_both (&world);
  world_receive_message (&world, &world.a, world.a.wormhole->peer_side, "0", "0011");
  assert_failed (&world.a, KH_ERROR_PROTOCOL, "not from your friend");
  g_assert_cmpstr (world_get_mood (&world, &world.a), ==, "scary");
  world_clear (&world);
}

/* The friend's version decides, whether it comes first or not. */
static void
test_versions (void)
{
  static const struct
  {
    const char *version;
    const char *sentence;
  } cases[] = {
    { "{\"app_versions\": {\"knothole-invite\": [1]}}", NULL },
    { "{\"app_versions\": {\"knothole-invite\": [\"x\", {}, 7, 1]}, \"can-dilate\": [\"1\"]}", NULL },
    { "{\"app_versions\": {\"knothole-invite\": [2, 3]}}", "needs a newer Knothole" },
    { "{\"app_versions\": {\"knothole-invite\": 1}}", "needs a newer Knothole" },
    { "{\"app_versions\": {}}", "needs a newer Knothole" },
    { "{}", "needs a newer Knothole" },
    { "[]", "cannot be read" },
    { "not JSON", "cannot be read" },
    { "{\"a\": [[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]}", "cannot be read" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;
      g_autoptr (KhSpake2) friend = kh_spake2_new (CODE, KH_WORMHOLE_APPID);
      g_autofree char *pake = kh_body_encode_pake (kh_spake2_get_message (friend), KH_SPAKE2_MESSAGE_BYTES);

      world_init (&world);
      world_start_inviter (&world);
      world_receive_message (&world, &world.a, "friend", "pake", pake);
      world_receive_sealed (&world, &world.a, "version", cases[i].version);
      if (cases[i].sentence == NULL)
        g_assert_cmpstr (world.a.events->str, ==, "code friend verified ");
      else
        {
          assert_failed (&world.a, KH_ERROR_PROTOCOL, cases[i].sentence);
          g_assert_cmpstr (world.a.events->str, ==, "code friend failed closed ");
          g_assert_cmpstr (world_get_mood (&world, &world.a), ==, "errory");
        }
      world_clear (&world);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wormhole/peer/wrong-code", test_wrong_code);
  g_test_add_func ("/wormhole/peer/bad-pakes", test_bad_pakes);
  g_test_add_func ("/wormhole/peer/reflection", test_reflection);
  g_test_add_func ("/wormhole/peer/second-pake", test_second_pake_is_ignored);
  g_test_add_func ("/wormhole/peer/early-bodies", test_early_bodies);
  g_test_add_func ("/wormhole/peer/order-and-duplicates", test_order_and_duplicates);
  g_test_add_func ("/wormhole/peer/too-many-held", test_too_many_held);
  g_test_add_func ("/wormhole/peer/touched-body", test_touched_body);
  g_test_add_func ("/wormhole/peer/versions", test_versions);
  return g_test_run ();
}
