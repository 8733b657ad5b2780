/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel-pair.h"
#include "kh-conversation-private.h"
#include "kh-conversation.h"
#include "kh-error.h"
#include "kh-json.h"
#include "kh-outbox.h"
#include "kh-test.h"

#include <string.h>
#include <sys/socket.h>

#define WAIT 5000

/* One side and all it told. */
typedef struct
{
  KhConversation *conversation;
  GPtrArray *texts;
  guint64 last_received;
  guint64 last_delivered;
  gint64 last_sent;
  guint friend_finished;
  guint ended;
  GError *error;
  void (*react) (gpointer side, const char *to);
} Side;

static void
tell (Side *side, const char *what)
{
  if (side->react != NULL)
    side->react (side, what);
}

/* Signals carry the side in which they are noted, and nothing comes after the end. */
static void
received_cb (KhConversation *conversation, guint64 id, const char *text, gint64 sent, gpointer user_data)
{
  Side *side = user_data;

  g_assert_cmpuint (side->ended, ==, 0);
  g_assert_cmpuint (id, ==, ++side->last_received);
  side->last_sent = sent;
  g_ptr_array_add (side->texts, g_strdup (text));
  tell (side, "received");
}

static void
delivered_cb (KhConversation *conversation, guint64 id, gpointer user_data)
{
  Side *side = user_data;

  g_assert_cmpuint (side->ended, ==, 0);
  g_assert_cmpuint (id, ==, ++side->last_delivered);
  tell (side, "delivered");
}

static void
friend_finished_cb (KhConversation *conversation, gpointer user_data)
{
  Side *side = user_data;

  g_assert_cmpuint (side->ended, ==, 0);
  g_assert_cmpuint (side->friend_finished++, ==, 0);
  tell (side, "friend-finished");
}

static void
ended_cb (KhConversation *conversation, const GError *error, gpointer user_data)
{
  Side *side = user_data;

  g_assert_cmpuint (side->ended++, ==, 0);
  if (error != NULL)
    side->error = g_error_copy (error);
  tell (side, "ended");
}

static Side *
side_new (void)
{
  Side *side = g_new0 (Side, 1);

  side->texts = g_ptr_array_new_with_free_func (g_free);
  side->conversation = kh_conversation_new ();
  g_signal_connect (side->conversation, "received", G_CALLBACK (received_cb), side);
  g_signal_connect (side->conversation, "delivered", G_CALLBACK (delivered_cb), side);
  g_signal_connect (side->conversation, "friend-finished", G_CALLBACK (friend_finished_cb), side);
  g_signal_connect (side->conversation, "ended", G_CALLBACK (ended_cb), side);

  return side;
}

/* Freed with proof that nothing else holds the conversation. */
static void
side_free (Side *side)
{
  if (side->conversation != NULL)
    g_assert_finalize_object (g_steal_pointer (&side->conversation));
  kh_test_settle ();
  g_ptr_array_unref (side->texts);
  g_clear_error (&side->error);
  g_free (side);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Side, side_free)

static guint64
say (Side *side, const char *text)
{
  g_autoptr (GError) error = NULL;
  guint64 id = kh_conversation_say (side->conversation, text, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (id, >, 0);
  return id;
}

static void
assert_heard (Side *side, guint index, const char *text)
{
  g_assert_cmpuint (index, <, side->texts->len);
  g_assert_cmpstr (g_ptr_array_index (side->texts, index), ==, text);
}

static void
assert_ends_well (Side *side)
{
  kh_test_wait_until (side->ended == 1, WAIT);
  g_assert_no_error (side->error);
}

static void
assert_ends_badly (Side *side, KhError code)
{
  kh_test_wait_until (side->ended == 1, WAIT);
  g_assert_error (side->error, KH_ERROR, (int) code);
}

static void
attach_pair (LineKind kind, Side *one, Side *other)
{
  KhChannel *joiner, *inviter;

  channel_pair_new (kind, &joiner, &inviter);
  kh_conversation_attach (one->conversation, joiner);
  kh_conversation_attach (other->conversation, inviter);
  g_object_unref (joiner);
  g_object_unref (inviter);
}

/* A side that talks with a channel in the test's hands. */
static KhChannel *
attach_hand (LineKind kind, Side *side, Ear *ear)
{
  KhChannel *joiner, *inviter;

  channel_pair_new (kind, &joiner, &inviter);
  kh_conversation_attach (side->conversation, joiner);
  g_object_unref (joiner);
  if (ear != NULL)
    ear_listen (ear, inviter);

  return inviter;
}

/* How many frames of @type came; its last number goes to @number. */
static guint
count_frames (Ear *ear, const char *type, gint64 *number)
{
  guint count = 0;

  for (guint i = 0; i < ear->frames->len; i++)
    {
      gsize length;
      const char *text = g_bytes_get_data (g_ptr_array_index (ear->frames, i), &length);
      g_autoptr (JsonObject) object = kh_json_parse_object (text, length, NULL);

      g_assert_nonnull (object);
      if (!g_str_equal (kh_json_get_string (object, "type"), type))
        continue;
      count++;
      if (number != NULL)
        kh_json_get_int (object, json_object_has_member (object, "id") ? "id" : "n", 1, G_MAXINT64, number);
    }

  return count;
}

static void
test_talk (gconstpointer kind)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();
  gint64 now = g_get_real_time () / 1000;

  attach_pair (GPOINTER_TO_INT (kind), one, other);
  g_assert_cmpint (kh_conversation_get_delay (one->conversation), ==, -1);
  g_assert_cmpuint (say (one, "你好，朋友 👋"), ==, 1);
  g_assert_cmpuint (say (one, ""), ==, 2);
  g_assert_cmpuint (say (other, "line\nline \"quoted\" \\ \x01"), ==, 1);
  g_assert_cmpuint (kh_conversation_get_unacked (one->conversation), ==, 2);

  kh_test_wait_until (one->last_delivered == 2 && other->last_delivered == 1, WAIT);
  assert_heard (other, 0, "你好，朋友 👋");
  assert_heard (other, 1, "");
  assert_heard (one, 0, "line\nline \"quoted\" \\ \x01");
  g_assert_cmpint (other->last_sent, >=, now);
  g_assert_cmpint (other->last_sent, <=, g_get_real_time () / 1000);
  g_assert_cmpuint (kh_conversation_get_unacked (one->conversation), ==, 0);
  kh_test_wait_until (kh_conversation_get_delay (one->conversation) >= 0, WAIT);
  g_assert_cmpint (kh_conversation_get_delay (one->conversation), <, 1000);
  g_assert_cmpuint (one->ended + other->ended, ==, 0);
}

static void
test_before_channel (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();

  say (one, "1");
  say (one, "二");
  say (other, "also");
  g_assert_cmpuint (kh_conversation_get_unacked (one->conversation), ==, 2);
  attach_pair (LINE_UNIX, one, other);
  say (one, "3");
  kh_test_wait_until (one->last_delivered == 3 && other->last_delivered == 1, WAIT);
  assert_heard (other, 0, "1");
  assert_heard (other, 1, "二");
  assert_heard (other, 2, "3");
  assert_heard (one, 0, "also");
}

/* netcat's half-close: the side that is done goes on receiving until the other is done too. */
static void
test_finish (gconstpointer kind)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();
  g_autoptr (GError) error = NULL;

  attach_pair (GPOINTER_TO_INT (kind), one, other);
  say (one, "the last word");
  kh_conversation_finish (one->conversation);
  kh_conversation_finish (one->conversation);
  g_assert_cmpuint (kh_conversation_say (one->conversation, "no", &error), ==, 0);
  g_assert_error (error, KH_ERROR, KH_ERROR_LOST);
  kh_test_wait_until (other->friend_finished == 1, WAIT);
  assert_heard (other, 0, "the last word");
  g_assert_cmpuint (one->last_delivered, ==, 1);

  say (other, "still here");
  say (other, "and here");
  kh_test_wait_until (other->last_delivered == 2, WAIT);
  g_assert_cmpuint (one->ended + other->ended, ==, 0);
  kh_conversation_finish (other->conversation);
  assert_ends_well (one);
  assert_ends_well (other);
  assert_heard (one, 1, "and here");
  g_assert_cmpuint (one->friend_finished, ==, 1);
}

/* Both at once, with texts on their way: all arrive. */
static void
test_finish_both (gconstpointer kind)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();

  attach_pair (GPOINTER_TO_INT (kind), one, other);
  for (guint i = 0; i < 1000; i++)
    {
      say (one, "there");
      say (other, "back");
    }
  kh_conversation_finish (one->conversation);
  kh_conversation_finish (other->conversation);
  assert_ends_well (one);
  assert_ends_well (other);
  g_assert_cmpuint (one->texts->len, ==, 1000);
  g_assert_cmpuint (other->texts->len, ==, 1000);
  g_assert_cmpuint (one->last_delivered, ==, 1000);
  g_assert_cmpuint (other->last_delivered, ==, 1000);
}

static void
test_finish_before_channel (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();

  say (one, "all I say");
  kh_conversation_finish (one->conversation);
  kh_conversation_finish (other->conversation);
  kh_test_settle ();
  g_assert_cmpuint (one->ended + other->ended, ==, 0);
  attach_pair (LINE_TCP, one, other);
  assert_ends_well (one);
  assert_ends_well (other);
  assert_heard (other, 0, "all I say");
}

static void
test_leave (gconstpointer kind)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();
  gint64 start = g_get_monotonic_time ();

  attach_pair (GPOINTER_TO_INT (kind), one, other);
  say (one, "before");
  kh_conversation_leave (one->conversation);
  kh_conversation_leave (one->conversation);
  kh_conversation_finish (one->conversation);
  g_assert_cmpuint (kh_conversation_say (one->conversation, "no", NULL), ==, 0);
  assert_ends_well (other);
  assert_ends_well (one);
  assert_heard (other, 0, "before");
  g_assert_cmpuint (other->friend_finished, ==, 1);
  g_assert_cmpint (g_get_monotonic_time () - start, <, G_USEC_PER_SEC);
}

static void
test_leave_both (gconstpointer kind)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();

  attach_pair (GPOINTER_TO_INT (kind), one, other);
  say (one, "before");
  kh_conversation_leave (one->conversation);
  kh_conversation_leave (other->conversation);
  assert_ends_well (one);
  assert_ends_well (other);
}

/* One leaves while the other has finished, or is about to, with something still to be delivered. */
static void
test_finish_and_leave (gconstpointer said)
{
  for (guint order = 0; order < 3; order++)
    {
      g_autoptr (Side) one = side_new ();
      g_autoptr (Side) other = side_new ();

      attach_pair (LINE_TCP, one, other);
      if (said != NULL)
        say (one, said);
      if (order == 0)
        kh_conversation_leave (other->conversation);
      kh_conversation_finish (one->conversation);
      if (order == 1)
        kh_conversation_leave (other->conversation);
      if (order == 2)
        {
          kh_test_wait_until (other->friend_finished == 1, WAIT);
          kh_conversation_leave (other->conversation);
        }
      assert_ends_well (one);
      assert_ends_well (other);
    }
}

static void
test_finish_then_leave (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();

  attach_pair (LINE_UNIX, one, other);
  kh_conversation_finish (one->conversation);
  kh_test_wait_until (other->friend_finished == 1, WAIT);
  kh_conversation_leave (one->conversation);
  assert_ends_well (one);
  assert_ends_well (other);
}

static void
test_leave_before_channel (void)
{
  g_autoptr (Side) one = side_new ();
  KhChannel *joiner, *inviter;
  g_autoptr (Ear) ear = ear_new ();

  say (one, "never");
  kh_conversation_leave (one->conversation);
  g_assert_cmpuint (one->ended, ==, 1);
  g_assert_no_error (one->error);
  kh_conversation_leave (one->conversation);

  /* A path that is found too late is closed. */
  channel_pair_new (LINE_UNIX, &joiner, &inviter);
  ear_listen (ear, inviter);
  kh_conversation_attach (one->conversation, joiner);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_cmpuint (ear->frames->len, ==, 0);
  g_assert_finalize_object (joiner);
  g_assert_finalize_object (inviter);
}

/* A friend who hears our goodbye and does nothing: we do not wait for ever. */
static void
test_farewell_bound (gconstpointer finish)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhChannel *hand;

  kh_conversation_set_timing (one->conversation, 15000, 20000, 30);
  hand = attach_hand (LINE_TCP, one, ear);
  if (finish != NULL)
    {
      kh_conversation_finish (one->conversation);
      g_assert_true (channel_say (hand, "{\"type\":\"bye\"}"));
    }
  else
    kh_conversation_leave (one->conversation);

  kh_test_wait_until (count_frames (ear, "bye", NULL) == 1, WAIT);
  assert_ends_well (one);
  g_assert_finalize_object (hand);
}

/* What comes after we left was not heard, so it is not acked either. */
static void
test_deaf_after_leaving (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhChannel *hand = attach_hand (LINE_TCP, one, ear);

  kh_conversation_leave (one->conversation);
  channel_say (hand, "{\"type\":\"text\",\"id\":1,\"text\":\"wait\",\"sent\":1}");
  channel_say (hand, "nonsense");
  kh_channel_shutdown (hand);
  assert_ends_well (one);
  g_assert_cmpuint (one->texts->len, ==, 0);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_no_error (ear->error);
  g_assert_cmpuint (count_frames (ear, "bye", NULL), ==, 1);
  g_assert_cmpuint (count_frames (ear, "ack", NULL), ==, 0);
  g_assert_finalize_object (hand);
}

static void
make_reset (KhChannel *hand)
{
  GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (kh_channel_get_stream (hand)));
  struct linger linger = { 1, 0 };

  g_assert_no_errno (setsockopt (g_socket_get_fd (socket), SOL_SOCKET, SO_LINGER, &linger, sizeof linger));
}

/* The line ends by an end or a reset, with or without the friend's goodbye. */
static void
test_line_ends (void)
{
  for (guint trial = 0; trial < 4; trial++)
    {
      g_autoptr (Side) one = side_new ();
      g_autoptr (Ear) ear = ear_new ();
      KhChannel *hand = attach_hand (LINE_TCP, one, ear);

      say (one, "never acked");
      kh_test_wait_until (count_frames (ear, "text", NULL) == 1, WAIT);
      if (trial & 1)
        {
          g_assert_true (channel_say (hand, "{\"type\":\"bye\"}"));
          kh_test_wait_until (one->friend_finished == 1, WAIT);
          say (one, "after the bye");
          kh_test_wait_until (count_frames (ear, "text", NULL) == 2, WAIT);
        }
      if (trial & 2)
        make_reset (hand);
      g_assert_finalize_object (hand);

      if (trial & 1)
        assert_ends_well (one);
      else
        assert_ends_badly (one, KH_ERROR_LOST);
      g_assert_cmpuint (kh_conversation_get_unacked (one->conversation), ==, trial & 1 ? 2 : 1);
    }
}

/* A goodbye that a reset follows at once is still heard: writing fails before it is read. */
static void
test_bye_then_reset (void)
{
  g_autoptr (Side) one = side_new ();
  KhChannel *hand = attach_hand (LINE_TCP, one, NULL);

  channel_say (hand, "{\"type\":\"text\",\"id\":1,\"text\":\"farewell\",\"sent\":1}");
  channel_say (hand, "{\"type\":\"bye\"}");
  kh_test_wait_until (kh_channel_get_queued (hand) == 0, WAIT);
  make_reset (hand);
  g_assert_finalize_object (hand);
  assert_ends_well (one);
  assert_heard (one, 0, "farewell");
}

static void
test_silence (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  gint64 start = g_get_monotonic_time ();
  KhChannel *hand;
  gint64 number = 0;

  kh_conversation_set_timing (one->conversation, 20, 120, 2000);
  hand = attach_hand (LINE_UNIX, one, ear);
  assert_ends_badly (one, KH_ERROR_LOST);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 110 * 1000);
  g_assert_cmpint (kh_conversation_get_delay (one->conversation), ==, -1);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_cmpuint (count_frames (ear, "ping", &number), >=, 2);
  g_assert_cmpint (number, >=, 2);
  g_assert_finalize_object (hand);
}

/* Any byte is life: here frames nobody has a use for. */
static void
test_life (void)
{
  g_autoptr (Side) one = side_new ();
  gint64 start = g_get_monotonic_time ();
  KhChannel *hand;

  kh_conversation_set_timing (one->conversation, 1000, 100, 2000);
  hand = attach_hand (LINE_UNIX, one, NULL);
  while (g_get_monotonic_time () < start + 300 * 1000)
    {
      guint turn = g_timeout_add (20, kh_test_tick, NULL);

      g_assert_true (channel_say (hand, "{\"type\":\"typing\"}"));
      g_main_context_iteration (NULL, TRUE);
      g_source_remove (turn);
      g_assert_cmpuint (one->ended, ==, 0);
    }
  assert_ends_badly (one, KH_ERROR_LOST);
  g_assert_finalize_object (hand);
}

/* Two sides that have nothing to say keep one another alive. */
static void
test_pings (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();
  gint64 start = g_get_monotonic_time ();

  kh_conversation_set_timing (one->conversation, 20, 150, 2000);
  kh_conversation_set_timing (other->conversation, 20, 150, 2000);
  attach_pair (LINE_UNIX, one, other);
  kh_test_wait_until (g_get_monotonic_time () > start + 400 * 1000, WAIT);
  g_assert_cmpuint (one->ended + other->ended, ==, 0);
}

/* A friend who said goodbye and fell silent has gone; not so when something of ours is not delivered. */
static void
test_silence_after_bye (void)
{
  for (guint unacked = 0; unacked < 2; unacked++)
    {
      g_autoptr (Side) one = side_new ();
      KhChannel *hand;

      kh_conversation_set_timing (one->conversation, 20, 80, 2000);
      hand = attach_hand (LINE_UNIX, one, NULL);
      if (unacked)
        say (one, "hello?");
      g_assert_true (channel_say (hand, "{\"type\":\"bye\"}"));
      if (unacked)
        assert_ends_badly (one, KH_ERROR_LOST);
      else
        assert_ends_well (one);
      g_assert_finalize_object (hand);
    }
}

static void
test_ping_and_pong (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhChannel *hand = attach_hand (LINE_UNIX, one, ear);
  gint64 number = 0;

  kh_test_wait_until (count_frames (ear, "ping", &number) == 1, WAIT);
  g_assert_cmpint (number, ==, 1);
  g_assert_true (channel_say (hand, "{\"type\":\"ping\",\"n\":77}"));
  kh_test_wait_until (count_frames (ear, "pong", &number) == 1, WAIT);
  g_assert_cmpint (number, ==, 77);

  g_assert_true (channel_say (hand, "{\"type\":\"pong\",\"n\":99}"));
  kh_test_settle ();
  g_assert_cmpint (kh_conversation_get_delay (one->conversation), ==, -1);
  g_assert_true (channel_say (hand, "{\"type\":\"pong\",\"n\":1}"));
  kh_test_wait_until (kh_conversation_get_delay (one->conversation) >= 0, WAIT);
  g_assert_finalize_object (hand);
}

/* A text that comes twice is acked twice and told once. */
static void
test_duplicate (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhChannel *hand = attach_hand (LINE_UNIX, one, ear);
  gint64 number = 0;

  channel_say (hand, "{\"type\":\"text\",\"id\":1,\"text\":\"a\",\"sent\":1}");
  channel_say (hand, "{\"type\":\"text\",\"id\":2,\"text\":\"b\",\"sent\":1}");
  channel_say (hand, "{\"type\":\"text\",\"id\":1,\"text\":\"a\",\"sent\":1}");
  channel_say (hand, "{\"type\":\"bye\"}");
  channel_say (hand, "{\"type\":\"bye\"}");
  channel_say (hand, "{\"type\":\"text\",\"id\":2,\"text\":\"b\",\"sent\":1}");
  kh_test_wait_until (count_frames (ear, "ack", &number) == 4, WAIT);
  g_assert_cmpint (number, ==, 2);
  g_assert_cmpuint (one->texts->len, ==, 2);
  g_assert_cmpuint (one->friend_finished, ==, 1);
  g_assert_cmpuint (one->ended, ==, 0);
  g_assert_finalize_object (hand);
}

/* What no friend's program sends. */
static void
test_hostile (gconstpointer frames)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhChannel *hand = attach_hand (LINE_UNIX, one, ear);
  g_auto (GStrv) parts = g_strsplit (frames, "|", -1);

  say (one, "1");
  kh_test_wait_until (count_frames (ear, "text", NULL) == 1, WAIT);
  for (gsize i = 0; parts[i] != NULL; i++)
    g_assert_true (channel_say (hand, parts[i]));
  assert_ends_badly (one, KH_ERROR_PROTOCOL);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_finalize_object (hand);
}

static const char *const hostile[] = {
  "|",
  "nonsense",
  "{}",
  "[]",
  "{\"type\":7}",
  "{\"type\":\"ack\",\"id\":2}",
  "{\"type\":\"ack\",\"id\":0}",
  "{\"type\":\"ack\",\"id\":9007199254740991}",
  "{\"type\":\"ack\",\"id\":1}|{\"type\":\"ack\",\"id\":2}",
  "{\"type\":\"text\",\"id\":2,\"text\":\"x\",\"sent\":1}",
  "{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":1}|{\"type\":\"text\",\"id\":3,\"text\":\"x\",\"sent\":1}",
  "{\"type\":\"text\",\"id\":1,\"text\":\"x\"}",
  "{\"type\":\"bye\"}|{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":1}",
  "{\"type\":\"bye\"}|nonsense",
  "{\"type\":\"ping\",\"n\":\"\"}",
};

/* What a later version might send. */
static void
test_unknown (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhChannel *hand = attach_hand (LINE_UNIX, one, ear);

  say (one, "1");
  kh_test_wait_until (count_frames (ear, "text", NULL) == 1, WAIT);
  channel_say (hand, "{\"type\":\"typing\"}");
  channel_say (hand, "{\"type\":\"file\",\"name\":\"x\"}");
  channel_say (hand, "{\"type\":\"ack\",\"id\":1,\"seen\":true}");
  channel_say (hand, "{\"type\":\"ack\",\"id\":1}");
  channel_say (hand, "{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":1,\"color\":\"red\"}");
  kh_test_wait_until (one->last_delivered == 1 && one->texts->len == 1, WAIT);
  g_assert_cmpuint (one->ended, ==, 0);
  g_assert_finalize_object (hand);
}

static void
refuses (Side *side, const char *text, KhError code)
{
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (kh_conversation_say (side->conversation, text, &error), ==, 0);
  g_assert_error (error, KH_ERROR, (int) code);
}

static void
test_limits (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();
  g_autofree char *longest = g_strnfill (KH_CONVERSATION_MAX_TEXT, 'x');
  g_autofree char *too_long = g_strnfill (KH_CONVERSATION_MAX_TEXT + 1, 'x');
  g_autofree char *quotes = g_strnfill (KH_CONVERSATION_MAX_TEXT, '"');
  g_autofree char *many_quotes = g_strnfill (32000, '"');

  attach_pair (LINE_TCP, one, other);
  refuses (one, too_long, KH_ERROR_TOO_LARGE);
  refuses (one, quotes, KH_ERROR_TOO_LARGE);
  refuses (one, "\xff", KH_ERROR_PROTOCOL);
  refuses (one, "\xed\xa0\x80", KH_ERROR_PROTOCOL);
  g_assert_cmpuint (say (one, longest), ==, 1);
  g_assert_cmpuint (say (one, many_quotes), ==, 2);
  kh_test_wait_until (one->last_delivered == 2, WAIT);
  assert_heard (other, 0, longest);
  assert_heard (other, 1, many_quotes);
}

static void
test_too_many (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) large = side_new ();
  g_autoptr (Side) other = side_new ();
  g_autofree char *text = g_strnfill (KH_CONVERSATION_MAX_TEXT, 'x');
  guint count = 0;

  for (guint i = 0; i < KH_OUTBOX_MAX_MESSAGES; i++)
    say (one, "x");
  refuses (one, "x", KH_ERROR_TOO_LARGE);

  while (kh_conversation_say (large->conversation, text, NULL) != 0)
    count++;
  refuses (large, text, KH_ERROR_TOO_LARGE);
  g_assert_cmpuint (count, >, 500);
  g_assert_cmpuint (count, <=, KH_OUTBOX_MAX_BYTES / KH_CONVERSATION_MAX_TEXT);

  /* There is room again when some have arrived, and all arrive. */
  attach_pair (LINE_TCP, large, other);
  kh_test_wait_until (large->last_delivered == count, WAIT);
  g_assert_cmpuint (other->texts->len, ==, count);
  say (large, text);
}

/* A friend who does not ack gets so many texts and no more. */
static void
test_flight (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhChannel *hand = attach_hand (LINE_TCP, one, ear);
  gint64 number = 0;

  for (guint i = 0; i < 400; i++)
    say (one, "x");
  kh_test_wait_until (count_frames (ear, "text", &number) == KH_OUTBOX_MAX_FLIGHT, WAIT);
  kh_test_settle ();
  g_assert_cmpuint (count_frames (ear, "text", &number), ==, KH_OUTBOX_MAX_FLIGHT);
  g_assert_cmpint (number, ==, KH_OUTBOX_MAX_FLIGHT);

  /* Texts arrive in order: an ack stands for those before it. */
  g_assert_true (channel_say (hand, "{\"type\":\"ack\",\"id\":100}"));
  kh_test_wait_until (count_frames (ear, "text", &number) == 356, WAIT);
  g_assert_cmpuint (one->last_delivered, ==, 100);
  g_assert_cmpuint (kh_conversation_get_unacked (one->conversation), ==, 300);
  g_assert_finalize_object (hand);
}

/* A friend who makes us answer and never reads the answers. */
static void
test_flood (void)
{
  g_autoptr (Side) one = side_new ();
  KhChannel *hand = attach_hand (LINE_UNIX, one, NULL);
  guint count = 0;

  while (one->ended == 0)
    {
      channel_say (hand, "{\"type\":\"ping\",\"n\":1}");
      if (count++ % 100 == 0)
        kh_test_settle ();
      g_assert_cmpuint (count, <, 1000000);
    }
  g_assert_error (one->error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_finalize_object (hand);
}

/* One who leaves does not care that the friend reads nothing. */
static void
test_leave_unread (void)
{
  g_autoptr (Side) one = side_new ();
  KhChannel *channel, *hand;

  kh_conversation_set_timing (one->conversation, 15000, 20000, 30);
  channel_pair_new (LINE_UNIX, &channel, &hand);
  kh_conversation_attach (one->conversation, channel);
  while (kh_channel_get_queued (channel) < KH_CHANNEL_MAX_QUEUED / 2)
    {
      for (guint i = 0; i < 100; i++)
        channel_say (hand, "{\"type\":\"ping\",\"n\":1}");
      kh_test_settle ();
    }
  kh_conversation_leave (one->conversation);
  assert_ends_well (one);
  g_assert_finalize_object (channel);
  g_assert_finalize_object (hand);
}

static void
test_many (void)
{
  const guint count = 10000;
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();
  gint64 start = g_get_monotonic_time ();
  guint said = 0;

  attach_pair (LINE_TCP, one, other);
  while (said < count)
    {
      g_autofree char *text = g_strdup_printf ("第 %u 条消息", said);

      if (kh_conversation_say (one->conversation, text, NULL) == 0)
        {
          g_main_context_iteration (NULL, TRUE);
          continue;
        }
      while (kh_conversation_say (other->conversation, text, NULL) == 0)
        g_main_context_iteration (NULL, TRUE);
      said++;
    }
  kh_conversation_finish (one->conversation);
  kh_conversation_finish (other->conversation);
  kh_test_wait_until (one->ended == 1 && other->ended == 1, 20000);
  g_assert_no_error (one->error);
  g_assert_no_error (other->error);
  g_assert_cmpuint (one->last_delivered, ==, count);
  g_assert_cmpuint (other->last_delivered, ==, count);
  for (guint i = 0; i < count; i++)
    {
      g_autofree char *text = g_strdup_printf ("第 %u 条消息", i);

      assert_heard (one, i, text);
      assert_heard (other, i, text);
    }
  g_test_message ("%u messages each way, acked, in %.2f s", count, (g_get_monotonic_time () - start) / 1e6);
}

/* On a second path what was not acked goes again; the first one is closed and not listened to any more. */
static void
test_second_path (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  g_autoptr (Ear) second_ear = ear_new ();
  KhChannel *hand = attach_hand (LINE_TCP, one, ear);
  KhChannel *second;

  say (one, "1");
  say (one, "2");
  say (one, "3");
  kh_test_wait_until (count_frames (ear, "text", NULL) == 3, WAIT);
  g_assert_true (channel_say (hand, "{\"type\":\"ack\",\"id\":1}"));
  kh_test_wait_until (one->last_delivered == 1, WAIT);

  second = attach_hand (LINE_TCP, one, second_ear);
  g_assert_cmpuint (ear->closed, ==, 0);
  kh_test_wait_until (ear->closed == 1, WAIT);
  kh_test_wait_until (count_frames (second_ear, "text", NULL) == 2, WAIT);
  g_assert_true (channel_say (second, "{\"type\":\"ack\",\"id\":3}"));
  kh_test_wait_until (one->last_delivered == 3, WAIT);
  g_assert_cmpuint (one->ended, ==, 0);
  g_assert_finalize_object (hand);
  g_assert_finalize_object (second);
}

/* Handlers may leave, finish, answer, or drop the conversation. */
static void
leave_on_received (gpointer data, const char *what)
{
  Side *side = data;

  if (g_str_equal (what, "received"))
    kh_conversation_leave (side->conversation);
}

static void
finish_on_anything (gpointer data, const char *what)
{
  Side *side = data;

  kh_conversation_finish (side->conversation);
}

static void
test_react (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();

  other->react = leave_on_received;
  one->react = finish_on_anything;
  attach_pair (LINE_UNIX, one, other);
  say (one, "1");
  say (one, "2");
  say (one, "3");
  assert_ends_well (one);
  assert_ends_well (other);
  g_assert_cmpuint (other->texts->len, ==, 1);
  g_assert_cmpuint (one->last_delivered, ==, 1);
  g_assert_cmpuint (kh_conversation_get_unacked (one->conversation), ==, 2);
}

static const char *drop_on;

static void
drop (gpointer data, const char *what)
{
  Side *side = data;

  if (g_str_equal (what, drop_on))
    g_clear_object (&side->conversation);
}

static void
test_drop_inside (gconstpointer what)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  KhConversation *weak = one->conversation;
  KhChannel *hand = attach_hand (LINE_UNIX, one, ear);

  g_object_add_weak_pointer (G_OBJECT (weak), (gpointer *) &weak);
  drop_on = what;
  one->react = drop;
  say (one, "1");
  say (one, "2");
  kh_test_wait_until (count_frames (ear, "text", NULL) == 2, WAIT);
  channel_say (hand, "{\"type\":\"ack\",\"id\":2}");
  channel_say (hand, "{\"type\":\"text\",\"id\":1,\"text\":\"x\",\"sent\":1}");
  channel_say (hand, "{\"type\":\"text\",\"id\":2,\"text\":\"x\",\"sent\":1}");
  channel_say (hand, "{\"type\":\"bye\"}");
  kh_channel_shutdown (hand);
  kh_test_wait_until (one->conversation == NULL, WAIT);
  kh_test_wait_until (ear->closed == 1, WAIT);
  g_assert_null (weak);
  g_assert_finalize_object (hand);
}

/* Dropped in the middle of a talk: the friend sees a line that broke off. */
static void
test_drop (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Side) other = side_new ();

  attach_pair (LINE_TCP, one, other);
  say (one, "x");
  say (other, "x");
  g_assert_finalize_object (g_steal_pointer (&one->conversation));
  assert_ends_badly (other, KH_ERROR_LOST);
  g_assert_cmpuint (one->ended, ==, 0);
}

static void
add_for_lines (const char *name, GTestDataFunc func)
{
  g_autofree char *on_unix = g_strconcat ("/conversation/", name, "/unix", NULL);
  g_autofree char *on_tcp = g_strconcat ("/conversation/", name, "/tcp", NULL);

  g_test_add_data_func (on_unix, GINT_TO_POINTER (LINE_UNIX), func);
  g_test_add_data_func (on_tcp, GINT_TO_POINTER (LINE_TCP), func);
}

static void
add_hostile (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hostile); i++)
    {
      g_autofree char *path = g_strdup_printf ("/conversation/hostile/%02" G_GSIZE_FORMAT, i);

      g_test_add_data_func (path, hostile[i], test_hostile);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_for_lines ("talk", test_talk);
  add_for_lines ("finish", test_finish);
  add_for_lines ("finish-both", test_finish_both);
  add_for_lines ("leave", test_leave);
  add_for_lines ("leave-both", test_leave_both);
  add_hostile ();
  g_test_add_func ("/conversation/before-channel", test_before_channel);
  g_test_add_func ("/conversation/finish-before-channel", test_finish_before_channel);
  g_test_add_data_func ("/conversation/finish-and-leave/silent", NULL, test_finish_and_leave);
  g_test_add_data_func ("/conversation/finish-and-leave/text", "x", test_finish_and_leave);
  g_test_add_func ("/conversation/finish-then-leave", test_finish_then_leave);
  g_test_add_func ("/conversation/leave-before-channel", test_leave_before_channel);
  g_test_add_data_func ("/conversation/farewell-bound/leave", NULL, test_farewell_bound);
  g_test_add_data_func ("/conversation/farewell-bound/finish", "finish", test_farewell_bound);
  g_test_add_func ("/conversation/deaf-after-leaving", test_deaf_after_leaving);
  g_test_add_func ("/conversation/line-ends", test_line_ends);
  g_test_add_func ("/conversation/bye-then-reset", test_bye_then_reset);
  g_test_add_func ("/conversation/silence", test_silence);
  g_test_add_func ("/conversation/life", test_life);
  g_test_add_func ("/conversation/pings", test_pings);
  g_test_add_func ("/conversation/silence-after-bye", test_silence_after_bye);
  g_test_add_func ("/conversation/ping-and-pong", test_ping_and_pong);
  g_test_add_func ("/conversation/duplicate", test_duplicate);
  g_test_add_func ("/conversation/unknown", test_unknown);
  g_test_add_func ("/conversation/limits", test_limits);
  g_test_add_func ("/conversation/too-many", test_too_many);
  g_test_add_func ("/conversation/flight", test_flight);
  g_test_add_func ("/conversation/flood", test_flood);
  g_test_add_func ("/conversation/leave-unread", test_leave_unread);
  g_test_add_func ("/conversation/many", test_many);
  g_test_add_func ("/conversation/second-path", test_second_path);
  g_test_add_func ("/conversation/react", test_react);
  g_test_add_data_func ("/conversation/drop-inside/received", "received", test_drop_inside);
  g_test_add_data_func ("/conversation/drop-inside/delivered", "delivered", test_drop_inside);
  g_test_add_data_func ("/conversation/drop-inside/friend-finished", "friend-finished", test_drop_inside);
  g_test_add_data_func ("/conversation/drop-inside/ended", "ended", test_drop_inside);
  g_test_add_func ("/conversation/drop", test_drop);
  return g_test_run ();
}
