/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void     kh_nat_pmp_ask_async  (GInetAddress         *gateway,
                                guint                 patience_ms,
                                GCancellable         *cancellable,
                                GAsyncReadyCallback   callback,
                                gpointer              user_data);
gboolean kh_nat_pmp_ask_finish (GAsyncResult         *result,
                                gboolean             *spoken,
                                GInetAddress        **external,
                                GError              **error);

G_END_DECLS
