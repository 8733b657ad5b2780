/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-aim.h"

#include "kh-address.h"

#include <string.h>

/* Below it are the ports of services (RFC 6335: system ports). */
#define FIRST_FREE_PORT 1024

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

static gboolean
has_outside (const KhOffer *offer, GInetAddress *address)
{
  for (guint i = 0; i < offer->candidates->len; i++)
    {
      KhCandidate *candidate = g_ptr_array_index (offer->candidates, i);

      if (candidate->kind == KH_CANDIDATE_OUTSIDE &&
          g_inet_address_equal (g_inet_socket_address_get_address (candidate->address), address))
        return TRUE;
    }
  return FALSE;
}

/* The same outside address: most likely the same router, so a private address of the friend may be near. It is the
 * friend's word, and he knows ours: so it opens private addresses only, and no well-known port. */
static gboolean
share_outside_address (const KhOffer *own, const KhOffer *friend_offer)
{
  for (guint i = 0; i < own->candidates->len; i++)
    {
      KhCandidate *candidate = g_ptr_array_index (own->candidates, i);

      if (candidate->kind == KH_CANDIDATE_OUTSIDE &&
          has_outside (friend_offer, g_inet_socket_address_get_address (candidate->address)))
        return TRUE;
    }
  return FALSE;
}

/* RFC 1918, what carriers hand out (RFC 6598), and unique local IPv6 addresses. */
static gboolean
is_private (GInetAddress *ip)
{
  const guint8 *b = g_inet_address_to_bytes (ip);

  if (g_inet_address_get_family (ip) == G_SOCKET_FAMILY_IPV6)
    return (b[0] & 0xfe) == 0xfc;
  return b[0] == 10 || (b[0] == 100 && (b[1] & 0xc0) == 64) || (b[0] == 172 && (b[1] & 0xf0) == 16) ||
         (b[0] == 192 && b[1] == 168);
}

/* ::/96 and ::ffff:0:0/96: IPv4 addresses in disguise, ::1 aside. */
static gboolean
is_disguised (GInetAddress *ip)
{
  static const guint8 zeros[10] = { 0 };
  const guint8 *b = g_inet_address_to_bytes (ip);

  return g_inet_address_get_family (ip) == G_SOCKET_FAMILY_IPV6 && memcmp (b, zeros, sizeof zeros) == 0 &&
         !g_inet_address_get_is_loopback (ip);
}

static const char *
refuse_lan (const KhAim *self, GInetAddress *ip)
{
  if (kh_interfaces_is_on_link (self->interfaces, ip))
    return NULL;
  if (!is_private (ip))
    return "not in our network";
  return share_outside_address (self->own, self->friend_offer) ? NULL : "not in our network";
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
  guint16 port = g_inet_socket_address_get_port (target);

  if (g_inet_address_get_is_any (ip) || g_inet_address_get_is_multicast (ip) || is_disguised (ip))
    return "not the address of one host";
  if (g_inet_address_get_is_link_local (ip))
    return "a link-local address";
  if (kh_interfaces_is_own (self->interfaces, ip) && port == self->port)
    return "our own address and port";
  if (kh_interfaces_is_gateway (self->interfaces, ip))
    return "our own router";
  /* Where many ports of one address are tried, those of this computer and of our own router are not a friend's to try. */
  if ((move == KH_MOVE_PREDICT || move == KH_MOVE_DICE) &&
      (kh_interfaces_is_own (self->interfaces, ip) || has_outside (self->own, ip)))
    return "our own address";

  /* Near us are machines that trust their neighbours, and the side of our router that only we see. Who asked for such a port
   * himself knows that his friend may do so too. */
  if (port < FIRST_FREE_PORT && self->port >= FIRST_FREE_PORT && (move == KH_MOVE_LAN || has_outside (self->own, ip)))
    return "a port of a well-known service";
  if (g_inet_address_get_is_loopback (ip))
    return move == KH_MOVE_LAN && outside_is_loopback (self->own) ? NULL : "an address of this computer itself";
  if (move != KH_MOVE_LAN)
    return kh_address_is_global (ip) ? NULL : "not an address on the internet";

  return refuse_lan (self, ip);
}

/* Whoever is refused is told of. */
static gboolean
may_aim_at (const KhAim *self, KhMove move, GInetSocketAddress *target, KhTrace *trace)
{
  const char *reason = kh_aim_refuse (self, move, target);
  g_autofree char *remote = NULL;

  if (reason == NULL)
    return TRUE;

  remote = kh_address_to_text (G_SOCKET_ADDRESS (target));
  kh_trace_add (trace, "target.refused", "move:s remote:s reason:s", kh_move_name (move), remote, reason);
  return FALSE;
}

static KhDialFlags
flags_of (KhMove move, const KhPlanSide *side)
{
  return (move == KH_MOVE_LAN ? KH_DIAL_NEAR : 0) | (side->primers ? KH_DIAL_AS_PRIMER : 0);
}

static void
aim_move (const KhAim *self, KhRace *race, const KhPlanMove *move, KhRole role, KhTrace *trace)
{
  const KhPlanSide *side = &move->sides[role];
  KhDialFlags flags = flags_of (move->move, side);
  /* Where nobody has to come last, nobody waits. */
  gboolean waits = move->first != role && move->first == KH_ROLE_JOINER && move->move != KH_MOVE_LAN;

  for (guint i = 0; i < side->targets->len; i++)
    {
      GInetSocketAddress *target = g_ptr_array_index (side->targets, i);

      kh_race_expect (race, move->move, target);
      if (!kh_race_has_target (race, target) && may_aim_at (self, move->move, target, trace))
        kh_race_add_target (race, move->move, target, flags, waits);
    }
  if (side->gamble.remote == NULL)
    return;
  kh_race_expect (race, move->move, side->gamble.remote);
  if (may_aim_at (self, move->move, side->gamble.remote, trace))
    kh_race_add_gamble (race, move->move, &side->gamble, flags);
}

/**
 * kh_aim_race:
 * @race: a race that does not run yet
 * @plan: the plan made from both offers
 * @role: our side of it
 * @trace: where each address that is left out is told
 *
 * Gives the race whom to dial, as far as the friend may aim us there, and whom to expect.
 */
void
kh_aim_race (const KhAim *self, KhRace *race, const KhPlan *plan, KhRole role, KhTrace *trace)
{
  for (guint i = 0; i < plan->moves->len; i++)
    aim_move (self, race, g_ptr_array_index (plan->moves, i), role, trace);
}
