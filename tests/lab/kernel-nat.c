/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The kernel's own router, in a network of its own, with a cable on each side:
 *
 *   hosts ===== lan  router  wan ===== net
 *
 * The far ends are here, and are held by packet sockets. What comes out of the router is known without waiting for what
 * may never come: after each packet a marker is sent the same way, then one the other way. The router takes packets one
 * after another, and each cable keeps their order, so all that comes out because of a packet is there before them. */

#include "nat-backend.h"

#include "kh-checksum.h"
#include "kh-namespace.h"
#include "kh-packet-build.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_SECONDS 10
#define MARKER_PORT 9
#define MARKER_INSIDE "192.168.1.9"
#define MARKER_OUTSIDE "198.51.100.9"

typedef struct
{
  const char *name;
  char far[IFNAMSIZ];
  guint8 hardware; /* last byte of the router's address; that of the far end is one more */
  int fd;
  int index;
} Cable;

typedef struct
{
  NatBackend backend;
  int home;
  int router;
  Cable cables[2]; /* by side */
  guint32 marked;
  guint32 seen;
  KhEndpoint marker; /* how the marker's inside host is known outside */
} KernelNat;

static const char links[] =
    "link add lan address 02:00:00:00:00:10 type veth peer name %s address 02:00:00:00:00:11 netns /proc/self/fd/3\n"
    "link add wan address 02:00:00:00:00:20 type veth peer name %s address 02:00:00:00:00:21 netns /proc/self/fd/3\n"
    "address add " NAT_ROUTER_INSIDE "/24 dev lan\n"
    "address add " NAT_ROUTER_OUTSIDE "/24 dev wan\n";

/* Nobody answers a question about hardware addresses here: all are said beforehand. */
static const char routes[] = "link set lan up\n"
                             "link set wan up\n"
                             "route add 198.51.100.0/24 via 203.0.113.1 dev wan\n"
                             "neighbour add 203.0.113.1 lladdr 02:00:00:00:00:21 dev wan nud permanent\n"
                             "neighbour add 192.168.1.2 lladdr 02:00:00:00:00:11 dev lan nud permanent\n"
                             "neighbour add 192.168.1.3 lladdr 02:00:00:00:00:11 dev lan nud permanent\n"
                             "neighbour add 192.168.1.4 lladdr 02:00:00:00:00:11 dev lan nud permanent\n"
                             "neighbour add " MARKER_INSIDE " lladdr 02:00:00:00:00:11 dev lan nud permanent\n";

static const char rules[] = "table ip nat {\n"
                            "  chain post {\n"
                            "    type nat hook postrouting priority 100; policy accept;\n"
                            "    oifname \"wan\" masquerade %s\n"
                            "  }\n"
                            "}\n"
                            "table ip filter {\n"
                            "  chain input {\n"
                            "    type filter hook input priority 0; policy drop;\n"
                            "    ct state invalid drop\n"
                            "    iifname \"lan\" accept\n"
                            "    iifname \"wan\" ct state established,related accept\n"
                            "    iifname \"wan\" meta l4proto %s\n"
                            "  }\n"
                            "  chain forward {\n"
                            "    type filter hook forward priority 0; policy drop;\n"
                            "    ct state invalid drop\n"
                            "    iifname \"lan\" oifname \"wan\" accept\n"
                            "    iifname \"wan\" ct state established,related accept\n"
                            "    iifname \"wan\" meta l4proto %s\n"
                            "  }\n"
                            "}\n";

/* The order of packets is kept by each processor's queue, so there shall be only one. */
static void
stay_on_one_cpu (void)
{
  cpu_set_t set;

  CPU_ZERO (&set);
  CPU_SET (sched_getcpu (), &set);
  if (sched_setaffinity (0, sizeof set, &set) != 0)
    g_error ("sched_setaffinity: %s", g_strerror (errno));
}

static gboolean
set_all (int network, const char *const (*values)[2], GError **error)
{
  for (; (*values)[0] != NULL; values++)
    if (!kh_namespace_set (network, (*values)[0], (*values)[1], error))
      return FALSE;

  return TRUE;
}

/* IPv6 would chatter; where the kernel has none, all the better. */
static gboolean
be_a_router (int network, GError **error)
{
  static const char *const values[][2] = {
    { "net/ipv4/ip_forward", "1" },
    { "net/ipv4/conf/all/rp_filter", "0" },
    { "net/ipv4/conf/default/rp_filter", "0" },
    { "net/ipv4/icmp_ratelimit", "0" },
    { NULL },
  };

  kh_namespace_set (network, "net/ipv6/conf/default/disable_ipv6", "1", NULL);

  return set_all (network, values, error);
}

static gboolean
be_no_router (int network, GError **error)
{
  kh_namespace_set (network, "net/ipv6/conf/default/disable_ipv6", "1", NULL);

  return kh_namespace_set (network, "net/ipv4/ip_forward", "0", error);
}

/* Checksums that are left to hardware, and frames larger than the wire: a veth has neither, but pretends. Not every
 * kernel lets each of them be changed. */
static void
switch_off_offloads (int control, const char *interface)
{
  static const guint32 offloads[] = { ETHTOOL_SRXCSUM, ETHTOOL_STXCSUM, ETHTOOL_SSG,
                                      ETHTOOL_STSO,    ETHTOOL_SGSO,    ETHTOOL_SGRO };

  for (gsize i = 0; i < G_N_ELEMENTS (offloads); i++)
    {
      struct ethtool_value value = { .cmd = offloads[i], .data = 0 };
      struct ifreq request = { .ifr_data = (char *) &value };

      g_strlcpy (request.ifr_name, interface, sizeof request.ifr_name);
      ioctl (control, SIOCETHTOOL, &request);
    }
}

static gboolean
plain_cables (KernelNat *self, GError **error)
{
  int near = kh_namespace_socket (self->router, AF_INET, SOCK_DGRAM, 0, error);
  int far = near < 0 ? -1 : kh_namespace_socket (self->home, AF_INET, SOCK_DGRAM, 0, error);

  if (far < 0)
    return FALSE;

  for (int i = 0; i < 2; i++)
    {
      switch_off_offloads (near, self->cables[i].name);
      switch_off_offloads (far, self->cables[i].far);
    }
  close (near);
  close (far);

  return TRUE;
}

/* A network goes away some time after we let go of it, and the far ends with it: each one's cables have names of their
 * own. */
static gboolean
lay_cables (KernelNat *self, GError **error)
{
  static guint serial;
  g_autofree char *near = NULL;
  g_autofree char *far = NULL;

  self->cables[KH_NAT_INSIDE] = (Cable){ .name = "lan", .hardware = 0x10, .fd = -1 };
  self->cables[KH_NAT_OUTSIDE] = (Cable){ .name = "wan", .hardware = 0x20, .fd = -1 };
  serial++;
  g_snprintf (self->cables[KH_NAT_INSIDE].far, IFNAMSIZ, "hosts%u", serial);
  g_snprintf (self->cables[KH_NAT_OUTSIDE].far, IFNAMSIZ, "net%u", serial);
  near = g_strdup_printf (links, self->cables[0].far, self->cables[1].far);
  far = g_strdup_printf ("link set %s up\nlink set %s up\n", self->cables[0].far, self->cables[1].far);

  return kh_namespace_ip (self->router, self->home, near, error) && plain_cables (self, error) &&
         kh_namespace_ip (self->home, -1, far, error) && kh_namespace_ip (self->router, -1, routes, error);
}

static gboolean
hold_cable (Cable *cable, GError **error)
{
  struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_IP) };
  int yes = 1;

  cable->index = address.sll_ifindex = (int) if_nametoindex (cable->far);
  cable->fd = socket (AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (cable->fd >= 0 && setsockopt (cable->fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &yes, sizeof yes) == 0 &&
      bind (cable->fd, (struct sockaddr *) &address, sizeof address) == 0)
    return TRUE;

  g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "packet socket: %s", g_strerror (errno));
  return FALSE;
}

static void
enter_router (gpointer data)
{
  if (!kh_namespace_enter (GPOINTER_TO_INT (data), NULL))
    _exit (126);
}

/* Ordinary users do not always have the place of nft in their path. */
static gboolean
load_rules (int router, const char *text, GError **error)
{
  g_autoptr (GSubprocessLauncher) launcher =
      g_subprocess_launcher_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE);
  g_autofree char *program = g_find_program_in_path ("nft");
  g_autoptr (GSubprocess) nft = NULL;
  g_autofree char *said = NULL;

  g_subprocess_launcher_set_child_setup (launcher, enter_router, GINT_TO_POINTER (router), NULL);
  nft = g_subprocess_launcher_spawn (launcher, error, program != NULL ? program : "/usr/sbin/nft", "-f", "-", NULL);
  if (nft == NULL || !g_subprocess_communicate_utf8 (nft, text, NULL, NULL, &said, error))
    return FALSE;
  if (g_subprocess_get_successful (nft))
    return TRUE;

  g_set_error (error, KH_NAMESPACE_ERROR, KH_NAMESPACE_ERROR_FAILED, "nft: %s", g_strstrip (said));
  return FALSE;
}

static gboolean
set_seconds (int router, const char *of, guint seconds, GError **error)
{
  g_autofree char *path = g_strconcat ("net/netfilter/nf_conntrack_", of, NULL);
  g_autofree char *value = g_strdup_printf ("%u", seconds);

  return kh_namespace_set (router, path, value, error);
}

/* A session that both sides have closed waits for the last ACK at first, by default for a shorter time. */
static gboolean
set_lifetimes (int router, const KhNatSettings *settings, GError **error)
{
  return set_seconds (router, "tcp_timeout_syn_sent", settings->syn_seconds, error) &&
         set_seconds (router, "tcp_timeout_established", settings->idle_seconds, error) &&
         set_seconds (router, "tcp_timeout_last_ack", MIN (30, settings->fin_seconds), error) &&
         set_seconds (router, "tcp_timeout_time_wait", settings->fin_seconds, error) &&
         set_seconds (router, "tcp_timeout_close", settings->rst_seconds, error) &&
         set_seconds (router, "udp_timeout", settings->udp_seconds, error) &&
         set_seconds (router, "udp_timeout_stream", settings->udp_stream_seconds, error) &&
         set_seconds (router, "icmp_timeout", settings->udp_seconds, error);
}

static gboolean
translate_as (int router, const KhNatSettings *settings, GError **error)
{
  const char *ports = settings->ports == KH_NAT_RANDOM ? "random,fully-random" : "";
  const char *stranger = settings->stranger == KH_NAT_RST    ? "tcp reject with tcp reset"
                         : settings->stranger == KH_NAT_ICMP ? "{ tcp, udp } reject with icmp type admin-prohibited"
                                                             : "{ tcp, udp } drop";
  g_autofree char *text = g_strdup_printf (rules, ports, stranger, stranger);

  return load_rules (router, text, error) && set_lifetimes (router, settings, error);
}

static void
inject (KernelNat *self, KhNatSide from, const guint8 *packet, gsize length)
{
  Cable *cable = &self->cables[from];
  struct sockaddr_ll router = {
    .sll_family = AF_PACKET,
    .sll_protocol = htons (ETH_P_IP),
    .sll_ifindex = cable->index,
    .sll_halen = 6,
    .sll_addr = { 2, 0, 0, 0, 0, cable->hardware },
  };

  if (sendto (cable->fd, packet, length, 0, (struct sockaddr *) &router, sizeof router) != (ssize_t) length)
    g_error ("A packet could not be sent: %s", g_strerror (errno));
}

static gboolean
is_marker (KernelNat *self, NatArrival *arrival)
{
  KhIp far = kh_ip_from_text (MARKER_OUTSIDE);
  gboolean outside = arrival->side == KH_NAT_OUTSIDE;
  const char *fault;
  KhPacket packet;

  if (!kh_packet_parse (&packet, arrival->data, arrival->length, &fault) || packet.protocol != KH_PROTOCOL_UDP ||
      !kh_ip_equal (outside ? &packet.destination.ip : &packet.source.ip, &far))
    return FALSE;

  if (outside)
    self->marker = packet.source;
  self->seen = kh_get32 (packet.data + packet.transport + 8);
  return TRUE;
}

static void
read_cable (KernelNat *self, KhNatSide side, GArray *arrivals)
{
  NatArrival arrival = { .side = side };
  ssize_t got;

  while ((got = recv (self->cables[side].fd, arrival.data, sizeof arrival.data, 0)) >= 0)
    {
      arrival.length = (gsize) got;
      if (!is_marker (self, &arrival))
        g_array_append_val (arrivals, arrival);
    }
}

/* Returns: whether something happened before the deadline */
static gboolean
poll_cables (KernelNat *self, gint64 deadline, GArray *arrivals)
{
  struct pollfd polled[2] = { { .fd = self->cables[0].fd, .events = POLLIN },
                              { .fd = self->cables[1].fd, .events = POLLIN } };
  gint64 left = deadline - g_get_monotonic_time ();

  if (left <= 0)
    return FALSE;

  poll (polled, 2, (int) (left / 1000 + 1));
  read_cable (self, KH_NAT_INSIDE, arrivals);
  read_cable (self, KH_NAT_OUTSIDE, arrivals);

  return TRUE;
}

static void
send_marker (KernelNat *self, KhNatSide from)
{
  KhEndpoint inside = { kh_ip_from_text (MARKER_INSIDE), MARKER_PORT };
  KhEndpoint outside = { kh_ip_from_text (MARKER_OUTSIDE), MARKER_PORT };
  guint8 room[KH_PACKET_MAX];
  guint8 number[4];
  gsize length;

  kh_put32 (number, self->marked);
  if (from == KH_NAT_INSIDE)
    length = kh_packet_build_udp (room, &inside, &outside, 0, number, sizeof number);
  else
    length = kh_packet_build_udp (room, &outside, &self->marker, 0, number, sizeof number);
  inject (self, from, room, length);
}

static void
mark (KernelNat *self, KhNatSide from, GArray *arrivals)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE_SECONDS * G_USEC_PER_SEC;

  self->marked++;
  send_marker (self, from);
  while (self->seen != self->marked)
    if (!poll_cables (self, deadline, arrivals))
      g_error ("A marker got lost on its way from %s", self->cables[from].far);
}

/* A cable that was just laid swallows what is sent before the kernel has seen that both its ends are up. */
static void
mark_until_seen (KernelNat *self, KhNatSide from, GArray *arrivals)
{
  gint64 deadline = g_get_monotonic_time () + PATIENCE_SECONDS * G_USEC_PER_SEC;

  self->marked++;
  while (self->seen != self->marked)
    {
      if (g_get_monotonic_time () > deadline)
        g_error ("No marker gets through from %s", self->cables[from].far);
      send_marker (self, from);
      poll_cables (self, g_get_monotonic_time () + G_USEC_PER_SEC / 100, arrivals);
    }
}

static void
kernel_nat_send (NatBackend *backend, KhNatSide from, guint8 *packet, gsize length, GArray *arrivals)
{
  KernelNat *self = (KernelNat *) backend;

  inject (self, from, packet, length);
  mark (self, from, arrivals);
  mark (self, from == KH_NAT_INSIDE ? KH_NAT_OUTSIDE : KH_NAT_INSIDE, arrivals);
}

/* The markers' own hole may have closed meanwhile. */
static void
kernel_nat_wait (NatBackend *backend, gint64 microseconds, GArray *arrivals)
{
  KernelNat *self = (KernelNat *) backend;
  gint64 deadline = g_get_monotonic_time () + microseconds;

  while (poll_cables (self, deadline, arrivals))
    ;
  mark (self, KH_NAT_INSIDE, arrivals);
  mark (self, KH_NAT_OUTSIDE, arrivals);
}

static void
close_descriptor (int fd)
{
  if (fd >= 0)
    close (fd);
}

static void
kernel_nat_free (NatBackend *backend)
{
  KernelNat *self = (KernelNat *) backend;

  for (int i = 0; i < 2; i++)
    close_descriptor (self->cables[i].fd);
  close_descriptor (self->router);
  close_descriptor (self->home);
  g_free (self);
}

/* After kh_namespace_leave_host(), in the network that it led to. */
NatBackend *
kernel_nat_new (const KhNatSettings *settings, GError **error)
{
  KernelNat *self = g_new0 (KernelNat, 1);
  g_autoptr (NatBackend) backend = &self->backend;
  g_autoptr (GArray) nothing = g_array_new (FALSE, FALSE, sizeof (NatArrival));

  self->backend = (NatBackend){ kernel_nat_send, kernel_nat_wait, kernel_nat_free };
  self->cables[0].fd = self->cables[1].fd = -1;
  stay_on_one_cpu ();
  self->home = kh_namespace_open ();
  self->router = kh_namespace_new_network (error);
  if (self->router < 0 || !be_no_router (self->home, error) || !be_a_router (self->router, error) ||
      !lay_cables (self, error) || !hold_cable (&self->cables[0], error) || !hold_cable (&self->cables[1], error) ||
      !translate_as (self->router, settings, error))
    return NULL;

  mark_until_seen (self, KH_NAT_INSIDE, nothing);
  mark_until_seen (self, KH_NAT_OUTSIDE, nothing);
  g_assert_cmpuint (nothing->len, ==, 0);

  return g_steal_pointer (&backend);
}
