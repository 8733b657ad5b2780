/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-approach.h"

#include "kh-aim.h"
#include "kh-error.h"
#include "kh-race.h"

/* What can hardly be does not deserve the whole time: so long the friend is waited for who may be in our network after all. */
#define HOPELESS_MS 2000

/* How far a primer goes where our router's distance is not known. */
#define PRIMER_HOPS 2

/* Nobody has so many routers of his own. */
#define MAX_DEPTH 30

/**
 * KhApproach:
 *
 * From two offers to a channel: makes the plan, gives the race whom to dial, and says why there is no way where there is none.
 */
struct _KhApproach
{
  GObject parent_instance;

  KhTrace *trace;
  KhPort *port;
  const KhInterfaces *interfaces;
  KhRole role;
  const KhOffer *own;
  const KhOffer *friend_offer;
  KhPlan *plan;
  KhRace *race;
};

G_DEFINE_FINAL_TYPE (KhApproach, kh_approach, G_TYPE_OBJECT)

static void
kh_approach_dispose (GObject *object)
{
  KhApproach *self = KH_APPROACH (object);

  g_clear_object (&self->race);
  g_clear_object (&self->port);
  g_clear_object (&self->trace);

  G_OBJECT_CLASS (kh_approach_parent_class)->dispose (object);
}

static void
kh_approach_finalize (GObject *object)
{
  kh_plan_free (KH_APPROACH (object)->plan);

  G_OBJECT_CLASS (kh_approach_parent_class)->finalize (object);
}

static void
kh_approach_class_init (KhApproachClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_approach_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_approach_finalize;
}

static void
kh_approach_init (KhApproach *self)
{
}

/**
 * kh_approach_new:
 * @trace: where plan and attempts are told
 * @port: the shared port
 * @interfaces: our own network; has to outlive the approach, as have both offers
 * @role: our side
 * @own: what we offered, or will
 * @friend_offer: what the friend offered
 *
 * Returns: (transfer full): an approach with its plan, of which nothing has been done
 */
KhApproach *
kh_approach_new (KhTrace *trace, KhPort *port, const KhInterfaces *interfaces, KhRole role, const KhOffer *own,
                 const KhOffer *friend_offer)
{
  KhApproach *self = g_object_new (KH_TYPE_APPROACH, NULL);
  gboolean inviter = role == KH_ROLE_INVITER;

  self->trace = g_object_ref (trace);
  self->port = g_object_ref (port);
  self->interfaces = interfaces;
  self->role = role;
  self->own = own;
  self->friend_offer = friend_offer;
  self->plan = kh_plan_new (inviter ? own : friend_offer, inviter ? friend_offer : own, 0);
  kh_trace_add (trace, "plan.made", "moves:a forecast:s", kh_plan_moves_to_json (self->plan),
                kh_forecast_name (self->plan->forecast));
  return self;
}

/**
 * kh_approach_get_plan:
 *
 * Returns: (transfer none): what is going to be tried
 */
const KhPlan *
kh_approach_get_plan (KhApproach *self)
{
  g_return_val_if_fail (KH_IS_APPROACH (self), NULL);

  return self->plan;
}

/**
 * kh_approach_is_awaited:
 *
 * Returns: whether the friend waits for our word that our hole is open
 */
gboolean
kh_approach_is_awaited (KhApproach *self)
{
  g_return_val_if_fail (KH_IS_APPROACH (self), FALSE);

  for (guint i = 0; i < self->plan->moves->len && self->role == KH_ROLE_JOINER; i++)
    if (((KhPlanMove *) g_ptr_array_index (self->plan->moves, i))->first == KH_ROLE_JOINER)
      return TRUE;
  return FALSE;
}

/**
 * kh_approach_release:
 *
 * The friend's word that his hole is open has come.
 */
void
kh_approach_release (KhApproach *self)
{
  g_return_if_fail (KH_IS_APPROACH (self));

  if (self->race != NULL)
    kh_race_release (self->race);
}

/* --- why there is no way ------------------------------------------------------------------------------------- */

static gboolean
forgets (const KhOffer *offer)
{
  return kh_facts_is (&offer->facts, KH_FACT_AFTER_FIN, "lost");
}

static gboolean
is_found_on_the_internet (const KhOffer *offer)
{
  for (guint i = 0; i < offer->candidates->len; i++)
    if (((KhCandidate *) g_ptr_array_index (offer->candidates, i))->kind != KH_CANDIDATE_LAN)
      return TRUE;
  return FALSE;
}

static gboolean
lets_in_only_answers (const KhOffer *offer)
{
  return kh_facts_is (&offer->facts, KH_FACT_BARE_SYN, "no");
}

/* As a check found, or as servers see it. */
static gboolean
changes_ports (const KhOffer *offer)
{
  guint outside = 0;

  for (guint i = 0; i < offer->candidates->len; i++)
    outside += ((KhCandidate *) g_ptr_array_index (offer->candidates, i))->kind == KH_CANDIDATE_OUTSIDE;
  return outside > 1 || kh_facts_is (&offer->facts, KH_FACT_MAPPING, "address-dependent") ||
         kh_facts_is (&offer->facts, KH_FACT_MAPPING, "address-and-port-dependent");
}

static const char *
explain (KhApproach *self)
{
  guint common = self->own->moves & self->friend_offer->moves;

  if (common == 0)
    return "You and your friend allow different ways to connect, and none in common. Let one of you allow more.";
  if (common == 1u << KH_MOVE_REUSE && forgets (self->own))
    return "Your router forgets a port as soon as its connection is closed, so it cannot be used again. Allow other moves.";
  if (common == 1u << KH_MOVE_REUSE && forgets (self->friend_offer))
    return "Your friend's router forgets a port as soon as its connection is closed, so it cannot be used again. "
           "Allow other moves.";
  if (!is_found_on_the_internet (self->own) && !is_found_on_the_internet (self->friend_offer))
    return "There is no way to try between your networks: neither side knows an address at which the other could "
           "reach it. Check the internet connection, or try another network on one side.";
  if (lets_in_only_answers (self->own) && lets_in_only_answers (self->friend_offer))
    return "There is no direct way between your networks: both routers let in nothing but answers, so that neither side can begin. "
           "Try another network on one side, such as a phone's hotspot.";
  if (!changes_ports (self->own) || !changes_ports (self->friend_offer))
    return "The ways that both of you allow lead nowhere between your networks. Allow more of them, or try another network on "
           "one side.";
  return "There is no direct way between your networks: both routers choose another port for every connection, so that neither "
         "side can find the other's. Try another network on one side, such as a phone's hotspot.";
}

static gboolean
is_hopeless (KhApproach *self)
{
  return self->plan->forecast == KH_FORECAST_IMPOSSIBLE;
}

/* --- running it ---------------------------------------------------------------------------------------------- */

static guint
primer_hops (KhApproach *self)
{
  int depth = self->own->facts.numbers[KH_FACT_NAT_DEPTH];

  return depth > 0 && depth <= MAX_DEPTH ? (guint) depth + 1 : PRIMER_HOPS;
}

static void
on_raced (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  KhApproach *self = g_task_get_source_object (task);
  GError *error = NULL;
  KhChannel *channel = kh_race_run_finish (KH_RACE (source), result, &error);

  if (channel != NULL)
    g_task_return_pointer (task, channel, g_object_unref);
  else if (is_hopeless (self) && g_error_matches (error, KH_ERROR, KH_ERROR_NO_PATH))
    {
      g_error_free (error);
      g_task_return_new_error (task, KH_ERROR, KH_ERROR_NO_PATH, "%s", explain (self));
    }
  else
    g_task_return_error (task, error);
}

/**
 * kh_approach_run_async:
 * @psk: (array fixed-size=32): what only the two friends know
 * @timeout_ms: how long to try, in milliseconds
 * @cancellable: (nullable): ends it
 * @callback: called once
 * @user_data: for @callback
 *
 * Begins with all moves of the plan. All first SYNs are out when this returns. Runs once per object.
 */
void
kh_approach_run_async (KhApproach *self, const guint8 *psk, guint timeout_ms, GCancellable *cancellable,
                       GAsyncReadyCallback callback, gpointer user_data)
{
  const KhAim judge = { self->interfaces, kh_port_get_number (self->port), self->own, self->friend_offer };
  g_autoptr (KhPortDialer) dialer = kh_port_dialer_new (self->port, primer_hops (self));
  g_autoptr (GTask) task = g_task_new (self, cancellable, callback, user_data);

  g_return_if_fail (KH_IS_APPROACH (self) && self->race == NULL);

  g_task_set_source_tag (task, kh_approach_run_async);
  self->race = kh_race_new (self->trace, KH_DIALER (dialer), self->role, psk, 0);
  kh_aim_race (&judge, self->race, self->plan, self->role, self->trace);
  if (is_hopeless (self) && self->plan->moves->len == 0)
    g_task_return_new_error (task, KH_ERROR, KH_ERROR_NO_PATH, "%s", explain (self));
  else
    kh_race_run_async (self->race, is_hopeless (self) ? MIN (timeout_ms, HOPELESS_MS) : timeout_ms, cancellable,
                       on_raced, g_steal_pointer (&task));
}

/**
 * kh_approach_run_finish:
 *
 * Returns: (transfer full): the agreed channel, paused, or %NULL with %KH_ERROR_NO_PATH or %G_IO_ERROR_CANCELLED
 */
KhChannel *
kh_approach_run_finish (KhApproach *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
