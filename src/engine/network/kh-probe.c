/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-probe.h"

/* Whoever knocks while we listen; the others are turned away. */
#define MAX_GUESTS 16

/**
 * KhProbe:
 *
 * A fresh local port with a mapping of its own, on which one test is made: what it does to the router's state touches no
 * other test. One STUN connection makes the mapping known; a listener takes in whoever comes through it, and reads the
 * token by which a server that dials back proves who it is.
 */
struct _KhProbe
{
  GObject parent_instance;

  KhPort *port;
  KhStunClient *client;
  GSource *listener;
  GCancellable *cancellable;
  guint guests;
};

G_DEFINE_FINAL_TYPE (KhProbe, kh_probe, G_TYPE_OBJECT)

enum
{
  SIGNAL_WITNESSED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
kh_probe_dispose (GObject *object)
{
  KhProbe *self = KH_PROBE (object);

  kh_probe_close (self);
  g_clear_object (&self->client);
  g_clear_object (&self->port);

  G_OBJECT_CLASS (kh_probe_parent_class)->dispose (object);
}

static void
kh_probe_finalize (GObject *object)
{
  g_object_unref (KH_PROBE (object)->cancellable);

  G_OBJECT_CLASS (kh_probe_parent_class)->finalize (object);
}

static void
kh_probe_class_init (KhProbeClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_probe_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_probe_finalize;

  /**
   * KhProbe::witnessed:
   * @token: (type gpointer): %KH_STUN_ID_BYTES bytes that somebody sent first on a connection to this port
   * @remote: who
   */
  signals[SIGNAL_WITNESSED] = g_signal_new ("witnessed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                            NULL, G_TYPE_NONE, 2, G_TYPE_POINTER, G_TYPE_INET_SOCKET_ADDRESS);
}

static void
kh_probe_init (KhProbe *self)
{
  self->cancellable = g_cancellable_new ();
}

/**
 * kh_probe_new:
 * @server: whom to ask for the mapping
 * @error: return location
 *
 * Returns: (transfer full): a probe on a port that nobody has used, or %NULL with %KH_ERROR_PORT
 */
KhProbe *
kh_probe_new (GInetSocketAddress *server, GError **error)
{
  g_autoptr (KhPort) port = kh_port_new (0, error);
  KhProbe *self;

  if (port == NULL)
    return NULL;

  self = g_object_new (KH_TYPE_PROBE, NULL);
  self->client = kh_stun_client_new (port, server);
  self->port = g_steal_pointer (&port);
  return self;
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  GError *error = NULL;
  g_autoptr (GInetSocketAddress) outside = kh_stun_client_ask_finish (KH_STUN_CLIENT (source), result, &error);

  if (outside != NULL)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, error);
}

/**
 * kh_probe_ask_async:
 * @callback: called once, within five seconds
 * @user_data: for @callback
 *
 * Connects to the server and asks how it sees this port. The SYN has left when this returns.
 */
void
kh_probe_ask_async (KhProbe *self, GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (self, NULL, callback, user_data);

  g_task_set_source_tag (task, kh_probe_ask_async);
  kh_stun_client_ask_async (self->client, on_asked, task);
}

gboolean
kh_probe_ask_finish (KhProbe *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/* --- guests ------------------------------------------------------------------------------------------------- */

typedef struct
{
  KhProbe *probe;
  GSocketConnection *connection;
  guint8 token[KH_STUN_ID_BYTES];
} Guest;

static void
guest_free (Guest *guest)
{
  guest->probe->guests--;
  g_io_stream_close (G_IO_STREAM (guest->connection), NULL, NULL);
  g_object_unref (guest->connection);
  g_object_unref (guest->probe);
  g_free (guest);
}

static void
on_token (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Guest *guest = user_data;
  g_autoptr (GSocketAddress) remote = g_socket_connection_get_remote_address (guest->connection, NULL);
  gsize length = 0;

  if (g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length, NULL) &&
      length == sizeof guest->token && G_IS_INET_SOCKET_ADDRESS (remote) &&
      !g_cancellable_is_cancelled (guest->probe->cancellable))
    g_signal_emit (guest->probe, signals[SIGNAL_WITNESSED], 0, guest->token, remote);
  guest_free (guest);
}

/**
 * kh_probe_read_token:
 * @connection: a connection of this port
 *
 * Reads what the other side says first. #KhProbe::witnessed tells it, unless the probe closes before.
 */
void
kh_probe_read_token (KhProbe *self, GSocketConnection *connection)
{
  Guest *guest;

  g_return_if_fail (KH_IS_PROBE (self));

  if (self->guests >= MAX_GUESTS || g_cancellable_is_cancelled (self->cancellable))
    return;

  guest = g_new0 (Guest, 1);
  guest->probe = g_object_ref (self);
  guest->connection = g_object_ref (connection);
  self->guests++;
  g_input_stream_read_all_async (g_io_stream_get_input_stream (G_IO_STREAM (connection)), guest->token,
                                 sizeof guest->token, G_PRIORITY_DEFAULT, self->cancellable, on_token, guest);
}

static gboolean
on_guest (GSocket *listener, GIOCondition condition, gpointer user_data)
{
  g_autoptr (KhProbe) self = g_object_ref (KH_PROBE (user_data));
  g_autoptr (GSocket) socket = g_socket_accept (listener, NULL, NULL);
  g_autoptr (GSocketConnection) connection = NULL;

  if (socket == NULL)
    return G_SOURCE_CONTINUE;

  connection = g_socket_connection_factory_create_connection (socket);
  kh_probe_read_token (self, connection);
  return G_SOURCE_CONTINUE;
}

/**
 * kh_probe_listen:
 * @error: return location
 *
 * Lets others in, once; listening already is no error.
 */
gboolean
kh_probe_listen (KhProbe *self, GError **error)
{
  GSocketFamily family;
  g_autoptr (GSocket) socket = NULL;

  g_return_val_if_fail (KH_IS_PROBE (self), FALSE);

  if (self->listener != NULL)
    return TRUE;
  family = g_socket_address_get_family (G_SOCKET_ADDRESS (kh_stun_client_get_server (self->client)));
  socket = kh_port_listen (self->port, family, error);
  if (socket == NULL)
    return FALSE;

  self->listener = g_socket_create_source (socket, G_IO_IN, NULL);
  g_source_set_callback (self->listener, G_SOURCE_FUNC (on_guest), self, NULL);
  g_source_set_static_name (self->listener, "kh-probe listener");
  g_source_attach (self->listener, g_main_context_get_thread_default ());
  return TRUE;
}

/**
 * kh_probe_get_port:
 *
 * Returns: (transfer none): its port
 */
KhPort *
kh_probe_get_port (KhProbe *self)
{
  g_return_val_if_fail (KH_IS_PROBE (self), NULL);

  return self->port;
}

/**
 * kh_probe_get_client:
 *
 * Returns: (transfer none): its STUN connection
 */
KhStunClient *
kh_probe_get_client (KhProbe *self)
{
  g_return_val_if_fail (KH_IS_PROBE (self), NULL);

  return self->client;
}

/**
 * kh_probe_get_outside:
 *
 * Returns: (transfer none) (nullable): its mapping as the server saw it
 */
GInetSocketAddress *
kh_probe_get_outside (KhProbe *self)
{
  g_return_val_if_fail (KH_IS_PROBE (self), NULL);

  return kh_stun_client_get_outside (self->client);
}

/**
 * kh_probe_close:
 *
 * Ends everything on this port, for good. Harmless when done twice.
 */
void
kh_probe_close (KhProbe *self)
{
  g_return_if_fail (KH_IS_PROBE (self));

  g_cancellable_cancel (self->cancellable);
  if (self->listener != NULL)
    {
      g_source_destroy (self->listener);
      g_clear_pointer (&self->listener, g_source_unref);
    }
  if (self->client != NULL)
    kh_stun_client_close (self->client);
}
