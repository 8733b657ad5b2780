/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-findings.h"
#include "kh-probe.h"

G_BEGIN_DECLS

void     kh_idle_measure_async  (GInetSocketAddress  *server,
                                 guint                limit_seconds,
                                 GCancellable        *cancellable,
                                 GAsyncReadyCallback  callback,
                                 gpointer             user_data);
gboolean kh_idle_measure_finish (GAsyncResult        *result,
                                 KhReason            *reason,
                                 int                 *seconds,
                                 GError             **error);

G_END_DECLS
