/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "conversation-side.h"

#include "kh-json.h"
#include "kh-test.h"

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

Side *
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
void
side_free (Side *side)
{
  if (side->conversation != NULL)
    g_assert_finalize_object (g_steal_pointer (&side->conversation));
  kh_test_settle ();
  g_ptr_array_unref (side->texts);
  g_clear_error (&side->error);
  g_free (side);
}

guint64
say (Side *side, const char *text)
{
  g_autoptr (GError) error = NULL;
  guint64 id = kh_conversation_say (side->conversation, text, &error);

  g_assert_no_error (error);
  g_assert_cmpuint (id, >, 0);
  return id;
}

void
assert_heard (Side *side, guint index, const char *text)
{
  g_assert_cmpuint (index, <, side->texts->len);
  g_assert_cmpstr (g_ptr_array_index (side->texts, index), ==, text);
}

void
assert_ends_well (Side *side)
{
  kh_test_wait_until (side->ended == 1, WAIT);
  g_assert_no_error (side->error);
}

void
assert_ends_badly (Side *side, KhError code)
{
  kh_test_wait_until (side->ended == 1, WAIT);
  g_assert_error (side->error, KH_ERROR, (int) code);
}

void
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
KhChannel *
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
guint
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
