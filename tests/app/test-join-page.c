/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-widgets.h"

#include "config.h"

#include "kh-join-page.h"

#include <string.h>

#define CODE "7-crossover-bedlamp-customer"
#define OWN_SERVER "ws://own.example.org/v1"

/* The page, whose user has a meeting server of the own, and what it was asked to join. */
typedef struct
{
  GSettings *preferences;
  GtkWidget *page;
  GtkWidget *window;
  char *joined;
  guint told;
} Fixture;

static void
on_join (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  Fixture *fixture = user_data;

  g_assert_null (fixture->joined);
  fixture->joined = g_variant_dup_string (parameter, NULL);
}

static void
on_tell (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  ((Fixture *) user_data)->told++;
}

static void
add_action (Fixture *fixture, const char *prefix, const GActionEntry *action)
{
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();

  g_action_map_add_action_entries (G_ACTION_MAP (group), action, 1, fixture);
  gtk_widget_insert_action_group (fixture->window, prefix, G_ACTION_GROUP (group));
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  static const GActionEntry join = { "join", on_join, "s" };
  static const GActionEntry tell = { "tell", on_tell, "s" };

  fixture->preferences = g_settings_new (KH_APP_ID);
  g_settings_set_string (fixture->preferences, "mailbox-server", OWN_SERVER);
  fixture->page = g_object_ref_sink (g_object_new (KH_TYPE_JOIN_PAGE, NULL));
  kh_join_page_set_preferences (KH_JOIN_PAGE (fixture->page), fixture->preferences);
  fixture->window = kh_test_host (fixture->page);
  g_object_unref (fixture->page); /* the window's */
  add_action (fixture, "app", &join);
  add_action (fixture, "win", &tell);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  kh_test_destroy (fixture->window);
  g_object_unref (fixture->preferences);
  g_free (fixture->joined);
}

static GtkWidget *
entry (Fixture *fixture)
{
  return kh_test_find (fixture->page, "entry");
}

static const char *
typed (Fixture *fixture)
{
  return gtk_editable_get_text (GTK_EDITABLE (entry (fixture)));
}

static void
type (Fixture *fixture, const char *text)
{
  gtk_editable_set_text (GTK_EDITABLE (entry (fixture)), text);
}

static void
press_enter (Fixture *fixture)
{
  g_signal_emit_by_name (gtk_editable_get_delegate (GTK_EDITABLE (entry (fixture))), "activate");
}

static gboolean
may_join (Fixture *fixture)
{
  return gtk_widget_is_sensitive (kh_test_find (fixture->page, "join_button"));
}

static gboolean
is_wrong (Fixture *fixture)
{
  return gtk_widget_has_css_class (entry (fixture), "error");
}

/* Nothing is said about it, good or bad. */
static void
assert_silent (Fixture *fixture)
{
  g_assert_false (kh_test_is_shown (fixture->page, "reason_label"));
  g_assert_false (kh_test_is_shown (fixture->page, "server_label"));
  g_assert_false (is_wrong (fixture));
}

static void
assert_joins_with (Fixture *fixture, const char *what)
{
  g_assert_true (may_join (fixture));
  kh_test_click (fixture->page, "join_button");
  g_assert_cmpstr (fixture->joined, ==, what);
  g_clear_pointer (&fixture->joined, g_free);
  press_enter (fixture);
  g_assert_cmpstr (fixture->joined, ==, what);
  g_clear_pointer (&fixture->joined, g_free);
}

static void
assert_does_not_join (Fixture *fixture)
{
  g_assert_false (may_join (fixture));
  press_enter (fixture);
  g_assert_null (fixture->joined);
}

/* --- what is typed ---------------------------------------------------------------------------------------------- */

static void
test_starts (Fixture *fixture, gconstpointer unused)
{
  assert_silent (fixture);
  assert_does_not_join (fixture);
  g_assert_false (kh_test_is_shown (fixture->page, "suggestions"));
  gtk_widget_grab_focus (fixture->page);
  g_assert_true (kh_test_has_focus (entry (fixture)));
}

static void
test_whole_code (Fixture *fixture, gconstpointer unused)
{
  type (fixture, CODE);
  assert_silent (fixture);
  assert_joins_with (fixture, CODE);
}

/* Letter by letter: while it can still become right nothing is held against it. */
static void
test_while_typing (Fixture *fixture, gconstpointer unused)
{
  for (gsize length = 1; length < strlen (CODE); length++)
    {
      g_autofree char *part = g_strndup (CODE, length);

      type (fixture, part);
      g_test_message ("%s", part);
      g_assert_false (is_wrong (fixture));
      g_assert_false (kh_test_is_shown (fixture->page, "server_label"));
      g_assert_false (kh_test_is_shown (fixture->page, "reason_label"));
    }
}

static void
test_mistyped (Fixture *fixture, gconstpointer unused)
{
  type (fixture, "7-crossover-bedlmap-customer");
  g_assert_true (is_wrong (fixture));
  g_assert_true (kh_test_is_shown (fixture->page, "reason_label"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "reason_label"), ==,
                   "“bedlmap” is not a word that codes use. Did you mean “bedlamp”?");
  kh_test_assert_role (kh_test_find (fixture->page, "reason_label"), GTK_ACCESSIBLE_ROLE_STATUS);
  assert_does_not_join (fixture);

  /* Mended, all is well. */
  type (fixture, CODE);
  assert_silent (fixture);
  g_assert_true (may_join (fixture));
}

static void
test_hopeless (Fixture *fixture, gconstpointer unused)
{
  static const char *const texts[] = { "hello", "nonsense words",       "-", "knothole:", "7-",
                                       "你好",  "\342\200\256" CODE "x" };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      type (fixture, texts[i]);
      g_test_message ("%s", texts[i]);
      assert_does_not_join (fixture);
    }
}

static void
test_huge (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *text = g_strnfill (10000, 'x');
  gint64 start = g_get_monotonic_time ();

  type (fixture, text);
  g_assert_cmpint (g_get_monotonic_time () - start, <, kh_test_patience (1000));
  g_assert_true (is_wrong (fixture));
  g_assert_true (kh_test_is_shown (fixture->page, "reason_label"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "reason_label"), !=, "");
  g_assert_cmpint (strlen (kh_test_text_of (fixture->page, "reason_label")), <, 500);
  assert_does_not_join (fixture);
  kh_test_assert_narrow (fixture->page);
}

/* --- what is pasted --------------------------------------------------------------------------------------------- */

static const char *const pasted[] = {
  "  " CODE "  ",
  "7 crossover bedlamp customer",
  "7-crossover-\nbedlamp-customer",
  "7-Crossover-BEDLAMP-customer",
  "\"" CODE "\"",
  "“" CODE "”",
  "「" CODE "」",
  CODE ".",
  "Hi! My code is " CODE ", see you there.",
  "knothole:" CODE,
  "Click knothole:" CODE " please",
  "我的代码是" CODE "。",
  "7\342\200\223crossover\342\200\223bedlamp\342\200\223customer",
};

static void
test_pasted (Fixture *fixture, gconstpointer text)
{
  type (fixture, text);
  g_assert_true (may_join (fixture));
  g_assert_false (is_wrong (fixture));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "reason_label"), ==, "The code is " CODE ".");
  g_assert_true (kh_test_is_shown (fixture->page, "reason_label"));
  g_assert_false (kh_test_is_shown (fixture->page, "server_label"));
  press_enter (fixture);
  g_assert_nonnull (fixture->joined);
}

static void
test_foreign_server (Fixture *fixture, gconstpointer unused)
{
  const char *link = "knothole:" CODE "?mailbox=wss%3A%2F%2Frelay.example.net%2Fv1";

  type (fixture, link);
  g_assert_true (kh_test_is_shown (fixture->page, "server_label"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "server_label"), ==,
                   "This link uses another meeting server than yours: relay.example.net. Connect only if you trust "
                   "whoever sent it.");
  kh_test_assert_role (kh_test_find (fixture->page, "server_label"), GTK_ACCESSIBLE_ROLE_STATUS);
  assert_joins_with (fixture, link);
}

static void
test_plain_server (Fixture *fixture, gconstpointer unused)
{
  const char *link = "knothole:" CODE "?mailbox=ws%3A%2F%2Frelay.example.net%2Fv1";

  type (fixture, link);
  g_assert_true (kh_test_is_shown (fixture->page, "server_label"));
  g_assert_true (g_str_has_prefix (kh_test_text_of (fixture->page, "server_label"),
                                   "This link leads to the meeting server relay.example.net without encryption."));
  assert_does_not_join (fixture);
}

static void
test_own_server (Fixture *fixture, gconstpointer unused)
{
  type (fixture, "knothole:" CODE "?mailbox=ws%3A%2F%2Fown.example.org%2Fv1");
  g_assert_false (kh_test_is_shown (fixture->page, "server_label"));
  g_assert_true (may_join (fixture));
}

/* A server's name has no spaces: one as long as names may be, on a narrow page. */
static void
test_long_server (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *label = g_strnfill (200, 'w');
  g_autofree char *link = g_strdup_printf ("knothole:" CODE "?mailbox=wss%%3A%%2F%%2F%s.example.net%%2Fv1", label);

  type (fixture, link);
  g_assert_true (kh_test_is_shown (fixture->page, "server_label"));
  kh_test_assert_narrow (fixture->page);
}

/* --- suggestions ------------------------------------------------------------------------------------------------ */

static guint
count_suggestions (Fixture *fixture)
{
  guint count = 0;

  for (GtkWidget *child = gtk_widget_get_first_child (kh_test_find (fixture->page, "suggestions")); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    count++;
  return count;
}

static void
test_suggests (Fixture *fixture, gconstpointer unused)
{
  GtkWidget *button;

  type (fixture, "7-crossov");
  g_assert_true (kh_test_is_shown (fixture->page, "suggestions"));
  g_assert_cmpuint (count_suggestions (fixture), ==, 1);
  button = kh_test_find_button (fixture->page, "crossover");
  g_assert_nonnull (button);
  g_signal_emit_by_name (button, "clicked");
  g_assert_true (g_str_has_prefix (typed (fixture), "7-crossover"));
  g_assert_true (kh_test_has_focus (entry (fixture)));
  g_assert_cmpint (gtk_editable_get_position (GTK_EDITABLE (entry (fixture))), ==, strlen (typed (fixture)));
}

static void
test_suggests_few (Fixture *fixture, gconstpointer unused)
{
  type (fixture, "7-c");
  g_assert_cmpuint (count_suggestions (fixture), ==, 4);
  kh_test_assert_narrow (fixture->page);
  type (fixture, "7-cr");
  g_assert_cmpuint (count_suggestions (fixture), >=, 1);
  g_assert_cmpuint (count_suggestions (fixture), <=, 4);
}

static void
test_suggests_nothing (Fixture *fixture, gconstpointer unused)
{
  static const char *const texts[] = { "", "7", "7-", "7-zzz", "hello", CODE };

  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      type (fixture, texts[i]);
      g_test_message ("%s", texts[i]);
      g_assert_false (kh_test_is_shown (fixture->page, "suggestions"));
      g_assert_cmpuint (count_suggestions (fixture), ==, 0);
    }
}

/* --- filling ---------------------------------------------------------------------------------------------------- */

static void
test_fill (Fixture *fixture, gconstpointer unused)
{
  static const char *const cases[][2] = {
    { "knothole:" CODE, CODE },
    { "Hi! It is " CODE ".", CODE },
    { "", "" },
    { "nonsense", "nonsense" },
    { "knothole:" CODE "?mailbox=wss%3A%2F%2Frelay.example.net%2Fv1",
      "knothole:" CODE "?mailbox=wss%3A%2F%2Frelay.example.net%2Fv1" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      kh_join_page_fill (KH_JOIN_PAGE (fixture->page), cases[i][0]);
      g_assert_cmpstr (typed (fixture), ==, cases[i][1]);
      g_assert_null (fixture->joined);
    }
}

/* The page looks at the clipboard when it is shown, which is done by hiding it and showing it again. GTK 4.8 never lets go
 * of what has the focus and is hidden twice between two frames. */
static void
show_with_clipboard (Fixture *fixture, const char *text)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (fixture->page), text);
  type (fixture, "");
  gtk_widget_set_visible (fixture->page, FALSE);
  gtk_widget_set_visible (fixture->page, TRUE);
  gtk_test_widget_wait_for_draw (fixture->window);
}

static void
test_clipboard (Fixture *fixture, gconstpointer unused)
{
  show_with_clipboard (fixture, "The code is " CODE "!");
  kh_test_wait_until (fixture->told == 1, 5000);
  g_assert_cmpstr (typed (fixture), ==, CODE);
  g_assert_null (fixture->joined);
}

/* That nothing is filled in is known when the next look has filled something in, and is the only one that did. */
static void
test_clipboard_is_left_alone (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *blanks = g_strnfill (3000, ' ');
  g_autofree char *too_long = g_strconcat (blanks, CODE, NULL);
  const char *const texts[] = { "Some other text", "", "9-own-code", too_long };

  kh_join_page_set_own_code (KH_JOIN_PAGE (fixture->page), "9-own-code");
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      show_with_clipboard (fixture, texts[i]);
      g_assert_cmpstr (typed (fixture), ==, "");
      show_with_clipboard (fixture, CODE);
      kh_test_wait_until (fixture->told == i + 1, 5000);
      g_assert_cmpstr (typed (fixture), ==, CODE);
    }
}

#define ADD(path, function) g_test_add ("/join-page/" path, Fixture, NULL, set_up, function, tear_down)

static void
add_pasted (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (pasted); i++)
    {
      g_autofree char *path = g_strdup_printf ("/join-page/pasted/%" G_GSIZE_FORMAT, i);

      g_test_add (path, Fixture, pasted[i], set_up, test_pasted, tear_down);
    }
}

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  ADD ("starts", test_starts);
  ADD ("whole-code", test_whole_code);
  ADD ("while-typing", test_while_typing);
  ADD ("mistyped", test_mistyped);
  ADD ("hopeless", test_hopeless);
  ADD ("huge", test_huge);
  add_pasted ();
  ADD ("foreign-server", test_foreign_server);
  ADD ("plain-server", test_plain_server);
  ADD ("own-server", test_own_server);
  ADD ("long-server", test_long_server);
  ADD ("suggests", test_suggests);
  ADD ("suggests-few", test_suggests_few);
  ADD ("suggests-nothing", test_suggests_nothing);
  ADD ("fill", test_fill);
  ADD ("clipboard", test_clipboard);
  ADD ("clipboard-is-left-alone", test_clipboard_is_left_alone);
  return g_test_run ();
}
