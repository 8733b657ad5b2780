/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-interfaces.h"
#include "kh-test.h"
#include "kh-links.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if_arp.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static void
test_by_hand (void)
{
  g_autoptr (KhInterfaces) interfaces = kh_interfaces_new ();
  g_autoptr (GInetAddress) home = g_inet_address_new_from_string ("192.168.1.7");
  g_autoptr (GInetAddress) vpn = g_inet_address_new_from_string ("10.8.0.2");
  g_autoptr (GInetAddress) other = g_inet_address_new_from_string ("10.8.0.3");
  g_autofree char *gateway = NULL;

  g_assert_null (kh_interfaces_get_gateway (interfaces));
  kh_interfaces_add_to (interfaces, "wlan0", FALSE, "192.168.1.7/24");
  kh_interfaces_add_to (interfaces, "tun0", TRUE, "10.8.0.2/24");
  kh_interfaces_add_gateway (interfaces, "192.168.1.1");
  kh_interfaces_add_gateway (interfaces, "192.168.1.254");

  gateway = g_inet_address_to_string (kh_interfaces_get_gateway (interfaces));
  g_assert_cmpstr (gateway, ==, "192.168.1.1");
  g_assert_cmpstr (kh_interfaces_get_name (interfaces, home), ==, "wlan0");
  g_assert_cmpstr (kh_interfaces_get_name (interfaces, vpn), ==, "tun0");
  g_assert_null (kh_interfaces_get_name (interfaces, other));
  g_assert_false (kh_interfaces_is_tunnel (interfaces, home));
  g_assert_true (kh_interfaces_is_tunnel (interfaces, vpn));
  g_assert_false (kh_interfaces_is_tunnel (interfaces, other));
}

static void
test_way (void)
{
  g_autoptr (KhInterfaces) here = kh_interfaces_new ();
  g_autoptr (KhInterfaces) there = kh_interfaces_new ();
  g_autoptr (GInetAddress) local = g_inet_address_new_from_string ("192.168.1.7");
  g_autofree char *before = NULL;
  g_autofree char *same = NULL;
  g_autofree char *after = NULL;

  kh_interfaces_add_to (here, "wlan0", FALSE, "192.168.1.7/24");
  kh_interfaces_add_gateway (here, "192.168.1.1");
  kh_interfaces_add_to (there, "eth0", FALSE, "192.168.1.7/24");
  kh_interfaces_add_gateway (there, "192.168.1.1");

  before = kh_interfaces_describe_way (here, local);
  same = kh_interfaces_describe_way (here, local);
  after = kh_interfaces_describe_way (there, local);
  g_assert_cmpstr (before, ==, same);
  g_assert_cmpstr (before, !=, after);
}

static void
test_kinds (void)
{
  g_assert_true (kh_links_is_tunnel (ARPHRD_NONE, "wireguard"));
  g_assert_true (kh_links_is_tunnel (ARPHRD_NONE, "tun"));
  g_assert_true (kh_links_is_tunnel (ARPHRD_NONE, "xfrm"));
  g_assert_true (kh_links_is_tunnel (ARPHRD_ETHER, "tun")); /* TAP */
  g_assert_false (kh_links_is_tunnel (ARPHRD_PPP, "ppp"));  /* PPPoE */
  g_assert_false (kh_links_is_tunnel (ARPHRD_PPP, NULL));
  g_assert_false (kh_links_is_tunnel (ARPHRD_NONE, NULL)); /* a modem */
  g_assert_false (kh_links_is_tunnel (ARPHRD_NONE, "wwan"));
  g_assert_false (kh_links_is_tunnel (ARPHRD_ETHER, NULL));
  g_assert_false (kh_links_is_tunnel (ARPHRD_ETHER, "veth"));
  g_assert_false (kh_links_is_tunnel (ARPHRD_ETHER, "bridge"));
}

static gboolean
ip (const char *command)
{
  g_autofree char *line = g_strconcat ("ip ", command, NULL);
  g_autofree char *said = NULL;
  int status;

  return g_spawn_command_line_sync (line, NULL, &said, &status, NULL) && g_spawn_check_wait_status (status, NULL);
}

/* A device that a program made, as VPN programs do. Gone with its descriptor. */
static int
open_tun (const char *name, short flags)
{
  struct ifreq request = { .ifr_flags = flags | IFF_NO_PI };
  int fd = open ("/dev/net/tun", O_RDWR | O_CLOEXEC);

  g_strlcpy (request.ifr_name, name, sizeof request.ifr_name);
  if (fd >= 0 && ioctl (fd, TUNSETIFF, &request) != 0)
    {
      close (fd);
      fd = -1;
    }
  return fd;
}

static void
assert_interface (KhInterfaces *interfaces, const char *address, const char *name, gboolean tunnel)
{
  g_autoptr (GInetAddress) local = g_inet_address_new_from_string (address);

  g_assert_cmpstr (kh_interfaces_get_name (interfaces, local), ==, name);
  g_assert_true (kh_interfaces_is_tunnel (interfaces, local) == tunnel);
}

/* In a network of its own, whose interfaces /sys does not show. */
static void
test_real (void)
{
  g_autoptr (KhInterfaces) interfaces = NULL;
  g_autofree char *gateway = NULL;
  int tun, tap;

  if (unshare (CLONE_NEWNET) != 0 && unshare (CLONE_NEWUSER | CLONE_NEWNET) != 0)
    {
      g_test_skip ("network namespaces are forbidden here");
      return;
    }
  if (!ip ("link add lan0 type veth peer name lan1"))
    {
      g_test_skip ("interfaces cannot be made here, or there is no ip");
      return;
    }

  g_assert_true (ip ("address add 192.168.77.2/24 dev lan0") && ip ("link set lan0 up") && ip ("link set lan1 up"));
  g_assert_true (ip ("route add default via 192.168.77.1 metric 600"));
  g_assert_true (ip ("route add default via 192.168.77.254 metric 100"));
  tun = open_tun ("vpn0", IFF_TUN);
  tap = open_tun ("vpn1", IFF_TAP);
  if (tun < 0 || tap < 0)
    g_test_message ("without TUN: %s", g_strerror (errno));
  else
    g_assert_true (ip ("address add 10.8.0.2/24 dev vpn0") && ip ("link set vpn0 up") &&
                   ip ("address add 10.9.0.2/24 dev vpn1") && ip ("link set vpn1 up"));

  interfaces = kh_interfaces_new_read ();
  assert_interface (interfaces, "192.168.77.2", "lan0", FALSE);
  if (tun >= 0 && tap >= 0)
    {
      assert_interface (interfaces, "10.8.0.2", "vpn0", TRUE);
      assert_interface (interfaces, "10.9.0.2", "vpn1", TRUE);
    }
  gateway = g_inet_address_to_string (kh_interfaces_get_gateway (interfaces));
  g_assert_cmpstr (gateway, ==, "192.168.77.254");

  /* Not every kernel has it. */
  if (ip ("link add vpn2 type wireguard"))
    {
      g_autoptr (KhInterfaces) again = NULL;

      g_assert_true (ip ("address add 10.10.0.2/24 dev vpn2") && ip ("link set vpn2 up"));
      again = kh_interfaces_new_read ();
      assert_interface (again, "10.10.0.2", "vpn2", TRUE);
    }
  else
    g_test_message ("without WireGuard: this kernel does not know it");
  close (tun);
  close (tap);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/interfaces/by-hand", test_by_hand);
  g_test_add_func ("/interfaces/way", test_way);
  g_test_add_func ("/interfaces/kinds", test_kinds);
  /* The last one: it leaves the machine's network. */
  g_test_add_func ("/interfaces/real", test_real);
  return g_test_run ();
}
