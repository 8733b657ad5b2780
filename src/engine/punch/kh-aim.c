/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-aim.h"

#include "kh-address.h"

static gboolean
outside_is_loopback (const KhOffer *offer)
{
  for (guint i = 0; i < offer->candidates->len; i++)
    {
      KhCandidate *candidate = g_ptr_array_index (offer->candidates, i);

      if (candidate->kind == KH_CANDIDATE_OUTSIDE &&
          g_inet_address_get_is_loopback (g_inet_socket_address_get_address (candidate->address)))
        return TRUE;
    }
  return FALSE;
}

/* The same outside address: most likely the same router, so a private address of the friend may be near. */
static gboolean
share_outside_address (const KhOffer *a, const KhOffer *b)
{
  for (guint i = 0; i < a->candidates->len; i++)
    for (guint j = 0; j < b->candidates->len; j++)
      {
        KhCandidate *x = g_ptr_array_index (a->candidates, i);
        KhCandidate *y = g_ptr_array_index (b->candidates, j);

        if (x->kind == KH_CANDIDATE_OUTSIDE && y->kind == KH_CANDIDATE_OUTSIDE &&
            g_inet_address_equal (g_inet_socket_address_get_address (x->address),
                                  g_inet_socket_address_get_address (y->address)))
          return TRUE;
      }
  return FALSE;
}

/**
 * kh_aim_refuse:
 * @move: the move that names the target
 * @target: an address the friend chose
 *
 * A friend, or somebody who guessed the code, must not be able to aim us at machines of his choice: our router's
 * configuration page, other programs on this computer, hosts in networks behind us.
 *
 * Returns: (nullable) (transfer none): why @target is not dialled, or %NULL when it may be
 */
const char *
kh_aim_refuse (const KhAim *self, KhMove move, GInetSocketAddress *target)
{
  GInetAddress *ip = g_inet_socket_address_get_address (target);

  if (g_inet_address_get_is_any (ip) || g_inet_address_get_is_multicast (ip))
    return "not the address of one host";
  if (g_inet_address_get_is_link_local (ip))
    return "a link-local address";
  if (kh_interfaces_is_own (self->interfaces, ip) && g_inet_socket_address_get_port (target) == self->port)
    return "our own address and port";
  if (kh_interfaces_is_gateway (self->interfaces, ip))
    return "our own router";

  if (g_inet_address_get_is_loopback (ip))
    return move == KH_MOVE_LAN && outside_is_loopback (self->own) ? NULL : "an address of this computer itself";

  if (move != KH_MOVE_LAN)
    return kh_address_is_global (ip) ? NULL : "not an address on the internet";

  if (kh_interfaces_is_on_link (self->interfaces, ip) || share_outside_address (self->own, self->friend_offer))
    return NULL;
  return "not in our network";
}
