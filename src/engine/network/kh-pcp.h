/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void     kh_pcp_ask_async  (GInetAddress        *gateway,
                            GInetAddress        *local,
                            guint                patience_ms,
                            GCancellable        *cancellable,
                            GAsyncReadyCallback  callback,
                            gpointer             user_data);
gboolean kh_pcp_ask_finish (GAsyncResult        *result,
                            gboolean            *spoken,
                            GError             **error);

G_END_DECLS
