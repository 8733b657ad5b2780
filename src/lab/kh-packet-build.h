/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-packet.h"

G_BEGIN_DECLS

/**
 * KhTcpFields:
 * @flags: of KhTcpFlags
 * @ttl: 0 for 64
 * @window_scale: -1 for none; an option of a SYN
 *
 * What a TCP packet is built from, beside its endpoints.
 */
typedef struct
{
  guint8 flags;
  guint8 ttl;
  guint32 seq;
  guint32 ack;
  guint16 window;
  int window_scale;
  const void *payload;
  gsize length;
} KhTcpFields;

/**
 * KhIcmpError:
 *
 * The errors that routers send (RFC 792, RFC 1812 section 5.2.7, RFC 4443).
 */
typedef enum
{
  KH_ICMP_TIME_EXCEEDED,
  KH_ICMP_NET_UNREACHABLE,
  KH_ICMP_HOST_UNREACHABLE,
  KH_ICMP_PORT_UNREACHABLE,
  KH_ICMP_PROHIBITED,
} KhIcmpError;

gsize kh_packet_build_tcp        (guint8 *room, const KhEndpoint *source, const KhEndpoint *destination,
                                  const KhTcpFields *fields);
gsize kh_packet_build_udp        (guint8 *room, const KhEndpoint *source, const KhEndpoint *destination, guint8 ttl,
                                  const void *payload, gsize length);
gsize kh_packet_build_echo       (guint8 *room, const KhIp *source, const KhIp *destination, gboolean request, guint16 id,
                                  guint16 sequence, guint8 ttl);
gsize kh_packet_build_rst        (guint8 *room, const KhPacket *cause);
gsize kh_packet_build_error      (guint8 *room, const KhIp *router, KhIcmpError error, const KhPacket *cause);
gsize kh_packet_build_echo_reply (guint8 *room, const KhPacket *request);

G_END_DECLS
