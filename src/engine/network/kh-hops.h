/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-facts.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define KH_HOPS_MAX 8

/**
 * KhHops:
 * @routers: (array fixed-size=8): who answered at each hop, in order from us, as text; empty where nobody did
 *
 * The way to a server, as far as it tells. The server itself is the last one, when it is not further away than that. A
 * plain value.
 */
typedef struct
{
  char routers[KH_HOPS_MAX][KH_FACTS_ADDRESS_BYTES];
} KhHops;

void     kh_hops_measure_async  (GInetAddress        *server,
                                 guint                patience_ms,
                                 GCancellable        *cancellable,
                                 GAsyncReadyCallback  callback,
                                 gpointer             user_data);
gboolean kh_hops_measure_finish (GAsyncResult        *result,
                                 KhHops              *hops,
                                 GError             **error);
void     kh_hops_judge          (const KhHops        *hops,
                                 int                 *depth,
                                 gboolean            *carrier);

G_END_DECLS
