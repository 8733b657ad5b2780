/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-reuse-trial.h"

#include <glib-unix.h>

/* A trial goes through a row of steps. A step begins something, then looks whether it is over, again and again: whenever one of
 * the sockets that it waits for has news. Its deadline ends it as well; for some steps silence is a result, for others an error.
 *
 * The order matters. A stranger is somebody to whom nothing was ever sent, and the friend is on the same host, so the stranger
 * comes first. The port's last dial goes to the server's second address, since the first pair of addresses is still in TIME_WAIT. */

/* Local ports, outside of the range from which the kernel takes ports itself. Each trial of a laboratory has its own. */
#define FIRST_OUR_PORT 20000
#define FIRST_FRIEND_PORT (FIRST_OUR_PORT + KH_REUSE_MAX_TRIALS)
#define FIRST_SERVER_PORT (FIRST_FRIEND_PORT + KH_REUSE_MAX_TRIALS)

/* How long the steps have that lead to no result of their own. */
#define SETUP_PATIENCE_MS 10000
/* Nothing tells when the last ACK has come. */
#define CLOSED_POLL_MS 2

typedef enum
{
  SERVER,
  FRIEND,        /* the friend's connection to the server, which stays open */
  FRIEND_SERVED, /* the server's end of it */
  FIRST,         /* ours: the mapping */
  FIRST_SERVED,
  LISTENER, /* on the same port */
  STRANGER,
  STRANGER_IN,
  DIAL,
  DIAL_IN,
  FRIEND_LISTENER,
  FRIEND_DIAL,
  FRIEND_DIAL_IN,
  LAST,
  LAST_SERVED,
  N_SOCKETS,
} Which;

typedef struct _Trial Trial;

/**
 * Step:
 * @late: what to say when it takes too long; NULL where that is a result
 * @begin: starts it
 * @look: (nullable): whether it is over; else it has said what it waits for
 */
typedef struct
{
  const char *late;
  void (*begin) (Trial *trial);
  gboolean (*look) (Trial *trial);
} Step;

struct _Trial
{
  GTask *task;
  KhLab *lab;
  KhReuseCase what;
  guint number;
  guint patience;
  const Step *step;
  KhLabSocket sockets[N_SOCKETS];
  KhEndpoint friend;
  KhReuseResult found;
  GArray *waits;
  guint deadline;
  guint cancelled;
};

static void advance (Trial *trial, gboolean late);

static void
stop_waiting (Trial *trial)
{
  for (guint i = 0; i < trial->waits->len; i++)
    g_source_remove (g_array_index (trial->waits, guint, i));
  g_array_set_size (trial->waits, 0);
}

/* From here on nothing calls back any more. */
static void
stop (Trial *trial)
{
  stop_waiting (trial);
  g_clear_handle_id (&trial->deadline, g_source_remove);
  g_clear_handle_id (&trial->cancelled, g_source_remove);
}

static void
trial_free (gpointer data)
{
  Trial *trial = data;

  stop (trial);
  for (Which i = 0; i < N_SOCKETS; i++)
    kh_lab_socket_close (&trial->sockets[i]);
  g_array_unref (trial->waits);
  g_object_unref (trial->lab);
  g_free (trial);
}

static gboolean
on_moment_over (gpointer data)
{
  advance (data, FALSE);
  return G_SOURCE_REMOVE;
}

static gboolean
on_ready (int fd, GIOCondition condition, gpointer data)
{
  return on_moment_over (data);
}

static gboolean
on_late (gpointer data)
{
  Trial *trial = data;

  trial->deadline = 0;
  advance (trial, TRUE);

  return G_SOURCE_REMOVE;
}

static void
wait_for (Trial *trial, const KhLabSocket *socket, GIOCondition condition)
{
  guint id;

  if (condition == 0)
    return;
  id = g_unix_fd_add (socket->fd, condition, on_ready, trial);
  g_array_append_val (trial->waits, id);
}

static void
look_at (Trial *trial, Which which)
{
  wait_for (trial, &trial->sockets[which], kh_lab_socket_look (&trial->sockets[which]));
}

static void
look_for_guest (Trial *trial, Which listener, Which guest)
{
  wait_for (trial, &trial->sockets[listener], kh_lab_socket_accept (&trial->sockets[guest], &trial->sockets[listener]));
  look_at (trial, guest);
}

static void
close_all (Trial *trial, const Which *which, gsize n)
{
  for (gsize i = 0; i < n; i++)
    kh_lab_socket_close (&trial->sockets[which[i]]);
}

static gboolean
is_heard (const Trial *trial, Which which)
{
  return trial->sockets[which].state == KH_LAB_SOCKET_HEARD;
}

static KhLabSocket *
open_socket (Trial *trial, Which which, KhHostId host, KhReuse reuse, guint16 port)
{
  KhLabSocket *socket = &trial->sockets[which];

  kh_lab_socket_open (socket, kh_lab_get_network (trial->lab, host), reuse, port);

  return socket;
}

/* A socket that uses the port again. */
static KhLabSocket *
open_again (Trial *trial, Which which)
{
  return open_socket (trial, which, KH_HOST_LEFT, trial->what.later, trial->found.port);
}

static guint16
get_friend_port (const Trial *trial)
{
  return (guint16) (FIRST_FRIEND_PORT + trial->number);
}

static KhEndpoint
get_server (const Trial *trial, gboolean second)
{
  const KhHostAddresses *addresses = kh_lab_get_addresses (trial->lab, KH_HOST_SERVER);

  return (KhEndpoint){ second ? addresses->second : addresses->own, (guint16) (FIRST_SERVER_PORT + trial->number) };
}

/* It listens at both of its addresses. */
static KhEndpoint
start_server (Trial *trial)
{
  KhEndpoint server = get_server (trial, FALSE);

  if (trial->sockets[SERVER].state == KH_LAB_SOCKET_NONE)
    kh_lab_socket_listen (open_socket (trial, SERVER, KH_HOST_SERVER, KH_REUSE_ADDRESS, server.port));

  return server;
}

/* The friend asks the server for an outside address, as we do: there may be a router on that side as well. */
static void
begin_friend (Trial *trial)
{
  KhEndpoint server = start_server (trial);

  kh_lab_socket_dial (open_socket (trial, FRIEND, KH_HOST_RIGHT, KH_REUSE_BOTH, get_friend_port (trial)), &server);
}

static gboolean
look_at_friend (Trial *trial)
{
  look_at (trial, FRIEND);
  look_for_guest (trial, SERVER, FRIEND_SERVED);
  trial->friend = kh_lab_socket_get_remote (&trial->sockets[FRIEND_SERVED]);

  return is_heard (trial, FRIEND) && is_heard (trial, FRIEND_SERVED);
}

static void
begin_first (Trial *trial)
{
  KhEndpoint server = start_server (trial);

  kh_lab_socket_dial (open_socket (trial, FIRST, KH_HOST_LEFT, trial->what.first, trial->found.port), &server);
}

static gboolean
look_at_first (Trial *trial)
{
  look_at (trial, FIRST);
  look_for_guest (trial, SERVER, FIRST_SERVED);
  trial->found.mapping = kh_lab_socket_get_remote (&trial->sockets[FIRST_SERVED]);

  return is_heard (trial, FIRST) && is_heard (trial, FIRST_SERVED);
}

/* We close first, so it is our host that goes through TIME_WAIT. */
static void
begin_close (Trial *trial)
{
  if (!trial->what.keep)
    kh_lab_socket_end (&trial->sockets[FIRST]);
}

/* Both FINs, and the ACK of the second: the router has seen all of it by then. */
static gboolean
look_at_close (Trial *trial)
{
  KhLabSocket *ours = &trial->sockets[FIRST], *theirs = &trial->sockets[FIRST_SERVED];
  KhLabSocketState before = theirs->state;
  guint id;

  if (trial->what.keep)
    return TRUE;
  look_at (trial, FIRST);
  look_at (trial, FIRST_SERVED);
  if (theirs->state == KH_LAB_SOCKET_ENDED && before != KH_LAB_SOCKET_ENDED)
    kh_lab_socket_end (theirs);
  if (ours->state == KH_LAB_SOCKET_ENDED && theirs->state == KH_LAB_SOCKET_ENDED)
    {
      if (kh_lab_socket_is_over (ours) && kh_lab_socket_is_over (theirs))
        {
          close_all (trial, (Which[]){ FIRST, FIRST_SERVED }, 2);
          return TRUE;
        }
      id = g_timeout_add (CLOSED_POLL_MS, on_moment_over, trial);
      g_array_append_val (trial->waits, id);
    }

  return FALSE;
}

/* What our own host allows, by itself and side by side. connect() is asked as well: some conflicts only come up there. */
static void
begin_host (Trial *trial)
{
  KhEndpoint server = get_server (trial, TRUE);
  KhLabSocket *listener = &trial->sockets[LISTENER], *dial = &trial->sockets[DIAL];

  kh_lab_socket_dial (open_again (trial, DIAL), &server);
  trial->found.dial = dial->reason;
  kh_lab_socket_listen (open_again (trial, LISTENER));
  trial->found.listen_beside = listener->reason;
  close_all (trial, (Which[]){ DIAL, LISTENER }, 2);

  kh_lab_socket_listen (open_again (trial, LISTENER));
  trial->found.listen = listener->reason;
  kh_lab_socket_dial (open_again (trial, DIAL), &server);
  trial->found.dial_beside = dial->reason;
  close_all (trial, (Which[]){ DIAL, LISTENER }, 2);
}

static void
begin_stranger (Trial *trial)
{
  kh_lab_socket_listen (open_again (trial, LISTENER));
  trial->found.listen = trial->sockets[LISTENER].reason;
  kh_lab_socket_dial (open_socket (trial, STRANGER, KH_HOST_RIGHT, KH_REUSE_NOTHING, 0), &trial->found.mapping);
}

static gboolean
look_at_stranger (Trial *trial)
{
  look_at (trial, STRANGER);
  look_for_guest (trial, LISTENER, STRANGER_IN);
  trial->found.stranger = kh_lab_socket_judge (&trial->sockets[STRANGER]);

  return is_heard (trial, STRANGER_IN) ? is_heard (trial, STRANGER)
                                       : trial->sockets[STRANGER].state == KH_LAB_SOCKET_FAILED;
}

/* Our dial goes first. Where our host does not allow one beside the listener, we do without the listener. */
static void
begin_dials (Trial *trial)
{
  close_all (trial, (Which[]){ STRANGER, STRANGER_IN }, 2);
  open_again (trial, DIAL);
  trial->found.dial_beside = trial->sockets[DIAL].reason;
  if (trial->found.dial_beside != 0)
    {
      kh_lab_socket_close (&trial->sockets[LISTENER]);
      open_again (trial, DIAL);
    }
  kh_lab_socket_listen (open_socket (trial, FRIEND_LISTENER, KH_HOST_RIGHT, KH_REUSE_BOTH, get_friend_port (trial)));
  open_socket (trial, FRIEND_DIAL, KH_HOST_RIGHT, KH_REUSE_BOTH, get_friend_port (trial));
  kh_lab_socket_dial (&trial->sockets[DIAL], &trial->friend);
  kh_lab_socket_dial (&trial->sockets[FRIEND_DIAL], &trial->found.mapping);
}

static gboolean
look_at_dials (Trial *trial)
{
  KhReuseResult *found = &trial->found;
  Which theirs;

  look_at (trial, DIAL);
  look_at (trial, FRIEND_DIAL);
  look_for_guest (trial, LISTENER, DIAL_IN);
  look_for_guest (trial, FRIEND_LISTENER, FRIEND_DIAL_IN);
  found->our_dial = kh_lab_socket_judge (&trial->sockets[DIAL]);
  found->their_dial = kh_lab_socket_judge (&trial->sockets[FRIEND_DIAL]);
  found->at_our_listener = !is_heard (trial, DIAL);
  found->at_their_listener = !is_heard (trial, FRIEND_DIAL);
  theirs = found->at_their_listener ? FRIEND_DIAL_IN : FRIEND_DIAL;
  found->friend_connected = is_heard (trial, found->at_our_listener ? DIAL_IN : DIAL) && is_heard (trial, theirs);
  if (found->friend_connected)
    found->seen_by_friend = kh_lab_socket_get_remote (&trial->sockets[theirs]);

  return found->friend_connected || (trial->sockets[DIAL].state == KH_LAB_SOCKET_FAILED &&
                                     trial->sockets[FRIEND_DIAL].state == KH_LAB_SOCKET_FAILED);
}

static void
begin_last (Trial *trial)
{
  static const Which done[] = { DIAL, DIAL_IN, LISTENER, FRIEND_DIAL, FRIEND_DIAL_IN, FRIEND_LISTENER };
  KhEndpoint server = get_server (trial, TRUE);

  close_all (trial, done, G_N_ELEMENTS (done));
  kh_lab_socket_dial (open_again (trial, LAST), &server);
}

static gboolean
look_at_last (Trial *trial)
{
  look_at (trial, LAST);
  look_for_guest (trial, SERVER, LAST_SERVED);
  trial->found.afterwards = kh_lab_socket_get_remote (&trial->sockets[LAST_SERVED]);
  trial->found.last_dial = kh_lab_socket_judge (&trial->sockets[LAST]);

  return trial->sockets[LAST].state == KH_LAB_SOCKET_FAILED ||
         (is_heard (trial, LAST) && is_heard (trial, LAST_SERVED));
}

#define NOT_REACHED "The server was not reached."

static const Step host_steps[] = {
  { NOT_REACHED, begin_first, look_at_first },
  { "The connection was not closed.", begin_close, look_at_close },
  { NULL, begin_host, NULL },
  { 0 },
};

static const Step router_steps[] = {
  { NOT_REACHED, begin_friend, look_at_friend },
  { NOT_REACHED, begin_first, look_at_first },
  { "The connection was not closed.", begin_close, look_at_close },
  { NULL, begin_stranger, look_at_stranger },
  { NULL, begin_dials, look_at_dials },
  { NULL, begin_last, look_at_last },
  { 0 },
};

/* The one place where a task returns. It may free the trial, at once or later. */
static void
finish (Trial *trial, GError *error)
{
  g_autoptr (GTask) task = g_steal_pointer (&trial->task);

  stop (trial);
  if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_pointer (task, g_memdup2 (&trial->found, sizeof trial->found), g_free);
}

static void
begin_step (Trial *trial)
{
  guint patience = trial->patience + (trial->step->late != NULL ? SETUP_PATIENCE_MS : 0);

  g_clear_handle_id (&trial->deadline, g_source_remove);
  trial->deadline = g_timeout_add (patience, on_late, trial);
  trial->step->begin (trial);
}

static void
advance (Trial *trial, gboolean late)
{
  for (;; late = FALSE)
    {
      gboolean over;

      stop_waiting (trial);
      over = trial->step->look == NULL || trial->step->look (trial);
      if (!over && !late)
        return;
      if (!over && trial->step->late != NULL)
        {
          finish (trial, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, trial->step->late));
          return;
        }

      trial->step++;
      if (trial->step->begin == NULL)
        {
          finish (trial, NULL);
          return;
        }
      begin_step (trial);
    }
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer data)
{
  Trial *trial = data;

  trial->cancelled = 0;
  finish (trial, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "The trial was cancelled."));

  return G_SOURCE_REMOVE;
}

static void
heed_cancellable (Trial *trial, GCancellable *cancellable)
{
  g_autoptr (GSource) source = NULL;

  if (cancellable == NULL)
    return;
  source = g_cancellable_source_new (cancellable);
  g_source_set_callback (source, G_SOURCE_FUNC (on_cancelled), trial, NULL);
  trial->cancelled = g_source_attach (source, NULL);
}

/**
 * kh_reuse_trial_run_async:
 * @lab: a laboratory
 * @what: how the port is used again
 * @number: a number of its own among the trials of this laboratory, below %KH_REUSE_MAX_TRIALS
 * @patience: milliseconds after which silence is silence
 * @cancellable: (nullable): a cancellable
 * @callback: called when all is found out
 * @data: for @callback
 *
 * Opens a mapping from the left host, closes its connection or not, and finds out what can be done with its port.
 */
void
kh_reuse_trial_run_async (KhLab *lab, const KhReuseCase *what, guint number, guint patience, GCancellable *cancellable,
                          GAsyncReadyCallback callback, gpointer data)
{
  Trial *trial;

  g_return_if_fail (KH_IS_LAB (lab));
  g_return_if_fail (number < KH_REUSE_MAX_TRIALS);

  trial = g_new0 (Trial, 1);
  trial->task = g_task_new (NULL, cancellable, callback, data);
  g_task_set_name (trial->task, "kh_reuse_trial_run_async");
  g_task_set_source_tag (trial->task, kh_reuse_trial_run_async);
  g_task_set_task_data (trial->task, trial, trial_free);
  trial->lab = g_object_ref (lab);
  trial->what = *what;
  trial->number = number;
  trial->patience = patience;
  trial->step = what->host_only ? host_steps : router_steps;
  trial->waits = g_array_new (FALSE, FALSE, sizeof (guint));
  trial->found.port = (guint16) (FIRST_OUR_PORT + number);
  for (Which i = 0; i < N_SOCKETS; i++)
    trial->sockets[i].fd = -1;
  heed_cancellable (trial, cancellable);

  begin_step (trial);
  advance (trial, FALSE);
}

/**
 * kh_reuse_trial_run_finish:
 * @result: the result
 * @found: (out caller-allocates): what was found out
 * @error: return location: %G_IO_ERROR_TIMED_OUT when not even the first connection came about, %G_IO_ERROR_CANCELLED
 *
 * Returns: whether there is anything to tell
 */
gboolean
kh_reuse_trial_run_finish (GAsyncResult *result, KhReuseResult *found, GError **error)
{
  g_autofree KhReuseResult *all = g_task_propagate_pointer (G_TASK (result), error);

  if (all == NULL)
    return FALSE;
  *found = *all;

  return TRUE;
}
