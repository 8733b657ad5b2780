/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-connect.h"

#include "kh-icmp.h"
#include "kh-primer.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gnetworking.h>
#include <glib-unix.h>
#include <unistd.h>

/* What PPPoE, tunnels and mobile networks let through (law 10). */
#define INTERNET_SEGMENT 1220

typedef struct
{
  int fd;
  KhPrimer *primer;
  GSource *source;
} Connect;

static void
connect_free (Connect *connect)
{
  if (connect->source != NULL)
    {
      g_source_destroy (connect->source);
      g_source_unref (connect->source);
    }
  g_clear_pointer (&connect->primer, kh_primer_free);
  if (connect->fd >= 0)
    close (connect->fd);
  g_free (connect);
}

/**
 * kh_connect_error:
 * @code: an errno
 * @what: the call that failed
 *
 * Returns: (transfer full): a %G_IO_ERROR; %G_IO_ERROR_ADDRESS_IN_USE when a socket of ours already has this pair of addresses
 *   (law 3)
 */
GError *
kh_connect_error (int code, const char *what)
{
  GIOErrorEnum kind =
      code == EADDRNOTAVAIL || code == EADDRINUSE ? G_IO_ERROR_ADDRESS_IN_USE : g_io_error_from_errno (code);

  return g_error_new (G_IO_ERROR, kind, "%s: %s", what, g_strerror (code));
}

/**
 * kh_connect_open:
 * @remote: who is to be dialled
 * @error: return location
 *
 * Returns: a descriptor whose local port the system will choose, or -1 with a %G_IO_ERROR
 */
int
kh_connect_open (GInetSocketAddress *remote, GError **error)
{
  int fd = socket (g_socket_address_get_family (G_SOCKET_ADDRESS (remote)) == G_SOCKET_FAMILY_IPV6 ? AF_INET6 : AF_INET,
                   SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    g_propagate_error (error, kh_connect_error (errno, "socket"));
  return fd;
}

static void
set_options (int fd, GSocketFamily family, KhConnectFlags flags)
{
  int on = 1;
  int segment = INTERNET_SEGMENT;

  /* Before connect(): Nagle would hold back the second small message for a round trip (law 9). */
  setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (flags & KH_CONNECT_INTERNET)
    setsockopt (fd, IPPROTO_TCP, TCP_MAXSEG, &segment, sizeof segment);

  /* The error queue tells an RST from an ICMP, and who sent it (law 13). */
  if (family == G_SOCKET_FAMILY_IPV6)
    setsockopt (fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
  else
    setsockopt (fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
}

static void
connect_return_error (GTask *task, int code)
{
  Connect *state = g_task_get_task_data (task);
  g_autofree char *icmp = kh_icmp_describe (state->fd);
  GError *error = kh_connect_error (code, "connect");

  if (icmp != NULL)
    g_prefix_error (&error, "%s: ", icmp);
  g_task_return_error (task, error);
}

static void
connect_return_success (GTask *task)
{
  Connect *state = g_task_get_task_data (task);
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocket) socket = g_socket_new_from_fd (state->fd, &error);

  if (socket == NULL)
    {
      g_task_return_error (task, g_steal_pointer (&error));
      return;
    }

  g_clear_pointer (&state->primer, kh_primer_free);
  state->fd = -1;
  g_socket_set_blocking (socket, FALSE);
  g_task_return_pointer (task, g_socket_connection_factory_create_connection (socket), g_object_unref);
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  GTask *task = user_data;
  int code = 0;
  socklen_t size = sizeof code;

  if (g_task_return_error_if_cancelled (task))
    return G_SOURCE_REMOVE;

  if (getsockopt (fd, SOL_SOCKET, SO_ERROR, &code, &size) != 0)
    code = errno;
  if (code != 0)
    connect_return_error (task, code);
  else
    connect_return_success (task);

  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  /* The child source has made the parent ready; its callback runs next and sees the cancellation. */
  return G_SOURCE_CONTINUE;
}

static void
watch (GTask *task)
{
  Connect *state = g_task_get_task_data (task);
  GCancellable *cancellable = g_task_get_cancellable (task);

  state->source = g_unix_fd_source_new (state->fd, G_IO_OUT);
  g_source_set_callback (state->source, G_SOURCE_FUNC (on_writable), g_object_ref (task), g_object_unref);
  g_source_set_static_name (state->source, "kh-connect");
  if (cancellable != NULL)
    {
      g_autoptr (GSource) child = g_cancellable_source_new (cancellable);

      g_source_set_callback (child, G_SOURCE_FUNC (on_cancelled), NULL, NULL);
      g_source_add_child_source (state->source, child);
    }
  g_source_attach (state->source, g_task_get_context (task));
}

/**
 * kh_connect_async:
 * @source: (type GObject.Object) (nullable): whose call this is
 * @fd: (transfer full): a non-blocking descriptor, bound or not
 * @remote: whom to dial
 * @flags: what kind of way it is
 * @hops: 0, or after how many hops the SYN is to die: then it is a primer, which only opens the holes of our own routers
 * @cancellable: (nullable): ends the attempt; a SYN that is out is simply not repeated, nothing is sent (law 7)
 * @callback: called once
 * @user_data: for @callback
 *
 * Dials @remote and holds: the kernel repeats the SYN by itself, with the same sequence number, which is what routers expect
 * (law 5). The first SYN has left when this call returns.
 */
void
kh_connect_async (gpointer source, int fd, GInetSocketAddress *remote, KhConnectFlags flags, guint hops,
                  GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (source, cancellable, callback, user_data);
  GSocketFamily family = g_socket_address_get_family (G_SOCKET_ADDRESS (remote));
  struct sockaddr_storage native;
  Connect *state = g_new0 (Connect, 1);
  GError *error = NULL;
  int code;

  g_task_set_source_tag (task, kh_connect_async);
  state->fd = fd;
  g_task_set_task_data (task, state, (GDestroyNotify) connect_free);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (!g_socket_address_to_native (G_SOCKET_ADDRESS (remote), &native, sizeof native, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  set_options (fd, family, flags);
  if (hops > 0)
    state->primer = kh_primer_new (fd, family, hops, flags & KH_CONNECT_LASTING);
  code = connect (fd, (struct sockaddr *) &native, g_socket_address_get_native_size (G_SOCKET_ADDRESS (remote))) == 0
             ? 0
             : errno;
  if (state->primer != NULL)
    kh_primer_sent (state->primer);
  if (code != 0 && code != EINPROGRESS)
    connect_return_error (task, code);
  else
    watch (task);
}

/**
 * kh_connect_finish:
 *
 * Returns: (transfer full): the connection, non-blocking, or %NULL with an error
 */
GSocketConnection *
kh_connect_finish (GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}
