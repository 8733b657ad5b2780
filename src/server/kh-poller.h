/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>
#include <sys/epoll.h>

G_BEGIN_DECLS

/**
 * KhWatch:
 * @fd: a descriptor, or -1 for a deadline alone
 * @ready: it is ready for what is wanted, or broken: EPOLLIN, EPOLLOUT, EPOLLERR, EPOLLHUP
 * @expired: the deadline has passed; it is gone then
 *
 * Part of what waits for a descriptor. Either call may unwatch any watch, its own included.
 */
typedef struct
{
  int fd;
  void (*ready) (guint32 events, gpointer user_data);
  void (*expired) (gpointer user_data);
  gpointer user_data;

  /*< private >*/
  guint32 wanted;
  gboolean added;
  gint64 deadline;
  gint64 scheduled;
  GSequenceIter *iter;
} KhWatch;

gboolean kh_watch_want         (KhWatch *self, guint32 events);
void     kh_watch_set_deadline (KhWatch *self, gint64 time);
void     kh_watch_stop         (KhWatch *self);

G_END_DECLS
