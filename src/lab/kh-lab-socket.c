/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-lab-socket.h"

#include "kh-namespace.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* After netinet: it declares sockaddr types of its own otherwise. */
#include <linux/errqueue.h>

static struct sockaddr_in
to_sockaddr (const KhEndpoint *endpoint)
{
  struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons (endpoint->port) };

  memcpy (&address.sin_addr, endpoint->ip.bytes + 12, 4);

  return address;
}

static gboolean
fail (KhLabSocket *self, int reason)
{
  self->state = KH_LAB_SOCKET_FAILED;
  self->reason = reason;
  if (self->fd >= 0)
    close (self->fd);
  self->fd = -1;

  return FALSE;
}

static gboolean
set (KhLabSocket *self, int level, int option)
{
  const int yes = 1;

  return setsockopt (self->fd, level, option, &yes, sizeof yes) == 0 || fail (self, errno);
}

/**
 * kh_lab_socket_open:
 * @self: a socket; what it was before is closed
 * @network: the host's network
 * @reuse: the options to set before bind
 * @port: the local port, 0 for any
 *
 * Makes a socket and binds it. Errors are results here: they are kept in it, and it can be used on as if nothing had happened.
 */
void
kh_lab_socket_open (KhLabSocket *self, int network, KhReuse reuse, guint16 port)
{
  struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons (port) };

  kh_lab_socket_close (self);
  self->fd = kh_namespace_socket (network, AF_INET, SOCK_STREAM, 0, NULL);
  if (self->fd < 0)
    {
      fail (self, errno);
      return;
    }
  /* IP_RECVERR keeps an ICMP error apart from an RST: both are "connection refused" otherwise. */
  if (!set (self, IPPROTO_IP, IP_RECVERR) ||
      ((reuse & KH_REUSE_ADDRESS) != 0 && !set (self, SOL_SOCKET, SO_REUSEADDR)) ||
      ((reuse & KH_REUSE_PORT) != 0 && !set (self, SOL_SOCKET, SO_REUSEPORT)))
    return;
  if (bind (self->fd, (struct sockaddr *) &any, sizeof any) != 0)
    fail (self, errno);
  else
    self->state = KH_LAB_SOCKET_BOUND;
}

void
kh_lab_socket_listen (KhLabSocket *self)
{
  if (self->state != KH_LAB_SOCKET_BOUND)
    return;
  if (listen (self->fd, 16) != 0)
    fail (self, errno);
  else
    self->state = KH_LAB_SOCKET_LISTENING;
}

void
kh_lab_socket_dial (KhLabSocket *self, const KhEndpoint *to)
{
  struct sockaddr_in address = to_sockaddr (to);

  if (self->state != KH_LAB_SOCKET_BOUND)
    return;
  if (connect (self->fd, (struct sockaddr *) &address, sizeof address) != 0 && errno != EINPROGRESS)
    fail (self, errno);
  else
    self->state = KH_LAB_SOCKET_DIALLING;
}

static void
become_connected (KhLabSocket *self)
{
  self->state = KH_LAB_SOCKET_CONNECTED;
  /* One byte always fits into an empty buffer; what goes wrong meanwhile is found when the answer is read. */
  if (send (self->fd, "k", 1, MSG_NOSIGNAL | MSG_DONTWAIT) != 1)
    g_debug ("send: %s", g_strerror (errno));
}

/**
 * kh_lab_socket_accept:
 * @self: where an accepted connection goes; nothing is done when there is one already
 * @listener: a socket, listening or not
 *
 * Returns: what to wait for on @listener before it is worth while to look again, 0 for nothing
 */
GIOCondition
kh_lab_socket_accept (KhLabSocket *self, KhLabSocket *listener)
{
  int fd;

  if (listener->state != KH_LAB_SOCKET_LISTENING || self->state != KH_LAB_SOCKET_NONE)
    return 0;
  fd = accept4 (listener->fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0)
    return G_IO_IN;
  self->fd = fd;
  become_connected (self);

  return 0;
}

/* The error queue has an entry for an ICMP error, and none for an RST. */
static void
read_icmp (KhLabSocket *self)
{
  char room[512];
  struct msghdr message = { .msg_control = room, .msg_controllen = sizeof room };

  if (recvmsg (self->fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
    return;
  for (struct cmsghdr *part = CMSG_FIRSTHDR (&message); part != NULL; part = CMSG_NXTHDR (&message, part))
    if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR)
      {
        struct sock_extended_err error;

        memcpy (&error, CMSG_DATA (part), sizeof error);
        self->icmp = error.ee_origin == SO_EE_ORIGIN_ICMP;
        self->icmp_type = error.ee_type;
        self->icmp_code = error.ee_code;
      }
}

static void
look_at_dial (KhLabSocket *self)
{
  struct pollfd state = { .fd = self->fd, .events = POLLOUT };
  int reason = 0;
  socklen_t length = sizeof reason;

  if (poll (&state, 1, 0) == 0)
    return;
  /* In this order: to read the queue clears the error. */
  if (getsockopt (self->fd, SOL_SOCKET, SO_ERROR, &reason, &length) != 0)
    reason = errno;
  read_icmp (self);
  if (reason != 0)
    fail (self, reason);
  else
    become_connected (self);
}

static void
look_at_stream (KhLabSocket *self)
{
  char byte;
  ssize_t got = recv (self->fd, &byte, 1, MSG_DONTWAIT);

  if (got >= 0)
    self->state = got == 0 ? KH_LAB_SOCKET_ENDED : KH_LAB_SOCKET_HEARD;
  else if (errno != EAGAIN && errno != EINTR)
    fail (self, errno);
}

/**
 * kh_lab_socket_look:
 * @self: a socket
 *
 * Finds out how far a dial or a connection has come.
 *
 * Returns: what to wait for before it is worth while to look again, 0 for nothing
 */
GIOCondition
kh_lab_socket_look (KhLabSocket *self)
{
  if (self->state == KH_LAB_SOCKET_DIALLING)
    look_at_dial (self);
  if (self->state == KH_LAB_SOCKET_CONNECTED || self->state == KH_LAB_SOCKET_HEARD)
    look_at_stream (self);

  if (self->state == KH_LAB_SOCKET_DIALLING)
    return G_IO_OUT;

  return self->state == KH_LAB_SOCKET_CONNECTED || self->state == KH_LAB_SOCKET_HEARD ? G_IO_IN : 0;
}

/**
 * kh_lab_socket_end:
 * @self: a connected socket
 *
 * Sends a FIN; what the other side does is still seen.
 */
void
kh_lab_socket_end (KhLabSocket *self)
{
  if (self->fd >= 0 && shutdown (self->fd, SHUT_WR) != 0)
    g_debug ("shutdown: %s", g_strerror (errno));
}

/**
 * kh_lab_socket_is_over:
 *
 * Returns: whether the kernel has done with the connection: both FINs were sent and acknowledged. What remains of it in
 * TIME_WAIT is no socket any more
 */
gboolean
kh_lab_socket_is_over (KhLabSocket *self)
{
  struct tcp_info info = { 0 };
  socklen_t length = sizeof info;

  return self->fd < 0 || getsockopt (self->fd, IPPROTO_TCP, TCP_INFO, &info, &length) != 0 ||
         info.tcpi_state == TCP_CLOSE;
}

/**
 * kh_lab_socket_get_remote:
 *
 * Returns: with whom it is connected, zeroes for nobody
 */
KhEndpoint
kh_lab_socket_get_remote (KhLabSocket *self)
{
  struct sockaddr_in address;
  socklen_t length = sizeof address;
  KhEndpoint remote = { 0 };

  if (self->fd < 0 || getpeername (self->fd, (struct sockaddr *) &address, &length) != 0)
    return remote;
  remote.ip = kh_ip_from_bytes ((const guint8 *) &address.sin_addr, 4);
  remote.port = ntohs (address.sin_port);

  return remote;
}

static gboolean
is_refusal (int reason)
{
  return reason == ECONNREFUSED || reason == ECONNRESET;
}

/**
 * kh_lab_socket_judge:
 *
 * Returns: what has become of a dial by now
 */
KhDialResult
kh_lab_socket_judge (const KhLabSocket *self)
{
  KhDialResult result = { KH_OUTCOME_SILENCE, self->reason, self->icmp_type, self->icmp_code };

  if (self->state == KH_LAB_SOCKET_NONE)
    result.outcome = KH_OUTCOME_NONE;
  else if (self->state == KH_LAB_SOCKET_HEARD)
    result.outcome = KH_OUTCOME_CONNECTED;
  else if (self->state == KH_LAB_SOCKET_FAILED && self->icmp)
    result.outcome = KH_OUTCOME_ICMP;
  else if (self->state == KH_LAB_SOCKET_FAILED)
    result.outcome = is_refusal (self->reason) ? KH_OUTCOME_REFUSED : KH_OUTCOME_FAILED;

  return result;
}

void
kh_lab_socket_close (KhLabSocket *self)
{
  if (self->fd >= 0)
    close (self->fd);
  *self = (KhLabSocket){ .fd = -1 };
}

/**
 * kh_lab_socket_reason:
 * @reason: an errno
 *
 * Returns: (transfer none): its name where it is one that these sockets meet, else its text
 */
const char *
kh_lab_socket_reason (int reason)
{
  switch (reason)
    {
    case 0:
      return "ok";
    case EADDRINUSE:
      return "EADDRINUSE";
    case EADDRNOTAVAIL:
      return "EADDRNOTAVAIL";
    case ECONNREFUSED:
      return "ECONNREFUSED";
    case ECONNRESET:
      return "ECONNRESET";
    case EHOSTUNREACH:
      return "EHOSTUNREACH";
    case ENETUNREACH:
      return "ENETUNREACH";
    case ETIMEDOUT:
      return "ETIMEDOUT";
    default:
      return g_strerror (reason);
    }
}
