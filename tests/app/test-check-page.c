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

static void
show (Fixture *fixture, KhCheckState state)
{
  g_autoptr (GInetSocketAddress) inside = kh_address_new ("192.168.2.2", 41234);
  g_autoptr (GInetSocketAddress) outside = kh_address_new ("198.51.100.2", 41234);
  gboolean known = kh_facts_knows (&fixture->findings.facts, KH_FACT_MAPPING);

  kh_check_page_show (fixture->page, state, &fixture->findings, known ? inside : NULL, known ? outside : NULL,
                      "stun.example.org");
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

  g_assert_cmpstr (adw_expander_row_get_subtitle (row), ==, value);
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

static void
test_running (Fixture *fixture, gconstpointer unused)
{
  show (fixture, KH_CHECK_STATE_RUNNING);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==, "Looking at your network…");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "servers_label"), ==, "Asking stun.example.org");
  assert_fact (fixture, "type_row", "Checking…");
  assert_fact (fixture, "mapping_row", "Checking…");
  assert_finding (fixture, KH_FINDING_MAPPING, "Checking…");
  assert_button (fixture, "Stop", "win.stop-check");
  g_assert_false (kh_test_is_shown (fixture->page, "friends_group"));

  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent");
  show (fixture, KH_CHECK_STATE_RUNNING);
  assert_fact (fixture, "type_row", "Cone; filtering not known");
  assert_fact (fixture, "mapping_row", "192.168.2.2:41234 → 198.51.100.2:41234");
  assert_finding (fixture, KH_FINDING_MAPPING, "Same for everybody");
  assert_finding (fixture, KH_FINDING_FILTERING, "Checking…");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==, "Looking at your network…");

  find (fixture, KH_FINDING_FILTERING, KH_FACT_FILTERING, "endpoint-independent");
  show (fixture, KH_CHECK_STATE_RUNNING);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==,
                   "Friends can reach you directly on almost every network");
}

static void
test_done (Fixture *fixture, gconstpointer unused)
{
  find (fixture, KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent");
  find (fixture, KH_FINDING_FILTERING, KH_FACT_FILTERING, "address-and-port-dependent");
  find_all (fixture, KH_REASON_NO_DIAL_BACK);
  show (fixture, KH_CHECK_STATE_DONE);

  assert_fact (fixture, "type_row", "Port-restricted cone");
  assert_finding (fixture, KH_FINDING_FILTERING, "Ports you dialled");
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
        if (finding == 0)
          show (fixture, KH_CHECK_STATE_DONE);
        kh_check_page_show (fixture->page, KH_CHECK_STATE_DONE, &fixture->findings, NULL, NULL, NULL);
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

static void
test_failed (Fixture *fixture, gconstpointer unused)
{
  static const struct
  {
    KhCheckState state;
    const char *verdict;
  } table[] = {
    { KH_CHECK_STATE_OFFLINE, "You are not connected to a network" },
    { KH_CHECK_STATE_NO_SERVER, "No server answered" },
    { KH_CHECK_STATE_STOPPED, "The check was stopped" },
    { KH_CHECK_STATE_DONE, "Your network could not be told" },
  };

  find_all (fixture, KH_REASON_NO_SERVER);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      show (fixture, table[i].state);
      g_assert_cmpstr (kh_test_text_of (fixture->page, "verdict_label"), ==, table[i].verdict);
      g_assert_false (kh_test_is_shown (fixture->page, "friends_group"));
      assert_button (fixture, "Run Again", "win.check-again");
      assert_fact (fixture, "mapping_row", "Not known");
    }
}

static void
test_long (Fixture *fixture, gconstpointer unused)
{
  GtkWidget *button = kh_test_find (fixture->page, "long_button");

  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (button)), ==, "win.check-long");
  g_assert_false (kh_test_is_shown (fixture->page, "long_spinner"));
  kh_check_page_show_long (fixture->page, TRUE);
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (button)), ==, "win.stop-long-check");
  g_assert_true (kh_test_is_shown (fixture->page, "long_spinner"));
  kh_test_assert_name (button, "Stop the Long Test");
}

/* What is closed is not there, neither for the eye nor for a screen reader. */
static void
test_open (Fixture *fixture, gconstpointer unused)
{
  AdwExpanderRow *row = find_row (fixture->page, kh_words_finding_title (KH_FINDING_HOST_FIREWALL));
  GtkWidget *header = kh_test_find_type (row, ADW_TYPE_ACTION_ROW);
  GtkWidget *list = kh_test_find_type (kh_test_find_type (row, GTK_TYPE_REVEALER), GTK_TYPE_LIST_BOX);

  g_assert_false (gtk_widget_get_visible (list));
  gtk_test_accessible_assert_state (GTK_ACCESSIBLE (header), GTK_ACCESSIBLE_STATE_EXPANDED, FALSE);
  adw_expander_row_set_expanded (row, TRUE);
  g_assert_true (gtk_widget_get_visible (list));
  gtk_test_accessible_assert_state (GTK_ACCESSIBLE (header), GTK_ACCESSIBLE_STATE_EXPANDED, TRUE);
  adw_expander_row_set_expanded (row, FALSE);
  gtk_test_accessible_assert_state (GTK_ACCESSIBLE (header), GTK_ACCESSIBLE_STATE_EXPANDED, FALSE);
  kh_test_wait_until (!gtk_widget_get_visible (list), 5000);
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
  ADD ("long", test_long);
  ADD ("open", test_open);
  ADD ("focus", test_focus);
  return g_test_run ();
}
