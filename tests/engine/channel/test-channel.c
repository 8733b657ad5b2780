/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel-pair.h"
#include "kh-error.h"
#include "kh-noise.h"
#include "kh-test.h"

#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>

#define WAIT 3000

/* A friend made by hand: a bare stream and a Noise session, so that tests decide about every byte. */
typedef struct
{
  GIOStream *stream;
  KhNoise *noise;
} Hand;

static void
hand_clear (Hand *hand)
{
  g_clear_object (&hand->stream);
  g_clear_pointer (&hand->noise, kh_noise_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Hand, hand_clear)

static Hand
hand_new (LineKind kind, KhRole role, KhChannel **channel)
{
  static const guint8 prologue[] = { 'k', 'n', 'o', 't', 'h', 'o', 'l', 'e', '/', '1', 0, 0, 0, 7 };
  g_autoptr (GIOStream) theirs = NULL;
  Hand hand;

  line_new (kind, &theirs, &hand.stream);
  hand.noise = kh_noise_new (role == KH_ROLE_JOINER, TEST_PSK, prologue, sizeof prologue);
  *channel = kh_channel_new (theirs, role == KH_ROLE_JOINER ? KH_ROLE_INVITER : KH_ROLE_JOINER, TEST_PSK, 7);

  return hand;
}

static void
hand_seal (Hand *hand, GByteArray *wire, const void *payload, gsize length)
{
  g_autoptr (GBytes) message = kh_noise_write (hand->noise, payload, length, NULL);
  gsize sealed = g_bytes_get_size (message);

  g_byte_array_append (wire, (guint8[]){ sealed >> 8, sealed & 0xff }, 2);
  g_byte_array_append (wire, g_bytes_get_data (message, NULL), sealed);
}

static void
hand_put (Hand *hand, const void *bytes, gsize length)
{
  g_autoptr (GError) error = NULL;

  g_output_stream_write_all (g_io_stream_get_output_stream (hand->stream), bytes, length, NULL, NULL, &error);
  g_assert_no_error (error);
}

static void
hand_say (Hand *hand, const char *text)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  hand_seal (hand, wire, text, strlen (text));
  hand_put (hand, wire->data, wire->len);
}

/* Reads @length bytes while the main loop turns. */
static void
hand_take (Hand *hand, guint8 *bytes, gsize length)
{
  g_autoptr (GAsyncResult) result = NULL;
  gsize got;

  g_input_stream_read_all_async (g_io_stream_get_input_stream (hand->stream), bytes, length, G_PRIORITY_DEFAULT, NULL,
                                 kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, WAIT);
  g_assert_true (g_input_stream_read_all_finish (g_io_stream_get_input_stream (hand->stream), result, &got, NULL));
  g_assert_cmpuint (got, ==, length);
}

static void
hand_hear (Hand *hand, const char *text)
{
  guint8 length[2];
  g_autofree guint8 *message = NULL;
  g_autoptr (GBytes) payload = NULL;

  hand_take (hand, length, 2);
  message = g_malloc (length[0] << 8 | length[1]);
  hand_take (hand, message, length[0] << 8 | length[1]);
  payload = kh_noise_read (hand->noise, message, length[0] << 8 | length[1], NULL);
  g_assert_nonnull (payload);
  g_assert_cmpmem (g_bytes_get_data (payload, NULL), g_bytes_get_size (payload), text, strlen (text));
}

/* Nothing came but the end. */
static void
hand_assert_nothing (Hand *hand)
{
  GInputStream *input = g_io_stream_get_input_stream (hand->stream);
  g_autoptr (GAsyncResult) result = NULL;
  guint8 byte;

  g_input_stream_read_async (input, &byte, 1, G_PRIORITY_DEFAULT, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, WAIT);
  g_assert_cmpint (g_input_stream_read_finish (input, result, NULL), <=, 0);
}

/* A joiner by hand and an inviter's channel whose handshake is over. */
static Hand
hand_open (LineKind kind, KhChannel **channel, Ear *ear)
{
  Hand hand = hand_new (kind, KH_ROLE_JOINER, channel);

  ear_listen (ear, *channel);
  hand_say (&hand, "first");
  kh_test_wait_until (ear->frames->len == 1, WAIT);
  g_assert_true (channel_say (*channel, "second"));
  hand_hear (&hand, "second");
  g_ptr_array_set_size (ear->frames, 0);

  return hand;
}

static void
finish (KhChannel *channel)
{
  g_assert_finalize_object (channel);
  kh_test_settle ();
}

static void
test_talk (gconstpointer kind)
{
  g_autoptr (GIOStream) one = NULL;
  g_autoptr (GIOStream) other = NULL;
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) joiner_ear = ear_new ();
  g_autoptr (Ear) inviter_ear = ear_new ();
  gint64 start = g_get_monotonic_time ();

  line_new (GPOINTER_TO_INT (kind), &one, &other);
  joiner = kh_channel_new (one, KH_ROLE_JOINER, TEST_PSK, 3);
  inviter = kh_channel_new (other, KH_ROLE_INVITER, TEST_PSK, 3);
  g_assert_true (kh_channel_get_stream (joiner) == one);
  ear_listen (joiner_ear, joiner);
  ear_listen (inviter_ear, inviter);

  g_assert_true (channel_say (joiner, "{\"attempt\":1}"));
  g_assert_null (kh_channel_get_first_message (inviter));
  g_assert_cmpint (kh_channel_get_last_heard (inviter), ==, 0);
  kh_test_wait_until (inviter_ear->frames->len == 1, WAIT);
  ear_assert_frame (inviter_ear, 0, "{\"attempt\":1}");
  g_assert_cmpint (kh_channel_get_last_heard (inviter), >=, start);
  g_assert_cmpuint (g_bytes_get_size (kh_channel_get_first_message (inviter)), ==, 48 + strlen ("{\"attempt\":1}"));
  g_assert_null (kh_channel_get_first_message (joiner));

  g_assert_true (channel_say (inviter, "{\"nominate\":1}"));
  g_assert_true (channel_say (inviter, "三"));
  g_assert_true (channel_say (inviter, ""));
  kh_test_wait_until (joiner_ear->frames->len == 3, WAIT);
  ear_assert_frame (joiner_ear, 0, "{\"nominate\":1}");
  ear_assert_frame (joiner_ear, 1, "三");
  ear_assert_frame (joiner_ear, 2, "");
  g_assert_true (channel_say (joiner, "back"));
  kh_test_wait_until (inviter_ear->frames->len == 2, WAIT);
  ear_assert_frame (inviter_ear, 1, "back");

  finish (joiner);
  kh_test_wait_until (inviter_ear->closed == 1, WAIT);
  g_assert_no_error (inviter_ear->error);
  finish (inviter);
}

static void
test_longest (void)
{
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) ear = ear_new ();
  g_autofree guint8 *data = g_malloc (KH_CHANNEL_MAX_FRAME + 1);
  g_autoptr (GBytes) longest = NULL;
  g_autoptr (GBytes) too_long = NULL;

  for (gsize i = 0; i <= KH_CHANNEL_MAX_FRAME; i++)
    data[i] = i * 7;
  longest = g_bytes_new (data, KH_CHANNEL_MAX_FRAME);
  too_long = g_bytes_new (data, KH_CHANNEL_MAX_FRAME + 1);

  channel_pair_new (LINE_TCP, &joiner, &inviter);
  ear_listen (ear, inviter);
  for (guint i = 0; i < 5; i++)
    {
      g_assert_true (kh_channel_send (joiner, longest));
      g_assert_true (channel_say (joiner, ""));
    }
  kh_test_wait_until (ear->frames->len == 10, WAIT);
  for (guint i = 0; i < 10; i += 2)
    g_assert_true (g_bytes_equal (g_ptr_array_index (ear->frames, i), longest));

  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*MAX_FRAME*");
  g_assert_false (kh_channel_send (joiner, too_long));
  g_test_assert_expected_messages ();

  finish (joiner);
  finish (inviter);
}

/* The longest first message there can be, and the longest transport message: 65 535 bytes each. */
static void
test_longest_messages (void)
{
  KhChannel *channel;
  g_auto (Hand) hand = hand_new (LINE_TCP, KH_ROLE_JOINER, &channel);
  g_autoptr (Ear) ear = ear_new ();
  g_autoptr (GByteArray) wire = g_byte_array_new ();
  g_autofree guint8 *data = g_malloc0 (KH_NOISE_MAX_MESSAGE);

  ear_listen (ear, channel);
  hand_seal (&hand, wire, data, KH_NOISE_MAX_MESSAGE - 48);
  hand_put (&hand, wire->data, wire->len);
  kh_test_wait_until (ear->frames->len == 1, WAIT);
  g_assert_cmpuint (g_bytes_get_size (g_ptr_array_index (ear->frames, 0)), ==, KH_NOISE_MAX_MESSAGE - 48);
  g_assert_true (channel_say (channel, "second"));
  hand_hear (&hand, "second");

  g_byte_array_set_size (wire, 0);
  hand_seal (&hand, wire, data, KH_NOISE_MAX_MESSAGE - 16);
  hand_put (&hand, wire->data, wire->len);
  kh_test_wait_until (ear->frames->len == 2, WAIT);
  g_assert_cmpuint (g_bytes_get_size (g_ptr_array_index (ear->frames, 1)), ==, KH_NOISE_MAX_MESSAGE - 16);
  finish (channel);
}

/* Nothing may depend on how the bytes are cut. */
static void
test_byte_by_byte (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  hand_seal (&hand, wire, "一", strlen ("一"));
  hand_seal (&hand, wire, "", 0);
  hand_seal (&hand, wire, "three", 5);
  for (guint i = 0; i < wire->len; i++)
    {
      hand_put (&hand, wire->data + i, 1);
      kh_test_settle ();
    }
  kh_test_wait_until (ear->frames->len == 3, WAIT);
  ear_assert_frame (ear, 0, "一");
  ear_assert_frame (ear, 1, "");
  ear_assert_frame (ear, 2, "three");
  finish (channel);
}

static void
put_three (Hand *hand)
{
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  hand_seal (hand, wire, "1", 1);
  hand_seal (hand, wire, "2", 1);
  hand_seal (hand, wire, "3", 1);
  hand_put (hand, wire->data, wire->len);
}

static void
swap_to (KhChannel *channel, gpointer data)
{
  ear_listen (data, channel);
}

/* Frames that came in one packet go to whoever is the handler when they are due. */
static void
test_swap (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_autoptr (Ear) other = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);

  ear->on_frame = swap_to;
  ear->data = other;
  put_three (&hand);
  kh_test_wait_until (other->frames->len == 2, WAIT);
  g_assert_cmpuint (ear->frames->len, ==, 1);
  ear_assert_frame (ear, 0, "1");
  ear_assert_frame (other, 0, "2");
  ear_assert_frame (other, 1, "3");

  g_clear_object (&hand.stream);
  kh_test_wait_until (other->closed == 1, WAIT);
  g_assert_cmpuint (ear->closed, ==, 0);
  finish (channel);
}

static void
pause_channel (KhChannel *channel, gpointer data)
{
  kh_channel_set_handler (channel, NULL, NULL, NULL);
}

static void
test_pause (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);

  ear->on_frame = pause_channel;
  put_three (&hand);
  for (guint i = 1; i <= 3; i++)
    {
      kh_test_wait_until (ear->frames->len == i, WAIT);
      kh_test_settle ();
      g_assert_cmpuint (ear->frames->len, ==, i);
      ear_listen (ear, channel);
      g_assert_cmpuint (ear->frames->len, ==, i);
    }

  /* The end, too, waits for somebody to hear it. */
  pause_channel (channel, NULL);
  g_clear_object (&hand.stream);
  kh_test_settle ();
  g_assert_cmpuint (ear->closed, ==, 0);
  ear_listen (ear, channel);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_no_error (ear->error);
  finish (channel);
}

static void
close_channel (KhChannel *channel, gpointer data)
{
  kh_channel_close (channel);
}

static void
test_close_inside (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);

  ear->on_frame = close_channel;
  put_three (&hand);
  kh_test_wait_until (ear->frames->len == 1, WAIT);
  g_assert_false (channel_say (channel, "too late"));
  hand_assert_nothing (&hand);
  kh_test_settle ();
  g_assert_cmpuint (ear->frames->len, ==, 1);
  g_assert_cmpuint (ear->closed, ==, 0);
  finish (channel);
}

static void
unref_channel (KhChannel *channel, gpointer data)
{
  KhChannel **owned = data;

  g_assert_true (*owned == channel);
  g_assert_finalize_object (g_steal_pointer (owned));
}

static void
test_unref_inside (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);

  ear->on_frame = unref_channel;
  ear->data = &channel;
  put_three (&hand);
  kh_test_wait_until (channel == NULL, WAIT);
  hand_assert_nothing (&hand);
  g_assert_cmpuint (ear->frames->len, ==, 1);
  g_assert_cmpuint (ear->closed, ==, 0);
}

static void
test_unref_at_end (gconstpointer junk)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);

  ear->on_closed = unref_channel;
  ear->data = &channel;
  if (junk != NULL)
    hand_put (&hand, (guint8[]){ 0, 15 }, 2);
  else
    g_clear_object (&hand.stream);
  kh_test_wait_until (channel == NULL, WAIT);
  kh_test_settle ();
  g_assert_cmpuint (ear->closed, ==, 1);
}

static void
turn_loop (KhChannel *channel, gpointer data)
{
  static gboolean inside;

  g_assert_false (inside);
  inside = TRUE;
  kh_test_settle ();
  inside = FALSE;
}

/* A handler that runs the main loop itself gets no second frame inside the first. */
static void
test_loop_inside (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);

  ear->on_frame = turn_loop;
  put_three (&hand);
  kh_test_wait_until (ear->frames->len == 3, WAIT);
  ear_assert_frame (ear, 2, "3");
  finish (channel);
}

/* What cannot be a first message is refused by its length field alone, and no byte is answered. */
static void
test_stranger_length (void)
{
  for (guint length = 0; length < 48; length++)
    {
      KhChannel *channel;
      g_auto (Hand) hand = hand_new (LINE_UNIX, KH_ROLE_JOINER, &channel);
      g_autoptr (Ear) ear = ear_new ();

      ear_listen (ear, channel);
      hand_put (&hand, (guint8[]){ 0, length }, 2);
      kh_test_wait_until (ear->closed == 1, WAIT);
      g_assert_error (ear->error, KH_ERROR, KH_ERROR_PROTOCOL);
      g_assert_false (channel_say (channel, "second"));
      kh_channel_close (channel);
      hand_assert_nothing (&hand);
      finish (channel);
    }
}

/* Length fields mean nothing beyond 64 KiB: of an endless stream of 0xff one message is read and refused. */
static void
test_endless_junk (void)
{
  KhChannel *channel;
  g_auto (Hand) hand = hand_new (LINE_TCP, KH_ROLE_JOINER, &channel);
  GOutputStream *output = g_io_stream_get_output_stream (hand.stream);
  g_autoptr (Ear) ear = ear_new ();
  g_autofree guint8 *junk = g_malloc (1 << 20);
  g_autoptr (GAsyncResult) result = NULL;

  memset (junk, 0xff, 1 << 20);
  ear_listen (ear, channel);
  g_output_stream_write_all_async (output, junk, 1 << 20, G_PRIORITY_DEFAULT, NULL, kh_test_store_result, &result);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_error (ear->error, KH_ERROR, KH_ERROR_PROTOCOL);
  kh_channel_close (channel);
  kh_test_wait_until (result != NULL, WAIT);
  g_output_stream_write_all_finish (output, result, NULL, NULL);
  hand_assert_nothing (&hand);
  finish (channel);
}

static void
test_wrong_key (void)
{
  static const guint8 other_psk[32] = "not our common key, 32 bytes ..";
  g_autoptr (GIOStream) one = NULL;
  g_autoptr (GIOStream) other = NULL;
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) joiner_ear = ear_new ();
  g_autoptr (Ear) inviter_ear = ear_new ();

  line_new (LINE_TCP, &one, &other);
  joiner = kh_channel_new (one, KH_ROLE_JOINER, other_psk, 0);
  inviter = kh_channel_new (other, KH_ROLE_INVITER, TEST_PSK, 0);
  ear_listen (joiner_ear, joiner);
  ear_listen (inviter_ear, inviter);
  channel_say (joiner, "first");
  kh_test_wait_until (inviter_ear->closed == 1, WAIT);
  g_assert_error (inviter_ear->error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_null (kh_channel_get_first_message (inviter));

  kh_channel_close (inviter);
  kh_test_wait_until (joiner_ear->closed == 1, WAIT);
  g_assert_cmpint (kh_channel_get_last_heard (joiner), ==, 0);
  finish (joiner);
  finish (inviter);
}

static void
test_wrong_epoch (void)
{
  g_autoptr (GIOStream) one = NULL;
  g_autoptr (GIOStream) other = NULL;
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) ear = ear_new ();

  line_new (LINE_UNIX, &one, &other);
  joiner = kh_channel_new (one, KH_ROLE_JOINER, TEST_PSK, 0);
  inviter = kh_channel_new (other, KH_ROLE_INVITER, TEST_PSK, 1);
  ear_listen (ear, inviter);
  channel_say (joiner, "first");
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_error (ear->error, KH_ERROR, KH_ERROR_PROTOCOL);
  finish (joiner);
  finish (inviter);
}

/* Two sockets with the same first message: the bytes tell. The answers differ and only the friend opens the
 * first. */
static void
test_replay (void)
{
  KhChannel *channel, *replayed;
  g_auto (Hand) hand = hand_new (LINE_UNIX, KH_ROLE_JOINER, &channel);
  g_auto (Hand) stranger = hand_new (LINE_UNIX, KH_ROLE_JOINER, &replayed);
  g_autoptr (Ear) ear = ear_new ();
  g_autoptr (Ear) other = ear_new ();
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  ear_listen (ear, channel);
  ear_listen (other, replayed);
  hand_seal (&hand, wire, "first", 5);
  hand_put (&hand, wire->data, wire->len);
  hand_put (&stranger, wire->data, wire->len);
  kh_test_wait_until (ear->frames->len == 1 && other->frames->len == 1, WAIT);
  g_assert_true (g_bytes_equal (kh_channel_get_first_message (channel), kh_channel_get_first_message (replayed)));

  channel_say (channel, "second");
  hand_hear (&hand, "second");
  finish (channel);
  finish (replayed);
}

static void
test_tampered (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  hand_seal (&hand, wire, "good", 4);
  hand_seal (&hand, wire, "bad", 3);
  hand_seal (&hand, wire, "good again", 10);
  wire->data[2 + 20 + 2 + 1] ^= 0x40;
  hand_put (&hand, wire->data, wire->len);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_error (ear->error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_cmpuint (ear->frames->len, ==, 1);
  g_assert_false (channel_say (channel, "x"));
  finish (channel);
}

static void
test_end_between (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_TCP, &channel, ear);
  GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (hand.stream));

  put_three (&hand);
  g_socket_shutdown (socket, FALSE, TRUE, NULL);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_no_error (ear->error);
  g_assert_cmpuint (ear->frames->len, ==, 3);

  /* The friend still reads. */
  g_assert_true (channel_say (channel, "still here"));
  hand_hear (&hand, "still here");
  finish (channel);
}

static void
test_end_within (void)
{
  for (guint cut = 1; cut < 2 + 16 + 5; cut++)
    {
      KhChannel *channel;
      g_autoptr (Ear) ear = ear_new ();
      g_auto (Hand) hand = hand_open (LINE_UNIX, &channel, ear);
      g_autoptr (GByteArray) wire = g_byte_array_new ();

      hand_seal (&hand, wire, "frame", 5);
      hand_put (&hand, wire->data, cut);
      g_clear_object (&hand.stream);
      kh_test_wait_until (ear->closed == 1, WAIT);
      g_assert_error (ear->error, G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT);
      g_assert_cmpuint (ear->frames->len, ==, 0);
      finish (channel);
    }
}

static void
reset (Hand *hand)
{
  GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (hand->stream));
  struct linger linger = { 1, 0 };

  g_assert_no_errno (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
  g_clear_object (&hand->stream);
}

static void
test_reset (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_TCP, &channel, ear);

  reset (&hand);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_error (ear->error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED);
  finish (channel);
}

/* Writing meets the reset first: it must not pass for an end in order, and what came before it is still read.
 */
static void
test_reset_while_writing (void)
{
  KhChannel *channel;
  g_autoptr (Ear) ear = ear_new ();
  g_auto (Hand) hand = hand_open (LINE_TCP, &channel, ear);

  kh_channel_set_handler (channel, NULL, NULL, NULL);
  put_three (&hand);
  kh_test_settle ();
  reset (&hand);
  g_assert_true (channel_say (channel, "into the void"));
  kh_test_wait_until (!channel_say (channel, "again"), WAIT);
  g_assert_cmpuint (kh_channel_get_queued (channel), ==, 0);

  ear_listen (ear, channel);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_cmpuint (ear->frames->len, ==, 3);
  g_assert_nonnull (ear->error);
  finish (channel);
}

/* A friend who does not read: the queue has a bound, and nothing is lost when reading goes on. */
static void
test_queue_bound (gconstpointer kind)
{
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) ear = ear_new ();
  g_autofree guint8 *data = g_malloc0 (50000);
  g_autoptr (GBytes) block = g_bytes_new (data, 50000);
  guint sent = 0;

  channel_pair_new (GPOINTER_TO_INT (kind), &joiner, &inviter);
  while (kh_channel_send (joiner, block))
    {
      sent++;
      kh_test_settle ();
      g_assert_cmpuint (sent, <, 1000);
    }
  g_assert_cmpuint (kh_channel_get_queued (joiner), <=, KH_CHANNEL_MAX_QUEUED);
  g_assert_cmpuint (kh_channel_get_queued (joiner), >, KH_CHANNEL_MAX_QUEUED - 50100);

  ear_listen (ear, inviter);
  kh_test_wait_until (ear->frames->len == sent, WAIT);
  g_assert_cmpuint (kh_channel_get_queued (joiner), ==, 0);
  g_assert_true (channel_say (joiner, "room again"));
  kh_test_wait_until (ear->frames->len == sent + 1, WAIT);
  ear_assert_frame (ear, sent, "room again");
  finish (joiner);
  finish (inviter);
}

/* All that was sent arrives before the end; the other direction stays. */
static void
test_shutdown (gconstpointer kind)
{
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) joiner_ear = ear_new ();
  g_autoptr (Ear) ear = ear_new ();
  g_autofree guint8 *data = g_malloc0 (60000);
  g_autoptr (GBytes) block = g_bytes_new (data, 60000);

  channel_pair_new (GPOINTER_TO_INT (kind), &joiner, &inviter);
  ear_listen (joiner_ear, joiner);
  for (guint i = 0; i < 50; i++)
    g_assert_true (kh_channel_send (joiner, block));
  kh_channel_shutdown (joiner);
  kh_channel_shutdown (joiner);
  g_assert_false (channel_say (joiner, "no more"));

  ear_listen (ear, inviter);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_no_error (ear->error);
  g_assert_cmpuint (ear->frames->len, ==, 50);

  g_assert_true (channel_say (inviter, "still talking"));
  kh_channel_shutdown (inviter);
  kh_test_wait_until (joiner_ear->closed == 1, WAIT);
  ear_assert_frame (joiner_ear, 0, "still talking");
  g_assert_no_error (joiner_ear->error);
  finish (joiner);
  finish (inviter);
}

/* Closed with a read pending and a full queue behind a pending write; twice; then dropped. */
static void
test_close (gconstpointer kind)
{
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) ear = ear_new ();
  g_autoptr (Ear) other = ear_new ();
  g_autofree guint8 *data = g_malloc0 (60000);
  g_autoptr (GBytes) block = g_bytes_new (data, 60000);

  channel_pair_new (GPOINTER_TO_INT (kind), &joiner, &inviter);
  ear_listen (ear, joiner);
  while (kh_channel_send (joiner, block))
    ;
  kh_test_settle ();
  kh_channel_close (joiner);
  kh_channel_close (joiner);
  kh_channel_shutdown (joiner);
  kh_channel_set_handler (joiner, NULL, NULL, NULL);
  ear_listen (ear, joiner);
  g_assert_false (channel_say (joiner, "x"));

  ear_listen (other, inviter);
  kh_test_wait_until (other->closed == 1, WAIT);
  kh_test_settle ();
  g_assert_cmpuint (ear->closed, ==, 0);
  finish (joiner);
  finish (inviter);
}

/* Dropped with calls pending and never closed: the stream goes too. */
static void
test_drop (void)
{
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) ear = ear_new ();
  GIOStream *stream;

  channel_pair_new (LINE_TCP, &joiner, &inviter);
  ear_listen (ear, inviter);
  kh_test_settle ();
  stream = kh_channel_get_stream (inviter);
  g_object_add_weak_pointer (G_OBJECT (stream), (gpointer *) &stream);
  g_assert_true (channel_say (inviter, "pending"));
  g_assert_finalize_object (inviter);
  kh_test_wait_until (stream == NULL, WAIT);
  finish (joiner);
}

/* Before the first frames have gone through each side has one turn. */
static void
test_turns (void)
{
  g_autoptr (GIOStream) one = NULL;
  g_autoptr (GIOStream) other = NULL;
  KhChannel *joiner, *inviter;

  line_new (LINE_UNIX, &one, &other);
  joiner = kh_channel_new (one, KH_ROLE_JOINER, TEST_PSK, 0);
  inviter = kh_channel_new (other, KH_ROLE_INVITER, TEST_PSK, 0);
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*may_write*");
  g_assert_false (channel_say (inviter, "too early"));
  g_assert_true (channel_say (joiner, "first"));
  g_test_expect_message (NULL, G_LOG_LEVEL_CRITICAL, "*may_write*");
  g_assert_false (channel_say (joiner, "too early"));
  g_test_assert_expected_messages ();
  finish (joiner);
  finish (inviter);
}

/* A joiner is as careful: whoever answers without the key, or speaks first, is refused. */
static void
test_joiner_hears_stranger (gconstpointer text)
{
  KhChannel *channel;
  g_auto (Hand) hand = hand_new (LINE_TCP, KH_ROLE_INVITER, &channel);
  g_autoptr (Ear) ear = ear_new ();
  g_autofree guint8 *junk = g_malloc0 (KH_NOISE_MAX_MESSAGE + 2);

  memcpy (junk, text, strlen (text));
  ear_listen (ear, channel);
  g_assert_true (channel_say (channel, "first"));
  hand_put (&hand, junk, KH_NOISE_MAX_MESSAGE + 2);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_error (ear->error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_cmpuint (ear->frames->len, ==, 0);
  finish (channel);
}

static void
test_joiner_hears_first (void)
{
  KhChannel *channel;
  g_auto (Hand) hand = hand_new (LINE_UNIX, KH_ROLE_JOINER, &channel);
  KhChannel *joiner;
  g_auto (Hand) early = hand_new (LINE_UNIX, KH_ROLE_INVITER, &joiner);
  g_autoptr (Ear) ear = ear_new ();
  g_autoptr (GByteArray) wire = g_byte_array_new ();

  ear_listen (ear, joiner);
  hand_seal (&hand, wire, "first", 5);
  hand_put (&early, wire->data, wire->len);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_error (ear->error, KH_ERROR, KH_ERROR_PROTOCOL);
  finish (channel);
  finish (joiner);
}

/* No limit is asserted: a figure for the log. */
static void
test_speed (void)
{
  const guint blocks = 2000;
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) ear = ear_new ();
  g_autofree guint8 *data = g_malloc0 (KH_CHANNEL_MAX_FRAME);
  g_autoptr (GBytes) block = g_bytes_new (data, KH_CHANNEL_MAX_FRAME);
  gint64 start = g_get_monotonic_time ();
  guint sent = 0, heard = 0;

  channel_pair_new (LINE_TCP, &joiner, &inviter);
  ear_listen (ear, inviter);
  while (heard < blocks)
    {
      while (sent < blocks && kh_channel_send (joiner, block))
        sent++;
      g_main_context_iteration (NULL, TRUE);
      heard += ear->frames->len;
      g_ptr_array_set_size (ear->frames, 0);
      g_assert_cmpuint (ear->closed, ==, 0);
    }
  g_test_message ("%.0f MB/s over loopback TCP, both ends in one thread",
                  (double) blocks * KH_CHANNEL_MAX_FRAME / (g_get_monotonic_time () - start));
  finish (joiner);
  finish (inviter);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/channel/talk/unix", GINT_TO_POINTER (LINE_UNIX), test_talk);
  g_test_add_data_func ("/channel/talk/tcp", GINT_TO_POINTER (LINE_TCP), test_talk);
  g_test_add_data_func ("/channel/talk/pipes", GINT_TO_POINTER (LINE_PIPES), test_talk);
  g_test_add_func ("/channel/longest", test_longest);
  g_test_add_func ("/channel/longest-messages", test_longest_messages);
  g_test_add_func ("/channel/byte-by-byte", test_byte_by_byte);
  g_test_add_func ("/channel/swap", test_swap);
  g_test_add_func ("/channel/pause", test_pause);
  g_test_add_func ("/channel/close-inside", test_close_inside);
  g_test_add_func ("/channel/unref-inside", test_unref_inside);
  g_test_add_data_func ("/channel/unref-at-end", NULL, test_unref_at_end);
  g_test_add_data_func ("/channel/unref-at-junk", "junk", test_unref_at_end);
  g_test_add_func ("/channel/loop-inside", test_loop_inside);
  g_test_add_func ("/channel/stranger-length", test_stranger_length);
  g_test_add_func ("/channel/endless-junk", test_endless_junk);
  g_test_add_func ("/channel/wrong-key", test_wrong_key);
  g_test_add_func ("/channel/wrong-epoch", test_wrong_epoch);
  g_test_add_func ("/channel/replay", test_replay);
  g_test_add_func ("/channel/tampered", test_tampered);
  g_test_add_func ("/channel/end-between", test_end_between);
  g_test_add_func ("/channel/end-within", test_end_within);
  g_test_add_func ("/channel/reset", test_reset);
  g_test_add_func ("/channel/reset-while-writing", test_reset_while_writing);
  g_test_add_data_func ("/channel/queue-bound/unix", GINT_TO_POINTER (LINE_UNIX), test_queue_bound);
  g_test_add_data_func ("/channel/queue-bound/tcp", GINT_TO_POINTER (LINE_TCP), test_queue_bound);
  g_test_add_data_func ("/channel/queue-bound/pipes", GINT_TO_POINTER (LINE_PIPES), test_queue_bound);
  g_test_add_data_func ("/channel/shutdown/unix", GINT_TO_POINTER (LINE_UNIX), test_shutdown);
  g_test_add_data_func ("/channel/shutdown/tcp", GINT_TO_POINTER (LINE_TCP), test_shutdown);
  g_test_add_data_func ("/channel/shutdown/pipes", GINT_TO_POINTER (LINE_PIPES), test_shutdown);
  g_test_add_data_func ("/channel/close/unix", GINT_TO_POINTER (LINE_UNIX), test_close);
  g_test_add_data_func ("/channel/close/tcp", GINT_TO_POINTER (LINE_TCP), test_close);
  g_test_add_data_func ("/channel/close/pipes", GINT_TO_POINTER (LINE_PIPES), test_close);
  g_test_add_func ("/channel/drop", test_drop);
  g_test_add_func ("/channel/turns", test_turns);
  g_test_add_data_func ("/channel/joiner-hears/short", "", test_joiner_hears_stranger);
  g_test_add_data_func ("/channel/joiner-hears/http", "HTTP/1.1 400 Bad Request", test_joiner_hears_stranger);
  g_test_add_func ("/channel/joiner-hears/first", test_joiner_hears_first);
  g_test_add_func ("/channel/speed", test_speed);
  return g_test_run ();
}
