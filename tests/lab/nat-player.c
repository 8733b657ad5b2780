/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nat-player.h"

#include "kh-checksum.h"
#include "nat-trace.h"

#include <string.h>

#define IP_HEADER 20
#define SHORT_TCP 12
#define QUOTED_SEQ 1000

/* Who knows which inside end by which outside port: scripts name outside ports by the flow that made them. */
typedef struct
{
  NatBackend *backend;
  NatTrace *trace;
  GHashTable *ports; /* flow → outside port */
} Player;

static KhProtocol
get_protocol (NatStepKind kind)
{
  return kind == NAT_STEP_TCP ? KH_PROTOCOL_TCP : kind == NAT_STEP_UDP ? KH_PROTOCOL_UDP : KH_PROTOCOL_ICMP;
}

static char *
make_key (KhProtocol protocol, const NatEnd *inside, const NatHost *viewer, guint16 viewer_port)
{
  return g_strdup_printf ("%u %s:%u %s:%u", protocol, inside->host->name, inside->port, viewer->name, viewer_port);
}

/* A port that was never seen outside is taken for preserved: that is where one would knock. */
static guint16
find_outside_port (Player *self, KhProtocol protocol, const NatEnd *inside, const NatEnd *other)
{
  const NatHost *viewer = inside->viewer != NULL ? inside->viewer : other->host;
  guint16 viewer_port = inside->viewer != NULL ? inside->viewer_port : other->port;
  g_autofree char *key = make_key (protocol, inside, viewer, viewer_port);
  gpointer port = g_hash_table_lookup (self->ports, key);

  return port != NULL ? (guint16) GPOINTER_TO_UINT (port) : inside->port;
}

/* The endpoint that @end is for a host on the side @from. */
static KhEndpoint
resolve (Player *self, KhProtocol protocol, KhNatSide from, const NatEnd *end, const NatEnd *other)
{
  KhEndpoint endpoint = { nat_host_get_ip (end->host), end->port };

  if (from == KH_NAT_OUTSIDE && end->host->side == KH_NAT_INSIDE && !end->straight)
    {
      endpoint.ip = kh_ip_from_text (NAT_ROUTER_OUTSIDE);
      endpoint.port = find_outside_port (self, protocol, end, other);
    }

  return endpoint;
}

static gsize
build_flow (NatStepKind kind, guint8 *room, const KhEndpoint *source, const KhEndpoint *destination,
            const KhTcpFields *fields)
{
  switch (kind)
    {
    case NAT_STEP_TCP:
      return kh_packet_build_tcp (room, source, destination, fields);
    case NAT_STEP_UDP:
      return kh_packet_build_udp (room, source, destination, fields->ttl, fields->payload, fields->length);
    case NAT_STEP_PING:
      return kh_packet_build_echo (room, &source->ip, &destination->ip, TRUE, source->port, 1, fields->ttl);
    case NAT_STEP_PONG:
      return kh_packet_build_echo (room, &source->ip, &destination->ip, FALSE, destination->port, 1, fields->ttl);
    default:
      g_assert_not_reached ();
    }
}

/* An error goes to whoever sent what it quotes. */
static gsize
build_error (Player *self, const NatStep *step, guint8 *room)
{
  KhTcpFields fields = { .flags = KH_TCP_SYN, .seq = QUOTED_SEQ, .window_scale = -1 };
  KhProtocol protocol = get_protocol (step->quoted);
  KhNatSide from = step->source.host->side;
  KhEndpoint source = resolve (self, protocol, from, &step->quoted_source, &step->quoted_destination);
  KhEndpoint destination = resolve (self, protocol, from, &step->quoted_destination, &step->quoted_source);
  KhIp sender = nat_host_get_ip (step->source.host);
  guint8 quoted[KH_PACKET_MAX];
  const char *fault;
  KhPacket cause;

  if (!kh_packet_parse (&cause, quoted, build_flow (step->quoted, quoted, &source, &destination, &fields), &fault))
    g_error ("%s: %s", step->text, fault);

  return kh_packet_build_error (room, &sender, step->error, &cause);
}

static void
renew_ip_checksum (guint8 *room)
{
  guint16 checksum;

  kh_put16 (room + 10, 0);
  checksum = kh_checksum_finish (kh_checksum_add (0, room, IP_HEADER));
  memcpy (room + 10, &checksum, sizeof checksum);
}

static gsize
damage (NatFault fault, guint8 *room, gsize length)
{
  switch (fault)
    {
    case NAT_FAULT_CHECKSUM:
      room[length - 1] ^= 0xff;
      break;
    case NAT_FAULT_SHORT:
      length = IP_HEADER + SHORT_TCP;
      kh_put16 (room + 2, (guint16) length);
      break;
    case NAT_FAULT_FRAGMENT:
      room[6] = 0x20; /* more will follow */
      break;
    case NAT_FAULT_NONE:
      break;
    }
  renew_ip_checksum (room);

  return length;
}

static gsize
build (Player *self, const NatStep *step, guint8 *room)
{
  KhNatSide from = step->source.host->side;
  KhProtocol protocol = get_protocol (step->kind);
  KhEndpoint source = resolve (self, protocol, from, &step->source, &step->destination);
  KhEndpoint destination = resolve (self, protocol, from, &step->destination, &step->source);
  gsize length;

  if (step->kind == NAT_STEP_ERROR)
    length = build_error (self, step, room);
  else
    length = build_flow (step->kind, room, &source, &destination, &step->tcp);

  return damage (step->fault, room, length);
}

/* Remembers by which outside port the flow of a step from inside is known. */
static void
learn (Player *self, const NatStep *step, const NatArrival *arrival)
{
  KhIp outside = kh_ip_from_text (NAT_ROUTER_OUTSIDE);
  NatArrival copy = *arrival;
  const char *fault;
  KhPacket packet;

  if (step->source.host->side != KH_NAT_INSIDE || step->kind == NAT_STEP_ERROR || arrival->side != KH_NAT_OUTSIDE ||
      !kh_packet_parse (&packet, copy.data, copy.length, &fault) || !kh_ip_equal (&packet.source.ip, &outside) ||
      packet.source.port == 0)
    return;

  g_hash_table_insert (
      self->ports, make_key (get_protocol (step->kind), &step->source, step->destination.host, step->destination.port),
      GUINT_TO_POINTER (packet.source.port));
  if (packet.source.port != step->source.port)
    nat_trace_name_port (self->trace, packet.protocol, packet.source.port);
}

/* In the order in which they came out, those inside first: which side was first, no one can say. */
static char *
describe (Player *self, GArray *arrivals)
{
  g_autoptr (GStrvBuilder) lines = g_strv_builder_new ();
  g_auto (GStrv) texts = NULL;

  for (int side = KH_NAT_INSIDE; side <= KH_NAT_OUTSIDE; side++)
    for (guint i = 0; i < arrivals->len; i++)
      {
        const NatArrival *arrival = &g_array_index (arrivals, NatArrival, i);
        g_autofree char *line = arrival->side == (KhNatSide) side ? nat_trace_describe (self->trace, arrival) : NULL;

        if (line != NULL)
          g_strv_builder_add (lines, line);
      }

  texts = g_strv_builder_end (lines);

  return texts[0] != NULL ? g_strjoinv ("; ", texts) : g_strdup ("nothing");
}

static char *
take_step (Player *self, const NatStep *step)
{
  g_autoptr (GArray) arrivals = g_array_new (FALSE, FALSE, sizeof (NatArrival));
  guint8 room[KH_PACKET_MAX];

  if (step->kind == NAT_STEP_WAIT)
    self->backend->wait (self->backend, step->microseconds, arrivals);
  else
    self->backend->send (self->backend, step->source.host->side, room, build (self, step, room), arrivals);

  for (guint i = 0; i < arrivals->len; i++)
    learn (self, step, &g_array_index (arrivals, NatArrival, i));

  return describe (self, arrivals);
}

/**
 * nat_play:
 * @sequence: what happens
 * @backend: a router that has seen nothing yet
 *
 * Returns: (transfer full): what came out of it, a text for each step
 */
char **
nat_play (const NatSequence *sequence, NatBackend *backend)
{
  g_autoptr (GStrvBuilder) texts = g_strv_builder_new ();
  g_autoptr (NatTrace) trace = nat_trace_new ();
  g_autoptr (GHashTable) ports = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  Player player = { backend, trace, ports };

  for (guint i = 0; i < sequence->steps->len; i++)
    {
      g_autofree char *text = take_step (&player, &g_array_index (sequence->steps, NatStep, i));

      g_strv_builder_add (texts, text);
    }

  return g_strv_builder_end (texts);
}
