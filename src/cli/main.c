/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check-command.h"
#include "kh-conversation.h"
#include "kh-error.h"
#include "kh-json.h"
#include "kh-lines.h"
#include "kh-options.h"
#include "kh-output.h"
#include "kh-session.h"
#include "kh-terminal.h"
#include "kh-text.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EXIT_INTERNAL 1
#define EXIT_USAGE 2

/* How long somebody who asked us to end waits for a reader who stands still. */
#define LAST_PATIENCE_MS 500

/* How much may be on its way before standard input has to wait. */
#define MAX_UNACKED 128

typedef struct
{
  KhOptions *options;
  KhSession *session;
  KhLines *lines;
  KhOutput *output;
  KhOutput *errors;
  GMainLoop *loop;
  KhNarrator *narrator;
  int status;
  gboolean leaving;
} Program;

static void leave (Program *program, int status);

/* Nobody reads what the friend says any more: then there is nothing to stay for. */
static void
on_output_broken (gpointer user_data)
{
  Program *program = user_data;

  kh_output_line (program->errors, "knothole-cli: nobody reads standard output any more, leaving.");
  leave (program, EXIT_INTERNAL);
}

static void
print_json (Program *program, const char *kind, JsonObject *members)
{
  g_autoptr (JsonObject) line =
      kh_json_build ("t:l type:s", kh_trace_now (kh_session_get_trace (program->session)), kind);
  g_autoptr (GList) names = json_object_get_members (members);
  g_autofree char *text = NULL;

  for (GList *i = names; i != NULL; i = i->next)
    json_object_set_member (line, i->data, json_object_dup_member (members, i->data));
  text = kh_json_to_text (line);
  kh_output_line (program->output, text);
}

static void
show_event (KhEvent *event, gpointer user_data)
{
  Program *program = user_data;
  KhRole role = program->options->command == KH_COMMAND_JOIN ? KH_ROLE_JOINER : KH_ROLE_INVITER;
  g_autofree char *text = NULL;

  if (program->options->json)
    {
      text = kh_event_to_line (event);
      kh_output_line (program->output, text);
      return;
    }

  text = kh_terminal_tell (program->narrator, role, event);
  if (text != NULL)
    kh_output_line (program->errors, text);
}

static void
on_events (GListModel *trace, guint position, guint removed, guint added, gpointer user_data)
{
  kh_trace_foreach (KH_TRACE (trace), position, added, show_event, user_data);
}

static void
on_message_received (KhSession *session, guint64 id, const char *text, gint64 sent, gpointer user_data)
{
  Program *program = user_data;

  if (program->options->json)
    {
      g_autoptr (JsonObject) members = kh_json_build ("id:l text:s", (gint64) id, text);

      print_json (program, "message.received", members);
    }
  else
    {
      g_autofree char *plain = kh_text_plain (text, KH_CONVERSATION_MAX_TEXT);

      kh_output_line (program->output, plain);
    }
}

static void
on_message_delivered (KhSession *session, guint64 id, gpointer user_data)
{
  Program *program = user_data;

  if (program->options->json)
    {
      g_autoptr (JsonObject) members = kh_json_build ("id:l", (gint64) id);

      print_json (program, "message.delivered", members);
    }
  if (program->lines != NULL && kh_session_get_unacked (session) < MAX_UNACKED / 2)
    kh_lines_resume (program->lines);
}

static void
on_friend_finished (KhSession *session, gpointer user_data)
{
  Program *program = user_data;

  if (!program->options->json && isatty (STDIN_FILENO))
    kh_output_line (program->errors, "Your friend has said goodbye. Ctrl+D says yours.");
}

static int
status_of_error (const GError *error)
{
  switch ((KhError) error->code)
    {
    case KH_ERROR_NO_PATH:
      return 3;
    case KH_ERROR_BAD_CODE:
    case KH_ERROR_CROWDED:
    case KH_ERROR_NOBODY_THERE:
    case KH_ERROR_EXPIRED:
      return 4;
    case KH_ERROR_SERVER_UNREACHABLE:
      return 5;
    case KH_ERROR_LOST:
      return 6;
    case KH_ERROR_PORT:
    case KH_ERROR_PROTOCOL:
    case KH_ERROR_TOO_LARGE:
    default:
      return EXIT_INTERNAL;
    }
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Program *program = user_data;

  kh_session_close_finish (KH_SESSION (source), result, NULL);
  g_main_loop_quit (program->loop);
}

/* The one way out: goodbye to whoever is there, then the main loop ends. */
static void
leave (Program *program, int status)
{
  if (program->leaving)
    return;

  program->leaving = TRUE;
  program->status = status;
  g_clear_pointer (&program->lines, kh_lines_free);
  kh_session_close_async (program->session, NULL, on_closed, program);
}

static void
on_phase (KhSession *session, GParamSpec *pspec, gpointer user_data)
{
  if (kh_session_get_phase (session) == KH_PHASE_ENDED)
    leave (user_data, 0);
  else if (kh_session_get_phase (session) == KH_PHASE_FAILED)
    leave (user_data, status_of_error (kh_session_get_error (session)));
}

static gboolean
on_signal (Program *program, int number)
{
  if (program->leaving) /* asked twice: do not wait for anybody */
    g_main_loop_quit (program->loop);
  else
    leave (program, 128 + number);
  program->status = 128 + number;
  return G_SOURCE_CONTINUE;
}

static gboolean
on_sigint (gpointer user_data)
{
  return on_signal (user_data, SIGINT);
}

static gboolean
on_sigterm (gpointer user_data)
{
  return on_signal (user_data, SIGTERM);
}

static void
finish (Program *program)
{
  kh_session_finish (program->session);
  if (isatty (STDIN_FILENO))
    kh_output_line (program->errors, "You said goodbye. Waiting for your friend's; Ctrl+C leaves now.");
}

/* A text with many quotation marks or control characters takes more room on the way than it has bytes: then it goes in
 * halves. */
static void
say (Program *program, const char *text)
{
  gsize length = strlen (text);
  g_autoptr (GError) error = NULL;

  if (kh_session_say (program->session, text, &error) != 0)
    return;
  if (g_error_matches (error, KH_ERROR, KH_ERROR_TOO_LARGE) && length > 1024)
    {
      const char *middle = g_utf8_find_prev_char (text, text + length / 2);
      g_autofree char *first = g_strndup (text, middle - text);

      say (program, first);
      say (program, middle);
      return;
    }
  if (!program->leaving)
    {
      g_autofree char *sentence = g_strdup_printf ("Not sent: %s", error->message);

      kh_output_line (program->errors, sentence);
    }
}

static void
on_line (const char *line, gpointer user_data)
{
  Program *program = user_data;

  if (line == NULL)
    {
      finish (program);
      return;
    }
  say (program, line);
  if (kh_session_get_unacked (program->session) >= MAX_UNACKED)
    kh_lines_pause (program->lines);
}

/* Told before anything begins: at the end it would be too late to choose another place. */
static gboolean
can_write_report (const char *path, GError **error)
{
  int fd = open (path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

  if (fd < 0)
    {
      g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "The report cannot be written to %s: %s.",
                   path, g_strerror (errno));
      return FALSE;
    }
  close (fd);
  return TRUE;
}

static void
write_report (Program *program, KhTrace *trace)
{
  g_autofree char *lines = NULL;
  g_autoptr (GError) error = NULL;

  if (program->options->report == NULL)
    return;

  lines = kh_trace_to_lines (trace);
  if (!g_file_set_contents_full (program->options->report, lines, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0600, &error))
    {
      g_autofree char *text = g_strdup_printf ("knothole-cli: the report could not be written: %s", error->message);

      kh_output_line (program->errors, text);
    }
}

static void
run (Program *program)
{
  guint interrupt = g_unix_signal_add (SIGINT, on_sigint, program);
  guint terminate = g_unix_signal_add (SIGTERM, on_sigterm, program);

  g_signal_connect (kh_session_get_trace (program->session), "items-changed", G_CALLBACK (on_events), program);
  g_signal_connect (program->session, "notify::phase", G_CALLBACK (on_phase), program);
  g_signal_connect (program->session, "message-received", G_CALLBACK (on_message_received), program);
  g_signal_connect (program->session, "message-delivered", G_CALLBACK (on_message_delivered), program);
  g_signal_connect (program->session, "friend-finished", G_CALLBACK (on_friend_finished), program);

  program->lines = kh_lines_new (STDIN_FILENO, KH_CONVERSATION_MAX_TEXT, on_line, program);
  if (program->options->command == KH_COMMAND_INVITE)
    kh_session_invite (program->session);
  else
    kh_session_join (program->session, program->options->argument);

  g_main_loop_run (program->loop);
  g_signal_handlers_disconnect_by_data (program->session, program);
  g_signal_handlers_disconnect_by_data (kh_session_get_trace (program->session), program);
  g_source_remove (interrupt);
  g_source_remove (terminate);
}

static void
flush_output (Program *program)
{
  kh_output_flush (program->output, program->status < 128 ? -1 : LAST_PATIENCE_MS);
  kh_output_free (program->output);
}

static void
check (Program *program)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();

  program->output = kh_output_new (STDOUT_FILENO, NULL, NULL);
  program->status = kh_check_command_run (program->options, trace, program->output, program->errors);
  write_report (program, trace);
  flush_output (program);
}

static void
talk (Program *program)
{
  program->output = kh_output_new (STDOUT_FILENO, on_output_broken, program);
  program->loop = g_main_loop_new (NULL, FALSE);
  program->narrator = kh_narrator_new ();
  program->session = kh_session_new (program->options->settings);
  run (program);
  write_report (program, kh_session_get_trace (program->session));

  g_clear_pointer (&program->lines, kh_lines_free);
  g_object_unref (program->session);
  kh_narrator_free (program->narrator);
  g_main_loop_unref (program->loop);
  flush_output (program);
}

int
main (int argc, char **argv)
{
  Program program = { 0 };
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  /* The terminal's own sentences are English alone: half of a conversation in another language helps nobody. */
  setlocale (LC_MESSAGES, "C");
  signal (SIGPIPE, SIG_IGN);

  program.errors = kh_output_new (STDERR_FILENO, NULL, NULL);
  program.options = kh_options_parse (argc, argv, &error);
  if (program.options == NULL ||
      (program.options->report != NULL && !can_write_report (program.options->report, &error)))
    {
      g_autofree char *text = g_strdup_printf ("knothole-cli: %s", error->message);

      kh_output_line (program.errors, text);
      program.status = EXIT_USAGE;
    }
  else if (program.options->command == KH_COMMAND_CHECK)
    check (&program);
  else
    talk (&program);

  kh_output_flush (program.errors, LAST_PATIENCE_MS);
  kh_output_free (program.errors);
  g_clear_pointer (&program.options, kh_options_free);
  return program.status;
}
