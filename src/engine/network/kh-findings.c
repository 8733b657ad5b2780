/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-findings.h"

/**
 * kh_findings_init:
 * @self: (out caller-allocates): nothing is known, all tests are to come
 */
void
kh_findings_init (KhFindings *self)
{
  kh_facts_init (&self->facts);
  for (int i = 0; i < KH_N_FINDINGS; i++)
    self->reasons[i] = KH_REASON_NOT_YET;
}

static void
forget_ports (KhFacts *facts)
{
  facts->numbers[KH_FACT_DELTA] = KH_FACT_NUMBER_UNKNOWN;
  facts->numbers[KH_FACT_PORT_LOW] = KH_FACT_NUMBER_UNKNOWN;
  facts->numbers[KH_FACT_PORT_HIGH] = KH_FACT_NUMBER_UNKNOWN;
}

/**
 * kh_findings_tidy:
 *
 * Forgets each fact for which there is a reason not to know it: what a test had seen before it was broken off.
 */
void
kh_findings_tidy (KhFindings *self)
{
  static const struct
  {
    KhFinding finding;
    KhFact fact;
  } words[] = {
    { KH_FINDING_MAPPING, KH_FACT_MAPPING },
    { KH_FINDING_FILTERING, KH_FACT_FILTERING },
    { KH_FINDING_ALLOCATION, KH_FACT_ALLOCATION },
    { KH_FINDING_STRANGER, KH_FACT_STRANGER },
    { KH_FINDING_SIMULTANEOUS_OPEN, KH_FACT_SIMULTANEOUS_OPEN },
    { KH_FINDING_BARE_SYN, KH_FACT_BARE_SYN },
    { KH_FINDING_HAIRPIN, KH_FACT_HAIRPIN },
    { KH_FINDING_AFTER_FIN, KH_FACT_AFTER_FIN },
    { KH_FINDING_AFTER_RST, KH_FACT_AFTER_RST },
    { KH_FINDING_DOUBLE_NAT, KH_FACT_DOUBLE_NAT },
    { KH_FINDING_CARRIER_NAT, KH_FACT_CARRIER_NAT },
    { KH_FINDING_IPV6, KH_FACT_IPV6 },
    { KH_FINDING_IPV6_INBOUND, KH_FACT_IPV6_INBOUND },
    { KH_FINDING_VPN, KH_FACT_VPN },
    { KH_FINDING_HOST_FIREWALL, KH_FACT_HOST_FIREWALL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (self->reasons[words[i].finding] != KH_REASON_KNOWN)
      kh_facts_set (&self->facts, words[i].fact, "unknown");
  if (self->reasons[KH_FINDING_ALLOCATION] != KH_REASON_KNOWN)
    forget_ports (&self->facts);
  if (self->reasons[KH_FINDING_IDLE] != KH_REASON_KNOWN)
    self->facts.numbers[KH_FACT_IDLE_SECONDS] = KH_FACT_NUMBER_UNKNOWN;
  if (self->reasons[KH_FINDING_NAT_DEPTH] != KH_REASON_KNOWN)
    self->facts.numbers[KH_FACT_NAT_DEPTH] = KH_FACT_NUMBER_UNKNOWN;
  if (self->reasons[KH_FINDING_ROUTER] != KH_REASON_KNOWN)
    self->facts.router = (KhRouterFacts){ FALSE, KH_ROUTER_NONE, "" };
}

/**
 * kh_finding_name:
 *
 * Returns: the name of the fact in JSON
 */
const char *
kh_finding_name (KhFinding finding)
{
  static const char *const names[KH_N_FINDINGS] = {
    [KH_FINDING_MAPPING] = "mapping",
    [KH_FINDING_FILTERING] = "filtering",
    [KH_FINDING_ALLOCATION] = "allocation",
    [KH_FINDING_STRANGER] = "stranger",
    [KH_FINDING_SIMULTANEOUS_OPEN] = "simultaneous_open",
    [KH_FINDING_BARE_SYN] = "bare_syn",
    [KH_FINDING_HAIRPIN] = "hairpin",
    [KH_FINDING_AFTER_FIN] = "after_fin",
    [KH_FINDING_AFTER_RST] = "after_rst",
    [KH_FINDING_IDLE] = "idle_seconds",
    [KH_FINDING_NAT_DEPTH] = "nat_depth",
    [KH_FINDING_DOUBLE_NAT] = "double_nat",
    [KH_FINDING_CARRIER_NAT] = "carrier_nat",
    [KH_FINDING_ROUTER] = "router",
    [KH_FINDING_IPV6] = "ipv6",
    [KH_FINDING_IPV6_INBOUND] = "ipv6_inbound",
    [KH_FINDING_VPN] = "vpn",
    [KH_FINDING_HOST_FIREWALL] = "host_firewall",
  };

  g_return_val_if_fail (finding < KH_N_FINDINGS, NULL);

  return names[finding];
}

/**
 * kh_reason_name:
 *
 * Returns: a word for programs, such as "no-dial-back"
 */
const char *
kh_reason_name (KhReason reason)
{
  static const char *const names[KH_N_REASONS] = {
    [KH_REASON_KNOWN] = "known",
    [KH_REASON_NOT_YET] = "not-yet",
    [KH_REASON_NOT_ASKED] = "not-asked",
    [KH_REASON_NO_SERVER] = "no-server",
    [KH_REASON_OFFLINE] = "offline",
    [KH_REASON_NO_DIAL_BACK] = "no-dial-back",
    [KH_REASON_ONE_ADDRESS] = "one-address",
    [KH_REASON_SERVER_LIMIT] = "server-limit",
    [KH_REASON_SERVER_SILENT] = "server-silent",
    [KH_REASON_CONTRADICTION] = "contradiction",
    [KH_REASON_NO_NAT] = "no-nat",
    [KH_REASON_MAPPING_DIFFERS] = "mapping-differs",
    [KH_REASON_AMBIGUOUS] = "ambiguous",
    [KH_REASON_KEPT_OUT] = "kept-out",
    [KH_REASON_NO_ICMP] = "no-icmp",
    [KH_REASON_NO_GATEWAY] = "no-gateway",
    [KH_REASON_NO_IPV6] = "no-ipv6",
    [KH_REASON_NO_IPV6_SERVER] = "no-ipv6-server",
    [KH_REASON_NETWORK_CHANGED] = "network-changed",
    [KH_REASON_LOCAL] = "local",
    [KH_REASON_STOPPED] = "stopped",
  };

  g_return_val_if_fail (reason < KH_N_REASONS, NULL);

  return names[reason];
}

/**
 * kh_findings_to_reasons:
 *
 * Returns: (transfer full): for each fact that is not known, its name and the reason
 */
JsonObject *
kh_findings_to_reasons (const KhFindings *self)
{
  JsonObject *object = json_object_new ();

  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (self->reasons[i] != KH_REASON_KNOWN)
      json_object_set_string_member (object, kh_finding_name (i), kh_reason_name (self->reasons[i]));

  return object;
}
