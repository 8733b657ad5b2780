/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-aim.h"
#include "kh-test.h"

#define OWN_PORT 4000

static KhOffer *
offer_with_outside (const char *ip)
{
  KhOffer *offer = kh_offer_new ();
  g_autoptr (GInetSocketAddress) outside = kh_address_new (ip, OWN_PORT);

  kh_offer_add (offer, KH_CANDIDATE_OUTSIDE, outside, 0);
  return offer;
}

static gboolean
may_dial (const char *own_outside, const char *friend_outside, KhMove move, const char *target)
{
  g_autoptr (KhInterfaces) interfaces = kh_interfaces_new ();
  g_autoptr (KhOffer) own = offer_with_outside (own_outside);
  g_autoptr (KhOffer) friend_offer = offer_with_outside (friend_outside);
  g_autoptr (GInetSocketAddress) address = kh_address_from_text (target);
  const KhAim aim = { interfaces, OWN_PORT, own, friend_offer };

  kh_interfaces_add (interfaces, "127.0.0.1/8");
  kh_interfaces_add (interfaces, "192.168.1.7/24");
  kh_interfaces_add (interfaces, "fd00:1::7/64");
  kh_interfaces_add (interfaces, "2001:db8:1::7/64");
  kh_interfaces_add_gateway (interfaces, "192.168.1.1");
  g_assert_nonnull (address);

  return kh_aim_refuse (&aim, move, address) == NULL;
}

#define HERE "203.0.113.1"
#define THERE "203.0.113.2"

static void
test_table (void)
{
  static const struct
  {
    const char *own_outside;
    const char *friend_outside;
    KhMove move;
    const char *target;
    gboolean allowed;
  } cases[] = {
    { HERE, THERE, KH_MOVE_DIAL, "203.0.113.2:5000", TRUE },
    { HERE, THERE, KH_MOVE_DIAL, "8.8.8.8:53", TRUE },
    { HERE, THERE, KH_MOVE_DIAL, "192.168.1.9:80", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "10.0.0.1:80", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "172.16.0.1:80", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "172.32.0.1:80", TRUE },
    { HERE, THERE, KH_MOVE_DIAL, "100.64.0.1:80", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "169.254.169.254:80", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "127.0.0.1:22", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "0.0.0.0:22", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "224.0.0.1:22", FALSE },
    { HERE, THERE, KH_MOVE_DIAL, "255.255.255.255:22", FALSE },
    { HERE, THERE, KH_MOVE_IPV6, "[2001:db8::2]:5000", TRUE },
    { HERE, THERE, KH_MOVE_IPV6, "[2001:db8:1::7]:4000", FALSE }, /* ourselves */
    { HERE, THERE, KH_MOVE_IPV6, "[::1]:5000", FALSE },
    { HERE, THERE, KH_MOVE_IPV6, "[::ffff:127.0.0.1]:5000", FALSE },
    { HERE, THERE, KH_MOVE_IPV6, "[fe80::1]:5000", FALSE },
    { HERE, THERE, KH_MOVE_IPV6, "[fd00:1::1]:5000", FALSE },
    { HERE, THERE, KH_MOVE_IPV6, "[ff02::1]:5000", FALSE },
    { HERE, THERE, KH_MOVE_IPV6, "[2002:7f00:1::1]:5000", FALSE }, /* 6to4 */
    { HERE, THERE, KH_MOVE_IPV6, "[2001:0:1::1]:5000", FALSE },    /* Teredo */
    { HERE, THERE, KH_MOVE_LAN, "192.168.1.9:5000", TRUE },
    { HERE, THERE, KH_MOVE_LAN, "192.168.1.7:5000", TRUE },  /* a second Knothole here */
    { HERE, THERE, KH_MOVE_LAN, "192.168.1.7:4000", FALSE }, /* ourselves */
    { HERE, THERE, KH_MOVE_LAN, "192.168.1.1:80", FALSE },   /* our router */
    { HERE, THERE, KH_MOVE_LAN, "192.168.2.9:5000", FALSE },
    { HERE, THERE, KH_MOVE_LAN, "192.168.1.9:80", FALSE },
    { HERE, THERE, KH_MOVE_LAN, "192.168.1.7:631", FALSE }, /* a service of our own */
    { HERE, HERE, KH_MOVE_LAN, "192.168.2.9:5000", TRUE },
    { HERE, HERE, KH_MOVE_LAN, "172.16.0.1:5000", TRUE },
    { HERE, HERE, KH_MOVE_LAN, "[fd00:9::9]:5000", TRUE },
    { HERE, HERE, KH_MOVE_LAN, "100.64.3.4:5000", TRUE },
    { HERE, HERE, KH_MOVE_LAN, "10.9.9.9:22", FALSE },
    { HERE, HERE, KH_MOVE_LAN, "8.8.8.8:5000", FALSE },
    { HERE, HERE, KH_MOVE_LAN, "0.1.2.3:5000", FALSE },
    { HERE, HERE, KH_MOVE_LAN, "255.255.255.255:5000", FALSE },
    { HERE, HERE, KH_MOVE_LAN, "[::127.0.0.1]:5000", FALSE },
    { HERE, HERE, KH_MOVE_LAN, "[::ffff:192.168.2.9]:5000", FALSE },
    { HERE, HERE, KH_MOVE_DIAL, "203.0.113.1:80", FALSE }, /* our router, from its other side */
    { HERE, HERE, KH_MOVE_DIAL, "203.0.113.1:5000", TRUE },
    { HERE, THERE, KH_MOVE_DICE, "203.0.113.9:5000", TRUE },
    { HERE, HERE, KH_MOVE_DICE, "203.0.113.1:5000", FALSE }, /* our router's own services */
    { HERE, HERE, KH_MOVE_PREDICT, "203.0.113.1:5000", FALSE },
    { HERE, THERE, KH_MOVE_DICE, "192.168.1.7:5000", FALSE }, /* our own */
    { HERE, HERE, KH_MOVE_LAN, "127.0.0.1:5000", FALSE },
    { HERE, HERE, KH_MOVE_LAN, "169.254.1.1:5000", FALSE },
    { HERE, HERE, KH_MOVE_LAN, "192.168.1.1:80", FALSE },
    { HERE, THERE, KH_MOVE_LAN, "[fd00:1::9]:5000", TRUE },
    { HERE, THERE, KH_MOVE_LAN, "[fd00:2::9]:5000", FALSE },
    { "127.0.0.1", "127.0.0.1", KH_MOVE_LAN, "127.0.0.1:5000", TRUE },
    { "127.0.0.1", "127.0.0.1", KH_MOVE_LAN, "127.0.0.1:4000", FALSE },
    { "127.0.0.1", "127.0.0.1", KH_MOVE_DIAL, "127.0.0.1:5000", FALSE },
    { HERE, "127.0.0.1", KH_MOVE_LAN, "127.0.0.1:5000", FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      gboolean allowed = may_dial (cases[i].own_outside, cases[i].friend_outside, cases[i].move, cases[i].target);

      if (allowed != cases[i].allowed)
        g_error ("%s by %s: %s", cases[i].target, kh_move_name (cases[i].move), allowed ? "dialled" : "refused");
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/aim/table", test_table);
  return g_test_run ();
}
