/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-idle.h"

#include "kh-cancel.h"

#include <string.h>
#include <time.h>

/* A round of trials runs side by side, each on a connection of its own, since a look at a connection makes it young again: the
 * first doubles the time from trial to trial, later ones divide what lies between the longest that lived and the shortest that
 * did not. */
#define FIRST_SECONDS 5
#define MAX_TRIALS 8
#define DIVIDE_BY 4
#define MAX_ROUNDS 5

/* From the server's word that it has sent to what it sent. */
#define ARRIVAL_MS 3000

typedef struct Trial_ Trial;

typedef struct
{
  GTask *task; /* until it is over */
  GInetSocketAddress *server;
  GPtrArray *trials;
  GSource *cancel_source;
  KhIdleProgress progress;
  gpointer progress_data; /* the user data of the task, which that keeps */
  int limit;
  int lived; /* seconds that a connection is known to live */
  int died;  /* seconds that it is known not to; one more than the limit before that */
  int round;
  gboolean answered; /* one trial has come to an end at all */
} Idle;

struct Trial_
{
  Idle *idle; /* unowned: frees its trials */
  int seconds;
  KhProbe *probe;
  KhProbe *control;
  guint8 id[KH_STUN_ID_BYTES];
  guint timer_id;
  gint64 slept;   /* µs for which this computer had been suspended when the rest began */
  gboolean asked; /* the server to send something */
  gboolean sent;  /* the server has, on our connection */
  gboolean over;
};

static void start_round (Idle *idle);

static void
trial_free (gpointer data)
{
  Trial *trial = data;

  g_clear_handle_id (&trial->timer_id, g_source_remove);
  g_signal_handlers_disconnect_by_data (kh_probe_get_client (trial->probe), trial);
  kh_probe_close (trial->probe);
  g_object_unref (trial->probe);
  if (trial->control != NULL)
    {
      g_signal_handlers_disconnect_by_data (kh_probe_get_client (trial->control), trial);
      kh_probe_close (trial->control);
      g_object_unref (trial->control);
    }
  g_free (trial);
}

static void
idle_free (gpointer data)
{
  Idle *idle = data;

  g_object_unref (idle->server);
  g_ptr_array_unref (idle->trials);
  g_free (idle);
}

/* Closing a probe ends its question at once, and whoever asked is called back: by then the trial must not be found any more. */
static void
forget_trials (Idle *idle)
{
  g_autoptr (GPtrArray) trials = g_steal_pointer (&idle->trials);

  idle->trials = g_ptr_array_new_with_free_func (trial_free);
}

static GTask *
take_task (Idle *idle)
{
  GTask *task = g_steal_pointer (&idle->task);

  kh_cancel_unwatch (&idle->cancel_source);
  forget_trials (idle);
  return task;
}

static void
finish (Idle *idle)
{
  g_autoptr (GTask) task = take_task (idle);

  g_task_return_boolean (task, TRUE);
}

/* Whether what lies between is worth another round. */
static gboolean
is_close (const Idle *idle)
{
  return idle->died - idle->lived <= MAX (1, idle->lived / 10) || idle->died > idle->limit;
}

static void
finish_round (Idle *idle)
{
  for (guint i = 0; i < idle->trials->len; i++)
    if (!((Trial *) g_ptr_array_index (idle->trials, i))->over)
      return;

  if (++idle->round == MAX_ROUNDS || is_close (idle) || !idle->answered)
    finish (idle);
  else
    start_round (idle);
}

static void
tell_progress (Idle *idle)
{
  int next = G_MAXINT;

  for (guint i = 0; i < idle->trials->len; i++)
    {
      Trial *trial = g_ptr_array_index (idle->trials, i);

      if (!trial->over)
        next = MIN (next, trial->seconds);
    }
  if (next < G_MAXINT)
    idle->progress (idle->lived, next, idle->progress_data);
}

/* A connection that died has not outlived its elders: trials that would wait longer are not needed. */
static void
trial_over (Trial *trial, gboolean known, gboolean alive)
{
  Idle *idle = trial->idle;

  if (trial->over)
    return;

  trial->over = TRUE;
  idle->answered |= known;
  if (known && alive)
    idle->lived = MAX (idle->lived, trial->seconds);
  else if (known)
    {
      idle->died = MIN (idle->died, trial->seconds);
      for (guint i = 0; i < idle->trials->len; i++)
        {
          Trial *other = g_ptr_array_index (idle->trials, i);

          other->over |= other->seconds > trial->seconds;
        }
    }
  tell_progress (idle);
  finish_round (idle);
}

/* --- one trial ---------------------------------------------------------------------------------------------- */

/* What a pending call carries: it holds the task, and with that everything; the trial may be gone, which its probe tells. */
typedef struct
{
  GTask *task;
  Trial *trial;
} Pending;

static Pending *
pending_new (Trial *trial)
{
  Pending *pending = g_new (Pending, 1);

  pending->task = g_object_ref (trial->idle->task);
  pending->trial = trial;
  return pending;
}

static void
pending_free (Pending *pending)
{
  g_object_unref (pending->task);
  g_free (pending);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pending, pending_free)

static Trial *
still_there (Pending *pending)
{
  Idle *idle = g_task_get_task_data (pending->task);

  return idle->task != NULL && g_ptr_array_find (idle->trials, pending->trial, NULL) ? pending->trial : NULL;
}

static gboolean
on_nothing_came (gpointer user_data)
{
  Trial *trial = user_data;

  trial->timer_id = 0;
  trial_over (trial, TRUE, FALSE);
  return G_SOURCE_REMOVE;
}

static void
on_poked (KhStunClient *client, const KhStunMessage *message, Trial *trial)
{
  if (trial->asked && message->klass == KH_STUN_INDICATION && memcmp (message->id, trial->id, sizeof trial->id) == 0)
    trial_over (trial, TRUE, TRUE);
}

/* The other end is gone, whoever ended it: of the router that tells something only once the server has sent. */
static void
on_closed (KhStunClient *client, Trial *trial)
{
  trial_over (trial, trial->sent, FALSE);
}

static gboolean
on_no_answer (gpointer user_data)
{
  Trial *trial = user_data;

  trial->timer_id = 0;
  trial_over (trial, FALSE, FALSE);
  return G_SOURCE_REMOVE;
}

/* The server says that it has sent: only from here on silence on the other connection means something. */
static void
on_control_answer (KhStunClient *client, const KhStunMessage *message, Trial *trial)
{
  if (memcmp (message->id, trial->id, sizeof trial->id) != 0 || trial->over)
    return;
  if (message->klass == KH_STUN_ERROR)
    {
      trial_over (trial, FALSE, FALSE);
      return;
    }

  trial->sent = TRUE;
  g_clear_handle_id (&trial->timer_id, g_source_remove);
  trial->timer_id = g_timeout_add (ARRIVAL_MS, on_nothing_came, trial);
  g_source_set_name_by_id (trial->timer_id, "kh-idle arrival");
}

static void
on_control_closed (KhStunClient *client, Trial *trial)
{
  trial_over (trial, FALSE, FALSE);
}

static void
on_control_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  gboolean answered = kh_probe_ask_finish (KH_PROBE (source), result, NULL);
  Trial *trial = still_there (pending);
  g_autoptr (KhStunMessage) poke = NULL;

  if (trial == NULL || trial->over)
    return;
  poke = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_DIAL_BACK, NULL);
  poke->dial_kind = KH_DIAL_POKE;
  poke->has_cookie = TRUE;
  memcpy (poke->cookie, kh_stun_client_get_cookie (kh_probe_get_client (trial->probe)), sizeof poke->cookie);
  memcpy (trial->id, poke->id, sizeof trial->id);
  trial->asked = TRUE;
  if (!answered || !kh_stun_client_send (kh_probe_get_client (trial->control), poke))
    {
      trial_over (trial, FALSE, FALSE);
      return;
    }

  trial->timer_id = g_timeout_add (ARRIVAL_MS, on_no_answer, trial);
  g_source_set_name_by_id (trial->timer_id, "kh-idle answer");
}

/* Timers stand still while this computer is suspended; routers do not. */
static gint64
get_slept (void)
{
  struct timespec all, awake;

  if (clock_gettime (CLOCK_BOOTTIME, &all) != 0 || clock_gettime (CLOCK_MONOTONIC, &awake) != 0)
    return 0;
  return (all.tv_sec - awake.tv_sec) * G_USEC_PER_SEC + (all.tv_nsec - awake.tv_nsec) / 1000;
}

static gboolean
on_time_to_poke (gpointer user_data)
{
  Trial *trial = user_data;
  gboolean rested_longer = get_slept () - trial->slept > G_USEC_PER_SEC;

  trial->timer_id = 0;
  trial->control = rested_longer ? NULL : kh_probe_new (trial->idle->server, NULL);
  if (trial->control == NULL)
    {
      trial_over (trial, FALSE, FALSE);
      return G_SOURCE_REMOVE;
    }
  g_signal_connect (kh_probe_get_client (trial->control), "message", G_CALLBACK (on_control_answer), trial);
  g_signal_connect (kh_probe_get_client (trial->control), "closed", G_CALLBACK (on_control_closed), trial);
  kh_probe_ask_async (trial->control, on_control_asked, pending_new (trial));
  return G_SOURCE_REMOVE;
}

static void
on_probe_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  gboolean answered = kh_probe_ask_finish (KH_PROBE (source), result, NULL);
  Trial *trial = still_there (pending);

  if (trial == NULL || trial->over)
    return;
  if (!answered || kh_stun_client_get_cookie (kh_probe_get_client (trial->probe)) == NULL)
    {
      trial_over (trial, FALSE, FALSE);
      return;
    }

  trial->slept = get_slept ();
  trial->timer_id = g_timeout_add_seconds (trial->seconds, on_time_to_poke, trial);
  g_source_set_name_by_id (trial->timer_id, "kh-idle rest");
}

static void
start_trial (Idle *idle, int seconds)
{
  KhProbe *probe = kh_probe_new (idle->server, NULL);
  Trial *trial;

  if (probe == NULL)
    return;

  trial = g_new0 (Trial, 1);
  trial->idle = idle;
  trial->seconds = seconds;
  trial->probe = probe;
  g_ptr_array_add (idle->trials, trial);
  g_signal_connect (kh_probe_get_client (probe), "message", G_CALLBACK (on_poked), trial);
  g_signal_connect (kh_probe_get_client (probe), "closed", G_CALLBACK (on_closed), trial);
  kh_probe_ask_async (probe, on_probe_asked, pending_new (trial));
}

static void
start_round (Idle *idle)
{
  int seconds = FIRST_SECONDS;

  forget_trials (idle);
  if (idle->round > 0)
    {
      for (int i = 1; i < DIVIDE_BY; i++)
        {
          int next = idle->lived + (idle->died - idle->lived) * i / DIVIDE_BY;

          if (next > idle->lived && next < idle->died && next != seconds)
            start_trial (idle, next);
          seconds = next;
        }
    }
  else
    for (int i = 0; i < MAX_TRIALS && seconds < idle->limit; i++, seconds *= 2)
      start_trial (idle, seconds);
  if (idle->round == 0)
    start_trial (idle, idle->limit);
  if (idle->trials->len == 0)
    finish (idle);
  else
    tell_progress (idle);
}

/* --- the whole ---------------------------------------------------------------------------------------------- */

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (GTask) task = take_task (user_data);

  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

/**
 * kh_idle_measure_async:
 * @server: a STUN server that dials back
 * @limit_seconds: after so long nothing more is tried; the server closes connections that idle too long itself
 * @progress: called now and then, with @user_data, until @callback is
 * @cancellable: (nullable): ends it
 * @callback: called once, within five times the limit at worst
 * @user_data: for @callback and @progress
 *
 * Finds out how long a connection without packets lives (RFC 5382, REQ-5): connections rest, and then the server is asked, on
 * another one, to send something on them.
 */
void
kh_idle_measure_async (GInetSocketAddress *server, guint limit_seconds, KhIdleProgress progress,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  Idle *idle = g_new0 (Idle, 1);

  g_task_set_source_tag (task, kh_idle_measure_async);
  g_task_set_task_data (task, idle, idle_free);
  idle->task = task;
  idle->server = g_object_ref (server);
  idle->trials = g_ptr_array_new_with_free_func (trial_free);
  idle->progress = progress;
  idle->progress_data = user_data;
  idle->limit = limit_seconds;
  idle->died = limit_seconds + 1;
  idle->cancel_source = kh_cancel_watch (cancellable, on_cancelled, idle);
  start_round (idle);
}

/**
 * kh_idle_measure_finish:
 * @reason: (out): %KH_REASON_KNOWN, or why not
 * @seconds: (out): for how long a connection was seen to live
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED only
 */
gboolean
kh_idle_measure_finish (GAsyncResult *result, KhReason *reason, int *seconds, GError **error)
{
  const Idle *idle = g_task_get_task_data (G_TASK (result));

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;

  *seconds = idle->lived;
  *reason = idle->answered ? KH_REASON_KNOWN : KH_REASON_SERVER_SILENT;
  return TRUE;
}
