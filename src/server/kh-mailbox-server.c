/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-mailbox-server"

#include "kh-mailbox-server.h"

#include "kh-listener.h"
#include "kh-mailbox-core.h"
#include "kh-web-client.h"
#include "kh-websocket.h"

/* The mailbox core's way to the network: WebSockets at /v1. A client is a number to the core; here the number
 * is the key of the client in the table. */

#define PATH "/v1"
#define OPENING_MILLISECONDS 10000
/* Who has a WebSocket and does not bind only occupies a place. */
#define BINDING_MILLISECONDS 30000
#define PING_SECONDS 60
#define SILENCE_MILLISECONDS 600000
#define PRUNE_SECONDS 300
/* How long clients have to read a goodbye when the server stops. */
#define GOODBYE_MILLISECONDS 200
/* Clients that have not asked for their WebSocket yet. One more, and one must go: the one that has been here
 * longest of the address that has most of them. Those who only occupy places lose them to those who want to
 * get in. */
#define MAX_ASKING 64
/* Of the spare connections, those from addresses that have too many: they get a sentence, if they ask at
 * once. */
#define MAX_REFUSING 32
#define REFUSING_MILLISECONDS 2000

typedef struct
{
  guint64 id;
  KhMailboxServer *server; /* unowned: drops its clients before it goes */
  KhWebClient *web;
  char *address;    /* what limits per address go by */
  GList *asking;    /* its link in the server's queue until it is in */
  gboolean excess;  /* its address has too many already */
  gboolean counted; /* it was in: the core knows it */
} Client;

struct _KhMailboxServer
{
  GObject parent_instance;

  KhServerLog *log; /* unowned */
  KhListener *listener;
  KhMailboxCore *core;
  KhQuotaLimits limits;
  GHashTable *clients;
  GQueue asking;
  guint open;
  guint64 last_id;
  guint64 refused;
  guint ping_id;
  guint prune_id;
};

G_DEFINE_FINAL_TYPE (KhMailboxServer, kh_mailbox_server, G_TYPE_OBJECT)

static KhMailboxTime
get_time (void)
{
  return (KhMailboxTime){ g_get_monotonic_time (), g_get_real_time () };
}

static void
client_free (gpointer data)
{
  Client *client = data;

  g_object_unref (client->web);
  g_free (client->address);
  g_free (client);
}

/* Sends what the core has to say. A client that is closed by its sending is disconnected from the core at
 * once, which makes no new output. */
static void
flush (KhMailboxServer *self)
{
  g_autoptr (GPtrArray) output = kh_mailbox_core_take_output (self->core);

  for (guint i = 0; i < output->len; i++)
    {
      KhMailboxOutput *one = g_ptr_array_index (output, i);
      Client *client = g_hash_table_lookup (self->clients, &one->connection);

      if (client == NULL)
        continue;
      if (one->text != NULL)
        kh_web_client_send_text (client->web, one->text);
      else
        kh_web_client_close (client->web, KH_WEBSOCKET_POLICY, "not a message of this protocol");
    }
}

static const char *
on_admit (KhWebClient *web, gpointer user_data)
{
  Client *client = user_data;
  KhMailboxServer *self = client->server;

  if (client->excess)
    return "There are too many connections from your address. Try again later.";
  if (self->open < self->limits.total)
    return NULL;

  self->refused++;
  return "This server has as many clients as it takes. Try again later.";
}

static void
leave_queue (Client *client)
{
  if (client->asking == NULL)
    return;

  g_queue_delete_link (&client->server->asking, client->asking);
  client->asking = NULL;
}

static void
on_opened (KhWebClient *web, gpointer user_data)
{
  Client *client = user_data;
  KhMailboxServer *self = client->server;
  GInetSocketAddress *remote = kh_web_client_get_remote (web);
  g_autofree char *owner = kh_quota_limits_get_key (&self->limits, g_inet_socket_address_get_address (remote));

  leave_queue (client);
  client->counted = TRUE;
  self->open++;
  kh_server_log_client (self->log, "client.connected", "mailbox", self->open, remote);
  kh_mailbox_core_connect (self->core, client->id, remote, owner, get_time ());
  flush (self);
}

static void
on_message (KhWebClient *web, const char *text, gsize length, gpointer user_data)
{
  Client *client = user_data;
  KhMailboxServer *self = client->server;

  kh_mailbox_core_receive (self->core, client->id, text, length, get_time ());
  if (kh_mailbox_core_is_bound (self->core, client->id))
    kh_web_client_settle (web);
  flush (self);
}

static void
on_closed (KhWebClient *web, gpointer user_data)
{
  Client *client = user_data;
  KhMailboxServer *self = client->server;

  leave_queue (client);
  if (client->counted)
    {
      self->open--;
      kh_mailbox_core_disconnect (self->core, client->id);
      kh_server_log_client (self->log, "client.gone", "mailbox", self->open, kh_web_client_get_remote (web));
    }
  g_hash_table_remove (self->clients, &client->id);
}

static Client *
add_client (KhMailboxServer *self, GSocketConnection *connection, guint opening_ms)
{
  static const KhWebClientHandlers handlers = { on_admit, on_opened, on_message, on_closed };
  const KhWebClientLimits limits = { 128 * 1024, opening_ms, SILENCE_MILLISECONDS, BINDING_MILLISECONDS };
  Client *client = g_new0 (Client, 1);
  GInetAddress *remote;

  client->server = self;
  client->id = ++self->last_id;
  client->web = kh_web_client_new (connection, PATH, &limits, &handlers, client);
  if (client->web == NULL)
    {
      g_free (client);
      return NULL;
    }

  remote = g_inet_socket_address_get_address (kh_web_client_get_remote (client->web));
  client->address = kh_address_key (remote);
  g_hash_table_insert (self->clients, &client->id, client);
  return client;
}

static void
on_excess (GSocketConnection *connection, guint place, gpointer user_data)
{
  Client *client = add_client (user_data, connection, REFUSING_MILLISECONDS);

  if (client != NULL)
    client->excess = TRUE;
}

static Client *
find_one_too_many (KhMailboxServer *self)
{
  g_autoptr (GHashTable) counts = g_hash_table_new (g_str_hash, g_str_equal);
  Client *found = NULL;
  guint most = 0;

  for (GList *at = self->asking.tail; at != NULL; at = at->prev)
    {
      Client *client = at->data;
      guint count = GPOINTER_TO_UINT (g_hash_table_lookup (counts, client->address)) + 1;

      /* An older one of the same address comes with a higher count, up to the oldest. Among addresses with as many it is
       * the oldest of all that goes, or the newcomer itself would. */
      g_hash_table_insert (counts, client->address, GUINT_TO_POINTER (count));
      if (count >= most)
        {
          most = count;
          found = client;
        }
    }

  return found;
}

static void
on_accept (GSocketConnection *connection, guint place, gpointer user_data)
{
  KhMailboxServer *self = user_data;
  Client *client = add_client (self, connection, OPENING_MILLISECONDS);

  if (client == NULL)
    return;

  g_queue_push_tail (&self->asking, client);
  client->asking = self->asking.tail;
  if (self->asking.length > MAX_ASKING)
    kh_web_client_drop (find_one_too_many (self)->web);
}

/* A copy: closing a client removes it from the table. */
static GList *
list_clients (KhMailboxServer *self)
{
  GList *webs = NULL;
  GHashTableIter iter;
  Client *client;

  g_hash_table_iter_init (&iter, self->clients);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &client))
    webs = g_list_prepend (webs, g_object_ref (client->web));

  return webs;
}

static gboolean
on_ping (gpointer user_data)
{
  KhMailboxServer *self = user_data;
  g_autolist (KhWebClient) webs = list_clients (self);

  for (GList *at = webs; at != NULL; at = at->next)
    kh_web_client_ping (at->data);

  return G_SOURCE_CONTINUE;
}

static gboolean
on_prune (gpointer user_data)
{
  KhMailboxServer *self = user_data;

  kh_mailbox_core_prune (self->core, get_time ());
  return G_SOURCE_CONTINUE;
}

static void
kh_mailbox_server_dispose (GObject *object)
{
  KhMailboxServer *self = KH_MAILBOX_SERVER (object);

  kh_mailbox_server_stop (self);
  g_clear_object (&self->listener);

  G_OBJECT_CLASS (kh_mailbox_server_parent_class)->dispose (object);
}

static void
kh_mailbox_server_finalize (GObject *object)
{
  KhMailboxServer *self = KH_MAILBOX_SERVER (object);

  g_hash_table_unref (self->clients);
  kh_mailbox_core_free (self->core);

  G_OBJECT_CLASS (kh_mailbox_server_parent_class)->finalize (object);
}

static void
kh_mailbox_server_class_init (KhMailboxServerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_mailbox_server_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_mailbox_server_finalize;
}

static void
kh_mailbox_server_init (KhMailboxServer *self)
{
  self->clients = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, client_free);
  g_queue_init (&self->asking);
  self->ping_id = g_timeout_add_seconds (PING_SECONDS, on_ping, self);
  g_source_set_name_by_id (self->ping_id, "kh-mailbox-server ping");
  self->prune_id = g_timeout_add_seconds (PRUNE_SECONDS, on_prune, self);
  g_source_set_name_by_id (self->prune_id, "kh-mailbox-server prune");
}

/**
 * kh_mailbox_server_new:
 * @limits: for connections; `total` is how many WebSockets are open at once
 * @allow_list: whether clients may ask for all nameplates
 * @log: where events go; must outlive the server
 *
 * Returns: (transfer full): a mailbox server that does not listen yet
 */
KhMailboxServer *
kh_mailbox_server_new (const KhQuotaLimits *limits, gboolean allow_list, KhServerLog *log)
{
  KhMailboxServer *self = g_object_new (KH_TYPE_MAILBOX_SERVER, NULL);
  KhMailboxLimits core_limits = kh_mailbox_default_limits;
  KhQuotaLimits with_spare = *limits;

  core_limits.allow_list = allow_list;
  self->core = kh_mailbox_core_new (&core_limits);
  self->log = log;
  self->limits = *limits;
  with_spare.total += KH_MAILBOX_SERVER_SPARE_CONNECTIONS - MAX_REFUSING;
  self->listener = kh_listener_new (&with_spare, on_accept, self);
  kh_listener_set_refuse (self->listener, on_excess, MAX_REFUSING);

  return self;
}

/**
 * kh_mailbox_server_listen:
 * @self: a server
 * @address: where to listen
 * @port: a port, 0 for any free one
 * @error: return location
 *
 * Returns: (transfer full): where it listens, or %NULL with an error as kh_listener_add() gives
 */
GInetSocketAddress *
kh_mailbox_server_listen (KhMailboxServer *self, GInetAddress *address, guint16 port, GError **error)
{
  g_return_val_if_fail (KH_IS_MAILBOX_SERVER (self), NULL);

  return kh_listener_add (self->listener, address, port, 0, error);
}

static gboolean
on_goodbye_over (gpointer user_data)
{
  *(gboolean *) user_data = TRUE;
  return G_SOURCE_REMOVE;
}

/* Closing a socket with unread bytes sends RST, which can destroy what was sent before: what clients are
 * still sending has to be read until they have closed too. Those who never got their WebSocket need no
 * goodbye. */
static void
say_goodbye (KhMailboxServer *self)
{
  g_autolist (KhWebClient) webs = list_clients (self);
  gboolean over = FALSE;
  guint over_id;

  for (GList *at = webs; at != NULL; at = at->next)
    if (kh_web_client_is_open (at->data))
      kh_web_client_close (at->data, KH_WEBSOCKET_GOING_AWAY, "the server stops");
    else
      kh_web_client_drop (at->data);

  over_id = g_timeout_add (GOODBYE_MILLISECONDS, on_goodbye_over, &over);
  while (!over && g_hash_table_size (self->clients) > 0)
    g_main_context_iteration (NULL, TRUE);
  if (!over)
    g_source_remove (over_id);
}

static void
drop_clients (KhMailboxServer *self)
{
  g_autolist (KhWebClient) webs = list_clients (self);

  for (GList *at = webs; at != NULL; at = at->next)
    kh_web_client_drop (at->data);
}

/**
 * kh_mailbox_server_stop:
 * @self: a server
 *
 * Stops to listen, says goodbye to all clients and closes their connections. Runs the main loop meanwhile,
 * for 200 ms at most. Stopping twice is harmless.
 */
void
kh_mailbox_server_stop (KhMailboxServer *self)
{
  g_return_if_fail (KH_IS_MAILBOX_SERVER (self));

  g_clear_handle_id (&self->ping_id, g_source_remove);
  g_clear_handle_id (&self->prune_id, g_source_remove);
  if (self->listener != NULL)
    kh_listener_stop (self->listener);
  say_goodbye (self);
  drop_clients (self);
}

/**
 * kh_mailbox_server_get_status:
 * @self: a server
 * @status: (out caller-allocates): its figures now
 */
void
kh_mailbox_server_get_status (KhMailboxServer *self, KhMailboxServerStatus *status)
{
  g_return_if_fail (KH_IS_MAILBOX_SERVER (self));

  status->clients = self->open;
  status->refused = self->refused + kh_listener_get_refused (self->listener);
  status->mailboxes = kh_mailbox_core_count (self->core, &status->nameplates, &status->stored_bytes);
}
