/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-move.h"

static const char *const names[KH_N_MOVES] = {
  [KH_MOVE_LAN] = "lan",     [KH_MOVE_IPV6] = "ipv6",       [KH_MOVE_DIAL] = "dial", [KH_MOVE_PRIME] = "prime",
  [KH_MOVE_GUESS] = "guess", [KH_MOVE_PREDICT] = "predict", [KH_MOVE_DICE] = "dice", [KH_MOVE_REUSE] = "reuse",
};

/**
 * kh_move_name:
 *
 * Returns: (transfer none): the move's name in offers, events and options
 */
const char *
kh_move_name (KhMove move)
{
  g_return_val_if_fail ((guint) move < KH_N_MOVES, "dial");

  return names[move];
}

gboolean
kh_move_from_name (const char *name, KhMove *move)
{
  for (guint i = 0; i < KH_N_MOVES; i++)
    if (g_strcmp0 (names[i], name) == 0)
      {
        *move = i;
        return TRUE;
      }
  return FALSE;
}
