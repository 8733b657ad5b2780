/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-application.h"

#include "config.h"

#include <string.h>

/* --- sessions --------------------------------------------------------------------------------------------------- */

static GPtrArray *sessions; /* those that live, the newest last; not owned */

KhSession *__wrap_kh_session_new (const KhSettings *settings);
KhSession *__real_kh_session_new (const KhSettings *settings);

static void
on_session_finalized (gpointer unused, GObject *session)
{
  g_ptr_array_remove (sessions, session);
}

/* The linker puts this in the place of kh_session_new() (--wrap), so that a test sees the sessions that a window keeps to
 * itself, and whether they end. */
KhSession *
__wrap_kh_session_new (const KhSettings *settings)
{
  KhSession *session = __real_kh_session_new (settings);

  if (sessions == NULL)
    sessions = g_ptr_array_new ();
  g_ptr_array_add (sessions, session);
  g_object_weak_ref (G_OBJECT (session), on_session_finalized, NULL);
  return session;
}

/* The one that was made last, of a window or of a friend. */
KhSession *
kh_test_last_session (void)
{
  g_assert_cmpuint (kh_test_count_sessions (), >, 0);
  return g_ptr_array_index (sessions, sessions->len - 1);
}

guint
kh_test_count_sessions (void)
{
  return sessions != NULL ? sessions->len : 0;
}

/* --- running ---------------------------------------------------------------------------------------------------- */

static void
forget_settings (void)
{
  g_autoptr (GSettings) preferences = g_settings_new (KH_APP_ID);
  g_autoptr (GSettingsSchema) schema = NULL;
  g_auto (GStrv) keys = NULL;

  g_object_get (preferences, "settings-schema", &schema, NULL);
  keys = g_settings_schema_list_keys (schema);
  for (char **key = keys; *key != NULL; key++)
    g_settings_reset (preferences, *key);
}

/* Ends what a test has left open, without a question. */
static void
destroy_windows (void)
{
  GtkWindow *window;

  while ((window = kh_test_get_window (GTK_TYPE_WINDOW)) != NULL)
    gtk_window_destroy (window);
}

static void
on_activate (GApplication *application, gpointer body)
{
  GtkWindow *window = gtk_application_get_active_window (GTK_APPLICATION (application));

  kh_test_wait_until (gtk_widget_get_mapped (GTK_WIDGET (window)), 5000);
  ((KhTestBody) body) (KH_APPLICATION (application), KH_WINDOW (window));
  destroy_windows ();
}

/* The real program, from its start to its end: it does not end before everything it began in the background is over. */
static void
run (gconstpointer body)
{
  KhApplication *application = kh_application_new (G_APPLICATION_NON_UNIQUE);

  forget_settings ();
  g_signal_connect_after (application, "activate", G_CALLBACK (on_activate), (gpointer) body);
  g_assert_cmpint (g_application_run (G_APPLICATION (application), 0, NULL), ==, 0);
  g_assert_finalize_object (application);
  kh_test_wait_until (kh_test_count_sessions () == 0, 10000);
}

/* A test of the real window. */
void
kh_test_application_add (const char *path, KhTestBody body)
{
  g_test_add_data_func (path, body, run);
}

/* The user has the friend's server in the preferences. */
GSettings *
kh_test_use_server (KhTestFriend *friend)
{
  const char *const stun[] = { friend->stun, NULL };
  GSettings *preferences = g_settings_new (KH_APP_ID);

  g_settings_set_string (preferences, "mailbox-server", friend->server->url);
  g_settings_set_strv (preferences, "stun-servers", stun);
  return preferences;
}

/* --- the window ------------------------------------------------------------------------------------------------- */

GtkWidget *
kh_test_window_page (KhWindow *window, const char *page)
{
  GtkStack *stack = GTK_STACK (kh_test_find (window, "stack"));
  GtkWidget *found = gtk_stack_get_child_by_name (stack, page);

  g_assert_nonnull (found);
  return found;
}

gboolean
kh_test_window_shows (KhWindow *window, const char *page)
{
  GtkStack *stack = GTK_STACK (kh_test_find (window, "stack"));

  return g_strcmp0 (gtk_stack_get_visible_child_name (stack), page) == 0;
}

/* Like a button with that action, of the window ("win.") or of the application ("app."): nothing if it is disabled. */
void
kh_test_activate (KhWindow *window, const char *action, const char *value)
{
  g_assert_true (gtk_widget_activate_action (GTK_WIDGET (window), action, value != NULL ? "s" : NULL, value));
}

gboolean
kh_test_is_enabled (KhWindow *window, const char *action)
{
  g_assert_true (g_action_group_has_action (G_ACTION_GROUP (window), action));
  return g_action_group_get_action_enabled (G_ACTION_GROUP (window), action);
}

char *
kh_test_state (KhWindow *window, const char *action)
{
  g_autoptr (GVariant) state = g_action_group_get_action_state (G_ACTION_GROUP (window), action);

  g_assert_nonnull (state);
  return g_variant_dup_string (state, NULL);
}

gboolean
kh_test_state_is (KhWindow *window, const char *action, const char *value)
{
  g_autofree char *state = kh_test_state (window, action);

  return strcmp (state, value) == 0;
}

static GList *
list_windows (GType type)
{
  GList *windows = gtk_window_list_toplevels ();

  for (GList *i = windows, *next; i != NULL; i = next)
    {
      next = i->next;
      if (!g_type_is_a (G_OBJECT_TYPE (i->data), type))
        windows = g_list_delete_link (windows, i);
    }
  return windows;
}

guint
kh_test_count_windows (GType type)
{
  g_autoptr (GList) windows = list_windows (type);

  return g_list_length (windows);
}

/* One of that type, or NULL. */
GtkWindow *
kh_test_get_window (GType type)
{
  g_autoptr (GList) windows = list_windows (type);

  return windows != NULL ? windows->data : NULL;
}

/* --- from page to page ------------------------------------------------------------------------------------------ */

/* Only the page that is shown is there for a screen reader. */
void
kh_test_assert_page (KhWindow *window, const char *name)
{
  GtkWidget *stack = kh_test_find (window, "stack");
  GtkWidget *shown = kh_test_window_page (window, name);

  g_assert_true (kh_test_window_shows (window, name));
  kh_test_assert_narrow (adw_application_window_get_content (ADW_APPLICATION_WINDOW (window)));
  for (GtkWidget *page = gtk_widget_get_first_child (stack); page != NULL; page = gtk_widget_get_next_sibling (page))
    g_assert_cmpint (gtk_widget_get_visible (page), ==, page == shown);
}

void
kh_test_join (KhWindow *window, KhTestFriend *friend)
{
  kh_test_friend_invite (friend);
  kh_test_activate (window, "app.join", kh_session_get_code (friend->session));
}

void
kh_test_talk (KhWindow *window, KhTestFriend *friend)
{
  kh_test_join (window, friend);
  kh_test_wait_page (window, "conversation");
  kh_test_wait_phase (friend->session, KH_PHASE_CONNECTED);
}

void
kh_test_invite (KhWindow *window)
{
  kh_test_activate (window, "app.invite", NULL);
  kh_test_wait_until (kh_test_state_is (window, "phase", "inviting"), KH_TEST_WAIT);
}

/* Closes it as a user does, and waits until nobody holds it any more. */
void
kh_test_close_for_good (KhWindow *window)
{
  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *) &window);
  gtk_window_close (GTK_WINDOW (window));
  kh_test_wait_until (window == NULL, 2000);
}
