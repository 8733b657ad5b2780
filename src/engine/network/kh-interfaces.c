/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-interfaces.h"

#include "kh-address.h"
#include "kh-links.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

/* Of linux/if_addr.h, which clashes with other headers; /proc/net/if_inet6 shows them. */
#define FLAG_TEMPORARY 0x01
#define FLAG_DEPRECATED 0x20
#define FLAG_TENTATIVE 0x40

typedef struct
{
  char *name;
  KhLink device;
  GInetAddress *address;
  GInetAddressMask *link;
  gboolean temporary;
} Entry;

struct _KhInterfaces
{
  GPtrArray *entries;  /* of Entry */
  GPtrArray *gateways; /* of GInetAddress, the preferred one first */
};

static void
entry_free (Entry *entry)
{
  g_free (entry->name);
  g_object_unref (entry->address);
  g_object_unref (entry->link);
  g_free (entry);
}

/**
 * kh_interfaces_new:
 *
 * Returns: (transfer full): a picture without any interface, to be filled by hand
 */
KhInterfaces *
kh_interfaces_new (void)
{
  KhInterfaces *self = g_new0 (KhInterfaces, 1);

  self->entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  self->gateways = g_ptr_array_new_with_free_func (g_object_unref);

  return self;
}

void
kh_interfaces_free (KhInterfaces *self)
{
  g_ptr_array_unref (self->entries);
  g_ptr_array_unref (self->gateways);
  g_free (self);
}

static Entry *
add_entry (KhInterfaces *self, GInetAddress *address, guint prefix)
{
  guint bits = g_inet_address_get_native_size (address) * 8;
  guint8 network[16];
  g_autoptr (GInetAddress) base = NULL;
  Entry *entry;

  memcpy (network, g_inet_address_to_bytes (address), bits / 8);
  for (guint bit = prefix; bit < bits; bit++)
    network[bit / 8] &= ~(0x80 >> (bit % 8));
  base = g_inet_address_new_from_bytes (network, g_inet_address_get_family (address));

  entry = g_new0 (Entry, 1);
  entry->address = g_object_ref (address);
  entry->link = g_inet_address_mask_new (base, prefix, NULL);
  g_ptr_array_add (self->entries, entry);

  return entry;
}

/**
 * kh_interfaces_add:
 * @address_and_prefix: such as "192.168.1.7/24"
 */
void
kh_interfaces_add (KhInterfaces *self, const char *address_and_prefix)
{
  kh_interfaces_add_to (self, NULL, FALSE, address_and_prefix);
}

/**
 * kh_interfaces_add_to:
 * @name: (nullable): the interface's name, such as "wlan0"
 * @tunnel: whether it is a tunnel
 * @address_and_prefix: such as "192.168.1.7/24"
 */
void
kh_interfaces_add_to (KhInterfaces *self, const char *name, gboolean tunnel, const char *address_and_prefix)
{
  g_auto (GStrv) parts = g_strsplit (address_and_prefix, "/", 2);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (parts[0]);
  Entry *entry;

  g_return_if_fail (address != NULL && parts[1] != NULL);

  entry = add_entry (self, address, g_ascii_strtoull (parts[1], NULL, 10));
  entry->name = g_strdup (name);
  entry->device = (KhLink){ .known = TRUE, .tunnel = tunnel };
}

/**
 * kh_interfaces_add_gateway:
 * @address: a default gateway; the preferred one comes first
 */
void
kh_interfaces_add_gateway (KhInterfaces *self, const char *address)
{
  GInetAddress *gateway = g_inet_address_new_from_string (address);

  g_return_if_fail (gateway != NULL);

  g_ptr_array_add (self->gateways, gateway);
}

static guint
prefix_length (const struct sockaddr *mask)
{
  const guint8 *bytes = mask->sa_family == AF_INET6 ? ((const struct sockaddr_in6 *) mask)->sin6_addr.s6_addr
                                                    : (const guint8 *) &((const struct sockaddr_in *) mask)->sin_addr;
  guint bits = mask->sa_family == AF_INET6 ? 128 : 32;
  guint length = 0;

  while (length < bits && (bytes[length / 8] & (0x80 >> (length % 8))))
    length++;
  return length;
}

/* The flags of an IPv6 address, by its 32 hexadecimal digits in /proc/net/if_inet6. */
static guint
flags_of (const char *table, GInetAddress *address)
{
  const guint8 *bytes = g_inet_address_to_bytes (address);
  char digits[33];
  const char *line;
  guint flags = 0;

  if (table == NULL)
    return 0;

  for (int i = 0; i < 16; i++)
    g_snprintf (digits + 2 * i, 3, "%02x", bytes[i]);
  line = strstr (table, digits);
  if (line != NULL)
    sscanf (line, "%*s %*x %*x %*x %x", &flags);
  return flags;
}

static void
read_addresses (KhInterfaces *self)
{
  g_autofree char *flags_table = NULL;
  g_autoptr (GHashTable) links = kh_links_read ();
  struct ifaddrs *all = NULL;

  g_file_get_contents ("/proc/net/if_inet6", &flags_table, NULL, NULL);
  if (getifaddrs (&all) != 0)
    return;

  for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
    {
      g_autoptr (GInetAddress) address = NULL;
      guint flags = 0;

      if (i->ifa_addr == NULL || i->ifa_netmask == NULL || !(i->ifa_flags & IFF_UP))
        continue;

      if (i->ifa_addr->sa_family == AF_INET)
        address = g_inet_address_new_from_bytes ((const guint8 *) &((struct sockaddr_in *) i->ifa_addr)->sin_addr,
                                                 G_SOCKET_FAMILY_IPV4);
      else if (i->ifa_addr->sa_family == AF_INET6)
        {
          address = g_inet_address_new_from_bytes (((struct sockaddr_in6 *) i->ifa_addr)->sin6_addr.s6_addr,
                                                   G_SOCKET_FAMILY_IPV6);
          flags = flags_of (flags_table, address);
        }

      if (address != NULL && !(flags & (FLAG_DEPRECATED | FLAG_TENTATIVE)))
        {
          Entry *entry = add_entry (self, address, prefix_length (i->ifa_netmask));
          const KhLink *device = g_hash_table_lookup (links, i->ifa_name);

          entry->name = g_strdup (i->ifa_name);
          if (device != NULL)
            entry->device = *device;
          entry->temporary = flags & FLAG_TEMPORARY;
        }
    }

  freeifaddrs (all);
}

typedef struct
{
  guint32 gateway;
  guint metric;
} Route;

static int
compare_metrics (gconstpointer a, gconstpointer b)
{
  const Route *left = a;
  const Route *right = b;

  return left->metric < right->metric ? -1 : left->metric > right->metric;
}

/* The routing table of the network that this process is in. Lines are `INTERFACE DESTINATION GATEWAY FLAGS REFERENCES USE
 * METRIC MASK …`, addresses as the bytes lie in memory. */
static void
read_gateways (KhInterfaces *self)
{
  g_autofree char *text = NULL;
  g_auto (GStrv) lines = NULL;
  g_autoptr (GArray) routes = g_array_new (FALSE, FALSE, sizeof (Route));

  if (!g_file_get_contents ("/proc/net/route", &text, NULL, NULL))
    return;

  lines = g_strsplit (text, "\n", -1);
  for (gsize i = 1; lines[i - 1] != NULL && lines[i] != NULL; i++)
    {
      guint32 destination;
      Route route;

      if (sscanf (lines[i], "%*s %x %x %*s %*s %*s %u", &destination, &route.gateway, &route.metric) == 3 &&
          destination == 0 && route.gateway != 0)
        g_array_append_val (routes, route);
    }

  g_array_sort (routes, compare_metrics);
  for (guint i = 0; i < routes->len; i++)
    g_ptr_array_add (self->gateways,
                     g_inet_address_new_from_bytes ((const guint8 *) &g_array_index (routes, Route, i).gateway,
                                                    G_SOCKET_FAMILY_IPV4));
}

/**
 * kh_interfaces_new_read:
 *
 * Returns: (transfer full): the picture as it is now: interfaces that are up, without deprecated or tentative addresses
 */
KhInterfaces *
kh_interfaces_new_read (void)
{
  KhInterfaces *self = kh_interfaces_new ();

  read_addresses (self);
  read_gateways (self);

  return self;
}

static gboolean
is_unique_local (GInetAddress *address)
{
  return g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 &&
         (g_inet_address_to_bytes (address)[0] & 0xfe) == 0xfc;
}

/**
 * kh_interfaces_get_lan:
 *
 * Returns: (transfer full) (element-type GInetAddress): addresses that a friend in the same network can dial: IPv4
 *   but for loopback and link-local, and unique local IPv6 (fc00::/7)
 */
GPtrArray *
kh_interfaces_get_lan (const KhInterfaces *self)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_object_unref);

  for (guint i = 0; i < self->entries->len; i++)
    {
      GInetAddress *address = ((Entry *) g_ptr_array_index (self->entries, i))->address;
      gboolean is_v4 = g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV4;

      if (is_unique_local (address) ||
          (is_v4 && !g_inet_address_get_is_loopback (address) && !g_inet_address_get_is_link_local (address)))
        g_ptr_array_add (found, g_object_ref (address));
    }

  return found;
}

/**
 * kh_interfaces_get_ipv6:
 *
 * Returns: (transfer full) (element-type GInetAddress): global IPv6 addresses, temporary ones first: those are what
 *   the system itself dials with
 */
GPtrArray *
kh_interfaces_get_ipv6 (const KhInterfaces *self)
{
  GPtrArray *found = g_ptr_array_new_with_free_func (g_object_unref);

  for (int temporary = 1; temporary >= 0; temporary--)
    for (guint i = 0; i < self->entries->len; i++)
      {
        Entry *entry = g_ptr_array_index (self->entries, i);

        if (entry->temporary == temporary && g_inet_address_get_family (entry->address) == G_SOCKET_FAMILY_IPV6 &&
            kh_address_is_global (entry->address))
          g_ptr_array_add (found, g_object_ref (entry->address));
      }

  return found;
}

static Entry *
find_entry (const KhInterfaces *self, GInetAddress *address)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (self->entries, i);

      if (g_inet_address_equal (entry->address, address))
        return entry;
    }
  return NULL;
}

gboolean
kh_interfaces_is_own (const KhInterfaces *self, GInetAddress *address)
{
  return find_entry (self, address) != NULL;
}

/**
 * kh_interfaces_get_name:
 * @local: one of our addresses
 *
 * Returns: (nullable): the name of the interface that has it
 */
const char *
kh_interfaces_get_name (const KhInterfaces *self, GInetAddress *local)
{
  Entry *entry = find_entry (self, local);

  return entry != NULL ? entry->name : NULL;
}

/**
 * kh_interfaces_knows_link:
 * @local: one of our addresses
 *
 * Whether the kernel has told what kind of interface has it.
 */
gboolean
kh_interfaces_knows_link (const KhInterfaces *self, GInetAddress *local)
{
  Entry *entry = find_entry (self, local);

  return entry != NULL && entry->device.known;
}

/**
 * kh_interfaces_is_tunnel:
 * @local: one of our addresses
 *
 * Whether the interface that has it leads through a tunnel to somebody else's network, as a VPN's does. A dial-up line
 * (PPP, PPPoE) or a mobile modem does not.
 */
gboolean
kh_interfaces_is_tunnel (const KhInterfaces *self, GInetAddress *local)
{
  Entry *entry = find_entry (self, local);

  return entry != NULL && entry->device.tunnel;
}

/**
 * kh_interfaces_describe_way:
 * @local: the address from which packets leave
 *
 * Returns: (transfer full): what makes the way out this one and no other: the address, the gateway, the interface, and how
 *   often its link has come and gone. To be compared, and never shown. Another network often has the same addresses.
 */
char *
kh_interfaces_describe_way (const KhInterfaces *self, GInetAddress *local)
{
  GInetAddress *preferred = kh_interfaces_get_gateway (self);
  g_autofree char *gateway = preferred != NULL ? g_inet_address_to_string (preferred) : g_strdup ("-");
  g_autofree char *address = g_inet_address_to_string (local);
  Entry *entry = find_entry (self, local);

  return g_strdup_printf ("%s %s %s %u", address, gateway, entry != NULL && entry->name != NULL ? entry->name : "-",
                          entry != NULL ? entry->device.changes : 0);
}

/**
 * kh_interfaces_is_on_link:
 *
 * Whether @address lies in the prefix of one of our interfaces, so that no router stands between. Loopback does not
 * count as a link.
 */
gboolean
kh_interfaces_is_on_link (const KhInterfaces *self, GInetAddress *address)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      Entry *entry = g_ptr_array_index (self->entries, i);

      if (!g_inet_address_get_is_loopback (entry->address) && g_inet_address_mask_matches (entry->link, address))
        return TRUE;
    }
  return FALSE;
}

/**
 * kh_interfaces_share_link:
 * @local: one of our addresses
 *
 * Whether @other lies in the prefix of the interface that has @local.
 */
gboolean
kh_interfaces_share_link (const KhInterfaces *self, GInetAddress *local, GInetAddress *other)
{
  Entry *entry = find_entry (self, local);

  return entry != NULL && g_inet_address_mask_matches (entry->link, other);
}

/**
 * kh_interfaces_has_ipv6:
 *
 * Whether we have an IPv6 address by which more than our own link might be reached.
 */
gboolean
kh_interfaces_has_ipv6 (const KhInterfaces *self)
{
  for (guint i = 0; i < self->entries->len; i++)
    {
      GInetAddress *address = ((Entry *) g_ptr_array_index (self->entries, i))->address;

      if (g_inet_address_get_family (address) == G_SOCKET_FAMILY_IPV6 && !g_inet_address_get_is_loopback (address) &&
          !g_inet_address_get_is_link_local (address))
        return TRUE;
    }
  return FALSE;
}

gboolean
kh_interfaces_is_gateway (const KhInterfaces *self, GInetAddress *address)
{
  for (guint i = 0; i < self->gateways->len; i++)
    if (g_inet_address_equal (g_ptr_array_index (self->gateways, i), address))
      return TRUE;
  return FALSE;
}

/**
 * kh_interfaces_get_gateway:
 *
 * Returns: (transfer none) (nullable): the IPv4 default gateway that the system prefers
 */
GInetAddress *
kh_interfaces_get_gateway (const KhInterfaces *self)
{
  return self->gateways->len > 0 ? g_ptr_array_index (self->gateways, 0) : NULL;
}
