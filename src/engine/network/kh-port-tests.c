/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-port-tests.h"

#include "kh-address.h"
#include "kh-aftermath.h"
#include "kh-deduce.h"
#include "kh-hairpin.h"
#include "kh-probe.h"
#include "kh-self-dial.h"

/* A server answers a FIN by its own at once. */
#define FIN_PATIENCE_MS 2000

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
 * KhPortTests:
 *
 * The tests that a network check makes from fresh local ports, each from one of its own, so that none spoils another. They run
 * side by side as soon as what they need is known:
 *
 *     eight probes ask the server ─┬─ allocation
 *                                  ├─ hairpin
 *                                  ├─ filtering, stranger, host firewall (the server dials us) ──┬─ after FIN, after RST
 *                    mapping ──────┴─ crossing, bare SYN                             mapping ────┘
 *
 * The server's dials to a port come before anything else leaves from that port: they ask for whom it is open while only the
 * server was dialled.
 */
struct _KhPortTests
{
  GObject parent_instance;

  KhScout *scout;
  KhFacts facts;
  KhReason reasons[KH_N_FINDINGS];
  gboolean mapping_over;
  KhProbe *probes[N_PROBES];
  guint asking; /* probes that have no answer yet */
  KhDialOutcome port_outcome;
  KhDialOutcome address_outcome;
  guint dial_backs;      /* of the filter's probe that are under way */
  gboolean self_dialled; /* or it could not be tried */
  gboolean kept_out;     /* by a firewall of this computer */
  guint closing_id;      /* the FIN's probe has sent one, and has none yet: for how long that goes on */
  gboolean looking_at_aftermath;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (KhPortTests, kh_port_tests, G_TYPE_OBJECT)

enum
{
  SIGNAL_FOUND,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
kh_port_tests_dispose (GObject *object)
{
  KhPortTests *self = KH_PORT_TESTS (object);

  kh_port_tests_close (self);
  g_clear_object (&self->scout);

  G_OBJECT_CLASS (kh_port_tests_parent_class)->dispose (object);
}

static void
kh_port_tests_finalize (GObject *object)
{
  g_object_unref (KH_PORT_TESTS (object)->cancellable);

  G_OBJECT_CLASS (kh_port_tests_parent_class)->finalize (object);
}

static void
kh_port_tests_class_init (KhPortTestsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_port_tests_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_port_tests_finalize;

  /**
   * KhPortTests::found:
   * @finding: a #KhFinding that is over
   */
  signals[SIGNAL_FOUND] = g_signal_new ("found", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
kh_port_tests_init (KhPortTests *self)
{
  kh_facts_init (&self->facts);
  self->cancellable = g_cancellable_new ();
}

/**
 * kh_port_tests_new:
 * @scout: knows the server that all of them ask
 * @quick: only filtering, allocation and the answer to strangers
 *
 * Returns: (transfer full): tests that have not begun
 */
KhPortTests *
kh_port_tests_new (KhScout *scout, gboolean quick)
{
  static const KhFinding slow[] = {
    KH_FINDING_SIMULTANEOUS_OPEN, KH_FINDING_BARE_SYN,  KH_FINDING_HAIRPIN,
    KH_FINDING_AFTER_FIN,         KH_FINDING_AFTER_RST, KH_FINDING_HOST_FIREWALL,
  };
  KhPortTests *self = g_object_new (KH_TYPE_PORT_TESTS, NULL);

  self->scout = g_object_ref (scout);
  for (int i = 0; i < KH_N_FINDINGS; i++)
    self->reasons[i] = KH_REASON_NOT_YET;
  for (gsize i = 0; quick && i < G_N_ELEMENTS (slow); i++)
    self->reasons[slow[i]] = KH_REASON_NOT_ASKED;
  return self;
}

/* Whoever is told of a finding may close all this: nothing is open afterwards. */
static gboolean
is_open (KhPortTests *self, KhFinding finding)
{
  return self->reasons[finding] == KH_REASON_NOT_YET && !g_cancellable_is_cancelled (self->cancellable);
}

static void
conclude (KhPortTests *self, KhFinding finding, KhReason reason)
{
  if (!is_open (self, finding))
    return;

  self->reasons[finding] = reason;
  g_signal_emit (self, signals[SIGNAL_FOUND], 0, finding);
}

static GInetSocketAddress *
outside_of (KhPortTests *self, Which which)
{
  return self->probes[which] != NULL ? kh_probe_get_outside (self->probes[which]) : NULL;
}

/* --- after FIN, after RST ----------------------------------------------------------------------------------- */

static void
on_aftermath (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhPortTests) self = user_data;
  gboolean fin = KH_PROBE (source) == self->probes[PROBE_FIN];
  KhReason reason;
  const char *word;

  if (!kh_aftermath_finish (KH_PROBE (source), result, &reason, &word, NULL))
    return;
  if (reason == KH_REASON_KNOWN)
    kh_facts_set (&self->facts, fin ? KH_FACT_AFTER_FIN : KH_FACT_AFTER_RST, word);
  conclude (self, fin ? KH_FINDING_AFTER_FIN : KH_FINDING_AFTER_RST, reason);
}

/* Where another destination has another port, or may have, another one tells nothing of what is left of this one. */
static KhReason
doubt_destinations (KhPortTests *self)
{
  if (kh_facts_is (&self->facts, KH_FACT_MAPPING, "endpoint-independent") ||
      kh_facts_is (&self->facts, KH_FACT_MAPPING, "none"))
    return KH_REASON_KNOWN;
  return kh_facts_knows (&self->facts, KH_FACT_MAPPING) ? KH_REASON_MAPPING_DIFFERS : self->reasons[KH_FINDING_MAPPING];
}

static KhAftermathWay
find_way (KhPortTests *self)
{
  KhProbe *control = self->probes[PROBE_CONTROL];

  return (KhAftermathWay){
    .elsewhere = kh_scout_get_elsewhere (self->scout),
    .control = control != NULL ? kh_probe_get_client (control) : NULL,
    .lets_in = control != NULL && self->port_outcome.reason == KH_REASON_KNOWN &&
               self->port_outcome.result == KH_DIAL_CONNECTED,
    .doubt = self->port_outcome.reason,
    .preserving = !kh_facts_knows (&self->facts, KH_FACT_ALLOCATION) ||
                  kh_facts_is (&self->facts, KH_FACT_ALLOCATION, "preserving"),
  };
}

static void
look_at_aftermath (KhPortTests *self, Which which, const KhAftermathWay *way)
{
  KhFinding finding = which == PROBE_FIN ? KH_FINDING_AFTER_FIN : KH_FINDING_AFTER_RST;

  if (way->elsewhere == NULL)
    conclude (self, finding, KH_REASON_ONE_ADDRESS);
  else if (doubt_destinations (self) != KH_REASON_KNOWN)
    conclude (self, finding, doubt_destinations (self));
  else if (outside_of (self, which) == NULL)
    conclude (self, finding, KH_REASON_SERVER_SILENT);
  else if (is_open (self, finding))
    kh_aftermath_async (self->probes[which], way, self->cancellable, on_aftermath, g_object_ref (self));
}

/* It needs to know who is let in, how ports are chosen, and a second place to dial; and both FINs have to be through. */
static void
maybe_look_at_aftermath (KhPortTests *self)
{
  KhAftermathWay way;

  if (!self->mapping_over || self->asking > 0 || self->dial_backs > 0 || self->closing_id != 0 ||
      is_open (self, KH_FINDING_FILTERING) || is_open (self, KH_FINDING_ALLOCATION) ||
      !is_open (self, KH_FINDING_AFTER_RST) || self->looking_at_aftermath)
    return;

  self->looking_at_aftermath = TRUE;
  way = find_way (self);
  look_at_aftermath (self, PROBE_FIN, &way);
  look_at_aftermath (self, PROBE_RST, &way);
}

static void
on_fin_answered (KhStunClient *client, KhPortTests *self)
{
  g_clear_handle_id (&self->closing_id, g_source_remove);
  maybe_look_at_aftermath (self);
}

static gboolean
on_fin_unanswered (gpointer user_data)
{
  g_autoptr (KhPortTests) self = g_object_ref (KH_PORT_TESTS (user_data));

  self->closing_id = 0;
  conclude (self, KH_FINDING_AFTER_FIN, KH_REASON_SERVER_SILENT);
  maybe_look_at_aftermath (self);
  return G_SOURCE_REMOVE;
}

static void
end_connection (KhPortTests *self, Which which)
{
  KhStunClient *client = kh_probe_get_client (self->probes[which]);

  if (which == PROBE_RST)
    {
      kh_stun_client_reset (client);
      return;
    }
  self->closing_id = g_timeout_add (FIN_PATIENCE_MS, on_fin_unanswered, self);
  g_source_set_name_by_id (self->closing_id, "kh-port-tests fin");
  g_signal_connect_object (client, "closed", G_CALLBACK (on_fin_answered), self, 0);
  kh_stun_client_shut_down (client);
}

/* --- filtering, strangers, the own firewall ----------------------------------------------------------------- */

static gboolean
somebody_got_in (KhPortTests *self)
{
  return kh_facts_is (&self->facts, KH_FACT_STRANGER, "open") ||
         (self->port_outcome.reason == KH_REASON_KNOWN && self->port_outcome.result == KH_DIAL_CONNECTED);
}

/* Whoever comes from outside has passed the own firewall as well. Where nobody does, only a firewall that keeps out even this
 * computer itself can be told from the router. */
static void
judge_firewall (KhPortTests *self)
{
  if (!is_open (self, KH_FINDING_HOST_FIREWALL) || is_open (self, KH_FINDING_STRANGER) || !self->self_dialled)
    return;

  if (somebody_got_in (self) || self->kept_out)
    {
      kh_facts_set (&self->facts, KH_FACT_HOST_FIREWALL, somebody_got_in (self) ? "no" : "yes");
      conclude (self, KH_FINDING_HOST_FIREWALL, KH_REASON_KNOWN);
    }
  else
    conclude (self, KH_FINDING_HOST_FIREWALL,
              self->reasons[KH_FINDING_STRANGER] != KH_REASON_KNOWN ? self->reasons[KH_FINDING_STRANGER]
                                                                    : KH_REASON_KEPT_OUT);
}

static void
on_self_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhPortTests) self = user_data;

  if (!kh_self_dial_finish (KH_PROBE (source), result, &self->kept_out, NULL))
    self->kept_out = FALSE;
  self->self_dialled = TRUE;
  judge_firewall (self);
}

static void
dial_ourselves (KhPortTests *self)
{
  KhProbe *probe = self->probes[PROBE_FILTER];
  g_autoptr (KhInterfaces) interfaces = kh_interfaces_new_read ();
  g_autoptr (GInetAddress) from = kh_self_dial_choose (
      interfaces, g_inet_socket_address_get_address (kh_stun_client_get_local (kh_probe_get_client (probe))));

  kh_self_dial_async (probe, from, self->cancellable, on_self_dialled, g_object_ref (self));
}

static void
judge_dial_backs (KhPortTests *self)
{
  conclude (self, KH_FINDING_FILTERING,
            kh_deduce_filtering (&self->port_outcome, &self->address_outcome, &self->facts));
  conclude (self, KH_FINDING_STRANGER, kh_deduce_stranger (&self->port_outcome, &self->address_outcome, &self->facts));
  judge_firewall (self);
  maybe_look_at_aftermath (self);
}

static void
on_port_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhPortTests) self = user_data;

  if (kh_knock_finish (KH_PROBE (source), result, &self->port_outcome, NULL) && --self->dial_backs == 0)
    judge_dial_backs (self);
}

static void
on_address_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhPortTests) self = user_data;

  if (kh_knock_finish (KH_PROBE (source), result, &self->address_outcome, NULL) && --self->dial_backs == 0)
    judge_dial_backs (self);
}

/* Right behind the first question: that saves a round trip. */
static void
on_filter_connected (KhStunClient *control, KhPortTests *self)
{
  KhProbe *probe = self->probes[PROBE_FILTER];

  dial_ourselves (self);
  if (kh_stun_client_get_cookie (kh_scout_get_chosen (self->scout)) == NULL)
    return;

  self->dial_backs = 2;
  kh_knock_async (probe, control, KH_DIAL_PORT, self->cancellable, on_port_dialled, g_object_ref (self));
  kh_knock_async (probe, control, KH_DIAL_ADDRESS, self->cancellable, on_address_dialled, g_object_ref (self));
}

/* --- holes -------------------------------------------------------------------------------------------------- */

static void
on_hole (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhPortTests) self = user_data;
  gboolean crossing = KH_PROBE (source) == self->probes[PROBE_CROSSING];
  KhDialOutcome outcome;

  if (kh_knock_finish (KH_PROBE (source), result, &outcome, NULL))
    conclude (self, crossing ? KH_FINDING_SIMULTANEOUS_OPEN : KH_FINDING_BARE_SYN,
              kh_deduce_hole (&outcome, self->reasons[KH_FINDING_MAPPING],
                              crossing ? KH_FACT_SIMULTANEOUS_OPEN : KH_FACT_BARE_SYN, &self->facts));
}

/* The server aims at the mapping that it knows. Where every port of the server has another one it cannot know the one of the
 * hole. */
static void
look_at_hole (KhPortTests *self, Which which)
{
  KhFinding finding = which == PROBE_CROSSING ? KH_FINDING_SIMULTANEOUS_OPEN : KH_FINDING_BARE_SYN;
  KhProbe *probe = self->probes[which];

  if (!is_open (self, finding) || !self->mapping_over || probe == NULL ||
      kh_stun_client_get_cookie (kh_probe_get_client (probe)) == NULL)
    return;
  if (kh_facts_is (&self->facts, KH_FACT_MAPPING, "address-and-port-dependent"))
    conclude (self, finding, KH_REASON_MAPPING_DIFFERS);
  else
    kh_knock_async (probe, kh_probe_get_client (probe), which == PROBE_CROSSING ? KH_DIAL_CROSSING : KH_DIAL_BARE_SYN,
                    self->cancellable, on_hole, g_object_ref (self));
}

/* --- hairpin ------------------------------------------------------------------------------------------------ */

static void
on_hairpin (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhPortTests) self = user_data;
  gboolean connects;
  g_autoptr (GError) error = NULL;

  if (!kh_hairpin_finish (KH_PROBE (source), result, &connects, &error))
    {
      if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        conclude (self, KH_FINDING_HAIRPIN, KH_REASON_LOCAL);
      return;
    }
  kh_facts_set (&self->facts, KH_FACT_HAIRPIN, connects ? "yes" : "no");
  conclude (self, KH_FINDING_HAIRPIN, KH_REASON_KNOWN);
}

static void
look_at_hairpin (KhPortTests *self)
{
  KhProbe *one = self->probes[PROBE_HAIRPIN];
  KhProbe *other = self->probes[PROBE_HAIRPIN_TOO];

  if (!is_open (self, KH_FINDING_HAIRPIN) || outside_of (self, PROBE_HAIRPIN) == NULL ||
      outside_of (self, PROBE_HAIRPIN_TOO) == NULL)
    return;
  /* Without a NAT the way never leaves this computer. */
  if (kh_address_equal (G_SOCKET_ADDRESS (kh_probe_get_outside (one)),
                        G_SOCKET_ADDRESS (kh_stun_client_get_local (kh_probe_get_client (one)))))
    conclude (self, KH_FINDING_HAIRPIN, KH_REASON_NO_NAT);
  else
    kh_hairpin_async (one, other, self->cancellable, on_hairpin, g_object_ref (self));
}

/* --- the probes --------------------------------------------------------------------------------------------- */

static void
look_at_allocation (KhPortTests *self)
{
  KhSample samples[N_PROBES + 1];
  guint n = 0;
  KhSightings sightings;

  kh_scout_see (self->scout, &sightings);
  if (sightings.first != NULL)
    samples[n++] = (KhSample){ kh_scout_get_port (self->scout), g_inet_socket_address_get_port (sightings.first) };
  for (Which i = 0; i < N_PROBES; i++)
    if (outside_of (self, i) != NULL)
      samples[n++] = (KhSample){ kh_port_get_number (kh_probe_get_port (self->probes[i])),
                                 g_inet_socket_address_get_port (outside_of (self, i)) };
  conclude (self, KH_FINDING_ALLOCATION, kh_deduce_allocation (samples, n, &self->facts));
}

/* Without an answer on its port a test cannot be made. */
static void
give_up (KhPortTests *self, Which which, KhReason reason)
{
  switch (which)
    {
    case PROBE_FILTER:
      self->port_outcome = (KhDialOutcome){ reason, KH_DIAL_UNKNOWN };
      self->self_dialled |= reason != KH_REASON_NO_DIAL_BACK; /* without a connection nobody dials */
      conclude (self, KH_FINDING_FILTERING, reason);
      conclude (self, KH_FINDING_STRANGER, reason);
      judge_firewall (self);
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
start_test (KhPortTests *self, Which which)
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
  g_autoptr (KhPortTests) self = user_data;
  gboolean answered = kh_probe_ask_finish (KH_PROBE (source), result, NULL);
  Which which = 0;

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  while (self->probes[which] != KH_PROBE (source))
    which++;
  self->asking--;
  if (answered)
    start_test (self, which);
  else
    give_up (self, which, KH_REASON_SERVER_SILENT);
  if (self->asking == 0)
    look_at_allocation (self);
  maybe_look_at_aftermath (self);
}

/**
 * kh_port_tests_start:
 *
 * Begins, once the scout has chosen a server.
 */
void
kh_port_tests_start (KhPortTests *self)
{
  g_autoptr (KhPortTests) alive = g_object_ref (self); /* whoever is told may let go of it */
  GInetSocketAddress *server;

  g_return_if_fail (KH_IS_PORT_TESTS (self) && kh_scout_get_chosen (self->scout) != NULL);

  server = kh_stun_client_get_server (kh_scout_get_chosen (self->scout));
  for (Which i = 0; i < N_PROBES; i++)
    self->asking += (self->probes[i] = kh_probe_new (server, NULL)) != NULL;
  for (Which i = 0; i < N_PROBES; i++)
    if (self->probes[i] == NULL)
      give_up (self, i, KH_REASON_LOCAL);
    else
      {
        if (i == PROBE_FILTER)
          g_signal_connect_object (kh_probe_get_client (self->probes[i]), "connected", G_CALLBACK (on_filter_connected),
                                   self, 0);
        kh_probe_ask_async (self->probes[i], on_probe_asked, g_object_ref (self));
      }
  if (self->asking == 0)
    look_at_allocation (self);
}

/**
 * kh_port_tests_set_mapping:
 * @facts: has the mapping, if it is known
 * @reason: why not
 *
 * Goes on with the tests that need to know the mapping.
 */
void
kh_port_tests_set_mapping (KhPortTests *self, const KhFacts *facts, KhReason reason)
{
  g_autoptr (KhPortTests) alive = g_object_ref (self);

  g_return_if_fail (KH_IS_PORT_TESTS (self));

  kh_facts_fill (&self->facts, facts);
  self->reasons[KH_FINDING_MAPPING] = reason;
  self->mapping_over = TRUE;
  look_at_hole (self, PROBE_CROSSING);
  look_at_hole (self, PROBE_BARE_SYN);
  maybe_look_at_aftermath (self);
}

/**
 * kh_port_tests_get_facts:
 *
 * Returns: (transfer none): what is known
 */
const KhFacts *
kh_port_tests_get_facts (KhPortTests *self)
{
  return &self->facts;
}

/**
 * kh_port_tests_get_reason:
 *
 * Returns: why @finding, which is over, is not known
 */
KhReason
kh_port_tests_get_reason (KhPortTests *self, KhFinding finding)
{
  return self->reasons[finding];
}

/**
 * kh_port_tests_close:
 *
 * Ends everything, for good. Harmless when done twice.
 */
void
kh_port_tests_close (KhPortTests *self)
{
  g_return_if_fail (KH_IS_PORT_TESTS (self));

  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->closing_id, g_source_remove);
  for (Which i = 0; i < N_PROBES; i++)
    if (self->probes[i] != NULL)
      {
        kh_probe_close (self->probes[i]);
        g_clear_object (&self->probes[i]);
      }
}
