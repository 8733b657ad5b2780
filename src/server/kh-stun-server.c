/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-stun-server"

#include "kh-stun-server.h"

#include "kh-listener.h"
#include "kh-peer.h"
#include "kh-stun.h"

/* STUN over TCP: a client asks from which address and port we see it, as often as it likes, and may keep the
 * connection, since that keeps its router's mapping.
 *
 * The ports are numbered so that the other address and the other port together are the other end of the row:
 *
 *   0: address, port      1: address, alternate port      2: alternate, port      3: alternate, alternate
 * port */

#define PLACES 4
#define OTHER(place) (PLACES - 1 - (place))
#define IDLE_MILLISECONDS 600000
/* How long a message may take from its first byte to its last, and the first message from the connection. */
#define PARTIAL_MILLISECONDS 10000
#define FIRST_MILLISECONDS 30000
#define REQUEST_BURST 50
#define REQUESTS_PER_SECOND 10
#define PORT_TRIES 32

typedef struct
{
  KhStunServer *server; /* unowned: drops its clients before it goes */
  KhPeer *peer;
  guint place;
  gboolean partial;
  KhBucket rate;
} Client;

struct _KhStunServer
{
  GObject parent_instance;

  KhServerLog *log; /* unowned */
  KhListener *listener;
  GInetSocketAddress *addresses[PLACES];
  GHashTable *clients;
  guint idle_ms;
  guint partial_ms;
  guint64 requests;
  KhDialBack *dial_back; /* nullable */
};

G_DEFINE_FINAL_TYPE (KhStunServer, kh_stun_server, G_TYPE_OBJECT)

static void
client_free (gpointer data)
{
  Client *client = data;

  g_object_unref (client->peer);
  g_free (client);
}

static void
send_message (KhStunServer *self, KhPeer *peer, KhStunMessage *message)
{
  g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (message);

  self->requests++;
  kh_peer_send (peer, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

static void
send_error (Client *client, const KhStunMessage *request, int code, const char *reason)
{
  g_autoptr (KhStunMessage) error = kh_stun_message_new (KH_STUN_ERROR, request->method, request->id);

  error->error_code = code;
  error->error_reason = g_strdup (reason);
  error->unknown_required = request->unknown_required;
  send_message (client->server, client->peer, error);
}

static void
send_binding (Client *client, const KhStunMessage *request)
{
  KhStunServer *self = client->server;
  GInetSocketAddress *other = self->addresses[OTHER (client->place)];
  g_autoptr (KhStunMessage) success = kh_stun_message_new (KH_STUN_SUCCESS, request->method, request->id);

  success->mapped = g_object_ref (kh_peer_get_remote (client->peer));
  success->response_origin = g_object_ref (kh_peer_get_local (client->peer));
  g_set_object (&success->other_address, other);
  success->has_cookie = self->dial_back != NULL;
  if (success->has_cookie)
    kh_dial_back_get_cookie (self->dial_back, client->peer, other, success->cookie);
  send_message (self, client->peer, success);
}

/* A poke may close any client, this one too. */
static void
send_dial_back (Client *client, const KhStunMessage *request)
{
  KhStunServer *self = client->server;
  g_autoptr (KhPeer) peer = g_object_ref (client->peer);
  g_autoptr (KhStunMessage) answer =
      kh_dial_back_answer (self->dial_back, peer, self->addresses[OTHER (client->place)], request);

  send_message (self, peer, answer);
}

static void
answer_request (Client *client, const KhStunMessage *request)
{
  gboolean is_dial_back = request->method == KH_STUN_METHOD_DIAL_BACK && client->server->dial_back != NULL;

  if (request->method != KH_STUN_METHOD_BINDING && !is_dial_back)
    send_error (client, request, 400, "Only Binding is served here");
  else if (request->unknown_required != 0)
    send_error (client, request, 420, "Unknown Attribute");
  else if (is_dial_back)
    send_dial_back (client, request);
  else
    send_binding (client, request);
}

/* An indication is how a client keeps its connection alive, or tells a dial to go; it has no answer. */
static void
take_indication (Client *client, const KhStunMessage *indication)
{
  if (indication->method == KH_STUN_METHOD_DIAL_BACK && client->server->dial_back != NULL)
    kh_dial_back_go (client->server->dial_back, client->peer, indication->id);
}

static gboolean
take_message (Client *client, const guint8 *bytes, gsize length)
{
  g_autoptr (KhStunMessage) request = kh_stun_message_from_bytes (bytes, length, NULL);

  if (request == NULL || !kh_bucket_take (&client->rate, REQUEST_BURST, REQUESTS_PER_SECOND, g_get_monotonic_time ()))
    return FALSE;

  if (request->klass == KH_STUN_INDICATION)
    take_indication (client, request);
  else if (request->klass == KH_STUN_REQUEST)
    answer_request (client, request);
  else
    return FALSE;
  return TRUE;
}

/* Returns how many bytes the next message had, 0 when it is not whole yet, -1 when this is no client of ours.
 */
static gssize
take_next (Client *client, const guint8 *bytes, gsize length)
{
  gssize whole = kh_stun_message_length (bytes, length);

  if (whole <= 0)
    return whole;
  if ((gsize) whole > length)
    return 0;

  return take_message (client, bytes, whole) ? whole : -1;
}

/* A message that is not whole gets time once, from its first byte on: more bytes do not buy more. */
static void
set_deadline (Client *client, gboolean partial)
{
  if (!partial)
    kh_peer_set_deadline (client->peer, client->server->idle_ms);
  else if (!client->partial)
    kh_peer_set_deadline (client->peer, client->server->partial_ms);
  client->partial = partial;
}

static gsize
on_received (KhPeer *peer, const guint8 *bytes, gsize length, gpointer user_data)
{
  Client *client = user_data;
  gsize done = 0;

  while (done < length)
    {
      gssize used = take_next (client, bytes + done, length - done);

      if (used == 0)
        break;
      if (used < 0)
        kh_peer_close (peer);
      if (!kh_peer_is_open (peer))
        return length; /* and the client is gone */
      done += used;
    }

  if (done > 0)
    client->partial = FALSE; /* what is left began just now */
  set_deadline (client, done < length);
  return done;
}

static void
on_closed (KhPeer *peer, gpointer user_data)
{
  Client *client = user_data;
  KhStunServer *self = client->server;
  g_autoptr (GInetSocketAddress) remote = g_object_ref (kh_peer_get_remote (peer));

  if (self->dial_back != NULL)
    kh_dial_back_end (self->dial_back, peer);
  g_hash_table_remove (self->clients, client);
  kh_server_log_client (self->log, "client.gone", "stun", g_hash_table_size (self->clients), remote);
}

static void
on_accept (GSocketConnection *connection, guint place, gpointer user_data)
{
  static const KhPeerHandlers handlers = { on_received, on_closed };
  KhStunServer *self = user_data;
  Client *client = g_new0 (Client, 1);

  client->server = self;
  client->place = place;
  client->peer = kh_peer_new (connection, &handlers, client);
  if (client->peer == NULL)
    {
      g_free (client);
      return;
    }

  kh_peer_set_deadline (client->peer, MIN (FIRST_MILLISECONDS, self->idle_ms));
  g_hash_table_add (self->clients, client);
  kh_server_log_client (self->log, "client.connected", "stun", g_hash_table_size (self->clients),
                        kh_peer_get_remote (client->peer));
}

static void
kh_stun_server_dispose (GObject *object)
{
  KhStunServer *self = KH_STUN_SERVER (object);

  kh_stun_server_stop (self);
  g_clear_object (&self->listener);
  g_clear_pointer (&self->dial_back, kh_dial_back_free);

  G_OBJECT_CLASS (kh_stun_server_parent_class)->dispose (object);
}

static void
kh_stun_server_finalize (GObject *object)
{
  KhStunServer *self = KH_STUN_SERVER (object);

  g_hash_table_unref (self->clients);

  G_OBJECT_CLASS (kh_stun_server_parent_class)->finalize (object);
}

static void
kh_stun_server_class_init (KhStunServerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_stun_server_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_stun_server_finalize;
}

static void
kh_stun_server_init (KhStunServer *self)
{
  self->clients = g_hash_table_new_full (NULL, NULL, client_free, NULL);
  self->idle_ms = IDLE_MILLISECONDS;
  self->partial_ms = PARTIAL_MILLISECONDS;
}

/**
 * kh_stun_server_new:
 * @limits: for connections, over all ports
 * @log: where events go; must outlive the server
 *
 * Returns: (transfer full): a STUN server that does not listen yet
 */
KhStunServer *
kh_stun_server_new (const KhQuotaLimits *limits, KhServerLog *log)
{
  KhStunServer *self = g_object_new (KH_TYPE_STUN_SERVER, NULL);

  self->log = log;
  self->listener = kh_listener_new (limits, on_accept, self);

  return self;
}

static void
close_ports (KhStunServer *self)
{
  if (self->listener != NULL)
    kh_listener_stop (self->listener);
  for (guint i = 0; i < PLACES; i++)
    g_clear_object (&self->addresses[i]);
}

static gboolean
open_place (KhStunServer *self, GInetAddress *address, guint16 port, guint place, GError **error)
{
  if (address == NULL)
    return TRUE;

  self->addresses[place] = kh_listener_add (self->listener, address, port, place, error);
  return self->addresses[place] != NULL;
}

static guint16
get_port (KhStunServer *self, guint place)
{
  return g_inet_socket_address_get_port (self->addresses[place]);
}

/* The alternate address has the same ports as the first, whatever those turned out to be (RFC 5780, section
 * 6). */
static gboolean
open_ports (KhStunServer *self, GInetAddress *address, GInetAddress *alternate, guint16 port, guint16 alternate_port,
            GError **error)
{
  return open_place (self, address, port, 0, error) && open_place (self, address, alternate_port, 1, error) &&
         open_place (self, alternate, get_port (self, 0), 2, error) &&
         open_place (self, alternate, get_port (self, 1), 3, error);
}

/**
 * kh_stun_server_listen:
 * @self: a server that does not listen yet
 * @address: where to listen
 * @alternate: (nullable): a second address, which makes the server name the other address and port to its
 *   clients
 * @port: a port on each address, 0 for any that is free on both
 * @alternate_port: a second one
 * @error: return location
 *
 * Returns: whether it listens on all; if not, @error is as kh_listener_add() gives it
 */
gboolean
kh_stun_server_listen (KhStunServer *self, GInetAddress *address, GInetAddress *alternate, guint16 port,
                       guint16 alternate_port, GError **error)
{
  gboolean any_port = port == 0 || alternate_port == 0;

  g_return_val_if_fail (KH_IS_STUN_SERVER (self), FALSE);

  for (int tries = any_port && alternate != NULL ? PORT_TRIES : 1; tries > 0; tries--)
    {
      g_autoptr (GError) failure = NULL;

      if (open_ports (self, address, alternate, port, alternate_port, &failure))
        return TRUE;

      /* A port that is free on the first address may be taken on the second. */
      close_ports (self);
      if (tries == 1)
        g_propagate_error (error, g_steal_pointer (&failure));
    }

  return FALSE;
}

/**
 * kh_stun_server_get_addresses:
 *
 * Returns: (transfer full) (element-type GInetSocketAddress): where the server listens: port and alternate
 *   port of the address, then of the alternate address if there is one
 */
GPtrArray *
kh_stun_server_get_addresses (KhStunServer *self)
{
  GPtrArray *addresses = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < PLACES; i++)
    if (self->addresses[i] != NULL)
      g_ptr_array_add (addresses, g_object_ref (self->addresses[i]));

  return addresses;
}

/**
 * kh_stun_server_set_patience:
 * @self: a server
 * @idle_ms: how long a client may keep its connection without asking; ten minutes unless set
 * @partial_ms: how long a message may take from its first byte to its last; ten seconds unless set
 */
void
kh_stun_server_set_patience (KhStunServer *self, guint idle_ms, guint partial_ms)
{
  self->idle_ms = idle_ms;
  self->partial_ms = partial_ms;
}

/**
 * kh_stun_server_set_dial_back:
 * @self: a server that does not listen yet
 * @dial_back: (transfer full): what dials back, which it does not do unless this is set
 */
void
kh_stun_server_set_dial_back (KhStunServer *self, KhDialBack *dial_back)
{
  g_return_if_fail (KH_IS_STUN_SERVER (self));
  g_return_if_fail (self->dial_back == NULL);

  self->dial_back = dial_back;
}

/**
 * kh_stun_server_stop:
 * @self: a server
 *
 * Stops to listen and closes all connections. Stopping twice is harmless.
 */
void
kh_stun_server_stop (KhStunServer *self)
{
  g_autoptr (GList) clients = g_hash_table_get_keys (self->clients);

  g_return_if_fail (KH_IS_STUN_SERVER (self));

  close_ports (self);
  for (GList *at = clients; at != NULL; at = at->next)
    kh_peer_close (((Client *) at->data)->peer);
}

/**
 * kh_stun_server_get_status:
 * @self: a server
 * @status: (out caller-allocates): its figures now
 */
void
kh_stun_server_get_status (KhStunServer *self, KhStunServerStatus *status)
{
  g_return_if_fail (KH_IS_STUN_SERVER (self));

  status->clients = g_hash_table_size (self->clients);
  status->refused = kh_listener_get_refused (self->listener);
  status->requests = self->requests;
  status->dial_back = (KhDialBackStatus){ 0 };
  if (self->dial_back != NULL)
    kh_dial_back_get_status (self->dial_back, &status->dial_back);
}
