/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-poller.h"
#include "kh-test.h"

#include <glib-unix.h>
#include <unistd.h>

typedef struct
{
  KhWatch watch;
  int ends[2];
  int ready;
  int expired;
  KhWatch *victim; /* stopped when this one is ready or expires */
} Pipe;

static void
on_ready (guint32 events, gpointer user_data)
{
  Pipe *pipe = user_data;

  pipe->ready++;
  kh_watch_stop (&pipe->watch);
  if (pipe->victim != NULL)
    kh_watch_stop (pipe->victim);
}

static void
on_expired (gpointer user_data)
{
  Pipe *pipe = user_data;

  pipe->expired++;
  if (pipe->victim != NULL)
    kh_watch_stop (pipe->victim);
}

static void
pipe_init (Pipe *self)
{
  g_assert_true (g_unix_open_pipe (self->ends, FD_CLOEXEC, NULL));
  self->watch = (KhWatch){ self->ends[0], on_ready, on_expired, self };
}

static void
pipe_clear (Pipe *self)
{
  kh_watch_stop (&self->watch);
  kh_watch_stop (&self->watch);
  close (self->ends[0]);
  close (self->ends[1]);
}

static void
test_ready (void)
{
  Pipe pipe = { 0 };

  pipe_init (&pipe);
  kh_watch_want (&pipe.watch, 0);
  g_assert_cmpint (write (pipe.ends[1], "x", 1), ==, 1);
  kh_test_settle ();
  g_assert_cmpint (pipe.ready, ==, 0);
  kh_watch_want (&pipe.watch, EPOLLIN);
  kh_test_wait_until (pipe.ready == 1, 1000);
  kh_test_settle ();
  g_assert_cmpint (pipe.ready, ==, 1);
  pipe_clear (&pipe);
}

/* What cannot be watched is said so; a change that fails leaves a watch that can be stopped and never comes
 * again. */
static void
test_refused (void)
{
  Pipe pipe = { 0 };
  KhWatch none = { -1, on_ready, on_expired, &pipe };
  int kept;

  g_assert_false (kh_watch_want (&none, EPOLLIN));
  g_assert_false (none.added);
  kh_watch_stop (&none);

  pipe_init (&pipe);
  g_assert_true (kh_watch_want (&pipe.watch, 0));
  kept = dup (pipe.ends[0]);
  close (pipe.ends[0]);
  g_assert_false (kh_watch_want (&pipe.watch, EPOLLIN));
  g_assert_true (pipe.watch.added);
  g_assert_cmpint (dup2 (kept, pipe.ends[0]), ==, pipe.ends[0]);
  close (kept);
  g_assert_true (kh_watch_want (&pipe.watch, EPOLLIN));
  g_assert_cmpint (write (pipe.ends[1], "x", 1), ==, 1);
  kh_test_wait_until (pipe.ready == 1, 1000);
  pipe_clear (&pipe);
}

/* Both are ready in one turn, and whichever comes first stops the other: it must not come any more. */
static void
test_stopped_by_another (void)
{
  Pipe a = { .victim = NULL };
  Pipe b = { .victim = &a.watch };

  a.victim = &b.watch;
  pipe_init (&a);
  pipe_init (&b);
  kh_watch_want (&a.watch, EPOLLIN);
  kh_watch_want (&b.watch, EPOLLIN);
  g_assert_cmpint (write (a.ends[1], "x", 1), ==, 1);
  g_assert_cmpint (write (b.ends[1], "x", 1), ==, 1);
  kh_test_wait_until (a.ready + b.ready > 0, 1000);
  kh_test_settle ();
  g_assert_cmpint (a.ready + b.ready, ==, 1);
  pipe_clear (&a);
  pipe_clear (&b);
}

static void
test_deadlines (void)
{
  Pipe pipes[4] = { 0 };
  gint64 now = g_get_monotonic_time ();

  for (gsize i = 0; i < G_N_ELEMENTS (pipes); i++)
    {
      pipe_init (&pipes[i]);
      kh_watch_set_deadline (&pipes[i].watch, now + 20000 + 1000 * i);
    }
  kh_watch_set_deadline (&pipes[1].watch, now + 100000); /* moved back */
  kh_watch_set_deadline (&pipes[2].watch, 0);            /* taken away */
  kh_watch_set_deadline (&pipes[3].watch, now + 1);      /* moved forward */

  kh_test_wait_until (pipes[3].expired == 1, 1000);
  g_assert_cmpint (pipes[0].expired + pipes[1].expired, ==, 0);
  kh_test_wait_until (pipes[0].expired == 1, 1000);
  g_assert_cmpint (pipes[1].expired, ==, 0);
  kh_test_wait_until (pipes[1].expired == 1, 1000);
  g_assert_cmpint (g_get_monotonic_time (), >=, now + 100000);
  g_assert_cmpint (pipes[2].expired, ==, 0);

  for (gsize i = 0; i < G_N_ELEMENTS (pipes); i++)
    pipe_clear (&pipes[i]);
}

static void
test_deadline_stopped_by_another (void)
{
  Pipe a = { 0 };
  Pipe b = { 0 };
  gint64 past = g_get_monotonic_time () - 1;

  pipe_init (&a);
  pipe_init (&b);
  a.victim = &b.watch;
  b.victim = &a.watch;
  kh_watch_set_deadline (&a.watch, past);
  kh_watch_set_deadline (&b.watch, past);
  kh_test_wait_until (a.expired + b.expired > 0, 1000);
  kh_test_settle ();
  g_assert_cmpint (a.expired + b.expired, ==, 1);
  pipe_clear (&a);
  pipe_clear (&b);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/poller/ready", test_ready);
  g_test_add_func ("/poller/refused", test_refused);
  g_test_add_func ("/poller/stopped-by-another", test_stopped_by_another);
  g_test_add_func ("/poller/deadlines", test_deadlines);
  g_test_add_func ("/poller/deadline-stopped-by-another", test_deadline_stopped_by_another);
  return g_test_run ();
}
