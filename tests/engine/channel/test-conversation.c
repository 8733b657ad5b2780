/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conversation-side.h"
#include "kh-conversation-private.h"
#include "kh-outbox.h"
#include "kh-test.h"

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

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

/* Told when it is known and when it changes, and by nothing else: neither by an answer to no ping, nor by one that
 * comes twice, nor when the next ping takes as long. */
static void
test_delay_is_told (void)
{
  g_autoptr (Side) one = side_new ();
  g_autoptr (Ear) ear = ear_new ();
  guint told = 0;
  KhChannel *hand;
  gint64 number = 0;
  int delay = -1;

  g_signal_connect (one->conversation, "notify::delay", G_CALLBACK (count_notify), &told);
  kh_conversation_set_timing (one->conversation, 200, 20000, 2000);
  hand = attach_hand (LINE_UNIX, one, ear);
  kh_test_wait_until (count_frames (ear, "ping", &number) == 1, WAIT);
  channel_say (hand, "{\"type\":\"pong\",\"n\":99}");
  channel_say (hand, "{\"type\":\"ping\",\"n\":1}");
  kh_test_wait_until (count_frames (ear, "pong", NULL) == 1, WAIT);
  g_assert_cmpuint (told, ==, 0);

  for (guint pings = 1; pings <= 4; pings++)
    {
      int before = kh_conversation_get_delay (one->conversation);
      guint told_before = told;
      g_autofree char *pong = NULL;

      kh_test_wait_until (count_frames (ear, "ping", &number) >= pings, WAIT);
      pong = g_strdup_printf ("{\"type\":\"pong\",\"n\":%" G_GINT64_FORMAT "}", number);
      channel_say (hand, pong);
      channel_say (hand, pong);
      channel_say (hand, "{\"type\":\"ping\",\"n\":1}");
      kh_test_wait_until (count_frames (ear, "pong", NULL) == pings + 1, WAIT);
      g_object_get (one->conversation, "delay", &delay, NULL);
      g_assert_cmpuint (told, ==, told_before + (delay != before));
    }
  g_assert_cmpint (delay, >=, 0);
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
  assert_ends_badly (one, KH_ERROR_LOST);
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
  g_test_add_data_func ("/conversation/talk/unix", GINT_TO_POINTER (LINE_UNIX), test_talk);
  g_test_add_data_func ("/conversation/talk/tcp", GINT_TO_POINTER (LINE_TCP), test_talk);
  add_hostile ();
  g_test_add_func ("/conversation/before-channel", test_before_channel);
  g_test_add_func ("/conversation/ping-and-pong", test_ping_and_pong);
  g_test_add_func ("/conversation/delay-is-told", test_delay_is_told);
  g_test_add_func ("/conversation/duplicate", test_duplicate);
  g_test_add_func ("/conversation/unknown", test_unknown);
  g_test_add_func ("/conversation/limits", test_limits);
  g_test_add_func ("/conversation/too-many", test_too_many);
  g_test_add_func ("/conversation/flight", test_flight);
  g_test_add_func ("/conversation/flood", test_flood);
  g_test_add_func ("/conversation/many", test_many);
  g_test_add_func ("/conversation/second-path", test_second_path);
  g_test_add_func ("/conversation/react", test_react);
  g_test_add_data_func ("/conversation/drop-inside/received", "received", test_drop_inside);
  g_test_add_data_func ("/conversation/drop-inside/delivered", "delivered", test_drop_inside);
  g_test_add_data_func ("/conversation/drop-inside/friend-finished", "friend-finished", test_drop_inside);
  g_test_add_data_func ("/conversation/drop-inside/ended", "ended", test_drop_inside);
  return g_test_run ();
}
