/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * KhFact:
 * @KH_FACT_MAPPING: for whom an outside port is kept (RFC 5780, RFC 5382 for TCP)
 * @KH_FACT_FILTERING: who may send to it
 * @KH_FACT_ALLOCATION: how outside ports are chosen
 * @KH_FACT_STRANGER: what a SYN gets that the filter does not let in
 * @KH_FACT_SIMULTANEOUS_OPEN: whether SYNs that cross become a connection
 * @KH_FACT_BARE_SYN: whether a SYN from outside passes a hole that a SYN from inside has opened
 * @KH_FACT_HAIRPIN: whether two inside ports reach each other by their outside addresses
 * @KH_FACT_AFTER_FIN: what is left of a mapping when its connection was closed: strangers whom the filter lets in still get
 *   through it (kept); a dial to somebody else has the same outside port (same-port); it has another (lost)
 * @KH_FACT_AFTER_RST: the same after a reset
 * @KH_FACT_DOUBLE_NAT: whether more than one NAT is in the way
 * @KH_FACT_CARRIER_NAT: whether one of them is the provider's (100.64.0.0/10, RFC 6598)
 * @KH_FACT_IPV6: whether the internet can be reached by IPv6
 * @KH_FACT_IPV6_INBOUND: whether a connection may begin by IPv6 from a port that was not dialled
 * @KH_FACT_VPN: whether the way to the internet leads through a tunnel
 * @KH_FACT_HOST_FIREWALL: whether this computer itself keeps dials out
 *
 * The facts about a network that are one word of a list. Each has `unknown` among its words: what was not measured is
 * unknown, never "no".
 */
typedef enum
{
  KH_FACT_MAPPING,
  KH_FACT_FILTERING,
  KH_FACT_ALLOCATION,
  KH_FACT_STRANGER,
  KH_FACT_SIMULTANEOUS_OPEN,
  KH_FACT_BARE_SYN,
  KH_FACT_HAIRPIN,
  KH_FACT_AFTER_FIN,
  KH_FACT_AFTER_RST,
  KH_FACT_DOUBLE_NAT,
  KH_FACT_CARRIER_NAT,
  KH_FACT_IPV6,
  KH_FACT_IPV6_INBOUND,
  KH_FACT_VPN,
  KH_FACT_HOST_FIREWALL,
  KH_N_FACTS
} KhFact;

/**
 * KhFactNumber:
 * @KH_FACT_DELTA: from one sequential port to the next
 * @KH_FACT_PORT_LOW: the lowest outside port that was seen, where ports are not preserved
 * @KH_FACT_PORT_HIGH: the highest
 * @KH_FACT_IDLE_SECONDS: for how long a connection without packets was seen to stay
 * @KH_FACT_NAT_DEPTH: hops to the outermost NAT, 0 without one
 *
 * The facts that are a number.
 */
typedef enum
{
  KH_FACT_DELTA,
  KH_FACT_PORT_LOW,
  KH_FACT_PORT_HIGH,
  KH_FACT_IDLE_SECONDS,
  KH_FACT_NAT_DEPTH,
  KH_N_FACT_NUMBERS
} KhFactNumber;

#define KH_FACT_NUMBER_UNKNOWN G_MININT

/**
 * KhRouterProtocols:
 * @KH_ROUTER_NONE: it speaks none of them
 * @KH_ROUTER_UPNP: UPnP Internet Gateway Device
 * @KH_ROUTER_NAT_PMP: NAT-PMP (RFC 6886)
 * @KH_ROUTER_PCP: Port Control Protocol (RFC 6887)
 *
 * By what a router can be asked for a mapping.
 */
typedef enum
{
  KH_ROUTER_NONE = 0,
  KH_ROUTER_UPNP = 1 << 0,
  KH_ROUTER_NAT_PMP = 1 << 1,
  KH_ROUTER_PCP = 1 << 2,
} KhRouterProtocols;

#define KH_FACTS_ADDRESS_BYTES 46

/**
 * KhRouterFacts:
 * @asked: whether it was asked at all
 * @protocols: what answered
 * @external: the outside address that the router names, as text; empty if it names none
 */
typedef struct
{
  gboolean asked;
  KhRouterProtocols protocols;
  char external[KH_FACTS_ADDRESS_BYTES];
} KhRouterFacts;

/**
 * KhFacts:
 * @words: (array fixed-size=15): by #KhFact, a static string
 * @numbers: (array fixed-size=5): by #KhFactNumber, %KH_FACT_NUMBER_UNKNOWN where not measured
 * @router: what the router says of itself
 *
 * What is known about one side's network. A plain value.
 */
typedef struct
{
  const char *words[KH_N_FACTS];
  int numbers[KH_N_FACT_NUMBERS];
  KhRouterFacts router;
} KhFacts;

void        kh_facts_init      (KhFacts *self);
void        kh_facts_set       (KhFacts *self, KhFact fact, const char *word);
gboolean    kh_facts_is        (const KhFacts *self, KhFact fact, const char *word);
gboolean    kh_facts_knows     (const KhFacts *self, KhFact fact);
void        kh_facts_fill      (KhFacts *self, const KhFacts *other);
JsonObject *kh_facts_to_json   (const KhFacts *self);
gboolean    kh_facts_from_json (KhFacts *self, JsonObject *object, GError **error);

G_END_DECLS
