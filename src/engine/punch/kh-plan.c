/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-plan.h"

static void
plan_move_free (KhPlanMove *move)
{
  g_ptr_array_unref (move->inviter_targets);
  g_ptr_array_unref (move->joiner_targets);
  g_free (move);
}

/* Which of a side's candidates a move aims at. */
static gboolean
is_target_of (KhMove move, const KhCandidate *candidate)
{
  switch (move)
    {
    case KH_MOVE_LAN:
      return candidate->kind == KH_CANDIDATE_LAN;
    case KH_MOVE_IPV6:
      return candidate->kind == KH_CANDIDATE_IPV6;
    case KH_MOVE_DIAL:
      return candidate->kind == KH_CANDIDATE_OUTSIDE || candidate->kind == KH_CANDIDATE_GUESS ||
             candidate->kind == KH_CANDIDATE_MAPPED;
    case KH_N_MOVES:
    default:
      g_return_val_if_reached (FALSE);
    }
}

static GPtrArray *
targets_in (const KhOffer *offer, KhMove move)
{
  GPtrArray *targets = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < offer->candidates->len; i++)
    {
      KhCandidate *candidate = g_ptr_array_index (offer->candidates, i);

      if (is_target_of (move, candidate))
        g_ptr_array_add (targets, g_object_ref (candidate->address));
    }
  return targets;
}

static KhPlanMove *
plan_move_new (KhMove move, const KhOffer *inviter, const KhOffer *joiner)
{
  KhPlanMove *self = g_new0 (KhPlanMove, 1);

  self->move = move;
  /* The inviter has both offers first: its hole is open before the joiner can know where to dial. */
  self->first = KH_ROLE_INVITER;
  self->inviter_targets = targets_in (joiner, move);
  self->joiner_targets = targets_in (inviter, move);

  return self;
}

/* Both must have an address of the family: a lone IPv6 side cannot be dialled from one without IPv6, and through two
 * firewalls both must dial. On the own network or towards an open host one dial is enough. */
static gboolean
makes_sense (const KhPlanMove *move)
{
  if (move->move == KH_MOVE_IPV6)
    return move->inviter_targets->len > 0 && move->joiner_targets->len > 0;
  return move->inviter_targets->len > 0 || move->joiner_targets->len > 0;
}

static gboolean
depends_on_endpoint (const KhOffer *offer)
{
  GPtrArray *outside = targets_in (offer, KH_MOVE_DIAL);
  gboolean several = outside->len > 1;

  g_ptr_array_unref (outside);
  return several || kh_facts_is (&offer->facts, KH_FACT_MAPPING, "address-dependent") ||
         kh_facts_is (&offer->facts, KH_FACT_MAPPING, "address-and-port-dependent");
}

static gboolean
is_reliable (const KhOffer *offer)
{
  return kh_facts_is (&offer->facts, KH_FACT_MAPPING, "endpoint-independent") ||
         kh_facts_is (&offer->facts, KH_FACT_MAPPING, "none");
}

static KhForecast
forecast_dial (const KhPlanMove *move, const KhOffer *inviter, const KhOffer *joiner)
{
  if (move->inviter_targets->len == 0 || move->joiner_targets->len == 0)
    return KH_FORECAST_POSSIBLE; /* if the one that is known lets strangers in */
  if (depends_on_endpoint (inviter) || depends_on_endpoint (joiner))
    return KH_FORECAST_UNLIKELY;
  return is_reliable (inviter) && is_reliable (joiner) ? KH_FORECAST_LIKELY : KH_FORECAST_POSSIBLE;
}

static KhForecast
forecast (const KhPlanMove *move, const KhOffer *inviter, const KhOffer *joiner)
{
  switch (move->move)
    {
    case KH_MOVE_DIAL:
      return forecast_dial (move, inviter, joiner);
    case KH_MOVE_IPV6:
      return KH_FORECAST_LIKELY;
    case KH_MOVE_LAN: /* everybody has an address in some private network: that says nothing */
    case KH_N_MOVES:
    default:
      return KH_FORECAST_UNLIKELY;
    }
}

/**
 * kh_plan_new:
 * @inviter: the inviter's offer
 * @joiner: the joiner's offer
 * @failed_moves: moves that were tried with these offers and failed, a bit mask
 *
 * What to do with two offers. A pure function: both sides make the same plan from the same offers. Only moves that
 * both allow are in it, and none that failed. Unknown facts are taken as in the commonest network: a mapping that is the
 * same for everybody, strangers' SYNs answered by RST.
 *
 * Returns: (transfer full): the plan, without moves and with the forecast "impossible" when there is nothing to try
 */
KhPlan *
kh_plan_new (const KhOffer *inviter, const KhOffer *joiner, guint failed_moves)
{
  KhPlan *self = g_new0 (KhPlan, 1);
  guint allowed = inviter->moves & joiner->moves & ~failed_moves;

  self->moves = g_ptr_array_new_with_free_func ((GDestroyNotify) plan_move_free);
  self->forecast = KH_FORECAST_IMPOSSIBLE;

  for (guint i = 0; i < KH_N_MOVES; i++)
    {
      KhPlanMove *move = plan_move_new (i, inviter, joiner);

      if ((allowed & (1u << i)) && makes_sense (move))
        {
          self->forecast = MAX (self->forecast, forecast (move, inviter, joiner));
          g_ptr_array_add (self->moves, move);
        }
      else
        plan_move_free (move);
    }

  return self;
}

void
kh_plan_free (KhPlan *self)
{
  g_ptr_array_unref (self->moves);
  g_free (self);
}

/**
 * kh_plan_move_targets:
 *
 * Returns: (transfer none) (element-type GInetSocketAddress): whom @role dials in this move
 */
GPtrArray *
kh_plan_move_targets (const KhPlanMove *self, KhRole role)
{
  return role == KH_ROLE_INVITER ? self->inviter_targets : self->joiner_targets;
}

/**
 * kh_plan_moves_to_json:
 *
 * Returns: (transfer full): the moves' names in order
 */
JsonArray *
kh_plan_moves_to_json (const KhPlan *self)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < self->moves->len; i++)
    json_array_add_string_element (array, kh_move_name (((KhPlanMove *) g_ptr_array_index (self->moves, i))->move));
  return array;
}
