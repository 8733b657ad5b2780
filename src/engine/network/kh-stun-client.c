/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-stun-client.h"

#include "kh-address.h"
#include "kh-error.h"

#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

/* From the first SYN to the answer. A server that is further away than this is of no use to two people. */
#define ANSWER_SECONDS 5

/**
 * KhStunClient:
 *
 * One STUN connection over TCP from the shared port (RFC 8489, section 6.2.2). It asks the server how it sees us and
 * then stays open, because closing it can close the mapping in our router (law 4). While idle it watches for the
 * server's end and emits #KhStunClient::closed.
 */
struct _KhStunClient
{
  GObject parent_instance;

  KhPort *port;
  GInetSocketAddress *server;
  GInetSocketAddress *local;
  GInetSocketAddress *outside;
  GInetSocketAddress *other;
  gboolean has_cookie;
  guint8 cookie[KH_STUN_COOKIE_BYTES];
  GSocketConnection *connection;
  GCancellable *cancellable; /* everything that is under way on the connection */
  GTask *asking;
  guint deadline_id;
  gint64 sent_at;
  gint64 rtt;
  guint8 id[KH_STUN_ID_BYTES];
  guint8 buffer[KH_STUN_MAX_BYTES];
  gsize filled;
};

G_DEFINE_FINAL_TYPE (KhStunClient, kh_stun_client, G_TYPE_OBJECT)

enum
{
  SIGNAL_CONNECTED,
  SIGNAL_CLOSED,
  SIGNAL_MESSAGE,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
kh_stun_client_dispose (GObject *object)
{
  KhStunClient *self = KH_STUN_CLIENT (object);

  kh_stun_client_close (self);
  g_clear_object (&self->port);

  G_OBJECT_CLASS (kh_stun_client_parent_class)->dispose (object);
}

static void
kh_stun_client_finalize (GObject *object)
{
  KhStunClient *self = KH_STUN_CLIENT (object);

  g_clear_object (&self->server);
  g_clear_object (&self->local);
  g_clear_object (&self->outside);
  g_clear_object (&self->other);

  G_OBJECT_CLASS (kh_stun_client_parent_class)->finalize (object);
}

static void
kh_stun_client_class_init (KhStunClientClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_stun_client_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_stun_client_finalize;

  /**
   * KhStunClient::connected:
   *
   * The first question has left; others may follow it without waiting for the answer.
   */
  signals[SIGNAL_CONNECTED] =
      g_signal_new ("connected", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * KhStunClient::closed:
   *
   * The server ended a connection on which it had answered.
   */
  signals[SIGNAL_CLOSED] =
      g_signal_new ("closed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * KhStunClient::message:
   * @message: (type gpointer): a #KhStunMessage of the dial-back extension
   *
   * The server answered a message of kh_stun_client_send(), or tells something by itself. Whoever listens looks for the
   * transaction id that it knows.
   */
  signals[SIGNAL_MESSAGE] = g_signal_new ("message", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                          G_TYPE_NONE, 1, G_TYPE_POINTER);
}

static void
kh_stun_client_init (KhStunClient *self)
{
  self->rtt = -1;
}

/**
 * kh_stun_client_new:
 * @port: the port whose mapping is asked for
 * @server: a STUN server over TCP
 *
 * Returns: (transfer full): a client that has not connected yet
 */
KhStunClient *
kh_stun_client_new (KhPort *port, GInetSocketAddress *server)
{
  KhStunClient *self = g_object_new (KH_TYPE_STUN_CLIENT, NULL);

  self->port = g_object_ref (port);
  self->server = g_object_ref (server);

  return self;
}

static void
drop_connection (KhStunClient *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->cancellable);
  if (self->connection != NULL)
    g_io_stream_close (G_IO_STREAM (self->connection), NULL, NULL);
  g_clear_object (&self->connection);
  self->filled = 0;
}

/* The one way an ask ends. */
static GTask *
take_asking (KhStunClient *self)
{
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  return g_steal_pointer (&self->asking);
}

static void
fail (KhStunClient *self, GError *error)
{
  g_autoptr (GTask) task = take_asking (self);
  g_autoptr (GError) owned = error;
  gboolean was_open = self->connection != NULL && task == NULL;

  drop_connection (self);
  if (task != NULL)
    g_task_return_error (task, g_steal_pointer (&owned));
  else if (was_open)
    g_signal_emit (self, signals[SIGNAL_CLOSED], 0);
}

/* A server that sees us at an address where nobody can be seen lies, or does not know better: it would have us open this
 * computer's own programs to others. */
static gboolean
is_believable (KhStunClient *self, GInetSocketAddress *outside)
{
  GInetAddress *address = g_inet_socket_address_get_address (outside);

  return kh_address_is_host (address) &&
         (!g_inet_address_get_is_loopback (address) ||
          g_inet_address_get_is_loopback (g_inet_socket_address_get_address (self->local)));
}

static void
answer (KhStunClient *self, KhStunMessage *message)
{
  g_autoptr (GTask) task = take_asking (self);

  self->rtt = (g_get_monotonic_time () - self->sent_at) / 1000;
  g_set_object (&self->other, message->other_address);
  g_set_object (&self->outside, message->mapped);
  self->has_cookie = message->has_cookie;
  memcpy (self->cookie, message->cookie, sizeof self->cookie);
  g_task_return_pointer (task, g_steal_pointer (&message->mapped), g_object_unref);
}

/* Returns an error when the connection is of no more use. */
static GError *
handle_message (KhStunClient *self, const guint8 *bytes, gsize length)
{
  GError *error = NULL;
  g_autoptr (KhStunMessage) message = kh_stun_message_from_bytes (bytes, length, &error);

  if (message == NULL)
    return error;

  if (message->method == KH_STUN_METHOD_DIAL_BACK && message->klass != KH_STUN_REQUEST)
    {
      g_signal_emit (self, signals[SIGNAL_MESSAGE], 0, message);
      return NULL;
    }

  /* An answer to another request, an old one perhaps, or from a server that guesses. */
  if (self->asking == NULL || memcmp (message->id, self->id, sizeof self->id) != 0 ||
      message->klass == KH_STUN_REQUEST || message->klass == KH_STUN_INDICATION)
    return NULL;

  if (message->klass == KH_STUN_ERROR)
    return g_error_new (KH_ERROR, KH_ERROR_PROTOCOL, "the STUN server refused: %d %s", message->error_code,
                        message->error_reason != NULL ? message->error_reason : "");
  if (message->method != KH_STUN_METHOD_BINDING || message->unknown_required != 0 || message->mapped == NULL ||
      g_inet_socket_address_get_port (message->mapped) == 0)
    return g_error_new_literal (KH_ERROR, KH_ERROR_PROTOCOL, "the STUN server's answer holds no address");
  if (!is_believable (self, message->mapped))
    return g_error_new_literal (KH_ERROR, KH_ERROR_PROTOCOL, "it says that it sees us where nobody can be seen");

  answer (self, message);
  return NULL;
}

static void read_on (KhStunClient *self);

static GError *
handle_bytes (KhStunClient *self)
{
  for (;;)
    {
      gssize length = kh_stun_message_length (self->buffer, self->filled);
      GError *error;

      if (length < 0)
        return g_error_new_literal (KH_ERROR, KH_ERROR_PROTOCOL, "the server does not speak STUN");
      if (length == 0 || (gsize) length > self->filled)
        return NULL;

      error = handle_message (self, self->buffer, length);
      if (error != NULL)
        return error;
      if (self->connection == NULL) /* closed by whoever was told */
        return NULL;
      memmove (self->buffer, self->buffer + length, self->filled - length);
      self->filled -= length;
    }
}

static void
on_read (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhStunClient) self = user_data;
  GError *error = NULL;
  gssize got = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (error);
      return;
    }

  if (got == 0)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CONNECTION_CLOSED, "the server closed the connection");
  if (got > 0)
    {
      self->filled += got;
      error = handle_bytes (self);
    }

  if (error != NULL)
    fail (self, error);
  else if (self->connection != NULL)
    read_on (self);
}

static void
read_on (KhStunClient *self)
{
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (self->connection));

  /* There is always room: what would fill the buffer is longer than a message may be, and has been refused. */
  g_input_stream_read_async (input, self->buffer + self->filled, sizeof self->buffer - self->filled, G_PRIORITY_DEFAULT,
                             self->cancellable, on_read, g_object_ref (self));
}

/* Some fifty bytes on a connection where next to nothing is under way: they fit, or something is broken. */
static gboolean
write_message (KhStunClient *self, const KhStunMessage *message, GError **error)
{
  g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (message);
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (self->connection));

  return g_pollable_output_stream_write_nonblocking (G_POLLABLE_OUTPUT_STREAM (output), g_bytes_get_data (bytes, NULL),
                                                     g_bytes_get_size (bytes), NULL,
                                                     error) == (gssize) g_bytes_get_size (bytes);
}

static void
send_request (KhStunClient *self)
{
  g_autoptr (KhStunMessage) message = NULL;
  GError *error = NULL;

  randombytes_buf (self->id, sizeof self->id);
  message = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, self->id);
  self->sent_at = g_get_monotonic_time ();
  if (!write_message (self, message, &error))
    fail (self, error != NULL ? error : g_error_new_literal (G_IO_ERROR, G_IO_ERROR_FAILED, "the connection is full"));
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhStunClient) self = user_data;
  GError *error = NULL;
  g_autoptr (GSocketConnection) connection = kh_port_connect_finish (KH_PORT (source), result, &error);

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_error_free (error);
      return;
    }
  if (connection == NULL)
    {
      fail (self, error);
      return;
    }

  g_clear_object (&self->local);
  self->local = G_INET_SOCKET_ADDRESS (g_socket_connection_get_local_address (connection, NULL));
  self->connection = g_steal_pointer (&connection);
  read_on (self);
  send_request (self);
  if (self->connection != NULL)
    g_signal_emit (self, signals[SIGNAL_CONNECTED], 0);
}

/* Lets the connection end by an RST instead of a FIN. */
static void
end_at_once (KhStunClient *self)
{
  const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

  if (self->connection != NULL)
    setsockopt (g_socket_get_fd (g_socket_connection_get_socket (self->connection)), SOL_SOCKET, SO_LINGER, &at_once,
                sizeof at_once);
}

/* A connection without an end would wait for somebody to answer its FIN, and hold its pair of addresses meanwhile: nobody could
 * ask this server from this port (law 14). */
static gboolean
on_deadline (gpointer user_data)
{
  KhStunClient *self = user_data;

  self->deadline_id = 0;
  end_at_once (self);
  fail (self, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_TIMED_OUT, "the server did not answer"));
  return G_SOURCE_REMOVE;
}

/**
 * kh_stun_client_ask_async:
 * @callback: called once, within five seconds; at once, as cancelled, after kh_stun_client_close()
 * @user_data: for @callback
 *
 * Asks how the server sees us, on the open connection if there is one, else on a new one from the shared port. One
 * ask at a time.
 */
void
kh_stun_client_ask_async (KhStunClient *self, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (KH_IS_STUN_CLIENT (self));
  g_return_if_fail (self->asking == NULL);

  self->asking = g_task_new (self, NULL, callback, user_data);
  g_task_set_source_tag (self->asking, kh_stun_client_ask_async);
  self->deadline_id = g_timeout_add_seconds (ANSWER_SECONDS, on_deadline, self);
  g_source_set_name_by_id (self->deadline_id, "kh-stun-client deadline");

  if (self->connection != NULL)
    {
      send_request (self);
      return;
    }

  self->cancellable = g_cancellable_new ();
  kh_port_connect_async (self->port, self->server, KH_CONNECT_INTERNET, 0, self->cancellable, on_connected,
                         g_object_ref (self));
}

/**
 * kh_stun_client_ask_finish:
 *
 * Returns: (transfer full): our outside address as this server sees it, or %NULL with %KH_ERROR_PROTOCOL or a
 *   %G_IO_ERROR
 */
GInetSocketAddress *
kh_stun_client_ask_finish (KhStunClient *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}

/**
 * kh_stun_client_send:
 * @message: a request or an indication of the dial-back extension
 *
 * Returns: whether it has left; #KhStunClient::message tells the answer
 */
gboolean
kh_stun_client_send (KhStunClient *self, const KhStunMessage *message)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), FALSE);

  return self->connection != NULL && write_message (self, message, NULL);
}

/**
 * kh_stun_client_get_server:
 *
 * Returns: (transfer none): whom it asks
 */
GInetSocketAddress *
kh_stun_client_get_server (KhStunClient *self)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), NULL);

  return self->server;
}

/**
 * kh_stun_client_get_outside:
 *
 * Returns: (nullable) (transfer none): the last answer
 */
GInetSocketAddress *
kh_stun_client_get_outside (KhStunClient *self)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), NULL);

  return self->outside;
}

/**
 * kh_stun_client_get_cookie:
 *
 * Returns: (nullable) (transfer none) (array fixed-size=16): the server's name for our mapping, if it dials back
 */
const guint8 *
kh_stun_client_get_cookie (KhStunClient *self)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), NULL);

  return self->has_cookie ? self->cookie : NULL;
}

/**
 * kh_stun_client_get_local:
 *
 * Returns: (nullable) (transfer none): our own end of the connection, once there was one
 */
GInetSocketAddress *
kh_stun_client_get_local (KhStunClient *self)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), NULL);

  return self->local;
}

/**
 * kh_stun_client_get_other:
 *
 * Returns: (nullable) (transfer none): the server's other address and port (OTHER-ADDRESS, RFC 5780)
 */
GInetSocketAddress *
kh_stun_client_get_other (KhStunClient *self)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), NULL);

  return self->other;
}

/**
 * kh_stun_client_get_rtt:
 *
 * Returns: milliseconds from the last request to its answer, -1 before one
 */
gint64
kh_stun_client_get_rtt (KhStunClient *self)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), -1);

  return self->rtt;
}

gboolean
kh_stun_client_is_open (KhStunClient *self)
{
  g_return_val_if_fail (KH_IS_STUN_CLIENT (self), FALSE);

  return self->connection != NULL;
}

/**
 * kh_stun_client_shut_down:
 *
 * Sends a FIN. #KhStunClient::closed tells when the server has sent its own.
 */
void
kh_stun_client_shut_down (KhStunClient *self)
{
  g_return_if_fail (KH_IS_STUN_CLIENT (self));

  if (self->connection != NULL)
    g_socket_shutdown (g_socket_connection_get_socket (self->connection), FALSE, TRUE, NULL);
}

/**
 * kh_stun_client_reset:
 *
 * Like kh_stun_client_close(), but with an RST instead of a FIN.
 */
void
kh_stun_client_reset (KhStunClient *self)
{
  g_return_if_fail (KH_IS_STUN_CLIENT (self));

  end_at_once (self);
  kh_stun_client_close (self);
}

/**
 * kh_stun_client_close:
 *
 * Closes the connection; an ask under way ends as cancelled. Harmless when done twice. No signal follows.
 */
void
kh_stun_client_close (KhStunClient *self)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (KH_IS_STUN_CLIENT (self));

  task = take_asking (self);
  drop_connection (self);
  if (task != NULL)
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CANCELLED, "closed");
}
