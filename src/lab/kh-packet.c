/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-packet.h"

#include "kh-checksum.h"

#include <string.h>

#define V4_HEADER 20
#define V6_HEADER 40
#define TCP_HEADER 20
#define UDP_HEADER 8
#define ICMP_HEADER 8
#define NEXT_ICMPV6 58

enum
{
  ICMP4_ECHO_REPLY = 0,
  ICMP4_UNREACHABLE = 3,
  ICMP4_ECHO = 8,
  ICMP4_TIME_EXCEEDED = 11,
  ICMP4_PARAMETER = 12,
  ICMP6_UNREACHABLE = 1,
  ICMP6_PARAMETER = 4,
  ICMP6_ECHO = 128,
  ICMP6_ECHO_REPLY = 129,
};

/* What an IP header says; for the packet itself and for a quoted one. */
typedef struct
{
  gboolean ipv6;
  gsize header;
  gsize total;
  guint8 protocol;
  guint8 ttl;
  KhIp source;
  KhIp destination;
} IpHeader;

static gboolean
fail (const char **fault, const char *what)
{
  *fault = what;
  return FALSE;
}

static gboolean
read_v4 (IpHeader *ip, const guint8 *data, gsize length, const char **fault)
{
  if (length < V4_HEADER)
    return fail (fault, "truncated IP header");

  ip->header = (gsize) (data[0] & 0x0f) * 4;
  ip->total = kh_get16 (data + 2);
  if (ip->header < V4_HEADER || ip->header > length || ip->total < ip->header)
    return fail (fault, "IP header with wrong lengths");
  if (kh_checksum_finish (kh_checksum_add (0, data, ip->header)) != 0)
    return fail (fault, "wrong IP checksum");
  if ((kh_get16 (data + 6) & 0x3fff) != 0)
    return fail (fault, "fragment");

  ip->ttl = data[8];
  ip->protocol = data[9];
  ip->source = kh_ip_from_bytes (data + 12, 4);
  ip->destination = kh_ip_from_bytes (data + 16, 4);

  return TRUE;
}

static gboolean
read_v6 (IpHeader *ip, const guint8 *data, gsize length, const char **fault)
{
  if (length < V6_HEADER)
    return fail (fault, "truncated IP header");

  ip->ipv6 = TRUE;
  ip->header = V6_HEADER;
  ip->total = V6_HEADER + (gsize) kh_get16 (data + 4);
  ip->protocol = data[6] == NEXT_ICMPV6 ? KH_PROTOCOL_ICMP : data[6];
  ip->ttl = data[7];
  ip->source = kh_ip_from_bytes (data + 8, 16);
  ip->destination = kh_ip_from_bytes (data + 24, 16);
  /* Such an address names a machine of the other family: never on a wire (RFC 4942 section 2.2). */
  if (kh_ip_is_v4 (&ip->source) || kh_ip_is_v4 (&ip->destination))
    return fail (fault, "IPv6 address that stands for one of IPv4");

  return TRUE;
}

static gboolean
read_ip (IpHeader *ip, const guint8 *data, gsize length, const char **fault)
{
  memset (ip, 0, sizeof *ip);
  if (length == 0)
    return fail (fault, "empty packet");

  switch (data[0] >> 4)
    {
    case 4:
      return read_v4 (ip, data, length, fault);
    case 6:
      return read_v6 (ip, data, length, fault);
    default:
      return fail (fault, "neither IPv4 nor IPv6");
    }
}

static gboolean
checksum_is_right (const IpHeader *ip, const guint8 *transport, gsize length)
{
  guint8 number = ip->ipv6 && ip->protocol == KH_PROTOCOL_ICMP ? NEXT_ICMPV6 : ip->protocol;
  guint32 sum = 0;

  if (ip->ipv6 || ip->protocol != KH_PROTOCOL_ICMP)
    sum = kh_checksum_pseudo (&ip->source, &ip->destination, number, length);

  return kh_checksum_finish (kh_checksum_add (sum, transport, length)) == 0;
}

static void
read_window_scale (KhPacket *self, const guint8 *option, const guint8 *end)
{
  self->window_scale = -1;
  while (option < end && option[0] != 0)
    {
      gsize length = option[0] == 1 ? 1 : option + 1 < end ? option[1] : 0;

      if (length == 0 || length > (gsize) (end - option) || (option[0] != 1 && length < 2))
        return;
      if (option[0] == 3 && length == 3)
        self->window_scale = MIN (option[2], 14);
      option += length;
    }
}

static gboolean
read_tcp (KhPacket *self, gsize length, const char **fault)
{
  const guint8 *tcp = self->data + self->transport;
  gsize header;

  if (length < TCP_HEADER)
    return fail (fault, "truncated TCP header");
  header = (gsize) (tcp[12] >> 4) * 4;
  if (header < TCP_HEADER || header > length)
    return fail (fault, "TCP header with wrong length");

  self->source.port = kh_get16 (tcp);
  self->destination.port = kh_get16 (tcp + 2);
  self->seq = kh_get32 (tcp + 4);
  self->ack = kh_get32 (tcp + 8);
  self->tcp_flags = tcp[13] & 0x3f;
  self->window = kh_get16 (tcp + 14);
  self->payload = length - header;
  read_window_scale (self, tcp + TCP_HEADER, tcp + header);
  if (self->source.port == 0 || self->destination.port == 0)
    return fail (fault, "port 0");

  return TRUE;
}

static gboolean
read_udp (KhPacket *self, gsize length, const char **fault)
{
  const guint8 *udp = self->data + self->transport;

  if (length < UDP_HEADER)
    return fail (fault, "truncated UDP header");
  if (kh_get16 (udp + 4) != length)
    return fail (fault, "UDP header with wrong length");

  self->source.port = kh_get16 (udp);
  self->destination.port = kh_get16 (udp + 2);
  if (self->source.port == 0 || self->destination.port == 0)
    return fail (fault, "port 0");

  return TRUE;
}

/* What an error quotes: only the header and eight bytes after it have to be there (RFC 792). */
static gboolean
read_quote (KhPacket *self, gsize length, const char **fault)
{
  const guint8 *data = self->data + self->transport + ICMP_HEADER;
  IpHeader ip;
  const guint8 *transport;

  if (length < ICMP_HEADER || !read_ip (&ip, data, length - ICMP_HEADER, fault))
    return fail (fault, "ICMP error that quotes no packet");
  if (ip.ipv6 != self->ipv6 || length - ICMP_HEADER < ip.header + 8)
    return fail (fault, "ICMP error that quotes too little");

  transport = data + ip.header;
  self->kind = KH_PACKET_ERROR;
  self->quote = self->transport + ICMP_HEADER;
  self->protocol = ip.protocol;
  self->source = (KhEndpoint){ .ip = ip.source };
  self->destination = (KhEndpoint){ .ip = ip.destination };
  if (ip.protocol == KH_PROTOCOL_TCP || ip.protocol == KH_PROTOCOL_UDP)
    {
      self->source.port = kh_get16 (transport);
      self->destination.port = kh_get16 (transport + 2);
    }
  else if (ip.protocol == KH_PROTOCOL_ICMP)
    {
      self->echo_request = transport[0] == (ip.ipv6 ? ICMP6_ECHO : ICMP4_ECHO);
      if (self->echo_request)
        self->source.port = kh_get16 (transport + 4);
      else
        self->destination.port = kh_get16 (transport + 4);
    }
  else
    return fail (fault, "ICMP error about another protocol");

  return TRUE;
}

static gboolean
is_error (guint8 type, gboolean ipv6)
{
  if (ipv6)
    return type >= ICMP6_UNREACHABLE && type <= ICMP6_PARAMETER;

  return type == ICMP4_UNREACHABLE || type == ICMP4_TIME_EXCEEDED || type == ICMP4_PARAMETER;
}

static gboolean
read_icmp (KhPacket *self, gsize length, const char **fault)
{
  const guint8 *icmp = self->data + self->transport;

  if (length < ICMP_HEADER)
    return fail (fault, "truncated ICMP header");
  if (is_error (icmp[0], self->ipv6))
    return read_quote (self, length, fault);

  /* The identifier stands on the side of the one who asked, as a port would. */
  if (icmp[0] == (self->ipv6 ? ICMP6_ECHO : ICMP4_ECHO))
    {
      self->echo_request = TRUE;
      self->source.port = kh_get16 (icmp + 4);
    }
  else if (icmp[0] == (self->ipv6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY))
    self->destination.port = kh_get16 (icmp + 4);
  else
    return fail (fault, "ICMP of a kind that no router passes on");

  return TRUE;
}

/**
 * kh_packet_parse:
 * @self: (out): what was found
 * @data: a packet as it came, changed later through @self
 * @length: its bytes; what comes behind the packet's own length is left out
 * @fault: (out): why it was refused, a static text
 *
 * Looks at a packet. What a router could not handle is refused: fragments, truncated headers, wrong checksums, IPv6's
 * extension headers, protocols without ports.
 *
 * Returns: whether it is a packet that can be routed
 */
gboolean
kh_packet_parse (KhPacket *self, guint8 *data, gsize length, const char **fault)
{
  IpHeader ip;
  gsize rest;

  if (!read_ip (&ip, data, length, fault))
    return FALSE;
  if (ip.total > length)
    return fail (fault, "truncated packet");
  if (ip.protocol != KH_PROTOCOL_TCP && ip.protocol != KH_PROTOCOL_UDP && ip.protocol != KH_PROTOCOL_ICMP)
    return fail (fault, "neither TCP, UDP nor ICMP");

  rest = ip.total - ip.header;
  memset (self, 0, sizeof *self);
  self->data = data;
  self->length = ip.total;
  self->transport = ip.header;
  self->ipv6 = ip.ipv6;
  self->protocol = ip.protocol;
  self->ttl = ip.ttl;
  self->source.ip = ip.source;
  self->destination.ip = ip.destination;

  /* UDP over IPv4 may do without a checksum (RFC 768). */
  if (ip.protocol == KH_PROTOCOL_UDP && !ip.ipv6 && rest >= UDP_HEADER && kh_get16 (data + ip.header + 6) == 0)
    return read_udp (self, rest, fault);
  if (!checksum_is_right (&ip, data + ip.header, rest))
    return fail (fault, "wrong checksum");

  switch (self->protocol)
    {
    case KH_PROTOCOL_TCP:
      return read_tcp (self, rest, fault);
    case KH_PROTOCOL_UDP:
      return read_udp (self, rest, fault);
    default:
      return read_icmp (self, rest, fault);
    }
}

/* Where in a header of @ipv6 an address stands, and how long it is. */
static guint8 *
find_address (guint8 *ip, gboolean ipv6, gboolean source, gsize *length)
{
  *length = ipv6 ? 16 : 4;

  return ip + (ipv6 ? 8 : 12) + (source ? 0 : *length);
}

/* The checksum that covers a packet's ports and pseudo-header; NULL where there is none, or where a quote is too short. */
static guint8 *
find_checksum (const KhPacket *self, guint8 *transport, gsize room)
{
  gsize offset = self->protocol == KH_PROTOCOL_TCP ? 16 : self->protocol == KH_PROTOCOL_UDP ? 6 : 2;

  if (room < offset + 2)
    return NULL;
  if (self->protocol == KH_PROTOCOL_UDP && kh_get16 (transport + offset) == 0)
    return NULL;

  return transport + offset;
}

static void
replace (guint8 *at, const void *after, gsize length, guint8 *checksum, guint8 *other_checksum)
{
  if (checksum != NULL)
    kh_checksum_replace (checksum, at, after, length);
  if (other_checksum != NULL)
    kh_checksum_replace (other_checksum, at, after, length);
  memcpy (at, after, length);
}

static void
set_endpoint (KhPacket *self, gboolean source, const KhEndpoint *endpoint, const KhEndpoint *before)
{
  guint8 *ip = self->data + self->quote;
  gsize header = self->ipv6 ? V6_HEADER : (gsize) (ip[0] & 0x0f) * 4;
  guint8 *transport = ip + header;
  guint8 *checksum = find_checksum (self, transport, (gsize) (self->data + self->length - transport));
  gboolean icmp = self->protocol == KH_PROTOCOL_ICMP;
  gsize length;
  guint8 *address = find_address (ip, self->ipv6, source, &length);
  guint8 port[2];

  /* ICMP's own checksum of IPv4 covers no addresses. */
  replace (address, endpoint->ip.bytes + 16 - length, length, self->ipv6 ? NULL : ip + 10,
           icmp && !self->ipv6 ? NULL : checksum);
  if (endpoint->port != before->port)
    {
      kh_put16 (port, endpoint->port);
      replace (transport + (icmp ? 4 : source ? 0 : 2), port, 2, checksum, NULL);
    }

  /* Zero would mean: no checksum (RFC 768). */
  if (self->protocol == KH_PROTOCOL_UDP && checksum != NULL && kh_get16 (checksum) == 0)
    kh_put16 (checksum, 0xffff);
}

static void
renew_error_checksum (KhPacket *self)
{
  guint8 *icmp = self->data + self->transport;
  gsize length = self->length - self->transport;
  KhIp from, to;
  guint32 sum = 0;
  guint16 checksum;

  if (self->ipv6)
    {
      kh_packet_get_sender (self, &from);
      kh_packet_get_receiver (self, &to);
      sum = kh_checksum_pseudo (&from, &to, NEXT_ICMPV6, length);
    }
  kh_put16 (icmp + 2, 0);
  checksum = kh_checksum_finish (kh_checksum_add (sum, icmp, length));
  memcpy (icmp + 2, &checksum, sizeof checksum);
}

/**
 * kh_packet_set_source:
 * @self: a packet
 * @source: its new source; for ICMP, the port is the identifier
 *
 * Translates the source, of the quoted packet for an error.
 */
void
kh_packet_set_source (KhPacket *self, const KhEndpoint *source)
{
  set_endpoint (self, TRUE, source, &self->source);
  self->source = *source;
  if (self->kind == KH_PACKET_ERROR)
    renew_error_checksum (self);
}

/**
 * kh_packet_set_destination:
 * @self: a packet
 * @destination: its new destination
 *
 * Translates the destination, of the quoted packet for an error.
 */
void
kh_packet_set_destination (KhPacket *self, const KhEndpoint *destination)
{
  set_endpoint (self, FALSE, destination, &self->destination);
  self->destination = *destination;
  if (self->kind == KH_PACKET_ERROR)
    renew_error_checksum (self);
}

void
kh_packet_decrement_ttl (KhPacket *self)
{
  guint8 before[2], after[2];

  self->ttl--;
  if (self->ipv6)
    {
      self->data[7] = self->ttl;
      return;
    }

  memcpy (before, self->data + 8, sizeof before);
  after[0] = self->ttl;
  after[1] = before[1];
  replace (self->data + 8, after, sizeof after, self->data + 10, NULL);
}

static void
get_address (const KhPacket *self, gboolean source, KhIp *ip)
{
  gsize length;
  const guint8 *address = find_address (self->data, self->ipv6, source, &length);

  *ip = kh_ip_from_bytes (address, length);
}

/**
 * kh_packet_get_sender:
 * @self: a packet
 * @sender: (out): who sent this packet: not the quoted one
 */
void
kh_packet_get_sender (const KhPacket *self, KhIp *sender)
{
  get_address (self, TRUE, sender);
}

void
kh_packet_get_receiver (const KhPacket *self, KhIp *receiver)
{
  get_address (self, FALSE, receiver);
}

/* Of an error alone: the addresses on the envelope. */
static void
set_address (KhPacket *self, gboolean source, const KhIp *ip)
{
  gsize length;
  guint8 *address = find_address (self->data, self->ipv6, source, &length);

  g_return_if_fail (self->kind == KH_PACKET_ERROR);

  replace (address, ip->bytes + 16 - length, length, self->ipv6 ? NULL : self->data + 10, NULL);
  renew_error_checksum (self);
}

/**
 * kh_packet_set_sender:
 * @self: an error
 * @sender: who says so
 */
void
kh_packet_set_sender (KhPacket *self, const KhIp *sender)
{
  set_address (self, TRUE, sender);
}

/**
 * kh_packet_set_receiver:
 * @self: an error
 * @receiver: whom it is told
 */
void
kh_packet_set_receiver (KhPacket *self, const KhIp *receiver)
{
  set_address (self, FALSE, receiver);
}
