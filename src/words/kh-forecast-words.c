/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-fact-words.h"

#include <glib/gi18n-lib.h>

/* What a network check says of friends, before one is invited. */

static KhForecast
forecast_for (const KhFacts *facts, KhFriendKind kind)
{
  KhFacts friends;

  kh_forecast_friend (kind, &friends);
  return kh_forecast_facts (facts, &friends);
}

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
  switch (forecast_for (facts, KH_FRIEND_HOME))
    {
    case KH_FORECAST_LIKELY:
      return verdict_for_easy (forecast_for (facts, KH_FRIEND_STRICT));
    case KH_FORECAST_POSSIBLE:
      return ipv6 ? _ ("Friends with IPv6 can reach you directly, others perhaps")
                  : _ ("Friends can perhaps reach you directly");
    case KH_FORECAST_UNLIKELY:
    case KH_FORECAST_IMPOSSIBLE:
    default:
      return ipv6 ? _ ("A direct line works only with friends who have IPv6, or whose router lets others in")
                  : _ ("A direct line works only with friends whose router lets others in");
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
    [KH_FRIEND_OPEN] = N_ ("An Open Network"),     [KH_FRIEND_HOME] = N_ ("A Usual Home Router"),
    [KH_FRIEND_STRICT] = N_ ("A Strict Router"),   [KH_FRIEND_MOBILE] = N_ ("A Provider's NAT"),
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

/**
 * kh_words_forecast:
 *
 * Returns: whether one reaches a friend of that kind, in a sentence
 */
const char *
kh_words_forecast (KhFriendKind kind, KhForecast forecast)
{
  static const struct
  {
    const char *likely;
    const char *possible;
    const char *unlikely;
  } sentences[KH_N_FRIEND_KINDS] = {
    [KH_FRIEND_OPEN] = { N_ ("You reach a friend with no NAT, or with a full cone."),
                         N_ ("You may reach a friend with no NAT, or with a full cone."),
                         N_ ("You hardly reach even a friend with no NAT.") },
    [KH_FRIEND_HOME] = { N_ ("Both routers open a hole for the other side."),
                         N_ ("It works if your router turns out to keep one port for everybody."),
                         N_ ("The friend's router keeps you out, since your outside port cannot be known.") },
    [KH_FRIEND_STRICT] = { N_ ("Your side lets the friend in from a port that nobody could know."),
                           N_ ("It works if your side lets in ports that it has not dialled."),
                           N_ ("The friend's router comes from a port that nobody knows, and yours keeps it out.") },
    [KH_FRIEND_MOBILE] = { N_ ("Both sides open a hole for the other, as with mobile phones and fibre."),
                           N_ ("It works if your router turns out to keep one port for everybody."),
                           N_ ("The provider keeps you out, since your outside port cannot be known.") },
    [KH_FRIEND_IPV6] = { N_ ("You reach the friend, whatever else is in the way there."),
                         N_ ("By IPv6 you do not; by IPv4 it depends on the friend's router."),
                         N_ ("By IPv6 you do not, nor by IPv4.") },
  };

  g_return_val_if_fail (kind < KH_N_FRIEND_KINDS, "");

  if (forecast == KH_FORECAST_LIKELY)
    return _ (sentences[kind].likely);
  return forecast == KH_FORECAST_POSSIBLE ? _ (sentences[kind].possible) : _ (sentences[kind].unlikely);
}
