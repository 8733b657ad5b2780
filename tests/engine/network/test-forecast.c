/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-forecast.h"

#define EIM "endpoint-independent"
#define ADM "address-dependent"
#define APDM "address-and-port-dependent"

/* The routers of the laboratory, as a network check finds them. */
typedef struct
{
  const char *name;
  const char *mapping;
  const char *filtering;
  const char *allocation;
  const char *stranger;
  const char *bare_syn;
} Router;

static const Router routers[] = {
  { "open", "none", EIM, "preserving", "open", "yes" },
  { "firewall", "none", APDM, "preserving", "silent", "yes" },
  { "full-cone", EIM, EIM, "preserving", "open", "yes" },
  { "restricted-cone", EIM, ADM, "preserving", "silent", "yes" },
  { "port-restricted", EIM, APDM, "preserving", "silent", "yes" },
  { "port-restricted-rst", EIM, APDM, "preserving", "rst", "yes" },
  { "symmetric", APDM, APDM, "random", "silent", "yes" },
  { "symmetric-sequential", APDM, APDM, "sequential", "silent", "yes" },
  { "no-bare-syn", EIM, APDM, "preserving", "silent", "no" },
  { "icmp-reject", EIM, APDM, "preserving", "icmp", "yes" },
};

/* By rows and columns in the order above: what the laboratory's matrix comes to. Between two sequential routers nothing is known of the
 * ports here, so that they count as random. */
static const char *const expected[] = {
  "LLLLLLLLLL", /* open */
  "LLLLLLLLLP", /* firewall */
  "LLLLLLLLLP", /* full-cone */
  "LLLLLLLLLP", /* restricted-cone */
  "LLLLLLLLLP", /* port-restricted */
  "LLLLLLLLLP", /* port-restricted-rst */
  "LLLLLLUPLL", /* symmetric */
  "LLLLLLPPLL", /* symmetric-sequential */
  "LLLLLLLLUP", /* no-bare-syn */
  "LPPPPPLLPP", /* icmp-reject */
};

static char
letter (KhForecast forecast)
{
  return "IUPL"[forecast];
}

static KhFacts
facts_of (const Router *router)
{
  KhFacts facts;

  kh_facts_init (&facts);
  kh_facts_set (&facts, KH_FACT_MAPPING, router->mapping);
  kh_facts_set (&facts, KH_FACT_FILTERING, router->filtering);
  kh_facts_set (&facts, KH_FACT_ALLOCATION, router->allocation);
  kh_facts_set (&facts, KH_FACT_STRANGER, router->stranger);
  kh_facts_set (&facts, KH_FACT_BARE_SYN, router->bare_syn);
  return facts;
}

static void
test_routers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routers); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (routers); j++)
      {
        KhFacts mine = facts_of (&routers[i]);
        KhFacts friends = facts_of (&routers[j]);

        g_test_message ("%s × %s", routers[i].name, routers[j].name);
        g_assert_cmpint (letter (kh_forecast_facts (&mine, &friends)), ==, expected[i][j]);
        /* IPv6 on both sides helps any two. */
        kh_facts_set (&mine, KH_FACT_IPV6, "yes");
        g_assert_cmpint (letter (kh_forecast_facts (&mine, &friends)), ==, expected[i][j]);
        kh_facts_set (&friends, KH_FACT_IPV6, "yes");
        g_assert_cmpint (kh_forecast_facts (&mine, &friends), ==, KH_FORECAST_LIKELY);
      }
}

/* A row of facts: mapping, filtering, allocation, IPv6; then the forecast for each kind of friend. */
static void
test_friends (void)
{
  static const struct
  {
    const char *mapping;
    const char *filtering;
    const char *allocation;
    const char *ipv6;
    const char *forecasts; /* open, home, strict, mobile, IPv6 */
  } rows[] = {
    { "unknown", "unknown", "unknown", "unknown", "LPPPP" }, /* whoever is open is so for everybody */
    { EIM, EIM, "preserving", "no", "LLLLL" },
    { EIM, ADM, "preserving", "no", "LLLLL" },
    { EIM, APDM, "preserving", "no", "LLLLP" },
    { EIM, "unknown", "unknown", "no", "LLLLP" },
    { APDM, APDM, "random", "no", "LLILP" },
    { APDM, APDM, "random", "yes", "LLULL" },
    { ADM, "unknown", "unknown", "no", "LLPLP" },
    { APDM, APDM, "preserving", "no", "LPPPP" },
    { "none", EIM, "preserving", "yes", "LLLLL" },
    { "none", "none", "preserving", "no", "LLLLL" },
    { "none", APDM, "unknown", "no", "LLLLP" },
    { "unknown", EIM, "unknown", "no", "LPPPP" },
    { "unknown", "unknown", "unknown", "yes", "LPPPL" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (rows); i++)
    for (int kind = 0; kind < KH_N_FRIEND_KINDS; kind++)
      {
        KhFacts mine;
        KhFacts friends;

        kh_facts_init (&mine);
        kh_facts_set (&mine, KH_FACT_MAPPING, rows[i].mapping);
        kh_facts_set (&mine, KH_FACT_FILTERING, rows[i].filtering);
        kh_facts_set (&mine, KH_FACT_ALLOCATION, rows[i].allocation);
        kh_facts_set (&mine, KH_FACT_IPV6, rows[i].ipv6);
        kh_forecast_friend (kind, &friends);
        g_test_message ("row %u, kind %d", (guint) i, kind);
        g_assert_cmpint (letter (kh_forecast_facts (&mine, &friends)), ==, rows[i].forecasts[kind]);
        g_assert_cmpint (kh_forecast_facts (&friends, &mine), ==, kh_forecast_facts (&mine, &friends));
      }
}

static void
test_names (void)
{
  g_assert_cmpstr (kh_forecast_name (KH_FORECAST_IMPOSSIBLE), ==, "impossible");
  g_assert_cmpstr (kh_forecast_name (KH_FORECAST_LIKELY), ==, "likely");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/forecast/routers", test_routers);
  g_test_add_func ("/forecast/friends", test_friends);
  g_test_add_func ("/forecast/names", test_names);
  return g_test_run ();
}
