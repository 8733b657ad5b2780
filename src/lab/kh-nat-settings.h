/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhNatDependence:
 * @KH_NAT_ENDPOINT_INDEPENDENT: on nothing
 * @KH_NAT_ADDRESS_DEPENDENT: on the remote address
 * @KH_NAT_ADDRESS_AND_PORT_DEPENDENT: on the remote address and port
 * @KH_NAT_NONE: as a mapping: there is none, addresses pass as they are
 *
 * What a mapping or a filter depends on (RFC 4787 sections 4.1 and 5, RFC 5382 for TCP).
 */
typedef enum
{
  KH_NAT_ENDPOINT_INDEPENDENT,
  KH_NAT_ADDRESS_DEPENDENT,
  KH_NAT_ADDRESS_AND_PORT_DEPENDENT,
  KH_NAT_NONE,
} KhNatDependence;

/**
 * KhNatPorts:
 * @KH_NAT_PRESERVING: the inside port, if it is free (RFC 4787 section 4.2.1)
 * @KH_NAT_SEQUENTIAL: the last one plus a step
 * @KH_NAT_RANDOM: any of a range
 * @KH_NAT_BLOCK: any of a small block, one for each inside address (RFC 7422)
 */
typedef enum
{
  KH_NAT_PRESERVING,
  KH_NAT_SEQUENTIAL,
  KH_NAT_RANDOM,
  KH_NAT_BLOCK,
} KhNatPorts;

/**
 * KhNatStranger:
 *
 * What a SYN gets that no rule lets in (RFC 5382 REQ-4). With the ICMP answer it is "communication administratively
 * prohibited" (RFC 1812 section 5.2.7.1).
 */
typedef enum
{
  KH_NAT_SILENT,
  KH_NAT_RST,
  KH_NAT_ICMP,
} KhNatStranger;

/**
 * KhNatIpv6:
 *
 * Whether there is IPv6, and if so, whether only what was asked for comes in (RFC 6092) or everything.
 */
typedef enum
{
  KH_NAT_IPV6_NONE,
  KH_NAT_IPV6_FIREWALL,
  KH_NAT_IPV6_OPEN,
} KhNatIpv6;

#define KH_NAT_MAX_FORWARDS 8
#define KH_NAT_MAX_ADDRESSES 16

/**
 * KhNatSettings:
 * @name: the profile it began as
 * @mapping: what an outside port is kept for
 * @filtering: who may send to it
 * @ports: how outside ports are chosen
 * @next_on_collision: a preserved port that is taken becomes the next free one, not a random one
 * @overload: one outside port may serve several mappings, as long as their remote endpoints differ
 * @delta: step of sequential ports, not 0
 * @port_low: first of the outside ports that are not preserved
 * @port_high: last of them
 * @block_size: ports of a block
 * @stranger: what a stranger's SYN gets
 * @bare_syn: whether a SYN from outside passes an open hole (else only a SYN-ACK does)
 * @hairpin: whether inside hosts reach one another by outside addresses (RFC 5382 REQ-8)
 * @strict: sequence numbers and states are checked as Linux does
 * @expired: whether ICMP time exceeded is sent
 * @fin_seconds: how long a session lives after both FINs, 0: not at all
 * @rst_seconds: how long after an RST
 * @idle_seconds: how long an established one without packets
 * @syn_seconds: how long an unanswered SYN
 * @udp_seconds: how long UDP and ICMP queries
 * @udp_stream_seconds: how long UDP that was answered, and is older than two seconds
 * @limit: mappings at once
 * @addresses: outside addresses
 * @paired: an inside address keeps to one of them (RFC 4787 REQ-2)
 * @forwards: outside ports that always lead to the same port of the first inside host
 * @n_forwards: how many
 *
 * All that makes one router differ from another.
 */
typedef struct
{
  char name[32];
  KhNatDependence mapping;
  KhNatDependence filtering;
  KhNatPorts ports;
  gboolean next_on_collision;
  gboolean overload;
  int delta;
  guint16 port_low;
  guint16 port_high;
  guint block_size;
  KhNatStranger stranger;
  gboolean bare_syn;
  gboolean hairpin;
  gboolean strict;
  gboolean expired;
  guint fin_seconds;
  guint rst_seconds;
  guint idle_seconds;
  guint syn_seconds;
  guint udp_seconds;
  guint udp_stream_seconds;
  guint limit;
  guint addresses;
  gboolean paired;
  guint16 forwards[KH_NAT_MAX_FORWARDS];
  guint n_forwards;
  KhNatIpv6 ipv6;
} KhNatSettings;

gboolean    kh_nat_settings_set         (KhNatSettings *self, const char *key, const char *value, GError **error);
const char *kh_nat_settings_get_columns (void);
char       *kh_nat_settings_describe    (const KhNatSettings *self);

G_END_DECLS
