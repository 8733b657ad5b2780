/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-application.h"

#include "kh-preferences-window.h"

/* --- leaving a conversation ------------------------------------------------------------------------------------- */

static void
answer (const char *label)
{
  GtkWindow *dialog = kh_test_get_window (ADW_TYPE_MESSAGE_DIALOG);
  GtkWidget *button = dialog != NULL ? kh_test_find_button (dialog, label) : NULL;

  g_assert_nonnull (button);
  g_signal_emit_by_name (button, "clicked");
  kh_test_wait_until (kh_test_get_window (ADW_TYPE_MESSAGE_DIALOG) == NULL, 5000);
}

static void
test_asks_once (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  gtk_window_close (GTK_WINDOW (window));
  gtk_window_close (GTK_WINDOW (window));
  kh_test_activate (window, "win.back", NULL);
  g_assert_cmpuint (kh_test_count_windows (ADW_TYPE_MESSAGE_DIALOG), ==, 1);

  answer ("_Stay");
  kh_test_assert_page (window, "conversation");
  kh_test_activate (window, "win.say", "Still here");
  kh_test_friend_hears (friend, "Still here");

  /* The answer held for that time only. */
  gtk_window_close (GTK_WINDOW (window));
  g_assert_cmpuint (kh_test_count_windows (ADW_TYPE_MESSAGE_DIALOG), ==, 1);
  answer ("_Stay");
}

static void
test_back_asks (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  kh_test_click (window, "back_button");
  kh_test_assert_page (window, "conversation");
  answer ("_End");
  kh_test_assert_page (window, "home");
  kh_test_assert_state (window, "phase", "home");
  kh_test_wait_phase (friend->session, KH_PHASE_ENDED);
}

static void
test_close_asks (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *) &window);
  gtk_window_close (GTK_WINDOW (window));
  answer ("_End");
  kh_test_wait_until (window == NULL, 2000);
  kh_test_wait_phase (friend->session, KH_PHASE_ENDED);
}

static void
test_quit_asks (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  kh_test_activate (window, "app.quit", NULL);
  kh_test_assert_page (window, "conversation");
  answer ("_End");
  kh_test_wait_until (kh_test_count_windows (KH_TYPE_WINDOW) == 0, 2000);
}

/* The conversation is over before the answer: then there is nothing left to ask. */
static void
test_question_is_late (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  gtk_window_close (GTK_WINDOW (window));
  kh_test_friend_leave (friend);
  kh_test_wait_until (kh_test_state_is (window, "phase", "ended"), KH_TEST_WAIT);
  kh_test_close_for_good (window);
  kh_test_wait_until (kh_test_get_window (GTK_TYPE_WINDOW) == NULL, 5000);
}

/* A friend's program of its own, so that it can be stopped. */
static GSubprocess *
start_friend (KhTestFriend *house, const char *code)
{
  g_autofree char *program = g_build_filename (g_getenv ("KH_BUILDDIR"), "src", "cli", "knothole-cli", NULL);
  g_autofree char *mailbox = g_strconcat ("--mailbox=", house->server->url, NULL);
  g_autofree char *stun = g_strconcat ("--stun=", house->stun, NULL);
  g_autoptr (GError) error = NULL;
  GSubprocess *process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_SILENCE |
                                               G_SUBPROCESS_FLAGS_STDERR_SILENCE,
                                           &error, program, "join", code, mailbox, stun, NULL);

  g_assert_no_error (error);
  return process;
}

typedef struct
{
  GSubprocess *friend;
  gint64 left_at;
} Parting;

static void
on_shutdown (GApplication *application, Parting *parting)
{
  gint64 spent = g_get_monotonic_time () - parting->left_at;

  g_assert_cmpint (spent, <, kh_test_patience (3000));
  g_subprocess_force_exit (parting->friend);
  g_object_unref (parting->friend);
  g_free (parting);
}

/* The window is gone at once, and the program as well after the two seconds it gives a friend. */
static void
test_friend_does_not_answer (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) house = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (house);
  Parting *parting = g_new0 (Parting, 1);
  g_autofree char *code = NULL;

  kh_test_invite (window);
  code = kh_test_state (window, "code");
  parting->friend = start_friend (house, code);
  kh_test_wait_page (window, "conversation");
  g_subprocess_send_signal (parting->friend, SIGSTOP);
  kh_test_activate (window, "win.say", "Anybody there?");

  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *) &window);
  gtk_window_close (GTK_WINDOW (window));
  parting->left_at = g_get_monotonic_time ();
  g_signal_connect (application, "shutdown", G_CALLBACK (on_shutdown), parting);
  answer ("_End");
  kh_test_wait_until (window == NULL, 2000);
}

/* --- closing ---------------------------------------------------------------------------------------------------- */

static void
test_close_home (KhApplication *application, KhWindow *window)
{
  kh_test_close_for_good (window);
}

static void
test_close_join (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.enter-code", NULL);
  kh_test_close_for_good (window);
}

/* A page that was shown, hidden and shown again is let go of as well. */
static void
test_close_after_wandering (KhApplication *application, KhWindow *window)
{
  for (int i = 0; i < 3; i++)
    {
      kh_test_activate (window, "app.enter-code", NULL);
      kh_test_settle ();
      kh_test_activate (window, "win.back", NULL);
      kh_test_settle ();
    }
  kh_test_close_for_good (window);
}

static void
test_close_invite (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_invite (window);
  kh_test_close_for_good (window);
}

static void
test_close_while_starting (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_activate (window, "app.invite", NULL);
  kh_test_close_for_good (window);
}

static void
test_close_not_connected (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.join", "nonsense");
  kh_test_assert_page (window, "not-connected");
  kh_test_close_for_good (window);
}

static void
test_close_over (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  kh_test_activate (window, "win.say", "Hello");
  kh_test_friend_hears (friend, "Hello");
  kh_test_friend_leave (friend);
  kh_test_wait_until (kh_test_state_is (window, "phase", "ended"), KH_TEST_WAIT);
  kh_test_close_for_good (window);
}

static void
close_in_phase (KhWindow *window, KhPhase phase)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  KhSession *session;

  kh_test_join (window, friend);
  session = kh_test_last_session ();
  g_assert_true (session != friend->session);
  kh_test_wait_until (kh_session_get_phase (session) >= phase, KH_TEST_WAIT);
  g_test_message ("closed while %s", kh_phase_name (kh_session_get_phase (session)));
  if (kh_session_get_phase (session) == KH_PHASE_CONNECTED)
    g_test_skip ("connected before it could be closed");
  else
    kh_test_close_for_good (window);
}

static void
test_close_meeting (KhApplication *application, KhWindow *window)
{
  close_in_phase (window, KH_PHASE_MEETING);
}

static void
test_close_looking (KhApplication *application, KhWindow *window)
{
  close_in_phase (window, KH_PHASE_LOOKING);
}

static void
test_close_reaching (KhApplication *application, KhWindow *window)
{
  close_in_phase (window, KH_PHASE_REACHING);
}

/* --- windows beside it ------------------------------------------------------------------------------------------ */

static void
quit (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.quit", NULL);
  kh_test_wait_until (kh_test_get_window (GTK_TYPE_WINDOW) == NULL, 5000);
}

static void
test_quit (KhApplication *application, KhWindow *window)
{
  quit (application, window);
}

static void
test_quit_with_preferences (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.preferences", NULL);
  g_assert_cmpuint (kh_test_count_windows (KH_TYPE_PREFERENCES_WINDOW), ==, 1);
  quit (application, window);
}

static void
test_quit_with_about (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.about", NULL);
  g_assert_cmpuint (kh_test_count_windows (ADW_TYPE_ABOUT_WINDOW), ==, 1);
  quit (application, window);
}

static void
test_quit_with_shortcuts (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "win.show-help-overlay", NULL);
  g_assert_nonnull (gtk_application_window_get_help_overlay (GTK_APPLICATION_WINDOW (window)));
  quit (application, window);
}

static void
test_close_with_preferences (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.preferences", NULL);
  kh_test_close_for_good (window);
  kh_test_wait_until (kh_test_get_window (GTK_TYPE_WINDOW) == NULL, 5000);
}

/* A second start is one more "activate". */
static void
test_one_window (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.preferences", NULL);
  g_signal_handlers_block_matched (application, G_SIGNAL_MATCH_DATA, 0, 0, NULL, NULL, test_one_window);
  g_application_activate (G_APPLICATION (application));
  g_assert_cmpuint (kh_test_count_windows (KH_TYPE_WINDOW), ==, 1);
}

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  kh_test_application_add ("/window-leaving/asks-once", test_asks_once);
  kh_test_application_add ("/window-leaving/back-asks", test_back_asks);
  kh_test_application_add ("/window-leaving/close-asks", test_close_asks);
  kh_test_application_add ("/window-leaving/quit-asks", test_quit_asks);
  kh_test_application_add ("/window-leaving/question-is-late", test_question_is_late);
  kh_test_application_add ("/window-leaving/friend-does-not-answer", test_friend_does_not_answer);
  kh_test_application_add ("/window-leaving/close/home", test_close_home);
  kh_test_application_add ("/window-leaving/close/join", test_close_join);
  kh_test_application_add ("/window-leaving/close/after-wandering", test_close_after_wandering);
  kh_test_application_add ("/window-leaving/close/invite", test_close_invite);
  kh_test_application_add ("/window-leaving/close/while-starting", test_close_while_starting);
  kh_test_application_add ("/window-leaving/close/not-connected", test_close_not_connected);
  kh_test_application_add ("/window-leaving/close/over", test_close_over);
  kh_test_application_add ("/window-leaving/close/meeting", test_close_meeting);
  kh_test_application_add ("/window-leaving/close/looking", test_close_looking);
  kh_test_application_add ("/window-leaving/close/reaching", test_close_reaching);
  kh_test_application_add ("/window-leaving/close/with-preferences", test_close_with_preferences);
  kh_test_application_add ("/window-leaving/quit/alone", test_quit);
  kh_test_application_add ("/window-leaving/quit/with-preferences", test_quit_with_preferences);
  kh_test_application_add ("/window-leaving/quit/with-about", test_quit_with_about);
  kh_test_application_add ("/window-leaving/quit/with-shortcuts", test_quit_with_shortcuts);
  kh_test_application_add ("/window-leaving/one-window", test_one_window);
  return g_test_run ();
}
