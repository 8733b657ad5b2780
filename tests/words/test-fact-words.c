/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-fact-words.h"

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
    { EIM, APDM, "yes", "Friends can reach you directly on almost every network" },
    { EIM, "unknown", "no", "Friends can reach you directly on almost every network" },
    { APDM, APDM, "yes", "Friends can reach you directly on most networks" },
    { ADM, "unknown", "no", "Friends can reach you directly on most networks" },
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
make_facts (KhFacts *facts, const char *mapping, const char *filtering, const char *ipv6)
{
  kh_facts_init (facts);
  kh_facts_set (facts, KH_FACT_MAPPING, mapping);
  kh_facts_set (facts, KH_FACT_FILTERING, filtering);
  kh_facts_set (facts, KH_FACT_IPV6, ipv6);
}

static void
test_forecasts (void)
{
  static const char *const mappings[] = { EIM, ADM, APDM, "none", "unknown" };
  static const char *const filterings[] = { EIM, ADM, APDM, "none", "unknown" };
  static const char *const ipv6s[] = { "yes", "no", "unknown" };
  KhFacts facts;

  for (int i = 0; i < 5 * 5 * 3 * KH_N_FRIEND_KINDS; i++)
    {
      KhFriendKind kind = i / 75;

      make_facts (&facts, mappings[i % 5], filterings[i / 5 % 5], ipv6s[i / 25 % 3]);
      g_assert_cmpint (strlen (kh_words_friend (kind)), >, 0);
      g_assert_cmpint (strlen (kh_words_forecast_value (kh_forecast_for (&facts, kind))), >, 0);
      g_assert_true (g_str_has_suffix (kh_words_forecast (kind, &facts), "."));
    }
}

#define MANY_TRIES "Both sides try many ports at once until two fit, which takes a second or two."

/* What is told of a friend is true of the network that it is told to. */
static void
test_forecast_sentences (void)
{
  static const struct
  {
    const char *mapping;
    const char *filtering;
    const char *ipv6;
    KhFriendKind kind;
    const char *sentence;
  } table[] = {
    { EIM, APDM, "unknown", KH_FRIEND_IPV6, "It works if your network has IPv6, which is not known." },
    { EIM, APDM, "no", KH_FRIEND_IPV6,
      "Not by IPv6, which you do not have; by IPv4 it depends on the friend's router." },
    { EIM, APDM, "yes", KH_FRIEND_IPV6, "You reach the friend, whatever else is in the way there." },
    { EIM, APDM, "no", KH_FRIEND_HOME, "Both routers open a hole for the other side." },
    { "none", EIM, "no", KH_FRIEND_HOME, "You can reach each other through the friend's router." },
    { "none", EIM, "no", KH_FRIEND_MOBILE, "You can reach each other through the provider's NAT." },
    { "none", APDM, "no", KH_FRIEND_STRICT, MANY_TRIES },
    { EIM, APDM, "no", KH_FRIEND_STRICT, MANY_TRIES },
    { APDM, APDM, "no", KH_FRIEND_HOME, MANY_TRIES },
    { EIM, EIM, "no", KH_FRIEND_STRICT, "Your side lets the friend in from a port that nobody could know." },
    { "unknown", "unknown", "no", KH_FRIEND_HOME, "It works if your router turns out to keep one port for everybody." },
  };
  KhFacts facts;

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    {
      make_facts (&facts, table[i].mapping, table[i].filtering, table[i].ipv6);
      g_assert_cmpstr (kh_words_forecast (table[i].kind, &facts), ==, table[i].sentence);
    }
  make_facts (&facts, EIM, APDM, "no");
  kh_facts_set (&facts, KH_FACT_STRANGER, "icmp");
  g_assert_cmpstr (kh_words_forecast (KH_FRIEND_HOME, &facts), ==,
                   "It takes some luck, since whoever connects too early is turned away.");
  make_facts (&facts, APDM, APDM, "no");
  kh_facts_set (&facts, KH_FACT_ALLOCATION, "random");
  g_assert_cmpstr (kh_words_forecast (KH_FRIEND_STRICT, &facts), ==,
                   "Both routers choose another port for every connection, so neither side can find the other's.");
  kh_facts_set (&facts, KH_FACT_ALLOCATION, "preserving");
  g_assert_cmpstr (kh_words_forecast (KH_FRIEND_HOME, &facts), ==,
                   "It works if your router keeps this computer's port for the friend as well.");
}

static void
assert_sentence (const KhFindings *findings, KhFinding finding, const char *expected)
{
  g_autofree char *sentence = kh_words_finding_sentence (findings, finding);

  g_assert_cmpstr (sentence, ==, expected);
}

/* Nothing is said of a router where there is none. */
static void
test_without_nat (void)
{
  KhFindings findings;

  kh_findings_init (&findings);
  make_facts (&findings.facts, "none", APDM, "no");
  kh_facts_set (&findings.facts, KH_FACT_ALLOCATION, "preserving");
  kh_facts_set (&findings.facts, KH_FACT_DOUBLE_NAT, "no");
  findings.facts.router.asked = TRUE;
  findings.reasons[KH_FINDING_HOST_FIREWALL] = KH_REASON_KEPT_OUT;

  assert_sentence (&findings, KH_FINDING_ALLOCATION, "Your port is the same outside.");
  for (int i = 0; i < KH_N_FINDINGS; i++)
    {
      g_autofree char *sentence = kh_words_finding_sentence (&findings, i);

      g_assert_null (strstr (sentence, "our router"));
      g_assert_null (strstr (sentence, "own router"));
    }
  for (int i = 0; i < KH_N_FRIEND_KINDS; i++)
    g_assert_null (strstr (kh_words_forecast (i, &findings.facts), "our router"));

  kh_facts_set (&findings.facts, KH_FACT_MAPPING, EIM);
  assert_sentence (&findings, KH_FINDING_ALLOCATION,
                   "Your router takes the port of this computer as the outside port, so it is known beforehand.");
  assert_sentence (&findings, KH_FINDING_HOST_FIREWALL,
                   "Your router lets no stranger through, so a firewall of this computer cannot be told apart.");
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
  g_test_add_func ("/fact-words/forecast-sentences", test_forecast_sentences);
  g_test_add_func ("/fact-words/without-nat", test_without_nat);
  return g_test_run ();
}
