/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conversation-side.h"
#include "kh-conversation-private.h"
#include "kh-test.h"

#include <sys/socket.h>

/* How conversations end: well, badly, and in every order. */

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
      /* What the one who leaves does not take any more is lost, and that is told. */
      if (said != NULL && order < 2)
        assert_ends_badly (one, KH_ERROR_LOST);
      else
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

      assert_ends_badly (one, KH_ERROR_LOST);
      g_assert_true ((strstr (one->error->message, "Your friend left") != NULL) == (trial & 1));
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
  g_autofree char *on_unix = g_strconcat ("/goodbye/", name, "/unix", NULL);
  g_autofree char *on_tcp = g_strconcat ("/goodbye/", name, "/tcp", NULL);

  g_test_add_data_func (on_unix, GINT_TO_POINTER (LINE_UNIX), func);
  g_test_add_data_func (on_tcp, GINT_TO_POINTER (LINE_TCP), func);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_for_lines ("finish", test_finish);
  add_for_lines ("finish-both", test_finish_both);
  add_for_lines ("leave", test_leave);
  add_for_lines ("leave-both", test_leave_both);
  g_test_add_func ("/goodbye/finish-before-channel", test_finish_before_channel);
  g_test_add_data_func ("/goodbye/finish-and-leave/silent", NULL, test_finish_and_leave);
  g_test_add_data_func ("/goodbye/finish-and-leave/text", "x", test_finish_and_leave);
  g_test_add_func ("/goodbye/finish-then-leave", test_finish_then_leave);
  g_test_add_func ("/goodbye/leave-before-channel", test_leave_before_channel);
  g_test_add_data_func ("/goodbye/farewell-bound/leave", NULL, test_farewell_bound);
  g_test_add_data_func ("/goodbye/farewell-bound/finish", "finish", test_farewell_bound);
  g_test_add_func ("/goodbye/deaf-after-leaving", test_deaf_after_leaving);
  g_test_add_func ("/goodbye/line-ends", test_line_ends);
  g_test_add_func ("/goodbye/bye-then-reset", test_bye_then_reset);
  g_test_add_func ("/goodbye/silence", test_silence);
  g_test_add_func ("/goodbye/life", test_life);
  g_test_add_func ("/goodbye/pings", test_pings);
  g_test_add_func ("/goodbye/silence-after-bye", test_silence_after_bye);
  g_test_add_func ("/goodbye/leave-unread", test_leave_unread);
  g_test_add_func ("/goodbye/drop", test_drop);
  return g_test_run ();
}
