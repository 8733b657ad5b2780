/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-fact-words.h"

#include <glib/gi18n-lib.h>

/* The types of NATs, by the names that they are known by. */

static const char *
symmetric_type (const KhFacts *facts)
{
  if (kh_facts_is (facts, KH_FACT_ALLOCATION, "random"))
    return _ ("Symmetric, random ports");
  if (kh_facts_is (facts, KH_FACT_ALLOCATION, "sequential"))
    return _ ("Symmetric, sequential ports");
  if (kh_facts_is (facts, KH_FACT_ALLOCATION, "block"))
    return _ ("Symmetric, ports from a small block");
  return _ ("Symmetric");
}

/* Whether nothing is filtered, or that is not known. */
static gboolean
lets_in (const KhFacts *facts)
{
  return kh_facts_is (facts, KH_FACT_FILTERING, "endpoint-independent") ||
         kh_facts_is (facts, KH_FACT_FILTERING, "none");
}

/**
 * kh_words_nat_type:
 * @facts: about one network
 *
 * Returns: the type of its NAT by the name that it is known by
 */
const char *
kh_words_nat_type (const KhFacts *facts)
{
  gboolean knows_filter = kh_facts_knows (facts, KH_FACT_FILTERING);

  if (!kh_facts_knows (facts, KH_FACT_MAPPING))
    return _ ("Not known");
  if (kh_facts_is (facts, KH_FACT_MAPPING, "none"))
    return lets_in (facts) ? _ ("No NAT")
           : knows_filter  ? _ ("No NAT, behind a firewall")
                           : _ ("No NAT; firewall not known");
  if (!kh_facts_is (facts, KH_FACT_MAPPING, "endpoint-independent"))
    return symmetric_type (facts);
  if (lets_in (facts))
    return _ ("Full cone");
  if (kh_facts_is (facts, KH_FACT_FILTERING, "address-dependent"))
    return _ ("Restricted cone");
  return knows_filter ? _ ("Port-restricted cone") : _ ("Cone; filtering not known");
}
