/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-application.h"

#include "kh-conversation-page.h"
#include "kh-join-page.h"
#include "kh-preferences-window.h"

#define CODE "7-crossover-bedlamp-customer"

/* --- helpers ---------------------------------------------------------------------------------------------------- */

/* Each action, with a blank in front and behind, that the window says can be used now. */
static void
assert_enabled (KhWindow *window, const char *enabled)
{
  static const char *const actions[] = {
    "back", "cancel", "copy-code", "copy-link", "copy-report", "try-again", "say"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (actions); i++)
    {
      g_autofree char *word = g_strdup_printf (" %s ", actions[i]);

      g_test_message ("action%son page %s", word,
                      gtk_stack_get_visible_child_name (GTK_STACK (kh_test_find (window, "stack"))));
      g_assert_cmpint (kh_test_is_enabled (window, actions[i]), ==, strstr (enabled, word) != NULL);
    }
}

static void
assert_title (KhWindow *window, const char *title)
{
  AdwWindowTitle *widget = ADW_WINDOW_TITLE (kh_test_find (window, "title"));

  g_assert_cmpstr (adw_window_title_get_title (widget), ==, title);
}

static void
assert_told (KhWindow *window, const char *sentence)
{
  g_assert_cmpstr (kh_test_text_of (window, "status_label"), ==, sentence);
}

/* A TCP port that cannot be had. */
static GSocket *
occupy_port (guint16 *port)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) address = g_inet_socket_address_new (any, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GError) error = NULL;

  g_assert_true (g_socket_bind (socket, address, FALSE, &error) && g_socket_listen (socket, &error));
  g_assert_no_error (error);
  bound = g_socket_get_local_address (socket, NULL);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  return socket;
}

/* --- pages and actions ------------------------------------------------------------------------------------------ */

static void
test_home (KhApplication *application, KhWindow *window)
{
  kh_test_assert_page (window, "home");
  assert_title (window, "Knothole");
  assert_enabled (window, "");
  kh_test_assert_state (window, "phase", "home");
  kh_test_assert_state (window, "code", "");
  g_assert_false (kh_test_is_shown (window, "back_button"));
}

static void
test_states_are_read_only (KhApplication *application, KhWindow *window)
{
  g_action_group_change_action_state (G_ACTION_GROUP (window), "phase", g_variant_new_string ("connected"));
  g_action_group_change_action_state (G_ACTION_GROUP (window), "code", g_variant_new_string (CODE));
  kh_test_assert_state (window, "phase", "home");
  kh_test_assert_state (window, "code", "");
}

static void
test_enter_code (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.enter-code", NULL);
  kh_test_assert_page (window, "join");
  assert_title (window, "Enter a Code");
  assert_enabled (window, " back ");
  g_assert_true (kh_test_has_focus (kh_test_find (window, "entry")));
  kh_test_assert_state (window, "phase", "home");

  kh_test_click (window, "back_button");
  kh_test_assert_page (window, "home");
  assert_enabled (window, "");
}

static void
test_invite (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  g_autofree char *code = NULL;

  kh_test_activate (window, "app.invite", NULL);
  kh_test_assert_page (window, "invite");
  assert_title (window, "Invite a Friend");
  kh_test_assert_state (window, "phase", "starting");
  kh_test_assert_state (window, "code", "");
  assert_enabled (window, " back cancel copy-report ");

  kh_test_wait_until (kh_test_state_is (window, "phase", "inviting"), KH_TEST_WAIT);
  kh_test_assert_page (window, "invite");
  assert_enabled (window, " back cancel copy-code copy-link copy-report ");
  assert_told (window, "The invite code is there. Waiting for your friend.");
  code = kh_test_state (window, "code");
  g_assert_cmpstr (code, ==, kh_session_get_code (kh_test_last_session ()));
  g_assert_cmpstr (code, ==, kh_test_text_of (window, "code_label"));

  kh_test_activate (window, "win.cancel", NULL);
  kh_test_assert_page (window, "home");
  kh_test_assert_state (window, "phase", "home");
  kh_test_assert_state (window, "code", "");
  assert_enabled (window, "");
}

static void
test_copy (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  g_autofree char *code = NULL;
  g_autofree char *copied = NULL;
  g_autofree char *link = NULL;
  g_autofree char *report = NULL;

  kh_test_invite (window);
  code = kh_test_state (window, "code");

  kh_test_activate (window, "win.copy-code", NULL);
  copied = kh_test_read_clipboard (window);
  g_assert_cmpstr (copied, ==, code);
  assert_told (window, "Code copied");

  kh_test_activate (window, "win.copy-link", NULL);
  link = kh_test_read_clipboard (window);
  g_assert_true (g_str_has_prefix (link, "knothole:"));
  g_assert_nonnull (strstr (link, code));
  assert_told (window, "Link copied");

  kh_test_activate (window, "win.copy-report", NULL);
  report = kh_test_read_clipboard (window);
  g_assert_cmpstr (report, !=, "");
  g_assert_null (strstr (report, code));
  assert_told (window, "Report copied");
}

static void
test_friend_joins (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new ("<b>Bo & Co</b>");
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  g_autofree char *code = NULL;

  kh_test_invite (window);
  code = kh_test_state (window, "code");
  kh_session_join (friend->session, code);
  kh_test_wait_page (window, "reaching");
  kh_test_assert_page (window, "reaching");
  assert_title (window, "Connecting");
  assert_enabled (window, " back cancel copy-report ");
  kh_test_assert_state (window, "code", "");

  kh_test_wait_page (window, "conversation");
  kh_test_assert_page (window, "conversation");
  assert_title (window, "<b>Bo & Co</b>");
  kh_test_assert_state (window, "phase", "connected");
  kh_test_assert_state (window, "code", "");
  assert_enabled (window, " back copy-report say ");
  assert_told (window, "Connected. You can talk now.");
}

static void
test_join (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_join (window, friend);
  kh_test_assert_page (window, "reaching");
  kh_test_assert_state (window, "phase", "starting");
  assert_enabled (window, " back cancel copy-report ");
  g_assert_true (kh_test_has_focus (kh_test_find (window, "cancel_button")));

  kh_test_wait_page (window, "conversation");
  assert_title (window, "Your Friend");
  g_assert_true (kh_test_has_focus (kh_test_find (window, "entry")));
  kh_test_activate (window, "win.say", "你好 👋");
  kh_test_friend_hears (friend, "你好 👋");
}

/* The preferences' name is what a friend sees. */
static void
test_own_name (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  g_settings_set_string (preferences, "name", "Ada");
  kh_test_talk (window, friend);
  g_assert_cmpstr (kh_session_get_peer_name (friend->session), ==, "Ada");
}

/* --- ends ------------------------------------------------------------------------------------------------------- */

static void
test_friend_leaves (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  kh_session_say (friend->session, "Bye", NULL);
  kh_test_friend_leave (friend);
  kh_test_wait_until (kh_test_state_is (window, "phase", "ended"), KH_TEST_WAIT);
  kh_test_assert_page (window, "conversation");
  assert_enabled (window, " back copy-report ");
  assert_told (window, "The conversation is over.");

  /* Nothing is lost by leaving now: nobody is asked. */
  kh_test_activate (window, "win.back", NULL);
  kh_test_assert_page (window, "home");
  kh_test_assert_state (window, "phase", "home");
  g_assert_cmpuint (kh_test_count_windows (ADW_TYPE_MESSAGE_DIALOG), ==, 0);
}

static void
test_lost (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  kh_test_friend_vanish (friend);
  kh_test_wait_until (kh_test_state_is (window, "phase", "failed"), KH_TEST_WAIT);
  kh_test_assert_page (window, "conversation");
  assert_enabled (window, " back copy-report ");
  assert_told (window, "The Connection Broke Off");
}

/* A code that cannot be right is spent on nobody, and is not offered again. */
static void
test_bad_code (KhApplication *application, KhWindow *window)
{
  kh_test_activate (window, "app.join", "nonsense");
  kh_test_assert_page (window, "not-connected");
  assert_title (window, "Not Connected");
  kh_test_assert_state (window, "phase", "failed");
  assert_enabled (window, " back copy-report try-again ");
  assert_told (window, "The Code Does Not Match");

  kh_test_activate (window, "win.try-again", NULL);
  kh_test_assert_page (window, "join");
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (kh_test_find (window, "entry"))), ==, "");
  assert_enabled (window, " back ");
}

static void
test_joiner_tries_again (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  guint16 port;
  g_autoptr (GSocket) socket = occupy_port (&port);

  g_settings_set_int (preferences, "local-port", port);
  kh_test_friend_invite (friend);
  kh_test_activate (window, "app.join", kh_session_get_code (friend->session));
  kh_test_wait_page (window, "not-connected");
  assert_told (window, "The Local Port Cannot Be Used");

  g_settings_set_int (preferences, "local-port", 0);
  kh_test_activate (window, "win.try-again", NULL);
  kh_test_assert_page (window, "join");
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (kh_test_find (window, "entry"))), ==,
                   kh_session_get_code (friend->session));
  kh_test_click (window, "join_button");
  kh_test_wait_page (window, "conversation");
}

static void
test_inviter_tries_again (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  guint16 port;
  g_autoptr (GSocket) socket = occupy_port (&port);

  g_settings_set_int (preferences, "local-port", port);
  kh_test_activate (window, "app.invite", NULL);
  kh_test_wait_page (window, "not-connected");
  kh_test_assert_state (window, "phase", "failed");
  kh_test_assert_state (window, "code", "");

  g_settings_set_int (preferences, "local-port", 0);
  kh_test_activate (window, "win.try-again", NULL);
  kh_test_assert_page (window, "invite");
  kh_test_wait_until (kh_test_state_is (window, "phase", "inviting"), KH_TEST_WAIT);
}

static void
test_cancel_while_reaching (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_join (window, friend);
  kh_test_activate (window, "win.cancel", NULL);
  kh_test_assert_page (window, "home");
  kh_test_assert_state (window, "phase", "home");
}

/* One conversation after another: nothing of the first is left in the second. */
static void
test_twice (KhApplication *application, KhWindow *window)
{
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (KhTestFriend) friend = kh_test_friend_new (i == 0 ? "Ada" : "Bo");
      g_autoptr (GSettings) preferences = kh_test_use_server (friend);

      kh_test_talk (window, friend);
      assert_title (window, i == 0 ? "Ada" : "Bo");
      g_assert_true (kh_test_is_shown (window, "empty_label"));
      kh_test_activate (window, "win.say", "Hello");
      kh_test_friend_hears (friend, "Hello");
      g_assert_false (kh_test_is_shown (window, "empty_label"));
      kh_test_friend_leave (friend);
      kh_test_wait_until (kh_test_state_is (window, "phase", "ended"), KH_TEST_WAIT);
      kh_test_activate (window, "win.back", NULL);
    }
}

/* --- the network check ------------------------------------------------------------------------------------------ */

static gboolean
is_check_over (KhWindow *window)
{
  return !kh_test_state_is (window, "check", "none") && !kh_test_state_is (window, "check", "running");
}

static void
test_check (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  g_autofree char *report = NULL;

  kh_test_assert_state (window, "check", "none");
  kh_test_activate (window, "app.check-network", NULL);
  kh_test_assert_page (window, "check");
  assert_title (window, "Network Check");
  assert_enabled (window, " back ");
  g_assert_true (kh_test_has_focus (kh_test_find (kh_test_window_page (window, "check"), "run_button")));
  kh_test_wait_until (is_check_over (window), 30000);
  kh_test_assert_state (window, "check", "done");
  g_assert_true (kh_test_has_focus (kh_test_find (kh_test_window_page (window, "check"), "run_button")));

  kh_test_activate (window, "win.copy-check", NULL);
  report = kh_test_read_clipboard (window);
  g_assert_nonnull (strstr (report, "NAT Type"));
  assert_told (window, "Copied, with shortened addresses");

  /* What is known is not asked again; whoever wants may. */
  kh_test_activate (window, "win.back", NULL);
  kh_test_assert_page (window, "home");
  g_assert_false (kh_test_is_enabled (window, "copy-check"));
  kh_test_activate (window, "app.check-network", NULL);
  kh_test_assert_state (window, "check", "done");
  kh_test_activate (window, "win.check-again", NULL);
  kh_test_assert_state (window, "check", "running");
  g_assert_false (kh_test_is_enabled (window, "copy-check"));
  kh_test_activate (window, "win.stop-check", NULL);
  kh_test_wait_until (kh_test_state_is (window, "check", "stopped"), 5000);
  kh_test_activate (window, "win.copy-check-whole", NULL);
  assert_told (window, "Copied, with full addresses");
}

/* A check that runs is ended with its window. */
static void
test_close_while_checking (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_activate (window, "app.check-network", NULL);
  kh_test_activate (window, "win.check-long", NULL);
  kh_test_assert_state (window, "check", "running");
  kh_test_close_for_good (window);
}

/* --- one thing at a time ---------------------------------------------------------------------------------------- */

static void
open_uri (KhApplication *application, const char *uri)
{
  g_autoptr (GFile) file = g_file_new_for_uri (uri);

  g_application_open (G_APPLICATION (application), &file, 1, "");
}

/* Whatever would begin something else leaves what is under way as it is, and says so. */
static void
assert_refuses_more (KhApplication *application, KhWindow *window, const char *sentence)
{
  static const char *const ways[] = { "app.invite", "app.enter-code", "app.check-network", "app.join", "link" };
  KhSession *session = kh_test_last_session ();
  g_autofree char *phase = kh_test_state (window, "phase");
  g_autofree char *page = g_strdup (gtk_stack_get_visible_child_name (GTK_STACK (kh_test_find (window, "stack"))));

  for (gsize i = 0; i < G_N_ELEMENTS (ways); i++)
    {
      g_test_message ("%s on page %s", ways[i], page);
      kh_window_tell (window, "-");
      if (g_str_equal (ways[i], "link"))
        open_uri (application, "knothole:" CODE);
      else
        kh_test_activate (window, ways[i], g_str_equal (ways[i], "app.join") ? CODE : NULL);
      assert_told (window, sentence);
      kh_test_assert_page (window, page);
      kh_test_assert_state (window, "phase", phase);
      g_assert_true (kh_test_last_session () == session);
    }
}

static void
test_one_invite (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);
  g_autofree char *code = NULL;

  kh_test_invite (window);
  code = kh_test_state (window, "code");
  assert_refuses_more (application, window, "Something is under way. Cancel it first.");
  kh_test_assert_state (window, "code", code);
}

static void
test_one_conversation (KhApplication *application, KhWindow *window)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GSettings) preferences = kh_test_use_server (friend);

  kh_test_talk (window, friend);
  assert_refuses_more (application, window, "You are talking. End that first.");
  kh_test_activate (window, "win.say", "Still here");
  kh_test_friend_hears (friend, "Still here");
}

/* A link from elsewhere is filled in, and waits. */
static void
test_link (KhApplication *application, KhWindow *window)
{
  open_uri (application, "knothole:" CODE);
  kh_test_assert_page (window, "join");
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (kh_test_find (window, "entry"))), ==, CODE);
  g_assert_true (gtk_widget_is_sensitive (kh_test_find (window, "join_button")));
  kh_test_settle ();
  g_assert_cmpuint (kh_test_count_sessions (), ==, 0);
}

static void
test_file_is_no_link (KhApplication *application, KhWindow *window)
{
  open_uri (application, "file:///etc/passwd");
  kh_test_assert_page (window, "home");
  assert_told (window, "This is not an invite link");
}

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  kh_test_application_add ("/window/home", test_home);
  kh_test_application_add ("/window/states-are-read-only", test_states_are_read_only);
  kh_test_application_add ("/window/enter-code", test_enter_code);
  kh_test_application_add ("/window/invite", test_invite);
  kh_test_application_add ("/window/check", test_check);
  kh_test_application_add ("/window/close-while-checking", test_close_while_checking);
  kh_test_application_add ("/window/copy", test_copy);
  kh_test_application_add ("/window/friend-joins", test_friend_joins);
  kh_test_application_add ("/window/join", test_join);
  kh_test_application_add ("/window/own-name", test_own_name);
  kh_test_application_add ("/window/friend-leaves", test_friend_leaves);
  kh_test_application_add ("/window/lost", test_lost);
  kh_test_application_add ("/window/bad-code", test_bad_code);
  kh_test_application_add ("/window/joiner-tries-again", test_joiner_tries_again);
  kh_test_application_add ("/window/inviter-tries-again", test_inviter_tries_again);
  kh_test_application_add ("/window/cancel-while-reaching", test_cancel_while_reaching);
  kh_test_application_add ("/window/twice", test_twice);
  kh_test_application_add ("/window/one-invite", test_one_invite);
  kh_test_application_add ("/window/one-conversation", test_one_conversation);
  kh_test_application_add ("/window/link", test_link);
  kh_test_application_add ("/window/file-is-no-link", test_file_is_no_link);
  return g_test_run ();
}
