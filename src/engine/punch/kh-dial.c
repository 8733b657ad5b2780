/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-dial.h"

#include <gio/gnetworking.h>

#define ACCEPTS_PER_TURN 16

G_DEFINE_INTERFACE (KhDialer, kh_dialer, G_TYPE_OBJECT)

static void
kh_dialer_default_init (KhDialerInterface *iface)
{
}

/**
 * kh_dialer_local_for:
 *
 * Returns: (transfer full): the address from which a dial to @remote leaves, or %NULL with a %G_IO_ERROR
 */
GInetSocketAddress *
kh_dialer_local_for (KhDialer *self, GInetSocketAddress *remote, GError **error)
{
  return KH_DIALER_GET_IFACE (self)->local_for (self, remote, error);
}

/**
 * kh_dialer_dial_async:
 * @remote: whom to dial
 * @flags: how
 * @cancellable: ends the attempt
 *
 * One socket, one try, held until it is answered or cancelled. The SYN is out when this returns.
 */
void
kh_dialer_dial_async (KhDialer *self, GInetSocketAddress *remote, KhDialFlags flags, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  KH_DIALER_GET_IFACE (self)->dial_async (self, remote, flags, cancellable, callback, user_data);
}

/**
 * kh_dialer_dial_finish:
 *
 * Returns: (transfer full): the connection, or %NULL with a %G_IO_ERROR, see kh_dial_outcome()
 */
GIOStream *
kh_dialer_dial_finish (KhDialer *self, GAsyncResult *result, GError **error)
{
  return KH_DIALER_GET_IFACE (self)->dial_finish (self, result, error);
}

/**
 * kh_dialer_listen:
 * @func: called for each connection, until kh_dialer_unlisten()
 *
 * Returns: whether it listens for at least one family
 */
gboolean
kh_dialer_listen (KhDialer *self, KhDialerAcceptFunc func, gpointer user_data, GError **error)
{
  return KH_DIALER_GET_IFACE (self)->listen (self, func, user_data, error);
}

void
kh_dialer_unlisten (KhDialer *self)
{
  KH_DIALER_GET_IFACE (self)->unlisten (self);
}

/**
 * kh_dialer_get_primer_hops:
 *
 * Returns: after how many hops a primer's SYN dies
 */
guint
kh_dialer_get_primer_hops (KhDialer *self)
{
  return KH_DIALER_GET_IFACE (self)->get_primer_hops (self);
}

/**
 * kh_dial_outcome:
 * @error: of a dial
 *
 * Returns: (transfer none): the outcome's name in `attempt.end`
 */
const char *
kh_dial_outcome (const GError *error)
{
  static const struct
  {
    GIOErrorEnum code;
    const char *outcome;
  } outcomes[] = {
    { G_IO_ERROR_CONNECTION_REFUSED, "refused" },
    { G_IO_ERROR_TIMED_OUT, "silent" },
    { G_IO_ERROR_ADDRESS_IN_USE, "busy" },
    { G_IO_ERROR_CANCELLED, "cancelled" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (outcomes); i++)
    if (g_error_matches (error, G_IO_ERROR, outcomes[i].code))
      return outcomes[i].outcome;
  return "unreachable";
}

/**
 * kh_dial_rtt:
 * @stream: a connection
 *
 * Returns: the kernel's estimate of its round trip time in microseconds, 0 if it has none
 */
gint64
kh_dial_rtt (GIOStream *stream)
{
  struct tcp_info info = { 0 };
  socklen_t size = sizeof info;

  if (!G_IS_SOCKET_CONNECTION (stream) ||
      getsockopt (g_socket_get_fd (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream))), IPPROTO_TCP,
                  TCP_INFO, &info, &size) != 0)
    return 0;
  return info.tcpi_rtt;
}

/* --- the real one ------------------------------------------------------------------------------------------- */

/**
 * KhPortDialer:
 *
 * Dials from, and listens on, the shared port.
 */
struct _KhPortDialer
{
  GObject parent_instance;

  KhPort *port;
  guint primer_hops;
  GSource *sources[2]; /* the listeners: IPv4, IPv6 */
  KhDialerAcceptFunc accept_func;
  gpointer accept_data;
  guint rest_id;
};

static gboolean port_listen (KhDialer *dialer, KhDialerAcceptFunc func, gpointer user_data, GError **error);

static void dialer_init (KhDialerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (KhPortDialer, kh_port_dialer, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (KH_TYPE_DIALER, dialer_init))

static void
stop_listening (KhDialer *dialer)
{
  KhPortDialer *self = KH_PORT_DIALER (dialer);

  g_clear_handle_id (&self->rest_id, g_source_remove);
  for (gsize i = 0; i < G_N_ELEMENTS (self->sources); i++)
    if (self->sources[i] != NULL)
      {
        g_source_destroy (self->sources[i]);
        g_clear_pointer (&self->sources[i], g_source_unref);
      }
}

static void
kh_port_dialer_dispose (GObject *object)
{
  KhPortDialer *self = KH_PORT_DIALER (object);

  stop_listening (KH_DIALER (self));
  g_clear_object (&self->port);

  G_OBJECT_CLASS (kh_port_dialer_parent_class)->dispose (object);
}

static void
kh_port_dialer_class_init (KhPortDialerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_port_dialer_dispose;
}

static void
kh_port_dialer_init (KhPortDialer *self)
{
}

/**
 * kh_port_dialer_new:
 * @port: the shared port
 * @primer_hops: after how many hops the SYN of a primer dies
 *
 * Returns: (transfer full): a dialer
 */
KhPortDialer *
kh_port_dialer_new (KhPort *port, guint primer_hops)
{
  KhPortDialer *self = g_object_new (KH_TYPE_PORT_DIALER, NULL);

  self->port = g_object_ref (port);
  self->primer_hops = primer_hops;
  return self;
}

static GInetSocketAddress *
port_local_for (KhDialer *dialer, GInetSocketAddress *remote, GError **error)
{
  return kh_port_local_for (KH_PORT_DIALER (dialer)->port, remote, error);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  GSocketConnection *connection = kh_connect_finish (result, &error);

  if (connection != NULL)
    g_task_return_pointer (task, connection, g_object_unref);
  else
    g_task_return_error (task, error);
}

static void
dial_fresh (KhPortDialer *self, GInetSocketAddress *remote, KhConnectFlags flags, guint hops, GCancellable *cancellable,
            GTask *task)
{
  GError *error = NULL;
  int fd = kh_connect_open (remote, &error);

  if (fd < 0)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }
  kh_connect_async (self, fd, remote, flags, hops, cancellable, on_connected, task);
}

static void
port_dial_async (KhDialer *dialer, GInetSocketAddress *remote, KhDialFlags flags, GCancellable *cancellable,
                 GAsyncReadyCallback callback, gpointer user_data)
{
  KhPortDialer *self = KH_PORT_DIALER (dialer);
  GTask *task = g_task_new (self, cancellable, callback, user_data);
  KhConnectFlags kind = (flags & KH_DIAL_NEAR ? KH_CONNECT_NONE : KH_CONNECT_INTERNET) |
                        (flags & KH_DIAL_LASTING ? KH_CONNECT_LASTING : KH_CONNECT_NONE);
  guint hops = flags & KH_DIAL_AS_PRIMER ? self->primer_hops : 0;

  g_task_set_source_tag (task, port_dial_async);
  if (flags & KH_DIAL_FROM_FRESH)
    dial_fresh (self, remote, kind, hops, cancellable, task);
  else
    kh_port_connect_async (self->port, remote, kind, hops, cancellable, on_connected, task);
}

static GIOStream *
port_dial_finish (KhDialer *dialer, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
accept_one (KhPortDialer *self, GSocket *accepted)
{
  g_autoptr (GSocketConnection) connection = NULL;
  g_autoptr (GSocketAddress) local = NULL;
  g_autoptr (GSocketAddress) remote = NULL;

  g_socket_set_blocking (accepted, FALSE);
  g_socket_set_option (accepted, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
  connection = g_socket_connection_factory_create_connection (accepted);
  local = g_socket_connection_get_local_address (connection, NULL);
  remote = g_socket_connection_get_remote_address (connection, NULL);

  if (local != NULL && remote != NULL) /* else it is gone again */
    self->accept_func (KH_DIALER (self), G_IO_STREAM (connection), G_INET_SOCKET_ADDRESS (local),
                       G_INET_SOCKET_ADDRESS (remote), self->accept_data);
}

static gboolean
on_rested (gpointer user_data)
{
  KhPortDialer *self = user_data;

  self->rest_id = 0;
  port_listen (KH_DIALER (self), self->accept_func, self->accept_data, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
rest (KhPortDialer *self)
{
  stop_listening (KH_DIALER (self));
  self->rest_id = g_timeout_add_seconds (1, on_rested, self);
  g_source_set_name_by_id (self->rest_id, "kh-port-dialer rest");
  return G_SOURCE_REMOVE;
}

static gboolean
on_acceptable (GSocket *listener, GIOCondition condition, gpointer user_data)
{
  g_autoptr (KhPortDialer) self = g_object_ref (user_data);

  /* A few at a time: whoever connects as fast as we accept must not hold up the race. */
  for (int i = 0; i < ACCEPTS_PER_TURN && self->sources[0] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GSocket) accepted = g_socket_accept (listener, NULL, &error);

      if (accepted != NULL)
        accept_one (self, accepted);
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        break;
      else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED))
        return rest (self); /* no descriptors left: the listener stays ready, and would spin */
    }

  return self->sources[0] != NULL ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

static GSource *
listen_on (KhPortDialer *self, GSocketFamily family, GError **error)
{
  g_autoptr (GSocket) listener = kh_port_listen (self->port, family, error);
  GSource *source;

  if (listener == NULL)
    return NULL;

  source = g_socket_create_source (listener, G_IO_IN, NULL);
  g_source_set_callback (source, G_SOURCE_FUNC (on_acceptable), self, NULL);
  g_source_set_static_name (source, "kh-port-dialer listener");
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

static gboolean
port_listen (KhDialer *dialer, KhDialerAcceptFunc func, gpointer user_data, GError **error)
{
  KhPortDialer *self = KH_PORT_DIALER (dialer);

  g_return_val_if_fail (self->sources[0] == NULL, FALSE);

  self->accept_func = func;
  self->accept_data = user_data;
  self->sources[0] = listen_on (self, G_SOCKET_FAMILY_IPV4, error);
  if (self->sources[0] == NULL)
    return FALSE;

  self->sources[1] = listen_on (self, G_SOCKET_FAMILY_IPV6, NULL);
  return TRUE;
}

static guint
port_get_primer_hops (KhDialer *dialer)
{
  return KH_PORT_DIALER (dialer)->primer_hops;
}

static void
dialer_init (KhDialerInterface *iface)
{
  iface->local_for = port_local_for;
  iface->dial_async = port_dial_async;
  iface->dial_finish = port_dial_finish;
  iface->listen = port_listen;
  iface->unlisten = stop_listening;
  iface->get_primer_hops = port_get_primer_hops;
}
