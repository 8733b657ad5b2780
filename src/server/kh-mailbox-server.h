/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-quota.h"
#include "kh-server-log.h"

G_BEGIN_DECLS

#define KH_TYPE_MAILBOX_SERVER (kh_mailbox_server_get_type ())
G_DECLARE_FINAL_TYPE (KhMailboxServer, kh_mailbox_server, KH, MAILBOX_SERVER, GObject)

/**
 * KhMailboxServerStatus:
 * @clients: WebSockets that are open
 * @refused: connections that were refused so far, for any limit
 * @mailboxes: mailboxes that exist
 * @nameplates: nameplates that exist
 * @stored_bytes: memory for stored messages
 */
typedef struct
{
  guint clients;
  guint64 refused;
  guint mailboxes;
  guint nameplates;
  gsize stored_bytes;
} KhMailboxServerStatus;

KhMailboxServer    *kh_mailbox_server_new        (const KhQuotaLimits *limits, gboolean allow_list, KhServerLog *log);
GInetSocketAddress *kh_mailbox_server_listen     (KhMailboxServer *self, GInetAddress *address, guint16 port,
                                                  GError **error);
void                kh_mailbox_server_stop       (KhMailboxServer *self);
void                kh_mailbox_server_get_status (KhMailboxServer *self, KhMailboxServerStatus *status);

/* Connections beyond the limit of WebSockets: those that are still asking, or being refused. */
#define KH_MAILBOX_SERVER_SPARE_CONNECTIONS 160

G_END_DECLS
