/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-interfaces.h"
#include "kh-test.h"

static void
test_text (void)
{
  static const char *const good[] = { "203.0.113.7:4242", "[2001:db8::7]:1", "0.0.0.0:0" };
  static const char *const bad[] = { "",
                                     "203.0.113.7",
                                     "203.0.113.7:",
                                     "203.0.113.7:65536",
                                     "203.0.113.7:-1",
                                     "host:80",
                                     "[2001:db8::7]",
                                     "2001:db8::7:80",
                                     "[203.0.113.7:80",
                                     "[]:80",
                                     "1.2.3.4: 80",
                                     "[1.2.3.4]x:80",
                                     "203.0.113.256:80" };

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GInetSocketAddress) address = kh_address_from_text (good[i]);
      g_autofree char *text = kh_address_to_text (G_SOCKET_ADDRESS (address));

      g_assert_cmpstr (text, ==, good[i]);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    g_assert_null (kh_address_from_text (bad[i]));
}

static void
test_interfaces (void)
{
  g_autoptr (KhInterfaces) interfaces = kh_interfaces_new ();
  g_autoptr (GInetAddress) near = g_inet_address_new_from_string ("10.1.2.99");
  g_autoptr (GInetAddress) far = g_inet_address_new_from_string ("10.1.6.1");
  g_autoptr (GInetAddress) own = g_inet_address_new_from_string ("10.1.3.7");
  g_autoptr (GInetAddress) loopback = g_inet_address_new_from_string ("127.0.0.5");
  g_autoptr (GPtrArray) lan = NULL;
  g_autoptr (GPtrArray) ipv6 = NULL;

  kh_interfaces_add (interfaces, "127.0.0.1/8");
  kh_interfaces_add (interfaces, "10.1.3.7/22");
  kh_interfaces_add (interfaces, "169.254.3.4/16");
  kh_interfaces_add (interfaces, "fe80::1/64");
  kh_interfaces_add (interfaces, "fd00::1/64");
  kh_interfaces_add (interfaces, "2001:db8::1/64");

  g_assert_true (kh_interfaces_is_on_link (interfaces, near));
  g_assert_false (kh_interfaces_is_on_link (interfaces, far));
  g_assert_false (kh_interfaces_is_on_link (interfaces, loopback));
  g_assert_true (kh_interfaces_is_own (interfaces, own));
  g_assert_false (kh_interfaces_is_own (interfaces, near));

  lan = kh_interfaces_get_lan (interfaces);
  g_assert_cmpuint (lan->len, ==, 2);
  ipv6 = kh_interfaces_get_ipv6 (interfaces);
  g_assert_cmpuint (ipv6->len, ==, 1);
}

/* This machine has at least its loopback address. */
static void
test_read (void)
{
  g_autoptr (KhInterfaces) interfaces = kh_interfaces_new_read ();
  g_autoptr (GInetAddress) loopback = g_inet_address_new_from_string ("127.0.0.1");

  g_assert_true (kh_interfaces_is_own (interfaces, loopback));
}

static void
test_host_and_port (void)
{
  static const struct
  {
    const char *text;
    gboolean good;
  } cases[] = {
    { "stun.example.org", TRUE },
    { "stun.example.org:3478", TRUE },
    { "203.0.113.7:1", TRUE },
    { "[2001:db8::7]:3478", TRUE },
    { "", FALSE },
    { ":3478", FALSE },
    { "stun.example.org:", FALSE },
    { "stun.example.org:x", FALSE },
    { "stun.example.org:65536", FALSE },
    { "stun.example.org:3478:1", FALSE },
    { "stun.example.org/path", FALSE },
    { "user@stun.example.org", FALSE },
    { "stun example org", FALSE },
    { "\033[1m", FALSE },
    { "服务器.example.org:3478", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_true (kh_address_is_host_and_port (cases[i].text) == cases[i].good);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/address/text", test_text);
  g_test_add_func ("/address/interfaces", test_interfaces);
  g_test_add_func ("/address/read", test_read);
  g_test_add_func ("/address/host-and-port", test_host_and_port);
  return g_test_run ();
}
