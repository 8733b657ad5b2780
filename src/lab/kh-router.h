/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-nat-model.h"
#include "kh-packet-build.h"

G_BEGIN_DECLS

/**
 * KhRouterAddresses:
 * @inside: its address towards the host
 * @outside: its (first) address towards the internet
 * @inside6: the same for IPv6
 * @outside6: the same
 * @first_inside: the host or router behind it, to which forwarded ports lead
 *
 * Where a router is.
 */
typedef struct
{
  KhIp inside;
  KhIp outside;
  KhIp inside6;
  KhIp outside6;
  KhIp first_inside;
} KhRouterAddresses;

/**
 * KhRouterStep:
 * @forward: whether the packet goes on, changed in place
 * @to: to which side
 * @verdict: what was decided, in words, a static text
 * @answer_length: length of the router's own answer, 0 for none
 * @answer_to: to which side that goes
 * @answer: the answer
 *
 * What a router made of one packet.
 */
typedef struct
{
  gboolean forward;
  KhNatSide to;
  const char *verdict;
  gsize answer_length;
  KhNatSide answer_to;
  guint8 answer[KH_PACKET_MAX];
} KhRouterStep;

typedef struct _KhRouter KhRouter;

KhRouter *kh_router_new  (const KhNatSettings *settings, const KhRouterAddresses *addresses, guint32 seed);
void      kh_router_free (KhRouter *self);
void      kh_router_take (KhRouter *self, KhNatSide from, KhPacket *packet, gint64 now, KhRouterStep *step);

void      kh_router_answer_locally (const KhPacket *packet, KhRouterStep *step);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhRouter, kh_router_free)

G_END_DECLS
