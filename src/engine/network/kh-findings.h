/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-facts.h"

G_BEGIN_DECLS

/**
 * KhFinding:
 *
 * What a network check looks for, in the order in which it is shown. Most are one fact each; %KH_FINDING_ALLOCATION
 * stands for the ports that were seen as well.
 */
typedef enum
{
  KH_FINDING_MAPPING,
  KH_FINDING_FILTERING,
  KH_FINDING_ALLOCATION,
  KH_FINDING_STRANGER,
  KH_FINDING_SIMULTANEOUS_OPEN,
  KH_FINDING_BARE_SYN,
  KH_FINDING_HAIRPIN,
  KH_FINDING_AFTER_FIN,
  KH_FINDING_AFTER_RST,
  KH_FINDING_IDLE,
  KH_FINDING_NAT_DEPTH,
  KH_FINDING_DOUBLE_NAT,
  KH_FINDING_CARRIER_NAT,
  KH_FINDING_ROUTER,
  KH_FINDING_IPV6,
  KH_FINDING_IPV6_INBOUND,
  KH_FINDING_VPN,
  KH_FINDING_HOST_FIREWALL,
  KH_N_FINDINGS
} KhFinding;

/**
 * KhReason:
 * @KH_REASON_KNOWN: it is known
 * @KH_REASON_NOT_YET: its test is not over
 * @KH_REASON_NOT_ASKED: its test was not asked for
 * @KH_REASON_NO_SERVER: no STUN server answered
 * @KH_REASON_OFFLINE: no STUN server answered, and this computer is in no network
 * @KH_REASON_NO_DIAL_BACK: the server does not dial back
 * @KH_REASON_ONE_ADDRESS: the server has one address only, and there is no other server
 * @KH_REASON_SERVER_LIMIT: the server refused to dial so often
 * @KH_REASON_SERVER_SILENT: the server gave no answer, or closed
 * @KH_REASON_CONTRADICTION: the server says that it connected, and nothing came
 * @KH_REASON_NO_NAT: there is no NAT whose behaviour this could be
 * @KH_REASON_MAPPING_DIFFERS: every destination sees another port, so nobody can aim at the hole
 * @KH_REASON_AMBIGUOUS: what was seen fits more than one answer
 * @KH_REASON_KEPT_OUT: nobody got in from outside, which may be the router's doing or this computer's
 * @KH_REASON_NO_ICMP: the routers on the way do not answer
 * @KH_REASON_NO_GATEWAY: there is no router that could be asked
 * @KH_REASON_NO_IPV6: there is no IPv6 address
 * @KH_REASON_NO_IPV6_SERVER: there is no server with IPv6 to ask
 * @KH_REASON_NETWORK_CHANGED: the network changed meanwhile
 * @KH_REASON_LOCAL: this computer could not do it: no port, no socket
 * @KH_REASON_STOPPED: the check was stopped before
 *
 * Why something is not known.
 */
typedef enum
{
  KH_REASON_KNOWN,
  KH_REASON_NOT_YET,
  KH_REASON_NOT_ASKED,
  KH_REASON_NO_SERVER,
  KH_REASON_OFFLINE,
  KH_REASON_NO_DIAL_BACK,
  KH_REASON_ONE_ADDRESS,
  KH_REASON_SERVER_LIMIT,
  KH_REASON_SERVER_SILENT,
  KH_REASON_CONTRADICTION,
  KH_REASON_NO_NAT,
  KH_REASON_MAPPING_DIFFERS,
  KH_REASON_AMBIGUOUS,
  KH_REASON_KEPT_OUT,
  KH_REASON_NO_ICMP,
  KH_REASON_NO_GATEWAY,
  KH_REASON_NO_IPV6,
  KH_REASON_NO_IPV6_SERVER,
  KH_REASON_NETWORK_CHANGED,
  KH_REASON_LOCAL,
  KH_REASON_STOPPED,
  KH_N_REASONS
} KhReason;

/**
 * KhFindings:
 * @facts: what is known
 * @reasons: (array fixed-size=18): by #KhFinding, why it is not
 *
 * What a network check has found so far. A plain value.
 */
typedef struct
{
  KhFacts facts;
  KhReason reasons[KH_N_FINDINGS];
} KhFindings;

void        kh_findings_init       (KhFindings *self);
void        kh_findings_tidy       (KhFindings *self);
const char *kh_finding_name        (KhFinding finding);
const char *kh_reason_name         (KhReason reason);
JsonObject *kh_findings_to_reasons (const KhFindings *self);

G_END_DECLS
