/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-check-words.h"

#include "kh-address.h"
#include "kh-fact-words.h"

#include <glib/gi18n-lib.h>

/* A network check as a whole, in words: how it went, and what it comes to. */

/* How strict a filter is can change both type and verdict: neither is told before that is known, one way or the other. */
static gboolean
is_looking (const KhCheckResult *result)
{
  if (result->state == KH_CHECK_STATE_NONE)
    return TRUE;
  return result->state == KH_CHECK_STATE_RUNNING &&
         (result->findings.reasons[KH_FINDING_MAPPING] == KH_REASON_NOT_YET ||
          result->findings.reasons[KH_FINDING_FILTERING] == KH_REASON_NOT_YET);
}

/**
 * kh_words_check_is_judged:
 *
 * Returns: whether enough is known to say which friends can reach this network
 */
gboolean
kh_words_check_is_judged (const KhCheckResult *result)
{
  const KhFacts *facts = &result->findings.facts;

  return !is_looking (result) && (kh_facts_knows (facts, KH_FACT_MAPPING) || kh_facts_is (facts, KH_FACT_IPV6, "yes"));
}

/**
 * kh_words_check_headline:
 *
 * Returns: whether friends can reach this network; or how it is that this is not known
 */
const char *
kh_words_check_headline (const KhCheckResult *result)
{
  if (kh_words_check_is_judged (result))
    return kh_words_verdict (&result->findings.facts);
  switch (result->state)
    {
    case KH_CHECK_STATE_OFFLINE:
      return _ ("You are not connected to a network");
    case KH_CHECK_STATE_NO_SERVER:
      return _ ("No server answered");
    case KH_CHECK_STATE_STOPPED:
      return _ ("The check was stopped");
    case KH_CHECK_STATE_DONE:
      return _ ("Your network could not be identified");
    case KH_CHECK_STATE_NONE:
    case KH_CHECK_STATE_RUNNING:
    default:
      return _ ("Looking at your network…");
    }
}

/**
 * kh_words_check_advice:
 *
 * Returns: (nullable): what to do where nothing could be found
 */
const char *
kh_words_check_advice (const KhCheckResult *result)
{
  if (result->state == KH_CHECK_STATE_OFFLINE)
    return _ ("The check starts when you are connected.");
  if (result->state == KH_CHECK_STATE_NO_SERVER)
    return _ ("Look at your connection to the internet, or choose other servers in the preferences.");
  return NULL;
}

static int
count_over (const KhCheckResult *result, int *asked)
{
  int over = 0;

  *asked = 0;
  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (i != KH_FINDING_IDLE) /* which has a time of its own */
      {
        *asked += 1;
        over += result->findings.reasons[i] != KH_REASON_NOT_YET;
      }
  return over;
}

/**
 * kh_words_check_caption:
 *
 * Returns: (transfer full): who is or was asked, and how far that is; empty where nobody is
 */
char *
kh_words_check_caption (const KhCheckResult *result)
{
  g_autofree char *servers = result->servers != NULL ? g_strjoinv (", ", (char **) result->servers) : NULL;
  int asked;
  int over = count_over (result, &asked);

  if (servers == NULL || *servers == '\0' || result->state == KH_CHECK_STATE_OFFLINE)
    return g_strdup ("");
  if (result->state == KH_CHECK_STATE_RUNNING)
    /* Translators: %1$s is a list of servers, %2$d of %3$d tests are over */
    return g_strdup_printf (_ ("Asking %1$s. %2$d of %3$d tests done"), servers, over, asked);
  if (result->state == KH_CHECK_STATE_STOPPED)
    /* Translators: %s is a list of servers. So in the next one. */
    return g_strdup_printf (_ ("Stopped before the end. Asked %s"), servers);
  return g_strdup_printf (_ ("Asked %s"), servers);
}

/**
 * kh_words_check_status:
 *
 * Returns: (transfer full): how it goes or went, for those who listen
 */
char *
kh_words_check_status (const KhCheckResult *result)
{
  const char *type = kh_words_nat_type (&result->findings.facts);

  if (result->state == KH_CHECK_STATE_RUNNING)
    return g_strdup (_ ("The network check is under way."));
  if (result->state == KH_CHECK_STATE_DONE)
    /* Translators: %s is the type of a NAT, such as "Full cone". So in the next one. */
    return g_strdup_printf (_ ("The network check is done: %s"), type);
  if (result->state == KH_CHECK_STATE_STOPPED)
    return g_strdup_printf (_ ("The network check was stopped before the end: %s"), type);
  return g_strdup (kh_words_check_headline (result));
}

/**
 * kh_words_check_nat_type:
 *
 * Returns: the type of the NAT, or "Checking…" while it may still turn out to be another
 */
const char *
kh_words_check_nat_type (const KhCheckResult *result)
{
  return is_looking (result) ? _ ("Checking…") : kh_words_nat_type (&result->findings.facts);
}

/**
 * kh_words_check_mapping:
 *
 * Returns: (transfer full): an address here, and what the internet sees in its place
 */
char *
kh_words_check_mapping (const KhCheckResult *result)
{
  g_autofree char *from = result->inside != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (result->inside)) : NULL;
  g_autofree char *to = result->outside != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (result->outside)) : NULL;

  if (to == NULL)
    return g_strdup (result->state == KH_CHECK_STATE_NONE || result->state == KH_CHECK_STATE_RUNNING ? _ ("Checking…")
                                                                                                     : _ ("Not known"));
  /* Translators: %1$s is an address with its port, %2$s the one that the internet sees in its place */
  return from != NULL ? g_strdup_printf (_ ("%1$s → %2$s"), from, to) : g_steal_pointer (&to);
}
