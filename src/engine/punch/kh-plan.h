/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-forecast.h"
#include "kh-move.h"
#include "kh-offer.h"
#include "kh-role.h"

G_BEGIN_DECLS

/**
 * KhPrimers:
 * @KH_PRIMERS_NONE: none
 * @KH_PRIMERS_HALF: every other one, where it is not known what helps
 * @KH_PRIMERS_ALL: all of them
 *
 * How many of many dials only open the holes of our own routers.
 */
typedef enum
{
  KH_PRIMERS_NONE,
  KH_PRIMERS_HALF,
  KH_PRIMERS_ALL,
} KhPrimers;

/**
 * KhGamble:
 * @remote: (nullable): the friend's outside address; its port counts only where there is one; %NULL without a gamble
 * @low: the lowest port to dial there
 * @high: the highest
 * @step: 0 for ports in any order; else from one to the next, beginning with @low, or with @high where it is below 0
 * @fresh: whether each dial comes from a fresh port, so that the own router takes another one as well
 * @roll: whether it goes on when so many are held, and the oldest give way
 * @primers: how many of them are
 * @cautious: whether the friend's side may let in each of them: then the first ones are few
 * @held: dials at once
 * @per_second: new ones in a second, once so many are held
 * @budget: new ones in all
 *
 * One side's part of a move in which an outside port has to be found: doors (from the shared port to many ports of the friend) or
 * dice (from many ports, to one or to many).
 */
typedef struct
{
  GInetSocketAddress *remote;
  guint16 low;
  guint16 high;
  int step;
  gboolean fresh;
  gboolean roll;
  KhPrimers primers;
  gboolean cautious;
  guint held;
  guint per_second;
  guint budget;
} KhGamble;

/**
 * KhPlanSide:
 * @targets: (element-type GInetSocketAddress): whom this side dials once and holds
 * @gamble: whom it dials many times
 * @primers: whether its dials only open the holes of its own routers
 *
 * One side's part of a move.
 */
typedef struct
{
  GPtrArray *targets;
  KhGamble gamble;
  gboolean primers;
} KhPlanSide;

/**
 * KhPlanMove:
 * @move: what to do
 * @first: who opens the hole first. The inviter does so before its offer leaves; the joiner when that has come, and then it says
 *   so, for the inviter to begin
 * @sides: (array fixed-size=2): by #KhRole
 */
typedef struct
{
  KhMove move;
  KhRole first;
  KhPlanSide sides[2];
} KhPlanMove;

/**
 * KhPlan:
 * @moves: (element-type KhPlanMove): cheapest first; they do not disturb one another and run side by side
 * @forecast: what to expect
 */
typedef struct
{
  GPtrArray *moves;
  KhForecast forecast;
} KhPlan;

KhPlan    *kh_plan_new           (const KhOffer *inviter, const KhOffer *joiner, guint failed_moves);
void       kh_plan_free          (KhPlan *self);
gboolean   kh_plan_has           (const KhPlan *self, KhMove move);
JsonArray *kh_plan_moves_to_json (const KhPlan *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhPlan, kh_plan_free)

G_END_DECLS
