/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhPcpReply:
 * @KH_PCP_NO_REPLY: nothing that a router says to our question
 * @KH_PCP_ANSWER: it speaks PCP
 * @KH_PCP_REFUSAL: it speaks NAT-PMP, or another version only
 *
 * What a datagram from a router says.
 */
typedef enum
{
  KH_PCP_NO_REPLY,
  KH_PCP_ANSWER,
  KH_PCP_REFUSAL,
} KhPcpReply;

KhPcpReply kh_pcp_read_reply (const guint8        *bytes,
                              gsize                length);
void       kh_pcp_ask_async  (GInetAddress        *gateway,
                              GInetAddress        *local,
                              guint                patience_ms,
                              GCancellable        *cancellable,
                              GAsyncReadyCallback  callback,
                              gpointer             user_data);
gboolean   kh_pcp_ask_finish (GAsyncResult        *result,
                              gboolean            *spoken,
                              GError             **error);

G_END_DECLS
