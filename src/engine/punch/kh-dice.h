/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-dial.h"
#include "kh-plan.h"

G_BEGIN_DECLS

#define KH_TYPE_DICE (kh_dice_get_type ())
G_DECLARE_FINAL_TYPE (KhDice, kh_dice, KH, DICE, GObject)

/**
 * KhDiceCount:
 * @dialled: new ones so far
 * @held: that wait now
 * @refused: how often one was
 */
typedef struct
{
  guint dialled;
  guint held;
  guint refused;
} KhDiceCount;

KhDice     *kh_dice_new       (KhDialer       *dialer,
                               const KhGamble *gamble,
                               KhDialFlags     flags);
void        kh_dice_start     (KhDice         *self);
void        kh_dice_stop      (KhDice         *self);
KhDiceCount kh_dice_get_count (KhDice         *self);

G_END_DECLS
