/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-facts.h"

#include <gio/gio.h>

G_BEGIN_DECLS

void     kh_gateway_ask_async  (GInetAddress         *gateway,
                                GInetAddress         *local,
                                guint                 patience_ms,
                                GCancellable         *cancellable,
                                GAsyncReadyCallback   callback,
                                gpointer              user_data);
gboolean kh_gateway_ask_finish (GAsyncResult         *result,
                                KhRouterFacts        *facts,
                                GError              **error);

G_END_DECLS
