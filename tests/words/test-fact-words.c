/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-fact-words.h"

#include "kh-address.h"
#include "kh-test.h"

#include <string.h>

#define EIM "endpoint-independent"
#define ADM "address-dependent"
#define APDM "address-and-port-dependent"

static void
test_nat_types (void)
{
  static const char *const mappings[] = { EIM, ADM, APDM, "none", "unknown" };
  static const char *const filterings[] = { EIM, ADM, APDM, "none", "unknown" };
  static const char *const expected[5][5] = {
    { "Full cone", "Restricted cone", "Port-restricted cone", "Full cone", "Cone; filtering not known" },
    { "Symmetric", "Symmetric", "Symmetric", "Symmetric", "Symmetric" },
    { "Symmetric", "Symmetric", "Symmetric", "Symmetric", "Symmetric" },
    { "No NAT", "No NAT, behind a firewall", "No NAT, behind a firewall", "No NAT", "No NAT; firewall not known" },
    { "Not known", "Not known", "Not known", "Not known", "Not known" },
  };

  for (int i = 0; i < 5; i++)
    for (int j = 0; j < 5; j++)
      {
        KhFacts facts;

        kh_facts_init (&facts);
        kh_facts_set (&facts, KH_FACT_MAPPING, mappings[i]);
        kh_facts_set (&facts, KH_FACT_FILTERING, filterings[j]);
        g_assert_cmpstr (kh_words_nat_type (&facts), ==, expected[i][j]);
      }
}

static void
test_symmetric_types (void)
{
  static const char *const table[][2] = {
    { "random", "Symmetric, random ports" },
    { "sequential", "Symmetric, sequential ports" },
    { "block", "Symmetric, ports from a small block" },
    { "preserving", "Symmetric" },
    { "unknown", "Symmetric" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      KhFacts facts;

      kh_facts_init (&facts);
      kh_facts_set (&facts, KH_FACT_MAPPING, APDM);
      kh_facts_set (&facts, KH_FACT_ALLOCATION, table[i][0]);
      g_assert_cmpstr (kh_words_nat_type (&facts), ==, table[i][1]);
    }
}

static void
assert_words (const KhFindings *findings, KhFinding finding)
{
  g_autofree char *value = kh_words_finding_value (findings, finding);
  g_autofree char *sentence = kh_words_finding_sentence (findings, finding);

  g_test_message ("%s: %s | %s", kh_finding_name (finding), value, sentence);
  g_assert_cmpint (strlen (value), >, 0);
  g_assert_cmpint (strlen (value), <, 40);
  g_assert_true (g_str_has_suffix (sentence, "."));
  g_assert_cmpint (strlen (sentence), >, 20);
  g_assert_null (strpbrk (sentence, "?%_"));
  g_assert_null (strpbrk (value, "?%_"));
}

static void
test_every_reason (void)
{
  for (int finding = 0; finding < KH_N_FINDINGS; finding++)
    {
      g_autofree char *term = kh_words_finding_term (finding);

      g_assert_nonnull (strstr (term, "RFC "));
      g_assert_nonnull (strstr (term, kh_words_finding_reference (finding)));
      g_assert_cmpint (strlen (kh_words_finding_title (finding)), >, 0);
      for (int reason = 0; reason < KH_N_REASONS; reason++)
        {
          KhFindings findings;

          kh_findings_init (&findings);
          findings.reasons[finding] = reason;
          assert_words (&findings, finding);
          g_assert_false (kh_words_finding_is_known (&findings, finding));
        }
    }
}

/* One reason after the other: each has a sentence of its own. */
static void
test_reasons_differ (void)
{
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  for (int reason = 0; reason < KH_N_REASONS; reason++)
    {
      KhFindings findings;

      kh_findings_init (&findings);
      findings.reasons[KH_FINDING_BARE_SYN] = reason;
      g_assert_true (g_hash_table_add (seen, kh_words_finding_sentence (&findings, KH_FINDING_BARE_SYN)));
    }
}

/* Each word that a fact may have has words of its own. */
static void
test_every_word (void)
{
  static const struct
  {
    KhFinding finding;
    KhFact fact;
    const char *words[5];
  } table[] = {
    { KH_FINDING_MAPPING, KH_FACT_MAPPING, { EIM, ADM, APDM, "none" } },
    { KH_FINDING_FILTERING, KH_FACT_FILTERING, { EIM, ADM, APDM, "none" } },
    { KH_FINDING_ALLOCATION, KH_FACT_ALLOCATION, { "preserving", "sequential", "block", "random" } },
    { KH_FINDING_STRANGER, KH_FACT_STRANGER, { "silent", "rst", "icmp", "open" } },
    { KH_FINDING_SIMULTANEOUS_OPEN, KH_FACT_SIMULTANEOUS_OPEN, { "yes", "no" } },
    { KH_FINDING_BARE_SYN, KH_FACT_BARE_SYN, { "yes", "no" } },
    { KH_FINDING_HAIRPIN, KH_FACT_HAIRPIN, { "yes", "no" } },
    { KH_FINDING_AFTER_FIN, KH_FACT_AFTER_FIN, { "kept", "same-port", "lost" } },
    { KH_FINDING_AFTER_RST, KH_FACT_AFTER_RST, { "kept", "same-port", "lost" } },
    { KH_FINDING_DOUBLE_NAT, KH_FACT_DOUBLE_NAT, { "yes", "no" } },
    { KH_FINDING_CARRIER_NAT, KH_FACT_CARRIER_NAT, { "yes", "no" } },
    { KH_FINDING_IPV6, KH_FACT_IPV6, { "yes", "no" } },
    { KH_FINDING_IPV6_INBOUND, KH_FACT_IPV6_INBOUND, { "yes", "no" } },
    { KH_FINDING_VPN, KH_FACT_VPN, { "yes", "no" } },
    { KH_FINDING_HOST_FIREWALL, KH_FACT_HOST_FIREWALL, { "yes", "no" } },
  };
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);

  g_assert_cmpint (G_N_ELEMENTS (table), ==, KH_N_FACTS);
  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    for (const char *const *word = table[i].words; *word != NULL; word++)
      {
        KhFindings findings;

        kh_findings_init (&findings);
        kh_facts_set (&findings.facts, table[i].fact, *word);
        findings.reasons[table[i].finding] = KH_REASON_KNOWN;
        assert_words (&findings, table[i].finding);
        g_assert_true (kh_words_finding_is_known (&findings, table[i].finding));
        g_assert_true (g_hash_table_add (seen, kh_words_finding_sentence (&findings, table[i].finding)));
      }
}

static void
assert_value (const KhFindings *findings, KhFinding finding, const char *expected)
{
  g_autofree char *value = kh_words_finding_value (findings, finding);

  g_assert_cmpstr (value, ==, expected);
  assert_words (findings, finding);
}

static void
test_numbers (void)
{
  KhFindings findings;

  kh_findings_init (&findings);
  findings.facts.numbers[KH_FACT_IDLE_SECONDS] = 45;
  assert_value (&findings, KH_FINDING_IDLE, "At least 45 s");
  findings.facts.numbers[KH_FACT_IDLE_SECONDS] = 119;
  assert_value (&findings, KH_FINDING_IDLE, "At least 1 minute");
  findings.facts.numbers[KH_FACT_IDLE_SECONDS] = 7200;
  assert_value (&findings, KH_FINDING_IDLE, "At least 120 minutes");
  findings.facts.numbers[KH_FACT_NAT_DEPTH] = 0;
  assert_value (&findings, KH_FINDING_NAT_DEPTH, "No NAT");
  findings.facts.numbers[KH_FACT_NAT_DEPTH] = 2;
  assert_value (&findings, KH_FINDING_NAT_DEPTH, "2 hops");

  kh_facts_set (&findings.facts, KH_FACT_ALLOCATION, "sequential");
  assert_value (&findings, KH_FINDING_ALLOCATION, "One after the other");
  findings.facts.numbers[KH_FACT_DELTA] = -2;
  assert_value (&findings, KH_FINDING_ALLOCATION, "One after the other (-2)");
  kh_facts_set (&findings.facts, KH_FACT_ALLOCATION, "block");
  assert_value (&findings, KH_FINDING_ALLOCATION, "From a small block");
  findings.facts.numbers[KH_FACT_PORT_LOW] = 20480;
  findings.facts.numbers[KH_FACT_PORT_HIGH] = 20991;
  assert_value (&findings, KH_FINDING_ALLOCATION, "From a block (20480–20991)");
}

static void
test_router (void)
{
  KhFindings findings;
  g_autofree char *sentence = NULL;

  kh_findings_init (&findings);
  findings.facts.router.asked = TRUE;
  assert_value (&findings, KH_FINDING_ROUTER, "No");
  findings.facts.router.protocols = KH_ROUTER_UPNP | KH_ROUTER_PCP;
  assert_value (&findings, KH_FINDING_ROUTER, "UPnP, PCP");
  g_strlcpy (findings.facts.router.external, "203.0.113.7", sizeof findings.facts.router.external);
  assert_value (&findings, KH_FINDING_ROUTER, "UPnP, PCP");
  sentence = kh_words_finding_sentence (&findings, KH_FINDING_ROUTER);
  g_assert_nonnull (strstr (sentence, "203.0.113.7"));
}

static void
test_verdicts (void)
{
  static const struct
  {
    const char *mapping;
    const char *filtering;
    const char *ipv6;
    const char *verdict;
  } table[] = {
    { "unknown", "unknown", "unknown", "Not known" },
    { "unknown", "unknown", "yes", "Friends with IPv6 can reach you directly, others perhaps" },
    { EIM, EIM, "no", "Friends can reach you directly on almost every network" },
    { "none", EIM, "no", "Friends can reach you directly on almost every network" },
    { EIM, APDM, "yes", "Friends can reach you directly on most networks, but not behind a strict router" },
    { EIM, "unknown", "no", "Friends can reach you directly on most networks" },
    { APDM, APDM, "yes", "A direct line works only with friends who have IPv6, or whose router lets others in" },
    { ADM, "unknown", "no", "A direct line works only with friends whose router lets others in" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      KhFacts facts;

      kh_facts_init (&facts);
      kh_facts_set (&facts, KH_FACT_MAPPING, table[i].mapping);
      kh_facts_set (&facts, KH_FACT_FILTERING, table[i].filtering);
      kh_facts_set (&facts, KH_FACT_IPV6, table[i].ipv6);
      g_assert_cmpstr (kh_words_verdict (&facts), ==, table[i].verdict);
    }
}

static void
test_forecasts (void)
{
  for (int kind = 0; kind < KH_N_FRIEND_KINDS; kind++)
    for (int forecast = KH_FORECAST_IMPOSSIBLE; forecast <= KH_FORECAST_LIKELY; forecast++)
      {
        g_assert_cmpint (strlen (kh_words_friend (kind)), >, 0);
        g_assert_cmpint (strlen (kh_words_forecast_value (forecast)), >, 0);
        g_assert_true (g_str_has_suffix (kh_words_forecast (kind, forecast), "."));
      }
}

/* --- the report --------------------------------------------------------------------------------------------------- */

static int
columns_of (const char *line)
{
  int columns = 0;

  for (const char *p = line; *p != '\0'; p = g_utf8_next_char (p))
    columns += g_unichar_iswide (g_utf8_get_char (p)) ? 2 : 1;
  return columns;
}

static void
assert_table (const char *report)
{
  g_auto (GStrv) lines = g_strsplit (report, "\n", -1);

  g_test_message ("%s", report);
  for (char **line = lines; *line != NULL; line++)
    {
      g_assert_cmpint (columns_of (*line), <=, 80);
      g_assert_false (g_str_has_suffix (*line, " "));
    }
  g_assert_true (g_str_has_suffix (report, "\n"));
}

static void
fill (KhFindings *findings)
{
  kh_findings_init (findings);
  kh_facts_set (&findings->facts, KH_FACT_MAPPING, EIM);
  kh_facts_set (&findings->facts, KH_FACT_FILTERING, APDM);
  kh_facts_set (&findings->facts, KH_FACT_ALLOCATION, "preserving");
  findings->facts.router = (KhRouterFacts){ TRUE, KH_ROUTER_UPNP | KH_ROUTER_NAT_PMP | KH_ROUTER_PCP, "198.51.100.2" };
  for (int i = 0; i < KH_N_FINDINGS; i++)
    findings->reasons[i] = kh_words_finding_is_known (findings, i) ? KH_REASON_KNOWN : KH_REASON_NO_DIAL_BACK;
}

static void
test_report (void)
{
  g_autoptr (GInetSocketAddress) inside = kh_address_new ("192.168.2.2", 41234);
  g_autoptr (GInetSocketAddress) outside = kh_address_new ("198.51.100.2", 41234);
  KhFindings findings;
  g_autofree char *whole = NULL;
  g_autofree char *shortened = NULL;

  fill (&findings);
  whole = kh_words_report (&findings, inside, outside, TRUE);
  shortened = kh_words_report (&findings, inside, outside, FALSE);

  assert_table (whole);
  assert_table (shortened);
  g_assert_nonnull (strstr (whole, "192.168.2.2:41234 → 198.51.100.2:41234"));
  g_assert_nonnull (strstr (shortened, "192.168.2.2:41234 → 198.51.x.x:41234"));
  g_assert_null (strstr (shortened, "198.51.100.2"));
  g_assert_nonnull (strstr (whole, "  NAT Type                    Port-restricted cone\n"));
  g_assert_nonnull (strstr (whole, "  Choice of Ports             Same as inside        RFC 4787 4.2"));
  g_assert_nonnull (strstr (whole, "  A Strict Router             Unlikely\n"));
  for (int i = 0; i < KH_N_FINDINGS; i++)
    g_assert_nonnull (strstr (whole, kh_words_finding_title (i)));
}

static void
test_report_of_nothing (void)
{
  KhFindings findings;
  g_autofree char *report = NULL;

  kh_findings_init (&findings);
  report = kh_words_report (&findings, NULL, NULL, FALSE);
  assert_table (report);
  g_assert_nonnull (strstr (report, "  Public Mapping              Not known\n"));
  g_assert_null (strstr (report, "With a friend"));
}

static void
test_report_with_long_addresses (void)
{
  g_autoptr (GInetSocketAddress) inside = kh_address_new ("fd00:1111:2222:3333:4444:5555:6666:7777", 65535);
  g_autoptr (GInetSocketAddress) outside = kh_address_new ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
  KhFindings findings;
  g_autofree char *whole = NULL;

  fill (&findings);
  whole = kh_words_report (&findings, inside, outside, TRUE);
  assert_table (whole);
  g_assert_nonnull (strstr (whole, "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/fact-words/nat-types", test_nat_types);
  g_test_add_func ("/fact-words/symmetric-types", test_symmetric_types);
  g_test_add_func ("/fact-words/every-reason", test_every_reason);
  g_test_add_func ("/fact-words/reasons-differ", test_reasons_differ);
  g_test_add_func ("/fact-words/every-word", test_every_word);
  g_test_add_func ("/fact-words/numbers", test_numbers);
  g_test_add_func ("/fact-words/router", test_router);
  g_test_add_func ("/fact-words/verdicts", test_verdicts);
  g_test_add_func ("/fact-words/forecasts", test_forecasts);
  g_test_add_func ("/fact-words/report", test_report);
  g_test_add_func ("/fact-words/report-of-nothing", test_report_of_nothing);
  g_test_add_func ("/fact-words/report-with-long-addresses", test_report_with_long_addresses);
  return g_test_run ();
}
