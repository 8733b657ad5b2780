/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-facts-cache.h"

#define MAX_NETWORKS 32

/* A router may be given other settings, and a provider other ones as well. */
#define MAX_AGE_US (6 * G_TIME_SPAN_HOUR)

/**
 * KhFactsCache:
 *
 * What network checks have found in the networks that this program has been in: a network is known by its gateway and our
 * outside address. It lives as long as the program: nothing tells later where this computer has been.
 */
struct _KhFactsCache
{
  GObject parent_instance;

  GHashTable *networks; /* text → Entry */
  gulong network_id;
};

typedef struct
{
  KhFacts facts;
  gint64 stored_at;
} Entry;

G_DEFINE_FINAL_TYPE (KhFactsCache, kh_facts_cache, G_TYPE_OBJECT)

static void
kh_facts_cache_finalize (GObject *object)
{
  KhFactsCache *self = KH_FACTS_CACHE (object);

  g_signal_handler_disconnect (g_network_monitor_get_default (), self->network_id);
  g_hash_table_unref (self->networks);

  G_OBJECT_CLASS (kh_facts_cache_parent_class)->finalize (object);
}

static void
kh_facts_cache_class_init (KhFactsCacheClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = kh_facts_cache_finalize;
}

static void
kh_facts_cache_init (KhFactsCache *self)
{
  self->networks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  /* The same gateway and outside address after a change may stand for another way, a VPN for one. */
  self->network_id = g_signal_connect_swapped (g_network_monitor_get_default (), "network-changed",
                                               G_CALLBACK (g_hash_table_remove_all), self->networks);
}

KhFactsCache *
kh_facts_cache_new (void)
{
  return g_object_new (KH_TYPE_FACTS_CACHE, NULL);
}

static char *
make_key (GInetAddress *gateway, GInetAddress *outside)
{
  g_autofree char *from = gateway != NULL ? g_inet_address_to_string (gateway) : g_strdup ("-");
  g_autofree char *to = g_inet_address_to_string (outside);

  return g_strdup_printf ("%s %s", from, to);
}

static gboolean
is_old (gpointer key, gpointer value, gpointer user_data)
{
  return g_get_monotonic_time () - ((Entry *) value)->stored_at > MAX_AGE_US;
}

/**
 * kh_facts_cache_store:
 * @gateway: (nullable): the router
 * @outside: how servers see us
 * @facts: what a check has found
 */
void
kh_facts_cache_store (KhFactsCache *self, GInetAddress *gateway, GInetAddress *outside, const KhFacts *facts)
{
  Entry *entry;

  g_return_if_fail (KH_IS_FACTS_CACHE (self));

  g_hash_table_foreach_remove (self->networks, is_old, NULL);
  if (g_hash_table_size (self->networks) >= MAX_NETWORKS)
    g_hash_table_remove_all (self->networks);
  entry = g_new (Entry, 1);
  entry->facts = *facts;
  entry->stored_at = g_get_monotonic_time ();
  g_hash_table_replace (self->networks, make_key (gateway, outside), entry);
}

/**
 * kh_facts_cache_lookup:
 * @gateway: (nullable): the router
 * @outside: how servers see us
 *
 * Returns: (transfer none) (nullable): what is known of that network, until the cache changes
 */
const KhFacts *
kh_facts_cache_lookup (KhFactsCache *self, GInetAddress *gateway, GInetAddress *outside)
{
  g_autofree char *key = make_key (gateway, outside);
  Entry *entry;

  g_return_val_if_fail (KH_IS_FACTS_CACHE (self), NULL);

  entry = g_hash_table_lookup (self->networks, key);
  return entry != NULL && !is_old (NULL, entry, NULL) ? &entry->facts : NULL;
}
