/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-peer"

#include "kh-peer.h"

#include "kh-poller.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* One client's TCP connection, in a server with many of them.
 *
 *   open ── kh_peer_finish () ──▶ finishing ── all sent, and the client's end came ──▶ closed
 *     └────────────── kh_peer_close (), errors, the deadline, a full queue ─────────────▲
 *
 * Everything is bounded. What waits to be sent to one client is at most MAX_QUEUED_BYTES: a client that does
 * not read is closed when others' messages fill that. Its own requests cannot do so, since we stop reading
 * from it long before. What waits for all of them is at most MAX_TOTAL_BYTES: beyond that, whoever has most
 * waiting is closed. The kernel's buffers come on top, so they are small. What was received and not consumed
 * is bounded by whoever consumes: it must refuse what it will not wait for.
 *
 * An idle client costs this object, a socket and one source: buffers exist only while there is something in
 * them. */

#define READ_BYTES 16384
#define PAUSE_QUEUED_BYTES (256 * 1024)
/* A whole mailbox, of 1 MiB, and the client's own answers. */
#define MAX_QUEUED_BYTES (1024 * 1024 + PAUSE_QUEUED_BYTES)
#define MAX_TOTAL_BYTES (64 * 1024 * 1024)
/* For each direction; the kernel takes up to twice as much. */
#define KERNEL_BUFFER_BYTES (64 * 1024)
/* How long a client that was told goodbye may take to close its side. */
#define LINGER_MILLISECONDS 2000

typedef enum
{
  OPEN,
  FINISHING,
  CLOSED,
} State;

struct _KhPeer
{
  GObject parent_instance;

  GSocketConnection *connection;
  GSocket *socket;
  GInetSocketAddress *remote;
  GInetSocketAddress *local;
  KhPeerHandlers handlers;
  gpointer user_data;

  State state;
  GByteArray *received;
  GByteArray *queue;
  gsize sent;    /* of the queue's bytes, how many are gone already */
  gsize counted; /* of the queue's bytes, what is in the total */
  GList link;    /* among those with a queue */
  KhWatch watch;
};

/* Of the process: those that have a queue, and what is in all their queues. */
static GQueue waiting_peers = G_QUEUE_INIT;
static gsize total_queued;

G_DEFINE_FINAL_TYPE (KhPeer, kh_peer, G_TYPE_OBJECT)

/* To be called whenever the queue has changed. */
static void
count_queue (KhPeer *self)
{
  gsize length = self->queue != NULL ? self->queue->len : 0;

  total_queued += length - self->counted;
  if (self->counted == 0 && length > 0)
    g_queue_push_tail_link (&waiting_peers, &self->link);
  else if (self->counted > 0 && length == 0)
    g_queue_unlink (&waiting_peers, &self->link);
  self->counted = length;
}

static void
clear_queue (KhPeer *self)
{
  g_clear_pointer (&self->queue, g_byte_array_unref);
  self->sent = 0;
  count_queue (self);
}

static void
kh_peer_dispose (GObject *object)
{
  KhPeer *self = KH_PEER (object);

  kh_watch_stop (&self->watch);
  g_clear_pointer (&self->received, g_byte_array_unref);
  clear_queue (self);
  g_clear_object (&self->remote);
  g_clear_object (&self->local);
  g_clear_object (&self->socket);
  g_clear_object (&self->connection);

  G_OBJECT_CLASS (kh_peer_parent_class)->dispose (object);
}

static void
kh_peer_class_init (KhPeerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_peer_dispose;
}

static void
kh_peer_init (KhPeer *self)
{
  self->link.data = self;
}

static gsize
queued (KhPeer *self)
{
  return self->queue != NULL ? self->queue->len - self->sent : 0;
}

static void
close_longest (void)
{
  KhPeer *longest = NULL;

  for (GList *at = waiting_peers.head; at != NULL; at = at->next)
    if (longest == NULL || ((KhPeer *) at->data)->counted > longest->counted)
      longest = at->data;
  kh_peer_close (longest);
}

/* A finished peer's further bytes are read and dropped: closing a socket with unread bytes would send RST,
 * which can overtake our last words. */
static void
deliver (KhPeer *self, const guint8 *bytes, gsize length)
{
  gsize used;

  if (self->state != OPEN)
    return;

  if (self->received != NULL)
    {
      g_byte_array_append (self->received, bytes, length);
      bytes = self->received->data;
      length = self->received->len;
    }

  used = self->handlers.received (self, bytes, length, self->user_data);
  g_assert (used <= length);

  if (self->state != OPEN || used == length)
    g_clear_pointer (&self->received, g_byte_array_unref);
  else if (self->received != NULL)
    g_byte_array_remove_range (self->received, 0, used);
  else
    {
      self->received = g_byte_array_new ();
      g_byte_array_append (self->received, bytes + used, length - used);
    }
}

static void
read_some (KhPeer *self)
{
  g_autoptr (GError) error = NULL;
  static char buffer[READ_BYTES];
  gssize length = g_socket_receive (self->socket, buffer, sizeof buffer, NULL, &error);

  if (length > 0)
    deliver (self, (const guint8 *) buffer, length);
  else if (length == 0 || !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    kh_peer_close (self); /* half-closed is no state that either protocol uses */
}

/* Returns how many bytes the socket took, 0 when it takes none now; closes on errors. */
static gsize
send_now (KhPeer *self, const guint8 *bytes, gsize length)
{
  g_autoptr (GError) error = NULL;
  gssize sent = g_socket_send (self->socket, (const char *) bytes, length, NULL, &error);

  if (sent < 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    kh_peer_close (self);

  return MAX (sent, 0);
}

static void
shut_down (KhPeer *self)
{
  if (self->state == FINISHING && queued (self) == 0)
    g_socket_shutdown (self->socket, FALSE, TRUE, NULL);
}

static void
write_some (KhPeer *self)
{
  self->sent += send_now (self, self->queue->data + self->sent, queued (self));
  if (self->state == CLOSED || queued (self) > 0)
    return;

  clear_queue (self);
  shut_down (self);
}

static void
update_watch (KhPeer *self)
{
  gsize waiting = queued (self);
  guint32 events = (waiting < PAUSE_QUEUED_BYTES ? EPOLLIN : 0) | (waiting > 0 ? EPOLLOUT : 0);

  if (self->state != CLOSED && !kh_watch_want (&self->watch, events))
    kh_peer_close (self);
}

static void
on_ready (guint32 events, gpointer user_data)
{
  g_autoptr (KhPeer) self = g_object_ref (user_data);

  if (events & (EPOLLIN | EPOLLHUP | EPOLLERR))
    read_some (self);
  if (self->state != CLOSED && (events & EPOLLOUT) && queued (self) > 0)
    write_some (self);
  update_watch (self);
}

static void
on_expired (gpointer user_data)
{
  kh_peer_close (user_data);
}

/**
 * kh_peer_new:
 * @connection: an accepted connection, which stays referenced until the peer is closed
 * @handlers: what is called; copied
 * @user_data: for @handlers; must outlive the peer's `closed`
 *
 * Starts to read from a client.
 *
 * Returns: (transfer full) (nullable): the peer, or %NULL when the client is gone already, or cannot be
 * waited for
 */
KhPeer *
kh_peer_new (GSocketConnection *connection, const KhPeerHandlers *handlers, gpointer user_data)
{
  g_autoptr (KhPeer) self = NULL;
  g_autoptr (GSocketAddress) remote = NULL;
  g_autoptr (GSocketAddress) local = NULL;

  g_return_val_if_fail (G_IS_SOCKET_CONNECTION (connection), NULL);

  remote = g_socket_connection_get_remote_address (connection, NULL);
  local = g_socket_connection_get_local_address (connection, NULL);
  if (!G_IS_INET_SOCKET_ADDRESS (remote) || !G_IS_INET_SOCKET_ADDRESS (local))
    return NULL;

  self = g_object_new (KH_TYPE_PEER, NULL);
  self->connection = g_object_ref (connection);
  self->socket = g_object_ref (g_socket_connection_get_socket (connection));
  self->remote = G_INET_SOCKET_ADDRESS (g_steal_pointer (&remote));
  self->local = G_INET_SOCKET_ADDRESS (g_steal_pointer (&local));
  self->handlers = *handlers;
  self->user_data = user_data;
  g_socket_set_blocking (self->socket, FALSE);
  g_socket_set_option (self->socket, IPPROTO_TCP, TCP_NODELAY, 1, NULL);
  g_socket_set_option (self->socket, SOL_SOCKET, SO_SNDBUF, KERNEL_BUFFER_BYTES, NULL);
  g_socket_set_option (self->socket, SOL_SOCKET, SO_RCVBUF, KERNEL_BUFFER_BYTES, NULL);
  self->watch = (KhWatch){ g_socket_get_fd (self->socket), on_ready, on_expired, self };
  if (!kh_watch_want (&self->watch, EPOLLIN))
    return NULL;

  return g_steal_pointer (&self);
}

static void
enqueue (KhPeer *self, const guint8 *bytes, gsize length)
{
  if (queued (self) + length > MAX_QUEUED_BYTES)
    {
      kh_peer_close (self);
      return;
    }

  if (self->queue == NULL)
    self->queue = g_byte_array_new ();
  if (self->sent > self->queue->len / 2)
    {
      g_byte_array_remove_range (self->queue, 0, self->sent);
      self->sent = 0;
    }
  g_byte_array_append (self->queue, bytes, length);
  count_queue (self);
  update_watch (self);
  if (total_queued > MAX_TOTAL_BYTES)
    close_longest ();
}

/**
 * kh_peer_send:
 * @self: a peer
 * @bytes: (array length=length): what to send; copied as far as it cannot go at once
 * @length: bytes in @bytes
 *
 * Sends, or queues. A peer whose queue would grow beyond its limit is closed instead, and when the queues of
 * all peers become too long together, the one with the longest is: that may be another than this. A peer that
 * is closed or finishing takes nothing.
 */
void
kh_peer_send (KhPeer *self, const void *bytes, gsize length)
{
  g_autoptr (KhPeer) kept = NULL;
  gsize sent = 0;

  g_return_if_fail (KH_IS_PEER (self));

  if (self->state != OPEN)
    return;

  kept = g_object_ref (self); /* closing may take the last other reference */
  if (queued (self) == 0)
    sent = send_now (self, bytes, length);
  if (self->state == OPEN && sent < length)
    enqueue (self, (const guint8 *) bytes + sent, length - sent);
}

/**
 * kh_peer_finish:
 * @self: a peer
 *
 * Lets what is queued go out, ends our direction, and closes when the client has closed too, or after 2 s.
 */
void
kh_peer_finish (KhPeer *self)
{
  g_return_if_fail (KH_IS_PEER (self));

  if (self->state != OPEN)
    return;

  self->state = FINISHING;
  kh_peer_set_deadline (self, LINGER_MILLISECONDS);
  shut_down (self);
}

/**
 * kh_peer_close:
 * @self: a peer
 *
 * Closes at once. Closing twice is harmless.
 */
void
kh_peer_close (KhPeer *self)
{
  g_return_if_fail (KH_IS_PEER (self));

  if (self->state == CLOSED)
    return;

  g_object_ref (self);
  self->state = CLOSED;
  kh_watch_stop (&self->watch);
  clear_queue (self);
  g_socket_close (self->socket, NULL);
  g_clear_object (&self->connection);
  self->handlers.closed (self, self->user_data);
  g_object_unref (self);
}

/**
 * kh_peer_set_deadline:
 * @self: a peer
 * @milliseconds: how long from now, in place of the deadline before; 0 for none
 *
 * Closes the peer when the time has passed.
 */
void
kh_peer_set_deadline (KhPeer *self, guint milliseconds)
{
  g_return_if_fail (KH_IS_PEER (self));

  if (self->state != CLOSED)
    kh_watch_set_deadline (&self->watch,
                           milliseconds != 0 ? g_get_monotonic_time () + (gint64) milliseconds * 1000 : 0);
}

gboolean
kh_peer_is_open (KhPeer *self)
{
  return self->state == OPEN;
}

/**
 * kh_peer_get_remote:
 *
 * Returns: (transfer none): the client's address; GLib makes an IPv4 one of ::ffff:a.b.c.d, which is what a
 * socket for both families sees of IPv4 clients
 */
GInetSocketAddress *
kh_peer_get_remote (KhPeer *self)
{
  return self->remote;
}

/**
 * kh_peer_get_local:
 *
 * Returns: (transfer none): the address the client connected to
 */
GInetSocketAddress *
kh_peer_get_local (KhPeer *self)
{
  return self->local;
}
