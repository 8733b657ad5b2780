/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-router.h"

#include <string.h>

struct _KhRouter
{
  KhNatSettings settings;
  KhRouterAddresses addresses;
  KhNatModel *model;
};

/**
 * kh_router_new:
 * @settings: how it translates and filters
 * @addresses: where it is
 * @seed: where its random ports come from
 *
 * A router: the model's decisions, TTL, and the answers that a router gives itself. No I/O.
 *
 * Returns: (transfer full): the router
 */
KhRouter *
kh_router_new (const KhNatSettings *settings, const KhRouterAddresses *addresses, guint32 seed)
{
  KhRouter *self = g_new0 (KhRouter, 1);

  self->settings = *settings;
  self->addresses = *addresses;
  self->model = kh_nat_model_new (settings, &addresses->outside, &addresses->first_inside, seed);

  return self;
}

void
kh_router_free (KhRouter *self)
{
  kh_nat_model_free (self->model);
  g_free (self);
}

static const KhIp *
get_own_address (const KhRouter *self, KhNatSide side, gboolean ipv6)
{
  if (ipv6)
    return side == KH_NAT_INSIDE ? &self->addresses.inside6 : &self->addresses.outside6;

  return side == KH_NAT_INSIDE ? &self->addresses.inside : &self->addresses.outside;
}

/* A reset is never answered by a reset (RFC 9293 section 3.5.2), an error never by an error (RFC 1122 section 3.2.2). */
static void
answer_error (KhRouterStep *step, const KhIp *from, KhIcmpError error, const KhPacket *packet)
{
  if (packet->kind != KH_PACKET_ERROR)
    step->answer_length = kh_packet_build_error (step->answer, from, error, packet);
}

static void
answer_rst (KhRouterStep *step, const KhPacket *packet)
{
  if ((packet->tcp_flags & KH_TCP_RST) == 0)
    step->answer_length = kh_packet_build_rst (step->answer, packet);
}

/**
 * kh_router_answer_locally:
 * @packet: a packet for a machine on which nothing listens, and which answers pings
 * @step: where the answer goes
 *
 * Answers as a router does that somebody speaks to itself.
 */
void
kh_router_answer_locally (const KhPacket *packet, KhRouterStep *step)
{
  KhIp receiver;

  if (packet->kind == KH_PACKET_ERROR)
    return;

  kh_packet_get_receiver (packet, &receiver);
  if (packet->protocol == KH_PROTOCOL_TCP)
    answer_rst (step, packet);
  else if (packet->protocol == KH_PROTOCOL_UDP)
    answer_error (step, &receiver, KH_ICMP_PORT_UNREACHABLE, packet);
  else if (packet->echo_request)
    step->answer_length = kh_packet_build_echo_reply (step->answer, packet);
}

/* An answer to what was turned back belongs to an inside host, but is addressed to its mapping: it comes in as from outside. */
static void
translate_answer (KhRouter *self, KhRouterStep *step, gint64 now)
{
  KhPacket answer;
  const char *fault;

  if (step->answer_length == 0)
    return;
  if (!kh_packet_parse (&answer, step->answer, step->answer_length, &fault) ||
      kh_nat_model_translate (self->model, KH_NAT_OUTSIDE, &answer, now).action != KH_NAT_FORWARD)
    step->answer_length = 0;
}

static void
act (KhRouter *self, KhNatSide from, KhPacket *packet, const KhNatResult *result, KhRouterStep *step)
{
  const KhIp *own = get_own_address (self, from, packet->ipv6);

  switch (result->action)
    {
    case KH_NAT_FORWARD:
      kh_packet_decrement_ttl (packet);
      step->forward = TRUE;
      step->to = result->to;
      break;
    case KH_NAT_ANSWER_RST:
      answer_rst (step, packet);
      break;
    case KH_NAT_ANSWER_PROHIBITED:
      answer_error (step, own, KH_ICMP_PROHIBITED, packet);
      break;
    case KH_NAT_EXPIRED:
      if (self->settings.expired)
        answer_error (step, own, KH_ICMP_TIME_EXCEEDED, packet);
      break;
    case KH_NAT_LOCAL:
      kh_router_answer_locally (packet, step);
      break;
    case KH_NAT_DROP:
    default:
      break;
    }
}

/**
 * kh_router_take:
 * @self: a router
 * @from: the side that the packet comes from
 * @packet: the packet, changed in place when it goes on
 * @now: monotonic microseconds
 * @step: (out caller-allocates): what becomes of it
 */
void
kh_router_take (KhRouter *self, KhNatSide from, KhPacket *packet, gint64 now, KhRouterStep *step)
{
  KhEndpoint sender = packet->source;
  KhNatResult result;
  KhIp receiver;

  step->forward = FALSE;
  step->answer_length = 0;
  step->answer_to = from;
  kh_packet_get_receiver (packet, &receiver);
  if (from == KH_NAT_INSIDE && kh_ip_equal (&receiver, get_own_address (self, from, packet->ipv6)))
    {
      step->verdict = "for the router itself";
      kh_router_answer_locally (packet, step);
      return;
    }

  result = kh_nat_model_translate (self->model, from, packet, now);
  step->verdict = result.verdict;
  act (self, from, packet, &result, step);
  if (from == KH_NAT_INSIDE && packet->kind == KH_PACKET_FLOW && !step->forward &&
      !kh_endpoint_equal (&sender, &packet->source))
    translate_answer (self, step, now);
}
