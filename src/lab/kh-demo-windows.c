/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-demo-windows.h"

#include "kh-accessibility.h"
#include "kh-demo.h"
#include "kh-friend-window.h"
#include "kh-keeper.h"
#include "kh-programs.h"
#include "kh-servers.h"

#define N_FRIENDS 2
#define WIDTH 460
#define HEIGHT 640
#define BETWEEN 40

/* Slow enough to be followed. */
#define STEP_MS 1500
/* What a friend may take for its part, beside the time to reach the other. */
#define PATIENCE_MS 60000
/* How long windows have to say goodbye and close. */
#define CLOSING_MS 4000

#define STATUS_NO_PATH 3

static const struct
{
  KhHostId who;
  const char *text;
} talk[] = {
  { KH_HOST_LEFT, "Hi! Can you hear me?" },
  { KH_HOST_RIGHT, "Loud and clear. No server between us?" },
  { KH_HOST_LEFT, "Straight from my computer to yours." },
  { KH_HOST_RIGHT, "Nice. 你好!" },
};

static const char *const names[N_FRIENDS] = { KH_DEMO_LEFT, KH_DEMO_RIGHT };

G_DEFINE_QUARK (kh - demo - error - quark, kh_demo_error)

/* OPENING → INVITING → TYPING → JOINING → TALKING → PLAYING → CLOSING; from each straight to CLOSING when something fails. */
typedef enum
{
  OPENING,
  INVITING, /* until there is a code */
  TYPING,   /* a person's time, until the code is entered */
  JOINING,  /* until both are connected, or one gives up */
  TALKING,
  PLAYING, /* as long as the user likes */
  CLOSING,
} Act;

typedef struct
{
  GTask *task;
  KhLab *lab;
  const KhLabOptions *options;
  char *program;
  KhFriendWindow *windows[N_FRIENDS];
  guint opening;
  Act act;
  guint said;
  guint timer;
  gulong cancelled;
  int status;
  GError *error;
} Show;

static void
show_free (gpointer data)
{
  Show *show = data;

  g_clear_handle_id (&show->timer, g_source_remove);
  for (guint i = 0; i < N_FRIENDS; i++)
    if (show->windows[i] != NULL)
      {
        g_signal_handlers_disconnect_by_data (show->windows[i], show);
        g_object_unref (show->windows[i]);
      }
  g_object_unref (show->lab);
  g_free (show->program);
  g_clear_error (&show->error);
  g_free (show);
}

/* There is one thing at a time to wait for. */
static void
after (Show *show, guint ms, GSourceFunc next)
{
  g_clear_handle_id (&show->timer, g_source_remove);
  show->timer = g_timeout_add (ms, next, show);
}

static gboolean
is_any_open (Show *show)
{
  for (guint i = 0; i < N_FRIENDS; i++)
    if (kh_friend_window_is_open (show->windows[i]))
      return TRUE;

  return FALSE;
}

static void
look_for_end (Show *show)
{
  g_autoptr (GTask) task = NULL;

  if (show->task == NULL || show->act < PLAYING || show->opening > 0 || is_any_open (show))
    return;

  task = g_steal_pointer (&show->task);
  g_clear_handle_id (&show->timer, g_source_remove);
  g_clear_signal_handler (&show->cancelled, g_task_get_cancellable (task));
  if (show->error != NULL)
    g_task_return_error (task, g_steal_pointer (&show->error));
  else
    g_task_return_int (task, show->status);
}

static void
close_all (Show *show, gboolean now)
{
  for (guint i = 0; i < N_FRIENDS; i++)
    kh_friend_window_close (show->windows[i], now);
}

static gboolean
on_closing_over (gpointer data)
{
  Show *show = data;

  show->timer = 0;
  close_all (show, TRUE);

  return G_SOURCE_REMOVE;
}

/* The first reason counts. */
static void
begin_closing (Show *show, GError *error)
{
  g_autoptr (GTask) task = g_object_ref (show->task);

  if (show->act == CLOSING)
    {
      g_clear_error (&error);
      return;
    }
  show->act = CLOSING;
  show->error = error;
  after (show, CLOSING_MS, on_closing_over);
  close_all (show, FALSE);
  look_for_end (show);
}

static gboolean
on_seen_enough (gpointer data)
{
  Show *show = data;

  show->timer = 0;
  begin_closing (show, NULL);

  return G_SOURCE_REMOVE;
}

/* The demo proper is over. */
static void
let_play (Show *show)
{
  if (show->options->once)
    {
      after (show, 2 * STEP_MS, on_seen_enough);
      return;
    }
  show->act = PLAYING;
  g_clear_handle_id (&show->timer, g_source_remove);
  kh_demo_tell ("Now it is yours. The demo ends when both windows are closed, or with Ctrl+C.\n");
}

static gboolean
say_next (gpointer data)
{
  Show *show = data;

  show->timer = 0;
  kh_friend_window_activate (show->windows[talk[show->said].who], "win.say", talk[show->said].text);
  if (++show->said < G_N_ELEMENTS (talk))
    after (show, STEP_MS, say_next);
  else
    let_play (show);

  return G_SOURCE_REMOVE;
}

static gboolean
on_stuck (gpointer data)
{
  Show *show = data;

  show->timer = 0;
  begin_closing (show,
                 g_error_new_literal (KH_DEMO_ERROR, KH_DEMO_ERROR_STUCK, "A window did not do its part in time."));

  return G_SOURCE_REMOVE;
}

static gboolean
type_code (gpointer data)
{
  Show *show = data;

  show->timer = 0;
  show->act = JOINING;
  after (show, PATIENCE_MS, on_stuck);
  kh_friend_window_activate (show->windows[KH_HOST_RIGHT], "app.join",
                             kh_friend_window_get_code (show->windows[KH_HOST_LEFT]));

  return G_SOURCE_REMOVE;
}

static gboolean
open_entry (gpointer data)
{
  Show *show = data;

  show->timer = 0;
  kh_friend_window_activate (show->windows[KH_HOST_RIGHT], "app.enter-code", NULL);
  after (show, STEP_MS, type_code);

  return G_SOURCE_REMOVE;
}

static void
look_for_code (Show *show)
{
  const char *code = kh_friend_window_get_code (show->windows[KH_HOST_LEFT]);
  g_autofree char *line = NULL;

  if (*code == '\0')
    return;
  line = g_strdup_printf ("The code is %s. " KH_DEMO_RIGHT " types it.\n", code);
  kh_demo_tell (line);
  show->act = TYPING;
  after (show, 2 * STEP_MS, open_entry);
}

static gboolean
are_both (Show *show, const char *phase)
{
  for (guint i = 0; i < N_FRIENDS; i++)
    if (!g_str_equal (kh_friend_window_get_phase (show->windows[i]), phase))
      return FALSE;

  return TRUE;
}

static void
look_for_path (Show *show)
{
  if (are_both (show, "connected"))
    {
      kh_demo_tell ("They are connected, and talk.\n");
      show->act = TALKING;
      after (show, STEP_MS, say_next);
    }
  else if (are_both (show, "failed"))
    {
      kh_demo_tell ("They did not reach each other. The windows tell what was tried.\n");
      show->act = TALKING;
      show->status = STATUS_NO_PATH;
      let_play (show);
    }
}

static void
on_changed (Show *show)
{
  if (show->act == INVITING)
    look_for_code (show);
  else if (show->act == JOINING)
    look_for_path (show);
}

static void
on_ended (Show *show)
{
  if (show->task != NULL && show->act > OPENING && show->act < PLAYING)
    begin_closing (show, g_error_new_literal (KH_DEMO_ERROR, KH_DEMO_ERROR_CLOSED,
                                              "A window was closed before the demo was over."));
  else
    look_for_end (show);
}

/* Where windows can be placed at all, and by xdotool; elsewhere the desktop has the say. */
static void
place (KhFriendWindow *window, int x)
{
  g_autofree char *pid = g_strdup_printf ("%d", kh_friend_window_get_pid (window));
  g_autofree char *place = g_strdup_printf ("%d", x);
  const char *const argv[] = { "xdotool", "search",     "--all", "--onlyvisible", "--pid", pid, "--name",
                               ".",       "windowmove", "%@",    place,           "0",     NULL };
  g_autoptr (KhCommand) xdotool = NULL;

  if (g_getenv ("DISPLAY") != NULL)
    xdotool = kh_command_new (-1, argv, NULL, KH_COMMAND_QUIET, NULL);
}

static void
begin (Show *show)
{
  for (guint i = 0; i < N_FRIENDS; i++)
    place (show->windows[i], i * (WIDTH + BETWEEN));
  kh_demo_tell (KH_DEMO_LEFT " invites…\n");
  show->act = INVITING;
  after (show, PATIENCE_MS, on_stuck);
  kh_friend_window_activate (show->windows[KH_HOST_LEFT], "app.invite", NULL);
}

static void
on_opened (GObject *source, GAsyncResult *result, gpointer data)
{
  Show *show = data;
  g_autoptr (GTask) task = g_object_ref (show->task);
  g_autoptr (GError) error = NULL;

  show->opening--;
  if (!kh_friend_window_open_finish (KH_FRIEND_WINDOW (source), result, &error) && show->act == OPENING)
    begin_closing (show, g_error_new_literal (KH_DEMO_ERROR, KH_DEMO_ERROR_NO_WINDOW, error->message));
  else if (show->opening == 0 && show->act == OPENING)
    begin (show);
  look_for_end (show);
}

static void
open_window (Show *show, KhHostId who, const char *accessibility)
{
  g_autofree char *folder = g_build_filename (KH_KEEPER_FOLDER, names[who], NULL);
  g_autofree char *mailbox = kh_lab_fill_in (show->lab, KH_SERVER_MAILBOX);
  g_autofree char *stun = kh_lab_fill_in (show->lab, KH_SERVER_STUN);
  const KhFriendHome home = { folder, show->program, names[who], mailbox, stun, accessibility, WIDTH, HEIGHT };

  show->opening++;
  g_signal_connect_swapped (show->windows[who], "changed", G_CALLBACK (on_changed), show);
  g_signal_connect_swapped (show->windows[who], "ended", G_CALLBACK (on_ended), show);
  kh_friend_window_open_async (show->windows[who], &home, on_opened, show);
}

static void
on_accessibility_found (GObject *source, GAsyncResult *result, gpointer data)
{
  Show *show = data;
  g_autoptr (GTask) task = g_object_ref (show->task);
  g_autofree char *accessibility = kh_accessibility_find_finish (result);

  show->opening--;
  for (guint i = 0; show->act == OPENING && i < N_FRIENDS; i++)
    open_window (show, i, accessibility);
  look_for_end (show);
}

static void
on_cancelled (Show *show)
{
  if (show->task != NULL)
    begin_closing (show, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "Cancelled"));
}

static Show *
show_new (KhLab *lab, const KhLabOptions *options, GTask *task)
{
  Show *show = g_new0 (Show, 1);

  show->task = g_object_ref (task);
  show->lab = g_object_ref (lab);
  show->options = options;
  for (guint i = 0; i < N_FRIENDS; i++)
    show->windows[i] = kh_friend_window_new (lab, i);
  g_task_set_task_data (task, show, show_free);

  return show;
}

/**
 * kh_demo_windows_run_async:
 * @lab: a laboratory in which the servers listen
 * @options: how the demo is to be
 * @cancellable: closes the windows
 * @callback: called when they are closed
 * @data: for @callback
 *
 * Lets two windows meet and talk, each with settings and a session bus of its own, on the user's display. They stay open to be
 * played with, unless the options say otherwise.
 */
void
kh_demo_windows_run_async (KhLab *lab, const KhLabOptions *options, GCancellable *cancellable,
                           GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (lab, cancellable, callback, data);
  g_autoptr (GError) error = NULL;
  g_autofree char *program = kh_programs_find (options->bindir, "knothole", &error);
  Show *show;

  g_task_set_source_tag (task, kh_demo_windows_run_async);
  g_task_set_check_cancellable (task, FALSE);
  if (program == NULL || !kh_keeper_has_folder ())
    {
      g_task_return_new_error (task, KH_DEMO_ERROR, KH_DEMO_ERROR_NO_WINDOW, "%s",
                               program == NULL ? error->message : "there is no place for their settings");
      return;
    }
  show = show_new (lab, options, task);
  show->program = g_steal_pointer (&program);
  show->cancelled = g_signal_connect_swapped (cancellable, "cancelled", G_CALLBACK (on_cancelled), show);
  show->opening = 1;
  kh_accessibility_find_async (cancellable, on_accessibility_found, show);
}

/**
 * kh_demo_windows_run_finish:
 * @result: a result
 * @error: return location: %KH_DEMO_ERROR
 *
 * Returns: 0 when they talked, 3 when they did not reach each other; -1 on error
 */
int
kh_demo_windows_run_finish (GAsyncResult *result, GError **error)
{
  return (int) g_task_propagate_int (G_TASK (result), error);
}
