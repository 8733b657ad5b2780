/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-stun-server.h"
#include "kh-test.h"

G_BEGIN_DECLS

/* A STUN server in this process, that dials back. */
typedef struct
{
  KhServerLog *log;
  KhStunServer *stun;
  GPtrArray *addresses;
} KhDialServer;

KhDialServer *kh_dial_server_new       (const char *ip, const char *alternate, const KhDialBackLimits *limits);
guint         kh_dial_server_get_dials (KhDialServer *self);
void          kh_dial_server_free      (KhDialServer *self);

/* One client of it, or of another, whose port others may share. */
typedef struct
{
  GSocket *socket;
  GInetSocketAddress *local;
  guint8 cookie[KH_STUN_COOKIE_BYTES];
} KhDialClient;

KhDialClient  *kh_dial_client_new          (GInetSocketAddress *server, const char *ip);
void           kh_dial_client_free         (KhDialClient *self);
void           kh_dial_client_send         (KhDialClient *self, KhStunMessage *message);
KhStunMessage *kh_dial_client_read         (KhDialClient *self);
KhStunMessage *kh_dial_client_ask          (KhDialClient *self, KhDialKind kind, const guint8 *cookie);
void           kh_dial_client_go           (KhDialClient *self, const guint8 *id);
void           kh_dial_client_assert_error (KhDialClient *self, KhDialKind kind, const guint8 *cookie, int code);
void           kh_dial_client_assert_result (KhDialClient *self, const guint8 *id, KhDialResult result);
void           kh_dial_client_assert_served (KhDialClient *self);

/* Sockets on a client's port: bound only, or listening. */
GSocket *kh_dial_test_bind          (GInetSocketAddress *address);
GSocket *kh_dial_test_listen        (GInetSocketAddress *address);
guint    kh_dial_test_count         (GSocket *listener);
void     kh_dial_test_assert_token  (GSocket *connection, const guint8 *id);
void     kh_dial_test_assert_dialled (GSocket *listener, const KhStunMessage *answer);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhDialServer, kh_dial_server_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhDialClient, kh_dial_client_free)

G_END_DECLS
