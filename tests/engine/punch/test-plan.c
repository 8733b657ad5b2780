/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-plan.h"
#include "kh-test.h"

/* An offer in a few letters: l lan, o outside, O a second and different outside, 6 ipv6, g guess; then facts: e mapping
 * endpoint-independent, n no NAT, d address-and-port-dependent. */
static KhOffer *
offer (const char *spec, guint side)
{
  KhOffer *made = kh_offer_new ();

  for (const char *c = spec; *c != '\0'; c++)
    {
      static const struct
      {
        char letter;
        KhCandidateKind kind;
        const char *ip;
        guint16 port;
      } candidates[] = {
        { 'l', KH_CANDIDATE_LAN, "192.168.1.%u", 4000 },     { 'o', KH_CANDIDATE_OUTSIDE, "203.0.113.%u", 4000 },
        { 'O', KH_CANDIDATE_OUTSIDE, "203.0.113.%u", 4001 }, { '6', KH_CANDIDATE_IPV6, "2001:db8::%u", 4000 },
        { 'g', KH_CANDIDATE_GUESS, "203.0.113.%u", 4000 },
      };

      for (gsize i = 0; i < G_N_ELEMENTS (candidates); i++)
        if (candidates[i].letter == *c)
          {
            g_auto (GStrv) parts = g_strsplit (candidates[i].ip, "%u", 2);
            g_autofree char *ip = g_strdup_printf ("%s%u", parts[0], side + 1);
            g_autoptr (GInetSocketAddress) address = kh_address_new (ip, candidates[i].port);

            kh_offer_add (made, candidates[i].kind, address, -1);
          }
      if (*c == 'e' || *c == 'n' || *c == 'd')
        kh_facts_set (&made->facts, KH_FACT_MAPPING,
                      *c == 'e'   ? "endpoint-independent"
                      : *c == 'n' ? "none"
                                  : "address-and-port-dependent");
    }
  return made;
}

static char *
describe (const KhPlan *plan)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < plan->moves->len; i++)
    {
      KhPlanMove *move = g_ptr_array_index (plan->moves, i);

      g_string_append_printf (text, "%s(%u,%u) ", kh_move_name (move->move), move->inviter_targets->len,
                              move->joiner_targets->len);
    }
  g_string_append (text, kh_forecast_name (plan->forecast));
  return g_string_free (text, FALSE);
}

static void
test_table (void)
{
  static const struct
  {
    const char *inviter;
    const char *joiner;
    const char *expected;
  } cases[] = {
    { "", "", "impossible" },
    { "l", "l", "lan(1,1) unlikely" },
    { "l", "", "lan(0,1) unlikely" },
    { "o", "o", "dial(1,1) possible" },
    { "oe", "oe", "dial(1,1) likely" },
    { "oe", "on", "dial(1,1) likely" },
    { "oe", "o", "dial(1,1) possible" },
    { "lo", "lo", "lan(1,1) dial(1,1) possible" },
    { "lo6", "lo6", "lan(1,1) ipv6(1,1) dial(1,1) likely" },
    { "o6", "o", "dial(1,1) possible" },
    { "6", "6", "ipv6(1,1) likely" },
    { "6", "", "impossible" },
    { "oO", "oe", "dial(1,2) unlikely" },
    { "od", "oe", "dial(1,1) unlikely" },
    { "o", "", "dial(0,1) possible" },
    { "", "g", "dial(1,0) possible" },
    { "g", "g", "dial(1,1) possible" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhOffer) inviter = offer (cases[i].inviter, 0);
      g_autoptr (KhOffer) joiner = offer (cases[i].joiner, 1);
      g_autoptr (KhPlan) plan = kh_plan_new (inviter, joiner, 0);
      g_autofree char *found = describe (plan);

      g_assert_cmpstr (found, ==, cases[i].expected);
    }
}

static void
test_allowed_by_both (void)
{
  g_autoptr (KhOffer) inviter = offer ("lo6", 0);
  g_autoptr (KhOffer) joiner = offer ("lo6", 1);
  g_autoptr (KhPlan) plan = NULL;
  g_autoptr (KhPlan) later = NULL;
  g_autofree char *found = NULL;
  g_autofree char *found_later = NULL;

  inviter->moves = 1u << KH_MOVE_LAN | 1u << KH_MOVE_DIAL;
  joiner->moves = 1u << KH_MOVE_IPV6 | 1u << KH_MOVE_DIAL;
  plan = kh_plan_new (inviter, joiner, 0);
  found = describe (plan);
  g_assert_cmpstr (found, ==, "dial(1,1) possible");

  later = kh_plan_new (inviter, joiner, 1u << KH_MOVE_DIAL);
  found_later = describe (later);
  g_assert_cmpstr (found_later, ==, "impossible");
}

/* The targets of one side are the other side's candidates. */
static void
test_targets (void)
{
  g_autoptr (KhOffer) inviter = offer ("o", 0);
  g_autoptr (KhOffer) joiner = offer ("o", 1);
  g_autoptr (KhPlan) plan = kh_plan_new (inviter, joiner, 0);
  KhPlanMove *move = g_ptr_array_index (plan->moves, 0);
  g_autofree char *of_inviter =
      kh_address_to_text (g_ptr_array_index (kh_plan_move_targets (move, KH_ROLE_INVITER), 0));
  g_autofree char *of_joiner = kh_address_to_text (g_ptr_array_index (kh_plan_move_targets (move, KH_ROLE_JOINER), 0));

  g_assert_cmpstr (of_inviter, ==, "203.0.113.2:4000");
  g_assert_cmpstr (of_joiner, ==, "203.0.113.1:4000");
  g_assert_cmpint (move->first, ==, KH_ROLE_INVITER);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/table", test_table);
  g_test_add_func ("/plan/allowed-by-both", test_allowed_by_both);
  g_test_add_func ("/plan/targets", test_targets);
  return g_test_run ();
}
