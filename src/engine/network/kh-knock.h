/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-findings.h"
#include "kh-probe.h"

G_BEGIN_DECLS

/**
 * KhDialOutcome:
 * @reason: %KH_REASON_KNOWN, or why there is no result
 * @result: what came of the server's dial
 */
typedef struct
{
  KhReason reason;
  KhDialResult result;
} KhDialOutcome;

void     kh_knock_async  (KhProbe             *target,
                              KhStunClient        *control,
                              KhDialKind           kind,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data);
gboolean kh_knock_finish (KhProbe             *target,
                              GAsyncResult        *result,
                              KhDialOutcome       *outcome,
                              GError             **error);

G_END_DECLS
