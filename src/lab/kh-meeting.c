/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-meeting.h"

#include "kh-line-reader.h"
#include "kh-programs.h"
#include "kh-servers.h"

#include <signal.h>

/* What a meeting may take beside reaching the friend: finding each other, talking, saying goodbye. */
#define TALK_SECONDS 30
/* When one has ended, the other has little left to do. */
#define LINGER_SECONDS 5
/* How long a program has to end when it is asked to. */
#define PATIENCE_SECONDS 3

typedef struct
{
  char *name;
  KhCommand *command;
  KhLineReader *reader;
} Friend;

struct _KhMeeting
{
  GObject parent_instance;
  KhLab *lab;
  char *program;
  int timeout;
  Friend friends[KH_N_FRIENDS];
  GTask *task;
  GError *error;
  gulong cancelled;
  guint deadline;
  gboolean stopping;
};

enum
{
  EVENT,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/**
 * KhMeeting:
 *
 * Two text clients in a laboratory: the left one invites, the right one joins with the code.
 */
G_DEFINE_FINAL_TYPE (KhMeeting, kh_meeting, G_TYPE_OBJECT)

static void
kh_meeting_dispose (GObject *object)
{
  KhMeeting *self = KH_MEETING (object);

  g_clear_handle_id (&self->deadline, g_source_remove);
  for (guint i = 0; i < KH_N_FRIENDS; i++)
    {
      g_clear_object (&self->friends[i].reader);
      g_clear_object (&self->friends[i].command);
    }
  g_clear_object (&self->lab);

  G_OBJECT_CLASS (kh_meeting_parent_class)->dispose (object);
}

static void
kh_meeting_finalize (GObject *object)
{
  KhMeeting *self = KH_MEETING (object);

  for (guint i = 0; i < KH_N_FRIENDS; i++)
    g_free (self->friends[i].name);
  g_free (self->program);
  g_clear_error (&self->error);

  G_OBJECT_CLASS (kh_meeting_parent_class)->finalize (object);
}

static void
kh_meeting_class_init (KhMeetingClass *class)
{
  G_OBJECT_CLASS (class)->dispose = kh_meeting_dispose;
  G_OBJECT_CLASS (class)->finalize = kh_meeting_finalize;

  /**
   * KhMeeting::event:
   * @self: a meeting
   * @who: a #KhHostId
   * @event: a #JsonObject, as docs/cli.md describes them
   *
   * Something has happened on one side.
   */
  signals[EVENT] = g_signal_new ("event", KH_TYPE_MEETING, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 2,
                                 G_TYPE_INT, JSON_TYPE_OBJECT);
}

static void
kh_meeting_init (KhMeeting *self)
{
}

/**
 * kh_meeting_new:
 * @lab: a laboratory in which knothole-server, or what stands for it, listens
 * @settings: how to meet
 * @error: return location: knothole-cli was not found
 *
 * Returns: (transfer full) (nullable): a meeting that has not begun
 */
KhMeeting *
kh_meeting_new (KhLab *lab, const KhMeetingSettings *settings, GError **error)
{
  g_autoptr (KhMeeting) self = g_object_new (KH_TYPE_MEETING, NULL);

  self->program = kh_programs_find (settings->bindir, "knothole-cli", error);
  if (self->program == NULL)
    return NULL;
  self->lab = g_object_ref (lab);
  self->timeout = settings->timeout;
  for (guint i = 0; i < KH_N_FRIENDS; i++)
    self->friends[i].name = g_strdup (settings->names[i]);

  return g_steal_pointer (&self);
}

static gboolean
is_over (const Friend *friend)
{
  return friend->command == NULL ||
         (!kh_command_is_running (friend->command) && !kh_line_reader_is_open (friend->reader));
}

static void
signal_all (KhMeeting *self, int number)
{
  for (guint i = 0; i < KH_N_FRIENDS; i++)
    if (self->friends[i].command != NULL)
      kh_command_signal (self->friends[i].command, number);
}

static gboolean
on_patience_over (gpointer data)
{
  KhMeeting *self = data;

  self->deadline = 0;
  signal_all (self, SIGKILL);

  return G_SOURCE_REMOVE;
}

static void
set_deadline (KhMeeting *self, guint seconds, GSourceFunc over)
{
  g_clear_handle_id (&self->deadline, g_source_remove);
  self->deadline = g_timeout_add_seconds (seconds, over, self);
}

/* Programs that are asked to end say goodbye first. */
static gboolean
stop (gpointer data)
{
  KhMeeting *self = data;

  self->stopping = TRUE;
  set_deadline (self, PATIENCE_SECONDS, on_patience_over);
  signal_all (self, SIGTERM);

  return G_SOURCE_REMOVE;
}

static void
finish (KhMeeting *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  g_clear_handle_id (&self->deadline, g_source_remove);
  g_cancellable_disconnect (g_task_get_cancellable (task), self->cancelled);
  if (self->error != NULL)
    g_task_return_error (task, g_steal_pointer (&self->error));
  else if (!g_task_return_error_if_cancelled (task))
    g_task_return_boolean (task, TRUE);
}

static void
look_for_end (KhMeeting *self)
{
  guint n_over = 0;

  for (guint i = 0; i < KH_N_FRIENDS; i++)
    n_over += is_over (&self->friends[i]);
  if (n_over == KH_N_FRIENDS)
    finish (self);
  else if (n_over > 0 && !self->stopping && self->friends[KH_HOST_RIGHT].command != NULL)
    set_deadline (self, LINGER_SECONDS, stop);
}

static void start (KhMeeting *self, KhHostId who, const char *verb, const char *code);

/* JSON of our own programs: it is not nested deep enough to hurt the parser. */
static void
take (KhMeeting *self, KhHostId who, const char *line)
{
  g_autoptr (JsonNode) node = json_from_string (line, NULL);
  JsonObject *event;

  if (node == NULL || !JSON_NODE_HOLDS_OBJECT (node))
    return;
  event = json_node_get_object (node);
  g_signal_emit (self, signals[EVENT], 0, who, event);

  if (who == KH_HOST_LEFT && self->friends[KH_HOST_RIGHT].command == NULL &&
      g_str_equal (json_object_get_string_member_with_default (event, "type", ""), "invite.code"))
    start (self, KH_HOST_RIGHT, "join", json_object_get_string_member_with_default (event, "code", ""));
}

static void
on_left_line (KhMeeting *self, const char *line)
{
  take (self, KH_HOST_LEFT, line);
}

static void
on_right_line (KhMeeting *self, const char *line)
{
  take (self, KH_HOST_RIGHT, line);
}

static void
start (KhMeeting *self, KhHostId who, const char *verb, const char *code)
{
  Friend *friend = &self->friends[who];
  g_autofree char *timeout = g_strdup_printf ("--timeout=%d", self->timeout);
  g_autofree char *name = g_strdup_printf ("--name=%s", friend->name != NULL ? friend->name : "");
  /* It needs no settings of the user's, nor a place to keep them. */
  const char *const argv[] = { "env",
                               "GSETTINGS_BACKEND=memory",
                               self->program,
                               verb,
                               "--json",
                               "--mailbox=" KH_SERVER_MAILBOX,
                               "--stun=" KH_SERVER_STUN,
                               timeout,
                               name,
                               code,
                               NULL };

  friend->command = kh_lab_start (self->lab, who, argv, KH_COMMAND_PIPED, self->error == NULL ? &self->error : NULL);
  if (friend->command == NULL)
    {
      stop (self);
      return;
    }
  friend->reader = kh_line_reader_new (kh_command_get_stdout (friend->command));
  g_signal_connect_object (friend->reader, "line", G_CALLBACK (who == KH_HOST_LEFT ? on_left_line : on_right_line),
                           self, G_CONNECT_SWAPPED);
  g_signal_connect_object (friend->reader, "closed", G_CALLBACK (look_for_end), self, G_CONNECT_SWAPPED);
  g_signal_connect_object (friend->command, "ended", G_CALLBACK (look_for_end), self, G_CONNECT_SWAPPED);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  stop (data);
}

/**
 * kh_meeting_run_async:
 * @self: a meeting
 * @cancellable: (nullable): ends both programs
 * @callback: called when both have ended
 * @data: for @callback
 *
 * Lets the two meet. They go on until each was told to say goodbye, or until something fails.
 */
void
kh_meeting_run_async (KhMeeting *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  self->task = g_task_new (self, cancellable, callback, data);
  g_task_set_source_tag (self->task, kh_meeting_run_async);
  g_task_set_check_cancellable (self->task, FALSE);
  set_deadline (self, self->timeout + TALK_SECONDS, stop);
  start (self, KH_HOST_LEFT, "invite", NULL);
  if (self->friends[KH_HOST_LEFT].command == NULL)
    finish (self);
  else if (cancellable != NULL)
    self->cancelled = g_cancellable_connect (cancellable, G_CALLBACK (on_cancelled), self, NULL);
}

/**
 * kh_meeting_run_finish:
 * @self: a meeting
 * @result: a result
 * @error: return location: a program could not be started, or it was cancelled
 *
 * Returns: whether both have ended by themselves; kh_meeting_get_status() tells how
 */
gboolean
kh_meeting_run_finish (KhMeeting *self, GAsyncResult *result, GError **error)
{
  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * kh_meeting_say:
 * @self: a meeting
 * @who: one that is connected
 * @text: one line, without its end
 *
 * Lets a friend say something.
 */
void
kh_meeting_say (KhMeeting *self, KhHostId who, const char *text)
{
  g_autofree char *line = g_strconcat (text, "\n", NULL);

  kh_command_write (self->friends[who].command, line);
}

/**
 * kh_meeting_goodbye:
 * @self: a meeting
 * @who: one of the friends
 *
 * Lets a friend say goodbye once all that was said has arrived.
 */
void
kh_meeting_goodbye (KhMeeting *self, KhHostId who)
{
  kh_command_close_stdin (self->friends[who].command);
}

/**
 * kh_meeting_get_status:
 *
 * Returns: a friend's exit status, 128 + N after signal N, -1 when it was not started
 */
int
kh_meeting_get_status (KhMeeting *self, KhHostId who)
{
  const Friend *friend = &self->friends[who];

  return friend->command == NULL ? -1 : kh_command_get_status (friend->command);
}
