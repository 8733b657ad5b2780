/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-dial-socket.h"

#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

/* The sockets that a server dials back from, each bound and not connected.
 *
 * The silent port is a listening socket with a filter, which any user may set: the kernel gives each segment that
 * arrives for the socket to the filter before it does anything about it, so a SYN ends there, without an answer and
 * without an RST. A dial from the same port is a second socket. For the address that it dials it is the closer match,
 * so what comes from there is its own, and is not thrown away. */

/* What a dial may have waiting to be read: it reads nothing of interest. */
#define RECEIVE_BUFFER_BYTES 4096

/* A filter sees the TCP header from its first byte on, whatever the family. */
#define TCP_FLAGS_AT 13

static gboolean
set_filter (int fd, struct sock_filter *code, guint16 length)
{
  const struct sock_fprog program = { length, code };

  return setsockopt (fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

static gboolean
drop_everything (int fd)
{
  struct sock_filter code[] = { BPF_STMT (BPF_RET | BPF_K, 0) };

  return set_filter (fd, code, G_N_ELEMENTS (code));
}

static gboolean
drop_bare_syns (int fd)
{
  struct sock_filter code[] = {
    BPF_STMT (BPF_LD | BPF_B | BPF_ABS, TCP_FLAGS_AT),
    BPF_STMT (BPF_ALU | BPF_AND | BPF_K, TH_SYN | TH_ACK),
    BPF_JUMP (BPF_JMP | BPF_JEQ | BPF_K, TH_SYN, 0, 1),
    BPF_STMT (BPF_RET | BPF_K, 0),
    BPF_STMT (BPF_RET | BPF_K, G_MAXUINT32),
  };

  return set_filter (fd, code, G_N_ELEMENTS (code));
}

static gboolean
set_on (int fd, int level, int option)
{
  const int on = 1;

  return setsockopt (fd, level, option, &on, sizeof on) == 0;
}

/* The scope of a link-local address goes with it. */
static gboolean
bind_to (int fd, GInetSocketAddress *address, guint16 port)
{
  struct sockaddr_storage native = { 0 };
  gssize size = g_socket_address_get_native_size (G_SOCKET_ADDRESS (address));

  if (!g_socket_address_to_native (G_SOCKET_ADDRESS (address), &native, sizeof native, NULL))
    return FALSE;
  if (native.ss_family == AF_INET)
    ((struct sockaddr_in *) &native)->sin_port = g_htons (port);
  else
    ((struct sockaddr_in6 *) &native)->sin6_port = g_htons (port);

  return bind (fd, (struct sockaddr *) &native, size) == 0;
}

/* The kernel gives out a free port only where all who share it are asked to share from the start; a plain socket
 * without these options never gets the port of a listener. */
static gboolean
prepare (int fd, KhDialSocketKind kind, GInetSocketAddress *address, guint16 port)
{
  gboolean ipv6 = g_socket_address_get_family (G_SOCKET_ADDRESS (address)) == G_SOCKET_FAMILY_IPV6;
  const int buffer = RECEIVE_BUFFER_BYTES;

  if (kind != KH_DIAL_SOCKET_PLAIN && !(set_on (fd, SOL_SOCKET, SO_REUSEADDR) && set_on (fd, SOL_SOCKET, SO_REUSEPORT)))
    return FALSE;
  if (!set_on (fd, IPPROTO_TCP, TCP_NODELAY) ||
      !(ipv6 ? set_on (fd, IPPROTO_IPV6, IPV6_RECVERR) : set_on (fd, IPPROTO_IP, IP_RECVERR)))
    return FALSE;
  setsockopt (fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);

  if (!bind_to (fd, address, port))
    return FALSE;
  if (kind == KH_DIAL_SOCKET_SILENT)
    return drop_everything (fd) && listen (fd, 1) == 0;
  return kind != KH_DIAL_SOCKET_BARE_SYN || drop_bare_syns (fd);
}

/**
 * kh_dial_socket_open:
 * @kind: what it is for
 * @address: an address of this computer; its port does not matter
 * @port: a silent socket's port, 0 for a free one
 *
 * Returns: a non-blocking socket that is bound and tells ICMP errors (IP_RECVERR), or -1
 */
int
kh_dial_socket_open (KhDialSocketKind kind, GInetSocketAddress *address, guint16 port)
{
  int family = g_socket_address_get_family (G_SOCKET_ADDRESS (address));
  int fd = socket (family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);

  if (fd < 0 || prepare (fd, kind, address, port))
    return fd;

  close (fd);
  return -1;
}

/**
 * kh_dial_socket_get_local:
 * @fd: a socket that is bound
 *
 * Returns: (transfer full): its address and port
 */
GInetSocketAddress *
kh_dial_socket_get_local (int fd)
{
  struct sockaddr_storage native;
  socklen_t size = sizeof native;

  if (getsockname (fd, (struct sockaddr *) &native, &size) != 0)
    return NULL;

  return G_INET_SOCKET_ADDRESS (g_socket_address_new_from_native (&native, size));
}
