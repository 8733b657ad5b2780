/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-friend.h"
#include "kh-test-page.h"

#include "kh-error.h"
#include "kh-failure.h"
#include "kh-not-connected-page.h"

typedef KhTestPage Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  kh_test_page_set_up (fixture, KH_TYPE_NOT_CONNECTED_PAGE);
  kh_session_join (fixture->session, "nonsense");
  g_assert_error (kh_session_get_error (fixture->session), KH_ERROR, KH_ERROR_BAD_CODE);
}

static void
assert_told (Fixture *fixture, KhRole role)
{
  AdwStatusPage *status = ADW_STATUS_PAGE (kh_test_find (fixture->page, "status_page"));
  KhFailure failure = kh_failure_for_error (KH_ERROR_BAD_CODE, role);

  kh_not_connected_page_set_session (fixture->page, fixture->session, role);
  g_assert_cmpstr (adw_status_page_get_title (status), ==, failure.title);
  g_assert_cmpstr (adw_status_page_get_description (status), ==, failure.sentence);
  kh_test_assert_narrow (fixture->page);
}

static void
test_tells (Fixture *fixture, gconstpointer unused)
{
  assert_told (fixture, KH_ROLE_JOINER);
  assert_told (fixture, KH_ROLE_INVITER);
}

/* The description is read as markup: no sentence may hold any, or it is not shown at all. */
static void
test_every_sentence (Fixture *fixture, gconstpointer unused)
{
  for (int code = 0; code <= KH_ERROR_TOO_LARGE; code++)
    for (int role = KH_ROLE_INVITER; role <= KH_ROLE_JOINER; role++)
      {
        const char *sentence = kh_failure_for_error (code, role).sentence;
        g_autofree char *text = NULL;
        g_autoptr (GError) error = NULL;

        pango_parse_markup (sentence, -1, 0, NULL, &text, NULL, &error);
        g_assert_no_error (error);
        g_assert_cmpstr (text, ==, sentence);
      }
}

static void
test_next_steps (Fixture *fixture, gconstpointer unused)
{
  GtkWidget *again = kh_test_find (fixture->page, "again_button");
  GtkWidget *report = kh_test_find_button (fixture->page, "Copy Report");

  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (again)), ==, "win.try-again");
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (report)), ==, "win.copy-report");
}

static void
assert_step (Fixture *fixture, KhError code, KhRole role, const char *label)
{
  GtkButton *again = GTK_BUTTON (kh_test_find (fixture->page, "again_button"));
  gboolean preferences = kh_failure_for_error (code, role).preferences;

  kh_not_connected_page_set_session (fixture->page, fixture->session, role);
  g_assert_cmpstr (gtk_button_get_label (again), ==, label);
  g_assert_true (gtk_widget_get_visible (kh_test_find (fixture->page, "preferences_button")) == preferences);
  kh_test_assert_narrow (fixture->page);
}

/* The button says what it does: a code that was tried is void. */
static void
test_step_in_words (Fixture *fixture, gconstpointer unused)
{
  assert_step (fixture, KH_ERROR_BAD_CODE, KH_ROLE_INVITER, "New Invite");
  assert_step (fixture, KH_ERROR_BAD_CODE, KH_ROLE_JOINER, "Enter New Code");
}

/* Everything that was tried is there for those who want to know. */
static void
test_details (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *word = g_strnfill (300, 'w');
  GtkListBox *list;

  kh_trace_add (kh_session_get_trace (fixture->session), "mailbox.motd", "text:s", word);
  kh_not_connected_page_set_session (fixture->page, fixture->session, KH_ROLE_JOINER);
  list = GTK_LIST_BOX (kh_test_find (fixture->page, "list"));
  g_assert_true (gtk_widget_is_visible (GTK_WIDGET (list)));
  g_assert_nonnull (gtk_list_box_get_row_at_index (list, 0));
  kh_test_assert_narrow (fixture->page);
}

#define ADD(path, function)                                                                                            \
  g_test_add ("/not-connected-page/" path, Fixture, NULL, set_up, function, kh_test_page_tear_down)

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  ADD ("tells", test_tells);
  ADD ("every-sentence", test_every_sentence);
  ADD ("next-steps", test_next_steps);
  ADD ("step-in-words", test_step_in_words);
  ADD ("details", test_details);
  return g_test_run ();
}
