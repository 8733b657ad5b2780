/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-nat-settings.h"
#include "kh-packet.h"

G_BEGIN_DECLS

typedef enum
{
  KH_NAT_INSIDE,
  KH_NAT_OUTSIDE,
} KhNatSide;

/**
 * KhNatAction:
 * @KH_NAT_FORWARD: the packet, translated, goes to the result's side
 * @KH_NAT_DROP: it ends here, and nobody is told
 * @KH_NAT_ANSWER_RST: it ends here, its sender gets an RST
 * @KH_NAT_ANSWER_PROHIBITED: it ends here, its sender gets "administratively prohibited"
 * @KH_NAT_EXPIRED: it ends here, for its TTL is used up
 * @KH_NAT_LOCAL: it is for the router itself: no flow that it knows
 */
typedef enum
{
  KH_NAT_FORWARD,
  KH_NAT_DROP,
  KH_NAT_ANSWER_RST,
  KH_NAT_ANSWER_PROHIBITED,
  KH_NAT_EXPIRED,
  KH_NAT_LOCAL,
} KhNatAction;

/**
 * KhNatResult:
 * @action: what becomes of the packet
 * @to: where it goes, when it goes on
 * @verdict: the same in words, a static text
 */
typedef struct
{
  KhNatAction action;
  KhNatSide to;
  const char *verdict;
} KhNatResult;

typedef struct _KhNatModel KhNatModel;

KhNatModel *kh_nat_model_new          (const KhNatSettings *settings, const KhIp *outside, const KhIp *first_inside, guint32 seed);
void        kh_nat_model_free         (KhNatModel *self);
KhNatResult kh_nat_model_translate    (KhNatModel *self, KhNatSide from, KhPacket *packet, gint64 now);
guint       kh_nat_model_get_mappings (KhNatModel *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhNatModel, kh_nat_model_free)

G_END_DECLS
