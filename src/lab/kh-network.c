/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-network.h"

#include "kh-router.h"

#include <string.h>

/*      host ── wire 0 ── router 0 ── wire 1 ── … ── router n−1 ── wire n (access) ── edge ═╗
 *                                                                                       ╠═ other edges
 *      server ─────────────────────────────────────────────── wire 0 ─────────── edge ═╝
 *
 * A branch is one row of this. Edges are the internet's own routers: each stands for one network and knows the way to all others,
 * so between two networks a packet meets two of them. Packets move along by calls as long as wires are instant; where a
 * wire takes time they wait on it, and kh_network_advance() lets them go on. */

#define MAX_WIRES (KH_HOME_MAX_ROUTERS + 1)
#define N_BRANCHES 3

/* Documentation networks (RFC 5737, RFC 3849) play the internet; shared address space (RFC 6598) is between a carrier and its
 * customers. */
static const struct
{
  const char *name;
  const char *network;
  const char *network6;
  const char *lan;
} branch_places[N_BRANCHES] = {
  { "left", "198.51.100.0", "2001:db8:2::", "192.168.2.0" },
  { "right", "192.0.2.0", "2001:db8:3::", "192.168.3.0" },
  { "server", "203.0.113.0", "2001:db8:1::", "203.0.113.0" },
};
static const char *const carrier_networks[] = { "100.64.2.0", "10.2.0.0" };

typedef struct _Branch Branch;

typedef struct
{
  Branch *branch;
  guint level;
  guint number;
  char *name;
  KhLink *up;
  KhLink *down;
} Wire;

struct _Branch
{
  guint id;
  KhIp network;
  KhIp network6;
  KhIp edge;
  KhIp edge6;
  KhIp public;
  guint n_public;
  gboolean ipv6;
  KhRouter *routers[KH_HOME_MAX_ROUTERS];
  guint n_routers;
  Wire wires[MAX_WIRES];
  KhHostId hosts[2];
  guint n_hosts;
};

struct _KhNetwork
{
  gboolean expired;
  Branch branches[N_BRANCHES];
  guint n_branches;
  KhHostAddresses addresses[KH_N_HOSTS];
  Branch *homes[KH_N_HOSTS];
  Wire *wires[N_BRANCHES * MAX_WIRES];
  guint n_wires;
  KhNetworkDeliver deliver;
  gpointer deliver_data;
  KhNetworkRecord record;
  gpointer record_data;
};

static void put_up (KhNetwork *self, Wire *wire, const KhPacket *packet, gint64 now);
static void put_down (KhNetwork *self, Wire *wire, const KhPacket *packet, gint64 now);

/* A packet as it was on a wire: a router changes it before anybody knows what is to be said about it. */
typedef struct
{
  gsize length;
  guint8 data[KH_PACKET_MAX];
} Snapshot;

static void
keep (KhNetwork *self, const KhPacket *packet, Snapshot *snapshot)
{
  if (self->record == NULL)
    return;
  snapshot->length = packet->length;
  memcpy (snapshot->data, packet->data, packet->length);
}

static void
tell (KhNetwork *self, const Wire *wire, gboolean up, const Snapshot *snapshot, gint64 now, const char *comment)
{
  if (self->record != NULL)
    self->record (self->record_data, wire->number, up, snapshot->data, snapshot->length, now, comment);
}

/* Who is at the end of a wire: "left router", "left router 2" in a row, or the internet. */
static char *
name_receiver (const Wire *wire, gboolean up)
{
  const Branch *branch = wire->branch;
  guint router = up ? wire->level + 1 : wire->level;

  if (router > branch->n_routers)
    return g_strdup ("internet");
  if (branch->n_routers == 1)
    return g_strdup_printf ("%s router", branch_places[branch->id].name);

  return g_strdup_printf ("%s router %u", branch_places[branch->id].name, router);
}

static void
tell_verdict (KhNetwork *self, const Wire *wire, gboolean up, const Snapshot *snapshot, gint64 now, const char *does,
              const char *verdict)
{
  g_autofree char *receiver = NULL;
  g_autofree char *comment = NULL;

  if (self->record == NULL)
    return;
  receiver = name_receiver (wire, up);
  comment = g_strdup_printf ("%s %s: %s", receiver, does, verdict);
  tell (self, wire, up, snapshot, now, comment);
}

static void
answer (KhNetwork *self, Wire *inner, Wire *outer, KhRouterStep *step, gint64 now)
{
  KhPacket packet;
  const char *fault;

  if (step->answer_length == 0 || !kh_packet_parse (&packet, step->answer, step->answer_length, &fault))
    return;
  if (step->answer_to == KH_NAT_INSIDE)
    put_down (self, inner, &packet, now);
  else
    put_up (self, outer, &packet, now);
}

static void
pass_router (KhNetwork *self, Wire *wire, KhNatSide from, KhPacket *packet, gint64 now)
{
  Branch *branch = wire->branch;
  guint router = from == KH_NAT_INSIDE ? wire->level : wire->level - 1;
  Wire *inner = &branch->wires[router];
  Wire *outer = &branch->wires[router + 1];
  KhRouterStep step;
  Snapshot before;

  keep (self, packet, &before);
  kh_router_take (branch->routers[router], from, packet, now, &step);
  tell_verdict (self, wire, from == KH_NAT_INSIDE, &before, now,
                step.forward              ? "forwards"
                : step.answer_length != 0 ? "drops and answers"
                                          : "drops",
                step.verdict);
  if (step.forward && step.to == KH_NAT_OUTSIDE)
    put_up (self, outer, packet, now);
  else if (step.forward)
    put_down (self, inner, packet, now);
  answer (self, inner, outer, &step, now);
}

static gboolean
owns (const Branch *branch, const KhIp *ip)
{
  if (!kh_ip_is_v4 (ip))
    return branch->ipv6 && !kh_ip_equal (ip, &branch->edge6);
  for (guint i = 0; i < branch->n_public; i++)
    {
      KhIp public = kh_ip_plus (&branch->public, i);

      if (kh_ip_equal (ip, &public))
        return TRUE;
    }

  return FALSE;
}

static Branch *
find_branch (KhNetwork *self, const KhIp *ip)
{
  for (guint i = 0; i < self->n_branches; i++)
    if (kh_ip_is_within (ip, &self->branches[i].network, 24) || kh_ip_is_within (ip, &self->branches[i].network6, 64))
      return &self->branches[i];

  return NULL;
}

static void
answer_from_edge (KhNetwork *self, const Branch *edge, Wire *wire, KhIcmpError error, const KhPacket *packet,
                  gint64 now)
{
  KhRouterStep step = { .answer_to = KH_NAT_INSIDE };

  if (packet->kind == KH_PACKET_ERROR || (error == KH_ICMP_TIME_EXCEEDED && !self->expired))
    return;
  step.answer_length = kh_packet_build_error (step.answer, packet->ipv6 ? &edge->edge6 : &edge->edge, error, packet);
  answer (self, wire, NULL, &step, now);
}

/* Through the internet: from the edge of @wire's branch to that of another. */
static const char *
cross (KhNetwork *self, Wire *wire, KhPacket *packet, gint64 now, Branch **target)
{
  Branch *branch = wire->branch;
  KhIp receiver;

  kh_packet_get_receiver (packet, &receiver);
  *target = NULL;
  if (kh_ip_equal (&receiver, &branch->edge) || kh_ip_equal (&receiver, &branch->edge6))
    {
      KhRouterStep step = { .answer_to = KH_NAT_INSIDE };

      kh_router_answer_locally (packet, &step);
      answer (self, wire, NULL, &step, now);
      return "for the router itself";
    }
  if (packet->ttl <= 1)
    {
      answer_from_edge (self, branch, wire, KH_ICMP_TIME_EXCEEDED, packet, now);
      return "TTL used up";
    }

  kh_packet_decrement_ttl (packet);
  *target = find_branch (self, &receiver);
  if (*target == NULL)
    {
      answer_from_edge (self, branch, wire, KH_ICMP_NET_UNREACHABLE, packet, now);
      return "no such network";
    }

  return "on its way";
}

static void
pass_internet (KhNetwork *self, Wire *wire, KhPacket *packet, gint64 now)
{
  Branch *target;
  Snapshot before;
  KhIp receiver;
  const char *verdict;

  keep (self, packet, &before);
  kh_packet_get_receiver (packet, &receiver);
  verdict = cross (self, wire, packet, now, &target);
  tell_verdict (self, wire, TRUE, &before, now, target != NULL ? "forwards" : "drops", verdict);
  if (target == NULL)
    return;

  if (target != wire->branch)
    {
      if (packet->ttl <= 1)
        {
          answer_from_edge (self, target, wire, KH_ICMP_TIME_EXCEEDED, packet, now);
          return;
        }
      kh_packet_decrement_ttl (packet);
    }
  if (owns (target, &receiver))
    put_down (self, &target->wires[target->n_routers], packet, now);
  else
    answer_from_edge (self, target, wire, KH_ICMP_HOST_UNREACHABLE, packet, now);
}

static void
pass_host (KhNetwork *self, Wire *wire, const KhPacket *packet, gint64 now)
{
  const Branch *branch = wire->branch;
  Snapshot before;
  KhIp receiver;

  keep (self, packet, &before);
  kh_packet_get_receiver (packet, &receiver);
  for (guint i = 0; i < branch->n_hosts; i++)
    {
      const KhHostAddresses *own = &self->addresses[branch->hosts[i]];

      if (kh_ip_equal (&receiver, &own->own) || kh_ip_equal (&receiver, &own->second) ||
          kh_ip_equal (&receiver, &own->own6))
        {
          tell (self, wire, FALSE, &before, now, NULL);
          self->deliver (self->deliver_data, branch->hosts[i], packet->data, packet->length);
          return;
        }
    }
  tell (self, wire, FALSE, &before, now, "dropped: no such host");
}

/* A packet has come to the end of a wire. */
static void
arrive (KhNetwork *self, Wire *wire, gboolean up, KhPacket *packet, gint64 now)
{
  if (up && wire->level < wire->branch->n_routers)
    pass_router (self, wire, KH_NAT_INSIDE, packet, now);
  else if (up)
    pass_internet (self, wire, packet, now);
  else if (wire->level > 0)
    pass_router (self, wire, KH_NAT_OUTSIDE, packet, now);
  else
    pass_host (self, wire, packet, now);
}

static void
put (KhNetwork *self, Wire *wire, gboolean up, const KhPacket *packet, gint64 now)
{
  KhLink *link = up ? wire->up : wire->down;
  KhPacket moving = *packet;
  Snapshot before;

  if (kh_link_is_instant (link))
    arrive (self, wire, up, &moving, now);
  else if (!kh_link_send (link, packet->data, packet->length, now))
    {
      keep (self, packet, &before);
      tell (self, wire, up, &before, now, "lost on the link");
    }
}

static void
put_up (KhNetwork *self, Wire *wire, const KhPacket *packet, gint64 now)
{
  put (self, wire, TRUE, packet, now);
}

static void
put_down (KhNetwork *self, Wire *wire, const KhPacket *packet, gint64 now)
{
  put (self, wire, FALSE, packet, now);
}

/**
 * kh_network_send:
 * @self: a network
 * @from: who sends
 * @packet: an IP packet, changed
 * @length: its bytes, at most %KH_PACKET_MAX
 * @now: monotonic microseconds
 *
 * A packet leaves a host. Where no wire takes time, it is delivered before this returns.
 */
void
kh_network_send (KhNetwork *self, KhHostId from, guint8 *packet, gsize length, gint64 now)
{
  Branch *branch = self->homes[from];
  Wire *wire = &branch->wires[0];
  KhPacket parsed;
  const char *fault;
  KhIp receiver;

  g_return_if_fail (length <= KH_PACKET_MAX);

  if (!kh_packet_parse (&parsed, packet, length, &fault))
    {
      Snapshot junk = { .length = length };

      memcpy (junk.data, packet, length);
      tell_verdict (self, wire, TRUE, &junk, now, "drops", fault);
      return;
    }

  /* Two hosts on one LAN need no router. */
  kh_packet_get_receiver (&parsed, &receiver);
  for (guint i = 0; branch->n_hosts > 1 && i < branch->n_hosts; i++)
    if (kh_ip_equal (&receiver, &self->addresses[branch->hosts[i]].own) ||
        (parsed.ipv6 && kh_ip_equal (&receiver, &self->addresses[branch->hosts[i]].own6)))
      {
        pass_host (self, wire, &parsed, now);
        return;
      }
  put_up (self, wire, &parsed, now);
}

/**
 * kh_network_get_next:
 *
 * Returns: when the next packet arrives anywhere, %G_MAXINT64 when none is under way
 */
gint64
kh_network_get_next (KhNetwork *self)
{
  gint64 next = G_MAXINT64;

  for (guint i = 0; i < self->n_wires; i++)
    {
      next = MIN (next, kh_link_get_next (self->wires[i]->up));
      next = MIN (next, kh_link_get_next (self->wires[i]->down));
    }

  return next;
}

static gboolean
advance_link (KhNetwork *self, Wire *wire, gboolean up, gint64 now)
{
  g_autofree KhLinkArrival *arrival = kh_link_receive (up ? wire->up : wire->down, now);
  KhPacket packet;
  const char *fault;

  if (arrival == NULL)
    return FALSE;
  /* It was well-formed when it was sent. What happens further on happens at the time it was due. */
  if (kh_packet_parse (&packet, arrival->data, arrival->length, &fault))
    arrive (self, wire, up, &packet, arrival->due);

  return TRUE;
}

/**
 * kh_network_advance:
 * @self: a network
 * @now: monotonic microseconds
 *
 * Lets go on what has arrived by now.
 */
void
kh_network_advance (KhNetwork *self, gint64 now)
{
  gboolean moved = TRUE;

  while (moved)
    {
      moved = FALSE;
      for (guint i = 0; i < self->n_wires; i++)
        {
          moved |= advance_link (self, self->wires[i], TRUE, now);
          moved |= advance_link (self, self->wires[i], FALSE, now);
        }
    }
}

static void
add_wires (KhNetwork *self, Branch *branch, const KhHome *home, guint32 seed)
{
  static const KhLinkSettings instant;

  for (guint level = 0; level <= branch->n_routers; level++)
    {
      Wire *wire = &branch->wires[level];
      const char *name = branch_places[branch->id].name;
      gboolean access = home != NULL && level == branch->n_routers;

      wire->branch = branch;
      wire->level = level;
      wire->number = self->n_wires;
      wire->name = home == NULL ? g_strdup (name)
                   : access     ? g_strdup_printf ("%s access", name)
                   : level == 0 ? g_strdup_printf ("%s lan", name)
                                : g_strdup_printf ("%s carrier %u", name, level);
      wire->up = kh_link_new (access ? &home->up : &instant, seed + level * 2);
      wire->down = kh_link_new (access ? &home->down : &instant, seed + level * 2 + 1);
      self->wires[self->n_wires++] = wire;
    }
}

static Branch *
add_branch (KhNetwork *self, guint id)
{
  Branch *branch = &self->branches[self->n_branches++];

  branch->id = id;
  branch->network = kh_ip_from_text (branch_places[id].network);
  branch->network6 = kh_ip_from_text (branch_places[id].network6);
  branch->edge = kh_ip_plus (&branch->network, 1);
  branch->edge6 = kh_ip_plus (&branch->network6, 1);
  branch->public = kh_ip_plus (&branch->network, 2);
  branch->n_public = 1;

  return branch;
}

static void
add_host (KhNetwork *self, Branch *branch, KhHostId host, const KhIp *network)
{
  KhHostAddresses *addresses = &self->addresses[host];
  guint number = 2 + branch->n_hosts;

  addresses->own = kh_ip_plus (network, number);
  addresses->gateway = kh_ip_plus (network, 1);
  addresses->outside = kh_ip_plus (&branch->public, branch->n_routers == 1 ? branch->n_hosts % branch->n_public : 0);
  if (branch->ipv6)
    {
      addresses->own6 = kh_ip_plus (&branch->network6, number);
      addresses->gateway6 = branch->edge6;
    }
  self->homes[host] = branch;
  branch->hosts[branch->n_hosts++] = host;
}

/* Networks from the internet inwards: each router that translates has one of its own behind it. */
static void
add_routers (Branch *branch, const KhHome *home, guint32 seed, KhIp *inside_network)
{
  KhIp outer_network = branch->network;
  guint carriers = 0;

  branch->n_routers = home->n_routers;
  branch->ipv6 = TRUE;
  for (guint i = home->n_routers; i-- > 0;)
    {
      const KhNatSettings *settings = &home->routers[i];
      KhIp inner_network = outer_network;
      KhRouterAddresses addresses = { .inside6 = branch->edge6, .outside6 = branch->edge6 };

      if (settings->mapping != KH_NAT_NONE)
        inner_network = kh_ip_from_text (i == 0 ? branch_places[branch->id].lan : carrier_networks[carriers++]);
      addresses.outside = kh_ip_plus (&outer_network, 2);
      addresses.inside = kh_ip_plus (&inner_network, 1);
      addresses.first_inside = kh_ip_plus (&inner_network, 2);
      branch->routers[i] = kh_router_new (settings, &addresses, seed + i);
      branch->ipv6 = branch->ipv6 && settings->ipv6 != KH_NAT_IPV6_NONE;
      outer_network = inner_network;
    }
  for (guint i = home->n_routers; i-- > 0;)
    if (home->routers[i].mapping != KH_NAT_NONE)
      {
        branch->n_public = home->routers[i].addresses;
        break;
      }

  *inside_network = outer_network;
}

static void
add_home (KhNetwork *self, guint id, const KhHome *home, guint32 seed, gboolean both)
{
  Branch *branch = add_branch (self, id);
  KhIp network;

  add_routers (branch, home, seed, &network);
  add_wires (self, branch, home, seed + 100);
  add_host (self, branch, id == 0 ? KH_HOST_LEFT : KH_HOST_RIGHT, &network);
  if (both)
    {
      add_host (self, branch, KH_HOST_RIGHT, &network);
      /* Two public hosts need two public addresses. */
      if (kh_ip_is_within (&network, &branch->network, 24))
        {
          branch->n_public = MAX (branch->n_public, 2);
          self->addresses[KH_HOST_RIGHT].outside = self->addresses[KH_HOST_RIGHT].own;
        }
    }
}

static void
add_server (KhNetwork *self)
{
  Branch *branch = add_branch (self, KH_HOST_SERVER);

  branch->ipv6 = TRUE;
  branch->n_public = 2;
  add_wires (self, branch, NULL, 0);
  add_host (self, branch, KH_HOST_SERVER, &branch->network);
  self->addresses[KH_HOST_SERVER].second = kh_ip_plus (&branch->network, 3);
}

/**
 * kh_network_new:
 * @settings: what to build
 * @deliver: called with each packet that comes to a host
 * @data: for @deliver
 *
 * A small internet, without any I/O: hosts, routers, links and what is between them.
 *
 * Returns: (transfer full): the network
 */
KhNetwork *
kh_network_new (const KhNetworkSettings *settings, KhNetworkDeliver deliver, gpointer data)
{
  KhNetwork *self = g_new0 (KhNetwork, 1);

  self->expired = settings->expired;
  self->deliver = deliver;
  self->deliver_data = data;
  add_home (self, 0, &settings->left, settings->seed + 1000, settings->same_home);
  if (!settings->same_home)
    add_home (self, 1, &settings->right, settings->seed + 2000, FALSE);
  add_server (self);

  return self;
}

void
kh_network_free (KhNetwork *self)
{
  for (guint i = 0; i < self->n_wires; i++)
    {
      g_free (self->wires[i]->name);
      kh_link_free (self->wires[i]->up);
      kh_link_free (self->wires[i]->down);
    }
  for (guint i = 0; i < self->n_branches; i++)
    for (guint r = 0; r < self->branches[i].n_routers; r++)
      kh_router_free (self->branches[i].routers[r]);
  g_free (self);
}

/**
 * kh_network_get_addresses:
 *
 * Returns: (transfer none): where a host is
 */
const KhHostAddresses *
kh_network_get_addresses (KhNetwork *self, KhHostId host)
{
  return &self->addresses[host];
}

guint
kh_network_get_n_wires (KhNetwork *self)
{
  return self->n_wires;
}

/**
 * kh_network_get_wire_name:
 *
 * Returns: (transfer none): such as `left access`
 */
const char *
kh_network_get_wire_name (KhNetwork *self, guint wire)
{
  return self->wires[wire]->name;
}

/**
 * kh_network_set_record:
 * @self: a network
 * @record: called with each packet that comes to the end of a wire, or is lost on it
 * @data: for @record
 */
void
kh_network_set_record (KhNetwork *self, KhNetworkRecord record, gpointer data)
{
  self->record = record;
  self->record_data = data;
}
