/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-primer.h"
#include "kh-test.h"

#include <gio/gnetworking.h>
#include <unistd.h>

static int
read_option (int fd, GSocketFamily family, int v4, int v6)
{
  gboolean is_v6 = family == G_SOCKET_FAMILY_IPV6;
  int value = -1;
  socklen_t size = sizeof value;

  g_assert_cmpint (getsockopt (fd, is_v6 ? IPPROTO_IPV6 : IPPROTO_IP, is_v6 ? v6 : v4, &value, &size), ==, 0);
  return value;
}

static int
hops (int fd, GSocketFamily family)
{
  return read_option (fd, family, IP_TTL, IPV6_UNICAST_HOPS);
}

static int
least_incoming (int fd, GSocketFamily family)
{
  return read_option (fd, family, IP_MINTTL, IPV6_MINHOPCOUNT);
}

/* The first SYN is lowered, what follows is not, the SYN that the kernel sends again after a second is, and then again nothing. */
static void
check (GSocketFamily family)
{
  int fd = socket (family == G_SOCKET_FAMILY_IPV6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int usual = hops (fd, family);
  KhPrimer *primer = kh_primer_new (fd, family, 3, FALSE);
  gint64 sent;

  g_assert_cmpint (usual, >, 3);
  g_assert_cmpint (hops (fd, family), ==, 3);
  g_assert_cmpint (least_incoming (fd, family), ==, 8);

  kh_primer_sent (primer);
  sent = g_get_monotonic_time ();
  g_assert_cmpint (hops (fd, family), ==, usual);
  kh_test_wait_until (hops (fd, family) == 3, 2000);
  g_assert_cmpint (g_get_monotonic_time () - sent, >=, 900 * 1000);
  kh_test_wait_until (hops (fd, family) == usual, 2000);
  g_assert_cmpint (g_get_monotonic_time () - sent, >=, 1200 * 1000);
  g_assert_cmpint (least_incoming (fd, family), ==, 8);

  kh_primer_free (primer);
  g_assert_cmpint (least_incoming (fd, family), ==, 0);
  close (fd);
}

static void
test_ipv4 (void)
{
  check (G_SOCKET_FAMILY_IPV4);
}

static void
test_ipv6 (void)
{
  int fd = socket (AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);

  if (fd < 0)
    {
      g_test_skip ("this system has no IPv6");
      return;
    }
  close (fd);
  check (G_SOCKET_FAMILY_IPV6);
}

/* Whoever ends while it is lowered leaves the socket as it was. */
static void
test_ends_early (void)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int usual = hops (fd, G_SOCKET_FAMILY_IPV4);

  kh_primer_free (kh_primer_new (fd, G_SOCKET_FAMILY_IPV4, 2, TRUE));
  g_assert_cmpint (hops (fd, G_SOCKET_FAMILY_IPV4), ==, usual);
  close (fd);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/primer/ipv4", test_ipv4);
  g_test_add_func ("/primer/ipv6", test_ipv6);
  g_test_add_func ("/primer/ends-early", test_ends_early);
  return g_test_run ();
}
