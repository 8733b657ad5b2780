/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-probe.h"

G_BEGIN_DECLS

void     kh_hairpin_async  (KhProbe             *one,
                            KhProbe             *other,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data);
gboolean kh_hairpin_finish (KhProbe             *one,
                            GAsyncResult        *result,
                            gboolean            *connects,
                            GError             **error);

G_END_DECLS
