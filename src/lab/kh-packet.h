/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-ip.h"

G_BEGIN_DECLS

/* The largest packet a link carries, and how much room one needs. */
#define KH_PACKET_MAX 2048

/**
 * KhProtocol:
 *
 * What a router tells apart. Its values are those of the IP header; ICMP and ICMPv6 count as one.
 */
typedef enum
{
  KH_PROTOCOL_ICMP = 1,
  KH_PROTOCOL_TCP = 6,
  KH_PROTOCOL_UDP = 17,
} KhProtocol;

typedef enum
{
  KH_TCP_FIN = 0x01,
  KH_TCP_SYN = 0x02,
  KH_TCP_RST = 0x04,
  KH_TCP_PSH = 0x08,
  KH_TCP_ACK = 0x10,
  KH_TCP_URG = 0x20,
} KhTcpFlags;

/**
 * KhPacketKind:
 * @KH_PACKET_FLOW: TCP, UDP, or an ICMP echo: has two endpoints
 * @KH_PACKET_ERROR: an ICMP error: is about the flow that it quotes
 */
typedef enum
{
  KH_PACKET_FLOW,
  KH_PACKET_ERROR,
} KhPacketKind;

/**
 * KhPacket:
 * @data: the IP header and all that follows, not owned
 * @length: its bytes
 * @transport: where the header after IP's begins
 * @quote: where the quoted IP header begins, for an error
 * @protocol: for an error, that of the quoted packet
 * @source: who sent it; the quoted packet's endpoint for an error
 * @destination: likewise
 * @payload: bytes of TCP's payload
 * @window_scale: of a SYN's option (RFC 7323), -1 without one
 *
 * A packet that was looked at and found well-formed, with all its checksums right. Changing it through the functions below
 * keeps them so, and keeps this view true.
 */
typedef struct
{
  guint8 *data;
  gsize length;
  gsize transport;
  gsize quote;
  gboolean ipv6;
  KhPacketKind kind;
  KhProtocol protocol;
  guint8 ttl;
  KhEndpoint source;
  KhEndpoint destination;
  gboolean echo_request;
  guint8 tcp_flags;
  guint32 seq;
  guint32 ack;
  guint16 window;
  gsize payload;
  int window_scale;
} KhPacket;

gboolean kh_packet_parse           (KhPacket *self, guint8 *data, gsize length, const char **fault);
void     kh_packet_set_source      (KhPacket *self, const KhEndpoint *source);
void     kh_packet_set_destination (KhPacket *self, const KhEndpoint *destination);
void     kh_packet_decrement_ttl   (KhPacket *self);
void     kh_packet_get_sender      (const KhPacket *self, KhIp *sender);
void     kh_packet_get_receiver    (const KhPacket *self, KhIp *receiver);
void     kh_packet_set_sender      (KhPacket *self, const KhIp *sender);
void     kh_packet_set_receiver    (KhPacket *self, const KhIp *receiver);

G_END_DECLS
