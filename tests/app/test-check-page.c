/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-widgets.h"

#include "kh-address.h"
#include "kh-check-page.h"
#include "kh-fact-words.h"

#include <string.h>

typedef struct
{
  KhCheckPage *page;
  GtkWidget *window;
  KhFindings findings;
} Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  fixture->page = g_object_new (KH_TYPE_CHECK_PAGE, NULL);
  fixture->window = kh_test_host (GTK_WIDGET (fixture->page));
  kh_findings_init (&fixture->findings);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  kh_test_destroy (fixture->window);
}

static const char *const servers[] = { "stun.example.org", NULL };

static void
show (Fixture *fixture, KhCheckState state)
{
  g_autoptr (GInetSocketAddress) inside = kh_address_new ("192.168.2.2", 41234);
  g_autoptr (GInetSocketAddress) outside = kh_address_new ("198.51.100.2", 41234);
  gboolean known = kh_facts_knows (&fixture->findings.facts, KH_FACT_MAPPING);

  KhCheckResult result = { .state = state, .findings = fixture->findings, .servers = servers };

  if (known)
    {
      result.inside = inside;
      result.outside = outside;
    }
  kh_check_page_show (fixture->page, &result);
  kh_test_assert_narrow (fixture->page);
}

static void
find (Fixture *fixture, KhFinding finding, KhFact fact, const char *word)
{
  kh_facts_set (&fixture->findings.facts, fact, word);
  fixture->findings.reasons[finding] = KH_REASON_KNOWN;
}

static void
find_all (Fixture *fixture, KhReason reason)
{
  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (fixture->findings.reasons[i] == KH_REASON_NOT_YET)
      fixture->findings.reasons[i] = reason;
}

/* The row of a finding, found by its title. */
static AdwExpanderRow *
find_row (gpointer root, const char *title)
{
  AdwExpanderRow *found = NULL;

  if (ADW_IS_EXPANDER_ROW (root) && g_str_equal (adw_preferences_row_get_title (ADW_PREFERENCES_ROW (root)), title))
    return root;
  for (GtkWidget *child = gtk_widget_get_first_child (root); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_row (child, title);
  return found;
}

static void
assert_finding (Fixture *fixture, KhFinding finding, const char *value)
{
  AdwExpanderRow *row = find_row (fixture->page, kh_words_finding_title (finding));
  GtkWidget *spinner = kh_test_find_type (row, GTK_TYPE_SPINNER);
  g_autofree char *name = g_strdup_printf ("%s: %s", kh_words_finding_title (finding), value);

  g_assert_true (g_str_has_prefix (adw_expander_row_get_subtitle (row), value)); /* a note may follow */
  g_assert_cmpint (gtk_widget_get_visible (spinner), ==, g_str_equal (value, "Checking…"));
  kh_test_assert_name (row, kh_words_finding_title (finding));
  kh_test_assert_name (kh_test_find_type (row, ADW_TYPE_ACTION_ROW), name);
  kh_test_assert_role (kh_test_find_type (row, ADW_TYPE_ACTION_ROW), GTK_ACCESSIBLE_ROLE_BUTTON);
}

static void
assert_fact (Fixture *fixture, const char *id, const char *value)
{
  g_autofree char *isolated = g_strdup_printf ("\u2068%s\u2069", value);

  g_assert_cmpstr (adw_action_row_get_subtitle (ADW_ACTION_ROW (kh_test_find (fixture->page, id))), ==, isolated);
}

static void
assert_button (Fixture *fixture, const char *label, const char *action)
{
  GtkWidget *button = kh_test_find (fixture->page, "run_button");

  g_assert_cmpstr (gtk_button_get_label (GTK_BUTTON (button)), ==, label);
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (button)), ==, action);
}

/* The first friend is easily reached by everybody whose network is known. */
static void
assert_friends (Fixture *fixture, const char *value)
{
  GtkWidget *group = kh_test_find (fixture->page, "friends_group");
  AdwActionRow *row = ADW_ACTION_ROW (kh_test_find_type (group, ADW_TYPE_ACTION_ROW));
  const char *why = g_str_equal (value, "Likely") ? "You reach a friend whose network lets everybody in." : "\u00a0";
  g_autofree char *name = g_str_equal (value, "Likely") ? g_strdup_printf ("An Open Network: Likely. %s", why)
                                                        : g_strdup_printf ("An Open Network: %s", value);

  g_assert_true (gtk_widget_is_visible (group));
  g_assert_cmpstr (adw_action_row_get_subtitle (row), ==, why);
  kh_test_assert_name (row, name);
}

static void
test_running (Fixture *fixture, gconstpointer unused)
{
  show (fixture, KH_CHECK_STATE_RUNNING);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==, "Looking at your network…");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "servers_label"), ==, "Asking stun.example.org. 0 of 17 tests done");
  assert_fact (fixture, "type_row", "Checking…");
  assert_fact (fixture, "mapping_row", "Checking…");
  assert_finding (fixture, KH_FINDING_MAPPING, "Checking…");
  assert_button (fixture, "Stop", "win.stop-check");
  assert_friends (fixture, "Checking…");

  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent");
  show (fixture, KH_CHECK_STATE_RUNNING);
  assert_fact (fixture, "type_row", "Checking…");
  assert_friends (fixture, "Checking…");
  assert_fact (fixture, "mapping_row", "192.168.2.2:41234 → 198.51.100.2:41234");
  assert_finding (fixture, KH_FINDING_MAPPING, "Same for everybody");
  assert_finding (fixture, KH_FINDING_FILTERING, "Checking…");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==, "Looking at your network…");

  find (fixture, KH_FINDING_FILTERING, KH_FACT_FILTERING, "endpoint-independent");
  show (fixture, KH_CHECK_STATE_RUNNING);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==,
                   "Friends can reach you directly on almost every network");
  assert_fact (fixture, "type_row", "Full cone");
  assert_friends (fixture, "Likely");
}

static void
test_done (Fixture *fixture, gconstpointer unused)
{
  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent");
  find (fixture, KH_FINDING_FILTERING, KH_FACT_FILTERING, "address-and-port-dependent");
  find_all (fixture, KH_REASON_NO_DIAL_BACK);
  show (fixture, KH_CHECK_STATE_DONE);

  assert_fact (fixture, "type_row", "Port-restricted cone");
  assert_finding (fixture, KH_FINDING_FILTERING, "Addresses and ports you connected to");
  assert_finding (fixture, KH_FINDING_HAIRPIN, "Not known");
  assert_button (fixture, "Run Again", "win.check-again");
  g_assert_true (kh_test_is_shown (fixture->page, "friends_group"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "spoken_label"), ==,
                   "The network check is done: Port-restricted cone");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "servers_label"), ==, "Asked stun.example.org");
  kh_test_assert_role (kh_test_find (fixture->page, "spoken_label"), GTK_ACCESSIBLE_ROLE_STATUS);
}

/* Whatever the reason, the row tells it, and is as narrow. */
static void
test_reasons (Fixture *fixture, gconstpointer unused)
{
  for (int reason = KH_REASON_NOT_ASKED; reason < KH_N_REASONS; reason++)
    for (int finding = 0; finding < KH_N_FINDINGS; finding++)
      {
        g_autofree char *value = NULL;
        g_autofree char *sentence = NULL;
        AdwExpanderRow *row = find_row (fixture->page, kh_words_finding_title (finding));

        fixture->findings.reasons[finding] = reason;
        show (fixture, KH_CHECK_STATE_DONE);
        value = kh_words_finding_value (&fixture->findings, finding);
        sentence = kh_words_finding_sentence (&fixture->findings, finding);
        assert_finding (fixture, finding, value);
        adw_expander_row_set_expanded (row, TRUE);
        g_assert_cmpstr (gtk_label_get_text (GTK_LABEL (
                             kh_test_find_type (kh_test_find_type (row, GTK_TYPE_REVEALER), GTK_TYPE_LABEL))),
                         ==, sentence);
      }
  kh_test_assert_narrow (fixture->page);
}

/* One sentence, where every row would say the same. */
static void
test_failed (Fixture *fixture, gconstpointer unused)
{
  static const struct
  {
    KhCheckState state;
    gboolean empty;
    const char *verdict;
    const char *button;
  } table[] = {
    { KH_CHECK_STATE_OFFLINE, TRUE, "You are not connected to a network", "Try Again" },
    { KH_CHECK_STATE_NO_SERVER, TRUE, "No server answered", "Try Again" },
    { KH_CHECK_STATE_STOPPED, FALSE, "The check was stopped", "Run Again" },
    { KH_CHECK_STATE_DONE, FALSE, "Your network could not be identified", "Run Again" },
  };

  find_all (fixture, KH_REASON_NO_SERVER);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      show (fixture, table[i].state);
      g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==, table[i].verdict);
      g_assert_false (kh_test_is_shown (fixture->page, "friends_group"));
      g_assert_cmpint (kh_test_is_shown (fixture->page, "facts_list"), ==, !table[i].empty);
      g_assert_cmpint (kh_test_is_shown (fixture->page, "router_group"), ==, !table[i].empty);
      g_assert_cmpint (kh_test_is_shown (fixture->page, "holes_group"), ==, !table[i].empty);
      g_assert_cmpint (kh_test_is_shown (fixture->page, "advice_label"), ==, table[i].empty);
      g_assert_cmpint (kh_test_is_shown (fixture->page, "copy_button"), ==, !table[i].empty);
      g_assert_cmpint (kh_test_is_shown (fixture->page, "preferences_button"), ==,
                       table[i].state == KH_CHECK_STATE_NO_SERVER);
      assert_button (fixture, table[i].button, "win.check-again");
      assert_fact (fixture, "mapping_row", "Not known");
    }
}

static void
test_stopped (Fixture *fixture, gconstpointer unused)
{
  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent");
  find_all (fixture, KH_REASON_STOPPED);
  show (fixture, KH_CHECK_STATE_STOPPED);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "servers_label"), ==,
                   "Stopped before the end. Asked stun.example.org");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "spoken_label"), ==,
                   "The network check was stopped before the end: Cone; filtering not known");
}

static void
test_without_nat (Fixture *fixture, gconstpointer unused)
{
  GtkWidget *group = kh_test_find (fixture->page, "router_group");

  show (fixture, KH_CHECK_STATE_RUNNING);
  g_assert_cmpstr (adw_preferences_group_get_title (ADW_PREFERENCES_GROUP (group)), ==, "Your Router");
  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "none");
  show (fixture, KH_CHECK_STATE_RUNNING);
  g_assert_cmpstr (adw_preferences_group_get_title (ADW_PREFERENCES_GROUP (group)), ==, "Your Connection");
  kh_test_assert_name (kh_test_find_type (group, GTK_TYPE_LIST_BOX), "Your Connection");
}

static int
height_of (Fixture *fixture, const char *id)
{
  int height;

  gtk_widget_measure (kh_test_find (fixture->page, id), GTK_ORIENTATION_VERTICAL, 336, &height, NULL, NULL, NULL);
  return height;
}

/* The end of a check moves nothing that was there before. */
static void
test_steady (Fixture *fixture, gconstpointer unused)
{
  static const char *const ids[] = { "buttons", "facts_list" };
  int heights[G_N_ELEMENTS (ids)];
  int mark;

  show (fixture, KH_CHECK_STATE_RUNNING);
  mark = height_of (fixture, "spinner");
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    heights[i] = height_of (fixture, ids[i]);
  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent");
  find_all (fixture, KH_REASON_SERVER_SILENT);
  show (fixture, KH_CHECK_STATE_DONE);
  for (gsize i = 0; i < G_N_ELEMENTS (ids); i++)
    g_assert_cmpint (height_of (fixture, ids[i]), ==, heights[i]);
  g_assert_false (kh_test_is_shown (fixture->page, "spinner"));
  g_assert_cmpint (height_of (fixture, "mark"), ==, mark);
}

/* The button that starts and stops the long test is in the row that it fills. */
static void
test_long (Fixture *fixture, gconstpointer unused)
{
  AdwExpanderRow *row = find_row (fixture->page, kh_words_finding_title (KH_FINDING_IDLE));
  GtkWidget *button = kh_test_find_button (row, "Test");
  const char *note = "Not tested\nTakes up to an hour, in the background.";

  fixture->findings.reasons[KH_FINDING_IDLE] = KH_REASON_NOT_ASKED;
  show (fixture, KH_CHECK_STATE_DONE);
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (button)), ==, "win.check-long");
  g_assert_cmpstr (adw_expander_row_get_subtitle (row), ==, note);

  fixture->findings.reasons[KH_FINDING_IDLE] = KH_REASON_NOT_YET;
  fixture->findings.facts.numbers[KH_FACT_IDLE_SECONDS] = 45;
  show (fixture, KH_CHECK_STATE_DONE);
  kh_check_page_show_long (fixture->page, TRUE);
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (button)), ==, "win.stop-long-check");
  g_assert_cmpstr (adw_expander_row_get_subtitle (row), ==, "At least 45 s");
  g_assert_true (gtk_widget_get_visible (kh_test_find_type (row, GTK_TYPE_SPINNER)));
  kh_test_assert_name (button, "Stop the Long Test");
}

static GtkAdjustment *
adjustment_of (Fixture *fixture)
{
  return gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (kh_test_find (fixture->page, "scroller")));
}

static gboolean
is_in_view (Fixture *fixture, gpointer widget)
{
  graphene_rect_t bounds;
  int height = gtk_widget_get_height (kh_test_find (fixture->page, "scroller"));

  return gtk_widget_compute_bounds (widget, kh_test_find (fixture->page, "scroller"), &bounds) &&
         bounds.size.height > 0 && bounds.origin.y >= 0 && bounds.origin.y + bounds.size.height <= height + 1;
}

/* What is closed is not there, neither for the eye nor for a screen reader; what is opened is to be seen whole. */
static void
test_open (Fixture *fixture, gconstpointer unused)
{
  AdwExpanderRow *row = find_row (fixture->page, kh_words_finding_title (KH_FINDING_HOST_FIREWALL));
  GtkWidget *header = kh_test_find_type (row, ADW_TYPE_ACTION_ROW);
  GtkWidget *list = kh_test_find_type (kh_test_find_type (row, GTK_TYPE_REVEALER), GTK_TYPE_LIST_BOX);

  find_all (fixture, KH_REASON_NO_DIAL_BACK);
  show (fixture, KH_CHECK_STATE_DONE);
  g_assert_false (gtk_widget_get_visible (list));
  gtk_test_accessible_assert_state (GTK_ACCESSIBLE (header), GTK_ACCESSIBLE_STATE_EXPANDED, FALSE);

  adw_expander_row_set_expanded (row, TRUE);
  g_assert_true (gtk_widget_get_visible (list));
  gtk_test_accessible_assert_state (GTK_ACCESSIBLE (header), GTK_ACCESSIBLE_STATE_EXPANDED, TRUE);
  kh_test_wait_until (is_in_view (fixture, row), 5000);

  adw_expander_row_set_expanded (row, FALSE);
  gtk_test_accessible_assert_state (GTK_ACCESSIBLE (header), GTK_ACCESSIBLE_STATE_EXPANDED, FALSE);
  kh_test_wait_until (!gtk_widget_get_visible (list), 5000);
}

/* Whoever comes back begins at the top. */
static void
test_from_the_top (Fixture *fixture, gconstpointer unused)
{
  show (fixture, KH_CHECK_STATE_RUNNING);
  kh_test_wait_until (gtk_adjustment_get_upper (adjustment_of (fixture)) > 700, 5000);
  gtk_adjustment_set_value (adjustment_of (fixture), 60);
  g_assert_cmpfloat (gtk_adjustment_get_value (adjustment_of (fixture)), ==, 60);
  gtk_widget_set_visible (GTK_WIDGET (fixture->page), FALSE);
  gtk_widget_set_visible (GTK_WIDGET (fixture->page), TRUE);
  g_assert_cmpfloat (gtk_adjustment_get_value (adjustment_of (fixture)), ==, 0);
}

/* At twice the usual size, in every state. */
static void
test_large_text (Fixture *fixture, gconstpointer unused)
{
  GtkSettings *settings = gtk_widget_get_settings (GTK_WIDGET (fixture->page));
  g_autofree char *usual = NULL;
  int before;

  show (fixture, KH_CHECK_STATE_RUNNING);
  before = height_of (fixture, "type_row");
  g_object_get (settings, "gtk-font-name", &usual, NULL);
  g_object_set (settings, "gtk-font-name", "Cantarell 22", NULL);
  kh_test_wait_until (height_of (fixture, "type_row") > 5 * before / 4, 5000);
  for (int state = KH_CHECK_STATE_NONE; state <= KH_CHECK_STATE_OFFLINE; state++)
    show (fixture, state);
  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent");
  find (fixture, KH_FINDING_FILTERING, KH_FACT_FILTERING, "address-and-port-dependent");
  show (fixture, KH_CHECK_STATE_DONE);
  g_object_set (settings, "gtk-font-name", usual, NULL);
}

static void
test_focus (Fixture *fixture, gconstpointer unused)
{
  gtk_widget_set_sensitive (kh_test_find (fixture->page, "run_button"), TRUE);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (kh_test_find (fixture->page, "run_button")), NULL);
  gtk_widget_grab_focus (GTK_WIDGET (fixture->page));
  g_assert_true (kh_test_has_focus (kh_test_find (fixture->page, "run_button")));
}

#define ADD(path, function) g_test_add ("/check-page/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  ADD ("running", test_running);
  ADD ("done", test_done);
  ADD ("reasons", test_reasons);
  ADD ("failed", test_failed);
  ADD ("stopped", test_stopped);
  ADD ("without-nat", test_without_nat);
  ADD ("steady", test_steady);
  ADD ("long", test_long);
  ADD ("open", test_open);
  ADD ("from-the-top", test_from_the_top);
  ADD ("large-text", test_large_text);
  ADD ("focus", test_focus);
  return g_test_run ();
}
