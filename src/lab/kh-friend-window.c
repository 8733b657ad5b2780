/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-friend-window.h"

#include "kh-line-reader.h"

#include <signal.h>
#include <string.h>

#define APP_ID "io.github.knothole.Knothole"
#define APP_PATH "/io/github/knothole/Knothole"
#define WINDOW_PATH APP_PATH "/window/1"
#define ACTIONS "org.gtk.Actions"

/* A bus does not tell when a window comes: it is asked, this often. */
#define ASK_MS 50
#define PATIENCE_SECONDS 30

struct _KhFriendWindow
{
  GObject parent_instance;
  KhLab *lab;
  KhHostId host;
  char *name;
  char *program;
  char *bus_config;
  char **environment;
  KhCommand *bus;
  KhLineReader *bus_reader;
  GDBusConnection *connection;
  guint subscription;
  KhCommand *window;
  char *phase;
  char *code;
  GCancellable *cancellable;
  GTask *opening;
  guint ask;
  guint deadline;
};

enum
{
  CHANGED,
  ENDED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/**
 * KhFriendWindow:
 *
 * A window of Knothole on one of a laboratory's hosts, on the user's display, with a home, settings and a session bus of its
 * own. It is driven by its actions, as any script may do: docs/window.md.
 */
G_DEFINE_FINAL_TYPE (KhFriendWindow, kh_friend_window, G_TYPE_OBJECT)

static void
kh_friend_window_dispose (GObject *object)
{
  KhFriendWindow *self = KH_FRIEND_WINDOW (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->ask, g_source_remove);
  g_clear_handle_id (&self->deadline, g_source_remove);
  if (self->subscription != 0)
    g_dbus_connection_signal_unsubscribe (self->connection, self->subscription);
  self->subscription = 0;
  g_clear_object (&self->connection);
  g_clear_object (&self->bus_reader);
  if (self->bus != NULL)
    kh_command_signal (self->bus, SIGTERM);
  g_clear_object (&self->bus);
  g_clear_object (&self->window);
  g_clear_object (&self->lab);

  G_OBJECT_CLASS (kh_friend_window_parent_class)->dispose (object);
}

static void
kh_friend_window_finalize (GObject *object)
{
  KhFriendWindow *self = KH_FRIEND_WINDOW (object);

  g_object_unref (self->cancellable);
  g_strfreev (self->environment);
  g_free (self->bus_config);
  g_free (self->program);
  g_free (self->name);
  g_free (self->phase);
  g_free (self->code);

  G_OBJECT_CLASS (kh_friend_window_parent_class)->finalize (object);
}

static void
kh_friend_window_class_init (KhFriendWindowClass *class)
{
  G_OBJECT_CLASS (class)->dispose = kh_friend_window_dispose;
  G_OBJECT_CLASS (class)->finalize = kh_friend_window_finalize;

  /**
   * KhFriendWindow::changed:
   * @self: a window
   *
   * Its phase or its code is another one.
   */
  signals[CHANGED] =
      g_signal_new ("changed", KH_TYPE_FRIEND_WINDOW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * KhFriendWindow::ended:
   * @self: a window
   *
   * It was closed, after it had been open.
   */
  signals[ENDED] =
      g_signal_new ("ended", KH_TYPE_FRIEND_WINDOW, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_friend_window_init (KhFriendWindow *self)
{
  self->cancellable = g_cancellable_new ();
  self->phase = g_strdup ("");
  self->code = g_strdup ("");
}

/**
 * kh_friend_window_new:
 * @lab: a laboratory
 * @host: where the friend sits
 *
 * Returns: (transfer full): a window that is not open
 */
KhFriendWindow *
kh_friend_window_new (KhLab *lab, KhHostId host)
{
  KhFriendWindow *self = g_object_new (KH_TYPE_FRIEND_WINDOW, NULL);

  self->lab = g_object_ref (lab);
  self->host = host;

  return self;
}

/* The one place where opening ends. */
static void
finish_opening (KhFriendWindow *self, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->opening);

  g_clear_handle_id (&self->ask, g_source_remove);
  g_clear_handle_id (&self->deadline, g_source_remove);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_boolean (task, TRUE);
}

static void
fail_opening (KhFriendWindow *self, const char *why)
{
  if (self->opening != NULL)
    finish_opening (self, g_error_new (G_IO_ERROR, G_IO_ERROR_FAILED, "%s's window: %s", self->name, why));
}

static gboolean
take_state (char **place, const char *name, const char *wanted, GVariant *state)
{
  if (!g_str_equal (name, wanted) || !g_variant_is_of_type (state, G_VARIANT_TYPE_STRING))
    return FALSE;
  g_free (*place);
  *place = g_variant_dup_string (state, NULL);

  return TRUE;
}

static void
take_states (KhFriendWindow *self, const char *name, GVariant *state)
{
  if (take_state (&self->phase, name, "phase", state) || take_state (&self->code, name, "code", state))
    g_signal_emit (self, signals[CHANGED], 0);
}

static void
on_actions_changed (GDBusConnection *connection, const char *sender, const char *path, const char *interface,
                    const char *member, GVariant *parameters, gpointer data)
{
  g_autoptr (KhFriendWindow) self = g_object_ref (data);
  g_autoptr (GVariantIter) states = NULL;
  const char *name;
  GVariant *state;

  if (!g_variant_is_of_type (parameters, G_VARIANT_TYPE ("(asa{sb}a{sv}a{s(bgav)})")))
    return;
  g_variant_get (parameters, "(asa{sb}a{sv}a{s(bgav)})", NULL, NULL, &states, NULL);
  while (g_variant_iter_loop (states, "{&sv}", &name, &state))
    take_states (self, name, state);
}

static void
take_all_states (KhFriendWindow *self, GVariant *described)
{
  g_autoptr (GVariantIter) actions = NULL;
  GVariantIter *values;
  const char *name;

  g_variant_get (described, "(a{s(bgav)})", &actions);
  while (g_variant_iter_loop (actions, "{&s(bgav)}", &name, NULL, NULL, &values))
    {
      GVariant *state;

      while (g_variant_iter_loop (values, "v", &state))
        take_states (self, name, state);
    }
}

static gboolean ask (gpointer data);

static void
on_described (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (KhFriendWindow) self = data;
  g_autoptr (GVariant) described = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);

  if (self->opening == NULL)
    return;
  if (described == NULL)
    {
      self->ask = g_timeout_add (ASK_MS, ask, self);
      return;
    }
  take_all_states (self, described);
  finish_opening (self, NULL);
}

static gboolean
ask (gpointer data)
{
  KhFriendWindow *self = data;

  self->ask = 0;
  g_dbus_connection_call (self->connection, APP_ID, WINDOW_PATH, ACTIONS, "DescribeAll", NULL,
                          G_VARIANT_TYPE ("(a{s(bgav)})"), G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, self->cancellable,
                          on_described, g_object_ref (self));

  return G_SOURCE_REMOVE;
}

static void
on_window_ended (KhFriendWindow *self)
{
  if (self->opening != NULL)
    fail_opening (self, "it did not open");
  else
    g_signal_emit (self, signals[ENDED], 0);
}

static void
start_window (KhFriendWindow *self)
{
  const char *const argv[] = { self->program, NULL };
  GError *error = NULL;

  self->window = kh_command_new (kh_lab_get_network (self->lab, self->host), argv,
                                 (const char *const *) self->environment, KH_COMMAND_QUIET, &error);
  if (self->window == NULL)
    {
      finish_opening (self, error);
      return;
    }
  g_signal_connect_object (self->window, "ended", G_CALLBACK (on_window_ended), self, G_CONNECT_SWAPPED);
  ask (self);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (KhFriendWindow) self = data;
  GError *error = NULL;
  GDBusConnection *connection = g_dbus_connection_new_for_address_finish (result, &error);

  if (self->opening == NULL)
    {
      g_clear_error (&error);
      g_clear_object (&connection);
      return;
    }
  if (connection == NULL)
    {
      finish_opening (self, error);
      return;
    }
  self->connection = connection;
  self->subscription = g_dbus_connection_signal_subscribe (connection, APP_ID, ACTIONS, "Changed", WINDOW_PATH, NULL,
                                                           G_DBUS_SIGNAL_FLAGS_NONE, on_actions_changed, self, NULL);
  start_window (self);
}

/* The bus says one line, when it listens: where. */
static void
on_bus_line (KhFriendWindow *self, const char *address)
{
  if (self->opening != NULL && self->connection == NULL)
    g_dbus_connection_new_for_address (
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
        self->cancellable, on_connected, g_object_ref (self));
}

static void
on_bus_closed (KhFriendWindow *self)
{
  fail_opening (self, "its session bus has ended");
}

/* A bus of one's own may not open as many files as one for a system would like, and says so. */
static gboolean
start_bus (KhFriendWindow *self, GError **error)
{
  g_autofree char *config = g_strconcat ("--config-file=", self->bus_config, NULL);
  const char *const argv[] = { "dbus-daemon", config, "--nofork", "--nopidfile", "--print-address=1", NULL };

  self->bus = kh_command_new (-1, argv, NULL, KH_COMMAND_MUFFLED, error);
  if (self->bus == NULL)
    return FALSE;
  self->bus_reader = kh_line_reader_new (kh_command_get_stdout (self->bus));
  g_signal_connect_object (self->bus_reader, "line", G_CALLBACK (on_bus_line), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (self->bus_reader, "closed", G_CALLBACK (on_bus_closed), self, G_CONNECT_SWAPPED);

  return TRUE;
}

static gboolean
on_patience_over (gpointer data)
{
  KhFriendWindow *self = data;

  self->deadline = 0;
  fail_opening (self, "it does not open");

  return G_SOURCE_REMOVE;
}

/**
 * kh_friend_window_open_async:
 * @self: a window that is not open
 * @home: what it has of its own
 * @callback: called when it can be driven
 * @data: for @callback
 *
 * Opens the window. kh_friend_window_close() ends that as well.
 */
void
kh_friend_window_open_async (KhFriendWindow *self, const KhFriendHome *home, GAsyncReadyCallback callback,
                             gpointer data)
{
  GError *error = NULL;

  self->name = g_strdup (home->name);
  self->program = g_strdup (home->program);
  self->bus_config = kh_friend_home_get_bus_config (home);
  self->environment = kh_friend_home_make_environment (home);
  self->opening = g_task_new (self, NULL, callback, data);
  g_task_set_source_tag (self->opening, kh_friend_window_open_async);
  self->deadline = g_timeout_add_seconds (PATIENCE_SECONDS, on_patience_over, self);
  if (!kh_friend_home_make (home, &error) || !start_bus (self, &error))
    finish_opening (self, error);
}

/**
 * kh_friend_window_open_finish:
 * @self: a window
 * @result: a result
 * @error: return location
 *
 * Returns: whether it is open
 */
gboolean
kh_friend_window_open_finish (KhFriendWindow *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * kh_friend_window_activate:
 * @self: an open window
 * @action: of the application, `app.invite`, or of its window, `win.say`
 * @parameter: (nullable): what it takes
 *
 * Does what a button does.
 */
void
kh_friend_window_activate (KhFriendWindow *self, const char *action, const char *parameter)
{
  const char *path = g_str_has_prefix (action, "app.") ? APP_PATH : WINDOW_PATH;
  GVariantBuilder parameters;

  g_variant_builder_init (&parameters, G_VARIANT_TYPE ("av"));
  if (parameter != NULL)
    g_variant_builder_add (&parameters, "v", g_variant_new_string (parameter));
  g_dbus_connection_call (self->connection, APP_ID, path, ACTIONS, "Activate",
                          g_variant_new ("(sava{sv})", action + strlen ("app."), &parameters, NULL), NULL,
                          G_DBUS_CALL_FLAGS_NO_AUTO_START, -1, NULL, NULL, NULL);
}

/**
 * kh_friend_window_get_phase:
 *
 * Returns: (transfer none): what its action `phase` says
 */
const char *
kh_friend_window_get_phase (KhFriendWindow *self)
{
  return self->phase;
}

/**
 * kh_friend_window_get_code:
 *
 * Returns: (transfer none): the code of its invite, or an empty text
 */
const char *
kh_friend_window_get_code (KhFriendWindow *self)
{
  return self->code;
}

gboolean
kh_friend_window_is_open (KhFriendWindow *self)
{
  return self->window != NULL && kh_command_is_running (self->window);
}

/**
 * kh_friend_window_get_pid:
 *
 * Returns: its program's number
 */
int
kh_friend_window_get_pid (KhFriendWindow *self)
{
  return kh_command_get_pid (self->window);
}

/**
 * kh_friend_window_close:
 * @self: a window, open or not
 * @now: whether it may not even say goodbye
 *
 * Closes it; #KhFriendWindow::ended tells when that is done. One that is being opened fails to.
 */
void
kh_friend_window_close (KhFriendWindow *self, gboolean now)
{
  fail_opening (self, "it was closed");
  if (self->window != NULL)
    kh_command_signal (self->window, now ? SIGKILL : SIGTERM);
}
