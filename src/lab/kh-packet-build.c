/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-packet-build.h"

#include "kh-checksum.h"

#include <string.h>

#define V4_HEADER 20
#define V6_HEADER 40
#define NEXT_ICMPV6 58
#define DEFAULT_TTL 64
/* An error never makes more than the smallest packet that everybody takes (RFC 4443 section 2.4; RFC 1812 section 4.3.2.3
 * says 576 for IPv4). */
#define MAX_QUOTE 512

/* Room behind the IP header, and how long it is. */
static guint8 *
begin (guint8 *room, gboolean ipv6)
{
  memset (room, 0, V6_HEADER + 64);

  return room + (ipv6 ? V6_HEADER : V4_HEADER);
}

static void
write_ip (guint8 *room, const KhIp *source, const KhIp *destination, KhProtocol protocol, guint8 ttl, gsize rest)
{
  guint16 checksum;

  if (kh_ip_is_v4 (source))
    {
      room[0] = 0x45;
      kh_put16 (room + 2, (guint16) (V4_HEADER + rest));
      room[6] = 0x40; /* do not fragment */
      room[8] = ttl;
      room[9] = protocol;
      memcpy (room + 12, source->bytes + 12, 4);
      memcpy (room + 16, destination->bytes + 12, 4);
      checksum = kh_checksum_finish (kh_checksum_add (0, room, V4_HEADER));
      memcpy (room + 10, &checksum, sizeof checksum);
      return;
    }

  room[0] = 0x60;
  kh_put16 (room + 4, (guint16) rest);
  room[6] = protocol == KH_PROTOCOL_ICMP ? NEXT_ICMPV6 : protocol;
  room[7] = ttl;
  memcpy (room + 8, source->bytes, 16);
  memcpy (room + 24, destination->bytes, 16);
}

/* Writes the IP header before @rest bytes whose checksum stands at @offset. */
static gsize
finish (guint8 *room, const KhIp *source, const KhIp *destination, KhProtocol protocol, guint8 ttl, gsize rest,
        gsize offset)
{
  gboolean ipv6 = !kh_ip_is_v4 (source);
  gsize header = ipv6 ? V6_HEADER : V4_HEADER;
  guint8 *transport = room + header;
  guint32 sum = 0;
  guint16 checksum;

  g_assert (header + rest <= KH_PACKET_MAX);

  if (ipv6 || protocol != KH_PROTOCOL_ICMP)
    sum = kh_checksum_pseudo (source, destination, ipv6 && protocol == KH_PROTOCOL_ICMP ? NEXT_ICMPV6 : protocol, rest);
  checksum = kh_checksum_finish (kh_checksum_add (sum, transport, rest));
  if (protocol == KH_PROTOCOL_UDP && checksum == 0)
    checksum = 0xffff;
  memcpy (transport + offset, &checksum, sizeof checksum);
  write_ip (room, source, destination, protocol, ttl != 0 ? ttl : DEFAULT_TTL, rest);

  return header + rest;
}

/**
 * kh_packet_build_tcp:
 * @room: %KH_PACKET_MAX bytes
 * @source: whose segment it is
 * @destination: for whom
 * @fields: all the rest
 *
 * Returns: the packet's length
 */
gsize
kh_packet_build_tcp (guint8 *room, const KhEndpoint *source, const KhEndpoint *destination, const KhTcpFields *fields)
{
  guint8 *tcp = begin (room, !kh_ip_is_v4 (&source->ip));
  gsize header = 20;

  if (fields->flags & KH_TCP_SYN && fields->window_scale >= 0)
    {
      const guint8 option[4] = { 3, 3, (guint8) fields->window_scale, 0 };

      memcpy (tcp + header, option, sizeof option);
      header += sizeof option;
    }

  kh_put16 (tcp, source->port);
  kh_put16 (tcp + 2, destination->port);
  kh_put32 (tcp + 4, fields->seq);
  kh_put32 (tcp + 8, fields->ack);
  tcp[12] = (guint8) (header / 4 << 4);
  tcp[13] = fields->flags;
  kh_put16 (tcp + 14, fields->window);
  if (fields->length > 0)
    memcpy (tcp + header, fields->payload, fields->length);

  return finish (room, &source->ip, &destination->ip, KH_PROTOCOL_TCP, fields->ttl, header + fields->length, 16);
}

gsize
kh_packet_build_udp (guint8 *room, const KhEndpoint *source, const KhEndpoint *destination, guint8 ttl,
                     const void *payload, gsize length)
{
  guint8 *udp = begin (room, !kh_ip_is_v4 (&source->ip));

  kh_put16 (udp, source->port);
  kh_put16 (udp + 2, destination->port);
  kh_put16 (udp + 4, (guint16) (8 + length));
  if (length > 0)
    memcpy (udp + 8, payload, length);

  return finish (room, &source->ip, &destination->ip, KH_PROTOCOL_UDP, ttl, 8 + length, 6);
}

gsize
kh_packet_build_echo (guint8 *room, const KhIp *source, const KhIp *destination, gboolean request, guint16 id,
                      guint16 sequence, guint8 ttl)
{
  gboolean ipv6 = !kh_ip_is_v4 (source);
  guint8 *icmp = begin (room, ipv6);

  icmp[0] = ipv6 ? (request ? 128 : 129) : (request ? 8 : 0);
  kh_put16 (icmp + 4, id);
  kh_put16 (icmp + 6, sequence);

  return finish (room, source, destination, KH_PROTOCOL_ICMP, ttl, 8, 2);
}

/**
 * kh_packet_build_rst:
 * @room: %KH_PACKET_MAX bytes
 * @cause: a TCP packet that nobody wants, not a reset itself
 *
 * Refuses, as a host without a listener would (RFC 9293 section 3.5.2).
 *
 * Returns: the packet's length
 */
gsize
kh_packet_build_rst (guint8 *room, const KhPacket *cause)
{
  KhTcpFields fields = { .flags = KH_TCP_RST, .window_scale = -1 };
  guint32 length =
      (guint32) cause->payload + ((cause->tcp_flags & KH_TCP_SYN) != 0) + ((cause->tcp_flags & KH_TCP_FIN) != 0);

  if (cause->tcp_flags & KH_TCP_ACK)
    fields.seq = cause->ack;
  else
    {
      fields.flags |= KH_TCP_ACK;
      fields.ack = cause->seq + length;
    }

  return kh_packet_build_tcp (room, &cause->destination, &cause->source, &fields);
}

static void
write_error (guint8 *icmp, KhIcmpError error, gboolean ipv6)
{
  static const guint8 v4[][2] = {
    [KH_ICMP_TIME_EXCEEDED] = { 11, 0 },   [KH_ICMP_NET_UNREACHABLE] = { 3, 0 }, [KH_ICMP_HOST_UNREACHABLE] = { 3, 1 },
    [KH_ICMP_PORT_UNREACHABLE] = { 3, 3 }, [KH_ICMP_PROHIBITED] = { 3, 13 },
  };
  static const guint8 v6[][2] = {
    [KH_ICMP_TIME_EXCEEDED] = { 3, 0 },    [KH_ICMP_NET_UNREACHABLE] = { 1, 0 }, [KH_ICMP_HOST_UNREACHABLE] = { 1, 3 },
    [KH_ICMP_PORT_UNREACHABLE] = { 1, 4 }, [KH_ICMP_PROHIBITED] = { 1, 1 },
  };

  memcpy (icmp, ipv6 ? v6[error] : v4[error], 2);
}

/**
 * kh_packet_build_error:
 * @room: %KH_PACKET_MAX bytes
 * @router: who says so
 * @error: what it says
 * @cause: about which packet; no error itself
 *
 * Returns: the packet's length
 */
gsize
kh_packet_build_error (guint8 *room, const KhIp *router, KhIcmpError error, const KhPacket *cause)
{
  guint8 *icmp = begin (room, cause->ipv6);
  gsize quote = MIN (cause->length, MAX_QUOTE);
  KhIp sender;

  write_error (icmp, error, cause->ipv6);
  memcpy (icmp + 8, cause->data, quote);
  kh_packet_get_sender (cause, &sender);

  return finish (room, router, &sender, KH_PROTOCOL_ICMP, 0, 8 + quote, 2);
}

/**
 * kh_packet_build_echo_reply:
 * @room: %KH_PACKET_MAX bytes
 * @request: an echo request
 *
 * Returns: the packet's length
 */
gsize
kh_packet_build_echo_reply (guint8 *room, const KhPacket *request)
{
  gsize rest = request->length - request->transport;
  guint8 *icmp = begin (room, request->ipv6);

  memcpy (icmp, request->data + request->transport, rest);
  icmp[0] = request->ipv6 ? 129 : 0;
  icmp[2] = icmp[3] = 0;

  return finish (room, &request->destination.ip, &request->source.ip, KH_PROTOCOL_ICMP, 0, rest, 2);
}
