/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-widgets.h"

#include "kh-conversation.h"
#include "kh-message-row.h"
#include "kh-message.h"

/* All that a friend who means ill may say at once: an endless word of a quarter of it took 8 s before such words were
 * broken, and joined emoji as much before long texts were shown in pieces. A leak checker writes down each allocation with its
 * whole stack, and is given less to do. */
#ifdef __SANITIZE_ADDRESS__
#define LENGTH (KH_CONVERSATION_MAX_TEXT / 16)
#else
#define LENGTH KH_CONVERSATION_MAX_TEXT
#endif
#define TIME_MS 4000

static void
test_hostile_text (gconstpointer part)
{
  GString *text = g_string_new (NULL);
  g_autoptr (KhMessage) message = NULL;
  GtkWidget *row = kh_message_row_new ();
  GtkWidget *scroller = gtk_scrolled_window_new ();
  GtkWidget *window;
  gint64 start = g_get_monotonic_time ();

  while (text->len + strlen (part) <= LENGTH)
    g_string_append (text, part);
  message = kh_message_new (KH_MESSAGE_RECEIVED, 1, NULL, text->str);
  kh_message_unfold (message);
  kh_message_row_set_message (KH_MESSAGE_ROW (row), message);
  gtk_scrolled_window_set_policy (GTK_SCROLLED_WINDOW (scroller), GTK_POLICY_NEVER, GTK_POLICY_AUTOMATIC);
  gtk_scrolled_window_set_child (GTK_SCROLLED_WINDOW (scroller), row);
  window = kh_test_host (scroller);
  kh_test_assert_narrow (row);
  g_assert_cmpint (g_get_monotonic_time () - start, <, kh_test_patience (TIME_MS));
  kh_test_destroy (window);
  g_string_free (text, TRUE);
}

static void
assert_wrap_mode (const char *text, PangoWrapMode mode)
{
  g_autoptr (KhMessage) message = kh_message_new (KH_MESSAGE_RECEIVED, 1, NULL, text);
  GtkWidget *row = g_object_ref_sink (kh_message_row_new ());

  kh_message_row_set_message (KH_MESSAGE_ROW (row), message);
  g_assert_cmpint (gtk_label_get_wrap_mode (GTK_LABEL (kh_test_find (row, "text"))), ==, mode);
  g_assert_finalize_object (row);
}

/* Words stay whole where that is possible in time. */
static void
test_words_stay_whole (void)
{
  g_autofree char *word = g_strnfill (100, 'x');
  g_autofree char *link = g_strdup_printf ("See https://example.org/%s for more", word);
  g_autofree char *endless = g_strnfill (1000, 'x');

  assert_wrap_mode ("", PANGO_WRAP_WORD_CHAR);
  assert_wrap_mode (KH_TEST_LONG_TEXT, PANGO_WRAP_WORD_CHAR);
  assert_wrap_mode (link, PANGO_WRAP_WORD_CHAR);
  assert_wrap_mode (endless, PANGO_WRAP_CHAR);
}

/* A row of the list shows one message after another. */
static void
test_used_again (void)
{
  g_autoptr (KhMessage) first = kh_message_new (KH_MESSAGE_SENT, 1, NULL, "first");
  g_autoptr (KhMessage) second = kh_message_new (KH_MESSAGE_RECEIVED, 1, NULL, "second");
  GtkWidget *row = g_object_ref_sink (kh_message_row_new ());

  kh_message_row_set_message (KH_MESSAGE_ROW (row), first);
  g_assert_true (gtk_widget_has_css_class (kh_test_find (row, "bubble"), "own"));
  kh_message_row_set_message (KH_MESSAGE_ROW (row), NULL);
  kh_message_row_set_message (KH_MESSAGE_ROW (row), second);
  g_assert_false (gtk_widget_has_css_class (kh_test_find (row, "bubble"), "own"));
  g_assert_cmpstr (kh_test_text_of (row, "text"), ==, "second");

  kh_message_set_state (first, KH_MESSAGE_DELIVERED);
  g_assert_null (strstr (kh_test_text_of (row, "note"), "Delivered"));
  g_assert_finalize_object (row);
}

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  g_test_add_data_func ("/message-row/hostile/word", "x", test_hostile_text);
  g_test_add_data_func ("/message-row/hostile/brackets", "「", test_hostile_text);
  g_test_add_data_func ("/message-row/hostile/no-break-spaces", "x\302\240", test_hostile_text);
  g_test_add_data_func ("/message-row/hostile/marks", "e\314\201\314\201\314\201\314\201", test_hostile_text);
  g_test_add_data_func ("/message-row/hostile/short-words", "xxxxx ", test_hostile_text);
  g_test_add_data_func (
      "/message-row/hostile/long-words",
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
      "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx ",
      test_hostile_text);
  g_test_add_data_func ("/message-row/hostile/lines", "\n", test_hostile_text);
  g_test_add_data_func ("/message-row/hostile/joined-emoji", "\360\237\221\251\342\200\215", test_hostile_text);
  g_test_add_func ("/message-row/words-stay-whole", test_words_stay_whole);
  g_test_add_func ("/message-row/used-again", test_used_again);
  return g_test_run ();
}
