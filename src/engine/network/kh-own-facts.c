/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-own-facts.h"

#include "kh-interfaces.h"

/**
 * KhOwnFacts:
 *
 * What a session knows of its own network beyond the mapping of its port: from a check that runs beside it, and from what
 * earlier checks found here. Nobody waits for it: what is not known yet when the offer leaves is not in it.
 */
struct _KhOwnFacts
{
  GObject parent_instance;

  KhCheck *check;
  KhFactsCache *cache;
  GInetAddress *gateway;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (KhOwnFacts, kh_own_facts, G_TYPE_OBJECT)

static void
kh_own_facts_dispose (GObject *object)
{
  KhOwnFacts *self = KH_OWN_FACTS (object);

  kh_own_facts_stop (self);
  g_clear_object (&self->check);
  g_clear_object (&self->cache);
  g_clear_object (&self->gateway);

  G_OBJECT_CLASS (kh_own_facts_parent_class)->dispose (object);
}

static void
kh_own_facts_finalize (GObject *object)
{
  g_object_unref (KH_OWN_FACTS (object)->cancellable);

  G_OBJECT_CLASS (kh_own_facts_parent_class)->finalize (object);
}

static void
kh_own_facts_class_init (KhOwnFactsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_own_facts_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_own_facts_finalize;
}

static void
kh_own_facts_init (KhOwnFacts *self)
{
  g_autoptr (KhInterfaces) interfaces = kh_interfaces_new_read ();
  GInetAddress *gateway = kh_interfaces_get_gateway (interfaces);

  self->gateway = gateway != NULL ? g_object_ref (gateway) : NULL;
  self->cancellable = g_cancellable_new ();
}

/**
 * kh_own_facts_new:
 * @trace: where the check reports
 * @servers: (array zero-terminated=1): STUN servers over TCP
 * @cache: what is known from before
 */
KhOwnFacts *
kh_own_facts_new (KhTrace *trace, const char *const *servers, KhFactsCache *cache)
{
  KhOwnFacts *self = g_object_new (KH_TYPE_OWN_FACTS, NULL);

  self->check = kh_check_new (trace, servers);
  kh_check_set_cache (self->check, cache);
  self->cache = g_object_ref (cache);
  return self;
}

/**
 * kh_own_facts_start:
 * @extent: how much to check, once
 */
void
kh_own_facts_start (KhOwnFacts *self, KhCheckExtent extent)
{
  g_return_if_fail (KH_IS_OWN_FACTS (self));

  kh_check_run_async (self->check, extent, self->cancellable, NULL, NULL);
}

/**
 * kh_own_facts_stop:
 *
 * Ends the check. What it has found stays. Harmless when done twice.
 */
void
kh_own_facts_stop (KhOwnFacts *self)
{
  g_return_if_fail (KH_IS_OWN_FACTS (self));

  g_cancellable_cancel (self->cancellable);
}

/**
 * kh_own_facts_fill:
 * @outside: (nullable): how servers see us now
 * @facts: gets what it does not know and we do
 */
void
kh_own_facts_fill (KhOwnFacts *self, GInetSocketAddress *outside, KhFacts *facts)
{
  GInetSocketAddress *checked = kh_check_get_outside (self->check);
  GInetAddress *now = outside != NULL ? g_inet_socket_address_get_address (outside) : NULL;
  const KhFacts *before;

  g_return_if_fail (KH_IS_OWN_FACTS (self));

  if (now == NULL)
    return;

  /* An invite may wait for an hour, and the computer be carried to another network meanwhile. */
  if (checked != NULL && g_inet_address_equal (g_inet_socket_address_get_address (checked), now))
    kh_facts_fill (facts, &kh_check_get_findings (self->check)->facts);
  before = kh_facts_cache_lookup (self->cache, self->gateway, now);
  if (before != NULL)
    kh_facts_fill (facts, before);
}
