/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-mapping.h"

#include "kh-address.h"
#include "kh-server-name.h"
#include "kh-settings.h"
#include "kh-stun-client.h"

/* One connection would do to hold the mapping; the second tells whether the mapping is the same for everybody, and
 * holds it while the first is renewed. */
#define KEEP 2

/* Servers close idle connections (coturn after 60 s). Two that were opened together would go together, so the second
 * is renewed this much later. */
#define STAGGER_SECONDS 20
#define MAX_RETRY_SECONDS 60

/**
 * KhMapping:
 *
 * What our router makes of the shared port: asks several STUN servers at once how they see it, keeps two of the
 * connections open so that the mapping stays, and asks again when one closes.
 *
 * The servers are tried side by side. One that does not answer is not an error while another does.
 */
struct _KhMapping
{
  GObject parent_instance;

  KhTrace *trace;
  KhPort *port;
  GPtrArray *servers; /* of Server */
  GCancellable *cancellable;
  guint renew_id;
  guint failures; /* in a row, since the last answer */
  gint64 last_loss;
  gint64 changed_at; /* when the network last changed, monotonic µs */
  guint next;        /* whose turn it is when one is renewed */
};

typedef struct
{
  char *name;
  GInetSocketAddress *address; /* NULL until the name is resolved */
  KhStunClient *client;        /* while asking or kept */
  gboolean busy;               /* resolving or asking */
  GInetSocketAddress *outside; /* the last answer */
  gint64 verified_at;
} Server;

G_DEFINE_FINAL_TYPE (KhMapping, kh_mapping, G_TYPE_OBJECT)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

/* What a pending call carries: it must own both, and the server is owned by the array of the mapping. */
typedef struct
{
  KhMapping *self;
  Server *server;
} Pending;

static void ask (KhMapping *self, Server *server);
static void maintain (KhMapping *self);
static void renew (KhMapping *self);

static Pending *
pending_new (KhMapping *self, Server *server)
{
  Pending *pending = g_new (Pending, 1);

  pending->self = g_object_ref (self);
  pending->server = server;
  return pending;
}

static void
pending_free (Pending *pending)
{
  g_object_unref (pending->self);
  g_free (pending);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pending, pending_free)

static void
server_drop_client (Server *server)
{
  if (server->client == NULL)
    return;
  g_signal_handlers_disconnect_by_data (server->client, server);
  kh_stun_client_close (server->client);
  g_clear_object (&server->client);
}

static void
server_free (Server *server)
{
  server_drop_client (server);
  g_clear_object (&server->address);
  g_clear_object (&server->outside);
  g_free (server->name);
  g_free (server);
}

static void
kh_mapping_dispose (GObject *object)
{
  KhMapping *self = KH_MAPPING (object);

  kh_mapping_stop (self);
  g_clear_object (&self->trace);
  g_clear_object (&self->port);

  G_OBJECT_CLASS (kh_mapping_parent_class)->dispose (object);
}

static void
kh_mapping_finalize (GObject *object)
{
  KhMapping *self = KH_MAPPING (object);

  g_ptr_array_unref (self->servers);
  g_clear_object (&self->cancellable);

  G_OBJECT_CLASS (kh_mapping_parent_class)->finalize (object);
}

static void
kh_mapping_class_init (KhMappingClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_mapping_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_mapping_finalize;

  /**
   * KhMapping::changed:
   *
   * A server answered, or one that was asked will not.
   */
  signals[SIGNAL_CHANGED] =
      g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_mapping_init (KhMapping *self)
{
  self->servers = g_ptr_array_new_with_free_func ((GDestroyNotify) server_free);
  self->cancellable = g_cancellable_new ();
}

static Server *
add_server (KhMapping *self, const char *name)
{
  Server *server = g_new0 (Server, 1);

  server->name = g_strdup (name);
  g_ptr_array_add (self->servers, server);
  return server;
}

/**
 * kh_mapping_new:
 * @trace: where to report
 * @port: the port in question
 * @servers: (array zero-terminated=1): STUN servers over TCP, `HOST` or `HOST:PORT`
 *
 * Returns: (transfer full): an object that has not asked yet
 */
KhMapping *
kh_mapping_new (KhTrace *trace, KhPort *port, const char *const *servers)
{
  KhMapping *self = g_object_new (KH_TYPE_MAPPING, NULL);

  self->trace = g_object_ref (trace);
  self->port = g_object_ref (port);
  for (gsize i = 0; servers[i] != NULL && i < KH_SETTINGS_MAX_STUN_SERVERS; i++)
    add_server (self, servers[i]);

  return self;
}

static guint
count_open (KhMapping *self)
{
  guint open = 0;

  for (guint i = 0; i < self->servers->len; i++)
    {
      Server *server = g_ptr_array_index (self->servers, i);

      if (server->client != NULL && !server->busy)
        open++;
    }
  return open;
}

static guint
count_busy (KhMapping *self)
{
  guint busy = 0;

  for (guint i = 0; i < self->servers->len; i++)
    if (((Server *) g_ptr_array_index (self->servers, i))->busy)
      busy++;
  return busy;
}

static gboolean
on_renew (gpointer user_data)
{
  KhMapping *self = user_data;

  self->renew_id = 0;
  renew (self);
  return G_SOURCE_REMOVE;
}

static void
schedule_renewal (KhMapping *self, guint seconds)
{
  if (self->renew_id != 0 || g_cancellable_is_cancelled (self->cancellable))
    return;
  self->renew_id = g_timeout_add_seconds (seconds, on_renew, self);
  g_source_set_name_by_id (self->renew_id, "kh-mapping renewal");
}

/* Asks the next server that has no connection, so that a server that failed is not the one to be asked again. */
static void
renew (KhMapping *self)
{
  for (guint i = 0; i < self->servers->len; i++)
    {
      Server *server;

      if (count_open (self) + count_busy (self) >= KEEP)
        return;
      server = g_ptr_array_index (self->servers, self->next++ % self->servers->len);
      if (server->client == NULL && !server->busy)
        {
          ask (self, server);
          return;
        }
    }
}

static void
maintain (KhMapping *self)
{
  guint wanted = MIN (KEEP, self->servers->len);

  if (count_busy (self) > 0 || count_open (self) >= wanted)
    return;
  schedule_renewal (self,
                    self->failures == 0 ? STAGGER_SECONDS : MIN (1u << MIN (self->failures, 6), MAX_RETRY_SECONDS));
}

static void
on_closed (KhStunClient *client, gpointer user_data)
{
  Server *server = user_data;
  KhMapping *self = g_object_get_data (G_OBJECT (client), "kh-mapping");
  gint64 now = g_get_monotonic_time ();
  gboolean alone = now - self->last_loss > STAGGER_SECONDS * G_USEC_PER_SEC;

  server_drop_client (server);
  kh_trace_add (self->trace, "stun.closed", "server:s", server->name);
  self->last_loss = now;
  if (alone)
    renew (self);
  maintain (self);
}

static void
take_other_address (KhMapping *self, Server *server)
{
  GInetSocketAddress *other = kh_stun_client_get_other (server->client);
  g_autofree char *name = NULL;
  Server *second;

  if (other == NULL || self->servers->len != 1 || !kh_address_is_neighbour (server->address, other))
    return;

  name = kh_address_to_text (G_SOCKET_ADDRESS (other));
  second = add_server (self, name);
  second->address = g_object_ref (other);
  ask (self, second);
}

static void
report (KhMapping *self, Server *server)
{
  g_autofree char *local = kh_address_to_text (G_SOCKET_ADDRESS (kh_stun_client_get_local (server->client)));
  g_autofree char *outside = kh_address_to_text (G_SOCKET_ADDRESS (server->outside));

  kh_trace_add (self->trace, "mapping.found", "server:s local:s outside:s rtt_ms:l", server->name, local, outside,
                kh_stun_client_get_rtt (server->client));
}

static void
failed (KhMapping *self, Server *server, const char *reason)
{
  server_drop_client (server);
  if (server->verified_at < self->changed_at)
    g_clear_object (&server->outside);
  self->failures++;
  kh_trace_add (self->trace, "stun.failed", "server:s reason:s", server->name, reason);
}

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  KhMapping *self = pending->self;
  Server *server = pending->server;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInetSocketAddress) outside = kh_stun_client_ask_finish (KH_STUN_CLIENT (source), result, &error);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;

  server->busy = FALSE;
  if (outside != NULL)
    {
      self->failures = 0;
      g_set_object (&server->outside, outside);
      server->verified_at = g_get_monotonic_time ();
      report (self, server);
      take_other_address (self, server);
      if (count_open (self) > KEEP)
        server_drop_client (server);
    }
  else
    failed (self, server, error->message);

  maintain (self);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
ask_address (KhMapping *self, Server *server)
{
  if (server->client == NULL)
    {
      server->client = kh_stun_client_new (self->port, server->address);
      g_object_set_data (G_OBJECT (server->client), "kh-mapping", self);
      g_signal_connect (server->client, "closed", G_CALLBACK (on_closed), server);
    }
  kh_stun_client_ask_async (server->client, on_asked, pending_new (self, server));
}

/* The mapping of IPv4 is what routers translate; an IPv6 address of the server is used only if there is no other. */
static void
on_resolved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  KhMapping *self = pending->self;
  Server *server = pending->server;
  KhServerAddresses addresses = { NULL, NULL };
  g_autoptr (GError) error = NULL;

  if (kh_server_name_resolve_finish (result, &addresses, &error))
    server->address = g_object_ref (addresses.v4 != NULL ? addresses.v4 : addresses.v6);
  g_clear_object (&addresses.v4);
  g_clear_object (&addresses.v6);
  if (g_cancellable_is_cancelled (self->cancellable))
    return;

  if (server->address != NULL)
    ask_address (self, server);
  else
    {
      server->busy = FALSE;
      failed (self, server, error->message);
      maintain (self);
      g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
    }
}

static void
ask (KhMapping *self, Server *server)
{
  server->busy = TRUE;
  if (server->address != NULL)
    ask_address (self, server);
  else
    kh_server_name_resolve_async (server->name, self->cancellable, on_resolved, pending_new (self, server));
}

/* Connections of another network end without a word. Asking tells, and what was answered there is true no more. */
static void
on_network_changed (GNetworkMonitor *monitor, gboolean available, KhMapping *self)
{
  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  self->changed_at = g_get_monotonic_time ();
  kh_mapping_refresh (self);
}

/**
 * kh_mapping_start:
 *
 * Asks all servers at once. #KhMapping::changed tells what comes of it, as does `mapping.found` in the trace.
 */
void
kh_mapping_start (KhMapping *self)
{
  guint n;

  g_return_if_fail (KH_IS_MAPPING (self));

  g_signal_connect_object (g_network_monitor_get_default (), "network-changed", G_CALLBACK (on_network_changed), self,
                           0);
  n = self->servers->len; /* a single one may add its other address while we ask */
  for (guint i = 0; i < n; i++)
    ask (self, g_ptr_array_index (self->servers, i));
}

/**
 * kh_mapping_stop:
 *
 * Closes all connections and forgets what is under way. For good, and harmless when done twice.
 */
void
kh_mapping_stop (KhMapping *self)
{
  g_return_if_fail (KH_IS_MAPPING (self));

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->renew_id, g_source_remove);
  for (guint i = 0; i < self->servers->len; i++)
    server_drop_client (g_ptr_array_index (self->servers, i));
}

/**
 * kh_mapping_refresh:
 *
 * Asks once more on the connections that are open, so that an offer that leaves soon carries a fresh mapping.
 */
void
kh_mapping_refresh (KhMapping *self)
{
  g_return_if_fail (KH_IS_MAPPING (self));

  for (guint i = 0; i < self->servers->len; i++)
    {
      Server *server = g_ptr_array_index (self->servers, i);

      if (server->client != NULL && !server->busy)
        ask (self, server);
    }
  if (count_busy (self) == 0)
    renew (self);
}

/**
 * kh_mapping_is_ready:
 *
 * Whether waiting longer is of no use: a server has answered, or none will.
 */
gboolean
kh_mapping_is_ready (KhMapping *self)
{
  g_return_val_if_fail (KH_IS_MAPPING (self), TRUE);

  for (guint i = 0; i < self->servers->len; i++)
    if (((Server *) g_ptr_array_index (self->servers, i))->outside != NULL)
      return TRUE;
  return count_busy (self) == 0;
}

/**
 * kh_mapping_is_complete:
 *
 * Whether all who were asked have answered, or will not.
 */
gboolean
kh_mapping_is_complete (KhMapping *self)
{
  g_return_val_if_fail (KH_IS_MAPPING (self), TRUE);

  return count_busy (self) == 0;
}

static Server *
latest (KhMapping *self)
{
  Server *found = NULL;

  for (guint i = 0; i < self->servers->len; i++)
    {
      Server *server = g_ptr_array_index (self->servers, i);

      if (server->outside != NULL && (found == NULL || server->verified_at > found->verified_at))
        found = server;
    }
  return found;
}

static gboolean
same_address (gconstpointer a, gconstpointer b)
{
  return kh_address_equal (G_SOCKET_ADDRESS (a), G_SOCKET_ADDRESS (b));
}

/**
 * kh_mapping_get_outside:
 *
 * Returns: (transfer full) (element-type GInetSocketAddress): the different outside addresses that servers see, the
 *   one that was verified last first; more than one means that the mapping depends on who is asked
 */
GPtrArray *
kh_mapping_get_outside (KhMapping *self)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_object_unref);
  Server *best;

  g_return_val_if_fail (KH_IS_MAPPING (self), found);

  best = latest (self);
  if (best != NULL)
    g_ptr_array_add (found, g_object_ref (best->outside));

  for (guint i = 0; i < self->servers->len; i++)
    {
      Server *server = g_ptr_array_index (self->servers, i);

      if (server->outside != NULL && !g_ptr_array_find_with_equal_func (found, server->outside, same_address, NULL))
        g_ptr_array_add (found, g_object_ref (server->outside));
    }
  return found;
}

/**
 * kh_mapping_get_age:
 *
 * Returns: milliseconds since a server last confirmed the mapping, -1 if none has
 */
gint64
kh_mapping_get_age (KhMapping *self)
{
  Server *best;

  g_return_val_if_fail (KH_IS_MAPPING (self), -1);

  best = latest (self);
  return best != NULL ? (g_get_monotonic_time () - best->verified_at) / 1000 : -1;
}

/* Two answers from different hosts are the first mapping test (RFC 5780, section 4.3): equal means independent of the
 * endpoint. Different ones do not tell yet whether the address alone or the port too decides. */
static gboolean
hosts_agree (KhMapping *self)
{
  GInetAddress *first_host = NULL;
  gboolean two_hosts = FALSE;

  for (guint i = 0; i < self->servers->len; i++)
    {
      Server *server = g_ptr_array_index (self->servers, i);
      GInetAddress *host;

      if (server->outside == NULL)
        continue;
      host = g_inet_socket_address_get_address (server->address);
      if (first_host == NULL)
        first_host = host;
      else if (!g_inet_address_equal (first_host, host))
        two_hosts = TRUE;
    }

  return two_hosts;
}

/**
 * kh_mapping_observe:
 * @facts: gets what the answers tell: mapping and allocation
 */
void
kh_mapping_observe (KhMapping *self, KhFacts *facts)
{
  g_autoptr (GPtrArray) outside = NULL;
  g_autoptr (GInetSocketAddress) local = NULL;
  Server *best;

  g_return_if_fail (KH_IS_MAPPING (self));

  outside = kh_mapping_get_outside (self);
  best = latest (self);
  if (outside->len != 1)
    return;

  local = kh_port_local_for (self->port, best->address, NULL);
  if (local != NULL && same_address (local, best->outside))
    kh_facts_set (facts, KH_FACT_MAPPING, "none");
  else if (hosts_agree (self))
    kh_facts_set (facts, KH_FACT_MAPPING, "endpoint-independent");

  if (g_inet_socket_address_get_port (best->outside) == kh_port_get_number (self->port))
    kh_facts_set (facts, KH_FACT_ALLOCATION, "preserving");
}
