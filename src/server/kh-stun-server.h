/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-dial-back.h"
#include "kh-quota.h"
#include "kh-server-log.h"

G_BEGIN_DECLS

#define KH_TYPE_STUN_SERVER (kh_stun_server_get_type ())
G_DECLARE_FINAL_TYPE (KhStunServer, kh_stun_server, KH, STUN_SERVER, GObject)

/**
 * KhStunServerStatus:
 * @clients: connections that are open
 * @refused: connections that were refused so far, for any limit
 * @requests: requests that were answered so far
 * @dial_back: figures of dialling back, all zero without it
 */
typedef struct
{
  guint clients;
  guint64 refused;
  guint64 requests;
  KhDialBackStatus dial_back;
} KhStunServerStatus;

KhStunServer *kh_stun_server_new           (const KhQuotaLimits *limits, KhServerLog *log);
gboolean      kh_stun_server_listen        (KhStunServer *self, GInetAddress *address, GInetAddress *alternate,
                                            guint16 port, guint16 alternate_port, GError **error);
GPtrArray    *kh_stun_server_get_addresses (KhStunServer *self);
void          kh_stun_server_set_patience  (KhStunServer *self, guint idle_ms, guint partial_ms);
void          kh_stun_server_set_dial_back (KhStunServer *self, KhDialBack *dial_back);
void          kh_stun_server_stop          (KhStunServer *self);
void          kh_stun_server_get_status    (KhStunServer *self, KhStunServerStatus *status);

G_END_DECLS
