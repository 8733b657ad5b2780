/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-forecast.h"

#include "kh-port-range.h"

/* Where both sides' ports have to be found, so many pairs of them are tried in one attempt that up to the first figure they meet
 * nearly always, and beyond the second hardly ever: 1 500 dials on each side, of which 256 are held, make some 700 000 pairs. */
#define PAIRS_SURE 400000
#define PAIRS_HOPELESS 1500000

/* An answer is as sure as the facts are, so there are three; "and" is the lesser of two, "or" the greater. */
typedef enum
{
  NO,
  MAYBE,
  YES
} Answer;

static gboolean
depends_on_endpoint (const KhFacts *facts)
{
  return kh_facts_is (facts, KH_FACT_MAPPING, "address-dependent") ||
         kh_facts_is (facts, KH_FACT_MAPPING, "address-and-port-dependent");
}

/* Whether a friend finds us at the port that a server saw. A router that keeps the inside port while it is free does so for some
 * destinations, and not for others. */
static Answer
has_one_port (const KhFacts *facts)
{
  if (depends_on_endpoint (facts))
    return kh_facts_is (facts, KH_FACT_ALLOCATION, "preserving") ? MAYBE : NO;
  return kh_facts_knows (facts, KH_FACT_MAPPING) ? YES : MAYBE;
}

/* Whether the filter of one who has dialled the other's known address and port lets the other's SYN in. */
static Answer
passes (const KhFacts *dialler, const KhFacts *dialled)
{
  Answer from_known_port = has_one_port (dialler);

  if (kh_facts_is (dialled, KH_FACT_BARE_SYN, "no"))
    return NO;
  if (kh_facts_is (dialled, KH_FACT_FILTERING, "address-and-port-dependent"))
    return from_known_port;
  return kh_facts_knows (dialled, KH_FACT_FILTERING) ? YES : MAX (from_known_port, MAYBE);
}

static Answer
arrives (const KhFacts *dialler, const KhFacts *dialled)
{
  return MIN (has_one_port (dialled), passes (dialler, dialled));
}

static gboolean
is_open (const KhFacts *facts)
{
  return kh_facts_is (facts, KH_FACT_MAPPING, "none") &&
         (kh_facts_is (facts, KH_FACT_FILTERING, "endpoint-independent") ||
          kh_facts_is (facts, KH_FACT_FILTERING, "none"));
}

/* A router's ICMP error ends the dial that came too early, but not the hole: where both have one, chance decides who answers.
 * Unless the other side knows how far its own router is, and so can open its hole without coming all the way. */
static gboolean
is_by_chance (const KhFacts *one, const KhFacts *other)
{
  return kh_facts_is (one, KH_FACT_STRANGER, "icmp") && !is_open (other) &&
         other->numbers[KH_FACT_NAT_DEPTH] == KH_FACT_NUMBER_UNKNOWN;
}

/* Two dials, each to the other's outside address and port as a STUN server saw it: one of them has to arrive. */
static Answer
by_dial (const KhFacts *mine, const KhFacts *friends)
{
  Answer answer = MAX (arrives (mine, friends), arrives (friends, mine));

  return is_by_chance (mine, friends) || is_by_chance (friends, mine) ? MIN (answer, MAYBE) : answer;
}

/* Many dials, until one of each side fit together. */
static Answer
by_dice (const KhFacts *mine, const KhFacts *friends)
{
  KhPortRange own = kh_port_range_of (mine);
  KhPortRange others = kh_port_range_of (friends);
  guint64 pairs = (guint64) kh_port_range_size (&own) * kh_port_range_size (&others);
  gboolean known = (own.sure || own.kind == KH_PORT_FIXED) && (others.sure || others.kind == KH_PORT_FIXED);

  if (own.kind == KH_PORT_FIXED && others.kind == KH_PORT_FIXED)
    return NO;
  if (kh_facts_is (mine, KH_FACT_BARE_SYN, "no") && kh_facts_is (friends, KH_FACT_BARE_SYN, "no"))
    return NO;
  if (own.kind == KH_PORT_FIXED || others.kind == KH_PORT_FIXED)
    return (own.kind == KH_PORT_FIXED ? own.sure : others.sure) ? YES : MAYBE;
  if (pairs > PAIRS_HOPELESS)
    return known ? NO : MAYBE;
  return pairs <= PAIRS_SURE ? YES : MAYBE;
}

static Answer
has_ipv6 (const KhFacts *facts)
{
  if (kh_facts_is (facts, KH_FACT_IPV6, "yes"))
    return YES;
  return kh_facts_knows (facts, KH_FACT_IPV6) ? NO : MAYBE;
}

static const KhForecast forecasts[] = { KH_FORECAST_IMPOSSIBLE, KH_FORECAST_POSSIBLE, KH_FORECAST_LIKELY };

/**
 * kh_forecast_dial:
 * @mine: facts about one side
 * @friends: facts about the other
 *
 * Returns: what to expect when both dial each other's outside address
 */
KhForecast
kh_forecast_dial (const KhFacts *mine, const KhFacts *friends)
{
  return forecasts[by_dial (mine, friends)];
}

/**
 * kh_forecast_dice:
 * @mine: facts about one side
 * @friends: facts about the other
 *
 * Returns: what to expect when a side whose outside port is not known is looked for by many dials; %KH_FORECAST_IMPOSSIBLE as well
 *   where both are known, and there is nothing to look for
 */
KhForecast
kh_forecast_dice (const KhFacts *mine, const KhFacts *friends)
{
  return forecasts[by_dice (mine, friends)];
}

/**
 * kh_forecast_facts:
 * @mine: facts about one side
 * @friends: facts about the other
 *
 * What to expect of the moves there are, by IPv4 and by IPv6. A network that both may be in is not known of here. The order of
 * the two does not matter.
 *
 * Returns: the forecast; never more than %KH_FORECAST_POSSIBLE where it hangs on what is not known, and
 *   %KH_FORECAST_IMPOSSIBLE only by what is
 */
KhForecast
kh_forecast_facts (const KhFacts *mine, const KhFacts *friends)
{
  Answer ipv4 = MAX (by_dial (mine, friends), by_dice (mine, friends));
  Answer ipv6 = MIN (has_ipv6 (mine), has_ipv6 (friends));

  /* That somebody might have IPv6 after all is no reason to hope. */
  if (ipv6 == MAYBE && ipv4 == NO)
    return KH_FORECAST_UNLIKELY;
  return forecasts[ipv6 == YES ? YES : ipv4];
}

static void
set (KhFacts *facts, const char *mapping, const char *filtering, const char *allocation, const char *stranger)
{
  kh_facts_set (facts, KH_FACT_MAPPING, mapping);
  kh_facts_set (facts, KH_FACT_FILTERING, filtering);
  kh_facts_set (facts, KH_FACT_ALLOCATION, allocation);
  kh_facts_set (facts, KH_FACT_STRANGER, stranger);
}

/**
 * kh_forecast_friend:
 * @kind: a kind of friend
 * @facts: (out caller-allocates): about such a friend's network
 */
void
kh_forecast_friend (KhFriendKind kind, KhFacts *facts)
{
  kh_facts_init (facts);
  switch (kind)
    {
    case KH_FRIEND_OPEN:
      set (facts, "none", "endpoint-independent", "preserving", "open");
      break;
    case KH_FRIEND_HOME:
      set (facts, "endpoint-independent", "address-and-port-dependent", "preserving", "silent");
      break;
    case KH_FRIEND_STRICT:
      set (facts, "address-and-port-dependent", "address-and-port-dependent", "random", "silent");
      break;
    case KH_FRIEND_MOBILE:
      set (facts, "endpoint-independent", "address-and-port-dependent", "block", "silent");
      kh_facts_set (facts, KH_FACT_DOUBLE_NAT, "yes");
      kh_facts_set (facts, KH_FACT_CARRIER_NAT, "yes");
      break;
    case KH_FRIEND_IPV6:
      kh_facts_set (facts, KH_FACT_IPV6, "yes");
      kh_facts_set (facts, KH_FACT_IPV6_INBOUND, "no");
      break;
    case KH_N_FRIEND_KINDS:
    default:
      g_return_if_reached ();
    }
}

/**
 * kh_forecast_for:
 * @mine: facts about one's own network
 * @kind: a kind of friend
 *
 * Returns: how likely one reaches such a friend
 */
KhForecast
kh_forecast_for (const KhFacts *mine, KhFriendKind kind)
{
  KhFacts friends;

  kh_forecast_friend (kind, &friends);
  return kh_forecast_facts (mine, &friends);
}

/**
 * kh_forecast_name:
 *
 * Returns: a word for programs, such as "likely"
 */
const char *
kh_forecast_name (KhForecast forecast)
{
  static const char *const names[] = { "impossible", "unlikely", "possible", "likely" };

  g_return_val_if_fail ((guint) forecast < G_N_ELEMENTS (names), "possible");

  return names[forecast];
}
