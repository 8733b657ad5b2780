/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-json.h"
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

      g_string_append_printf (text, "%s(%u,%u) ", kh_move_name (move->move), move->sides[0].targets->len,
                              move->sides[1].targets->len);
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
    { "l", "l", "lan(1,1) impossible" },
    { "l", "", "lan(0,1) impossible" },
    { "o", "o", "dial(1,1) possible" },
    { "oe", "oe", "dial(1,1) likely" },
    { "oe", "on", "dial(1,1) likely" },
    { "oe", "o", "dial(1,1) possible" },
    { "lo", "lo", "lan(1,1) dial(1,1) possible" },
    { "lo6", "lo6", "lan(1,1) ipv6(1,1) dial(1,1) likely" },
    { "o6", "o", "dial(1,1) possible" },
    { "6", "6", "ipv6(1,1) likely" },
    { "6", "", "impossible" },
    { "oO", "oe", "dial(1,2) dice(0,0) likely" },
    { "od", "oe", "dial(1,1) dice(0,0) likely" },
    { "oO", "o", "dial(1,2) dice(0,0) possible" },
    { "o", "", "dial(0,1) possible" },
    { "", "g", "guess(1,0) possible" },
    { "g", "g", "guess(1,1) possible" },
    { "o", "g", "dial(0,1) guess(1,0) possible" },
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
  g_autofree char *of_inviter = kh_address_to_text (g_ptr_array_index (move->sides[KH_ROLE_INVITER].targets, 0));
  g_autofree char *of_joiner = kh_address_to_text (g_ptr_array_index (move->sides[KH_ROLE_JOINER].targets, 0));

  g_assert_cmpstr (of_inviter, ==, "203.0.113.2:4000");
  g_assert_cmpstr (of_joiner, ==, "203.0.113.1:4000");
  g_assert_cmpint (move->first, ==, KH_ROLE_INVITER);
}

/* The routers of the laboratory, as a whole network check finds them. */
typedef struct
{
  const char *name;
  const char *mapping;
  const char *filtering;
  const char *allocation;
  const char *stranger;
  const char *bare_syn;
  int depth;
} Router;

#define EIM "endpoint-independent"
#define ADF "address-dependent"
#define APDM "address-and-port-dependent"

static const Router routers[] = {
  { "open", "none", EIM, "preserving", "open", "yes", 0 },
  { "firewall", "none", APDM, "preserving", "silent", "yes", 0 },
  { "full-cone", EIM, EIM, "preserving", "open", "yes", 1 },
  { "restricted-cone", EIM, ADF, "preserving", "silent", "yes", 1 },
  { "port-restricted", EIM, APDM, "preserving", "silent", "yes", 1 },
  { "port-restricted-rst", EIM, APDM, "preserving", "rst", "yes", 1 },
  { "symmetric", APDM, APDM, "random", "silent", "unknown", 1 },
  { "symmetric-rst", APDM, APDM, "random", "rst", "unknown", 1 },
  { "symmetric-sequential", APDM, APDM, "sequential", "silent", "unknown", 1 },
  { "symmetric-block", APDM, APDM, "block", "silent", "unknown", 1 },
  { "cgn", EIM, APDM, "block", "silent", "yes", 2 },
  { "no-bare-syn", EIM, APDM, "preserving", "silent", "no", 1 },
  { "icmp-reject", EIM, APDM, "preserving", "icmp", "yes", 1 },
  { "fin-forgets", EIM, APDM, "random", "silent", "yes", 1 },
};

static KhOffer *
offer_of (const Router *router, guint side)
{
  KhOffer *made = offer ("o", side);

  kh_facts_set (&made->facts, KH_FACT_MAPPING, router->mapping);
  kh_facts_set (&made->facts, KH_FACT_FILTERING, router->filtering);
  kh_facts_set (&made->facts, KH_FACT_ALLOCATION, router->allocation);
  kh_facts_set (&made->facts, KH_FACT_STRANGER, router->stranger);
  kh_facts_set (&made->facts, KH_FACT_BARE_SYN, router->bare_syn);
  made->facts.numbers[KH_FACT_NAT_DEPTH] = router->depth;
  if (g_str_equal (router->allocation, "sequential"))
    made->facts.numbers[KH_FACT_DELTA] = 1;
  if (!g_str_equal (router->allocation, "preserving"))
    {
      made->facts.numbers[KH_FACT_PORT_LOW] = g_str_equal (router->allocation, "random") ? 2000 : 4000;
      made->facts.numbers[KH_FACT_PORT_HIGH] = g_str_equal (router->allocation, "random") ? 60000 : 4400;
    }
  return made;
}

/* Rows invite, columns join. d dial, p prime, P predict, D dice, - nothing; small letters behind: j the joiner comes first, * doors
 * are primers. */
static char *
letters_of (const KhPlan *plan)
{
  static const char letters[KH_N_MOVES] = { 'l', '6', 'd', 'p', 'g', 'P', 'D', 'r' };
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < plan->moves->len; i++)
    {
      const KhPlanMove *move = g_ptr_array_index (plan->moves, i);

      g_string_append_c (text, letters[move->move]);
      if (move->first == KH_ROLE_JOINER)
        g_string_append_c (text, 'j');
      if (move->sides[0].gamble.primers == KH_PRIMERS_ALL || move->sides[1].gamble.primers == KH_PRIMERS_ALL)
        g_string_append_c (text, '*');
    }
  if (text->len == 0)
    g_string_append_c (text, '-');
  return g_string_free (text, FALSE);
}

/* By rows and columns in the order above, and the forecast. */
static const char *const expected_plans[] = {
  "dL dL dL dL dL dL dL dL dL dL dL dL dL dL",            /* open */
  "dL dL dL dL dL pL DL DL PL DL dL dL pL dL",            /* firewall */
  "dL dL dL dL dL dL dL dL dL dL dL dL dL dL",            /* full-cone */
  "dL dL dL dL dL pL dL pL dL dL dL dL pL dL",            /* restricted-cone */
  "dL dL dL dL dL pL DL DL PL DL dL dL pL dL",            /* port-restricted */
  "dL dL dL dL dL pL DL D*L PL DL dL dL pL dL",           /* port-restricted-rst */
  "dL DL dL dL DL DL -I -I -I -I DL DL DL DL",            /* symmetric */
  "dL DL dL dL DL D*L -I -I -I -I DL DL D*L DL",          /* symmetric-rst */
  "dL PL dL dL PL PL -I -I PL PL PL PL PL PL",            /* symmetric-sequential */
  "dL DL dL dL DL DL -I -I PL DL DL DL DL DL",            /* symmetric-block */
  "dL dL dL dL dL pL DL DL PL DL dL dL pL dL",            /* cgn */
  "dL djL dL djL djL djL DjL DjL PjL DjL djL -I djL djL", /* no-bare-syn */
  "dL dL dL dL dL pL DL D*L PL DL dL dL pL dL",           /* icmp-reject */
  "dL dL dL dL dL pL DL DL PL DL dL dL pL dL",            /* fin-forgets */
};

static void
test_routers (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (routers); i++)
    {
      g_autoptr (GString) row = g_string_new (NULL);

      for (gsize j = 0; j < G_N_ELEMENTS (routers); j++)
        {
          g_autoptr (KhOffer) inviter = offer_of (&routers[i], 0);
          g_autoptr (KhOffer) joiner = offer_of (&routers[j], 1);
          g_autoptr (KhPlan) plan = kh_plan_new (inviter, joiner, 0);
          g_autofree char *found = letters_of (plan);

          g_string_append_printf (row, "%s%s%c", j > 0 ? " " : "", found, "IUPL"[plan->forecast]);
        }
      g_test_message ("%s invites", routers[i].name);
      g_assert_cmpstr (row->str, ==, expected_plans[i]);
    }
}

/* Everything that one side does, in figures. */
static void
describe_side (GString *text, const KhPlanSide *side)
{
  const KhGamble *gamble = &side->gamble;

  g_string_append_printf (text, " %u%s", side->targets->len, side->primers ? "!" : "");
  for (guint i = 0; i < side->targets->len; i++)
    {
      g_autofree char *target = kh_address_to_text (g_ptr_array_index (side->targets, i));

      g_string_append_printf (text, " %s", target);
    }
  if (gamble->remote != NULL)
    g_string_append_printf (text, " [%u-%u/%d %d%d%d%d %u %u %u]", gamble->low, gamble->high, gamble->step,
                            gamble->fresh, gamble->roll, gamble->primers, gamble->cautious, gamble->held,
                            gamble->per_second, gamble->budget);
}

static char *
describe_all (const KhPlan *plan)
{
  GString *text = g_string_new (kh_forecast_name (plan->forecast));

  for (guint i = 0; i < plan->moves->len; i++)
    {
      const KhPlanMove *move = g_ptr_array_index (plan->moves, i);

      g_string_append_printf (text, "; %s %d", kh_move_name (move->move), move->first);
      describe_side (text, &move->sides[0]);
      describe_side (text, &move->sides[1]);
    }
  return g_string_free (text, FALSE);
}

static const char *
any_of (const char *const *words)
{
  return words[g_test_rand_int_range (0, g_strv_length ((char **) words))];
}

/* Whatever two sides may know, and not know. */
static KhOffer *
random_offer (guint side)
{
  static const char *const mappings[] = { "unknown", "none", EIM, ADF, APDM, NULL };
  static const char *const filters[] = { "unknown", EIM, ADF, APDM, NULL };
  static const char *const allocations[] = { "unknown", "preserving", "sequential", "block", "random", NULL };
  static const char *const strangers[] = { "unknown", "silent", "rst", "icmp", "open", NULL };
  static const char *const three[] = { "unknown", "yes", "no", NULL };
  static const char *const candidates[] = { "", "o", "oO", "lo", "lo6", "g", "lg", NULL };
  KhOffer *made = offer (any_of (candidates), side);

  kh_facts_set (&made->facts, KH_FACT_MAPPING, any_of (mappings));
  kh_facts_set (&made->facts, KH_FACT_FILTERING, any_of (filters));
  kh_facts_set (&made->facts, KH_FACT_ALLOCATION, any_of (allocations));
  kh_facts_set (&made->facts, KH_FACT_STRANGER, any_of (strangers));
  kh_facts_set (&made->facts, KH_FACT_BARE_SYN, any_of (three));
  kh_facts_set (&made->facts, KH_FACT_IPV6, any_of (three));
  if (g_test_rand_bit ())
    made->facts.numbers[KH_FACT_NAT_DEPTH] = g_test_rand_int_range (0, 5);
  if (g_test_rand_bit ())
    made->facts.numbers[KH_FACT_DELTA] = g_test_rand_int_range (-64, 65);
  if (g_test_rand_bit ())
    {
      made->facts.numbers[KH_FACT_PORT_LOW] = g_test_rand_int_range (1, 65536);
      made->facts.numbers[KH_FACT_PORT_HIGH] = g_test_rand_int_range (1, 65536);
    }
  if (g_test_rand_bit ())
    made->moves = g_test_rand_int_range (0, KH_ALL_MOVES + 1);
  return made;
}

static KhOffer *
travelled (const KhOffer *offer)
{
  g_autoptr (JsonObject) object = kh_offer_to_json (offer);
  g_autoptr (GBytes) bytes = kh_json_to_bytes (object);
  g_autoptr (GError) error = NULL;
  KhOffer *arrived = kh_offer_from_bytes (bytes, &error);

  g_assert_no_error (error);
  return arrived;
}

/* Each side has its own offer as it made it, and the other's as it arrived. */
static void
test_same_on_both_sides (void)
{
  for (int i = 0; i < 10000; i++)
    {
      g_autoptr (KhOffer) inviter = random_offer (0);
      g_autoptr (KhOffer) joiner = random_offer (1);
      g_autoptr (KhOffer) inviter_there = travelled (inviter);
      g_autoptr (KhOffer) joiner_here = travelled (joiner);
      g_autoptr (KhPlan) inviters = kh_plan_new (inviter, joiner_here, 0);
      g_autoptr (KhPlan) joiners = kh_plan_new (inviter_there, joiner, 0);
      g_autofree char *here = describe_all (inviters);
      g_autofree char *there = describe_all (joiners);

      g_assert_cmpstr (here, ==, there);
    }
}

/* What failed is not tried again, and what both forbid is not tried at all, whatever is known. */
static void
test_moves_are_allowed (void)
{
  for (int i = 0; i < 10000; i++)
    {
      g_autoptr (KhOffer) inviter = random_offer (0);
      g_autoptr (KhOffer) joiner = random_offer (1);
      guint failed = g_test_rand_int_range (0, KH_ALL_MOVES + 1);
      g_autoptr (KhPlan) plan = kh_plan_new (inviter, joiner, failed);

      for (guint j = 0; j < plan->moves->len; j++)
        {
          const KhPlanMove *move = g_ptr_array_index (plan->moves, j);

          g_assert_true (inviter->moves & joiner->moves & ~failed & 1u << move->move);
          for (int role = 0; role < 2; role++)
            {
              const KhGamble *gamble = &move->sides[role].gamble;

              if (gamble->remote == NULL)
                continue;
              g_assert_cmpuint (gamble->low, >=, 1024);
              g_assert_cmpuint (gamble->low, <=, gamble->high);
              g_assert_cmpuint (gamble->budget, <=, 1500);
              g_assert_cmpuint (gamble->per_second, <=, 400);
            }
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/plan/table", test_table);
  g_test_add_func ("/plan/routers", test_routers);
  g_test_add_func ("/plan/same-on-both-sides", test_same_on_both_sides);
  g_test_add_func ("/plan/moves-are-allowed", test_moves_are_allowed);
  g_test_add_func ("/plan/allowed-by-both", test_allowed_by_both);
  g_test_add_func ("/plan/targets", test_targets);
  return g_test_run ();
}
