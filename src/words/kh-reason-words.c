/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-fact-words.h"

#include <glib/gi18n-lib.h>

/* Why it is not known, and what would help. */
static const struct
{
  const char *value;
  const char *sentence;
} reasons[KH_N_REASONS] = {
  [KH_REASON_KNOWN] = { N_ ("Not known"), N_ ("The check came to no result here.") },
  [KH_REASON_NOT_YET] = { N_ ("Checking…"), N_ ("This is being looked at.") },
  [KH_REASON_NOT_ASKED] = { N_ ("Not tested"), N_ ("This takes minutes, so it is tested only on request.") },
  [KH_REASON_NO_SERVER] = { N_ ("Not known"),
                            N_ ("No STUN server answered, so nobody outside could say; look at your connection to the internet, or "
                                "choose another server in the preferences.") },
  [KH_REASON_OFFLINE] = { N_ ("Not known"), N_ ("You are not connected to a network.") },
  [KH_REASON_NO_DIAL_BACK] = { N_ ("Not known"),
                               N_ ("This server does not connect back, so what gets in from outside cannot be tried; a server that "
                                   "runs knothole-server could tell.") },
  [KH_REASON_ONE_ADDRESS] = { N_ ("Not known"),
                              N_ ("The server has one address only, so nothing can be compared; ask a server with two addresses, "
                                  "or name a second server in the preferences.") },
  [KH_REASON_SERVER_LIMIT] = { N_ ("Not known"),
                               N_ ("The server was asked to connect back too often; run the check again in a few minutes.") },
  [KH_REASON_SERVER_SILENT] = { N_ ("Not known"),
                                N_ ("The server gave no answer to this; run the check again, or ask another server.") },
  [KH_REASON_CONTRADICTION] = { N_ ("Not known"),
                                N_ ("The server says that it got through, but nothing arrived; something in between answers for "
                                    "this computer, or the server is not to be trusted.") },
  [KH_REASON_NO_NAT] = { N_ ("No NAT"), N_ ("There is no NAT, so there is nothing to be known here.") },
  [KH_REASON_MAPPING_DIFFERS] = { N_ ("Not known"),
                                  N_ ("Your router shows another port to everybody, so nobody outside could aim at the hole to try "
                                      "this.") },
  [KH_REASON_AMBIGUOUS] = { N_ ("Not known"), N_ ("What was seen fits more than one answer, so none is given here.") },
  [KH_REASON_KEPT_OUT] = { N_ ("Not known"),
                           N_ ("Your router lets no stranger through, so a firewall of this computer cannot be told apart.") },
  [KH_REASON_NO_ICMP] = { N_ ("Not known"),
                          N_ ("The routers on the way do not say when a packet expires, so they cannot be counted.") },
  [KH_REASON_NO_GATEWAY] = { N_ ("Not known"), N_ ("There is no router in this network that could be asked.") },
  [KH_REASON_NO_IPV6] = { N_ ("No IPv6"), N_ ("This computer has no IPv6 address, so this could not be tried.") },
  [KH_REASON_NO_IPV6_SERVER] = { N_ ("Not known"),
                                 N_ ("No server with IPv6 was there to be asked; name one in the preferences.") },
  [KH_REASON_NETWORK_CHANGED] = { N_ ("Not known"),
                                  N_ ("The network changed while this was looked at; run the check again.") },
  [KH_REASON_LOCAL] = { N_ ("Not known"),
                        N_ ("This computer could not do the test: it gave no port or no connection for it.") },
  [KH_REASON_STOPPED] = { N_ ("Not known"), N_ ("The check was stopped before this was looked at; run it again.") },
};

/**
 * kh_words_reason_value:
 *
 * Returns: that something is not known for that reason, in a few words; "Checking…" while it is looked at
 */
const char *
kh_words_reason_value (KhReason reason)
{
  g_return_val_if_fail (reason < KH_N_REASONS, "");

  return _ (reasons[reason].value);
}

/**
 * kh_words_reason_sentence:
 * @facts: what is known of the network
 *
 * Returns: why something is not known, and what would help
 */
const char *
kh_words_reason_sentence (KhReason reason, const KhFacts *facts)
{
  g_return_val_if_fail (reason < KH_N_REASONS, "");

  if (reason == KH_REASON_KEPT_OUT && kh_facts_is (facts, KH_FACT_MAPPING, "none"))
    return _ ("No stranger gets this far, so a firewall of this computer cannot be told from one on the way.");
  return _ (reasons[reason].sentence);
}
