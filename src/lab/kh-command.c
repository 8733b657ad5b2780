/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-command.h"

#include "kh-namespace.h"

#include <errno.h>
#include <glib-unix.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct _KhCommand
{
  GObject parent_instance;
  GPid pid;
  guint watch;
  int status;
  int input;
  int output;
};

enum
{
  ENDED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/**
 * KhCommand:
 *
 * A program that runs in one of the hosts. It dies with us at the latest.
 */
G_DEFINE_FINAL_TYPE (KhCommand, kh_command, G_TYPE_OBJECT)

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
kh_command_dispose (GObject *object)
{
  KhCommand *self = KH_COMMAND (object);

  g_clear_handle_id (&self->watch, g_source_remove);
  close_fd (&self->input);
  close_fd (&self->output);

  G_OBJECT_CLASS (kh_command_parent_class)->dispose (object);
}

static void
kh_command_class_init (KhCommandClass *class)
{
  G_OBJECT_CLASS (class)->dispose = kh_command_dispose;

  /**
   * KhCommand::ended:
   *
   * The program has ended; kh_command_get_status() tells how.
   */
  signals[ENDED] = g_signal_new ("ended", KH_TYPE_COMMAND, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_command_init (KhCommand *self)
{
  self->input = self->output = -1;
  self->status = -1;
}

static void
on_ended (GPid pid, int status, gpointer data)
{
  KhCommand *self = data;

  self->watch = 0;
  self->status = WIFEXITED (status) ? WEXITSTATUS (status) : 128 + WTERMSIG (status);
  g_signal_emit (self, signals[ENDED], 0);
}

typedef struct
{
  int network;
  gboolean master;
  gboolean apart;
} Entry;

/* Between fork and exec. An ordinary user's programs are ordinary ones inside as well: some (bwrap) refuse to run with rights
 * that they do not expect. */
static void
enter_host (gpointer data)
{
  const Entry *entry = data;

  prctl (PR_SET_PDEATHSIG, SIGKILL);
  if (getpriority (PRIO_PROCESS, 0) == KH_COMMAND_LAB_PRIORITY)
    setpriority (PRIO_PROCESS, 0, 0);
  /* Ctrl+C is for those that the user looks at; the others are told by us, in order. */
  if (entry->apart)
    setpgid (0, 0);
  if (entry->network >= 0 && !kh_namespace_enter (entry->network, NULL))
    _exit (126);
  if (!entry->master)
    prctl (PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

/**
 * kh_command_new:
 * @network: the network to run in, -1 for ours
 * @argv: the program, looked for in PATH, and its arguments
 * @environment: (nullable): its environment; ours by default
 * @output: whose its standard input and output are
 * @error: return location
 *
 * Starts a program.
 *
 * Returns: (transfer full) (nullable): the running program
 */
KhCommand *
kh_command_new (int network, const char *const *argv, const char *const *environment, KhCommandOutput output,
                GError **error)
{
  static const GSpawnFlags output_flags[] = { [KH_COMMAND_SHARED] = G_SPAWN_CHILD_INHERITS_STDIN,
                                              [KH_COMMAND_PIPED] = 0,
                                              [KH_COMMAND_MUFFLED] = G_SPAWN_STDERR_TO_DEV_NULL,
                                              [KH_COMMAND_QUIET] = G_SPAWN_STDOUT_TO_DEV_NULL,
                                              [KH_COMMAND_MASTER] = G_SPAWN_CHILD_INHERITS_STDIN };
  g_autoptr (KhCommand) self = g_object_new (KH_TYPE_COMMAND, NULL);
  GSpawnFlags flags = G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_SEARCH_PATH | output_flags[output];
  gboolean piped = output == KH_COMMAND_PIPED || output == KH_COMMAND_MUFFLED;
  gboolean shared = output == KH_COMMAND_SHARED || output == KH_COMMAND_MASTER;
  Entry entry = { network, output == KH_COMMAND_MASTER, !shared };

  if (!g_spawn_async_with_pipes_and_fds (NULL, argv, environment, flags, enter_host, &entry, -1, -1, -1, NULL, NULL, 0,
                                         &self->pid, piped ? &self->input : NULL, piped ? &self->output : NULL, NULL,
                                         error))
    return NULL;
  self->watch = g_child_watch_add (self->pid, on_ended, self);
  /* A program that does not read holds up nobody. */
  if (piped)
    g_unix_set_fd_nonblocking (self->input, TRUE, NULL);

  return g_steal_pointer (&self);
}

gboolean
kh_command_is_running (KhCommand *self)
{
  return self->watch != 0;
}

/**
 * kh_command_get_status:
 *
 * Returns: its exit status, 128 + N after signal N, -1 while it runs
 */
int
kh_command_get_status (KhCommand *self)
{
  return self->status;
}

/**
 * kh_command_get_stdout:
 *
 * Returns: a descriptor to read from, not to be closed; -1 without pipes
 */
int
kh_command_get_stdout (KhCommand *self)
{
  return self->output;
}

/**
 * kh_command_write:
 * @self: a program with pipes
 * @text: a little for it to read: less than a pipe takes at once, 64 KiB
 *
 * Returns: whether it will get it
 */
gboolean
kh_command_write (KhCommand *self, const char *text)
{
  gsize length = strlen (text);
  gssize wrote;

  do
    wrote = write (self->input, text, length);
  while (wrote < 0 && errno == EINTR);

  return wrote == (gssize) length;
}

/**
 * kh_command_close_stdin:
 * @self: a program with pipes
 *
 * Tells it that nothing more will come.
 */
void
kh_command_close_stdin (KhCommand *self)
{
  close_fd (&self->input);
}

void
kh_command_signal (KhCommand *self, int number)
{
  if (kh_command_is_running (self))
    kill (self->pid, number);
}

/**
 * kh_command_get_pid:
 *
 * Returns: its number, as we see it
 */
int
kh_command_get_pid (KhCommand *self)
{
  return self->pid;
}
