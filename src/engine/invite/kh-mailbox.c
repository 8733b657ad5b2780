/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-mailbox-private.h"

#include "kh-error.h"
#include "kh-json.h"

#include <libsoup/soup.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/ioctl.h>

#define CONNECT_MS (10 * 1000)
#define PING_SECONDS 30
#define SILENCE_MS (60 * 1000)

/* How often the silence is looked at, in parts of its limit. */
#define SILENCE_CHECKS 8

/* When the network has changed the connection may be dead, and nobody would say so. */
#define DOUBT_MS (5 * 1000)
#define DOUBT_PING_SECONDS 1

/* What may come between the ends of two messages: one of the longest, and the wrapping of frames and TLS. */
#define MAX_BETWEEN_MESSAGES (2 * KH_MAILBOX_MAX_MESSAGE)

/* The longest address of a server; a link may hold no more than 2000 bytes. */
#define MAX_URL 1000

/**
 * KhMailbox:
 *
 * One connection to a meeting server: JSON objects both ways over a WebSocket (PROTOCOL section 3). It lives once,
 * from new to opening, open and closed; for another try one makes another object. It never blocks, keeps the
 * connection alive with pings, and takes a server that says nothing for a minute for lost.
 */
typedef enum
{
  NEW,
  OPENING,
  OPEN,
  CLOSED,
} State;

struct _KhMailbox
{
  GObject parent_instance;

  char *url;
  guint connect_ms;
  guint silence_ms;
  guint ping_seconds;

  State state;
  SoupSession *session;
  SoupWebsocketConnection *connection;
  GSocket *socket;
  GCancellable *cancellable;
  guint deadline_id;
  GSource *flow;
  gint64 last_heard;
  gboolean doubting; /* since the network has changed */
  guint64 read_before;
};

enum
{
  OPENED,
  MESSAGE,
  CLOSED_SIGNAL,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (KhMailbox, kh_mailbox, G_TYPE_OBJECT)

/* Characters that could make one host look like another, or end a line, are no part of an address we take. */
static gboolean
is_plain (const char *url)
{
  for (; *url != '\0'; url++)
    if (!g_ascii_isgraph (*url))
      return FALSE;

  return TRUE;
}

/* GUri undoes percent-encoding in a host, and so could bring back what is_plain() keeps out. */
static gboolean
is_host (const char *host)
{
  if (host == NULL || *host == '\0')
    return FALSE;
  for (; *host != '\0'; host++)
    if (!g_ascii_isalnum (*host) && strchr (".-_:", *host) == NULL)
      return FALSE;

  return TRUE;
}

static GUri *
parse_url (const char *url)
{
  g_autoptr (GUri) uri = NULL;
  const char *scheme;

  if (strlen (url) > MAX_URL || !is_plain (url))
    return NULL;

  uri = g_uri_parse (url, SOUP_HTTP_URI_FLAGS, NULL);
  if (uri == NULL)
    return NULL;

  scheme = g_uri_get_scheme (uri);
  if ((strcmp (scheme, "ws") != 0 && strcmp (scheme, "wss") != 0) || !is_host (g_uri_get_host (uri)) ||
      g_uri_get_userinfo (uri) != NULL || g_uri_get_port (uri) == 0)
    return NULL;

  return g_steal_pointer (&uri);
}

/**
 * kh_mailbox_url_is_valid:
 * @url: (nullable): text from a person or a link
 *
 * Returns: whether @url names a meeting server: `ws` or `wss`, a host, no user name, plain ASCII
 */
gboolean
kh_mailbox_url_is_valid (const char *url)
{
  g_autoptr (GUri) uri = url != NULL ? parse_url (url) : NULL;

  return uri != NULL;
}

/**
 * kh_mailbox_url_get_host:
 * @url: a meeting server
 *
 * Returns: (transfer full) (nullable): its host, to show to people; %NULL when @url is not valid
 */
char *
kh_mailbox_url_get_host (const char *url)
{
  g_autoptr (GUri) uri = NULL;

  g_return_val_if_fail (url != NULL, NULL);

  uri = parse_url (url);
  return uri != NULL ? g_strdup (g_uri_get_host (uri)) : NULL;
}

/**
 * kh_mailbox_url_is_private:
 * @url: a meeting server
 *
 * Whether nobody on the way there can meddle (PROTOCOL: whoever controls a plain path can block, delay, relabel and guess):
 * `wss`, or a server on this computer. Another one is used only where the user has named it.
 *
 * Returns: %FALSE for `ws` across a network, and for what is not valid
 */
gboolean
kh_mailbox_url_is_private (const char *url)
{
  g_autoptr (GUri) uri = NULL;
  g_autoptr (GInetAddress) address = NULL;

  g_return_val_if_fail (url != NULL, FALSE);

  uri = parse_url (url);
  if (uri == NULL)
    return FALSE;
  if (strcmp (g_uri_get_scheme (uri), "wss") == 0 || g_ascii_strcasecmp (g_uri_get_host (uri), "localhost") == 0)
    return TRUE;

  address = g_inet_address_new_from_string (g_uri_get_host (uri));
  return address != NULL && g_inet_address_get_is_loopback (address);
}

static void
set_deadline (KhMailbox *self, guint milliseconds, GSourceFunc callback, const char *name)
{
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  self->deadline_id = g_timeout_add (milliseconds, callback, self);
  g_source_set_name_by_id (self->deadline_id, name);
}

/* Lets go of everything; nothing is heard of this connection any more. */
static void
drop (KhMailbox *self)
{
  self->state = CLOSED;
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  if (self->flow != NULL)
    g_source_destroy (self->flow);
  g_clear_pointer (&self->flow, g_source_unref);
  g_cancellable_cancel (self->cancellable);
  if (self->connection != NULL)
    g_signal_handlers_disconnect_by_data (self->connection, self);
  g_clear_object (&self->connection);
  g_clear_object (&self->socket);
  g_clear_object (&self->session);
}

/* The owner may let go of us now, so this is the last thing a caller does. */
static void
fail (KhMailbox *self, KhError code, const char *reason)
{
  g_autoptr (GError) error = NULL;

  if (self->state == CLOSED)
    return;

  error = g_error_new_literal (KH_ERROR, code, reason);
  drop (self);
  g_signal_emit (self, signals[CLOSED_SIGNAL], 0, error);
}

static gboolean
connect_timed_out (gpointer user_data)
{
  fail (user_data, KH_ERROR_SERVER_UNREACHABLE, "no answer in time");
  return G_SOURCE_REMOVE;
}

/* libsoup 3.2 sends pings but does not miss the pongs. */
static gboolean
check_silence (gpointer user_data)
{
  KhMailbox *self = user_data;

  if (g_get_monotonic_time () - self->last_heard < (gint64) self->silence_ms * 1000)
    return G_SOURCE_CONTINUE;

  fail (self, KH_ERROR_SERVER_UNREACHABLE, "nothing heard for too long");
  return G_SOURCE_REMOVE;
}

/* The bytes that were read from the socket since it was connected. */
static guint64
count_read (GSocket *socket)
{
  struct tcp_info info = { 0 };
  socklen_t size = sizeof info;
  int waiting = 0;

  if (getsockopt (g_socket_get_fd (socket), IPPROTO_TCP, TCP_INFO, &info, &size) != 0 ||
      ioctl (g_socket_get_fd (socket), FIONREAD, &waiting) != 0)
    return 0;

  /* What arrives between the two questions waits without having been counted. So this may be too little for a moment, never
   * too much. */
  return MAX ((gint64) info.tcpi_bytes_received - waiting, 0);
}

/* libsoup 3.2 bounds each frame, but keeps as many frames of one message as a server likes to send. So what is read
 * without a message coming to its end is counted. */
static gboolean
check_flow (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  KhMailbox *self = user_data;

  if (count_read (socket) <= self->read_before + MAX_BETWEEN_MESSAGES)
    return G_SOURCE_CONTINUE;

  fail (self, KH_ERROR_PROTOCOL, "the server sent a message that is too long");
  return G_SOURCE_REMOVE;
}

static void
watch_flow (KhMailbox *self)
{
  if (self->socket == NULL)
    return;

  self->read_before = count_read (self->socket);
  self->flow = g_socket_create_source (self->socket, G_IO_IN, NULL);
  g_source_set_static_name (self->flow, "[knothole] mailbox flow");
  g_source_set_callback (self->flow, G_SOURCE_FUNC (check_flow), self, NULL);
  g_source_attach (self->flow, g_main_context_get_thread_default ());
}

static void
trust (KhMailbox *self)
{
  soup_websocket_connection_set_keepalive_interval (self->connection, self->ping_seconds);
  self->last_heard = g_get_monotonic_time ();
  self->doubting = FALSE;
  set_deadline (self, MAX (self->silence_ms / SILENCE_CHECKS, 1), check_silence, "[knothole] mailbox silence");
}

static void
on_network_changed (GNetworkMonitor *monitor, gboolean available, KhMailbox *self)
{
  /* A network that changes all the time does not put off the answer. */
  if (self->state != OPEN || self->doubting || self->silence_ms <= DOUBT_MS)
    return;

  self->doubting = TRUE;
  soup_websocket_connection_set_keepalive_interval (self->connection, DOUBT_PING_SECONDS);
  self->last_heard = g_get_monotonic_time () - (gint64) (self->silence_ms - DOUBT_MS) * 1000;
  set_deadline (self, DOUBT_MS, check_silence, "[knothole] mailbox doubt");
}

static void
on_pong (SoupWebsocketConnection *connection, GBytes *payload, KhMailbox *self)
{
  trust (self);
}

static void
on_message (SoupWebsocketConnection *connection, SoupWebsocketDataType type, GBytes *bytes, KhMailbox *self)
{
  g_autoptr (JsonObject) message = NULL;

  self->last_heard = g_get_monotonic_time ();
  if (self->socket != NULL)
    self->read_before = count_read (self->socket);
  message = kh_json_parse_bytes (bytes, KH_MAILBOX_MAX_MESSAGE, NULL);
  if (message == NULL)
    fail (self, KH_ERROR_PROTOCOL, "the server sent something other than a JSON object");
  else
    g_signal_emit (self, signals[MESSAGE], 0, message);
}

/* What breaks the rules of WebSocket comes as an error; a connection that ends does not. */
static void
on_error (SoupWebsocketConnection *connection, GError *error, KhMailbox *self)
{
  if (error != NULL && error->domain == SOUP_WEBSOCKET_ERROR)
    fail (self, KH_ERROR_PROTOCOL, error->message);
  else
    fail (self, KH_ERROR_SERVER_UNREACHABLE, error != NULL ? error->message : "the connection broke");
}

static void
on_closed (SoupWebsocketConnection *connection, KhMailbox *self)
{
  fail (self, KH_ERROR_SERVER_UNREACHABLE, "the server ended the connection");
}

/* Newer releases of libsoup bound a message of many frames as well, by a property of its own. */
static void
bound_incoming (SoupWebsocketConnection *connection)
{
  soup_websocket_connection_set_max_incoming_payload_size (connection, KH_MAILBOX_MAX_MESSAGE);
  if (g_object_class_find_property (G_OBJECT_GET_CLASS (connection), "max-total-message-size") != NULL)
    g_object_set (connection, "max-total-message-size", (guint64) KH_MAILBOX_MAX_MESSAGE, NULL);
}

static void
watch_connection (KhMailbox *self)
{
  bound_incoming (self->connection);
  g_signal_connect (self->connection, "message", G_CALLBACK (on_message), self);
  g_signal_connect (self->connection, "pong", G_CALLBACK (on_pong), self);
  g_signal_connect (self->connection, "error", G_CALLBACK (on_error), self);
  g_signal_connect (self->connection, "closing", G_CALLBACK (on_closed), self);
  g_signal_connect (self->connection, "closed", G_CALLBACK (on_closed), self);

  g_signal_connect_object (g_network_monitor_get_default (), "network-changed", G_CALLBACK (on_network_changed), self,
                           0);
  watch_flow (self);
  trust (self);
}

static void
connected_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhMailbox) self = user_data;
  g_autoptr (SoupWebsocketConnection) connection = NULL;
  g_autoptr (GError) error = NULL;

  connection = soup_session_websocket_connect_finish (SOUP_SESSION (source), result, &error);
  if (self->state != OPENING)
    return;

  if (connection == NULL)
    {
      fail (self, KH_ERROR_SERVER_UNREACHABLE, error->message);
      return;
    }

  self->state = OPEN;
  self->connection = g_steal_pointer (&connection);
  watch_connection (self);
  g_signal_emit (self, signals[OPENED], 0);
}

/* Messages are small and answer one another: none may wait for the acknowledgement of the one before. */
static void
on_network_event (SoupMessage *message, GSocketClientEvent event, GIOStream *stream, KhMailbox *self)
{
  if (event != G_SOCKET_CLIENT_CONNECTED || !G_IS_SOCKET_CONNECTION (stream))
    return;

  g_set_object (&self->socket, g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)));
  g_socket_set_option (self->socket, IPPROTO_TCP, TCP_NODELAY, TRUE, NULL);
}

/* A session that sends nothing but what it must: no cookies, no passwords, no compression, no precise version. */
static SoupSession *
make_session (void)
{
  SoupSession *session = soup_session_new_with_options ("user-agent", "knothole", "timeout", 0, NULL);

  soup_session_remove_feature_by_type (session, SOUP_TYPE_WEBSOCKET_EXTENSION_MANAGER);
  soup_session_remove_feature_by_type (session, SOUP_TYPE_AUTH_MANAGER);

  return session;
}

static void
kh_mailbox_dispose (GObject *object)
{
  KhMailbox *self = KH_MAILBOX (object);

  drop (self);
  g_clear_object (&self->cancellable);

  G_OBJECT_CLASS (kh_mailbox_parent_class)->dispose (object);
}

static void
kh_mailbox_finalize (GObject *object)
{
  KhMailbox *self = KH_MAILBOX (object);

  g_free (self->url);

  G_OBJECT_CLASS (kh_mailbox_parent_class)->finalize (object);
}

static void
kh_mailbox_class_init (KhMailboxClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = kh_mailbox_dispose;
  object_class->finalize = kh_mailbox_finalize;

  /**
   * KhMailbox::opened:
   *
   * The connection stands; messages can be sent.
   */
  signals[OPENED] = g_signal_new ("opened", KH_TYPE_MAILBOX, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * KhMailbox::message:
   * @message: a JSON object from the server, its members unchecked
   *
   * The server sent a message.
   */
  signals[MESSAGE] = g_signal_new ("message", KH_TYPE_MAILBOX, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1,
                                   JSON_TYPE_OBJECT);

  /**
   * KhMailbox::closed:
   * @error: %KH_ERROR_SERVER_UNREACHABLE when the connection could not be made, broke, ended or fell silent;
   *   %KH_ERROR_PROTOCOL when the server sent what no meeting server sends. The message is a reason for the trace.
   *
   * Nothing comes any more. Emitted once, and not after kh_mailbox_close().
   */
  signals[CLOSED_SIGNAL] =
      g_signal_new ("closed", KH_TYPE_MAILBOX, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_ERROR);
}

static void
kh_mailbox_init (KhMailbox *self)
{
  self->connect_ms = CONNECT_MS;
  self->silence_ms = SILENCE_MS;
  self->ping_seconds = PING_SECONDS;
  self->cancellable = g_cancellable_new ();
}

/**
 * kh_mailbox_new:
 * @url: a meeting server, `ws://HOST[:PORT]/v1` or `wss://HOST[:PORT]/v1`
 *
 * Returns: (transfer full): a connection that is not opened yet
 */
KhMailbox *
kh_mailbox_new (const char *url)
{
  KhMailbox *self;

  g_return_val_if_fail (url != NULL, NULL);

  self = g_object_new (KH_TYPE_MAILBOX, NULL);
  self->url = g_strdup (url);

  return self;
}

void
kh_mailbox_set_limits (KhMailbox *self, guint connect_ms, guint silence_ms, guint ping_seconds)
{
  self->connect_ms = connect_ms;
  self->silence_ms = silence_ms;
  self->ping_seconds = ping_seconds;
}

GSocket *
kh_mailbox_get_socket (KhMailbox *self)
{
  return self->socket;
}

static gboolean
refuse_url (gpointer user_data)
{
  fail (user_data, KH_ERROR_SERVER_UNREACHABLE, "not an address of a meeting server");
  return G_SOURCE_REMOVE;
}

/**
 * kh_mailbox_open:
 *
 * Starts to connect; within 10 seconds either #KhMailbox::opened or #KhMailbox::closed follows, never from within this
 * call. An address that is not valid is refused by the latter. Can be called once.
 */
void
kh_mailbox_open (KhMailbox *self)
{
  g_autoptr (GUri) uri = NULL;
  g_autoptr (SoupMessage) message = NULL;

  g_return_if_fail (KH_IS_MAILBOX (self));
  g_return_if_fail (self->state == NEW);

  self->state = OPENING;
  uri = parse_url (self->url);
  if (uri == NULL)
    {
      set_deadline (self, 0, refuse_url, "[knothole] mailbox address");
      return;
    }

  self->session = make_session ();
  message = soup_message_new_from_uri (SOUP_METHOD_GET, uri);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT);
  g_signal_connect_object (message, "network-event", G_CALLBACK (on_network_event), self, 0);
  set_deadline (self, self->connect_ms, connect_timed_out, "[knothole] mailbox connect");
  soup_session_websocket_connect_async (self->session, message, NULL, NULL, G_PRIORITY_DEFAULT, self->cancellable,
                                        connected_cb, g_object_ref (self));
}

/**
 * kh_mailbox_send:
 * @message: what to send
 *
 * Returns: whether it was sent off; %FALSE when the connection is not open (any more)
 */
gboolean
kh_mailbox_send (KhMailbox *self, JsonObject *message)
{
  g_autofree char *text = NULL;

  g_return_val_if_fail (KH_IS_MAILBOX (self), FALSE);
  g_return_val_if_fail (message != NULL, FALSE);

  /* After a cut the connection's state changes before it says so. */
  if (self->state != OPEN || soup_websocket_connection_get_state (self->connection) != SOUP_WEBSOCKET_STATE_OPEN)
    return FALSE;

  text = kh_json_to_text (message);
  soup_websocket_connection_send_text (self->connection, text);

  return TRUE;
}

/**
 * kh_mailbox_close:
 *
 * Ends the connection, whatever its state, without waiting for the server. No signal follows. Harmless when closed.
 */
void
kh_mailbox_close (KhMailbox *self)
{
  g_return_if_fail (KH_IS_MAILBOX (self));

  if (self->state == OPEN && soup_websocket_connection_get_state (self->connection) == SOUP_WEBSOCKET_STATE_OPEN)
    {
      g_signal_handlers_disconnect_by_data (self->connection, self);
      soup_websocket_connection_close (self->connection, SOUP_WEBSOCKET_CLOSE_NORMAL, NULL);
    }

  drop (self);
}
