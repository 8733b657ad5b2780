/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-ip.h"

#include <arpa/inet.h>
#include <string.h>

static const guint8 v4_prefix[12] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff };

gboolean
kh_ip_is_v4 (const KhIp *self)
{
  return memcmp (self->bytes, v4_prefix, sizeof v4_prefix) == 0;
}

/**
 * kh_ip_from_bytes:
 * @bytes: an address as it stands in a packet
 * @length: 4 or 16
 *
 * Returns: the address
 */
KhIp
kh_ip_from_bytes (const guint8 *bytes, gsize length)
{
  KhIp self = { 0 };

  if (length == 4)
    memcpy (self.bytes, v4_prefix, sizeof v4_prefix);
  memcpy (self.bytes + 16 - length, bytes, length);

  return self;
}

/**
 * kh_ip_parse:
 * @self: (out): where the address goes
 * @text: an address of either family
 *
 * Returns: whether it was one
 */
gboolean
kh_ip_parse (KhIp *self, const char *text)
{
  guint8 bytes[16];

  if (inet_pton (AF_INET, text, bytes) == 1)
    *self = kh_ip_from_bytes (bytes, 4);
  else if (inet_pton (AF_INET6, text, bytes) == 1)
    *self = kh_ip_from_bytes (bytes, 16);
  else
    return FALSE;

  return TRUE;
}

/**
 * kh_ip_from_text:
 * @text: an address that is known to be one: a constant of ours
 *
 * Returns: the address
 */
KhIp
kh_ip_from_text (const char *text)
{
  KhIp self = { 0 };
  gboolean parsed = kh_ip_parse (&self, text);

  g_assert (parsed);
  return self;
}

/**
 * kh_ip_plus:
 * @self: an address
 * @add: how many addresses further
 *
 * Returns: an address further on; it does not go beyond the last 32 bits
 */
KhIp
kh_ip_plus (const KhIp *self, guint add)
{
  KhIp sum = *self;
  guint32 low;

  memcpy (&low, sum.bytes + 12, sizeof low);
  low = htonl (ntohl (low) + add);
  memcpy (sum.bytes + 12, &low, sizeof low);

  return sum;
}

gboolean
kh_ip_equal (const KhIp *self, const KhIp *other)
{
  return memcmp (self, other, sizeof *self) == 0;
}

/**
 * kh_ip_is_within:
 * @self: an address
 * @network: where a network begins
 * @prefix: the network's prefix length in bits, counted within its family
 *
 * Returns: whether the address is of that network
 */
gboolean
kh_ip_is_within (const KhIp *self, const KhIp *network, guint prefix)
{
  guint bits = kh_ip_is_v4 (network) ? 96 + prefix : prefix;
  guint whole = bits / 8;
  guint8 mask = (guint8) (0xff00 >> bits % 8);

  if (memcmp (self->bytes, network->bytes, whole) != 0)
    return FALSE;

  return whole == 16 || ((self->bytes[whole] ^ network->bytes[whole]) & mask) == 0;
}

/**
 * kh_ip_to_text:
 * @self: an address
 * @text: room for its text
 *
 * Returns: @text
 */
const char *
kh_ip_to_text (const KhIp *self, char text[KH_IP_TEXT_SIZE])
{
  gboolean v4 = kh_ip_is_v4 (self);

  inet_ntop (v4 ? AF_INET : AF_INET6, self->bytes + (v4 ? 12 : 0), text, KH_IP_TEXT_SIZE);

  return text;
}

gboolean
kh_endpoint_equal (const KhEndpoint *self, const KhEndpoint *other)
{
  return self->port == other->port && kh_ip_equal (&self->ip, &other->ip);
}

guint
kh_endpoint_hash (const KhEndpoint *self)
{
  guint32 words[4];

  memcpy (words, self->ip.bytes, sizeof words);

  return (words[0] ^ words[1] * 31 ^ words[2] * 37 ^ words[3]) * 2654435761u + self->port * 40503u;
}

/**
 * kh_endpoint_format:
 *
 * Returns: (transfer full): `address:port`, `[v6]:port`
 */
char *
kh_endpoint_format (const KhEndpoint *self)
{
  char text[KH_IP_TEXT_SIZE];

  kh_ip_to_text (&self->ip, text);

  return g_strdup_printf (kh_ip_is_v4 (&self->ip) ? "%s:%u" : "[%s]:%u", text, self->port);
}
