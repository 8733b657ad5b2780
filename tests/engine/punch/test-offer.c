/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-error.h"
#include "kh-json.h"
#include "kh-offer.h"
#include "kh-test.h"

#include <string.h>

static KhOffer *
parse (const char *text, GError **error)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text)); /* without bytes it holds no pointer either */

  return kh_offer_from_bytes (bytes, error);
}

static void
test_round_trip (void)
{
  g_autoptr (KhOffer) offer = kh_offer_new ();
  g_autoptr (KhOffer) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (GInetSocketAddress) v4 = kh_address_new ("203.0.113.7", 4242);
  g_autoptr (GInetSocketAddress) v6 = kh_address_new ("2001:db8::7", 4242);
  g_autoptr (JsonObject) json = NULL;
  g_autoptr (JsonObject) json_again = NULL;
  g_autofree char *text = NULL;
  g_autofree char *text_again = NULL;

  offer->name = g_strdup ("小明");
  offer->moves = 1u << KH_MOVE_DIAL;
  kh_facts_set (&offer->facts, KH_FACT_MAPPING, "endpoint-independent");
  offer->facts.numbers[KH_FACT_DELTA] = -2;
  kh_offer_add (offer, KH_CANDIDATE_OUTSIDE, v4, 17);
  kh_offer_add (offer, KH_CANDIDATE_IPV6, v6, -1);

  json = kh_offer_to_json (offer);
  text = kh_json_to_text (json);
  again = parse (text, &error);
  g_assert_no_error (error);
  json_again = kh_offer_to_json (again);
  text_again = kh_json_to_text (json_again);

  g_assert_cmpstr (text, ==, text_again);
  g_assert_cmpstr (
      text, ==,
      "{\"knothole\":1,\"plan-version\":1,\"name\":\"小明\",\"facts\":{\"mapping\":\"endpoint-independent\","
      "\"filtering\":\"unknown\",\"allocation\":\"unknown\",\"stranger\":\"unknown\","
      "\"simultaneous_open\":\"unknown\",\"bare_syn\":\"unknown\",\"hairpin\":\"unknown\",\"after_fin\":\"unknown\","
      "\"after_rst\":\"unknown\",\"double_nat\":\"unknown\",\"carrier_nat\":\"unknown\",\"ipv6\":\"unknown\","
      "\"ipv6_inbound\":\"unknown\",\"vpn\":\"unknown\",\"host_firewall\":\"unknown\",\"delta\":-2,"
      "\"port_low\":null,\"port_high\":null,\"idle_seconds\":null,\"nat_depth\":null,\"router\":null},\"candidates\":["
      "{\"kind\":\"outside\",\"address\":\"203.0.113.7\",\"port\":4242,\"age_ms\":17},"
      "{\"kind\":\"ipv6\",\"address\":\"2001:db8::7\",\"port\":4242}],\"moves\":[\"dial\"],\"relay\":[]}");
}

static void
test_later_version (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhOffer) offer = parse (
      "{\"knothole\":1,\"plan-version\":9,\"facts\":{\"mapping\":\"quantum\",\"new\":3},\"extra\":{},"
      "\"candidates\":[{\"kind\":\"teleport\"},{\"kind\":\"lan\",\"address\":\"10.0.0.1\",\"port\":1,\"more\":1}],"
      "\"moves\":[\"dial\",\"teleport\"]}",
      &error);

  g_assert_no_error (error);
  g_assert_cmpuint (offer->plan_version, ==, 9);
  g_assert_true (kh_facts_is (&offer->facts, KH_FACT_MAPPING, "unknown"));
  g_assert_cmpuint (offer->candidates->len, ==, 1);
  g_assert_cmpuint (offer->moves, ==, 1u << KH_MOVE_DIAL);
}

#define HEAD "{\"knothole\":1,\"plan-version\":1,\"facts\":{},\"moves\":[],"

static void
test_hostile (void)
{
  static const char *const cases[] = {
    "",
    "x",
    "[]",
    "{}",
    "{\"knothole\":2,\"plan-version\":1,\"facts\":{},\"moves\":[],\"candidates\":[]}",
    "{\"knothole\":1,\"plan-version\":0,\"facts\":{},\"moves\":[],\"candidates\":[]}",
    "{\"knothole\":1,\"plan-version\":1,\"facts\":[],\"moves\":[],\"candidates\":[]}",
    "{\"knothole\":1,\"plan-version\":1,\"facts\":{\"mapping\":3},\"moves\":[],\"candidates\":[]}",
    "{\"knothole\":1,\"plan-version\":1,\"facts\":{\"port_low\":70000},\"moves\":[],\"candidates\":[]}",
    "{\"knothole\":1,\"plan-version\":1,\"facts\":{},\"moves\":{},\"candidates\":[]}",
    "{\"knothole\":1,\"plan-version\":1,\"facts\":{},\"moves\":[3],\"candidates\":[]}",
    "{\"knothole\":1,\"plan-version\":1,\"facts\":{},\"moves\":[]}",
    "{\"knothole\":1,\"plan-version\":1,\"facts\":{\"delta\":\"x\"},\"moves\":[],\"candidates\":[]}",
    HEAD "\"candidates\":[3]}",
    HEAD "\"candidates\":[{\"kind\":\"lan\"}]}",
    HEAD "\"candidates\":[{\"kind\":\"lan\",\"address\":\"10.0.0.1\"}]}",
    HEAD "\"candidates\":[{\"kind\":\"lan\",\"address\":\"10.0.0.1\",\"port\":0}]}",
    HEAD "\"candidates\":[{\"kind\":\"lan\",\"address\":\"10.0.0.1\",\"port\":65536}]}",
    HEAD "\"candidates\":[{\"kind\":\"lan\",\"address\":\"localhost\",\"port\":1}]}",
    HEAD "\"candidates\":[{\"kind\":\"lan\",\"address\":\"10.0.0.1\",\"port\":1,\"age_ms\":-1}]}",
    HEAD "\"candidates\":[{\"kind\":\"lan\",\"address\":\"10.0.0.1\",\"port\":1,\"age_ms\":1.5}]}",
    HEAD "\"candidates\":[{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{},{}]}",
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (parse (cases[i], &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
      g_assert_true (g_str_has_prefix (error->message, "Your friend's Knothole sent"));
    }
}

static void
test_name_is_made_plain (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *long_name = g_strnfill (5000, 'x');
  g_autofree char *text =
      g_strdup_printf (HEAD "\"candidates\":[],\"name\":\"a\\u001b[31m\\nb\\u202ec%s\"}", long_name);
  g_autoptr (KhOffer) offer = parse (text, &error);

  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (offer->name, "a[31m bcxx"));
  g_assert_cmpuint (strlen (offer->name), ==, KH_OFFER_MAX_NAME);
}

static void
test_bounded (void)
{
  g_autoptr (KhOffer) offer = kh_offer_new ();
  g_autoptr (GInetSocketAddress) address = kh_address_new ("203.0.113.7", 1);

  for (int i = 0; i < 100; i++)
    kh_offer_add (offer, KH_CANDIDATE_LAN, address, -1);
  g_assert_cmpuint (offer->candidates->len, ==, KH_OFFER_MAX_CANDIDATES);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/offer/round-trip", test_round_trip);
  g_test_add_func ("/offer/later-version", test_later_version);
  g_test_add_func ("/offer/hostile", test_hostile);
  g_test_add_func ("/offer/name-is-made-plain", test_name_is_made_plain);
  g_test_add_func ("/offer/bounded", test_bounded);
  return g_test_run ();
}
