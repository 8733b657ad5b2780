/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-port-range.h"

#define EIM "endpoint-independent"
#define APDM "address-and-port-dependent"
#define NONE KH_FACT_NUMBER_UNKNOWN

static void
test_table (void)
{
  static const struct
  {
    const char *mapping, *allocation;
    int low, high, delta;
    KhPortKind kind;
    guint16 from, to;
    gboolean sure;
  } cases[] = {
    { EIM, "random", 2000, 60000, NONE, KH_PORT_FIXED, 0, 0, TRUE },
    { "none", "preserving", NONE, NONE, NONE, KH_PORT_FIXED, 0, 0, TRUE },
    { "unknown", "unknown", NONE, NONE, NONE, KH_PORT_FIXED, 0, 0, FALSE },
    { APDM, "preserving", NONE, NONE, NONE, KH_PORT_FIXED, 0, 0, FALSE },
    { APDM, "random", 2000, 60000, NONE, KH_PORT_ANY, 1024, 65535, TRUE },
    { APDM, "unknown", NONE, NONE, NONE, KH_PORT_ANY, 1024, 65535, FALSE },
    /* The next 64 ones after the last that was seen. */
    { APDM, "sequential", 4000, 4010, 1, KH_PORT_AHEAD, 4011, 4074, TRUE },
    { APDM, "sequential", 4000, 4020, -2, KH_PORT_AHEAD, 3872, 3998, TRUE },
    { APDM, "sequential", 65500, 65530, 1, KH_PORT_AHEAD, 65531, 65535, TRUE },
    { APDM, "sequential", 1030, 1040, -1, KH_PORT_AHEAD, 1024, 1029, TRUE },
    { APDM, "sequential", 4000, 4010, 0, KH_PORT_ANY, 1024, 65535, FALSE },
    { APDM, "sequential", NONE, NONE, 1, KH_PORT_ANY, 1024, 65535, FALSE },
    /* A fifth more on either side than what was seen. */
    { APDM, "block", 4000, 4500, NONE, KH_PORT_BLOCK, 3899, 4601, TRUE },
    { APDM, "block", 1024, 1424, NONE, KH_PORT_BLOCK, 1024, 1505, TRUE },
    { APDM, "block", 5000, 4000, NONE, KH_PORT_ANY, 1024, 65535, FALSE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      KhFacts facts;
      KhPortRange range;

      kh_facts_init (&facts);
      kh_facts_set (&facts, KH_FACT_MAPPING, cases[i].mapping);
      kh_facts_set (&facts, KH_FACT_ALLOCATION, cases[i].allocation);
      facts.numbers[KH_FACT_PORT_LOW] = cases[i].low;
      facts.numbers[KH_FACT_PORT_HIGH] = cases[i].high;
      facts.numbers[KH_FACT_DELTA] = cases[i].delta;
      range = kh_port_range_of (&facts);
      g_test_message ("row %u", (guint) i);
      g_assert_cmpint (range.kind, ==, cases[i].kind);
      g_assert_cmpuint (range.low, ==, cases[i].from);
      g_assert_cmpuint (range.high, ==, cases[i].to);
      g_assert_cmpint (range.sure, ==, cases[i].sure);
      /* What is in it for sure is in it. */
      g_assert_cmpuint (range.surely_low, >=, range.low);
      g_assert_cmpuint (range.surely_low, <=, range.surely_high);
      g_assert_cmpuint (range.surely_high, <=, range.high);
    }
}

static void
test_size (void)
{
  const KhPortRange fixed = { .kind = KH_PORT_FIXED };
  const KhPortRange any = { .kind = KH_PORT_ANY, .low = 1024, .high = 65535 };
  const KhPortRange down = { .kind = KH_PORT_AHEAD, .low = 3872, .high = 3998, .step = -2 };

  g_assert_cmpuint (kh_port_range_size (&fixed), ==, 1);
  g_assert_cmpuint (kh_port_range_size (&any), ==, 64512);
  g_assert_cmpuint (kh_port_range_size (&down), ==, 64);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/port-range/table", test_table);
  g_test_add_func ("/port-range/size", test_size);
  return g_test_run ();
}
