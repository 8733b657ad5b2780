/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-demo-text.h"

#include "kh-columns.h"
#include "kh-demo.h"
#include "kh-meeting.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define WIDTH 110

static const char *const talk[KH_N_FRIENDS][3] = {
  { "Hi! Can you hear me?", "Straight from my computer to yours.", "再见!" },
  { "Loud and clear. No server between us?", "Nice. 你好!", "Bye!" },
};

typedef struct
{
  KhMeeting *meeting;
  KhColumns *columns;
  gint64 start;
  guint said[KH_N_FRIENDS];
  guint heard[KH_N_FRIENDS];
} Show;

static void
show_free (gpointer data)
{
  Show *show = data;

  g_clear_object (&show->meeting);
  kh_columns_free (show->columns);
  g_free (show);
}

static guint
get_width (void)
{
  struct winsize size;

  return ioctl (STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : WIDTH;
}

static void
print (char *lines)
{
  kh_demo_tell (lines);
  g_free (lines);
}

static void
tell (Show *show, KhHostId who, const char *text, const char *colour)
{
  print (kh_columns_say (show->columns, who == KH_HOST_RIGHT, g_get_monotonic_time () - show->start, text, colour));
}

static const char *
text_of (JsonObject *event, const char *member)
{
  return json_object_get_string_member_with_default (event, member, "");
}

static gint64
number_of (JsonObject *event, const char *member)
{
  return json_object_get_int_member_with_default (event, member, 0);
}

static char *
join_moves (JsonObject *event)
{
  JsonArray *moves = json_object_has_member (event, "moves") ? json_object_get_array_member (event, "moves") : NULL;
  g_autoptr (GPtrArray) names = g_ptr_array_new ();

  for (guint i = 0; moves != NULL && i < json_array_get_length (moves); i++)
    g_ptr_array_add (names, (gpointer) json_array_get_string_element (moves, i));
  g_ptr_array_add (names, NULL);

  return g_strjoinv (", ", (char **) names->pdata);
}

/* What happened in trying to get through, in words; NULL for what is something else. */
static char *
describe_attempt (const char *type, JsonObject *event)
{
  gint64 id = number_of (event, "id");

  if (g_str_equal (type, "attempt.start"))
    return g_strdup_printf ("#%" G_GINT64_FORMAT " %s: dial %s", id, text_of (event, "move"),
                            text_of (event, "remote"));
  if (g_str_equal (type, "attempt.accepted"))
    return g_strdup_printf ("#%" G_GINT64_FORMAT " somebody connects from %s", id, text_of (event, "remote"));
  if (g_str_equal (type, "attempt.end"))
    return g_strdup_printf ("#%" G_GINT64_FORMAT " %s after %" G_GINT64_FORMAT " ms", id, text_of (event, "outcome"),
                            number_of (event, "elapsed_ms"));

  return NULL;
}

/* An event in words, and its colour; NULL for what is of no interest here. */
static char *
describe (JsonObject *event, const char **colour)
{
  const char *type = text_of (event, "type");
  g_autofree char *moves = NULL;

  *colour = NULL;
  if (g_str_equal (type, "mapping.found"))
    return g_strdup_printf ("seen from outside as %s (%" G_GINT64_FORMAT " ms)", text_of (event, "outside"),
                            number_of (event, "rtt_ms"));
  if (g_str_equal (type, "plan.made"))
    {
      moves = join_moves (event);
      return g_strdup_printf ("plan: %s (%s)", moves, text_of (event, "forecast"));
    }
  if (g_str_has_prefix (type, "attempt."))
    return describe_attempt (type, event);

  *colour = "2";
  if (g_str_equal (type, "session.phase"))
    return g_strdup_printf ("phase: %s", text_of (event, "phase"));
  if (g_str_equal (type, "message.delivered"))
    return g_strdup_printf ("message %" G_GINT64_FORMAT " has arrived", number_of (event, "id"));
  *colour = "1;36";
  if (g_str_equal (type, "invite.code"))
    return g_strdup_printf ("the code is %s", text_of (event, "code"));
  *colour = "1;32";
  if (g_str_equal (type, "path.selected"))
    return g_strdup_printf ("path: %s, %s - %s", text_of (event, "kind"), text_of (event, "local"),
                            text_of (event, "remote"));
  *colour = "1;33";
  if (g_str_equal (type, "message.received"))
    return g_strdup_printf ("hears: %s", text_of (event, "text"));
  *colour = "1;31";
  if (g_str_equal (type, "session.failed"))
    return g_strdup (text_of (event, "sentence"));

  return NULL;
}

static void
speak (Show *show, KhHostId who)
{
  const char *line;
  g_autofree char *shown = NULL;

  if (show->said[who] == G_N_ELEMENTS (talk[who]))
    return;
  line = talk[who][show->said[who]++];
  shown = g_strconcat ("says: ", line, NULL);
  tell (show, who, shown, "33");
  kh_meeting_say (show->meeting, who, line);
}

/* The left one says a line when connected; the next one comes when the other has answered, and goodbye after the last. */
static void
answer (Show *show, KhHostId who, JsonObject *event)
{
  const char *type = text_of (event, "type");

  if (g_str_equal (type, "session.phase") && g_str_equal (text_of (event, "phase"), "connected") &&
      show->said[who] == 0 && who == KH_HOST_LEFT)
    speak (show, who);
  if (!g_str_equal (type, "message.received"))
    return;

  show->heard[who]++;
  speak (show, who);
  if (show->said[who] == G_N_ELEMENTS (talk[who]) && show->heard[who] == G_N_ELEMENTS (talk[1 - who]))
    kh_meeting_goodbye (show->meeting, who);
}

static void
on_event (KhMeeting *meeting, int who, JsonObject *event, gpointer data)
{
  Show *show = data;
  const char *colour;
  g_autofree char *text = describe (event, &colour);

  if (text != NULL)
    tell (show, who, text, colour);
  answer (show, who, event);
}

static void
on_met (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  Show *show = g_task_get_task_data (task);
  GError *error = NULL;
  int status = 0;

  if (!kh_meeting_run_finish (show->meeting, result, &error))
    {
      g_task_return_error (task, error);
      return;
    }
  for (guint who = 0; who < KH_N_FRIENDS && status == 0; who++)
    status = kh_meeting_get_status (show->meeting, who);
  g_task_return_int (task, status < 0 ? 1 : status);
}

/**
 * kh_demo_text_run_async:
 * @lab: a laboratory in which the servers listen
 * @options: how the demo is to be
 * @cancellable: (nullable): ends it
 * @callback: called when both friends have ended
 * @data: for @callback
 *
 * Lets two text clients meet and talk: the events of both and their conversation, side by side, as they happen.
 */
void
kh_demo_text_run_async (KhLab *lab, const KhLabOptions *options, GCancellable *cancellable,
                        GAsyncReadyCallback callback, gpointer data)
{
  const KhMeetingSettings settings = { options->bindir, options->timeout, { KH_DEMO_LEFT, KH_DEMO_RIGHT } };
  g_autoptr (GTask) task = g_task_new (lab, cancellable, callback, data);
  Show *show = g_new0 (Show, 1);
  GError *error = NULL;

  g_task_set_source_tag (task, kh_demo_text_run_async);
  g_task_set_task_data (task, show, show_free);
  show->columns = kh_columns_new (get_width (), isatty (STDOUT_FILENO));
  show->start = g_get_monotonic_time ();
  show->meeting = kh_meeting_new (lab, &settings, &error);
  if (show->meeting == NULL)
    {
      g_task_return_error (task, error);
      return;
    }

  print (kh_columns_heads (show->columns, KH_DEMO_LEFT " (invites)", KH_DEMO_RIGHT " (joins)"));
  g_signal_connect (show->meeting, "event", G_CALLBACK (on_event), show);
  kh_meeting_run_async (show->meeting, cancellable, on_met, g_steal_pointer (&task));
}

/**
 * kh_demo_text_run_finish:
 * @result: a result
 * @error: return location
 *
 * Returns: the first exit status of the friends that is not 0, or 0; -1 on error
 */
int
kh_demo_text_run_finish (GAsyncResult *result, GError **error)
{
  return (int) g_task_propagate_int (G_TASK (result), error);
}
