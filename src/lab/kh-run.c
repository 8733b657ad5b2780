/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-run.h"

#include "kh-host.h"
#include "kh-lab.h"
#include "kh-shell.h"

#include <glib-unix.h>
#include <signal.h>
#include <stdio.h>

/* How long programs have to end when they are asked to. */
#define PATIENCE_MS 3000

typedef struct
{
  const KhLabOptions *options;
  GArray *programs;
  KhLab *lab;
  GPtrArray *servers;
  GPtrArray *commands;
  GCancellable *cancellable;
  GMainLoop *loop;
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
                   "%s is no host. A command begins with one: @left, @right or @server.",
                   arguments[0] != NULL ? arguments[0] : "Nothing");
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
  GPtrArray *groups[] = { run->commands, run->servers };

  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    for (guint n = 0; groups[i] != NULL && n < groups[i]->len; n++)
      kh_command_signal (g_ptr_array_index (groups[i], n), number);
}

static gboolean
is_any_running (Run *run)
{
  GPtrArray *groups[] = { run->commands, run->servers };

  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    for (guint n = 0; groups[i] != NULL && n < groups[i]->len; n++)
      if (kh_command_is_running (g_ptr_array_index (groups[i], n)))
        return TRUE;

  return FALSE;
}

static gboolean
on_patience_over (gpointer data)
{
  Run *run = data;

  run->deadline = 0;
  signal_all (run, SIGKILL);
  g_main_loop_quit (run->loop);

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
  g_cancellable_cancel (run->cancellable);
  signal_all (run, SIGTERM);
  if (is_any_running (run))
    run->deadline = g_timeout_add (PATIENCE_MS, on_patience_over, run);
  else
    g_main_loop_quit (run->loop);
}

static void
complain (const GError *error)
{
  fprintf (stderr, "%s\n", error->message);
}

static void
on_command_ended (KhCommand *command, gpointer data)
{
  Run *run = data;

  if (run->ending)
    {
      if (!is_any_running (run))
        g_main_loop_quit (run->loop);
    }
  else if (command == g_ptr_array_index (run->commands, run->commands->len - 1))
    end (run, kh_command_get_status (command));
}

static void
on_server_ended (KhCommand *server, gpointer data)
{
  Run *run = data;

  if (run->ending)
    on_command_ended (server, run);
  else
    fprintf (stderr, "A server has ended by itself, with exit status %d.\n", kh_command_get_status (server));
}

static gboolean
start_program (Run *run, const KhRunProgram *program)
{
  g_auto (GStrv) argv = g_strdupv (program->argv);
  g_autoptr (GError) error = NULL;
  KhCommand *command;

  for (char **word = argv; *word != NULL; word++)
    {
      char *filled = kh_lab_fill_in (run->lab, *word);

      g_free (*word);
      *word = filled;
    }
  command = kh_lab_start (run->lab, program->host, (const char *const *) argv,
                          run->options->command == KH_LAB_SHELL ? KH_COMMAND_MASTER : KH_COMMAND_SHARED, &error);
  if (command == NULL)
    {
      complain (error);
      return FALSE;
    }
  g_ptr_array_add (run->commands, command);

  return TRUE;
}

static void
on_servers_ready (GObject *source, GAsyncResult *result, gpointer data)
{
  Run *run = data;
  g_autoptr (GError) error = NULL;

  if (!kh_servers_start_finish (result, &run->servers, &error))
    {
      if (!run->ending)
        complain (error);
      end (run, 1);
      return;
    }

  for (guint i = 0; i < run->servers->len; i++)
    g_signal_connect (g_ptr_array_index (run->servers, i), "ended", G_CALLBACK (on_server_ended), run);
  if (run->options->command == KH_LAB_SHELL)
    {
      KhRunProgram shell = { KH_HOST_LEFT, kh_shell_describe (run->lab) };

      g_array_append_val (run->programs, shell);
    }
  for (guint i = 0; i < run->programs->len; i++)
    if (!start_program (run, &g_array_index (run->programs, KhRunProgram, i)))
      {
        end (run, 127);
        return;
      }
  for (guint i = 0; i < run->commands->len; i++)
    g_signal_connect (g_ptr_array_index (run->commands, i), "ended", G_CALLBACK (on_command_ended), run);
}

static gboolean
on_signal (Run *run, int number)
{
  end (run, 128 + number);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_interrupted (gpointer data)
{
  return on_signal (data, SIGINT);
}

static gboolean
on_terminated (gpointer data)
{
  return on_signal (data, SIGTERM);
}

static gboolean
open_lab (Run *run, GError **error)
{
  run->lab = kh_lab_new (&run->options->network, error);

  return run->lab != NULL && (run->options->pcap == NULL || kh_lab_start_capture (run->lab, run->options->pcap, error));
}

static void
close_lab (Run *run)
{
  g_autoptr (GError) error = NULL;

  if (run->lab != NULL && !kh_lab_stop_capture (run->lab, &error))
    {
      complain (error);
      run->status = 1;
    }
  g_clear_pointer (&run->commands, g_ptr_array_unref);
  g_clear_pointer (&run->servers, g_ptr_array_unref);
  g_clear_handle_id (&run->deadline, g_source_remove);
  g_clear_object (&run->lab);
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
  Run run = { .options = options, .status = 1 };
  guint sources[2];

  run.programs = options->command == KH_LAB_SHELL ? new_programs () : kh_run_split (options->arguments, &error);
  if (run.programs == NULL || !open_lab (&run, &error))
    {
      complain (error);
      close_lab (&run);
      return 1;
    }

  run.commands = g_ptr_array_new_with_free_func (g_object_unref);
  run.cancellable = g_cancellable_new ();
  run.loop = g_main_loop_new (NULL, FALSE);
  sources[0] = g_unix_signal_add (SIGINT, on_interrupted, &run);
  sources[1] = g_unix_signal_add (SIGTERM, on_terminated, &run);
  kh_servers_start_async (run.lab, options->server, options->bindir, run.cancellable, on_servers_ready, &run);
  g_main_loop_run (run.loop);

  g_source_remove (sources[0]);
  g_source_remove (sources[1]);
  close_lab (&run);
  g_main_loop_unref (run.loop);
  g_object_unref (run.cancellable);
  g_array_unref (run.programs);

  return run.status;
}
