/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-friend.h"
#include "kh-test-page.h"

#include "kh-json.h"
#include "kh-reaching-page.h"

#define KEEPS "Cone; filtering not known"

typedef KhTestPage Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  kh_test_page_set_up (fixture, KH_TYPE_REACHING_PAGE);
  kh_reaching_page_set_session (fixture->page, fixture->session);
}

static KhTrace *
trace (Fixture *fixture)
{
  return kh_session_get_trace (fixture->session);
}

static guint
count_rows (Fixture *fixture)
{
  GtkListBox *list = GTK_LIST_BOX (kh_test_find (fixture->page, "list"));
  guint count = 0;

  while (gtk_list_box_get_row_at_index (list, count) != NULL)
    count++;
  return count;
}

static void
assert_fact (Fixture *fixture, const char *id, const char *title, const char *value)
{
  AdwActionRow *row = ADW_ACTION_ROW (kh_test_find (fixture->page, id));
  g_autofree char *name = g_strdup_printf ("%s: %s", title, value);
  /* Set apart from text that is written the other way */
  g_autofree char *isolated = g_strdup_printf ("\u2068%s\u2069", value);

  g_assert_cmpstr (adw_action_row_get_subtitle (row), ==, isolated);
  kh_test_assert_name (row, name);
}

static void
add_mapping (Fixture *fixture, const char *server, const char *outside)
{
  kh_trace_add (trace (fixture), "mapping.found", "server:s local:s outside:s rtt_ms:l", server, "10.0.0.2:5", outside,
                (gint64) 3);
}

static void
test_starts (Fixture *fixture, gconstpointer unused)
{
  assert_fact (fixture, "outside_row", "Your Public Address", "Not known yet");
  assert_fact (fixture, "router_row", "Your Router", "Not known yet");
  assert_fact (fixture, "friend_row", "Your Friend's Router", "Not known yet");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "phase_label"), ==,
                   "Looking for your friend at the meeting server…");
  kh_test_assert_role (kh_test_find (fixture->page, "phase_label"), GTK_ACCESSIBLE_ROLE_STATUS);
  kh_test_assert_role (kh_test_find (fixture->page, "list"), GTK_ACCESSIBLE_ROLE_LOG);
  kh_test_assert_name (kh_test_find (fixture->page, "list"), "What happens");
  g_assert_true (g_regex_match_simple ("^0:[0-5][0-9]$", kh_test_text_of (fixture->page, "time_label"), 0, 0));
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (kh_test_find (fixture->page, "cancel_button"))), ==,
                   "win.cancel");
  kh_test_assert_narrow (fixture->page);
}

static void
test_facts (Fixture *fixture, gconstpointer unused)
{
  add_mapping (fixture, "a:1", "203.0.113.1:5");
  assert_fact (fixture, "outside_row", "Your Public Address", "203.0.113.1:5");
  assert_fact (fixture, "router_row", "Your Router", "Not known yet");
  add_mapping (fixture, "b:1", "203.0.113.1:5");
  assert_fact (fixture, "router_row", "Your Router", KEEPS);
  kh_trace_add (trace (fixture), "offer.received", "facts:o",
                kh_json_build ("mapping:s", "address-and-port-dependent"));
  assert_fact (fixture, "friend_row", "Your Friend's Router", "Symmetric");
  kh_test_assert_narrow (fixture->page);
}

/* A trace may say anything; the page does not read it as markup. */
static void
test_hostile_facts (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *word = g_strnfill (300, 'w');

  add_mapping (fixture, "a:1", word);
  add_mapping (fixture, "b:1", "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535");
  kh_test_assert_narrow (fixture->page);
}

/* What came before the page looked is told as well. */
static void
test_log (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *word = g_strnfill (300, 'w');
  guint before = count_rows (fixture);

  for (int i = 0; i < 3; i++)
    kh_trace_add (trace (fixture), "mailbox.motd", "text:s", word);
  g_assert_cmpuint (count_rows (fixture), ==, before + 3);
  kh_test_assert_narrow (fixture->page);

  kh_reaching_page_set_session (fixture->page, NULL);
  g_assert_cmpuint (count_rows (fixture), ==, 0);
  kh_reaching_page_set_session (fixture->page, fixture->session);
  g_assert_cmpuint (count_rows (fixture), ==, before + 3);
}

static void
test_log_is_bounded (Fixture *fixture, gconstpointer unused)
{
  for (int i = 0; i < 700; i++)
    kh_trace_add (trace (fixture), "mailbox.motd", "text:s", "Hello");
  g_assert_cmpuint (count_rows (fixture), <=, 500);
  g_assert_cmpuint (count_rows (fixture), >, 0);
}

static GtkAdjustment *
adjustment (Fixture *fixture)
{
  return gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (kh_test_find (fixture->page, "scroller")));
}

static gboolean
is_at_end (Fixture *fixture)
{
  return gtk_adjustment_get_value (adjustment (fixture)) + gtk_adjustment_get_page_size (adjustment (fixture)) >=
         gtk_adjustment_get_upper (adjustment (fixture)) - 1;
}

static void
add_many (Fixture *fixture)
{
  double before = gtk_adjustment_get_upper (adjustment (fixture));

  for (int i = 0; i < 50; i++)
    kh_trace_add (trace (fixture), "mailbox.motd", "text:s", "Hello");
  kh_test_wait_until (gtk_adjustment_get_upper (adjustment (fixture)) > before + 500, KH_TEST_WAIT);
}

static void
test_log_follows (Fixture *fixture, gconstpointer unused)
{
  add_many (fixture);
  kh_test_wait_until (is_at_end (fixture), KH_TEST_WAIT);
  gtk_adjustment_set_value (adjustment (fixture), 100);
  add_many (fixture);
  g_assert_cmpfloat (gtk_adjustment_get_value (adjustment (fixture)), ==, 100);
  gtk_adjustment_set_value (adjustment (fixture), gtk_adjustment_get_upper (adjustment (fixture)));
  add_many (fixture);
  kh_test_wait_until (is_at_end (fixture), KH_TEST_WAIT);
}

typedef struct
{
  Fixture *fixture;
  guint phases[KH_PHASE_FAILED + 1];
} Seen;

static void
on_phase (KhSession *session, GParamSpec *pspec, Seen *seen)
{
  KhPhase phase = kh_session_get_phase (session);
  const char *words = kh_test_text_of (seen->fixture->page, "phase_label");

  g_test_message ("%s: %s", kh_phase_name (phase), words);
  seen->phases[phase]++;
  g_assert_cmpstr (words, !=, "");
}

/* From the code to the connection there is always something to read. */
static void
test_phases (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  KhSession *session = kh_session_new (friend->settings);
  Seen seen = { fixture };

  kh_reaching_page_set_session (fixture->page, session);
  g_signal_connect (session, "notify::phase", G_CALLBACK (on_phase), &seen);
  kh_test_friend_invite (friend);
  kh_session_join (session, kh_session_get_code (friend->session));
  kh_test_wait_phase (session, KH_PHASE_CONNECTED);
  for (int phase = KH_PHASE_MEETING; phase <= KH_PHASE_CONNECTED; phase++)
    g_assert_cmpuint (seen.phases[phase], ==, 1);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "phase_label"), ==, "Connected");
  g_assert_cmpuint (count_rows (fixture), >, 3);

  g_signal_handlers_disconnect_by_data (session, &seen);
  kh_reaching_page_set_session (fixture->page, NULL);
  kh_test_close (session);
}

#define ADD(path, function) g_test_add ("/reaching-page/" path, Fixture, NULL, set_up, function, kh_test_page_tear_down)

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  ADD ("starts", test_starts);
  ADD ("facts", test_facts);
  ADD ("hostile-facts", test_hostile_facts);
  ADD ("log", test_log);
  ADD ("log-is-bounded", test_log_is_bounded);
  ADD ("log-follows", test_log_follows);
  ADD ("phases", test_phases);
  return g_test_run ();
}
