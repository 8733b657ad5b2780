/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-fact-words.h"

#include <glib/gi18n-lib.h>

/* What a network check says of friends, before one is invited. */

static const char *
verdict_for_easy (KhForecast strict)
{
  if (strict == KH_FORECAST_LIKELY)
    return _ ("Friends can reach you directly on almost every network");
  if (strict == KH_FORECAST_POSSIBLE)
    return _ ("Friends can reach you directly on most networks");
  return _ ("Friends can reach you directly on most networks, but not behind a strict router");
}

/**
 * kh_words_verdict:
 * @facts: about one's own network
 *
 * Returns: whether friends can reach it, plainly
 */
const char *
kh_words_verdict (const KhFacts *facts)
{
  gboolean ipv6 = kh_facts_is (facts, KH_FACT_IPV6, "yes");

  if (!kh_facts_knows (facts, KH_FACT_MAPPING) && !ipv6)
    return _ ("Not known");
  switch (kh_forecast_for (facts, KH_FRIEND_HOME))
    {
    case KH_FORECAST_LIKELY:
      return verdict_for_easy (kh_forecast_for (facts, KH_FRIEND_STRICT));
    case KH_FORECAST_POSSIBLE:
      return ipv6 ? _ ("Friends with IPv6 can reach you directly, others perhaps")
                  : _ ("Friends can perhaps reach you directly");
    case KH_FORECAST_UNLIKELY:
    case KH_FORECAST_IMPOSSIBLE:
    default:
      return ipv6 ? _ ("Direct connections work only with friends who have IPv6, or are on an open network")
                  : _ ("Direct connections work only with friends on an open network");
    }
}

/**
 * kh_words_friend:
 *
 * Returns: what such a friend has, after "With a friend who has…"
 */
const char *
kh_words_friend (KhFriendKind kind)
{
  /* Translators: each ends the line "With a friend who has…" */
  static const char *const titles[KH_N_FRIEND_KINDS] = {
    [KH_FRIEND_OPEN] = N_ ("An Open Network"),
    [KH_FRIEND_HOME] = N_ ("A Typical Home Router"),
    [KH_FRIEND_STRICT] = N_ ("A Strict Router (Symmetric NAT)"),
    [KH_FRIEND_MOBILE] = N_ ("A Provider's NAT"),
    [KH_FRIEND_IPV6] = N_ ("IPv6 and a Firewall"),
  };

  g_return_val_if_fail (kind < KH_N_FRIEND_KINDS, "");

  return _ (titles[kind]);
}

/**
 * kh_words_forecast_value:
 *
 * Returns: it in one word
 */
const char *
kh_words_forecast_value (KhForecast forecast)
{
  switch (forecast)
    {
    case KH_FORECAST_LIKELY:
      /* Translators: a direct path is likely. So in the next three. */
      return C_ ("forecast", "Likely");
    case KH_FORECAST_POSSIBLE:
      return C_ ("forecast", "Possible");
    case KH_FORECAST_UNLIKELY:
      return C_ ("forecast", "Unlikely");
    case KH_FORECAST_IMPOSSIBLE:
    default:
      return C_ ("forecast", "Impossible");
    }
}

/* --- why ---------------------------------------------------------------------------------------------------------- */

static gboolean
has_no_nat (const KhFacts *mine)
{
  return kh_facts_is (mine, KH_FACT_MAPPING, "none");
}

/* What stands between a maybe and a yes. */
static const char *
condition (const KhFacts *mine)
{
  if (!kh_facts_knows (mine, KH_FACT_MAPPING))
    return _ ("It works if your router turns out to keep one port for everybody.");
  if (!has_no_nat (mine) && !kh_facts_is (mine, KH_FACT_MAPPING, "endpoint-independent"))
    return _ ("It works if your router keeps this computer's port for the friend as well.");
  return _ ("It takes some luck, since whoever connects too early is turned away.");
}

/* One side's port is not known: then many are tried. */
static const char *
by_many_tries (void)
{
  return _ ("Both sides try many ports at once until two fit, which takes a second or two.");
}

static gboolean
is_symmetric (const KhFacts *mine)
{
  return kh_facts_is (mine, KH_FACT_MAPPING, "address-dependent") ||
         kh_facts_is (mine, KH_FACT_MAPPING, "address-and-port-dependent");
}

static const char *
forecast_open (KhForecast forecast)
{
  if (forecast == KH_FORECAST_LIKELY)
    return _ ("You reach a friend whose network lets everybody in.");
  return forecast == KH_FORECAST_POSSIBLE ? _ ("You may reach a friend whose network lets everybody in.")
                                          : _ ("You hardly reach even a friend whose network lets everybody in.");
}

static const char *
forecast_home (KhForecast forecast, const KhFacts *mine)
{
  if (forecast == KH_FORECAST_LIKELY && is_symmetric (mine))
    return by_many_tries ();
  if (forecast == KH_FORECAST_LIKELY)
    return has_no_nat (mine) ? _ ("You can reach each other through the friend's router.")
                             : _ ("Both routers open a hole for the other side.");
  return forecast == KH_FORECAST_POSSIBLE
             ? condition (mine)
             : _ ("The friend's router keeps you out, since your outside port cannot be known.");
}

static const char *
forecast_strict (KhForecast forecast, const KhFacts *mine)
{
  if (forecast == KH_FORECAST_LIKELY)
    return kh_facts_is (mine, KH_FACT_FILTERING, "endpoint-independent") ||
                   kh_facts_is (mine, KH_FACT_FILTERING, "none") ||
                   kh_facts_is (mine, KH_FACT_FILTERING, "address-dependent")
               ? _ ("Your side lets the friend in from a port that nobody could know.")
               : by_many_tries ();
  if (forecast == KH_FORECAST_POSSIBLE)
    return kh_facts_knows (mine, KH_FACT_FILTERING)
               ? condition (mine)
               : _ ("It works if your side lets in ports that you have not connected to.");
  return _ ("Both routers choose another port for every connection, so neither side can find the other's.");
}

static const char *
forecast_mobile (KhForecast forecast, const KhFacts *mine)
{
  if (forecast == KH_FORECAST_LIKELY && is_symmetric (mine))
    return by_many_tries ();
  if (forecast == KH_FORECAST_LIKELY)
    return has_no_nat (mine) ? _ ("You can reach each other through the provider's NAT.")
                             : _ ("Both sides open a hole for the other, as with mobile phones and fibre.");
  return forecast == KH_FORECAST_POSSIBLE ? condition (mine)
                                          : _ ("The provider keeps you out, since your outside port cannot be known.");
}

static const char *
forecast_ipv6 (KhForecast forecast, const KhFacts *mine)
{
  if (forecast == KH_FORECAST_LIKELY)
    return _ ("You reach the friend, whatever else is in the way there.");
  if (!kh_facts_knows (mine, KH_FACT_IPV6))
    return _ ("It works if your network has IPv6, which is not known.");
  return forecast == KH_FORECAST_POSSIBLE
             ? _ ("Not by IPv6, which you do not have; by IPv4 it depends on the friend's router.")
             : _ ("Neither by IPv6, which you do not have, nor by IPv4.");
}

/**
 * kh_words_forecast:
 * @mine: facts about one's own network
 *
 * Returns: whether one reaches a friend of that kind, and why, in a sentence
 */
const char *
kh_words_forecast (KhFriendKind kind, const KhFacts *mine)
{
  KhForecast forecast = kh_forecast_for (mine, kind);

  switch (kind)
    {
    case KH_FRIEND_OPEN:
      return forecast_open (forecast);
    case KH_FRIEND_HOME:
      return forecast_home (forecast, mine);
    case KH_FRIEND_STRICT:
      return forecast_strict (forecast, mine);
    case KH_FRIEND_MOBILE:
      return forecast_mobile (forecast, mine);
    case KH_FRIEND_IPV6:
      return forecast_ipv6 (forecast, mine);
    case KH_N_FRIEND_KINDS:
    default:
      g_return_val_if_reached ("");
    }
}
