/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-plan.h"

#include "kh-address.h"
#include "kh-port-range.h"

#include <string.h>

/* What a home line bears, with room to spare: one was brought down by 5 000 flows. [RTT 80 ms, over the whole range of ports: in one
 * attempt 99.7 % of pairs, half of them within a second.] */
#define DICE_HELD 256
#define DICE_PER_SECOND 400
#define DOORS_PER_SECOND 200
#define FLOWS 1500

/* Where both sides' ports are in blocks: a whole block of the usual size. */
#define ROLLS_HELD 512

/* Where one side's ports are counted up, so few suffice. */
#define PREDICTED_DICE 16
#define PREDICTED_DOORS 64

static void
plan_move_free (KhPlanMove *move)
{
  for (int role = 0; role < 2; role++)
    {
      g_ptr_array_unref (move->sides[role].targets);
      g_clear_object (&move->sides[role].gamble.remote);
    }
  g_free (move);
}

/* --- what the offers say ------------------------------------------------------------------------------------- */

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
    case KH_MOVE_PRIME:
    case KH_MOVE_REUSE:
      return candidate->kind == KH_CANDIDATE_OUTSIDE || candidate->kind == KH_CANDIDATE_MAPPED;
    case KH_MOVE_GUESS:
      return candidate->kind == KH_CANDIDATE_GUESS;
    case KH_MOVE_PREDICT:
    case KH_MOVE_DICE:
      return FALSE;
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

static GInetSocketAddress *
find_outside (const KhOffer *offer)
{
  for (guint i = 0; i < offer->candidates->len; i++)
    {
      KhCandidate *candidate = g_ptr_array_index (offer->candidates, i);

      if (candidate->kind == KH_CANDIDATE_OUTSIDE)
        return candidate->address;
    }
  return NULL;
}

static gboolean
share_outside (const KhOffer *inviter, const KhOffer *joiner)
{
  GInetSocketAddress *one = find_outside (inviter);
  GInetSocketAddress *other = find_outside (joiner);

  return one != NULL && other != NULL &&
         g_inet_address_equal (g_inet_socket_address_get_address (one), g_inet_socket_address_get_address (other));
}

/* What servers saw of the shared port is as much of a sample of a block as what the check saw of others. */
static KhFacts
with_ports_of (KhFacts facts, const KhOffer *offer)
{
  for (guint i = 0; i < offer->candidates->len && kh_facts_is (&facts, KH_FACT_ALLOCATION, "block"); i++)
    {
      KhCandidate *candidate = g_ptr_array_index (offer->candidates, i);
      int port = g_inet_socket_address_get_port (candidate->address);

      if (candidate->kind != KH_CANDIDATE_OUTSIDE || facts.numbers[KH_FACT_PORT_LOW] == KH_FACT_NUMBER_UNKNOWN)
        continue;
      facts.numbers[KH_FACT_PORT_LOW] = MIN (facts.numbers[KH_FACT_PORT_LOW], port);
      facts.numbers[KH_FACT_PORT_HIGH] = MAX (facts.numbers[KH_FACT_PORT_HIGH], port);
    }
  return facts;
}

/* Two servers that see different ports of one address say as much as a check. */
static KhFacts
facts_of (const KhOffer *offer)
{
  KhFacts facts = offer->facts;
  GInetSocketAddress *first = find_outside (offer);

  for (guint i = 0; first != NULL && i < offer->candidates->len && !kh_facts_knows (&facts, KH_FACT_MAPPING); i++)
    {
      KhCandidate *candidate = g_ptr_array_index (offer->candidates, i);

      if (candidate->kind == KH_CANDIDATE_OUTSIDE &&
          g_inet_address_equal (g_inet_socket_address_get_address (first),
                                g_inet_socket_address_get_address (candidate->address)) &&
          !kh_address_equal (G_SOCKET_ADDRESS (first), G_SOCKET_ADDRESS (candidate->address)))
        kh_facts_set (&facts, KH_FACT_MAPPING, "address-dependent");
    }
  return with_ports_of (facts, offer);
}

typedef struct
{
  const KhOffer *offers[2]; /* by role */
  KhFacts facts[2];
  KhPortRange ranges[2];
  guint allowed;
} Pair;

/* --- who opens, and how -------------------------------------------------------------------------------------- */

/* What is not known is taken as the worse. */
static gboolean
answers_strangers (const KhFacts *facts)
{
  return !kh_facts_is (facts, KH_FACT_STRANGER, "silent") && !kh_facts_is (facts, KH_FACT_STRANGER, "open");
}

static gboolean
lets_everybody_in (const KhFacts *facts)
{
  return kh_facts_is (facts, KH_FACT_FILTERING, "endpoint-independent") ||
         kh_facts_is (facts, KH_FACT_FILTERING, "none");
}

/* A router that drops a SYN even on an open hole lets only answers in: whoever is behind it has to come last. */
static KhRole
who_is_first (const Pair *pair)
{
  const KhFacts *joiner = &pair->facts[KH_ROLE_JOINER];

  return kh_facts_is (&pair->facts[KH_ROLE_INVITER], KH_FACT_BARE_SYN, "no") &&
                 !kh_facts_is (joiner, KH_FACT_BARE_SYN, "no") && !lets_everybody_in (joiner)
             ? KH_ROLE_JOINER
             : KH_ROLE_INVITER;
}

/* The first SYN comes to the other router before that has a hole. Where it would be refused, it had better not get there. It is of
 * use only where the hole is the one that the friend will knock at, and may only be used where the other router is further away
 * than the own one. */
static gboolean
needs_primer (const Pair *pair, KhRole first)
{
  const KhFacts *own = &pair->facts[first];
  const KhFacts *other = &pair->facts[1 - first];
  gboolean measured =
      kh_facts_knows (other, KH_FACT_STRANGER) || own->numbers[KH_FACT_NAT_DEPTH] != KH_FACT_NUMBER_UNKNOWN;

  return pair->ranges[first].kind == KH_PORT_FIXED && answers_strangers (other) && !lets_everybody_in (other) &&
         !lets_everybody_in (own) && measured && !share_outside (pair->offers[0], pair->offers[1]);
}

/* --- gambles ------------------------------------------------------------------------------------------------- */

static guint
hold_in (const KhPortRange *range)
{
  /* A block is all that a home has: where its ports are not shared out again, others would be left without. */
  return range->kind == KH_PORT_BLOCK ? MIN (DICE_HELD, MAX (1, kh_port_range_size (range) / 4)) : DICE_HELD;
}

static void
set_doors (KhPlanSide *side, GInetSocketAddress *remote, const KhPortRange *range)
{
  guint budget = MIN (range->kind == KH_PORT_AHEAD ? PREDICTED_DOORS : FLOWS, kh_port_range_size (range));

  side->gamble = (KhGamble){ .remote = g_object_ref (remote),
                             .low = range->low,
                             .high = range->high,
                             .step = range->step,
                             .held = budget,
                             .per_second = DOORS_PER_SECOND,
                             .budget = budget };
}

static void
set_dice (KhPlanSide *side, GInetSocketAddress *remote, const KhPortRange *own)
{
  guint16 port = g_inet_socket_address_get_port (remote);
  gboolean ahead = own->kind == KH_PORT_AHEAD;

  side->gamble = (KhGamble){ .remote = g_object_ref (remote),
                             .low = port,
                             .high = port,
                             .fresh = TRUE,
                             .held = ahead ? PREDICTED_DICE : hold_in (own),
                             .per_second = DICE_PER_SECOND,
                             .budget = ahead ? PREDICTED_DOORS / 2 : FLOWS };
}

/* Both ports have to be found. The inviter's dials, from ever other ports, all go to one port that the joiner's router will use; the
 * joiner's go to ports that the inviter's router uses. So the one dial of the joiner that leaves by that one port meets a dial of
 * the inviter wherever it goes. Dialling at random on both sides leaves more to chance: with each port of two blocks used once
 * 63 % of pairs meet, and so nearly all. */
static void
set_rolls (KhPlanSide *side, GInetSocketAddress *remote, KhRole role, const KhPortRange *own, const KhPortRange *others)
{
  guint16 middle = others->surely_low + (others->surely_high - others->surely_low) / 2;
  gboolean ahead = own->kind == KH_PORT_AHEAD; /* each dial moves its ports on */

  if (others->step != 0) /* one that the router comes to */
    middle = others->surely_low + (middle - others->surely_low) / ABS (others->step) * ABS (others->step);
  side->gamble = (KhGamble){ .remote = g_object_ref (remote),
                             .low = role == KH_ROLE_INVITER ? middle : others->surely_low,
                             .high = role == KH_ROLE_INVITER ? middle : others->surely_high,
                             .step = role == KH_ROLE_INVITER ? 0 : others->step,
                             .fresh = TRUE,
                             .roll = !ahead,
                             .held = ahead ? PREDICTED_DOORS : ROLLS_HELD,
                             .per_second = DOORS_PER_SECOND,
                             .budget = ahead ? PREDICTED_DOORS : FLOWS };
}

/* Where both routers answer strangers a plain door is shut again by the friend's router before it is of any use. Where neither does a
 * primer is of less use, since then only what the kernel sends again gets through. */
static KhPrimers
choose_primers (const Pair *pair)
{
  if (!answers_strangers (&pair->facts[0]) || !answers_strangers (&pair->facts[1]) ||
      share_outside (pair->offers[0], pair->offers[1]))
    return KH_PRIMERS_NONE;
  return kh_facts_knows (&pair->facts[0], KH_FACT_STRANGER) && kh_facts_knows (&pair->facts[1], KH_FACT_STRANGER)
             ? KH_PRIMERS_ALL
             : KH_PRIMERS_HALF;
}

static void
set_gambles (const Pair *pair, KhPlanMove *move)
{
  GInetSocketAddress *outside[2] = { find_outside (pair->offers[0]), find_outside (pair->offers[1]) };
  KhPrimers primers = choose_primers (pair);

  for (int role = 0; role < 2; role++)
    {
      const KhPortRange *own = &pair->ranges[role];
      const KhPortRange *others = &pair->ranges[1 - role];

      if (own->kind == KH_PORT_FIXED)
        {
          set_doors (&move->sides[role], outside[1 - role], others);
          move->sides[role].gamble.primers = primers;
        }
      else if (others->kind == KH_PORT_FIXED)
        {
          set_dice (&move->sides[role], outside[1 - role], own);
          move->sides[role].gamble.cautious = !kh_facts_knows (&pair->facts[1 - role], KH_FACT_FILTERING);
        }
      else
        set_rolls (&move->sides[role], outside[1 - role], role, own, others);
    }
}

static gboolean
is_gamble (KhMove move)
{
  return move == KH_MOVE_PREDICT || move == KH_MOVE_DICE;
}

/* --- which moves ---------------------------------------------------------------------------------------------- */

static gboolean
keeps_after_fin (const KhFacts *facts)
{
  return !kh_facts_is (facts, KH_FACT_AFTER_FIN, "lost");
}

static KhForecast
forecast_lan (const Pair *pair)
{
  /* Everybody has an address in some private network: that says nothing. One outside address says that it may be the same. */
  return share_outside (pair->offers[0], pair->offers[1]) ? KH_FORECAST_POSSIBLE : KH_FORECAST_IMPOSSIBLE;
}

static KhForecast
forecast_dial (const Pair *pair, const KhPlanMove *move)
{
  if (move->sides[0].targets->len == 0 || move->sides[1].targets->len == 0)
    return KH_FORECAST_POSSIBLE; /* if the one that is known lets strangers in */
  return kh_forecast_dial (&pair->facts[0], &pair->facts[1]);
}

/* Only IPv4 has routers that change ports. */
static gboolean
can_be_looked_for (const KhOffer *offer)
{
  GInetSocketAddress *outside = find_outside (offer);

  return outside != NULL && g_socket_address_get_family (G_SOCKET_ADDRESS (outside)) == G_SOCKET_FAMILY_IPV4;
}

static KhForecast
forecast_gamble (const Pair *pair, KhMove move)
{
  gboolean ahead = pair->ranges[0].kind == KH_PORT_AHEAD || pair->ranges[1].kind == KH_PORT_AHEAD;

  if (ahead != (move == KH_MOVE_PREDICT) || !can_be_looked_for (pair->offers[0]) ||
      !can_be_looked_for (pair->offers[1]))
    return KH_FORECAST_IMPOSSIBLE;
  /* Where a plain dial is sure to do there is nothing to look for. */
  if (kh_forecast_dial (&pair->facts[0], &pair->facts[1]) == KH_FORECAST_LIKELY)
    return KH_FORECAST_IMPOSSIBLE;
  return kh_forecast_dice (&pair->facts[0], &pair->facts[1]);
}

static KhForecast
forecast (const Pair *pair, const KhPlanMove *move)
{
  gboolean allows_dial = pair->allowed & 1u << KH_MOVE_DIAL;
  gboolean allows_prime = pair->allowed & 1u << KH_MOVE_PRIME;

  switch (move->move)
    {
    case KH_MOVE_LAN:
      return forecast_lan (pair);
    case KH_MOVE_IPV6:
      /* A lone IPv6 side cannot be dialled from one without, and through two firewalls both must dial. */
      return move->sides[0].targets->len > 0 && move->sides[1].targets->len > 0 ? KH_FORECAST_LIKELY
                                                                                : KH_FORECAST_IMPOSSIBLE;
    case KH_MOVE_DIAL:
      return !allows_prime || !needs_primer (pair, move->first) ? forecast_dial (pair, move) : KH_FORECAST_IMPOSSIBLE;
    case KH_MOVE_PRIME:
      return !allows_dial || needs_primer (pair, move->first) ? forecast_dial (pair, move) : KH_FORECAST_IMPOSSIBLE;
    case KH_MOVE_GUESS:
      return KH_FORECAST_POSSIBLE;
    case KH_MOVE_PREDICT:
    case KH_MOVE_DICE:
      return forecast_gamble (pair, move->move);
    case KH_MOVE_REUSE:
      /* It does nothing that a dial does not, so it is for those who ask for it. */
      return !allows_dial && !allows_prime && keeps_after_fin (&pair->facts[0]) && keeps_after_fin (&pair->facts[1])
                 ? forecast_dial (pair, move)
                 : KH_FORECAST_IMPOSSIBLE;
    case KH_N_MOVES:
    default:
      return KH_FORECAST_IMPOSSIBLE;
    }
}

static KhPlanMove *
plan_move_new (const Pair *pair, KhMove kind)
{
  KhPlanMove *self = g_new0 (KhPlanMove, 1);

  self->move = kind;
  self->first = who_is_first (pair);
  for (int role = 0; role < 2; role++)
    self->sides[role].targets = targets_in (pair->offers[1 - role], kind);
  self->sides[self->first].primers = kind == KH_MOVE_PRIME;
  return self;
}

/* On the own network or towards an open host one dial is enough. */
static gboolean
has_anything_to_do (const Pair *pair, const KhPlanMove *move)
{
  return is_gamble (move->move) || move->sides[0].targets->len > 0 || move->sides[1].targets->len > 0;
}

static void
add_move (KhPlan *self, const Pair *pair, KhMove kind)
{
  KhPlanMove *move = plan_move_new (pair, kind);
  KhForecast chance = has_anything_to_do (pair, move) ? forecast (pair, move) : KH_FORECAST_IMPOSSIBLE;

  /* A network that both may be in costs one dial to see. */
  if (chance == KH_FORECAST_IMPOSSIBLE && (kind != KH_MOVE_LAN || !has_anything_to_do (pair, move)))
    {
      plan_move_free (move);
      return;
    }

  if (is_gamble (kind))
    set_gambles (pair, move);
  self->forecast = MAX (self->forecast, chance);
  g_ptr_array_add (self->moves, move);
}

/**
 * kh_plan_new:
 * @inviter: the inviter's offer
 * @joiner: the joiner's offer
 * @failed_moves: moves that were tried with these offers and failed, a bit mask
 *
 * What to do with two offers. A pure function: both sides make the same plan from the same offers. Only moves that both
 * allow are in it, and none that failed. Unknown facts are taken as in the commonest network: a mapping that is the same for
 * everybody; but strangers' SYNs as answered by RST, which is the worse.
 *
 * Returns: (transfer full): the plan; with the forecast "impossible" when there is nothing to try, but for a look whether both are
 *   in one network after all
 */
KhPlan *
kh_plan_new (const KhOffer *inviter, const KhOffer *joiner, guint failed_moves)
{
  KhPlan *self = g_new0 (KhPlan, 1);
  Pair pair = { .offers = { inviter, joiner }, .facts = { facts_of (inviter), facts_of (joiner) } };

  pair.allowed = inviter->moves & joiner->moves & ~failed_moves;
  for (int role = 0; role < 2; role++)
    pair.ranges[role] = kh_port_range_of (&pair.facts[role]);
  self->moves = g_ptr_array_new_with_free_func ((GDestroyNotify) plan_move_free);
  self->forecast = KH_FORECAST_IMPOSSIBLE;
  for (guint i = 0; i < KH_N_MOVES; i++)
    if (pair.allowed & (1u << i))
      add_move (self, &pair, i);

  return self;
}

void
kh_plan_free (KhPlan *self)
{
  g_ptr_array_unref (self->moves);
  g_free (self);
}

/**
 * kh_plan_has:
 *
 * Returns: whether @move is in it
 */
gboolean
kh_plan_has (const KhPlan *self, KhMove move)
{
  for (guint i = 0; i < self->moves->len; i++)
    if (((KhPlanMove *) g_ptr_array_index (self->moves, i))->move == move)
      return TRUE;
  return FALSE;
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
