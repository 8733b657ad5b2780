/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-channel.h"
#include "kh-interfaces.h"
#include "kh-offer.h"
#include "kh-plan.h"
#include "kh-port.h"
#include "kh-role.h"
#include "kh-trace.h"

G_BEGIN_DECLS

#define KH_TYPE_APPROACH (kh_approach_get_type ())
G_DECLARE_FINAL_TYPE (KhApproach, kh_approach, KH, APPROACH, GObject)

KhApproach   *kh_approach_new        (KhTrace             *trace,
                                      KhPort              *port,
                                      const KhInterfaces  *interfaces,
                                      KhRole               role,
                                      const KhOffer       *own,
                                      const KhOffer       *friend_offer);
const KhPlan *kh_approach_get_plan   (KhApproach          *self);
gboolean      kh_approach_is_awaited (KhApproach          *self);
void          kh_approach_release    (KhApproach          *self);
void          kh_approach_run_async  (KhApproach          *self,
                                      const guint8        *psk,
                                      guint                timeout_ms,
                                      GCancellable        *cancellable,
                                      GAsyncReadyCallback  callback,
                                      gpointer             user_data);
KhChannel    *kh_approach_run_finish (KhApproach          *self,
                                      GAsyncResult        *result,
                                      GError             **error);

G_END_DECLS
