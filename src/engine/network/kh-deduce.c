/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-deduce.h"

#include "kh-address.h"

#include <stdlib.h>

/* Ports within so few are a carrier's block: eight of the whole range are this close together once in ten million. Blocks of
 * RFC 7422 networks have 512 to 4096. */
#define MAX_BLOCK 4096

/* Other programs' connections take sequential ports as well. */
#define MAX_STEP 64

static gboolean
same (GInetSocketAddress *a, GInetSocketAddress *b)
{
  return a != NULL && b != NULL && kh_address_equal (G_SOCKET_ADDRESS (a), G_SOCKET_ADDRESS (b));
}

static KhReason
set (KhFacts *facts, KhFact fact, const char *word)
{
  kh_facts_set (facts, fact, word);
  return KH_REASON_KNOWN;
}

/**
 * kh_deduce_mapping:
 * @sightings: what is missing is %NULL
 * @facts: gets the mapping
 *
 * RFC 5780, section 4.3. Two places that see the same do not exclude that a third sees something else, so "independent" needs
 * another address.
 */
KhReason
kh_deduce_mapping (const KhSightings *sightings, KhFacts *facts)
{
  const KhSightings *s = sightings;

  if (s->first == NULL)
    return KH_REASON_NO_SERVER;
  if (same (s->local, s->first))
    return set (facts, KH_FACT_MAPPING, "none");
  if (s->other_port != NULL && !same (s->first, s->other_port))
    return set (facts, KH_FACT_MAPPING, "address-and-port-dependent");
  if (s->other_address == NULL)
    return KH_REASON_ONE_ADDRESS;
  if (same (s->first, s->other_address))
    return set (facts, KH_FACT_MAPPING, "endpoint-independent");
  if (s->other_port == NULL)
    return KH_REASON_AMBIGUOUS;
  return set (facts, KH_FACT_MAPPING, "address-dependent");
}

static gboolean
is_connected (const KhDialOutcome *outcome)
{
  return outcome->reason == KH_REASON_KNOWN && outcome->result == KH_DIAL_CONNECTED;
}

/**
 * kh_deduce_filtering:
 * @port: a dial from an address that we dialled, from another port
 * @address: a dial from an address that we did not dial
 * @facts: gets the filtering
 *
 * RFC 5780, section 4.4, for TCP.
 */
KhReason
kh_deduce_filtering (const KhDialOutcome *port, const KhDialOutcome *address, KhFacts *facts)
{
  if (is_connected (address))
    return set (facts, KH_FACT_FILTERING, "endpoint-independent");
  if (port->reason != KH_REASON_KNOWN)
    return port->reason;
  if (!is_connected (port))
    return set (facts, KH_FACT_FILTERING, "address-and-port-dependent");
  if (address->reason != KH_REASON_KNOWN)
    return address->reason;
  return set (facts, KH_FACT_FILTERING, "address-dependent");
}

static KhReason
name_answer (KhDialResult result, KhFacts *facts)
{
  switch (result)
    {
    case KH_DIAL_CONNECTED:
      return set (facts, KH_FACT_STRANGER, "open");
    case KH_DIAL_REFUSED:
      return set (facts, KH_FACT_STRANGER, "rst");
    case KH_DIAL_UNREACHABLE:
      return set (facts, KH_FACT_STRANGER, "icmp");
    case KH_DIAL_SILENT:
      return set (facts, KH_FACT_STRANGER, "silent");
    case KH_DIAL_UNKNOWN:
    case KH_DIAL_FAILED:
    case KH_N_DIAL_RESULTS:
    default:
      return KH_REASON_SERVER_SILENT;
    }
}

/**
 * kh_deduce_stranger:
 * @port: as for kh_deduce_filtering()
 * @address: as for kh_deduce_filtering()
 * @facts: gets what a stranger's SYN is answered by
 *
 * The stranger proper comes from another address. A refusal of another port tells as much, its success does not.
 */
KhReason
kh_deduce_stranger (const KhDialOutcome *port, const KhDialOutcome *address, KhFacts *facts)
{
  if (address->reason == KH_REASON_KNOWN)
    return name_answer (address->result, facts);
  if (port->reason == KH_REASON_KNOWN && port->result != KH_DIAL_CONNECTED)
    return name_answer (port->result, facts);
  return address->reason;
}

/* The step between ports that were given one after the other: the one that is found most often, if that is half the time.
 * Others' connections in between make a step larger, so a multiple counts. */
static gboolean
find_step (const KhSample *samples, guint n, int *step)
{
  for (int candidate = 1; candidate <= MAX_STEP; candidate++)
    for (int sign = 1; sign >= -1; sign -= 2)
      {
        guint exact = 0, fitting = 0;

        for (guint i = 1; i < n; i++)
          {
            int difference = sign * ((int) samples[i].outside - (int) samples[i - 1].outside);

            exact += difference == candidate;
            fitting += difference > 0 && difference % candidate == 0 && difference <= MAX_STEP * candidate;
          }
        if (2 * exact >= n - 1 && fitting + 1 >= n - 1)
          {
            *step = sign * candidate;
            return TRUE;
          }
      }
  return FALSE;
}

static void
take_range (const KhSample *samples, guint n, KhFacts *facts)
{
  int low = G_MAXUINT16, high = 0;

  for (guint i = 0; i < n; i++)
    {
      low = MIN (low, samples[i].outside);
      high = MAX (high, samples[i].outside);
    }
  facts->numbers[KH_FACT_PORT_LOW] = low;
  facts->numbers[KH_FACT_PORT_HIGH] = high;
}

/**
 * kh_deduce_allocation:
 * @samples: (array length=n_samples): from fresh local ports, in the order in which they were asked for
 * @n_samples: at least %KH_MIN_SAMPLES, or nothing is deduced
 * @facts: gets allocation, delta, and where ports are not preserved the range that was seen
 *
 * A router whose ports are nearly all preserved preserves them: one that was taken already says nothing.
 */
KhReason
kh_deduce_allocation (const KhSample *samples, guint n_samples, KhFacts *facts)
{
  guint preserved = 0;
  double range;
  int step;

  if (n_samples < KH_MIN_SAMPLES)
    return KH_REASON_SERVER_SILENT;

  for (guint i = 0; i < n_samples; i++)
    preserved += samples[i].inside == samples[i].outside;
  if (4 * preserved >= 3 * n_samples)
    return set (facts, KH_FACT_ALLOCATION, "preserving");

  take_range (samples, n_samples, facts);
  if (find_step (samples, n_samples, &step))
    {
      facts->numbers[KH_FACT_DELTA] = step;
      return set (facts, KH_FACT_ALLOCATION, "sequential");
    }

  /* The usual estimate of a range from the outermost of n numbers in it. */
  range =
      (facts->numbers[KH_FACT_PORT_HIGH] - facts->numbers[KH_FACT_PORT_LOW]) * (n_samples + 1.0) / (n_samples - 1.0);
  return set (facts, KH_FACT_ALLOCATION, range <= MAX_BLOCK ? "block" : "random");
}

/**
 * kh_deduce_hole:
 * @outcome: of the server's dial at a hole that we had opened
 * @mapping: why the mapping is not known
 * @fact: %KH_FACT_BARE_SYN or %KH_FACT_SIMULTANEOUS_OPEN
 * @facts: gets whether it got through
 */
KhReason
kh_deduce_hole (const KhDialOutcome *outcome, KhReason mapping, KhFact fact, KhFacts *facts)
{
  if (outcome->reason != KH_REASON_KNOWN)
    return outcome->reason;
  if (is_connected (outcome))
    return set (facts, fact, "yes");

  /* The server may have aimed at the wrong mapping; and who lets in everybody lets this in as well: a packet was lost. */
  if (mapping != KH_REASON_KNOWN)
    return mapping;
  if (kh_facts_is (facts, KH_FACT_FILTERING, "endpoint-independent"))
    return KH_REASON_AMBIGUOUS;
  /* A SYN that is to cross ours, and came before ours had left, was a stranger's. [Without any delay, at a router that refuses them.] */
  if (fact == KH_FACT_SIMULTANEOUS_OPEN && outcome->result != KH_DIAL_SILENT)
    return KH_REASON_AMBIGUOUS;
  return set (facts, fact, "no");
}

/* 100.64.0.0/10 (RFC 6598): what providers use between their own NAT and their customers' */
static gboolean
is_shared (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4 && bytes[0] == 100 && (bytes[1] & 0xc0) == 64;
}

/* What its own word comes to, where it has given one. */
static KhReason
count_by_router (KhFacts *facts, GInetAddress *external, GInetSocketAddress *outside)
{
  if (!kh_address_is_global (external))
    return set (facts, KH_FACT_DOUBLE_NAT, "yes");
  if (g_inet_address_equal (external, g_inet_socket_address_get_address (outside)))
    return set (facts, KH_FACT_DOUBLE_NAT, "no");
  return KH_REASON_AMBIGUOUS;
}

/**
 * kh_deduce_nats:
 * @facts: has what is known of mapping, depth and router; gets whether there are several NATs, and a provider's
 * @outside: (nullable): our outside address
 * @depth: why the depth is not known
 * @reasons: (out caller-allocates): for both facts
 *
 * A router that has a private outside address itself stands behind another NAT, whatever the hops say; and where the address
 * that it names is not the one that servers see, nothing else is believed either. A depth of nought with a NAT is a router that
 * answers by its outside address: it tells nothing.
 */
void
kh_deduce_nats (KhFacts *facts, GInetSocketAddress *outside, KhReason depth, KhReason reasons[2])
{
  gboolean translated = !kh_facts_is (facts, KH_FACT_MAPPING, "none");
  int hops = facts->numbers[KH_FACT_NAT_DEPTH];
  g_autoptr (GInetAddress) external =
      *facts->router.external != '\0' ? g_inet_address_new_from_string (facts->router.external) : NULL;

  if (!translated)
    {
      facts->numbers[KH_FACT_NAT_DEPTH] = 0; /* private routers that translate nothing are on the way all the same */
      reasons[0] = set (facts, KH_FACT_DOUBLE_NAT, "no");
    }
  else if (hops == 0)
    facts->numbers[KH_FACT_NAT_DEPTH] = hops = KH_FACT_NUMBER_UNKNOWN;
  /* Providers number their own routers by private addresses as well, so that a second one proves nothing; a shared one does. Ports
   * of a small block are a provider's way, whatever the hops say. */
  if (translated && external != NULL && outside != NULL)
    reasons[0] = count_by_router (facts, external, outside);
  else if (translated && hops == 1 && !kh_facts_is (facts, KH_FACT_ALLOCATION, "block"))
    reasons[0] = set (facts, KH_FACT_DOUBLE_NAT, "no");
  else if (translated && hops > 1 && kh_facts_is (facts, KH_FACT_CARRIER_NAT, "yes"))
    reasons[0] = set (facts, KH_FACT_DOUBLE_NAT, "yes");
  else if (translated)
    reasons[0] = KH_REASON_AMBIGUOUS;
  if (reasons[0] != KH_REASON_KNOWN && depth != KH_REASON_KNOWN)
    reasons[0] = depth;

  if (external != NULL && is_shared (external))
    kh_facts_set (facts, KH_FACT_CARRIER_NAT, "yes");
  else if (!translated ||
           (!kh_facts_knows (facts, KH_FACT_CARRIER_NAT) && kh_facts_is (facts, KH_FACT_DOUBLE_NAT, "no")))
    kh_facts_set (facts, KH_FACT_CARRIER_NAT, "no");
  reasons[1] = kh_facts_knows (facts, KH_FACT_CARRIER_NAT) ? KH_REASON_KNOWN
               : reasons[0] != KH_REASON_KNOWN             ? reasons[0]
                                                           : KH_REASON_AMBIGUOUS;
}
