/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-socket.h"
#include "kh-lab.h"

G_BEGIN_DECLS

/* Trials in one laboratory. */
#define KH_REUSE_MAX_TRIALS 1000

/**
 * KhReuseCase:
 * @first: what the socket asks for that opens the mapping
 * @later: what those ask for that use its port again
 * @keep: the first connection stays open; else it is closed, in good order, by us
 * @host_only: it is only asked what our own host allows; else also what comes through the router
 *
 * One way to use a port again.
 */
typedef struct
{
  KhReuse first;
  KhReuse later;
  gboolean keep;
  gboolean host_only;
} KhReuseCase;

/**
 * KhReuseResult:
 * @port: the local port
 * @mapping: how the server saw it
 * @listen: errno of a listener on the port, alone
 * @dial: errno of a dial from it, alone; asked where only the host counts
 * @dial_beside: errno of a dial from it while a listener is there
 * @listen_beside: errno of a listener on it while a dial is on its way; asked where only the host counts
 * @stranger: a stranger's dial to the mapping
 * @our_dial: our dial to the friend
 * @their_dial: the friend's to the mapping
 * @friend_connected: whether data went both ways between us and the friend
 * @at_our_listener: our end of it is one that was accepted, not our dial
 * @at_their_listener: the same for the friend
 * @seen_by_friend: where we are as the friend sees it
 * @afterwards: how the server's second address saw the port in the end
 * @last_dial: the dial to it
 *
 * What was found out.
 */
typedef struct
{
  guint16 port;
  KhEndpoint mapping;
  int listen;
  int dial;
  int dial_beside;
  int listen_beside;
  KhDialResult stranger;
  KhDialResult our_dial;
  KhDialResult their_dial;
  gboolean friend_connected;
  gboolean at_our_listener;
  gboolean at_their_listener;
  KhEndpoint seen_by_friend;
  KhEndpoint afterwards;
  KhDialResult last_dial;
} KhReuseResult;

void     kh_reuse_trial_run_async  (KhLab *lab, const KhReuseCase *what, guint number, guint patience,
                                    GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
gboolean kh_reuse_trial_run_finish (GAsyncResult *result, KhReuseResult *found, GError **error);

G_END_DECLS
