/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check.h"

#include "kh-address.h"
#include "kh-cancel.h"
#include "kh-deduce.h"
#include "kh-error.h"
#include "kh-idle.h"
#include "kh-interfaces.h"
#include "kh-json.h"
#include "kh-port-tests.h"
#include "kh-scout.h"
#include "kh-surroundings.h"
#include "kh-way.h"

/* What has not ended by itself by then is left as it is. */
#define PATIENCE_MS 8000

/* The server closes what has idled for ten minutes. */
#define IDLE_LIMIT_SECONDS 540

/**
 * KhCheck:
 *
 * Finds out what this network does with TCP. Three rooms look, side by side, and this one puts together what they find:
 *
 *     scout (which server? one port, seen from several places) ── mapping ──┐
 *       ├─ port tests (fresh ports, the server dials back) ◀────────────────┘
 *       ├─ surroundings (hops, router, interfaces, IPv6)
 *       └─ idle (for how long a connection lives, when asked for)
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
  KhPortTests *port_tests;
  KhSurroundings *surroundings;
  KhCheckState state;
  GDateTime *began;
  GInetSocketAddress *server;
  char *way; /* to the server, as it was when that was chosen */
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
  g_clear_pointer (&self->began, g_date_time_unref);
  g_clear_object (&self->server);
  g_free (self->way);
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

static gboolean
has_answer (KhCheck *self)
{
  return self->outside != NULL || kh_facts_is (&self->findings.facts, KH_FACT_IPV6, "yes");
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

static gboolean
is_offline (KhCheck *self)
{
  return !has_answer (self) && !g_network_monitor_get_network_available (g_network_monitor_get_default ());
}

static KhCheckState
state_at_end (KhCheck *self, GTask *task)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (cancellable != NULL && g_cancellable_is_cancelled (cancellable))
    return KH_CHECK_STATE_STOPPED;
  if (has_answer (self))
    return KH_CHECK_STATE_DONE;
  return is_offline (self) ? KH_CHECK_STATE_OFFLINE : KH_CHECK_STATE_NO_SERVER;
}

/* Ends the task; all that is still open stays unknown for @reason. */
static void
finish (KhCheck *self, KhReason reason)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  if (task == NULL)
    return;

  if (is_over (self))
    keep (self);
  /* For how long one has lived is known, whatever else the long test would have found. */
  if (self->findings.facts.numbers[KH_FACT_IDLE_SECONDS] != KH_FACT_NUMBER_UNKNOWN)
    self->findings.reasons[KH_FINDING_IDLE] = KH_REASON_KNOWN;
  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (self->findings.reasons[i] == KH_REASON_NOT_YET)
      self->findings.reasons[i] = reason;
  self->state = state_at_end (self, task);
  kh_findings_tidy (&self->findings);
  stop (self);
  kh_trace_add (self->trace, "check.done", "facts:o reasons:o", kh_facts_to_json (&self->findings.facts),
                kh_findings_to_reasons (&self->findings));
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
  if (g_task_return_error_if_cancelled (task))
    return;
  if (self->state == KH_CHECK_STATE_DONE)
    g_task_return_boolean (task, TRUE);
  else if (self->state == KH_CHECK_STATE_OFFLINE)
    g_task_return_new_error (task, KH_ERROR, KH_ERROR_SERVER_UNREACHABLE,
                             "No STUN server answered: this computer is not connected to a network.");
  else
    g_task_return_new_error (task, KH_ERROR, KH_ERROR_SERVER_UNREACHABLE,
                             "No STUN server answered. Check the internet connection, or name another server.");
}

/* One finding is over. Silence means nothing when the cable was pulled. */
static void
conclude (KhCheck *self, KhFinding finding, KhReason reason)
{
  if (!is_open (self, finding))
    return;
  if (!kh_check_is_same_network (self))
    {
      finish (self, KH_REASON_NETWORK_CHANGED);
      return;
    }

  if (reason == KH_REASON_NO_SERVER && is_offline (self))
    reason = KH_REASON_OFFLINE; /* no server is to blame */
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
on_idle_progress (int lived, int next, gpointer user_data)
{
  KhCheck *self = user_data;

  if (!is_open (self, KH_FINDING_IDLE))
    return;
  self->findings.facts.numbers[KH_FACT_IDLE_SECONDS] = lived > 0 ? lived : KH_FACT_NUMBER_UNKNOWN;
  kh_trace_add (self->trace, "check.idle", "lived:l next:l", (gint64) lived, (gint64) next);
  g_signal_emit (self, signals[SIGNAL_CHANGED], 0);
}

static void
look_at_idle (KhCheck *self, KhStunClient *chosen)
{
  if (!is_open (self, KH_FINDING_IDLE))
    return;
  if (kh_stun_client_get_cookie (chosen) == NULL)
    conclude (self, KH_FINDING_IDLE, KH_REASON_NO_DIAL_BACK);
  else
    kh_idle_measure_async (kh_stun_client_get_server (chosen), IDLE_LIMIT_SECONDS, on_idle_progress, self->cancellable,
                           on_idle_measured, g_object_ref (self));
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
  else if (self->findings.reasons[KH_FINDING_NAT_DEPTH] == KH_REASON_KNOWN)
    self->findings.reasons[KH_FINDING_NAT_DEPTH] = KH_REASON_AMBIGUOUS;
  conclude (self, KH_FINDING_DOUBLE_NAT, reasons[0]);
  conclude (self, KH_FINDING_CARRIER_NAT, reasons[1]);
}

static void
on_port_test_found (KhPortTests *tests, guint finding, KhCheck *self)
{
  if (self->task == NULL)
    return;
  kh_facts_fill (&self->findings.facts, kh_port_tests_get_facts (tests));
  conclude (self, finding, kh_port_tests_get_reason (tests, finding));
  maybe_count_nats (self);
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
  self->server = g_object_ref (server);
  self->way = kh_way_describe (server);
  self->port_tests = kh_port_tests_new (scout, self->extent == KH_CHECK_QUICK);
  g_signal_connect_object (self->port_tests, "found", G_CALLBACK (on_port_test_found), self, 0);
  kh_port_tests_start (self->port_tests);
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

  kh_scout_see (self->scout, &sightings);
  conclude (self, KH_FINDING_MAPPING, kh_deduce_mapping (&sightings, &self->findings.facts));
  if (!answered)
    conclude_tests (self, KH_REASON_NO_SERVER);
  if (!answered && self->surroundings != NULL)
    kh_surroundings_look (self->surroundings, NULL);
  maybe_count_nats (self);
  if (self->surroundings != NULL)
    kh_surroundings_look_v6 (self->surroundings, kh_scout_get_v6_server (self->scout));
  if (self->port_tests != NULL)
    kh_port_tests_set_mapping (self->port_tests, &self->findings.facts, self->findings.reasons[KH_FINDING_MAPPING]);
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
  if (self->port_tests != NULL)
    kh_port_tests_close (self->port_tests);
  if (self->scout != NULL)
    kh_scout_close (self->scout);
  if (self->surroundings != NULL)
    kh_surroundings_close (self->surroundings);
  g_clear_object (&self->port_tests);
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

  if (!kh_check_is_same_network (alive))
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
  self->state = KH_CHECK_STATE_RUNNING;
  self->began = g_date_time_new_now_local ();
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

/**
 * kh_check_get_result:
 * @result: (out caller-allocates): all that there is to show now
 */
void
kh_check_get_result (KhCheck *self, KhCheckResult *result)
{
  g_return_if_fail (KH_IS_CHECK (self));

  *result = (KhCheckResult){
    .state = self->state,
    .findings = self->findings,
    .inside = self->inside,
    .outside = self->outside,
    .servers = (const char *const *) self->servers,
    .began = self->began,
  };
}

/**
 * kh_check_is_same_network:
 *
 * Systems tell of many changes, and not of all. What counts is whether packets still leave by the same way, and by a link that
 * has not been down meanwhile.
 *
 * Returns: whether what has been found is true of the network that we are in now; %TRUE as well before a server was reached
 */
gboolean
kh_check_is_same_network (KhCheck *self)
{
  g_autofree char *now = NULL;

  g_return_val_if_fail (KH_IS_CHECK (self), FALSE);

  if (self->server == NULL)
    return TRUE;
  now = kh_way_describe (self->server);
  return g_strcmp0 (now, self->way) == 0;
}
