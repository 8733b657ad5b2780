/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-hops.h"
#include "kh-test.h"

#define UNKNOWN KH_FACT_NUMBER_UNKNOWN

/* "-" is a hop that stays silent; what is not there is silent as well. */
static void
test_judge (void)
{
  static const struct
  {
    const char *hops;
    int depth;
    gboolean carrier;
  } cases[] = {
    { "", UNKNOWN, FALSE },
    { "203.0.113.1", 0, FALSE },
    { "8.8.8.8 10.0.0.1", 0, FALSE },
    { "192.168.1.1 203.0.113.1", 1, FALSE },
    { "192.168.1.1 100.64.0.1 203.0.113.1", 2, TRUE },
    { "192.168.1.1 100.127.255.254 198.51.100.1", 2, TRUE },
    { "192.168.1.1 100.128.0.1 10.0.0.1", 1, FALSE },
    { "172.16.0.1 10.1.1.1 172.31.255.1 192.0.2.1", 3, FALSE },
    { "172.32.0.1 10.1.1.1", 0, FALSE },
    { "192.168.1.1 - 203.0.113.1", UNKNOWN, FALSE },
    { "- 203.0.113.1", UNKNOWN, FALSE },
    { "- 192.168.1.1 203.0.113.1", 2, FALSE },
    { "192.168.1.1 - 10.0.0.1 203.0.113.1", 3, FALSE },
    { "192.168.1.1 - 100.64.0.1 - 203.0.113.1", UNKNOWN, TRUE },
    { "192.168.1.1 203.0.113.1 - 100.64.0.1", 1, FALSE },
    { "192.168.1.1 - - - - - - -", UNKNOWN, FALSE },
    { "192.168.1.1 10.0.0.1", UNKNOWN, FALSE },
    { "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 10.0.0.8", UNKNOWN, FALSE },
    { "10.0.0.1 10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6 10.0.0.7 8.8.8.8", 7, FALSE },
    /* Neither private nor public tells nothing. */
    { "169.254.1.1 203.0.113.1", UNKNOWN, FALSE },
    { "192.168.1.1 127.0.0.1 203.0.113.1", UNKNOWN, FALSE },
    { "0.0.0.0 203.0.113.1", UNKNOWN, FALSE },
    { "192.168.1.1 224.0.0.1 203.0.113.1", UNKNOWN, FALSE },
    { "router 203.0.113.1", UNKNOWN, FALSE },
    { "192.168.1.1 2001:db8::1 203.0.113.1", UNKNOWN, FALSE },
    { "192.168.1.1.1 203.0.113.1", UNKNOWN, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) names = g_strsplit (cases[i].hops, " ", -1);
      KhHops hops = { 0 };
      int depth;
      gboolean carrier;

      g_test_message ("%s", cases[i].hops);
      for (int j = 0; names[j] != NULL; j++)
        if (!g_str_equal (names[j], "-"))
          g_strlcpy (hops.routers[j], names[j], KH_FACTS_ADDRESS_BYTES);
      kh_hops_judge (&hops, &depth, &carrier);
      g_assert_cmpint (depth, ==, cases[i].depth);
      g_assert_cmpint (carrier, ==, cases[i].carrier);
    }
}

/* This computer itself answers at the first hop: ICMP port unreachable. */
static void
test_arrived (void)
{
  g_autoptr (GInetAddress) server = g_inet_address_new_from_string ("127.0.0.1");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  gint64 begin = g_get_monotonic_time ();
  KhHops hops;

  kh_hops_measure_async (server, 30000, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, 5000);
  g_assert_cmpint (g_get_monotonic_time () - begin, <, kh_test_patience (5000));
  kh_hops_measure_finish (result, &hops, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (hops.routers[0], ==, "127.0.0.1");
}

static void
test_cancel (void)
{
  g_autoptr (GInetAddress) server = g_inet_address_new_from_string ("127.0.0.1");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  KhHops hops;

  kh_hops_measure_async (server, 30000, cancellable, kh_test_store_result, &result);
  g_cancellable_cancel (cancellable);
  kh_test_wait_until (result != NULL, 5000);
  g_assert_false (kh_hops_measure_finish (result, &hops, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hops/judge", test_judge);
  g_test_add_func ("/hops/arrived", test_arrived);
  g_test_add_func ("/hops/cancel", test_cancel);
  return g_test_run ();
}
