/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-poller"

#include "kh-poller.h"

#include <glib-unix.h>
#include <unistd.h>

/* All clients of the process behind one GSource. With a source for each, of which GLib's main loop looks at
 * every one at every turn, a complete invite took 3.9 ms of processor time while 1000 clients waited, or 2.1
 * ms when 32 invites went on at once; this way it is 0.9 and 0.6 ms.
 *
 * Deadlines are kept in order. They are mostly moved back, again and again, so a later deadline is only
 * noted, and the watch sorted in again when the earlier one comes. */

#define EVENTS_PER_TURN 64

typedef struct
{
  GSource source;
  int epoll_fd;
  GSequence *deadlines;
  struct epoll_event batch[EVENTS_PER_TURN];
  int batch_length;
} Poller;

static int
compare_scheduled (gconstpointer a, gconstpointer b, gpointer unused)
{
  const KhWatch *left = a;
  const KhWatch *right = b;

  return (left->scheduled > right->scheduled) - (left->scheduled < right->scheduled);
}

static void
update_ready_time (Poller *self)
{
  GSequenceIter *first = g_sequence_get_begin_iter (self->deadlines);
  gint64 time = g_sequence_iter_is_end (first) ? -1 : ((KhWatch *) g_sequence_get (first))->scheduled;

  if (g_source_get_ready_time (&self->source) != time)
    g_source_set_ready_time (&self->source, time);
}

static void
schedule (Poller *self, KhWatch *watch)
{
  watch->scheduled = watch->deadline;
  watch->iter = g_sequence_insert_sorted (self->deadlines, watch, compare_scheduled, NULL);
}

static void
unschedule (KhWatch *watch)
{
  if (watch->iter != NULL)
    g_sequence_remove (watch->iter);
  watch->iter = NULL;
}

static void
dispatch_events (Poller *self)
{
  self->batch_length = epoll_wait (self->epoll_fd, self->batch, EVENTS_PER_TURN, 0);
  for (int i = 0; i < self->batch_length; i++)
    {
      KhWatch *watch = self->batch[i].data.ptr;

      if (watch != NULL)
        watch->ready (self->batch[i].events, watch->user_data);
    }
  self->batch_length = 0;
}

static void
dispatch_deadlines (Poller *self)
{
  gint64 now = g_get_monotonic_time ();

  while (TRUE)
    {
      GSequenceIter *first = g_sequence_get_begin_iter (self->deadlines);
      KhWatch *watch;

      if (g_sequence_iter_is_end (first))
        break;
      watch = g_sequence_get (first);
      if (watch->scheduled > now)
        break;

      unschedule (watch);
      if (watch->deadline > now)
        schedule (self, watch);
      else
        watch->expired (watch->user_data);
    }
}

static gboolean
poller_dispatch (GSource *source, GSourceFunc callback, gpointer user_data)
{
  Poller *self = (Poller *) source;

  dispatch_events (self);
  dispatch_deadlines (self);
  update_ready_time (self);
  return G_SOURCE_CONTINUE;
}

/* One for the process and its one thread, for as long as that lives. */
static Poller *
get_poller (void)
{
  static GSourceFuncs functions = { .dispatch = poller_dispatch };
  static Poller *poller;

  if (poller == NULL)
    {
      poller = (Poller *) g_source_new (&functions, sizeof (Poller));
      poller->epoll_fd = epoll_create1 (EPOLL_CLOEXEC);
      g_assert (poller->epoll_fd >= 0);
      poller->deadlines = g_sequence_new (NULL);
      g_source_set_static_name (&poller->source, "kh-poller");
      g_source_add_unix_fd (&poller->source, poller->epoll_fd, G_IO_IN);
      g_source_attach (&poller->source, NULL);
    }

  return poller;
}

/**
 * kh_watch_want:
 * @self: a watch
 * @events: EPOLLIN, EPOLLOUT, both or 0: what to wait for from now on
 *
 * Errors are waited for in any case, until kh_watch_stop().
 *
 * Returns: %FALSE when the system refuses that, as it may for want of memory: nothing is to be relied on then
 * but kh_watch_stop()
 */
gboolean
kh_watch_want (KhWatch *self, guint32 events)
{
  struct epoll_event event = { .events = events, .data.ptr = self };
  int operation = self->added ? EPOLL_CTL_MOD : EPOLL_CTL_ADD;

  if (self->added && self->wanted == events)
    return TRUE;
  if (epoll_ctl (get_poller ()->epoll_fd, operation, self->fd, &event) != 0)
    return FALSE;

  self->wanted = events;
  self->added = TRUE;
  return TRUE;
}

/**
 * kh_watch_set_deadline:
 * @self: a watch
 * @time: monotonic time in microseconds, in place of the deadline before; 0 for none
 */
void
kh_watch_set_deadline (KhWatch *self, gint64 time)
{
  Poller *poller = get_poller ();

  self->deadline = time != 0 ? time : G_MAXINT64;
  if (time != 0 && self->iter != NULL && time >= self->scheduled)
    return;

  unschedule (self);
  if (time != 0)
    schedule (poller, self);
  update_ready_time (poller);
}

/**
 * kh_watch_stop:
 * @self: a watch
 *
 * Ends it: neither call comes any more. To be called before its descriptor is closed. Stopping twice is
 * harmless.
 */
void
kh_watch_stop (KhWatch *self)
{
  Poller *poller = get_poller ();

  for (int i = 0; i < poller->batch_length; i++)
    if (poller->batch[i].data.ptr == self)
      poller->batch[i].data.ptr = NULL;

  if (self->added)
    epoll_ctl (poller->epoll_fd, EPOLL_CTL_DEL, self->fd, NULL);
  self->added = FALSE;
  unschedule (self);
}
