/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhMove:
 * @KH_MOVE_LAN: dial the friend's address in the own network
 * @KH_MOVE_IPV6: dial the friend's global IPv6 address; both dial, so stateful firewalls open
 * @KH_MOVE_DIAL: dial the friend's outside address; both dial, so both routers open
 * @KH_MOVE_PRIME: the same, but the first SYN dies behind the own router: the friend's never gets to refuse it
 * @KH_MOVE_GUESS: the same, where no server told an outside port, so that it is taken to be the inside one
 * @KH_MOVE_PREDICT: a router counts its outside ports up: dial some ahead of the last one
 * @KH_MOVE_DICE: a router takes outside ports at random: dial many, from both sides, until two fit together
 * @KH_MOVE_REUSE: like dialling, but the connection that made the mapping is closed before, and its port used again
 *
 * The ways to a path, cheapest first.
 */
typedef enum
{
  KH_MOVE_LAN,
  KH_MOVE_IPV6,
  KH_MOVE_DIAL,
  KH_MOVE_PRIME,
  KH_MOVE_GUESS,
  KH_MOVE_PREDICT,
  KH_MOVE_DICE,
  KH_MOVE_REUSE,
  KH_N_MOVES
} KhMove;

/**
 * KH_ALL_MOVES:
 *
 * A set of moves is a bit mask with bit `1 << move` for each.
 */
#define KH_ALL_MOVES ((1u << KH_N_MOVES) - 1)

const char *kh_move_name      (KhMove move);
gboolean    kh_move_from_name (const char *name, KhMove *move);

G_END_DECLS
