/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-farewell.h"

/* Nobody who closes a window wants to see its program hang on. */
#define PATIENCE_MS 2000

typedef struct
{
  GApplication *application; /* held until the goodbyes are said or the time is over, whichever is first */
  guint patience_id;
} Farewell;

static void
release (Farewell *farewell)
{
  if (farewell->application == NULL)
    return;

  g_application_release (farewell->application);
  g_clear_object (&farewell->application);
}

static gboolean
on_patience_ended (gpointer user_data)
{
  Farewell *farewell = user_data;

  farewell->patience_id = 0;
  release (farewell);
  return G_SOURCE_REMOVE;
}

static void
on_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Farewell *farewell = user_data;

  kh_session_close_finish (KH_SESSION (source), result, NULL);
  g_clear_handle_id (&farewell->patience_id, g_source_remove);
  release (farewell);
  g_free (farewell);
}

/**
 * kh_farewell:
 * @application: kept alive meanwhile
 * @session: a session nobody has said goodbye to yet
 *
 * Says goodbye to the friend and to the meeting server, in the background. The application waits two seconds at most; what
 * has not been said by then is not said.
 */
void
kh_farewell (GApplication *application, KhSession *session)
{
  Farewell *farewell = g_new0 (Farewell, 1);

  farewell->application = g_object_ref (application);
  g_application_hold (application);
  farewell->patience_id = g_timeout_add (PATIENCE_MS, on_patience_ended, farewell);
  g_source_set_name_by_id (farewell->patience_id, "kh-farewell patience");
  kh_session_close_async (session, NULL, on_closed, farewell);
}
