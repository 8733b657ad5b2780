/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-run.h"

#include "kh-host.h"
#include "kh-shell.h"
#include "kh-stage.h"

#include <signal.h>
#include <stdio.h>

/* How long programs have to end when they are asked to. */
#define PATIENCE_MS 3000
/* As a shell says it of a command that it cannot start. */
#define STATUS_NOT_FOUND 127

typedef struct
{
  const KhLabOptions *options;
  GArray *programs;
  KhStage *stage;
  GPtrArray *commands;
  gboolean ending;
  guint deadline;
  int status;
} Run;

static void
clear_program (gpointer data)
{
  g_strfreev (((KhRunProgram *) data)->argv);
}

static gboolean
read_host (const char *word, KhHostId *host)
{
  for (KhHostId id = 0; word[0] == '@' && id < KH_N_HOSTS; id++)
    if (g_str_equal (word + 1, kh_host_id_to_name (id)))
      {
        *host = id;
        return TRUE;
      }

  return FALSE;
}

static GArray *
new_programs (void)
{
  GArray *programs = g_array_new (FALSE, FALSE, sizeof (KhRunProgram));

  g_array_set_clear_func (programs, clear_program);

  return programs;
}

/**
 * kh_run_split:
 * @arguments: `@HOST COMMAND… @HOST COMMAND…`
 * @error: return location: %G_OPTION_ERROR
 *
 * Returns: (transfer full) (nullable) (element-type KhRunProgram): the commands
 */
GArray *
kh_run_split (char **arguments, GError **error)
{
  g_autoptr (GArray) programs = new_programs ();
  KhHostId host;

  if (arguments[0] == NULL || !read_host (arguments[0], &host))
    {
      g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED,
                   "%s. A command begins with a host: -- @left COMMAND…, @right or @server.",
                   arguments[0] != NULL ? arguments[0] : "There is nothing to run");
      return NULL;
    }

  while (*arguments != NULL)
    {
      KhRunProgram program = { 0 };
      g_autoptr (GPtrArray) words = g_ptr_array_new ();

      read_host (*arguments++, &program.host);
      for (KhHostId next; *arguments != NULL && !read_host (*arguments, &next); arguments++)
        g_ptr_array_add (words, g_strdup (*arguments));
      g_ptr_array_add (words, NULL);
      program.argv = (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
      g_array_append_val (programs, program);
      if (program.argv[0] == NULL)
        {
          g_set_error (error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "There is no command for @%s.",
                       kh_host_id_to_name (program.host));
          return NULL;
        }
    }

  return g_steal_pointer (&programs);
}

static void
signal_all (Run *run, int number)
{
  for (guint i = 0; i < run->commands->len; i++)
    kh_command_signal (g_ptr_array_index (run->commands, i), number);
}

static gboolean
is_any_running (Run *run)
{
  for (guint i = 0; i < run->commands->len; i++)
    if (kh_command_is_running (g_ptr_array_index (run->commands, i)))
      return TRUE;

  return FALSE;
}

static gboolean
on_patience_over (gpointer data)
{
  Run *run = data;

  run->deadline = 0;
  signal_all (run, SIGKILL);
  kh_stage_end (run->stage, run->status);

  return G_SOURCE_REMOVE;
}

/* Asks everything to end. The laboratory goes on until it has: programs say goodbye through it. */
static void
end (Run *run, int status)
{
  if (run->ending)
    return;

  run->ending = TRUE;
  run->status = status;
  signal_all (run, SIGTERM);
  if (is_any_running (run))
    run->deadline = g_timeout_add (PATIENCE_MS, on_patience_over, run);
  else
    kh_stage_end (run->stage, status);
}

static void
on_cancelled (GCancellable *cancellable, gpointer data)
{
  end (data, 1); /* the stage knows which signal it was */
}

static void
on_command_ended (KhCommand *command, gpointer data)
{
  Run *run = data;

  if (!run->ending && command == g_ptr_array_index (run->commands, run->commands->len - 1))
    end (run, kh_command_get_status (command));
  else if (run->ending && !is_any_running (run))
    kh_stage_end (run->stage, run->status);
}

static gboolean
start_program (Run *run, const KhRunProgram *program, GError **error)
{
  KhCommandOutput output = run->options->command == KH_LAB_SHELL ? KH_COMMAND_MASTER : KH_COMMAND_SHARED;
  KhCommand *command =
      kh_lab_start (kh_stage_get_lab (run->stage), program->host, (const char *const *) program->argv, output, error);

  if (command == NULL)
    return FALSE;
  g_ptr_array_add (run->commands, command);
  g_signal_connect (command, "ended", G_CALLBACK (on_command_ended), run);

  return TRUE;
}

static void
play (KhStage *stage, gpointer data)
{
  Run *run = data;
  g_autoptr (GError) error = NULL;

  run->stage = stage;
  if (run->options->command == KH_LAB_SHELL)
    {
      KhRunProgram shell = { KH_HOST_LEFT, kh_shell_describe (kh_stage_get_lab (stage)) };

      g_array_append_val (run->programs, shell);
    }

  for (guint i = 0; i < run->programs->len; i++)
    if (!start_program (run, &g_array_index (run->programs, KhRunProgram, i), &error))
      {
        fprintf (stderr, "%s\n", error->message);
        end (run, STATUS_NOT_FOUND);
        return;
      }
  g_signal_connect (kh_stage_get_cancellable (stage), "cancelled", G_CALLBACK (on_cancelled), run);
}

/**
 * kh_run:
 * @options: what to build, and what to run in it
 *
 * Runs commands in a laboratory. Everything has to be in namespaces of its own already.
 *
 * Returns: the exit status of the last command
 */
int
kh_run (const KhLabOptions *options)
{
  g_autoptr (GError) error = NULL;
  Run run = { .options = options };
  int status = -1;

  run.programs = options->command == KH_LAB_SHELL ? new_programs () : kh_run_split (options->arguments, &error);
  run.commands = g_ptr_array_new_with_free_func (g_object_unref);
  if (run.programs != NULL)
    status = kh_stage_run (options, play, &run, &error);
  if (error != NULL)
    fprintf (stderr, "%s\n", error->message);

  g_clear_handle_id (&run.deadline, g_source_remove);
  g_ptr_array_unref (run.commands);
  g_clear_pointer (&run.programs, g_array_unref);

  return error != NULL ? 1 : status;
}
