/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"
#include "kh-findings.h"
#include "kh-json.h"

static JsonObject *
parse (const char *text)
{
  JsonNode *node = json_from_string (text, NULL);
  JsonObject *object = json_node_dup_object (node);

  json_node_unref (node);
  return object;
}

/* All members are there, known or not: the contract. */
static void
test_unknown (void)
{
  KhFacts facts;
  g_autoptr (JsonObject) object = NULL;
  g_autofree char *text = NULL;

  kh_facts_init (&facts);
  object = kh_facts_to_json (&facts);
  text = kh_json_to_text (object);
  g_assert_cmpstr (
      text, ==,
      "{\"mapping\":\"unknown\",\"filtering\":\"unknown\",\"allocation\":\"unknown\",\"stranger\":\"unknown\","
      "\"simultaneous_open\":\"unknown\",\"bare_syn\":\"unknown\",\"hairpin\":\"unknown\",\"after_fin\":\"unknown\","
      "\"after_rst\":\"unknown\",\"double_nat\":\"unknown\",\"carrier_nat\":\"unknown\",\"ipv6\":\"unknown\","
      "\"ipv6_inbound\":\"unknown\",\"vpn\":\"unknown\",\"host_firewall\":\"unknown\",\"delta\":null,\"port_low\":null,"
      "\"port_high\":null,\"idle_seconds\":null,\"nat_depth\":null,\"router\":null}");
}

static void
test_round_trip (void)
{
  KhFacts facts, back;
  g_autoptr (JsonObject) object = NULL;
  g_autoptr (GError) error = NULL;

  kh_facts_init (&facts);
  kh_facts_set (&facts, KH_FACT_MAPPING, "address-dependent");
  kh_facts_set (&facts, KH_FACT_BARE_SYN, "no");
  facts.numbers[KH_FACT_DELTA] = -2;
  facts.numbers[KH_FACT_NAT_DEPTH] = 2;
  facts.router = (KhRouterFacts){ TRUE, KH_ROUTER_PCP | KH_ROUTER_UPNP, "100.64.0.7" };
  object = kh_facts_to_json (&facts);
  g_assert_true (kh_facts_from_json (&back, object, &error));
  g_assert_no_error (error);
  g_assert_true (kh_facts_is (&back, KH_FACT_MAPPING, "address-dependent"));
  g_assert_true (kh_facts_is (&back, KH_FACT_BARE_SYN, "no"));
  g_assert_false (kh_facts_knows (&back, KH_FACT_HAIRPIN));
  g_assert_cmpint (back.numbers[KH_FACT_DELTA], ==, -2);
  g_assert_cmpint (back.numbers[KH_FACT_NAT_DEPTH], ==, 2);
  g_assert_true (back.router.asked);
  g_assert_cmpint (back.router.protocols, ==, KH_ROUTER_PCP | KH_ROUTER_UPNP);
  g_assert_cmpstr (back.router.external, ==, "100.64.0.7");
}

static void
test_refused (void)
{
  static const char *const bad[] = {
    "{\"mapping\":3}",
    "{\"mapping\":null}",
    "{\"nat_depth\":-1}",
    "{\"nat_depth\":256}",
    "{\"port_low\":0}",
    "{\"port_low\":\"1\"}",
    "{\"router\":7}",
    "{\"router\":{\"external\":\"example.org\"}}",
    "{\"router\":{\"external\":5}}",
    "{\"router\":{\"external\":\"1.2.3.4\\n\"}}",
  };
  static const char *const good[] = {
    "{}",
    "{\"mapping\":\"quantum\",\"new\":[1]}",
    "{\"router\":{}}",
    "{\"router\":{\"protocol\":\"smoke\",\"protocols\":[\"smoke\",5,null,{}],\"external\":null}}",
    "{\"router\":null,\"delta\":null}",
  };
  KhFacts facts;

  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (JsonObject) object = parse (bad[i]);
      g_autoptr (GError) error = NULL;

      g_assert_false (kh_facts_from_json (&facts, object, &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
    }
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (JsonObject) object = parse (good[i]);

      g_assert_true (kh_facts_from_json (&facts, object, NULL));
      g_assert_false (kh_facts_knows (&facts, KH_FACT_MAPPING));
      g_assert_cmpint (facts.router.protocols, ==, KH_ROUTER_NONE);
    }
}

static void
test_fill (void)
{
  KhFacts facts, other;

  kh_facts_init (&facts);
  kh_facts_init (&other);
  kh_facts_set (&facts, KH_FACT_MAPPING, "none");
  kh_facts_set (&other, KH_FACT_MAPPING, "address-dependent");
  kh_facts_set (&other, KH_FACT_HAIRPIN, "yes");
  other.numbers[KH_FACT_NAT_DEPTH] = 1;
  other.router.asked = TRUE;
  kh_facts_fill (&facts, &other);
  g_assert_true (kh_facts_is (&facts, KH_FACT_MAPPING, "none"));
  g_assert_true (kh_facts_is (&facts, KH_FACT_HAIRPIN, "yes"));
  g_assert_cmpint (facts.numbers[KH_FACT_NAT_DEPTH], ==, 1);
  g_assert_true (facts.router.asked);
}

static void
test_reasons (void)
{
  KhFindings findings;
  g_autoptr (JsonObject) reasons = NULL;

  for (int i = 0; i < KH_N_FINDINGS; i++)
    g_assert_nonnull (kh_finding_name (i));
  for (int i = 0; i < KH_N_REASONS; i++)
    g_assert_nonnull (kh_reason_name (i));

  kh_findings_init (&findings);
  findings.reasons[KH_FINDING_MAPPING] = KH_REASON_KNOWN;
  findings.reasons[KH_FINDING_FILTERING] = KH_REASON_NO_DIAL_BACK;
  reasons = kh_findings_to_reasons (&findings);
  g_assert_false (json_object_has_member (reasons, "mapping"));
  g_assert_cmpstr (kh_json_get_string (reasons, "filtering"), ==, "no-dial-back");
  g_assert_cmpstr (kh_json_get_string (reasons, "hairpin"), ==, "not-yet");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/facts/unknown", test_unknown);
  g_test_add_func ("/facts/round-trip", test_round_trip);
  g_test_add_func ("/facts/refused", test_refused);
  g_test_add_func ("/facts/fill", test_fill);
  g_test_add_func ("/facts/reasons", test_reasons);
  return g_test_run ();
}
