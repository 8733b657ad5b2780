/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-meet.h"

#include "kh-host.h"
#include "kh-keeper.h"
#include "kh-meeting.h"
#include "kh-stage.h"

#include <stdio.h>

/* One friend, as its events tell. */
typedef struct
{
  gboolean connected;
  gboolean delivered;
  gboolean heard;
  char *kind;
  char *remote;
  gint64 elapsed_ms;
  char *failure;
  char *sentence;
} View;

typedef struct
{
  KhLabOptions *options;
  KhStage *stage;
  KhMeeting *meeting;
  View views[KH_N_FRIENDS];
} Meet;

static void
view_clear (View *view)
{
  g_free (view->kind);
  g_free (view->remote);
  g_free (view->failure);
  g_free (view->sentence);
}

static const char *
text_of (JsonObject *event, const char *member)
{
  return json_object_get_string_member_with_default (event, member, "");
}

static void
keep (char **place, JsonObject *event, const char *member)
{
  g_free (*place);
  *place = g_strdup (text_of (event, member));
}

/* Both have one thing to say, and leave when it has arrived and the other's has come. */
static void
talk (Meet *meet, KhHostId who, const char *type, JsonObject *event)
{
  View *view = &meet->views[who];

  if (g_str_equal (type, "session.phase") && g_str_equal (text_of (event, "phase"), "connected") && !view->connected)
    {
      view->connected = TRUE;
      kh_meeting_say (meet->meeting, who, kh_host_id_to_name (who));
    }
  else if (g_str_equal (type, "message.delivered"))
    view->delivered = TRUE;
  else if (g_str_equal (type, "message.received"))
    view->heard = view->heard || g_str_equal (text_of (event, "text"), kh_host_id_to_name (1 - who));
  else
    return;

  if (view->delivered && view->heard)
    kh_meeting_goodbye (meet->meeting, who);
}

static void
on_event (KhMeeting *meeting, int who, JsonObject *event, gpointer data)
{
  Meet *meet = data;
  View *view = &meet->views[who];
  const char *type = text_of (event, "type");

  talk (meet, who, type, event);
  if (g_str_equal (type, "path.selected"))
    {
      keep (&view->kind, event, "kind");
      keep (&view->remote, event, "remote");
      view->elapsed_ms = json_object_get_int_member_with_default (event, "elapsed_ms", -1);
    }
  else if (g_str_equal (type, "session.failed"))
    {
      keep (&view->failure, event, "code");
      keep (&view->sentence, event, "sentence");
    }
}

/* The joiner's word counts; the inviter's where the joiner has none. */
static const View *
find_failed (Meet *meet)
{
  for (int who = KH_HOST_RIGHT; who >= KH_HOST_LEFT; who--)
    if (meet->views[who].failure != NULL)
      return &meet->views[who];

  return NULL;
}

static gboolean
have_talked (Meet *meet)
{
  for (guint who = 0; who < KH_N_FRIENDS; who++)
    if (!meet->views[who].heard || kh_meeting_get_status (meet->meeting, who) != 0)
      return FALSE;

  return TRUE;
}

static const char *
get_result (Meet *meet)
{
  const View *failed = find_failed (meet);

  if (have_talked (meet))
    return "connected";

  return failed != NULL ? failed->failure : "broken";
}

static void
add_member (JsonBuilder *builder, const char *name, const char *value)
{
  json_builder_set_member_name (builder, name);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

static void
add_number (JsonBuilder *builder, const char *name, gint64 value)
{
  json_builder_set_member_name (builder, name);
  json_builder_add_int_value (builder, value);
}

static void
begin_json (JsonBuilder *builder, const KhLabOptions *options, const char *result, const char *sentence)
{
  json_builder_begin_object (builder);
  add_member (builder, "left", options->left);
  add_member (builder, "right", options->right);
  add_member (builder, "result", result);
  add_member (builder, "sentence", sentence);
}

static void
print_json (JsonBuilder *builder)
{
  g_autoptr (JsonNode) node = NULL;
  g_autofree char *text = NULL;

  json_builder_end_object (builder);
  node = json_builder_get_root (builder);
  text = json_to_string (node, FALSE);
  puts (text);
}

static void
report_json (Meet *meet)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const View *joiner = &meet->views[KH_HOST_RIGHT];
  const View *failed = find_failed (meet);

  begin_json (builder, meet->options, get_result (meet), failed != NULL ? failed->sentence : NULL);
  add_member (builder, "kind", joiner->kind);
  if (joiner->kind != NULL)
    add_number (builder, "elapsed_ms", joiner->elapsed_ms);
  add_member (builder, "remote", joiner->remote);
  add_number (builder, "left_status", kh_meeting_get_status (meet->meeting, KH_HOST_LEFT));
  add_number (builder, "right_status", kh_meeting_get_status (meet->meeting, KH_HOST_RIGHT));
  print_json (builder);
}

static void
report (Meet *meet)
{
  const View *joiner = &meet->views[KH_HOST_RIGHT];
  const View *failed = find_failed (meet);

  printf ("%s invites %s: ", meet->options->left, meet->options->right);
  if (have_talked (meet))
    printf ("connected by %s after %" G_GINT64_FORMAT " ms\n", joiner->kind, joiner->elapsed_ms);
  else
    printf ("%s%s%s (exit statuses %d and %d)\n", get_result (meet), failed != NULL ? ". " : "",
            failed != NULL ? failed->sentence : "", kh_meeting_get_status (meet->meeting, KH_HOST_LEFT),
            kh_meeting_get_status (meet->meeting, KH_HOST_RIGHT));
}

/* There was no laboratory, or nothing to start in it. */
static int
report_no_lab (const KhLabOptions *options, GError *error)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();

  if (options->json)
    {
      begin_json (builder, options, KH_MEET_NO_LAB, error->message);
      print_json (builder);
    }
  else
    fprintf (stderr, "%s\n", error->message);
  g_error_free (error);

  return 1;
}

/* That of the joiner; of the inviter, where nobody joined. */
static int
get_status (Meet *meet)
{
  int left = kh_meeting_get_status (meet->meeting, KH_HOST_LEFT);
  int right = kh_meeting_get_status (meet->meeting, KH_HOST_RIGHT);

  if (right > 0 || have_talked (meet))
    return right;

  return left > 0 ? left : 1;
}

static void
on_met (GObject *source, GAsyncResult *result, gpointer data)
{
  Meet *meet = data;
  GError *error = NULL;

  if (kh_meeting_run_finish (meet->meeting, result, &error))
    {
      (meet->options->json ? report_json : report) (meet);
      kh_stage_end (meet->stage, get_status (meet));
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (error);
      kh_stage_end (meet->stage, 1);
    }
  else
    kh_stage_end (meet->stage, report_no_lab (meet->options, error));
}

static void
play (KhStage *stage, gpointer data)
{
  Meet *meet = data;
  const KhMeetingSettings settings = { .bindir = meet->options->bindir, .timeout = meet->options->timeout };
  GError *error = NULL;

  meet->stage = stage;
  meet->meeting = kh_meeting_new (kh_stage_get_lab (stage), &settings, &error);
  if (meet->meeting == NULL)
    {
      kh_stage_end (stage, report_no_lab (meet->options, error));
      return;
    }
  g_signal_connect (meet->meeting, "event", G_CALLBACK (on_event), meet);
  kh_meeting_run_async (meet->meeting, kh_stage_get_cancellable (stage), on_met, meet);
}

static int
work (gpointer data)
{
  Meet meet = { .options = data };
  GError *error = NULL;
  int status = kh_stage_run (meet.options, play, &meet, &error);

  if (error != NULL)
    status = report_no_lab (meet.options, error);
  g_clear_object (&meet.meeting);
  for (guint who = 0; who < KH_N_FRIENDS; who++)
    view_clear (&meet.views[who]);

  return status;
}

/**
 * kh_meet:
 * @options: which routers, and how to tell
 *
 * Lets two friends meet behind two routers, say a word each, and leave; prints one line on how it went.
 *
 * Ends the process with the exit status of the one who joined.
 *
 * Returns: an exit status, when there can be no laboratory
 */
int
kh_meet (KhLabOptions *options)
{
  GError *error = NULL;

  kh_keeper_run (work, options, &error);

  return report_no_lab (options, error);
}
