/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-host.h"

#include "kh-namespace.h"
#include "kh-packet.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* Packets read or written by one call. */
#define BATCH 64
/* What the kernel may keep for us while we are busy. */
#define RECEIVE_BUFFER (8 * 1024 * 1024)
/* How long a packet can have waited there, at most. */
#define MAX_WAIT_US (100 * G_TIME_SPAN_MILLISECOND)

typedef struct
{
  struct mmsghdr headers[BATCH];
  struct iovec parts[BATCH];
  struct sockaddr_ll places[BATCH];
  guint8 notes[BATCH][CMSG_SPACE (sizeof (struct timespec))] __attribute__ ((aligned (sizeof (gsize))));
  guint8 packets[BATCH][KH_PACKET_MAX];
} Batch;

struct _KhHost
{
  KhHostId id;
  int network;
  int fd;
  int index;
  guint8 hardware[ETH_ALEN];
  Batch in;
  Batch out;
  guint n_out;
};

/**
 * kh_host_id_to_name:
 *
 * Returns: (transfer none): `left`, `right` or `server`
 */
const char *
kh_host_id_to_name (KhHostId id)
{
  static const char *const names[KH_N_HOSTS] = { "left", "right", "server" };

  return names[id];
}

/* Checksums left to hardware that is not there, and frames larger than the wire: off, since packets are carried as they are.
 * Not every kernel lets each of them be changed; a wrong checksum would be dropped, and seen. */
static void
switch_offloads_off (int network, const char *interface)
{
  static const guint32 commands[] = { ETHTOOL_SRXCSUM, ETHTOOL_STXCSUM, ETHTOOL_SSG,
                                      ETHTOOL_STSO,    ETHTOOL_SGSO,    ETHTOOL_SGRO };
  int fd = kh_namespace_socket (network, AF_INET, SOCK_DGRAM, 0, NULL);
  struct ifreq request = { 0 };

  if (fd < 0)
    return;
  g_strlcpy (request.ifr_name, interface, sizeof request.ifr_name);
  for (gsize i = 0; i < G_N_ELEMENTS (commands); i++)
    {
      struct ethtool_value value = { .cmd = commands[i] };

      request.ifr_data = (char *) &value;
      ioctl (fd, SIOCETHTOOL, &request);
    }
  close (fd);
}

static gboolean
is_set (const KhIp *ip)
{
  static const KhIp none;

  return !kh_ip_equal (ip, &none);
}

/* Everybody's hardware address on the cable is ours, and known in advance: no first packet waits for a question and its answer. */
static void
append_neighbours (GString *commands, KhHostId id, const KhIp *gateway, const KhIp *own, const KhIp *second)
{
  char text[KH_IP_TEXT_SIZE];

  for (guint n = 0; n <= 2; n++)
    {
      KhIp neighbour = kh_ip_plus (gateway, n);

      if (!kh_ip_equal (&neighbour, own) && !kh_ip_equal (&neighbour, second))
        g_string_append_printf (commands, "neighbour add %s lladdr 02:00:00:00:%02x:01 dev eth nud permanent\n",
                                kh_ip_to_text (&neighbour, text), id);
    }
  g_string_append_printf (commands, "route add default via %s\n", kh_ip_to_text (gateway, text));
}

/* The host's own side: addresses, neighbours, and the way out. */
static char *
describe_setup (KhHostId id, const KhHostAddresses *addresses)
{
  GString *commands = g_string_new ("link set lo up\n");
  char text[KH_IP_TEXT_SIZE];

  g_string_append_printf (commands, "address add %s/24 dev eth\n", kh_ip_to_text (&addresses->own, text));
  if (is_set (&addresses->second))
    g_string_append_printf (commands, "address add %s/24 dev eth\n", kh_ip_to_text (&addresses->second, text));
  if (is_set (&addresses->own6))
    g_string_append_printf (commands, "address add %s/64 dev eth nodad\n", kh_ip_to_text (&addresses->own6, text));
  g_string_append (commands, "link set eth up\n");

  append_neighbours (commands, id, &addresses->gateway, &addresses->own, &addresses->second);
  if (is_set (&addresses->own6))
    append_neighbours (commands, id, &addresses->gateway6, &addresses->own6, &addresses->own6);

  return g_string_free (commands, FALSE);
}

static gboolean
set_up (KhHost *self, const KhHostAddresses *addresses, GError **error)
{
  const char *name = kh_host_id_to_name (self->id);
  g_autofree char *pair =
      g_strdup_printf ("link add %s address 02:00:00:00:%02x:01 type veth peer name eth address 02:00:00:00:%02x:02 "
                       "netns /proc/self/fd/3\n"
                       "link set %s up arp off\n",
                       name, self->id, self->id, name);
  g_autofree char *own = describe_setup (self->id, addresses);
  g_autofree char *group = g_strdup_printf ("%u %u", getegid (), getegid ());

  /* What is not there must not send anything of its own accord. */
  if (!is_set (&addresses->own6) && !kh_namespace_set (self->network, "net/ipv6/conf/all/disable_ipv6", "1", NULL))
    g_debug ("There is no IPv6 here that could be switched off.");
  /* An ordinary user may ping, and serve on low ports. */
  if (!kh_namespace_set (self->network, "net/ipv4/ping_group_range", group, NULL) ||
      !kh_namespace_set (self->network, "net/ipv4/ip_unprivileged_port_start", "0", NULL))
    g_debug ("This kernel does not let an ordinary user ping or use low ports.");

  if (!kh_namespace_ip (-1, self->network, pair, error) || !kh_namespace_ip (self->network, -1, own, error))
    return FALSE;
  switch_offloads_off (-1, name);
  switch_offloads_off (self->network, "eth");

  return TRUE;
}

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "%s: %s", what, g_strerror (errno));
  return FALSE;
}

static gboolean
open_wire (KhHost *self, GError **error)
{
  struct sockaddr_ll place = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_ALL) };
  const int yes = 1, room = RECEIVE_BUFFER;

  self->index = (int) if_nametoindex (kh_host_id_to_name (self->id));
  place.sll_ifindex = self->index;
  /* Protocol 0 until it is bound: nothing comes in from elsewhere. */
  self->fd = socket (AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (self->fd < 0 || self->index == 0)
    return fail (error, "packet socket");
  if (setsockopt (self->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) != 0 ||
      bind (self->fd, (struct sockaddr *) &place, sizeof place) != 0)
    return fail (error, "packet socket");
  setsockopt (self->fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes);
  setsockopt (self->fd, SOL_SOCKET, SO_TIMESTAMPNS, &yes, sizeof yes);
  if (setsockopt (self->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof room) != 0)
    setsockopt (self->fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof room);

  return TRUE;
}

static void
prepare_batch (Batch *batch)
{
  for (guint i = 0; i < BATCH; i++)
    {
      batch->parts[i].iov_base = batch->packets[i];
      batch->parts[i].iov_len = KH_PACKET_MAX;
      batch->headers[i].msg_hdr.msg_iov = &batch->parts[i];
      batch->headers[i].msg_hdr.msg_iovlen = 1;
      batch->headers[i].msg_hdr.msg_name = &batch->places[i];
      batch->headers[i].msg_hdr.msg_namelen = sizeof batch->places[i];
    }
}

static void
address_batch (KhHost *self)
{
  prepare_batch (&self->out);
  for (guint i = 0; i < BATCH; i++)
    {
      struct sockaddr_ll *place = &self->out.places[i];

      place->sll_family = AF_PACKET;
      place->sll_ifindex = self->index;
      place->sll_halen = ETH_ALEN;
      memcpy (place->sll_addr, self->hardware, ETH_ALEN);
    }
}

/**
 * kh_host_new:
 * @id: which one
 * @addresses: what it is given
 * @error: return location
 *
 * Makes a host: an empty network with one cable, whose other end is in our hands.
 *
 * Returns: (transfer full) (nullable): the host
 */
KhHost *
kh_host_new (KhHostId id, const KhHostAddresses *addresses, GError **error)
{
  g_autoptr (KhHost) self = g_new0 (KhHost, 1);
  const guint8 hardware[ETH_ALEN] = { 2, 0, 0, 0, (guint8) id, 2 };

  self->id = id;
  self->fd = -1;
  memcpy (self->hardware, hardware, sizeof hardware);
  self->network = kh_namespace_new_network (error);
  if (self->network < 0 || !set_up (self, addresses, error) || !open_wire (self, error))
    return NULL;
  prepare_batch (&self->in);
  for (guint i = 0; i < BATCH; i++)
    {
      self->in.headers[i].msg_hdr.msg_control = self->in.notes[i];
      self->in.headers[i].msg_hdr.msg_controllen = sizeof self->in.notes[i];
    }
  address_batch (self);

  return g_steal_pointer (&self);
}

void
kh_host_free (KhHost *self)
{
  if (self->fd >= 0)
    close (self->fd);
  if (self->network >= 0)
    close (self->network);
  g_free (self);
}

/**
 * kh_host_get_network:
 *
 * Returns: a descriptor of its network namespace, not to be closed
 */
int
kh_host_get_network (KhHost *self)
{
  return self->network;
}

/**
 * kh_host_get_fd:
 *
 * Returns: a descriptor that is readable when the host has sent something, not to be closed
 */
int
kh_host_get_fd (KhHost *self)
{
  return self->fd;
}

/* When a packet was sent, by the kernel's note on it: it does not matter then how long it waited until we had time. */
static gint64
get_time (struct msghdr *header, gint64 now, gint64 clock_offset)
{
  for (struct cmsghdr *note = CMSG_FIRSTHDR (header); note != NULL; note = CMSG_NXTHDR (header, note))
    if (note->cmsg_level == SOL_SOCKET && note->cmsg_type == SCM_TIMESTAMPNS)
      {
        struct timespec time;

        memcpy (&time, CMSG_DATA (note), sizeof time);
        /* The clock of the day may have been set meanwhile. */
        return CLAMP (time.tv_sec * G_USEC_PER_SEC + time.tv_nsec / 1000 - clock_offset, now - MAX_WAIT_US, now);
      }

  return now;
}

/**
 * kh_host_receive:
 * @self: a host
 * @receive: called with each packet
 * @data: for @receive
 *
 * Takes what the host has sent, a batch at most.
 *
 * Returns: whether there may be more
 */
gboolean
kh_host_receive (KhHost *self, KhHostReceive receive, gpointer data)
{
  int n = recvmmsg (self->fd, self->in.headers, BATCH, MSG_DONTWAIT, NULL);
  gint64 now = g_get_monotonic_time ();
  gint64 clock_offset = g_get_real_time () - now;

  for (int i = 0; i < n; i++)
    {
      struct msghdr *header = &self->in.headers[i].msg_hdr;
      guint16 protocol = ntohs (self->in.places[i].sll_protocol);

      /* What was longer has been cut, and its length says so. Multicast stays on its cable. */
      if (self->in.places[i].sll_pkttype == PACKET_HOST && (protocol == ETH_P_IP || protocol == ETH_P_IPV6))
        receive (data, self->in.packets[i], self->in.headers[i].msg_len, get_time (header, now, clock_offset));
      header->msg_namelen = sizeof self->in.places[i];
      header->msg_controllen = sizeof self->in.notes[i];
    }

  return n == BATCH;
}

/**
 * kh_host_send:
 * @self: a host
 * @packet: an IP packet for it
 * @length: its bytes, at most %KH_PACKET_MAX
 *
 * Gives the host a packet, at the latest with kh_host_flush().
 */
void
kh_host_send (KhHost *self, const guint8 *packet, gsize length)
{
  guint i = self->n_out;

  g_return_if_fail (length <= KH_PACKET_MAX);

  self->n_out++;
  memcpy (self->out.packets[i], packet, length);
  self->out.parts[i].iov_len = length;
  self->out.places[i].sll_protocol = htons (packet[0] >> 4 == 6 ? ETH_P_IPV6 : ETH_P_IP);
  if (self->n_out == BATCH)
    kh_host_flush (self);
}

/**
 * kh_host_flush:
 *
 * Hands over what kh_host_send() has kept. What does not fit is lost, as on a wire.
 */
void
kh_host_flush (KhHost *self)
{
  guint sent = 0;

  while (sent < self->n_out)
    {
      int n = sendmmsg (self->fd, self->out.headers + sent, self->n_out - sent, MSG_DONTWAIT);

      if (n < 0 && errno == EINTR)
        continue;
      sent += n > 0 ? (guint) n : 1;
    }
  self->n_out = 0;
}
