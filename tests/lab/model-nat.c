/* SPDX-License-Identifier: GPL-3.0-or-later */

/* The model as a router under test, with a clock that goes only when it is told to. */

#include "nat-backend.h"

#include "kh-packet-build.h"

#include <string.h>

#define STEP_MICROSECONDS 1000

typedef struct
{
  NatBackend backend;
  KhNatModel *model;
  gint64 now;
} ModelNat;

static void
come_out (GArray *arrivals, KhNatSide side, const guint8 *data, gsize length)
{
  NatArrival arrival = { .side = side, .length = length };

  memcpy (arrival.data, data, length);
  g_array_append_val (arrivals, arrival);
}

static void
answer (GArray *arrivals, KhNatSide from, KhNatAction action, const KhPacket *cause)
{
  KhIp router = kh_ip_from_text (from == KH_NAT_INSIDE ? NAT_ROUTER_INSIDE : NAT_ROUTER_OUTSIDE);
  guint8 room[KH_PACKET_MAX];
  gsize length;

  if (action == KH_NAT_ANSWER_RST)
    length = kh_packet_build_rst (room, cause);
  else
    length = kh_packet_build_error (room, &router,
                                    action == KH_NAT_EXPIRED ? KH_ICMP_TIME_EXCEEDED : KH_ICMP_PROHIBITED, cause);
  come_out (arrivals, from, room, length);
}

static void
model_nat_send (NatBackend *backend, KhNatSide from, guint8 *data, gsize length, GArray *arrivals)
{
  ModelNat *self = (ModelNat *) backend;
  const char *fault;
  KhPacket packet;
  KhNatResult result;

  self->now += STEP_MICROSECONDS;
  if (!kh_packet_parse (&packet, data, length, &fault))
    return;

  result = kh_nat_model_translate (self->model, from, &packet, self->now);
  switch (result.action)
    {
    case KH_NAT_FORWARD:
      kh_packet_decrement_ttl (&packet);
      come_out (arrivals, result.to, packet.data, packet.length);
      break;
    case KH_NAT_ANSWER_RST:
    case KH_NAT_ANSWER_PROHIBITED:
    case KH_NAT_EXPIRED:
      answer (arrivals, from, result.action, &packet);
      break;
    case KH_NAT_DROP:
    case KH_NAT_LOCAL:
      break;
    }
}

static void
model_nat_wait (NatBackend *backend, gint64 microseconds, GArray *arrivals)
{
  ((ModelNat *) backend)->now += microseconds;
}

static void
model_nat_free (NatBackend *backend)
{
  ModelNat *self = (ModelNat *) backend;

  kh_nat_model_free (self->model);
  g_free (self);
}

NatBackend *
model_nat_new (const KhNatSettings *settings, guint32 seed)
{
  ModelNat *self = g_new0 (ModelNat, 1);
  KhIp outside = kh_ip_from_text (NAT_ROUTER_OUTSIDE);
  KhIp first_inside = kh_ip_from_text (NAT_FIRST_INSIDE);

  self->backend = (NatBackend){ model_nat_send, model_nat_wait, model_nat_free };
  self->model = kh_nat_model_new (settings, &outside, &first_inside, seed);
  self->now = G_USEC_PER_SEC;

  return &self->backend;
}
