/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-introduction.h"

#include "kh-address.h"

/* More outside addresses than this come from a router that gives each server another: the friend cannot use them. */
#define MAX_OUTSIDE 2
#define MAX_IPV6 4

static void
add_on_port (KhOffer *offer, KhCandidateKind kind, GInetAddress *address, guint16 port)
{
  g_autoptr (GSocketAddress) candidate = g_inet_socket_address_new (address, port);

  kh_offer_add (offer, kind, G_INET_SOCKET_ADDRESS (candidate), -1);
}

/* Where everything runs on one machine, servers see us at loopback, and the friend is there too. */
static void
add_outside (KhOffer *offer, GInetSocketAddress *outside, gint64 age_ms, guint16 port)
{
  GInetAddress *address = g_inet_socket_address_get_address (outside);

  kh_offer_add (offer, KH_CANDIDATE_OUTSIDE, outside, age_ms);
  if (g_inet_address_get_is_loopback (address))
    add_on_port (offer, KH_CANDIDATE_LAN, address, port);
}

/**
 * kh_introduction_make_offer:
 * @mapping: what STUN servers told
 * @interfaces: this computer's addresses
 * @port: the shared port
 * @your_address: (nullable): how the meeting server sees us, used only when no STUN server answered
 *
 * Gathers everything a friend needs to know to reach us.
 *
 * Returns: (transfer full): the offer, without name
 */
KhOffer *
kh_introduction_make_offer (KhMapping *mapping, const KhInterfaces *interfaces, guint16 port, const char *your_address)
{
  KhOffer *offer = kh_offer_new ();
  g_autoptr (GPtrArray) outside = kh_mapping_get_outside (mapping);
  g_autoptr (GPtrArray) ipv6 = kh_interfaces_get_ipv6 (interfaces);
  g_autoptr (GPtrArray) lan = kh_interfaces_get_lan (interfaces);
  g_autoptr (GInetAddress) guess = your_address != NULL ? g_inet_address_new_from_string (your_address) : NULL;

  kh_mapping_observe (mapping, &offer->facts);
  for (guint i = 0; i < MIN (outside->len, MAX_OUTSIDE); i++)
    add_outside (offer, g_ptr_array_index (outside, i), kh_mapping_get_age (mapping), port);
  if (outside->len == 0 && guess != NULL && kh_address_is_global (guess))
    add_on_port (offer, KH_CANDIDATE_GUESS, guess, port);

  for (guint i = 0; i < MIN (ipv6->len, MAX_IPV6); i++)
    add_on_port (offer, KH_CANDIDATE_IPV6, g_ptr_array_index (ipv6, i), port);
  for (guint i = 0; i < lan->len; i++)
    add_on_port (offer, KH_CANDIDATE_LAN, g_ptr_array_index (lan, i), port);

  return offer;
}
