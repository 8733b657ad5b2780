/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhIp:
 *
 * An address of either family, in network order: IPv4 as ::ffff:a.b.c.d (RFC 4291 section 2.5.5.2), so that one type will do.
 */
typedef struct
{
  guint8 bytes[16];
} KhIp;

/**
 * KhEndpoint:
 * @ip: an address
 * @port: a port in host order; the identifier for an ICMP query (RFC 5508 section 3.1), else 0 for ICMP
 */
typedef struct
{
  KhIp ip;
  guint16 port;
} KhEndpoint;

#define KH_IP_TEXT_SIZE 48

gboolean    kh_ip_parse        (KhIp *self, const char *text);
KhIp        kh_ip_from_text    (const char *text);
KhIp        kh_ip_from_bytes   (const guint8 *bytes, gsize length);
KhIp        kh_ip_plus         (const KhIp *self, guint add);
gboolean    kh_ip_is_v4        (const KhIp *self);
gboolean    kh_ip_equal        (const KhIp *self, const KhIp *other);
gboolean    kh_ip_is_within    (const KhIp *self, const KhIp *network, guint prefix);
const char *kh_ip_to_text      (const KhIp *self, char text[KH_IP_TEXT_SIZE]);
gboolean    kh_endpoint_equal  (const KhEndpoint *self, const KhEndpoint *other);
guint       kh_endpoint_hash   (const KhEndpoint *self);
char       *kh_endpoint_format (const KhEndpoint *self);

G_END_DECLS
