/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check.h"

#include "kh-address.h"
#include "kh-aftermath.h"
#include "kh-cancel.h"
#include "kh-deduce.h"
#include "kh-error.h"
#include "kh-hairpin.h"
#include "kh-idle.h"
#include "kh-interfaces.h"
#include "kh-json.h"
#include "kh-probe.h"
#include "kh-scout.h"
#include "kh-surroundings.h"

/* What has not ended by itself by then is left as it is. */
#define PATIENCE_MS 8000

/* The server closes what has idled for ten minutes. */
#define IDLE_LIMIT_SECONDS 540

/* Which fresh port is for what. Eight: so many samples tell how a router chooses ports. */
typedef enum
{
  PROBE_FILTER,
  PROBE_HAIRPIN,
  PROBE_HAIRPIN_TOO,
  PROBE_CROSSING,
  PROBE_BARE_SYN,
  PROBE_FIN,
  PROBE_RST,
  PROBE_CONTROL,
  N_PROBES
} Which;

/**
 * KhCheck:
 *
 * Finds out what this network does with TCP. Each test has a fresh local port of its own, so that none spoils another, and
 * all run side by side as soon as what they need is known:
 *
 *     scout (which server? one port, seen from several places) ── mapping ──┬─ crossing, bare SYN
 *       └─ eight probes ─┬─ allocation                                      │
 *                        ├─ hairpin                                         │
 *                        └─ filtering, stranger (the server dials us) ──────┴─ after FIN, after RST
 *     surroundings (hops, router, interfaces, IPv6)
 *
 * The server's dials to a port come before anything else leaves from that port: they ask for whom it is open while only the
 * server was dialled.
 */
struct _KhCheck
{
  GObject parent_instance;

  KhTrace *trace;
  char **servers;
  KhFactsCache *cache;
  KhCheckExtent extent;
  KhFindings findings;
  KhScout *scout;
  KhSurroundings *surroundings;
  KhProbe *probes[N_PROBES];
  guint asking; /* probes that have no answer yet */
  KhDialOutcome port_outcome;
  KhDialOutcome address_outcome;
  guint dial_backs; /* of the filter's probe that are under way */
  gboolean closing; /* the FIN's probe has sent one, and has none yet */
  gboolean scouted;
  GInetSocketAddress *inside;
  GInetSocketAddress *outside;
  GTask *task;
  GCancellable *cancellable;
  GSource *cancel_source;
  guint deadline_id;
  gulong network_id;
};

G_DEFINE_FINAL_TYPE (KhCheck, kh_check, G_TYPE_OBJECT)

enum
{
  SIGNAL_CHANGED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void stop (KhCheck *self);

static void
kh_check_dispose (GObject *object)
{
  stop (KH_CHECK (object));

  G_OBJECT_CLASS (kh_check_parent_class)->dispose (object);
}

static void
kh_check_finalize (GObject *object)
{
  KhCheck *self = KH_CHECK (object);

  g_object_unref (self->trace);
  g_clear_object (&self->cache);
  g_strfreev (self->servers);
  g_clear_object (&self->inside);
  g_clear_object (&self->outside);
  g_clear_object (&self->cancellable);

  G_OBJECT_CLASS (kh_check_parent_class)->finalize (object);
}

static void
kh_check_class_init (KhCheckClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_check_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_check_finalize;

  /**
   * KhCheck::changed:
   *
   * Something is known that was not, or will not be known.
   */
  signals[SIGNAL_CHANGED] =
      g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_check_init (KhCheck *self)
{
  kh_findings_init (&self->findings);
}

/**
 * kh_check_new:
 * @trace: where to report
 * @servers: (array zero-terminated=1): STUN servers over TCP, `HOST` or `HOST:PORT`
 *
 * Returns: (transfer full): a check that has not run yet; one object is one run
 */
KhCheck *
kh_check_new (KhTrace *trace, const char *const *servers)
{
  KhCheck *self = g_object_new (KH_TYPE_CHECK, NULL);

  self->trace = g_object_ref (trace);
  self->servers = g_strdupv ((char **) servers);
  return self;
}

/**
 * kh_check_set_cache:
 * @cache: gets what a whole check has found
 */
void
kh_check_set_cache (KhCheck *self, KhFactsCache *cache)
{
  g_return_if_fail (KH_IS_CHECK (self));

  g_set_object (&self->cache, cache);
}

/* --- what is found ------------------------------------------------------------------------------------------ */

static gboolean
is_quick (KhFinding finding)
{
  return finding == KH_FINDING_MAPPING || finding == KH_FINDING_FILTERING || finding == KH_FINDING_ALLOCATION ||
         finding == KH_FINDING_STRANGER;
}

static gboolean
is_open (KhCheck *self, KhFinding finding)
{
  return self->task != NULL && self->findings.reasons[finding] == KH_REASON_NOT_YET;
}

static gboolean
is_over (KhCheck *self)
{
  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (self->findings.reasons[i] == KH_REASON_NOT_YET)
      return FALSE;
  return TRUE;
}

/* Part of a check would stand in the way of a whole one. */
static void
keep (KhCheck *self)
{
  g_autoptr (KhInterfaces) interfaces = NULL;

  if (self->cache == NULL || self->outside == NULL || self->extent == KH_CHECK_QUICK)
    return;

  interfaces = kh_interfaces_new_read ();
  kh_facts_cache_store (self->cache, kh_interfaces_get_gateway (interfaces),
                        g_inet_socket_address_get_address (self->outside), &self->findings.facts);
}

/* Ends the task; all that is still open stays unknown for @reason. */
static void
finish (KhCheck *self, KhReason reason)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);
  gboolean answered = self->outside != NULL || kh_facts_is (&self->findings.facts, KH_FACT_IPV6, "yes");

  if (task == NULL)
    return;

  if (is_over (self))
    keep (self);
  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (self->findings.reasons[i] == KH_REASON_NOT_YET)
      self->findings.reasons[i] = reason;
  kh_findings_tidy (&self->findings);
  stop (self);
  kh_trace_add (self->trace, "check.done", "facts:o reasons:o", kh_facts_to_json (&self->findings.facts),
                kh_findings_to_reasons (&self->findings));
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (answered)
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_new_error (task, KH_ERROR, KH_ERROR_SERVER_UNREACHABLE,
                             "No STUN server answered. Check the internet connection, or name another server.");
}

/* Systems tell of many changes, and not of all; what counts is whether packets still leave by the same address. */
static gboolean
is_same_network (KhCheck *self)
{
  g_autoptr (GInetSocketAddress) local = NULL;
  KhStunClient *chosen = self->scout != NULL ? kh_scout_get_chosen (self->scout) : NULL;

  if (chosen == NULL || self->inside == NULL || self->probes[PROBE_CONTROL] == NULL)
    return TRUE;

  local = kh_port_local_for (kh_probe_get_port (self->probes[PROBE_CONTROL]), kh_stun_client_get_server (chosen), NULL);
  return local != NULL && g_inet_address_equal (g_inet_socket_address_get_address (local),
                                                g_inet_socket_address_get_address (self->inside));
}

/* One finding is over. Silence means nothing when the cable was pulled. */
static void
conclude (KhCheck *self, KhFinding finding, KhReason reason)
{
  if (!is_open (self, finding))
    return;
  if (!is_same_network (self))
    {
      finish (self, KH_REASON_NETWORK_CHANGED);
      return;
    }

  self->findings.reasons[finding] = reason;
  kh_trace_add (self->trace, "check.found", "fact:s reason:s", kh_finding_name (finding), kh_reason_name (reason));
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  if (is_over (self))
    finish (self, KH_REASON_STOPPED);
}

static void
conclude_tests (KhCheck *self, KhReason reason)
{
  static const KhFinding tests[] = {
    KH_FINDING_FILTERING, KH_FINDING_ALLOCATION,    KH_FINDING_STRANGER,  KH_FINDING_SIMULTANEOUS_OPEN,
    KH_FINDING_BARE_SYN,  KH_FINDING_HAIRPIN,       KH_FINDING_AFTER_FIN, KH_FINDING_AFTER_RST,
    KH_FINDING_IDLE,      KH_FINDING_HOST_FIREWALL,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (tests); i++)
    conclude (self, tests[i], reason);
}

/* --- after FIN, after RST ----------------------------------------------------------------------------------- */

static void
on_aftermath (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;
  gboolean fin = KH_PROBE (source) == self->probes[PROBE_FIN];
  KhReason reason;
  const char *word;

  if (!kh_aftermath_finish (KH_PROBE (source), result, &reason, &word, NULL))
    return;
  if (reason == KH_REASON_KNOWN && self->task != NULL)
    kh_facts_set (&self->findings.facts, fin ? KH_FACT_AFTER_FIN : KH_FACT_AFTER_RST, word);
  conclude (self, fin ? KH_FINDING_AFTER_FIN : KH_FINDING_AFTER_RST, reason);
}

/* Then another destination has another port whatever is left of this one. */
static gboolean
depends_on_destination (KhCheck *self)
{
  return kh_facts_is (&self->findings.facts, KH_FACT_MAPPING, "address-dependent") ||
         kh_facts_is (&self->findings.facts, KH_FACT_MAPPING, "address-and-port-dependent");
}

static void
look_at_aftermath (KhCheck *self)
{
  const KhAftermathWay way = {
    .elsewhere = kh_scout_get_elsewhere (self->scout),
    .control = self->probes[PROBE_CONTROL] != NULL ? kh_probe_get_client (self->probes[PROBE_CONTROL]) : NULL,
    .lets_in = self->probes[PROBE_CONTROL] != NULL && self->port_outcome.reason == KH_REASON_KNOWN &&
               self->port_outcome.result == KH_DIAL_CONNECTED,
    .doubt = self->port_outcome.reason,
    .preserving = !kh_facts_knows (&self->findings.facts, KH_FACT_ALLOCATION) ||
                  kh_facts_is (&self->findings.facts, KH_FACT_ALLOCATION, "preserving"),
  };
  static const Which probes[] = { PROBE_FIN, PROBE_RST };

  if (!is_open (self, KH_FINDING_AFTER_FIN))
    return;
  if (way.elsewhere == NULL || depends_on_destination (self))
    {
      KhReason reason = way.elsewhere == NULL ? KH_REASON_ONE_ADDRESS : KH_REASON_MAPPING_DIFFERS;

      conclude (self, KH_FINDING_AFTER_FIN, reason);
      conclude (self, KH_FINDING_AFTER_RST, reason);
      return;
    }

  for (gsize i = 0; i < G_N_ELEMENTS (probes); i++)
    if (self->probes[probes[i]] != NULL && kh_probe_get_outside (self->probes[probes[i]]) != NULL)
      kh_aftermath_async (self->probes[probes[i]], &way, self->cancellable, on_aftermath, g_object_ref (self));
    else
      conclude (self, probes[i] == PROBE_FIN ? KH_FINDING_AFTER_FIN : KH_FINDING_AFTER_RST, KH_REASON_SERVER_SILENT);
}

/* It needs to know who is let in, how ports are chosen, and a second place to dial; and both FINs have to be through. */
static void
maybe_look_at_aftermath (KhCheck *self)
{
  if (self->scouted && self->asking == 0 && self->dial_backs == 0 && !self->closing &&
      !is_open (self, KH_FINDING_FILTERING) && !is_open (self, KH_FINDING_ALLOCATION))
    look_at_aftermath (self);
}

static void
on_fin_answered (KhStunClient *client, KhCheck *self)
{
  g_autoptr (KhCheck) alive = g_object_ref (self);

  self->closing = FALSE;
  maybe_look_at_aftermath (alive);
}

static void
end_connection (KhCheck *self, Which which)
{
  KhStunClient *client = kh_probe_get_client (self->probes[which]);

  if (which == PROBE_RST)
    {
      kh_stun_client_reset (client);
      return;
    }
  self->closing = TRUE;
  g_signal_connect_object (client, "closed", G_CALLBACK (on_fin_answered), self, 0);
  kh_stun_client_shut_down (client);
}

/* --- filtering and strangers -------------------------------------------------------------------------------- */

static void
on_dialled_back (KhCheck *self, KhProbe *probe, GAsyncResult *result, KhDialOutcome *outcome)
{
  if (!kh_knock_finish (probe, result, outcome, NULL) || --self->dial_backs > 0 || self->task == NULL)
    return;

  conclude (self, KH_FINDING_FILTERING,
            kh_deduce_filtering (&self->port_outcome, &self->address_outcome, &self->findings.facts));
  if (self->task == NULL)
    return;
  conclude (self, KH_FINDING_STRANGER,
            kh_deduce_stranger (&self->port_outcome, &self->address_outcome, &self->findings.facts));
  if (self->task == NULL)
    return;
  if (is_open (self, KH_FINDING_HOST_FIREWALL) &&
      (kh_facts_is (&self->findings.facts, KH_FACT_STRANGER, "open") || self->port_outcome.result == KH_DIAL_CONNECTED))
    {
      kh_facts_set (&self->findings.facts, KH_FACT_HOST_FIREWALL, "no");
      conclude (self, KH_FINDING_HOST_FIREWALL, KH_REASON_KNOWN);
    }
  else
    conclude (self, KH_FINDING_HOST_FIREWALL, KH_REASON_AMBIGUOUS);
  maybe_look_at_aftermath (self);
}

static void
on_port_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;

  on_dialled_back (self, KH_PROBE (source), result, &self->port_outcome);
}

static void
on_address_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;

  on_dialled_back (self, KH_PROBE (source), result, &self->address_outcome);
}

/* Right behind the first question: that saves a round trip. */
static void
look_at_filtering (KhStunClient *control, KhCheck *self)
{
  KhProbe *probe = self->probes[PROBE_FILTER];

  self->dial_backs = 2;
  kh_knock_async (probe, control, KH_DIAL_PORT, self->cancellable, on_port_dialled, g_object_ref (self));
  kh_knock_async (probe, control, KH_DIAL_ADDRESS, self->cancellable, on_address_dialled, g_object_ref (self));
}

/* --- holes -------------------------------------------------------------------------------------------------- */

static void
on_hole (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;
  gboolean crossing = KH_PROBE (source) == self->probes[PROBE_CROSSING];
  KhDialOutcome outcome;

  if (!kh_knock_finish (KH_PROBE (source), result, &outcome, NULL) || self->task == NULL)
    return;
  conclude (self, crossing ? KH_FINDING_SIMULTANEOUS_OPEN : KH_FINDING_BARE_SYN,
            kh_deduce_hole (&outcome, self->findings.reasons[KH_FINDING_MAPPING],
                            crossing ? KH_FACT_SIMULTANEOUS_OPEN : KH_FACT_BARE_SYN, &self->findings.facts));
}

/* The server aims at the mapping that it knows. Where every port of the server has another one it cannot know the one of the
 * hole. */
static void
look_at_hole (KhCheck *self, Which which)
{
  KhFinding finding = which == PROBE_CROSSING ? KH_FINDING_SIMULTANEOUS_OPEN : KH_FINDING_BARE_SYN;
  KhProbe *probe = self->probes[which];

  if (!is_open (self, finding) || is_open (self, KH_FINDING_MAPPING) || probe == NULL ||
      kh_stun_client_get_cookie (kh_probe_get_client (probe)) == NULL)
    return;
  if (kh_facts_is (&self->findings.facts, KH_FACT_MAPPING, "address-and-port-dependent"))
    conclude (self, finding, KH_REASON_MAPPING_DIFFERS);
  else
    kh_knock_async (probe, kh_probe_get_client (probe), which == PROBE_CROSSING ? KH_DIAL_CROSSING : KH_DIAL_BARE_SYN,
                    self->cancellable, on_hole, g_object_ref (self));
}

/* --- idle --------------------------------------------------------------------------------------------------- */

static void
on_idle_measured (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;
  KhReason reason;
  int seconds;

  if (!kh_idle_measure_finish (result, &reason, &seconds, NULL) || self->task == NULL)
    return;
  if (reason == KH_REASON_KNOWN)
    self->findings.facts.numbers[KH_FACT_IDLE_SECONDS] = seconds;
  conclude (self, KH_FINDING_IDLE, reason);
}

static void
look_at_idle (KhCheck *self, KhStunClient *chosen)
{
  if (!is_open (self, KH_FINDING_IDLE))
    return;
  if (kh_stun_client_get_cookie (chosen) == NULL)
    conclude (self, KH_FINDING_IDLE, KH_REASON_NO_DIAL_BACK);
  else
    kh_idle_measure_async (kh_stun_client_get_server (chosen), IDLE_LIMIT_SECONDS, self->cancellable, on_idle_measured,
                           g_object_ref (self));
}

/* --- hairpin ------------------------------------------------------------------------------------------------ */

static void
on_hairpin (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;
  gboolean connects;

  if (!kh_hairpin_finish (KH_PROBE (source), result, &connects, NULL) || self->task == NULL)
    return;
  kh_facts_set (&self->findings.facts, KH_FACT_HAIRPIN, connects ? "yes" : "no");
  conclude (self, KH_FINDING_HAIRPIN, KH_REASON_KNOWN);
}

static void
look_at_hairpin (KhCheck *self)
{
  KhProbe *one = self->probes[PROBE_HAIRPIN];
  KhProbe *other = self->probes[PROBE_HAIRPIN_TOO];

  if (!is_open (self, KH_FINDING_HAIRPIN) || one == NULL || other == NULL || kh_probe_get_outside (one) == NULL ||
      kh_probe_get_outside (other) == NULL)
    return;
  /* Without a NAT the way never leaves this computer. */
  if (kh_address_equal (G_SOCKET_ADDRESS (kh_probe_get_outside (one)),
                        G_SOCKET_ADDRESS (kh_stun_client_get_local (kh_probe_get_client (one)))))
    conclude (self, KH_FINDING_HAIRPIN, KH_REASON_NO_NAT);
  else
    kh_hairpin_async (one, other, self->cancellable, on_hairpin, g_object_ref (self));
}

/* --- the probes --------------------------------------------------------------------------------------------- */

static void maybe_count_nats (KhCheck *self);

static void
look_at_allocation (KhCheck *self)
{
  KhSample samples[N_PROBES + 1];
  guint n = 0;
  KhSightings sightings;

  kh_scout_see (self->scout, &sightings);
  if (sightings.first != NULL)
    samples[n++] = (KhSample){ kh_scout_get_port (self->scout), g_inet_socket_address_get_port (sightings.first) };
  for (Which i = 0; i < N_PROBES; i++)
    if (self->probes[i] != NULL && kh_probe_get_outside (self->probes[i]) != NULL)
      samples[n++] = (KhSample){ kh_port_get_number (kh_probe_get_port (self->probes[i])),
                                 g_inet_socket_address_get_port (kh_probe_get_outside (self->probes[i])) };
  conclude (self, KH_FINDING_ALLOCATION, kh_deduce_allocation (samples, n, &self->findings.facts));
  maybe_count_nats (self);
}

/* Without an answer on its port a test cannot be made. */
static void
give_up (KhCheck *self, Which which, KhReason reason)
{
  switch (which)
    {
    case PROBE_FILTER:
      self->port_outcome = (KhDialOutcome){ reason, KH_DIAL_UNKNOWN };
      conclude (self, KH_FINDING_FILTERING, reason);
      conclude (self, KH_FINDING_STRANGER, reason);
      conclude (self, KH_FINDING_HOST_FIREWALL, reason);
      break;
    case PROBE_HAIRPIN:
    case PROBE_HAIRPIN_TOO:
      conclude (self, KH_FINDING_HAIRPIN, reason);
      break;
    case PROBE_CROSSING:
      conclude (self, KH_FINDING_SIMULTANEOUS_OPEN, reason);
      break;
    case PROBE_BARE_SYN:
      conclude (self, KH_FINDING_BARE_SYN, reason);
      break;
    case PROBE_FIN:
    case PROBE_RST:
    case PROBE_CONTROL:
    case N_PROBES:
    default:
      break;
    }
}

static void
start_test (KhCheck *self, Which which)
{
  if (kh_stun_client_get_cookie (kh_probe_get_client (self->probes[which])) == NULL && which != PROBE_HAIRPIN &&
      which != PROBE_HAIRPIN_TOO)
    give_up (self, which, KH_REASON_NO_DIAL_BACK);
  if (which == PROBE_HAIRPIN || which == PROBE_HAIRPIN_TOO)
    look_at_hairpin (self);
  else if (which == PROBE_CROSSING || which == PROBE_BARE_SYN)
    look_at_hole (self, which);
  else if (which == PROBE_FIN || which == PROBE_RST)
    end_connection (self, which);
}

static void
on_probe_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;
  gboolean answered = kh_probe_ask_finish (KH_PROBE (source), result, NULL);
  Which which = 0;

  if (self->task == NULL)
    return;
  while (which < N_PROBES && self->probes[which] != KH_PROBE (source))
    which++;
  self->asking--;
  if (answered)
    start_test (self, which);
  else
    give_up (self, which, KH_REASON_SERVER_SILENT);
  if (self->task != NULL && self->asking == 0)
    look_at_allocation (self);
  if (self->task != NULL)
    maybe_look_at_aftermath (self);
}

static void
send_probes (KhCheck *self, GInetSocketAddress *server)
{
  for (Which i = 0; i < N_PROBES; i++)
    {
      self->probes[i] = kh_probe_new (server, NULL);
      if (self->probes[i] == NULL)
        {
          give_up (self, i, KH_REASON_LOCAL);
          continue;
        }
      self->asking++;
      if (i == PROBE_FILTER && kh_stun_client_get_cookie (kh_scout_get_chosen (self->scout)) != NULL)
        g_signal_connect_object (kh_probe_get_client (self->probes[i]), "connected", G_CALLBACK (look_at_filtering),
                                 self, 0);
      kh_probe_ask_async (self->probes[i], on_probe_asked, g_object_ref (self));
    }
}

/* --- the way there ------------------------------------------------------------------------------------------ */

/* From all that has been seen of the way. */
static void
maybe_count_nats (KhCheck *self)
{
  KhReason reasons[2];

  if (!is_open (self, KH_FINDING_DOUBLE_NAT) || is_open (self, KH_FINDING_MAPPING) ||
      is_open (self, KH_FINDING_ALLOCATION) || is_open (self, KH_FINDING_NAT_DEPTH) ||
      is_open (self, KH_FINDING_ROUTER))
    return;

  kh_deduce_nats (&self->findings.facts, self->outside, self->findings.reasons[KH_FINDING_NAT_DEPTH], reasons);
  if (self->findings.facts.numbers[KH_FACT_NAT_DEPTH] != KH_FACT_NUMBER_UNKNOWN)
    self->findings.reasons[KH_FINDING_NAT_DEPTH] = KH_REASON_KNOWN;
  conclude (self, KH_FINDING_DOUBLE_NAT, reasons[0]);
  conclude (self, KH_FINDING_CARRIER_NAT, reasons[1]);
}

static void
on_surroundings_found (KhSurroundings *surroundings, guint finding, KhCheck *self)
{
  if (self->task == NULL)
    return;
  kh_facts_fill (&self->findings.facts, kh_surroundings_get_facts (surroundings));
  conclude (self, finding, kh_surroundings_get_reason (surroundings, finding));
  maybe_count_nats (self);
}

static void
on_chosen (KhScout *scout, KhCheck *self)
{
  KhStunClient *chosen = kh_scout_get_chosen (scout);
  GInetSocketAddress *server = kh_stun_client_get_server (chosen);
  g_autofree char *name = kh_address_to_text (G_SOCKET_ADDRESS (server));
  g_autofree char *local = NULL;
  g_autofree char *outside = NULL;

  g_set_object (&self->inside, kh_stun_client_get_local (chosen));
  g_set_object (&self->outside, kh_stun_client_get_outside (chosen));
  local = kh_address_to_text (G_SOCKET_ADDRESS (self->inside));
  outside = kh_address_to_text (G_SOCKET_ADDRESS (self->outside));
  kh_trace_add (self->trace, "check.mapping", "server:s local:s outside:s rtt_ms:l", name, local, outside,
                kh_stun_client_get_rtt (chosen));
  send_probes (self, server);
  look_at_idle (self, chosen);
  if (self->surroundings != NULL)
    kh_surroundings_look (self->surroundings, chosen);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
on_scouted (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhCheck) self = user_data;
  KhSightings sightings;
  gboolean answered = kh_scout_run_finish (KH_SCOUT (source), result, NULL);

  if (self->task == NULL)
    return;

  self->scouted = TRUE;
  kh_scout_see (self->scout, &sightings);
  conclude (self, KH_FINDING_MAPPING, kh_deduce_mapping (&sightings, &self->findings.facts));
  if (!answered)
    conclude_tests (self, KH_REASON_NO_SERVER);
  if (!answered && self->task != NULL && self->surroundings != NULL)
    kh_surroundings_look (self->surroundings, NULL);
  maybe_count_nats (self);
  if (self->task != NULL && self->surroundings != NULL)
    kh_surroundings_look_v6 (self->surroundings, kh_scout_get_v6_server (self->scout));
  if (self->task != NULL)
    look_at_hole (self, PROBE_CROSSING);
  if (self->task != NULL)
    look_at_hole (self, PROBE_BARE_SYN);
  if (self->task != NULL)
    maybe_look_at_aftermath (self);
}

/* --- beginning and end -------------------------------------------------------------------------------------- */

static void
stop (KhCheck *self)
{
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  g_cancellable_cancel (self->cancellable);
  kh_cancel_unwatch (&self->cancel_source);
  if (self->network_id != 0)
    g_signal_handler_disconnect (g_network_monitor_get_default (), self->network_id);
  self->network_id = 0;
  for (Which i = 0; i < N_PROBES; i++)
    if (self->probes[i] != NULL)
      {
        kh_probe_close (self->probes[i]);
        g_clear_object (&self->probes[i]);
      }
  if (self->scout != NULL)
    kh_scout_close (self->scout);
  if (self->surroundings != NULL)
    kh_surroundings_close (self->surroundings);
  g_clear_object (&self->scout);
  g_clear_object (&self->surroundings);
}

static gboolean
on_deadline (gpointer user_data)
{
  g_autoptr (KhCheck) self = g_object_ref (KH_CHECK (user_data));

  self->deadline_id = 0;
  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (i != KH_FINDING_IDLE)
      conclude (self, i, KH_REASON_SERVER_SILENT);
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (KhCheck) self = g_object_ref (KH_CHECK (user_data));

  finish (self, KH_REASON_STOPPED);
  return G_SOURCE_REMOVE;
}

static void
on_network_changed (GNetworkMonitor *monitor, gboolean available, KhCheck *self)
{
  g_autoptr (KhCheck) alive = g_object_ref (self);

  if (!is_same_network (alive))
    finish (alive, KH_REASON_NETWORK_CHANGED);
}

static void
watch (KhCheck *self, GCancellable *cancellable)
{
  self->deadline_id = g_timeout_add (PATIENCE_MS, on_deadline, self);
  g_source_set_name_by_id (self->deadline_id, "kh-check deadline");
  self->network_id =
      g_signal_connect (g_network_monitor_get_default (), "network-changed", G_CALLBACK (on_network_changed), self);
  self->cancel_source = kh_cancel_watch (cancellable, on_cancelled, self);
}

/**
 * kh_check_run_async:
 * @extent: how much
 * @cancellable: (nullable): ends it; what is known by then stays known
 * @callback: called once, within eight seconds but for %KH_CHECK_LONG
 * @user_data: for @callback
 *
 * Runs the check, once for each object.
 */
void
kh_check_run_async (KhCheck *self, KhCheckExtent extent, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_return_if_fail (KH_IS_CHECK (self) && self->cancellable == NULL);

  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, kh_check_run_async);
  self->cancellable = g_cancellable_new ();
  self->extent = extent;
  for (int i = 0; i < KH_N_FINDINGS; i++)
    if ((extent == KH_CHECK_QUICK && !is_quick (i)) || (extent != KH_CHECK_LONG && i == KH_FINDING_IDLE))
      self->findings.reasons[i] = KH_REASON_NOT_ASKED;
  watch (self, cancellable);

  self->scout = kh_scout_new ((const char *const *) self->servers, NULL);
  if (self->scout == NULL)
    {
      finish (self, KH_REASON_LOCAL);
      return;
    }
  if (extent != KH_CHECK_QUICK)
    {
      self->surroundings = kh_surroundings_new ();
      g_signal_connect_object (self->surroundings, "found", G_CALLBACK (on_surroundings_found), self, 0);
    }
  g_signal_connect_object (self->scout, "chosen", G_CALLBACK (on_chosen), self, 0);
  kh_scout_run_async (self->scout, self->cancellable, on_scouted, g_object_ref (self));
}

/**
 * kh_check_run_finish:
 *
 * Returns: %TRUE when a server answered, however little is known; else %FALSE with %KH_ERROR_SERVER_UNREACHABLE or
 *   %G_IO_ERROR_CANCELLED. The findings are there in any case.
 */
gboolean
kh_check_run_finish (KhCheck *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * kh_check_get_findings:
 *
 * Returns: (transfer none): what is known now
 */
const KhFindings *
kh_check_get_findings (KhCheck *self)
{
  g_return_val_if_fail (KH_IS_CHECK (self), NULL);

  return &self->findings;
}

/**
 * kh_check_get_inside:
 *
 * Returns: (transfer none) (nullable): the inside address of the public mapping
 */
GInetSocketAddress *
kh_check_get_inside (KhCheck *self)
{
  g_return_val_if_fail (KH_IS_CHECK (self), NULL);

  return self->inside;
}

/**
 * kh_check_get_outside:
 *
 * Returns: (transfer none) (nullable): its outside address, as the server that was chosen sees it
 */
GInetSocketAddress *
kh_check_get_outside (KhCheck *self)
{
  g_return_val_if_fail (KH_IS_CHECK (self), NULL);

  return self->outside;
}
