/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-friend.h"
#include "kh-test-widgets.h"

#include "kh-conversation-page.h"
#include "kh-conversation.h"
#include "kh-message-entry.h"
#include "kh-message-row.h"
#include "kh-message.h"

#include <string.h>

#define TOO_LONG "This message is too long. Send it in parts."

/* The page in a window, and two sessions that talk: the user's and the friend's. */
typedef struct
{
  KhTestFriend *friend;
  KhSession *session;
  GtkWidget *page;
  GtkWidget *window;
} Fixture;

/* --- helpers ---------------------------------------------------------------------------------------------------- */

static void
on_back (GSimpleAction *action, GVariant *parameter, gpointer unused)
{
}

/* What the page's buttons do is the real window's. */
static void
add_actions (GtkWidget *window)
{
  static const GActionEntry actions[] = { { "back", on_back } };
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();

  g_action_map_add_action_entries (G_ACTION_MAP (group), actions, G_N_ELEMENTS (actions), NULL);
  gtk_widget_insert_action_group (window, "win", G_ACTION_GROUP (group));
}

static void
set_up (Fixture *fixture, gconstpointer name)
{
  fixture->friend = kh_test_friend_new (name);
  fixture->session = kh_session_new (fixture->friend->settings);
  kh_test_friend_invite (fixture->friend);
  kh_session_join (fixture->session, kh_session_get_code (fixture->friend->session));
  kh_test_wait_phase (fixture->session, KH_PHASE_CONNECTED);
  kh_test_wait_phase (fixture->friend->session, KH_PHASE_CONNECTED);

  fixture->page = g_object_new (KH_TYPE_CONVERSATION_PAGE, NULL);
  fixture->window = kh_test_host (fixture->page);
  add_actions (fixture->window);
  kh_conversation_page_set_session (KH_CONVERSATION_PAGE (fixture->page), fixture->session, KH_ROLE_JOINER);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  kh_test_destroy (fixture->window);
  kh_test_friend_free (fixture->friend);
  kh_test_close (fixture->session);
}

static GListModel *
messages (Fixture *fixture)
{
  return G_LIST_MODEL (gtk_list_view_get_model (GTK_LIST_VIEW (kh_test_find (fixture->page, "list"))));
}

static guint
count (Fixture *fixture)
{
  return g_list_model_get_n_items (messages (fixture));
}

/* The newest one. */
static KhMessage *
last_message (Fixture *fixture)
{
  g_autoptr (KhMessage) message = g_list_model_get_item (messages (fixture), count (fixture) - 1);

  g_assert_nonnull (message);
  return message; /* the list holds it */
}

static void
assert_last (Fixture *fixture, KhMessageState state, const char *text)
{
  g_assert_cmpstr (kh_message_get_text (last_message (fixture)), ==, text);
  g_assert_cmpint (kh_message_get_state (last_message (fixture)), ==, state);
}

static KhMessageEntry *
entry (Fixture *fixture)
{
  return KH_MESSAGE_ENTRY (kh_test_find (fixture->page, "entry"));
}

static void
assert_entry (Fixture *fixture, const char *text)
{
  g_autofree char *written = kh_message_entry_dup_text (entry (fixture));

  g_assert_cmpstr (written, ==, text);
}

static GtkWidget *
send_button (Fixture *fixture)
{
  GtkWidget *button = gtk_widget_get_last_child (kh_test_find (fixture->page, "write_box"));

  g_assert_true (GTK_IS_BUTTON (button));
  return button;
}

/* Writes it and clicks on the button. */
static void
say (Fixture *fixture, const char *text)
{
  kh_message_entry_set_text (entry (fixture), text);
  g_signal_emit_by_name (send_button (fixture), "clicked");
}

static void
friend_says (Fixture *fixture, const char *text)
{
  guint before = count (fixture);

  g_assert_cmpuint (kh_session_say (fixture->friend->session, text, NULL), >, 0);
  kh_test_wait_until (count (fixture) == before + 1, KH_TEST_WAIT);
}

static void
friend_says_much (Fixture *fixture)
{
  for (int i = 0; i < 60; i++)
    {
      g_autofree char *text = g_strdup_printf ("Line %d", i);

      kh_session_say (fixture->friend->session, text, NULL);
    }
  kh_test_wait_until (count (fixture) == 60, KH_TEST_WAIT);
}

static GtkAdjustment *
adjustment (Fixture *fixture)
{
  return gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (kh_test_find (fixture->page, "scroller")));
}

static gboolean
is_at_end (Fixture *fixture)
{
  GtkAdjustment *vertical = adjustment (fixture);

  return gtk_adjustment_get_value (vertical) + gtk_adjustment_get_page_size (vertical) >=
         gtk_adjustment_get_upper (vertical) - 1;
}

static gboolean
has_room_to_scroll (Fixture *fixture)
{
  return gtk_adjustment_get_upper (adjustment (fixture)) > 2 * gtk_adjustment_get_page_size (adjustment (fixture));
}

/* The conversation is over: it can be read, and left. */
static void
assert_over (Fixture *fixture, const char *sentence)
{
  g_assert_true (kh_test_is_shown (fixture->page, "over_box"));
  g_assert_false (kh_test_is_shown (fixture->page, "write_box"));
  g_assert_false (kh_test_is_shown (fixture->page, "problem_label"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "over_label"), ==, sentence);
}

/* --- talking ---------------------------------------------------------------------------------------------------- */

static void
test_starts (Fixture *fixture, gconstpointer unused)
{
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_true (kh_test_is_shown (fixture->page, "empty_label"));
  g_assert_true (kh_test_is_shown (fixture->page, "write_box"));
  g_assert_false (kh_test_is_shown (fixture->page, "over_box"));
  g_assert_false (kh_test_is_shown (fixture->page, "newest_button"));
  g_assert_false (kh_test_is_shown (fixture->page, "problem_label"));
  g_assert_true (g_str_has_prefix (kh_test_text_of (fixture->page, "path_label"), "Direct "));
  gtk_widget_grab_focus (fixture->page);
  g_assert_true (kh_test_has_focus (GTK_WIDGET (entry (fixture))));
}

static void
test_delay (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *expected = NULL;

  kh_test_wait_until (kh_session_get_delay (fixture->session) >= 0, KH_TEST_WAIT);
  expected = g_strdup_printf ("%d ms", kh_session_get_delay (fixture->session));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "delay_label"), ==, expected);
}

static void
test_say (Fixture *fixture, gconstpointer unused)
{
  say (fixture, "你好 👋");
  g_assert_cmpuint (count (fixture), ==, 1);
  assert_last (fixture, KH_MESSAGE_SENT, "你好 👋");
  assert_entry (fixture, "");
  g_assert_false (kh_test_is_shown (fixture->page, "empty_label"));
  g_assert_true (kh_test_has_focus (GTK_WIDGET (entry (fixture))));

  kh_test_friend_hears (fixture->friend, "你好 👋");
  kh_test_wait_until (kh_message_get_state (last_message (fixture)) == KH_MESSAGE_DELIVERED, KH_TEST_WAIT);
}

/* What is shown, and what is read out, follows the delivery. */
static void
test_row (Fixture *fixture, gconstpointer unused)
{
  GtkWidget *row = NULL;
  g_autofree char *label = NULL;

  say (fixture, "Hello");
  kh_test_wait_until (kh_message_get_state (last_message (fixture)) == KH_MESSAGE_DELIVERED, KH_TEST_WAIT);
  kh_test_wait_until ((row = kh_test_find_type (fixture->page, KH_TYPE_MESSAGE_ROW)) != NULL, KH_TEST_WAIT);
  g_assert_cmpstr (kh_test_text_of (row, "text"), ==, "Hello");
  g_assert_true (g_str_has_suffix (kh_test_text_of (row, "note"), "Delivered"));
  g_assert_true (gtk_widget_has_css_class (kh_test_find (row, "bubble"), "own"));
  label = kh_message_dup_label (last_message (fixture));
  g_assert_true (g_str_has_prefix (label, "You: Hello ("));
  kh_test_assert_name (gtk_widget_get_parent (row), label);
}

static void
test_friend_says (Fixture *fixture, gconstpointer unused)
{
  GtkWidget *row = NULL;
  g_autofree char *label = NULL;

  friend_says (fixture, "Hello");
  assert_last (fixture, KH_MESSAGE_RECEIVED, "Hello");
  kh_test_wait_until ((row = kh_test_find_type (fixture->page, KH_TYPE_MESSAGE_ROW)) != NULL, KH_TEST_WAIT);
  g_assert_false (gtk_widget_has_css_class (kh_test_find (row, "bubble"), "own"));
  label = kh_message_dup_label (last_message (fixture));
  g_assert_true (g_str_has_prefix (label, "Bo: Hello ("));
  kh_test_assert_name (gtk_widget_get_parent (row), label);
}

static void
test_neutralised (Fixture *fixture, gconstpointer unused)
{
  GtkWidget *row = NULL;

  friend_says (fixture, "txt.\342\200\256exe\033[31m <b>&amp;</b>");
  assert_last (fixture, KH_MESSAGE_RECEIVED, "txt.exe[31m <b>&amp;</b>");
  kh_test_wait_until ((row = kh_test_find_type (fixture->page, KH_TYPE_MESSAGE_ROW)) != NULL, KH_TEST_WAIT);
  g_assert_cmpstr (kh_test_text_of (row, "text"), ==, "txt.exe[31m <b>&amp;</b>");
}

static void
test_blank (Fixture *fixture, gconstpointer unused)
{
  static const char *const blanks[] = { "", " ", "\n\n", "\t \n", "\302\240\343\200\200" };

  for (gsize i = 0; i < G_N_ELEMENTS (blanks); i++)
    {
      say (fixture, blanks[i]);
      g_assert_cmpuint (count (fixture), ==, 0);
      g_assert_cmpuint (kh_session_get_unacked (fixture->session), ==, 0);
      assert_entry (fixture, blanks[i]);
    }
  g_assert_false (kh_conversation_page_say (KH_CONVERSATION_PAGE (fixture->page), " "));
}

static void
test_too_long (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *text = g_strnfill (100000, 'x');

  say (fixture, text);
  g_assert_cmpuint (count (fixture), ==, 0);
  assert_entry (fixture, text);
  g_assert_true (kh_test_is_shown (fixture->page, "problem_label"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "problem_label"), ==, TOO_LONG);

  /* Mended, it goes, and the reproach with it. */
  text[KH_CONVERSATION_MAX_TEXT] = '\0';
  say (fixture, text);
  assert_entry (fixture, "");
  assert_last (fixture, KH_MESSAGE_SENT, text);
  g_assert_false (kh_test_is_shown (fixture->page, "problem_label"));
  kh_test_friend_hears (fixture->friend, text);
}

/* Whatever comes without a space in it, the page stays as narrow as a phone. */
static void
test_narrow (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *word = g_strnfill (2000, 'W');

  kh_test_assert_narrow (fixture->page);
  friend_says (fixture, word);
  say (fixture, KH_TEST_LONG_TEXT);
  kh_message_entry_set_text (entry (fixture), word);
  kh_test_wait_until (kh_test_find_type (fixture->page, KH_TYPE_MESSAGE_ROW) != NULL, KH_TEST_WAIT);
  kh_test_assert_narrow (fixture->page);
}

static void
test_names (Fixture *fixture, gconstpointer unused)
{
  kh_test_assert_name (send_button (fixture), "Send");
  kh_test_assert_name (kh_test_find (fixture->page, "view"), "Message");
  kh_test_assert_name (kh_test_find (fixture->page, "list"), "Conversation");
  kh_test_assert_role (kh_test_find (fixture->page, "list"), GTK_ACCESSIBLE_ROLE_LOG);
  kh_test_assert_role (kh_test_find (fixture->page, "problem_label"), GTK_ACCESSIBLE_ROLE_STATUS);
  kh_test_assert_role (kh_test_find (fixture->page, "over_label"), GTK_ACCESSIBLE_ROLE_STATUS);
}

/* --- scrolling -------------------------------------------------------------------------------------------------- */

static void
test_follows (Fixture *fixture, gconstpointer unused)
{
  friend_says_much (fixture);
  kh_test_wait_until (has_room_to_scroll (fixture) && is_at_end (fixture), KH_TEST_WAIT);
  g_assert_false (kh_test_is_shown (fixture->page, "newest_button"));

  friend_says (fixture, "One more");
  kh_test_wait_until (is_at_end (fixture), KH_TEST_WAIT);
  g_assert_false (kh_test_is_shown (fixture->page, "newest_button"));
}

static void
scroll_back (Fixture *fixture)
{
  friend_says_much (fixture);
  kh_test_wait_until (has_room_to_scroll (fixture) && is_at_end (fixture), KH_TEST_WAIT);
  gtk_adjustment_set_value (adjustment (fixture), 0);
  gtk_test_widget_wait_for_draw (fixture->window);
  g_assert_false (is_at_end (fixture));
}

static void
test_stays_where_reader_is (Fixture *fixture, gconstpointer unused)
{
  scroll_back (fixture);
  friend_says (fixture, "One more");
  gtk_test_widget_wait_for_draw (fixture->window);
  g_assert_cmpfloat (gtk_adjustment_get_value (adjustment (fixture)), ==, 0);
  g_assert_true (kh_test_is_shown (fixture->page, "newest_button"));

  kh_test_click (fixture->page, "newest_button");
  kh_test_wait_until (is_at_end (fixture), KH_TEST_WAIT);
  g_assert_false (kh_test_is_shown (fixture->page, "newest_button"));
  friend_says (fixture, "And one more");
  kh_test_wait_until (is_at_end (fixture), KH_TEST_WAIT);
  g_assert_false (kh_test_is_shown (fixture->page, "newest_button"));
}

/* Whoever scrolls to the end has seen what is new. */
static void
test_scrolls_to_end (Fixture *fixture, gconstpointer unused)
{
  scroll_back (fixture);
  friend_says (fixture, "One more");
  g_assert_true (kh_test_is_shown (fixture->page, "newest_button"));
  gtk_adjustment_set_value (adjustment (fixture), gtk_adjustment_get_upper (adjustment (fixture)));
  kh_test_wait_until (!kh_test_is_shown (fixture->page, "newest_button"), KH_TEST_WAIT);
}

/* What the writer says is what the writer wants to see. */
static void
test_own_message_scrolls (Fixture *fixture, gconstpointer unused)
{
  scroll_back (fixture);
  say (fixture, "Here I am");
  kh_test_wait_until (is_at_end (fixture), KH_TEST_WAIT);
}

/* --- ends ------------------------------------------------------------------------------------------------------- */

static void
test_friend_says_goodbye (Fixture *fixture, gconstpointer unused)
{
  kh_session_finish (fixture->friend->session);
  kh_test_wait_until (kh_test_is_shown (fixture->page, "problem_label"), KH_TEST_WAIT);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "problem_label"), ==,
                   "Your friend has said goodbye, and will not write any more.");
  g_assert_true (kh_test_is_shown (fixture->page, "write_box"));

  /* The friend still hears. */
  say (fixture, "One last thing");
  kh_test_friend_hears (fixture->friend, "One last thing");
}

static void
test_friend_leaves (Fixture *fixture, gconstpointer unused)
{
  friend_says (fixture, "Bye");
  gtk_widget_grab_focus (fixture->page);
  kh_test_friend_leave (fixture->friend);
  kh_test_wait_phase (fixture->session, KH_PHASE_ENDED);
  assert_over (fixture, "The conversation is over.");
  assert_last (fixture, KH_MESSAGE_RECEIVED, "Bye");
  g_assert_true (kh_test_has_focus (kh_test_find (fixture->page, "back_button")));
  g_assert_false (kh_conversation_page_say (KH_CONVERSATION_PAGE (fixture->page), "Too late"));
  g_assert_cmpuint (count (fixture), ==, 1);
}

static void
test_lost (Fixture *fixture, gconstpointer unused)
{
  say (fixture, "This one arrives");
  kh_test_wait_until (kh_message_get_state (last_message (fixture)) == KH_MESSAGE_DELIVERED, KH_TEST_WAIT);
  say (fixture, "This one does not");
  kh_test_friend_vanish (fixture->friend);
  kh_test_wait_phase (fixture->session, KH_PHASE_FAILED);
  assert_over (fixture, "The connection ended unexpectedly. To go on talking, ask your friend for a new code.");
  assert_last (fixture, KH_MESSAGE_UNDELIVERED, "This one does not");
}

/* The friend says goodbye while something is on its way. */
static void
test_friend_leaves_too_early (Fixture *fixture, gconstpointer unused)
{
  say (fixture, "This one does not arrive");
  kh_test_friend_leave (fixture->friend);
  kh_test_wait_phase (fixture->session, KH_PHASE_FAILED);
  g_assert_true (kh_test_is_shown (fixture->page, "over_box"));
  assert_last (fixture, KH_MESSAGE_UNDELIVERED, "This one does not arrive");
}

/* The page is used again: nothing of the old conversation is left. */
static void
test_next_session (Fixture *fixture, gconstpointer unused)
{
  KhSession *next = kh_session_new (fixture->friend->settings);

  friend_says (fixture, "Hello");
  kh_test_friend_leave (fixture->friend);
  kh_test_wait_phase (fixture->session, KH_PHASE_ENDED);
  kh_conversation_page_set_session (KH_CONVERSATION_PAGE (fixture->page), next, KH_ROLE_INVITER);
  g_assert_cmpuint (count (fixture), ==, 0);
  g_assert_true (kh_test_is_shown (fixture->page, "empty_label"));
  g_assert_true (kh_test_is_shown (fixture->page, "write_box"));
  g_assert_false (kh_test_is_shown (fixture->page, "over_box"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "delay_label"), ==, "");

  kh_conversation_page_set_session (KH_CONVERSATION_PAGE (fixture->page), NULL, KH_ROLE_INVITER);
  g_assert_finalize_object (next);
  g_assert_false (kh_conversation_page_say (KH_CONVERSATION_PAGE (fixture->page), "To nobody"));
}

#define ADD(path, function) g_test_add ("/conversation-page/" path, Fixture, "Bo", set_up, function, tear_down)

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  ADD ("starts", test_starts);
  ADD ("delay", test_delay);
  ADD ("say", test_say);
  ADD ("row", test_row);
  ADD ("friend-says", test_friend_says);
  ADD ("neutralised", test_neutralised);
  ADD ("blank", test_blank);
  ADD ("too-long", test_too_long);
  ADD ("narrow", test_narrow);
  ADD ("names", test_names);
  ADD ("follows", test_follows);
  ADD ("stays-where-reader-is", test_stays_where_reader_is);
  ADD ("scrolls-to-end", test_scrolls_to_end);
  ADD ("own-message-scrolls", test_own_message_scrolls);
  ADD ("friend-says-goodbye", test_friend_says_goodbye);
  ADD ("friend-leaves", test_friend_leaves);
  ADD ("friend-leaves-too-early", test_friend_leaves_too_early);
  ADD ("lost", test_lost);
  ADD ("next-session", test_next_session);
  return g_test_run ();
}
