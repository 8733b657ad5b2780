/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check-command.h"

#include "kh-check-words.h"
#include "kh-check.h"
#include "kh-error.h"

#include <glib-unix.h>
#include <signal.h>

#define EXIT_UNREACHABLE 5

typedef struct
{
  const KhOptions *options;
  KhOutput *output;
  KhOutput *errors;
  KhTrace *trace;
  KhCheck *check;
  GCancellable *cancellable;
  GMainLoop *loop;
  int status;
} Command;

static void
show_event (KhEvent *event, gpointer user_data)
{
  Command *command = user_data;
  g_autofree char *line = kh_event_to_line (event);

  kh_output_line (command->output, line);
}

/* A long test that says nothing for minutes looks like one that hangs. */
static void
show_progress (KhEvent *event, gpointer user_data)
{
  Command *command = user_data;
  JsonObject *members = kh_event_get_members (event);
  g_autofree char *line = NULL;
  gint64 lived, next;

  if (!g_str_equal (kh_event_get_kind (event), "check.idle"))
    return;

  lived = json_object_get_int_member (members, "lived");
  next = json_object_get_int_member (members, "next");
  line = lived == 0 ? g_strdup_printf ("Connections rest now; the first look is after %" G_GINT64_FORMAT " s.", next)
                    : g_strdup_printf ("A silent connection lives at least %" G_GINT64_FORMAT
                                       " s; the next look is at one that rests for %" G_GINT64_FORMAT " s.",
                                       lived, next);
  kh_output_line (command->errors, line);
}

static void
on_progress (GListModel *trace, guint position, guint removed, guint added, gpointer user_data)
{
  kh_trace_foreach (KH_TRACE (trace), position, added, show_progress, user_data);
}

static void
on_events (GListModel *trace, guint position, guint removed, guint added, gpointer user_data)
{
  kh_trace_foreach (KH_TRACE (trace), position, added, show_event, user_data);
}

static void
on_done (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Command *command = user_data;
  g_autoptr (GError) error = NULL;

  if (!kh_check_run_finish (command->check, result, &error) && command->status == 0)
    {
      g_autofree char *line = g_strdup_printf ("knothole-cli: %s", error->message);

      command->status = EXIT_UNREACHABLE;
      kh_trace_add (command->trace, "session.failed", "code:s sentence:s",
                    kh_error_code_name (KH_ERROR_SERVER_UNREACHABLE), error->message);
      kh_output_line (command->errors, line);
    }
  if (!command->options->json && command->status != EXIT_UNREACHABLE)
    {
      KhCheckResult found;
      g_autofree char *table = NULL;

      kh_check_get_result (command->check, &found);
      table = kh_words_report (&found, command->options->full_addresses);
      kh_output_line (command->output, g_strchomp (table));
    }
  g_main_loop_quit (command->loop);
}

static gboolean
on_sigint (gpointer user_data)
{
  Command *command = user_data;

  command->status = 128 + SIGINT;
  g_cancellable_cancel (command->cancellable);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_sigterm (gpointer user_data)
{
  Command *command = user_data;

  command->status = 128 + SIGTERM;
  g_cancellable_cancel (command->cancellable);
  return G_SOURCE_CONTINUE;
}

/**
 * kh_check_command_run:
 * @trace: gets all that happens
 * @output: the table, or the events
 * @errors: what happens meanwhile
 *
 * Runs `check`.
 *
 * Returns: the exit status
 */
int
kh_check_command_run (const KhOptions *options, KhTrace *trace, KhOutput *output, KhOutput *errors)
{
  g_autoptr (GMainLoop) loop = g_main_loop_new (NULL, FALSE);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (KhCheck) check = kh_check_new (trace, (const char *const *) options->settings->stun_servers);
  Command command = { options, output, errors, trace, check, cancellable, loop, 0 };
  guint interrupt = g_unix_signal_add (SIGINT, on_sigint, &command);
  guint terminate = g_unix_signal_add (SIGTERM, on_sigterm, &command);

  if (options->json)
    g_signal_connect (trace, "items-changed", G_CALLBACK (on_events), &command);
  else
    {
      g_signal_connect (trace, "items-changed", G_CALLBACK (on_progress), &command);
      kh_output_line (errors,
                      options->extended
                          ? "Checking the network. This takes up to an hour; Ctrl+C shows what is known by then."
                          : "Checking the network. This takes a few seconds.");
    }
  kh_check_run_async (check, options->extended ? KH_CHECK_LONG : KH_CHECK_WHOLE, cancellable, on_done, &command);
  g_main_loop_run (loop);

  g_signal_handlers_disconnect_by_data (trace, &command);
  g_source_remove (interrupt);
  g_source_remove (terminate);
  return command.status;
}
