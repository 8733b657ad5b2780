/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-back-dial"

#include "kh-back-dial.h"

#include "kh-icmp.h"
#include "kh-poller.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* One dial from the server to a client's mapping.
 *
 *   dialling ── connected: says who it is, ends its direction ──▶ lingering ── the other side's end, or 1 s ──▶ over
 *      └────── RST, ICMP, 1.5 s ──▶ over
 *
 * What the other side says is not read but thrown away: whoever listens there did not ask for it. */

#define DIAL_MILLISECONDS 1500
#define LINGER_MILLISECONDS 1000
#define READ_BYTES 4096

struct _KhBackDial
{
  int fd;
  guint8 token[KH_STUN_ID_BYTES];
  KhBackDialHandlers handlers;
  gpointer user_data;
  gboolean failed;    /* it could not even begin */
  gboolean lingering; /* it connected */
  KhWatch watch;
};

/* The last thing that is done for a dial that did not connect: nothing of it may be touched behind. */
static void
settle (KhBackDial *self, KhDialResult result)
{
  const KhBackDialOutcome outcome = { .result = result };

  self->handlers.settled (&outcome, self->user_data);
}

static void
settle_error (KhBackDial *self, int error)
{
  KhIcmp icmp;

  kh_watch_stop (&self->watch);
  if (kh_icmp_read (self->fd, &icmp))
    {
      const KhBackDialOutcome outcome = { KH_DIAL_UNREACHABLE, icmp.type, icmp.code };

      self->handlers.settled (&outcome, self->user_data);
    }
  else if (error == ECONNREFUSED || error == ECONNRESET)
    settle (self, KH_DIAL_REFUSED);
  else
    settle (self, KH_DIAL_FAILED);
}

static void
set_deadline (KhBackDial *self, gint64 milliseconds)
{
  kh_watch_set_deadline (&self->watch, g_get_monotonic_time () + milliseconds * 1000);
}

/* Twelve bytes always fit in the buffer of a new connection. */
static void
introduce (KhBackDial *self)
{
  self->lingering = TRUE;
  set_deadline (self, LINGER_MILLISECONDS);
  if (send (self->fd, self->token, sizeof self->token, MSG_NOSIGNAL) != sizeof self->token ||
      shutdown (self->fd, SHUT_WR) != 0 || !kh_watch_want (&self->watch, EPOLLIN))
    set_deadline (self, 0);

  settle (self, KH_DIAL_CONNECTED);
}

static void
check_connection (KhBackDial *self, guint32 events)
{
  int error = 0;
  socklen_t size = sizeof error;

  getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0 || (events & (EPOLLERR | EPOLLHUP)) != 0)
    settle_error (self, error);
  else
    introduce (self);
}

static void
drain (KhBackDial *self, guint32 events)
{
  char thrown_away[READ_BYTES];
  gssize length = recv (self->fd, thrown_away, sizeof thrown_away, 0);

  if (length > 0 || (length < 0 && errno == EAGAIN && (events & EPOLLERR) == 0))
    return;

  kh_watch_stop (&self->watch);
  self->handlers.over (self->user_data);
}

static void
on_ready (guint32 events, gpointer user_data)
{
  KhBackDial *self = user_data;

  if (self->lingering)
    drain (self, events);
  else
    check_connection (self, events);
}

static void
on_expired (gpointer user_data)
{
  KhBackDial *self = user_data;

  kh_watch_stop (&self->watch);
  if (self->lingering)
    self->handlers.over (self->user_data);
  else
    settle (self, self->failed ? KH_DIAL_FAILED : KH_DIAL_SILENT);
}

static gboolean
begin (KhBackDial *self, GInetSocketAddress *remote)
{
  struct sockaddr_storage native;
  gssize size = g_socket_address_get_native_size (G_SOCKET_ADDRESS (remote));

  if (!g_socket_address_to_native (G_SOCKET_ADDRESS (remote), &native, sizeof native, NULL))
    return FALSE;
  if (connect (self->fd, (struct sockaddr *) &native, size) != 0 && errno != EINPROGRESS)
    return FALSE;

  return kh_watch_want (&self->watch, EPOLLOUT);
}

/**
 * kh_back_dial_new:
 * @fd: from kh_dial_socket_open(); closed with the dial
 * @remote: where to
 * @token: (array fixed-size=12): what to write on the connection
 * @handlers: what is called; copied
 * @user_data: for @handlers
 *
 * Dials. Nothing for 1.5 seconds counts as silence.
 *
 * Returns: (transfer full): the dial
 */
KhBackDial *
kh_back_dial_new (int fd, GInetSocketAddress *remote, const guint8 *token, const KhBackDialHandlers *handlers,
                  gpointer user_data)
{
  KhBackDial *self = g_new0 (KhBackDial, 1);

  self->fd = fd;
  memcpy (self->token, token, sizeof self->token);
  self->handlers = *handlers;
  self->user_data = user_data;
  self->watch = (KhWatch){ fd, on_ready, on_expired, self };
  self->failed = !begin (self, remote);
  set_deadline (self, self->failed ? 0 : DIAL_MILLISECONDS);

  return self;
}

/**
 * kh_back_dial_free:
 * @self: a dial
 *
 * Ends it, wherever it is; nothing is called any more.
 */
void
kh_back_dial_free (KhBackDial *self)
{
  kh_watch_stop (&self->watch);
  close (self->fd);
  g_free (self);
}
