/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-forecast.h"
#include "kh-move.h"
#include "kh-offer.h"
#include "kh-role.h"

G_BEGIN_DECLS

/**
 * KhPlanMove:
 * @move: what to do
 * @first: who opens the hole first; the other dials when the first one's offer has arrived
 * @inviter_targets: (element-type GInetSocketAddress): whom the inviter dials
 * @joiner_targets: (element-type GInetSocketAddress): whom the joiner dials
 */
typedef struct
{
  KhMove move;
  KhRole first;
  GPtrArray *inviter_targets;
  GPtrArray *joiner_targets;
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
GPtrArray *kh_plan_move_targets  (const KhPlanMove *self, KhRole role);
JsonArray *kh_plan_moves_to_json (const KhPlan *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhPlan, kh_plan_free)

G_END_DECLS
