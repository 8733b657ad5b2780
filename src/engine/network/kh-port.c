/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-port.h"

#include "kh-address.h"
#include "kh-error.h"
#include "kh-way.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gnetworking.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

/* Below the ports that Linux hands out by itself, above the ports of known services. */
#define LOWEST_CHOICE 10000
#define CHOICES 64
#define BACKLOG 512

/**
 * KhPort:
 *
 * The local port P that every socket of one punch shares, and the only place that makes such sockets: a hole in a
 * router is a hole for P, so a socket that silently got another port knocks at a closed door.
 *
 * Each socket gets SO_REUSEADDR and SO_REUSEPORT before bind: without SO_REUSEPORT on a listener later binds fail,
 * without SO_REUSEADDR a port in TIME_WAIT cannot be had. GLib's own calls are not used for that: g_socket_bind()
 * clears SO_REUSEPORT on TCP sockets and GSocketClient sets neither.
 */
struct _KhPort
{
  GObject parent_instance;

  guint16 number;
  int guard_v4;
  int guard_v6;
};

G_DEFINE_FINAL_TYPE (KhPort, kh_port, G_TYPE_OBJECT)

static void
close_fd (int *fd)
{
  if (*fd >= 0)
    close (*fd);
  *fd = -1;
}

static void
kh_port_finalize (GObject *object)
{
  KhPort *self = KH_PORT (object);

  close_fd (&self->guard_v4);
  close_fd (&self->guard_v6);

  G_OBJECT_CLASS (kh_port_parent_class)->finalize (object);
}

static void
kh_port_class_init (KhPortClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = kh_port_finalize;
}

static void
kh_port_init (KhPort *self)
{
  self->guard_v4 = -1;
  self->guard_v6 = -1;
}

static gboolean
fail_errno (GError **error, int code, const char *what)
{
  g_propagate_error (error, kh_connect_error (code, what));
  return FALSE;
}

static gboolean
bind_fd (int fd, GInetSocketAddress *local, GError **error)
{
  struct sockaddr_storage native;
  gssize size = g_socket_address_get_native_size (G_SOCKET_ADDRESS (local));

  if (!g_socket_address_to_native (G_SOCKET_ADDRESS (local), &native, sizeof native, error))
    return FALSE;
  if (bind (fd, (struct sockaddr *) &native, size) != 0)
    return fail_errno (error, errno, "bind");
  return TRUE;
}

static GInetSocketAddress *
any_address (GSocketFamily family, guint16 number)
{
  g_autoptr (GInetAddress) any = g_inet_address_new_any (family);

  return G_INET_SOCKET_ADDRESS (g_inet_socket_address_new (any, number));
}

static int
open_fd (GSocketFamily family, GError **error)
{
  int fd = socket (family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP);
  int on = 1;

  if (fd < 0)
    {
      fail_errno (error, errno, "socket");
      return -1;
    }
  if (family == G_SOCKET_FAMILY_IPV6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);

  return fd;
}

/* Law 2: the kernel's word that the socket is on P, whatever bind() said. */
static gboolean
is_on_port (int fd, guint16 number, GError **error)
{
  struct sockaddr_storage native;
  socklen_t size = sizeof native;
  g_autoptr (GSocketAddress) bound = NULL;

  if (getsockname (fd, (struct sockaddr *) &native, &size) != 0)
    return fail_errno (error, errno, "getsockname");

  bound = g_socket_address_new_from_native (&native, size);
  if (g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound)) == number)
    return TRUE;

  g_set_error (error, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE, "the system gave another port than %u", number);
  return FALSE;
}

/* A descriptor on P that shares it with our others (law 1). */
static int
shared_fd (KhPort *self, GInetSocketAddress *local, GError **error)
{
  int fd = open_fd (g_socket_address_get_family (G_SOCKET_ADDRESS (local)), error);
  int on = 1;

  if (fd < 0)
    return -1;

  if (setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      setsockopt (fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    fail_errno (error, errno, "setsockopt");
  else if (bind_fd (fd, local, error) && is_on_port (fd, self->number, error))
    return fd;

  close (fd);
  return -1;
}

/* Law 11: SO_REUSEPORT lets two programs of one user share a port, and the kernel would deal friends out between
 * them. So ask for P without it first. SO_REUSEADDR alone passes over connections in TIME_WAIT, such as our own of a
 * minute ago, but neither over a listener nor over another Knothole's guard. A family the system does not have is no
 * obstacle. */
static gboolean
is_free (GSocketFamily family, guint16 number, GError **error)
{
  g_autoptr (GInetSocketAddress) any = any_address (family, number);
  int fd = open_fd (family, family == G_SOCKET_FAMILY_IPV6 ? NULL : error);
  int on = 1;
  gboolean free_now;

  if (fd < 0)
    return family == G_SOCKET_FAMILY_IPV6;

  setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  free_now = bind_fd (fd, any, error);
  close (fd);
  return free_now;
}

/* Holds P as long as the punch lives, so that nobody else is given it in between. It has SO_REUSEPORT alone: our sockets,
 * which have both options, may stand beside it; what has only SO_REUSEADDR may not, and so is_free() sees it. */
static int
guard_fd (KhPort *self, GSocketFamily family, GError **error)
{
  g_autoptr (GInetSocketAddress) any = any_address (family, self->number);
  int fd = open_fd (family, error);
  int on = 1;

  if (fd < 0)
    return -1;

  if (setsockopt (fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0)
    fail_errno (error, errno, "setsockopt");
  else if (bind_fd (fd, any, error) && is_on_port (fd, self->number, error))
    return fd;

  close (fd);
  return -1;
}

static gboolean
take (KhPort *self, guint16 number, GError **error)
{
  if (!is_free (G_SOCKET_FAMILY_IPV4, number, error) || !is_free (G_SOCKET_FAMILY_IPV6, number, error))
    return FALSE;

  close_fd (&self->guard_v4);
  close_fd (&self->guard_v6);
  self->number = number;
  self->guard_v4 = guard_fd (self, G_SOCKET_FAMILY_IPV4, error);
  self->guard_v6 = guard_fd (self, G_SOCKET_FAMILY_IPV6, NULL);
  return self->guard_v4 >= 0;
}

static void
read_automatic_range (guint *low, guint *high)
{
  g_autofree char *text = NULL;

  if (!g_file_get_contents ("/proc/sys/net/ipv4/ip_local_port_range", &text, NULL, NULL) ||
      sscanf (text, "%u %u", low, high) != 2)
    {
      *low = 32768;
      *high = 60999;
    }
}

/* Outside the range that the system gives to other programs' connections, if there is anything outside. */
static guint16
choose (void)
{
  guint low, high, below, above;
  guint choice;

  read_automatic_range (&low, &high);
  below = low > LOWEST_CHOICE ? low - LOWEST_CHOICE : 0;
  above = high < G_MAXUINT16 ? G_MAXUINT16 - high : 0;
  if (below + above == 0)
    return g_random_int_range (LOWEST_CHOICE, G_MAXUINT16 + 1);

  choice = g_random_int_range (0, below + above);
  return choice < below ? LOWEST_CHOICE + choice : high + 1 + (choice - below);
}

/**
 * kh_port_new:
 * @number: the port wanted, or 0 for one that the object chooses
 * @error: return location
 *
 * Takes a local TCP port for IPv4 and, where there is one, IPv6, and keeps it until the object goes.
 *
 * Returns: (transfer full): the port, or %NULL with %KH_ERROR_PORT when somebody else has it
 */
KhPort *
kh_port_new (guint16 number, GError **error)
{
  g_autoptr (KhPort) self = g_object_new (KH_TYPE_PORT, NULL);
  g_autoptr (GError) local_error = NULL;

  if (number != 0)
    {
      if (take (self, number, &local_error))
        return g_steal_pointer (&self);
      g_set_error (error, KH_ERROR, KH_ERROR_PORT,
                   "Port %u cannot be used (%s). Another program may have it: choose another port.", number,
                   local_error->message);
      return NULL;
    }

  for (int i = 0; i < CHOICES; i++)
    {
      g_clear_error (&local_error);
      if (take (self, choose (), &local_error))
        return g_steal_pointer (&self);
    }

  g_set_error (error, KH_ERROR, KH_ERROR_PORT, "This computer has no free port left for a connection (%s).",
               local_error->message);
  return NULL;
}

/**
 * kh_port_give_up:
 *
 * Lets others have P from now on, without waiting until everybody has forgotten this object. Sockets that stand keep it
 * for themselves.
 */
void
kh_port_give_up (KhPort *self)
{
  g_return_if_fail (KH_IS_PORT (self));

  close_fd (&self->guard_v4);
  close_fd (&self->guard_v6);
}

guint16
kh_port_get_number (KhPort *self)
{
  g_return_val_if_fail (KH_IS_PORT (self), 0);

  return self->number;
}

/**
 * kh_port_local_for:
 * @remote: somebody to reach
 * @error: return location
 *
 * The address on P from which packets to @remote would leave, as the routing table has it. Sends nothing.
 *
 * Returns: (transfer full): the address, or %NULL with a %G_IO_ERROR such as %G_IO_ERROR_NETWORK_UNREACHABLE
 */
GInetSocketAddress *
kh_port_local_for (KhPort *self, GInetSocketAddress *remote, GError **error)
{
  g_autoptr (GInetAddress) local = NULL;

  g_return_val_if_fail (KH_IS_PORT (self), NULL);

  local = kh_way_find_local (remote, error);
  return local != NULL ? G_INET_SOCKET_ADDRESS (g_inet_socket_address_new (local, self->number)) : NULL;
}

/**
 * kh_port_listen:
 * @family: IPv4 or IPv6
 * @error: return location
 *
 * Returns: (transfer full): a non-blocking socket that listens on P at every address of @family, beside whatever
 *   else uses P; %NULL with a %G_IO_ERROR
 */
GSocket *
kh_port_listen (KhPort *self, GSocketFamily family, GError **error)
{
  g_autoptr (GInetSocketAddress) any = NULL;
  GSocket *listener;
  int fd;

  g_return_val_if_fail (KH_IS_PORT (self), NULL);

  any = any_address (family, self->number);
  fd = shared_fd (self, any, error);
  if (fd < 0)
    return NULL;

  if (listen (fd, BACKLOG) != 0)
    {
      fail_errno (error, errno, "listen");
      close (fd);
      return NULL;
    }

  listener = g_socket_new_from_fd (fd, error);
  if (listener == NULL)
    close (fd);
  else
    g_socket_set_blocking (listener, FALSE);
  return listener;
}

/**
 * kh_port_connect_async:
 * @remote: whom to dial
 * @flags: what kind of way it is
 * @hops: 0, or after how many hops the SYN is to die, see kh_connect_async()
 * @cancellable: (nullable): ends the attempt; a SYN that is out is simply not repeated, nothing is sent (law 7)
 * @callback: called once
 * @user_data: for @callback
 *
 * Dials @remote from P and holds: the kernel repeats the SYN by itself, with the same sequence number, which is what
 * routers expect (law 5). The first SYN has left when this call returns.
 *
 * Errors are %G_IO_ERROR: %G_IO_ERROR_CONNECTION_REFUSED, %G_IO_ERROR_HOST_UNREACHABLE,
 * %G_IO_ERROR_NETWORK_UNREACHABLE, %G_IO_ERROR_TIMED_OUT, %G_IO_ERROR_ADDRESS_IN_USE when a socket of ours already
 * has this pair of addresses (law 3), %G_IO_ERROR_CANCELLED. Never is another port tried.
 */
void
kh_port_connect_async (KhPort *self, GInetSocketAddress *remote, KhConnectFlags flags, guint hops,
                       GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GInetSocketAddress) local = NULL;
  GError *error = NULL;
  int fd = -1;

  g_return_if_fail (KH_IS_PORT (self));
  g_return_if_fail (G_IS_INET_SOCKET_ADDRESS (remote));

  local = kh_port_local_for (self, remote, &error);
  /* Law 12: a dial to the own address and port connects to itself. */
  if (local != NULL && kh_address_equal (G_SOCKET_ADDRESS (local), G_SOCKET_ADDRESS (remote)))
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "this is our own address and port");
  if (error == NULL)
    fd = shared_fd (self, local, &error);
  if (error != NULL)
    g_task_report_error (self, callback, user_data, kh_port_connect_async, error);
  else
    kh_connect_async (self, fd, remote, flags, hops, cancellable, callback, user_data);
}

/**
 * kh_port_connect_finish:
 *
 * Returns: (transfer full): the connection, non-blocking, or %NULL with an error
 */
GSocketConnection *
kh_port_connect_finish (KhPort *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
