/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-facts-cache.h"

#define MAX_NETWORKS 32

/* The cache is linked into this program, and so finds this clock before GLib's. */
static gint64 now = 1;

gint64
g_get_monotonic_time (void)
{
  return now;
}

static KhFactsCache *cache;

static void
set_up (void)
{
  now = 1;
  cache = kh_facts_cache_new ();
}

static void
tear_down (void)
{
  g_assert_finalize_object (cache);
}

static void
store (const char *gateway, const char *outside, int depth)
{
  g_autoptr (GInetAddress) from = gateway != NULL ? g_inet_address_new_from_string (gateway) : NULL;
  g_autoptr (GInetAddress) to = g_inet_address_new_from_string (outside);
  KhFacts facts;

  kh_facts_init (&facts);
  kh_facts_set (&facts, KH_FACT_MAPPING, "endpoint-independent");
  facts.numbers[KH_FACT_NAT_DEPTH] = depth;
  kh_facts_cache_store (cache, from, to, &facts);
}

/* Which of the facts are there; -1 if none. */
static int
look_up (const char *gateway, const char *outside)
{
  g_autoptr (GInetAddress) from = gateway != NULL ? g_inet_address_new_from_string (gateway) : NULL;
  g_autoptr (GInetAddress) to = g_inet_address_new_from_string (outside);
  const KhFacts *facts = kh_facts_cache_lookup (cache, from, to);

  if (facts == NULL)
    return -1;

  g_assert_true (kh_facts_is (facts, KH_FACT_MAPPING, "endpoint-independent"));
  g_assert_false (kh_facts_knows (facts, KH_FACT_FILTERING));
  return facts->numbers[KH_FACT_NAT_DEPTH];
}

static void
test_found_again (void)
{
  set_up ();
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, -1);
  store ("192.168.1.1", "203.0.113.7", 1);
  store ("2001:db8::1", "2001:db8::7", 2);
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, 1);
  g_assert_cmpint (look_up ("2001:db8::1", "2001:db8::7"), ==, 2);
  tear_down ();
}

static void
test_replaced (void)
{
  set_up ();
  store ("192.168.1.1", "203.0.113.7", 1);
  store ("192.168.1.1", "203.0.113.7", 2);
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, 2);
  tear_down ();
}

/* Many homes have the same gateway, and a home may have two ways out. */
static void
test_other_network (void)
{
  set_up ();
  store ("192.168.1.1", "203.0.113.7", 1);
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.8"), ==, -1);
  g_assert_cmpint (look_up ("192.168.1.2", "203.0.113.7"), ==, -1);
  g_assert_cmpint (look_up ("203.0.113.7", "192.168.1.1"), ==, -1);
  g_assert_cmpint (look_up (NULL, "203.0.113.7"), ==, -1);
  tear_down ();
}

static void
test_no_gateway (void)
{
  set_up ();
  store (NULL, "203.0.113.7", 1);
  g_assert_cmpint (look_up (NULL, "203.0.113.7"), ==, 1);
  g_assert_cmpint (look_up (NULL, "203.0.113.8"), ==, -1);
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, -1);
  tear_down ();
}

static guint
count_kept (guint stored)
{
  guint kept = 0;

  for (guint i = 0; i < stored; i++)
    {
      g_autofree char *outside = g_strdup_printf ("203.0.113.%u", i);

      if (look_up ("192.168.1.1", outside) == (int) i)
        kept++;
    }
  return kept;
}

/* However many there are, only so many are kept, and the last is among them. */
static void
test_bounded (void)
{
  set_up ();
  for (guint i = 0; i < 3 * MAX_NETWORKS; i++)
    {
      g_autofree char *outside = g_strdup_printf ("203.0.113.%u", i);

      store ("192.168.1.1", outside, (int) i);
      g_assert_cmpint (look_up ("192.168.1.1", outside), ==, i);
      g_assert_cmpuint (count_kept (i + 1), <=, MAX_NETWORKS);
      if (i < MAX_NETWORKS)
        g_assert_cmpuint (count_kept (i + 1), ==, i + 1);
    }
  tear_down ();
}

static void
test_network_changed (void)
{
  set_up ();
  store ("192.168.1.1", "203.0.113.7", 1);
  g_signal_emit_by_name (g_network_monitor_get_default (), "network-changed", TRUE);
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, -1);
  store ("192.168.1.1", "203.0.113.7", 2);
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, 2);
  tear_down ();

  /* A cache that is gone takes no notice. */
  g_signal_emit_by_name (g_network_monitor_get_default (), "network-changed", TRUE);
}

static void
test_old (void)
{
  set_up ();
  store ("192.168.1.1", "203.0.113.7", 1);
  now += 6 * G_TIME_SPAN_HOUR;
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, 1);
  now++;
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, -1);
  store ("192.168.1.1", "203.0.113.7", 2);
  g_assert_cmpint (look_up ("192.168.1.1", "203.0.113.7"), ==, 2);
  tear_down ();
}

/* What is old makes room before what is not. */
static void
test_old_make_room (void)
{
  set_up ();
  for (guint i = 0; i < MAX_NETWORKS - 1; i++)
    {
      g_autofree char *outside = g_strdup_printf ("203.0.113.%u", i);

      store ("192.168.1.1", outside, (int) i);
    }
  now += 6 * G_TIME_SPAN_HOUR;
  store ("192.168.1.1", "198.51.100.1", 1);
  now++;
  store ("192.168.1.1", "198.51.100.2", 2);
  g_assert_cmpint (look_up ("192.168.1.1", "198.51.100.1"), ==, 1);
  g_assert_cmpint (look_up ("192.168.1.1", "198.51.100.2"), ==, 2);
  g_assert_cmpuint (count_kept (MAX_NETWORKS - 1), ==, 0);
  tear_down ();
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/facts-cache/found-again", test_found_again);
  g_test_add_func ("/facts-cache/replaced", test_replaced);
  g_test_add_func ("/facts-cache/other-network", test_other_network);
  g_test_add_func ("/facts-cache/no-gateway", test_no_gateway);
  g_test_add_func ("/facts-cache/bounded", test_bounded);
  g_test_add_func ("/facts-cache/network-changed", test_network_changed);
  g_test_add_func ("/facts-cache/old", test_old);
  g_test_add_func ("/facts-cache/old-make-room", test_old_make_room);
  return g_test_run ();
}
