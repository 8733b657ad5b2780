/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-interfaces.h"
#include "kh-move.h"
#include "kh-offer.h"
#include "kh-plan.h"
#include "kh-race.h"

G_BEGIN_DECLS

/**
 * KhAim:
 * @interfaces: our own network
 * @port: our own local port
 * @own: what we offered
 * @friend_offer: what the friend offered
 *
 * What it takes to judge whether an address that a friend names may be dialled.
 */
typedef struct
{
  const KhInterfaces *interfaces;
  guint16 port;
  const KhOffer *own;
  const KhOffer *friend_offer;
} KhAim;

const char *kh_aim_refuse (const KhAim *self, KhMove move, GInetSocketAddress *target);
void        kh_aim_race   (const KhAim *self, KhRace *race, const KhPlan *plan, KhRole role, KhTrace *trace);

G_END_DECLS
