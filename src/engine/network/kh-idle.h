/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-findings.h"
#include "kh-probe.h"

G_BEGIN_DECLS

/**
 * KhIdleProgress:
 * @lived: seconds that a connection was seen to live so far
 * @next: seconds after which the next one that rests is looked at, counted from the beginning of its rest
 * @user_data: as given
 *
 * Tells how far it is.
 */
typedef void (*KhIdleProgress) (int      lived,
                                int      next,
                                gpointer user_data);

void     kh_idle_measure_async  (GInetSocketAddress  *server,
                                 guint                limit_seconds,
                                 KhIdleProgress       progress,
                                 GCancellable        *cancellable,
                                 GAsyncReadyCallback  callback,
                                 gpointer             user_data);
gboolean kh_idle_measure_finish (GAsyncResult        *result,
                                 KhReason            *reason,
                                 int                 *seconds,
                                 GError             **error);

G_END_DECLS
