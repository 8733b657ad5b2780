/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab.h"

G_BEGIN_DECLS

/**
 * KhServerKind:
 * @KH_SERVER_NONE: nothing runs on the server
 * @KH_SERVER_KNOTHOLE: knothole-server
 * @KH_SERVER_GENUINE: the wormhole mailbox server and coturn
 *
 * What the friends meet at, on the ports of knothole-server: mailbox 4000, STUN 3478 and 3479.
 */
typedef enum
{
  KH_SERVER_NONE,
  KH_SERVER_KNOTHOLE,
  KH_SERVER_GENUINE,
} KhServerKind;

#define KH_SERVER_MAILBOX_PORT 4000
#define KH_SERVER_STUN_PORT 3478

/* Where the friends find them, with a place to be filled in. */
#define KH_SERVER_MAILBOX "ws://{server}:" G_STRINGIFY (KH_SERVER_MAILBOX_PORT) "/v1"
#define KH_SERVER_STUN "{server}"

gboolean kh_server_kind_parse    (const char *text, KhServerKind *kind);
void     kh_servers_start_async  (KhLab *lab, KhServerKind kind, const char *bindir, GCancellable *cancellable,
                                  GAsyncReadyCallback callback, gpointer data);
gboolean kh_servers_start_finish (GAsyncResult *result, GPtrArray **servers, GError **error);

G_END_DECLS
