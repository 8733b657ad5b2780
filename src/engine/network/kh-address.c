/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"

#include <string.h>

/**
 * kh_address_to_text:
 * @address: an IPv4 or IPv6 socket address
 *
 * Returns: (transfer full): `address:port` or `[v6]:port`
 */
char *
kh_address_to_text (GSocketAddress *address)
{
  GInetSocketAddress *inet = G_INET_SOCKET_ADDRESS (address);
  GInetAddress *ip = g_inet_socket_address_get_address (inet);
  g_autofree char *host = g_inet_address_to_string (ip);
  gboolean is_v6 = g_inet_address_get_family (ip) == G_SOCKET_FAMILY_IPV6;

  return g_strdup_printf (is_v6 ? "[%s]:%u" : "%s:%u", host, g_inet_socket_address_get_port (inet));
}

/**
 * kh_address_new:
 * @ip: an address in numbers, without brackets
 * @port: a port
 *
 * Returns: (transfer full) (nullable): the socket address, or %NULL when @ip is not an address
 */
GInetSocketAddress *
kh_address_new (const char *ip, guint16 port)
{
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (ip);

  return address != NULL ? G_INET_SOCKET_ADDRESS (g_inet_socket_address_new (address, port)) : NULL;
}

/**
 * kh_address_from_text:
 * @text: `address:port` or `[v6]:port`, in numbers
 *
 * Returns: (transfer full) (nullable): the socket address, or %NULL when @text is none
 */
GInetSocketAddress *
kh_address_from_text (const char *text)
{
  const char *colon = strrchr (text, ':');
  g_autofree char *host = NULL;
  guint64 port;

  if (colon == NULL || !g_ascii_string_to_unsigned (colon + 1, 10, 0, G_MAXUINT16, &port, NULL))
    return NULL;

  if (text[0] == '[' && colon > text + 1 && colon[-1] == ']')
    host = g_strndup (text + 1, colon - text - 2);
  else if (memchr (text, ':', colon - text) == NULL)
    host = g_strndup (text, colon - text);
  else
    return NULL;

  return kh_address_new (host, port);
}

gboolean
kh_address_equal (GSocketAddress *a, GSocketAddress *b)
{
  return g_inet_address_equal (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (a)),
                               g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (b))) &&
         g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (a)) ==
             g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (b));
}

static gboolean
is_global_v4 (const guint8 *b)
{
  return !(b[0] == 0 || b[0] == 10 || b[0] == 127 || b[0] >= 224 || (b[0] == 100 && (b[1] & 0xc0) == 64) ||
           (b[0] == 169 && b[1] == 254) || (b[0] == 172 && (b[1] & 0xf0) == 16) || (b[0] == 192 && b[1] == 168));
}

/* 2000::/3 but for Teredo (2001::/32) and 6to4 (2002::/16), which lead through strangers' gateways. */
static gboolean
is_global_v6 (const guint8 *b)
{
  return (b[0] & 0xe0) == 0x20 && !(b[0] == 0x20 && b[1] == 0x01 && b[2] == 0 && b[3] == 0) &&
         !(b[0] == 0x20 && b[1] == 0x02);
}

/**
 * kh_address_is_global:
 * @address: an address
 *
 * Whether packets for @address may cross the internet: unicast, and of no private, shared (100.64.0.0/10),
 * link-local or loopback range. Documentation ranges count as global: laboratories use them.
 */
gboolean
kh_address_is_global (GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);

  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4 ? is_global_v4 (bytes) : is_global_v6 (bytes);
}

/**
 * kh_address_is_host:
 *
 * Whether somebody can be at @address.
 */
gboolean
kh_address_is_host (GInetAddress *address)
{
  return !g_inet_address_get_is_any (address) && !g_inet_address_get_is_multicast (address) &&
         !g_inet_address_get_is_link_local (address);
}

/**
 * kh_address_is_neighbour:
 * @server: where a server is
 * @other: where it says that it is as well
 *
 * Whether @other may be believed: a server's word is somebody else's word, and we go where it points only if that is another
 * address in the same kind of network.
 */
gboolean
kh_address_is_neighbour (GInetSocketAddress *server, GInetSocketAddress *other)
{
  GInetAddress *a = g_inet_socket_address_get_address (server);
  GInetAddress *b = g_inet_socket_address_get_address (other);

  return g_inet_socket_address_get_port (other) != 0 && kh_address_is_host (b) &&
         kh_address_is_global (a) == kh_address_is_global (b) &&
         g_inet_address_get_is_loopback (a) == g_inet_address_get_is_loopback (b) &&
         g_inet_address_get_family (a) == g_inet_address_get_family (b) &&
         !kh_address_equal (G_SOCKET_ADDRESS (server), G_SOCKET_ADDRESS (other));
}

/**
 * kh_address_is_host_and_port:
 * @text: what somebody typed
 *
 * Returns: whether it names a server: `HOST` or `HOST:PORT`, with a v6 address in brackets
 */
gboolean
kh_address_is_host_and_port (const char *text)
{
  g_autoptr (GSocketConnectable) address = g_network_address_parse (text, 1, NULL);
  const char *colon = strchr (text, ':');

  for (const char *p = text; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr (".-:[]", *p) == NULL && (guchar) *p < 0x80)
      return FALSE;
  if (*text != '[' && colon != NULL && strchr (colon + 1, ':') != NULL)
    return FALSE;
  return address != NULL && *g_network_address_get_hostname (G_NETWORK_ADDRESS (address)) != '\0';
}
