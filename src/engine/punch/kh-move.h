/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhMove:
 * @KH_MOVE_LAN: dial the friend's address in the own network
 * @KH_MOVE_IPV6: dial the friend's global IPv6 address; both dial, so stateful firewalls open
 * @KH_MOVE_DIAL: dial the friend's outside address; both dial, so both routers open
 *
 * The ways to a path, cheapest first.
 */
typedef enum
{
  KH_MOVE_LAN,
  KH_MOVE_IPV6,
  KH_MOVE_DIAL,
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
