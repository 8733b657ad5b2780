/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-links.h"

#include <net/if_arp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel sends a list of links in parts of at most so much. */
#define PART_BYTES (32 * 1024)
#define NAME_BYTES 32

/**
 * kh_links_is_tunnel:
 * @type: ARPHRD_… of an interface
 * @kind: (nullable): what it is to the kernel ("tun", "wireguard", "veth"); a device made of hardware has none
 *
 * Whether an interface is a VPN's. Those that carry bare IP packets (ARPHRD_NONE) are, if a program made them: WireGuard,
 * TUN, xfrm; so are IP in IP and GRE. Modems in raw-IP mode carry the same, but they have no kind or are called "wwan". A TAP device looks like
 * Ethernet and is a "tun" all the same. PPP is a dial-up line.
 */
gboolean
kh_links_is_tunnel (guint type, const char *kind)
{
  if (kind == NULL || g_str_equal (kind, "wwan"))
    return FALSE;

  return type == ARPHRD_NONE || type == ARPHRD_TUNNEL || type == ARPHRD_TUNNEL6 || type == ARPHRD_IPGRE ||
         g_str_equal (kind, "tun") || g_str_equal (kind, "wireguard");
}

static const struct rtattr *
find_attribute (const struct rtattr *first, int length, unsigned short type)
{
  for (const struct rtattr *i = first; RTA_OK (i, length); i = RTA_NEXT (i, length))
    if ((i->rta_type & NLA_TYPE_MASK) == type)
      return i;
  return NULL;
}

static gboolean
read_text (const struct rtattr *attribute, char *text)
{
  gsize length = attribute != NULL ? RTA_PAYLOAD (attribute) : 0;

  if (length == 0 || length >= NAME_BYTES)
    return FALSE;

  memcpy (text, RTA_DATA (attribute), length);
  text[length] = '\0';
  return TRUE;
}

static guint32
read_number (const struct rtattr *attribute)
{
  guint32 number = 0;

  if (attribute != NULL && RTA_PAYLOAD (attribute) == sizeof number)
    memcpy (&number, RTA_DATA (attribute), sizeof number);
  return number;
}

static void
read_link (GHashTable *links, const struct nlmsghdr *message)
{
  const struct ifinfomsg *header = NLMSG_DATA (message);
  const struct rtattr *first = IFLA_RTA (header);
  int length = (int) message->nlmsg_len - (int) NLMSG_LENGTH (sizeof *header);
  const struct rtattr *info = find_attribute (first, length, IFLA_LINKINFO);
  char name[NAME_BYTES];
  char kind[NAME_BYTES];
  gboolean has_kind =
      info != NULL && read_text (find_attribute (RTA_DATA (info), RTA_PAYLOAD (info), IFLA_INFO_KIND), kind);
  KhLink *link;

  if (!read_text (find_attribute (first, length, IFLA_IFNAME), name))
    return;

  link = g_new (KhLink, 1);
  link->known = TRUE;
  link->tunnel = kh_links_is_tunnel (header->ifi_type, has_kind ? kind : NULL);
  link->changes = read_number (find_attribute (first, length, IFLA_CARRIER_CHANGES));
  g_hash_table_replace (links, g_strdup (name), link);
}

/* Returns whether there is more to come. */
static gboolean
read_part (GHashTable *links, int fd)
{
  g_autofree char *buffer = g_malloc (PART_BYTES);
  /* The answer is made while it is asked for: this does not wait. */
  int got = recv (fd, buffer, PART_BYTES, MSG_DONTWAIT);

  if (got <= 0)
    return FALSE;

  for (const struct nlmsghdr *i = (const struct nlmsghdr *) buffer; NLMSG_OK (i, (guint) got); i = NLMSG_NEXT (i, got))
    {
      if (i->nlmsg_type == NLMSG_DONE || i->nlmsg_type == NLMSG_ERROR)
        return FALSE;
      if (i->nlmsg_type == RTM_NEWLINK && i->nlmsg_len >= NLMSG_LENGTH (sizeof (struct ifinfomsg)))
        read_link (links, i);
    }
  return TRUE;
}

/**
 * kh_links_read:
 *
 * Asks the kernel by netlink: /sys shows the interfaces of the network in which it was mounted, which may not be ours.
 *
 * Returns: (transfer full) (element-type utf8 KhLink): by the names of the interfaces
 */
GHashTable *
kh_links_read (void)
{
  GHashTable *links = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  struct
  {
    struct nlmsghdr header;
    struct ifinfomsg link;
  } request = {
    .header = { .nlmsg_len = sizeof request, .nlmsg_type = RTM_GETLINK, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
  };
  int fd = socket (AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

  if (fd >= 0 && send (fd, &request, sizeof request, 0) == sizeof request)
    while (read_part (links, fd))
      ;
  if (fd >= 0)
    close (fd);

  return links;
}
