/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-nat-table.h"

/* Expired sessions are looked for this often; until then they are passed over when met. */
#define SWEEP_US G_TIME_SPAN_SECOND

/* Under which mappings and sessions are found: a protocol and two endpoints. Port 0 belongs to no flow that has ports, so an
 * endpoint of zeroes stands for none. */
typedef struct
{
  KhProtocol protocol;
  KhEndpoint own;
  KhEndpoint remote;
} Key;

struct _KhNatTable
{
  GHashTable *inside;   /* Key (inside, remote) → KhNatSession */
  GHashTable *outside;  /* Key (outside, remote) → KhNatSession */
  GHashTable *mappings; /* Key (inside, scope) → newest KhNatMapping */
  GHashTable *ports;    /* Key (outside, –) → newest KhNatMapping */
  GHashTable *peers;    /* Key (outside, remote address) → number of sessions */
  guint n_mappings;
  gint64 next_sweep;
};

static guint
key_hash (gconstpointer data)
{
  const Key *key = data;

  return kh_endpoint_hash (&key->own) * 31 + kh_endpoint_hash (&key->remote) + key->protocol;
}

static gboolean
key_equal (gconstpointer a, gconstpointer b)
{
  const Key *one = a, *other = b;

  return one->protocol == other->protocol && kh_endpoint_equal (&one->own, &other->own) &&
         kh_endpoint_equal (&one->remote, &other->remote);
}

static Key
make_key (KhProtocol protocol, const KhEndpoint *own, const KhEndpoint *remote)
{
  Key key = { .protocol = protocol, .own = *own };

  if (remote != NULL)
    key.remote = *remote;

  return key;
}

static void
put (GHashTable *table, KhProtocol protocol, const KhEndpoint *own, const KhEndpoint *remote, gpointer value)
{
  Key key = make_key (protocol, own, remote);

  if (value == NULL)
    g_hash_table_remove (table, &key);
  else
    g_hash_table_replace (table, g_memdup2 (&key, sizeof key), value);
}

static gpointer
get (GHashTable *table, KhProtocol protocol, const KhEndpoint *own, const KhEndpoint *remote)
{
  Key key = make_key (protocol, own, remote);

  return g_hash_table_lookup (table, &key);
}

static GHashTable *
new_table (void)
{
  return g_hash_table_new_full (key_hash, key_equal, g_free, NULL);
}

KhNatTable *
kh_nat_table_new (void)
{
  KhNatTable *self = g_new0 (KhNatTable, 1);

  self->inside = new_table ();
  self->outside = new_table ();
  self->mappings = new_table ();
  self->ports = new_table ();
  self->peers = new_table ();

  return self;
}

void
kh_nat_table_free (KhNatTable *self)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->outside);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    g_free (value);

  g_hash_table_iter_init (&iter, self->mappings);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    for (KhNatMapping *mapping = value, *next; mapping != NULL; mapping = next)
      {
        next = mapping->next_inside;
        g_free (mapping);
      }

  g_hash_table_unref (self->inside);
  g_hash_table_unref (self->outside);
  g_hash_table_unref (self->mappings);
  g_hash_table_unref (self->ports);
  g_hash_table_unref (self->peers);
  g_free (self);
}

static KhNatSession *
check_alive (KhNatTable *self, KhNatSession *session, gint64 now)
{
  if (session == NULL || session->expires > now)
    return session;

  kh_nat_table_remove_session (self, session);
  return NULL;
}

KhNatSession *
kh_nat_table_find_inside (KhNatTable *self, KhProtocol protocol, const KhEndpoint *inside, const KhEndpoint *remote,
                          gint64 now)
{
  return check_alive (self, get (self->inside, protocol, inside, remote), now);
}

KhNatSession *
kh_nat_table_find_outside (KhNatTable *self, KhProtocol protocol, const KhEndpoint *outside, const KhEndpoint *remote,
                           gint64 now)
{
  return check_alive (self, get (self->outside, protocol, outside, remote), now);
}

/**
 * kh_nat_table_find_mappings:
 * @self: a table
 * @protocol: of what
 * @inside: whose
 * @scope: for which remote endpoints
 *
 * Returns: (nullable): the newest such mapping; older ones follow by `next_inside`
 */
KhNatMapping *
kh_nat_table_find_mappings (KhNatTable *self, KhProtocol protocol, const KhEndpoint *inside, const KhEndpoint *scope)
{
  return get (self->mappings, protocol, inside, scope);
}

/**
 * kh_nat_table_find_port:
 * @self: a table
 * @protocol: of what
 * @outside: an outside endpoint
 *
 * Returns: (nullable): the newest mapping to it; older ones follow by `next_outside`
 */
KhNatMapping *
kh_nat_table_find_port (KhNatTable *self, KhProtocol protocol, const KhEndpoint *outside)
{
  return get (self->ports, protocol, outside, NULL);
}

KhNatMapping *
kh_nat_table_add_mapping (KhNatTable *self, KhProtocol protocol, const KhEndpoint *inside, const KhEndpoint *scope,
                          const KhEndpoint *outside)
{
  KhNatMapping *mapping = g_new0 (KhNatMapping, 1);

  mapping->protocol = protocol;
  mapping->inside = *inside;
  mapping->scope = *scope;
  mapping->outside = *outside;
  mapping->next_inside = kh_nat_table_find_mappings (self, protocol, inside, scope);
  mapping->next_outside = kh_nat_table_find_port (self, protocol, outside);
  put (self->mappings, protocol, inside, scope, mapping);
  put (self->ports, protocol, outside, NULL, mapping);
  self->n_mappings++;

  return mapping;
}

static void
remove_mapping (KhNatTable *self, KhNatMapping *mapping)
{
  KhNatMapping *head = kh_nat_table_find_mappings (self, mapping->protocol, &mapping->inside, &mapping->scope);
  KhNatMapping **link;

  for (link = &head; *link != mapping; link = &(*link)->next_inside)
    ;
  *link = mapping->next_inside;
  put (self->mappings, mapping->protocol, &mapping->inside, &mapping->scope, head);

  head = kh_nat_table_find_port (self, mapping->protocol, &mapping->outside);
  for (link = &head; *link != mapping; link = &(*link)->next_outside)
    ;
  *link = mapping->next_outside;
  put (self->ports, mapping->protocol, &mapping->outside, NULL, head);

  self->n_mappings--;
  g_free (mapping);
}

/* How many sessions of a mapping are with a remote address, whatever its port. */
static void
count_peer (KhNatTable *self, const KhNatMapping *mapping, const KhEndpoint *remote, int more)
{
  const KhEndpoint address = { .ip = remote->ip };
  int count = GPOINTER_TO_INT (get (self->peers, mapping->protocol, &mapping->outside, &address));

  put (self->peers, mapping->protocol, &mapping->outside, &address, GINT_TO_POINTER (count + more));
}

/**
 * kh_nat_table_knows_peer:
 * @self: a table
 * @mapping: a mapping of it
 * @remote: somebody
 *
 * Returns: whether the mapping has a session with that address, on any port; one that has just expired counts until the next
 *   sweep
 */
gboolean
kh_nat_table_knows_peer (KhNatTable *self, const KhNatMapping *mapping, const KhEndpoint *remote)
{
  const KhEndpoint address = { .ip = remote->ip };

  return get (self->peers, mapping->protocol, &mapping->outside, &address) != NULL;
}

/**
 * kh_nat_table_add_session:
 * @self: a table
 * @mapping: what it goes through
 * @remote: with whom; the inside endpoint has no session with it yet, through whatever mapping
 * @from_outside: whether the remote side begins
 *
 * Returns: (transfer none): the session, which is to be given a time to live
 */
KhNatSession *
kh_nat_table_add_session (KhNatTable *self, KhNatMapping *mapping, const KhEndpoint *remote, gboolean from_outside)
{
  KhNatSession *session = g_new0 (KhNatSession, 1);

  session->mapping = mapping;
  session->remote = *remote;
  session->from_outside = from_outside;
  session->next = mapping->sessions;
  if (session->next != NULL)
    session->next->previous = session;
  mapping->sessions = session;
  count_peer (self, mapping, remote, 1);
  put (self->inside, mapping->protocol, &mapping->inside, remote, session);
  put (self->outside, mapping->protocol, &mapping->outside, remote, session);

  return session;
}

/**
 * kh_nat_table_remove_session:
 * @self: a table
 * @session: (transfer full): a session of it
 *
 * Forgets a session, and with its last one the mapping.
 */
void
kh_nat_table_remove_session (KhNatTable *self, KhNatSession *session)
{
  KhNatMapping *mapping = session->mapping;

  if (session->next != NULL)
    session->next->previous = session->previous;
  if (session->previous != NULL)
    session->previous->next = session->next;
  else
    mapping->sessions = session->next;
  count_peer (self, mapping, &session->remote, -1);
  put (self->inside, mapping->protocol, &mapping->inside, &session->remote, NULL);
  put (self->outside, mapping->protocol, &mapping->outside, &session->remote, NULL);
  g_free (session);

  if (mapping->sessions == NULL && !mapping->forward)
    remove_mapping (self, mapping);
}

/**
 * kh_nat_table_sweep:
 * @self: a table
 * @now: monotonic microseconds
 *
 * Forgets what has expired, now and then.
 */
void
kh_nat_table_sweep (KhNatTable *self, gint64 now)
{
  g_autoptr (GPtrArray) expired = NULL;
  GHashTableIter iter;
  gpointer value;

  if (now < self->next_sweep)
    return;

  self->next_sweep = now + SWEEP_US;
  expired = g_ptr_array_new ();
  g_hash_table_iter_init (&iter, self->outside);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (((KhNatSession *) value)->expires <= now)
      g_ptr_array_add (expired, value);
  for (guint i = 0; i < expired->len; i++)
    kh_nat_table_remove_session (self, g_ptr_array_index (expired, i));
}

guint
kh_nat_table_count_mappings (KhNatTable *self)
{
  return self->n_mappings;
}

guint
kh_nat_table_count_sessions (KhNatTable *self)
{
  return g_hash_table_size (self->outside);
}
