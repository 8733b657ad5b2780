/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nat-host.h"

#include "nat-backend.h"

#include <string.h>

/* Inside hosts a, b, c; outside a server, another one, a friend, a stranger, a router on the way; and the router under
 * test as both sides know it. */
static const NatHost hosts[] = {
  { "a", NAT_FIRST_INSIDE, KH_NAT_INSIDE },       { "b", "192.168.1.3", KH_NAT_INSIDE },
  { "c", "192.168.1.4", KH_NAT_INSIDE },          { "s", "198.51.100.1", KH_NAT_OUTSIDE },
  { "t", "198.51.100.2", KH_NAT_OUTSIDE },        { "f", "198.51.100.3", KH_NAT_OUTSIDE },
  { "x", "198.51.100.4", KH_NAT_OUTSIDE },        { "h", "198.51.100.5", KH_NAT_OUTSIDE },
  { "router", NAT_ROUTER_INSIDE, KH_NAT_INSIDE }, { "out", NAT_ROUTER_OUTSIDE, KH_NAT_OUTSIDE },
};

/**
 * nat_host_find:
 * @name: a name, perhaps with something behind it
 * @length: how long the name is
 *
 * Returns: (nullable): the host
 */
const NatHost *
nat_host_find (const char *name, gsize length)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    if (strlen (hosts[i].name) == length && strncmp (hosts[i].name, name, length) == 0)
      return &hosts[i];

  return NULL;
}

const NatHost *
nat_host_find_ip (const KhIp *ip)
{
  for (gsize i = 0; i < G_N_ELEMENTS (hosts); i++)
    {
      KhIp own = nat_host_get_ip (&hosts[i]);

      if (kh_ip_equal (&own, ip))
        return &hosts[i];
    }

  return NULL;
}

KhIp
nat_host_get_ip (const NatHost *self)
{
  return kh_ip_from_text (self->address);
}
