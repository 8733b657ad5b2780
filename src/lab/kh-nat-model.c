/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-nat-model.h"

#include "kh-nat-ports.h"
#include "kh-nat-table.h"

/* Flows at once, whatever the limit for mappings: an endpoint-independent mapping may carry many. */
#define MAX_SESSIONS 131072

/* How long a connection lives without packets in the states for which no setting speaks: as on Linux. */
#define SYN_RECEIVED_SECONDS 60
#define FIN_WAIT_SECONDS 120
#define CLOSE_WAIT_SECONDS 60
#define LAST_ACK_SECONDS 30

/* Questions and answers over UDP are a stream when they go on for longer than this: as on Linux. */
#define STREAM_AGE_US (2 * G_TIME_SPAN_SECOND)

struct _KhNatModel
{
  KhNatSettings settings;
  KhIp outside;
  KhNatTable *table;
  KhNatPortChooser *ports;
};

static const KhEndpoint anybody;

/**
 * kh_nat_model_new:
 * @settings: what it is to be like
 * @outside: its outside address, or the first of them; unused where nothing is translated
 * @first_inside: to whom forwarded ports lead
 * @seed: where random ports come from
 *
 * A router's translation and filtering, without any I/O: packets go in and come out changed, the time is passed along.
 *
 * Returns: (transfer full): the model
 */
KhNatModel *
kh_nat_model_new (const KhNatSettings *settings, const KhIp *outside, const KhIp *first_inside, guint32 seed)
{
  static const KhProtocol protocols[] = { KH_PROTOCOL_TCP, KH_PROTOCOL_UDP };
  KhNatModel *self = g_new0 (KhNatModel, 1);

  self->settings = *settings;
  self->outside = *outside;
  self->table = kh_nat_table_new ();
  self->ports = kh_nat_port_chooser_new (settings, outside, seed);
  for (guint i = 0; i < settings->n_forwards; i++)
    for (gsize n = 0; n < G_N_ELEMENTS (protocols); n++)
      {
        KhEndpoint inner = { *first_inside, settings->forwards[i] };
        KhEndpoint outer = { settings->mapping == KH_NAT_NONE ? *first_inside : *outside, settings->forwards[i] };

        kh_nat_table_add_mapping (self->table, protocols[n], &inner, &anybody, &outer)->forward = TRUE;
      }

  return self;
}

void
kh_nat_model_free (KhNatModel *self)
{
  kh_nat_table_free (self->table);
  kh_nat_port_chooser_free (self->ports);
  g_free (self);
}

/**
 * kh_nat_model_get_mappings:
 *
 * Returns: how many there are
 */
guint
kh_nat_model_get_mappings (KhNatModel *self, gint64 now)
{
  kh_nat_table_sweep (self->table, now);

  return kh_nat_table_count_mappings (self->table);
}

static KhNatResult
forward (KhNatSide to, const char *verdict)
{
  return (KhNatResult){ KH_NAT_FORWARD, to, verdict };
}

static KhNatResult
drop (const char *verdict)
{
  return (KhNatResult){ KH_NAT_DROP, KH_NAT_INSIDE, verdict };
}

static KhNatResult
expire (void)
{
  return (KhNatResult){ KH_NAT_EXPIRED, KH_NAT_INSIDE, "TTL used up" };
}

static gboolean
is_own_address (const KhNatModel *self, const KhIp *ip)
{
  if (self->settings.mapping == KH_NAT_NONE || kh_ip_is_v4 (ip) != kh_ip_is_v4 (&self->outside))
    return FALSE;
  for (guint i = 0; i < self->settings.addresses; i++)
    {
      KhIp own = kh_ip_plus (&self->outside, i);

      if (kh_ip_equal (ip, &own))
        return TRUE;
    }

  return FALSE;
}

/* IPv6 is not translated (RFC 6092 section 2). */
static gboolean
translates (const KhNatModel *self, const KhPacket *packet)
{
  return self->settings.mapping != KH_NAT_NONE && !packet->ipv6;
}

static KhNatDependence
get_filtering (const KhNatModel *self, const KhPacket *packet)
{
  if (!packet->ipv6)
    return self->settings.filtering;

  return self->settings.ipv6 == KH_NAT_IPV6_OPEN ? KH_NAT_ENDPOINT_INDEPENDENT : KH_NAT_ADDRESS_AND_PORT_DEPENDENT;
}

static guint
get_lifetime (const KhNatModel *self, const KhNatSession *session, gint64 now)
{
  const KhNatSettings *settings = &self->settings;

  if (session->mapping->protocol == KH_PROTOCOL_UDP && session->answered && now - session->began > STREAM_AGE_US)
    return settings->udp_stream_seconds;
  if (session->mapping->protocol != KH_PROTOCOL_TCP)
    return settings->udp_seconds;

  switch (session->track.state)
    {
    case KH_TCP_ESTABLISHED:
      return settings->idle_seconds;
    case KH_TCP_SYN_RECEIVED:
      return SYN_RECEIVED_SECONDS;
    case KH_TCP_FIN_WAIT:
      return FIN_WAIT_SECONDS;
    case KH_TCP_CLOSE_WAIT:
      return CLOSE_WAIT_SECONDS;
    case KH_TCP_LAST_ACK:
      return LAST_ACK_SECONDS;
    case KH_TCP_TIME_WAIT:
      return settings->fin_seconds;
    case KH_TCP_CLOSED:
      return settings->rst_seconds;
    case KH_TCP_NONE:
    case KH_TCP_SYN_SENT:
    case KH_TCP_SYN_CROSSED:
    default:
      return settings->syn_seconds;
    }
}

/* What comes of a packet of a flow that is known: whether it may pass, and what is left of the flow. */
typedef enum
{
  PASSES,
  PASSES_LAST,
  IS_INVALID,
  BEGINS_ANEW,
} Standing;

static Standing
follow (KhNatModel *self, KhNatSession *session, KhNatSide from, const KhPacket *packet, gint64 now)
{
  gboolean opener = session->from_outside == (from == KH_NAT_OUTSIDE);

  if (packet->protocol == KH_PROTOCOL_TCP)
    switch (kh_tcp_track_take (&session->track, opener ? KH_TCP_ORIGINAL : KH_TCP_REPLY, packet, self->settings.strict))
      {
      case KH_TCP_INVALID:
        return IS_INVALID;
      case KH_TCP_REOPEN:
        return BEGINS_ANEW;
      case KH_TCP_IGNORE:
        return PASSES;
      case KH_TCP_FORGET:
        return PASSES_LAST;
      case KH_TCP_PASS:
      default:
        break;
      }
  session->expires = now + get_lifetime (self, session, now) * G_TIME_SPAN_SECOND;
  session->answered |= !opener;

  return session->expires > now ? PASSES : PASSES_LAST;
}

static KhEndpoint
get_scope (const KhNatModel *self, const KhPacket *packet)
{
  KhEndpoint scope = packet->destination;

  if (!translates (self, packet) || self->settings.mapping == KH_NAT_ENDPOINT_INDEPENDENT)
    return anybody;
  if (self->settings.mapping == KH_NAT_ADDRESS_DEPENDENT)
    scope.port = 0;

  return scope;
}

/* The mapping that a new flow from inside goes through; an old one wherever the settings let it be shared. */
static KhNatMapping *
find_or_add_mapping (KhNatModel *self, const KhPacket *packet, gint64 now)
{
  KhEndpoint scope = get_scope (self, packet);
  KhEndpoint outside = packet->source;
  KhNatMapping *mapping = kh_nat_table_find_mappings (self->table, packet->protocol, &packet->source, &scope);

  for (; mapping != NULL; mapping = mapping->next_inside)
    if (kh_nat_table_find_outside (self->table, packet->protocol, &mapping->outside, &packet->destination, now) == NULL)
      return mapping;

  if (kh_nat_table_count_mappings (self->table) >= self->settings.limit + 2 * self->settings.n_forwards)
    return NULL;
  if (translates (self, packet) && !kh_nat_port_chooser_choose (self->ports, self->table, packet->protocol,
                                                                &packet->source, &packet->destination, now, &outside))
    return NULL;

  return kh_nat_table_add_mapping (self->table, packet->protocol, &packet->source, &scope, &outside);
}

/* A flow that nobody knew, of a packet that may begin one. */
static void
begin (KhNatModel *self, KhNatMapping *mapping, const KhEndpoint *remote, KhNatSide from, const KhPacket *packet,
       gint64 now)
{
  KhNatSession *session = kh_nat_table_add_session (self->table, mapping, remote, from == KH_NAT_OUTSIDE);

  session->began = now;
  follow (self, session, from, packet, now);
}

/* Whether a packet may be the first of a flow: asked before a mapping is made for it. */
static gboolean
may_begin (const KhPacket *packet, gboolean strict)
{
  KhTcpTrack track = { 0 };

  if (packet->protocol == KH_PROTOCOL_TCP)
    return kh_tcp_track_take (&track, KH_TCP_ORIGINAL, packet, strict) != KH_TCP_INVALID;

  return packet->protocol == KH_PROTOCOL_UDP || packet->echo_request;
}

static KhNatResult
open_from_inside (KhNatModel *self, KhPacket *packet, gint64 now)
{
  KhNatMapping *mapping;
  guint known = kh_nat_table_count_mappings (self->table);

  if (packet->ttl <= 1)
    return expire ();
  if (!may_begin (packet, self->settings.strict))
    return drop ("nothing that could begin a flow");
  if (kh_nat_table_count_sessions (self->table) >= MAX_SESSIONS)
    return drop ("no room for another flow");
  mapping = find_or_add_mapping (self, packet, now);
  if (mapping == NULL)
    return drop ("no room for another mapping");

  begin (self, mapping, &packet->destination, KH_NAT_INSIDE, packet, now);
  if (translates (self, packet))
    kh_packet_set_source (packet, &mapping->outside);

  return forward (KH_NAT_OUTSIDE, !translates (self, packet)                          ? "opens a hole"
                                  : kh_nat_table_count_mappings (self->table) > known ? "new mapping"
                                                                                      : "another hole in a mapping");
}

static KhNatResult
take_from_inside (KhNatModel *self, KhPacket *packet, gint64 now)
{
  KhNatSession *session =
      kh_nat_table_find_inside (self->table, packet->protocol, &packet->source, &packet->destination, now);
  Standing standing = session != NULL ? follow (self, session, KH_NAT_INSIDE, packet, now) : BEGINS_ANEW;
  gboolean expired = packet->ttl <= 1;

  if (standing == IS_INVALID)
    return expired ? expire () : drop ("does not fit its connection");
  if (standing == BEGINS_ANEW)
    {
      if (session != NULL)
        kh_nat_table_remove_session (self->table, session);
      return open_from_inside (self, packet, now);
    }

  if (!expired && translates (self, packet))
    kh_packet_set_source (packet, &session->mapping->outside);
  if (standing == PASSES_LAST)
    kh_nat_table_remove_session (self->table, session);

  return expired
             ? expire ()
             : forward (KH_NAT_OUTSIDE, standing == PASSES_LAST ? "the last packet of a known flow" : "a known flow");
}

/* Whether the filter lets somebody in through a mapping: because of whom it sent to. */
static gboolean
admits (KhNatModel *self, const KhNatMapping *mapping, const KhPacket *packet)
{
  KhNatDependence filtering = get_filtering (self, packet);

  if (mapping->forward || filtering == KH_NAT_ENDPOINT_INDEPENDENT)
    return TRUE;

  return filtering == KH_NAT_ADDRESS_DEPENDENT && kh_nat_table_knows_peer (self->table, mapping, &packet->source);
}

static KhNatMapping *
find_open_mapping (KhNatModel *self, const KhPacket *packet)
{
  KhNatMapping *mapping = kh_nat_table_find_port (self->table, packet->protocol, &packet->destination);

  for (; mapping != NULL; mapping = mapping->next_outside)
    if (admits (self, mapping, packet))
      return mapping;

  return NULL;
}

/* Somebody whom no rule lets in. */
static KhNatResult
refuse (KhNatModel *self, const KhPacket *packet, gboolean known_port)
{
  gboolean answer = packet->protocol != KH_PROTOCOL_TCP || may_begin (packet, TRUE);
  KhNatAction action = KH_NAT_DROP;

  if (packet->protocol == KH_PROTOCOL_ICMP)
    return (KhNatResult){ translates (self, packet) ? KH_NAT_LOCAL : KH_NAT_DROP, KH_NAT_INSIDE,
                          "for the router itself" };
  if (answer && self->settings.stranger == KH_NAT_ICMP)
    action = KH_NAT_ANSWER_PROHIBITED;
  else if (answer && self->settings.stranger == KH_NAT_RST && packet->protocol == KH_PROTOCOL_TCP)
    action = KH_NAT_ANSWER_RST;
  if (known_port)
    return (KhNatResult){ action, KH_NAT_OUTSIDE, "a stranger: the filter has no hole for this sender" };

  return (KhNatResult){ action, KH_NAT_OUTSIDE, "a stranger: there is no such mapping" };
}

static KhNatResult
open_from_outside (KhNatModel *self, KhPacket *packet, gint64 now)
{
  gboolean known_port = kh_nat_table_find_port (self->table, packet->protocol, &packet->destination) != NULL;
  KhNatMapping *mapping;

  if (!may_begin (packet, self->settings.strict) ||
      (packet->protocol == KH_PROTOCOL_TCP && (packet->tcp_flags & KH_TCP_SYN) == 0))
    return refuse (self, packet, known_port);
  mapping = find_open_mapping (self, packet);
  if (mapping == NULL)
    return refuse (self, packet, known_port);
  if (!self->settings.bare_syn && packet->protocol == KH_PROTOCOL_TCP && !mapping->forward)
    return drop ("a bare SYN: nothing begins from outside");
  if (packet->ttl <= 1)
    return expire ();
  if (kh_nat_table_count_sessions (self->table) >= MAX_SESSIONS)
    return drop ("no room for another flow");
  /* An answer could not be told from what the host sends to the same place through another mapping. */
  if (kh_nat_table_find_inside (self->table, packet->protocol, &mapping->inside, &packet->source, now) != NULL)
    return drop ("the two have a flow already, through another mapping");

  begin (self, mapping, &packet->source, KH_NAT_OUTSIDE, packet, now);
  if (translates (self, packet))
    kh_packet_set_destination (packet, &mapping->inside);

  return forward (KH_NAT_INSIDE, "let in");
}

static gboolean
is_bare_syn (const KhPacket *packet)
{
  return packet->protocol == KH_PROTOCOL_TCP &&
         (packet->tcp_flags & (KH_TCP_SYN | KH_TCP_ACK | KH_TCP_RST)) == KH_TCP_SYN;
}

static KhNatResult
take_from_outside (KhNatModel *self, KhPacket *packet, gint64 now)
{
  KhNatSession *session =
      kh_nat_table_find_outside (self->table, packet->protocol, &packet->destination, &packet->source, now);
  gboolean expired = packet->ttl <= 1;
  Standing standing;

  if (session != NULL && !session->from_outside && !self->settings.bare_syn && is_bare_syn (packet))
    return drop ("a bare SYN: nothing begins from outside");
  standing = session != NULL ? follow (self, session, KH_NAT_OUTSIDE, packet, now) : BEGINS_ANEW;
  if (standing == IS_INVALID)
    return drop ("does not fit its connection");
  if (standing == BEGINS_ANEW)
    {
      if (session != NULL)
        kh_nat_table_remove_session (self->table, session);
      return open_from_outside (self, packet, now);
    }
  if (!expired && translates (self, packet))
    kh_packet_set_destination (packet, &session->mapping->inside);
  if (standing == PASSES_LAST)
    kh_nat_table_remove_session (self->table, session);
  if (expired)
    return expire ();

  return forward (KH_NAT_INSIDE, standing == PASSES_LAST ? "the last packet of a known flow" : "a known flow");
}

/* An ICMP error goes to whoever sent the packet that it is about (RFC 5508 section 4). */
static KhNatResult
take_error (KhNatModel *self, KhNatSide from, KhPacket *packet, gint64 now)
{
  KhNatSide to = from == KH_NAT_INSIDE ? KH_NAT_OUTSIDE : KH_NAT_INSIDE;
  KhNatSession *session =
      from == KH_NAT_INSIDE
          ? kh_nat_table_find_inside (self->table, packet->protocol, &packet->destination, &packet->source, now)
          : kh_nat_table_find_outside (self->table, packet->protocol, &packet->source, &packet->destination, now);

  if (session == NULL)
    return drop ("an ICMP error about a flow that is not known");
  if (packet->ttl <= 1)
    return drop ("TTL used up");
  if (!translates (self, packet))
    return forward (to, "an ICMP error");

  if (from == KH_NAT_INSIDE)
    {
      kh_packet_set_destination (packet, &session->mapping->outside);
      kh_packet_set_sender (packet, &session->mapping->outside.ip);
    }
  else
    {
      kh_packet_set_source (packet, &session->mapping->inside);
      kh_packet_set_receiver (packet, &session->mapping->inside.ip);
    }

  return forward (to, "an ICMP error");
}

/* Neither translates nor filters: a plain router, which remembers nothing. */
static gboolean
is_plain (const KhNatModel *self, const KhPacket *packet)
{
  return !translates (self, packet) && get_filtering (self, packet) == KH_NAT_ENDPOINT_INDEPENDENT;
}

/* Two inside hosts that know each other by outside addresses: out and in again, as if the one were outside (RFC 5382
 * REQ-8). */
static KhNatResult
turn_back (KhNatModel *self, KhPacket *packet, gint64 now)
{
  KhNatResult result;

  if (!self->settings.hairpin || packet->protocol == KH_PROTOCOL_ICMP)
    return (KhNatResult){ packet->protocol == KH_PROTOCOL_TCP && may_begin (packet, TRUE) ? KH_NAT_ANSWER_RST
                                                                                          : KH_NAT_LOCAL,
                          KH_NAT_INSIDE, "for the router itself: no hairpin" };

  result = take_from_inside (self, packet, now);
  if (result.action != KH_NAT_FORWARD)
    return result;

  return take_from_outside (self, packet, now);
}

/**
 * kh_nat_model_translate:
 * @self: a model
 * @from: where the packet comes from
 * @packet: a packet, changed in place when it goes on; its TTL is looked at, not changed
 * @now: monotonic microseconds
 *
 * Returns: what becomes of it
 */
KhNatResult
kh_nat_model_translate (KhNatModel *self, KhNatSide from, KhPacket *packet, gint64 now)
{
  KhIp receiver;

  if (is_plain (self, packet))
    return packet->ttl <= 1
               ? expire ()
               : forward (from == KH_NAT_INSIDE ? KH_NAT_OUTSIDE : KH_NAT_INSIDE, "neither translated nor filtered");

  kh_nat_table_sweep (self->table, now);
  if (packet->kind == KH_PACKET_ERROR)
    return take_error (self, from, packet, now);
  if (from == KH_NAT_OUTSIDE)
    return take_from_outside (self, packet, now);

  kh_packet_get_receiver (packet, &receiver);
  if (is_own_address (self, &receiver))
    return turn_back (self, packet, now);

  return take_from_inside (self, packet, now);
}
