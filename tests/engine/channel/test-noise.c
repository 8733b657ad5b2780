/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"
#include "kh-noise-private.h"
#include "kh-noise.h"
#include "kh-test.h"

#include <string.h>

static const guint8 PSK[KH_NOISE_PSK_BYTES] = "our common key of 32 bytes ....";
static const guint8 PROLOGUE[] = "knothole/1";

typedef struct
{
  KhNoise *joiner;
  KhNoise *inviter;
} Pair;

static KhNoise *
side (gboolean initiator)
{
  return kh_noise_new (initiator, PSK, PROLOGUE, sizeof PROLOGUE);
}

static Pair
pair_new (void)
{
  return (Pair){ side (TRUE), side (FALSE) };
}

static void
pair_clear (Pair *pair)
{
  kh_noise_free (pair->joiner);
  kh_noise_free (pair->inviter);
}

static GBytes *
write_text (KhNoise *from, const char *text)
{
  g_autoptr (GError) error = NULL;
  GBytes *message = kh_noise_write (from, (const guint8 *) text, strlen (text), &error);

  g_assert_no_error (error);
  g_assert_nonnull (message);
  return message;
}

static GBytes *
read_bytes (KhNoise *to, GBytes *message, GError **error)
{
  return kh_noise_read (to, g_bytes_get_data (message, NULL), g_bytes_get_size (message), error);
}

static void
assert_reads (KhNoise *to, GBytes *message, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) payload = read_bytes (to, message, &error);

  g_assert_no_error (error);
  g_assert_cmpmem (g_bytes_get_data (payload, NULL), g_bytes_get_size (payload), text, strlen (text));
}

static void
assert_refuses (KhNoise *to, const void *message, gsize length)
{
  g_autoptr (GError) error = NULL;

  g_assert_null (kh_noise_read (to, message, length, &error));
  g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_false (kh_noise_is_open (to));
  g_assert_false (kh_noise_may_write (to));
}

static void
exchange (KhNoise *from, KhNoise *to, const char *text)
{
  g_autoptr (GBytes) message = write_text (from, text);

  assert_reads (to, message, text);
}

static void
open_pair (Pair *pair)
{
  exchange (pair->joiner, pair->inviter, "one");
  exchange (pair->inviter, pair->joiner, "two");
  g_assert_true (kh_noise_is_open (pair->joiner));
  g_assert_true (kh_noise_is_open (pair->inviter));
}

static KhNoise *
side_of_vector (JsonObject *vector, gboolean initiator)
{
  const char *prefix = initiator ? "init" : "resp";
  g_autofree char *psks = g_strconcat (prefix, "_psks", NULL);
  g_autofree char *prologue = g_strconcat (prefix, "_prologue", NULL);
  g_autofree char *ephemeral = g_strconcat (prefix, "_ephemeral", NULL);
  JsonArray *list = json_object_get_array_member (vector, psks);
  g_autoptr (GBytes) psk = kh_test_unhex (json_array_get_string_element (list, 0));
  g_autoptr (GBytes) agreed = kh_test_unhex (json_object_get_string_member (vector, prologue));
  g_autoptr (GBytes) secret = kh_test_unhex (json_object_get_string_member (vector, ephemeral));
  KhNoise *noise = kh_noise_new (initiator, g_bytes_get_data (psk, NULL), g_bytes_get_data (agreed, NULL),
                                 g_bytes_get_size (agreed));

  kh_noise_set_ephemeral (noise, g_bytes_get_data (secret, NULL));
  return noise;
}

static void
play_message (Pair *pair, JsonObject *message, guint index)
{
  KhNoise *from = index % 2 == 0 ? pair->joiner : pair->inviter;
  KhNoise *to = index % 2 == 0 ? pair->inviter : pair->joiner;
  const char *plain = json_object_get_string_member (message, "payload");
  const char *sealed = json_object_get_string_member (message, "ciphertext");
  g_autoptr (GBytes) payload = kh_test_unhex (plain);
  g_autoptr (GBytes) written =
      kh_noise_write (from, g_bytes_get_data (payload, NULL), g_bytes_get_size (payload), NULL);
  g_autoptr (GBytes) read = read_bytes (to, written, NULL);

  kh_test_assert_hex (g_bytes_get_data (written, NULL), g_bytes_get_size (written), sealed);
  kh_test_assert_hex (g_bytes_get_data (read, NULL), g_bytes_get_size (read), plain);
}

static Pair
pair_of_vector (JsonObject **vector)
{
  g_autoptr (JsonObject) file = kh_test_load_json ("data/noise/vectors.json");
  JsonArray *vectors = json_object_get_array_member (file, "vectors");

  *vector = json_object_ref (json_array_get_object_element (vectors, 0));
  return (Pair){ side_of_vector (*vector, TRUE), side_of_vector (*vector, FALSE) };
}

static void
test_vector (void)
{
  g_autoptr (JsonObject) vector = NULL;
  Pair pair = pair_of_vector (&vector);
  JsonArray *messages = json_object_get_array_member (vector, "messages");
  const char *hash = json_object_get_string_member (vector, "handshake_hash");

  g_assert_null (kh_noise_get_handshake_hash (pair.joiner));
  for (guint i = 0; i < json_array_get_length (messages); i++)
    play_message (&pair, json_array_get_object_element (messages, i), i);

  g_assert_cmpuint (json_array_get_length (messages), >=, 6);
  kh_test_assert_hex (kh_noise_get_handshake_hash (pair.joiner), KH_NOISE_HASH_BYTES, hash);
  kh_test_assert_hex (kh_noise_get_handshake_hash (pair.inviter), KH_NOISE_HASH_BYTES, hash);
  pair_clear (&pair);
}

static void
test_turns (void)
{
  Pair pair = pair_new ();
  g_autoptr (GBytes) first = NULL;

  g_assert_true (kh_noise_may_write (pair.joiner));
  g_assert_false (kh_noise_may_write (pair.inviter));
  g_assert_cmpuint (kh_noise_get_overhead (pair.joiner), ==, 48);

  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*may_write*");
  g_assert_null (kh_noise_write (pair.inviter, NULL, 0, NULL));
  g_test_assert_expected_messages ();

  first = write_text (pair.joiner, "one");
  g_assert_false (kh_noise_may_write (pair.joiner));
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*may_write*");
  g_assert_null (kh_noise_write (pair.joiner, NULL, 0, NULL));
  g_test_assert_expected_messages ();

  assert_reads (pair.inviter, first, "one");
  g_assert_true (kh_noise_may_write (pair.inviter));
  exchange (pair.inviter, pair.joiner, "");
  g_assert_cmpuint (kh_noise_get_overhead (pair.joiner), ==, 16);
  exchange (pair.inviter, pair.joiner, "你好");
  exchange (pair.inviter, pair.joiner, "");
  exchange (pair.joiner, pair.inviter, "x");
  pair_clear (&pair);
}

/* A message that comes when this side has to write is refused. */
static void
test_read_out_of_turn (void)
{
  Pair pair = pair_new ();
  g_autoptr (GBytes) first = write_text (pair.joiner, "one");
  g_autoptr (KhNoise) other = side (TRUE);

  assert_refuses (other, g_bytes_get_data (first, NULL), g_bytes_get_size (first));
  assert_reads (pair.inviter, first, "one");
  assert_refuses (pair.inviter, g_bytes_get_data (first, NULL), g_bytes_get_size (first));
  pair_clear (&pair);
}

static void
test_wrong_key (void)
{
  static const guint8 other_psk[KH_NOISE_PSK_BYTES] = "not our common key, 32 bytes ..";
  g_autoptr (KhNoise) joiner = kh_noise_new (TRUE, other_psk, PROLOGUE, sizeof PROLOGUE);
  g_autoptr (KhNoise) inviter = side (FALSE);
  g_autoptr (GBytes) first = write_text (joiner, "one");

  assert_refuses (inviter, g_bytes_get_data (first, NULL), g_bytes_get_size (first));
}

static void
test_wrong_prologue (void)
{
  g_autoptr (KhNoise) joiner = kh_noise_new (TRUE, PSK, (const guint8 *) "knothole/2", 10);
  g_autoptr (KhNoise) nothing = kh_noise_new (TRUE, PSK, NULL, 0);
  g_autoptr (KhNoise) inviter = side (FALSE);
  g_autoptr (KhNoise) other = side (FALSE);
  g_autoptr (GBytes) first = write_text (joiner, "one");
  g_autoptr (GBytes) bare = write_text (nothing, "one");

  assert_refuses (inviter, g_bytes_get_data (first, NULL), g_bytes_get_size (first));
  assert_refuses (other, g_bytes_get_data (bare, NULL), g_bytes_get_size (bare));
}

/* Who replays a first message gets an answer, and cannot open it: that takes the first one's ephemeral
 * secret. */
static void
test_replay (void)
{
  Pair pair = pair_new ();
  g_autoptr (KhNoise) again = side (FALSE);
  g_autoptr (KhNoise) replayer = side (TRUE);
  g_autoptr (GBytes) first = write_text (pair.joiner, "one");
  g_autoptr (GBytes) own = write_text (replayer, "one");
  g_autoptr (GBytes) answer = NULL;

  assert_reads (pair.inviter, first, "one");
  assert_reads (again, first, "one");
  answer = write_text (again, "two");
  g_assert_false (g_bytes_equal (own, first));
  assert_refuses (replayer, g_bytes_get_data (answer, NULL), g_bytes_get_size (answer));

  /* Nor does the answer on one socket open on another one of the friend's own. */
  exchange (pair.inviter, pair.joiner, "two");
  pair_clear (&pair);
}

static void
test_swapped_roles (void)
{
  g_autoptr (KhNoise) one = side (TRUE);
  g_autoptr (KhNoise) other = side (TRUE);
  g_autoptr (GBytes) first = write_text (one, "one");
  g_autoptr (GBytes) second = write_text (other, "two");

  assert_refuses (one, g_bytes_get_data (second, NULL), g_bytes_get_size (second));
  assert_refuses (other, g_bytes_get_data (first, NULL), g_bytes_get_size (first));
}

/* The three kinds of message, made anew from fixed ephemerals, so that each trial has a fresh reader. */
static Pair
pair_before (guint message)
{
  static const guint8 one[32] = { 1, 2, 3 }, two[32] = { 4, 5, 6 };
  Pair pair = pair_new ();

  kh_noise_set_ephemeral (pair.joiner, one);
  kh_noise_set_ephemeral (pair.inviter, two);
  if (message >= 1)
    exchange (pair.joiner, pair.inviter, "one");
  if (message >= 2)
    exchange (pair.inviter, pair.joiner, "two");

  return pair;
}

static GBytes *
next_message (Pair *pair, guint message)
{
  return write_text (message == 1 ? pair->inviter : pair->joiner, "payload");
}

static KhNoise *
next_reader (Pair *pair, guint message)
{
  return message == 1 ? pair->joiner : pair->inviter;
}

static void
test_flipped_bits (void)
{
  for (guint message = 0; message < 3; message++)
    {
      gsize length = (message < 2 ? 48 : 16) + strlen ("payload");

      for (gsize bit = 0; bit < length * 8; bit++)
        {
          Pair pair = pair_before (message);
          g_autoptr (GBytes) good = next_message (&pair, message);
          g_autofree guint8 *bad = g_memdup2 (g_bytes_get_data (good, NULL), length);

          g_assert_cmpuint (g_bytes_get_size (good), ==, length);
          bad[bit / 8] ^= 1 << bit % 8;
          assert_refuses (next_reader (&pair, message), bad, length);
          /* A session that failed stays so, even for the true message. */
          assert_refuses (next_reader (&pair, message), g_bytes_get_data (good, NULL), length);
          pair_clear (&pair);
        }
    }
}

static void
test_lengths (void)
{
  for (guint message = 0; message < 3; message++)
    {
      gsize length = (message < 2 ? 48 : 16) + strlen ("payload");

      for (gsize cut = 0; cut <= length + 40; cut++)
        {
          Pair pair = pair_before (message);
          g_autoptr (GBytes) good = next_message (&pair, message);
          g_autofree guint8 *bytes = g_malloc0 (length + 40);

          memcpy (bytes, g_bytes_get_data (good, NULL), length);
          if (cut != length)
            assert_refuses (next_reader (&pair, message), bytes, cut);
          pair_clear (&pair);
        }
    }
}

static void
test_too_long (void)
{
  g_autofree guint8 *bytes = g_malloc0 (KH_NOISE_MAX_MESSAGE + 1);

  for (guint message = 0; message < 3; message++)
    {
      Pair pair = pair_before (message);
      KhNoise *from = message == 1 ? pair.inviter : pair.joiner;
      gsize most = KH_NOISE_MAX_MESSAGE - kh_noise_get_overhead (from);
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) longest = NULL;
      g_autoptr (GBytes) payload = NULL;

      g_assert_null (kh_noise_write (from, bytes, most + 1, &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_TOO_LARGE);
      g_assert_null (kh_noise_write (from, bytes, G_MAXSIZE, NULL));

      longest = kh_noise_write (from, bytes, most, NULL);
      g_assert_cmpuint (g_bytes_get_size (longest), ==, KH_NOISE_MAX_MESSAGE);
      payload = read_bytes (next_reader (&pair, message), longest, NULL);
      g_assert_cmpuint (g_bytes_get_size (payload), ==, most);

      pair_clear (&pair);
      pair = pair_before (message);
      assert_refuses (next_reader (&pair, message), bytes, KH_NOISE_MAX_MESSAGE + 1);
      pair_clear (&pair);
    }
}

/* Points whose product with any key of ours is zero: 0, 1, the two of order 8, and p - 1, p, p + 1; the last
 * also with the ignored top bit set. */
static const char *const low_order[] = {
  "0000000000000000000000000000000000000000000000000000000000000000",
  "0100000000000000000000000000000000000000000000000000000000000000",
  "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
  "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
  "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  "0000000000000000000000000000000000000000000000000000000000000080",
  "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
};

static void
test_low_order (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (low_order); i++)
    {
      g_autoptr (GBytes) point = kh_test_unhex (low_order[i]);
      Pair pair = pair_new ();
      g_autoptr (GBytes) first = NULL;
      g_autoptr (GBytes) second = NULL;

      /* Written by one who holds the key, so that only the point is wrong. */
      kh_noise_set_public (pair.joiner, g_bytes_get_data (point, NULL));
      first = write_text (pair.joiner, "one");
      assert_refuses (pair.inviter, g_bytes_get_data (first, NULL), g_bytes_get_size (first));
      pair_clear (&pair);

      pair = pair_before (1);
      kh_noise_set_public (pair.inviter, g_bytes_get_data (point, NULL));
      second = write_text (pair.inviter, "two");
      assert_refuses (pair.joiner, g_bytes_get_data (second, NULL), g_bytes_get_size (second));
      pair_clear (&pair);
    }
}

/* Reordered, repeated and left out transport messages do not open. */
static void
test_order (void)
{
  for (guint trial = 0; trial < 3; trial++)
    {
      Pair pair = pair_before (2);
      g_autoptr (GBytes) one = write_text (pair.joiner, "1");
      g_autoptr (GBytes) two = write_text (pair.joiner, "2");
      GBytes *bad = trial == 1 ? one : two;

      if (trial == 1)
        assert_reads (pair.inviter, one, "1");
      if (trial == 2)
        {
          assert_reads (pair.inviter, one, "1");
          assert_reads (pair.inviter, two, "2");
        }
      assert_refuses (pair.inviter, g_bytes_get_data (bad, NULL), g_bytes_get_size (bad));
      pair_clear (&pair);
    }

  /* What we wrote does not open as the friend's. */
  {
    Pair pair = pair_before (2);
    g_autoptr (GBytes) own = write_text (pair.joiner, "1");

    assert_refuses (pair.joiner, g_bytes_get_data (own, NULL), g_bytes_get_size (own));
    pair_clear (&pair);
  }
}

/* Rekeyed every two messages from the vector's session on; expected values computed with python3-dissononce's
 * cipher and section 11.3 by hand, the counter going on. */
static void
test_rekey (void)
{
  static const char *const expected[] = {
    "c66e825a767611c641f43921845b8cd8c615f5d6a12ab3", "ceed0bee4e61e67984cc84dd87b6821d3cc49b259e924b",
    "cff411cf2ba601014f3251de7070a807ebdee6f9cf3720", "7d4be4f7ca1845c815c46daefed972f66e0b3ccad60f7b",
    "b7ff777d656a5987ef44d72e35a2281516f5105691a3e3",
  };
  g_autoptr (JsonObject) vector = NULL;
  Pair pair = pair_of_vector (&vector);
  JsonArray *messages = json_object_get_array_member (vector, "messages");

  kh_noise_set_rekey_interval (pair.joiner, 2);
  kh_noise_set_rekey_interval (pair.inviter, 2);
  play_message (&pair, json_array_get_object_element (messages, 0), 0);
  play_message (&pair, json_array_get_object_element (messages, 1), 1);

  for (guint i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      g_autofree char *text = g_strdup_printf ("frame %u", i);
      g_autoptr (GBytes) message = write_text (pair.joiner, text);

      kh_test_assert_hex (g_bytes_get_data (message, NULL), g_bytes_get_size (message), expected[i]);
      assert_reads (pair.inviter, message, text);
    }

  /* Each direction counts for itself. */
  for (guint i = 0; i < 7; i++)
    exchange (pair.inviter, pair.joiner, "back");
  exchange (pair.joiner, pair.inviter, "there");
  pair_clear (&pair);
}

/* The true interval: a side that does not rekey parts from one that does at 2²⁰, not before. */
static void
test_rekey_interval (void)
{
  const guint interval = 1 << 20;
  Pair pair = pair_new ();
  gint64 start = g_get_monotonic_time ();
  guint8 message[16];

  kh_noise_set_rekey_interval (pair.inviter, G_MAXUINT64);
  open_pair (&pair);

  for (guint i = 0; i < interval; i++)
    {
      g_autoptr (GBytes) payload = NULL;

      g_assert_true (kh_noise_write_to (pair.joiner, NULL, 0, message, NULL));
      payload = kh_noise_read (pair.inviter, message, sizeof message, NULL);
      g_assert_nonnull (payload);
    }
  g_test_message ("%u empty messages written and read in %.2f s", interval, (g_get_monotonic_time () - start) / 1e6);

  g_assert_true (kh_noise_write_to (pair.joiner, NULL, 0, message, NULL));
  assert_refuses (pair.inviter, message, sizeof message);
  pair_clear (&pair);
}

/* No limit is asserted: a figure for the log. */
static void
test_speed (void)
{
  const gsize length = KH_NOISE_MAX_MESSAGE - 16;
  g_autofree guint8 *payload = g_malloc0 (length);
  g_autofree guint8 *message = g_malloc (KH_NOISE_MAX_MESSAGE);
  Pair pair = pair_new ();
  gint64 start;

  open_pair (&pair);
  start = g_get_monotonic_time ();
  for (guint i = 0; i < 1000; i++)
    {
      g_autoptr (GBytes) opened = NULL;

      g_assert_true (kh_noise_write_to (pair.joiner, payload, length, message, NULL));
      opened = kh_noise_read (pair.inviter, message, KH_NOISE_MAX_MESSAGE, NULL);
      g_assert_cmpuint (g_bytes_get_size (opened), ==, length);
    }
  g_test_message ("sealed and opened at %.0f MB/s", 1000.0 * length / (g_get_monotonic_time () - start));
  pair_clear (&pair);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/noise/vector", test_vector);
  g_test_add_func ("/noise/turns", test_turns);
  g_test_add_func ("/noise/read-out-of-turn", test_read_out_of_turn);
  g_test_add_func ("/noise/wrong-key", test_wrong_key);
  g_test_add_func ("/noise/wrong-prologue", test_wrong_prologue);
  g_test_add_func ("/noise/replay", test_replay);
  g_test_add_func ("/noise/swapped-roles", test_swapped_roles);
  g_test_add_func ("/noise/flipped-bits", test_flipped_bits);
  g_test_add_func ("/noise/lengths", test_lengths);
  g_test_add_func ("/noise/too-long", test_too_long);
  g_test_add_func ("/noise/low-order", test_low_order);
  g_test_add_func ("/noise/order", test_order);
  g_test_add_func ("/noise/rekey", test_rekey);
  g_test_add_func ("/noise/rekey-interval", test_rekey_interval);
  g_test_add_func ("/noise/speed", test_speed);
  return g_test_run ();
}
