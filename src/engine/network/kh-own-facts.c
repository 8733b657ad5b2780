/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-own-facts.h"

#include "kh-interfaces.h"

/* Systems tell of a change several times, while addresses and routes come one by one. */
#define SETTLE_MS 1000

/* Servers are not to be asked more often, however often the network changes. */
#define MIN_SECONDS_BETWEEN 10

/**
 * KhOwnFacts:
 *
 * What a session knows of its own network beyond the mapping of its port: from a check that runs beside it, and from what
 * earlier checks found here. Nobody waits for it: what is not known yet when the offer leaves is not in it. An invite may wait
 * for an hour, and the computer be carried to another network meanwhile: then it checks anew.
 */
struct _KhOwnFacts
{
  GObject parent_instance;

  KhTrace *trace;
  char **servers;
  KhFactsCache *cache;
  KhCheckExtent extent;
  KhCheck *check; /* the last one that began, NULL before the first */
  GCancellable *cancellable;
  gint64 started; /* monotonic µs */
  gboolean stopped;
  guint again_id;
};

G_DEFINE_FINAL_TYPE (KhOwnFacts, kh_own_facts, G_TYPE_OBJECT)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
kh_own_facts_dispose (GObject *object)
{
  KhOwnFacts *self = KH_OWN_FACTS (object);

  kh_own_facts_stop (self);
  g_clear_object (&self->check);
  g_clear_object (&self->cache);
  g_clear_object (&self->trace);

  G_OBJECT_CLASS (kh_own_facts_parent_class)->dispose (object);
}

static void
kh_own_facts_finalize (GObject *object)
{
  KhOwnFacts *self = KH_OWN_FACTS (object);

  g_object_unref (self->cancellable);
  g_strfreev (self->servers);

  G_OBJECT_CLASS (kh_own_facts_parent_class)->finalize (object);
}

static void
kh_own_facts_class_init (KhOwnFactsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_own_facts_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_own_facts_finalize;

  /**
   * KhOwnFacts::changed:
   *
   * Something more is known, or will not be known.
   */
  signals[SIGNAL_CHANGED] =
      g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_own_facts_init (KhOwnFacts *self)
{
  self->cancellable = g_cancellable_new ();
}

/**
 * kh_own_facts_new:
 * @trace: where the checks report
 * @servers: (array zero-terminated=1): STUN servers over TCP
 * @cache: what is known from before
 */
KhOwnFacts *
kh_own_facts_new (KhTrace *trace, const char *const *servers, KhFactsCache *cache)
{
  KhOwnFacts *self = g_object_new (KH_TYPE_OWN_FACTS, NULL);

  self->trace = g_object_ref (trace);
  self->servers = g_strdupv ((char **) servers);
  self->cache = g_object_ref (cache);
  return self;
}

static void
on_changed (KhCheck *check, KhOwnFacts *self)
{
  if (!self->stopped && check == self->check)
    g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
check (KhOwnFacts *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  g_clear_object (&self->check);
  self->check = kh_check_new (self->trace, (const char *const *) self->servers);
  kh_check_set_cache (self->check, self->cache);
  g_signal_connect_object (self->check, "changed", G_CALLBACK (on_changed), self, 0);
  self->started = g_get_monotonic_time ();
  kh_check_run_async (self->check, self->extent, self->cancellable, NULL, NULL);
}

static gboolean
on_again (gpointer user_data)
{
  KhOwnFacts *self = user_data;

  self->again_id = 0;
  if (kh_check_get_outside (self->check) == NULL || !kh_check_is_same_network (self->check))
    check (self);
  return G_SOURCE_REMOVE;
}

static void
on_network_changed (GNetworkMonitor *monitor, gboolean available, KhOwnFacts *self)
{
  gint64 since = (g_get_monotonic_time () - self->started) / 1000;

  if (self->stopped || self->again_id != 0)
    return;
  self->again_id = g_timeout_add (MAX (SETTLE_MS, MIN_SECONDS_BETWEEN * 1000 - since), on_again, self);
  g_source_set_name_by_id (self->again_id, "kh-own-facts again");
}

/**
 * kh_own_facts_start:
 * @extent: how much to check, at once and when the network has changed
 */
void
kh_own_facts_start (KhOwnFacts *self, KhCheckExtent extent)
{
  g_return_if_fail (KH_IS_OWN_FACTS (self) && self->check == NULL);

  self->extent = extent;
  g_signal_connect_object (g_network_monitor_get_default (), "network-changed", G_CALLBACK (on_network_changed), self,
                           0);
  check (self);
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

  self->stopped = TRUE;
  g_clear_handle_id (&self->again_id, g_source_remove);
  g_cancellable_cancel (self->cancellable);
}

/**
 * kh_own_facts_is_over:
 *
 * Returns: whether @finding is known, or will not be known
 */
gboolean
kh_own_facts_is_over (KhOwnFacts *self, KhFinding finding)
{
  g_return_val_if_fail (KH_IS_OWN_FACTS (self), TRUE);

  return self->check == NULL || kh_check_get_findings (self->check)->reasons[finding] != KH_REASON_NOT_YET;
}

/**
 * kh_own_facts_fill:
 * @outside: (nullable): how servers see us now
 * @facts: gets what it does not know and we do
 */
void
kh_own_facts_fill (KhOwnFacts *self, GInetSocketAddress *outside, KhFacts *facts)
{
  g_autoptr (KhInterfaces) interfaces = NULL;
  GInetSocketAddress *checked = self->check != NULL ? kh_check_get_outside (self->check) : NULL;
  GInetAddress *now = outside != NULL ? g_inet_socket_address_get_address (outside) : NULL;
  const KhFacts *before;

  g_return_if_fail (KH_IS_OWN_FACTS (self));

  if (now == NULL)
    return;

  if (checked != NULL && g_inet_address_equal (g_inet_socket_address_get_address (checked), now) &&
      kh_check_is_same_network (self->check))
    kh_facts_fill (facts, &kh_check_get_findings (self->check)->facts);
  interfaces = kh_interfaces_new_read ();
  before = kh_facts_cache_lookup (self->cache, kh_interfaces_get_gateway (interfaces), now);
  if (before != NULL)
    kh_facts_fill (facts, before);
}
