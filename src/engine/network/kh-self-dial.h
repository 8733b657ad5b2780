/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-interfaces.h"
#include "kh-probe.h"

G_BEGIN_DECLS

GInetAddress *kh_self_dial_choose (const KhInterfaces  *interfaces,
                                   GInetAddress        *inside);
void          kh_self_dial_async  (KhProbe             *target,
                                   GInetAddress        *from,
                                   GCancellable        *cancellable,
                                   GAsyncReadyCallback  callback,
                                   gpointer             user_data);
gboolean      kh_self_dial_finish (KhProbe             *target,
                                   GAsyncResult        *result,
                                   gboolean            *kept_out,
                                   GError             **error);

G_END_DECLS
