/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

#include "kh-role.h"

G_BEGIN_DECLS

/**
 * KH_WORMHOLE_APPID:
 *
 * The namespace of our codes at a meeting server.
 */
#define KH_WORMHOLE_APPID "knothole.invite/v1"

/**
 * KH_WORMHOLE_MAX_PLAINTEXT:
 *
 * The longest plaintext of one phase, in bytes.
 */
#define KH_WORMHOLE_MAX_PLAINTEXT 32768

/**
 * KH_WORMHOLE_MAX_QUEUED:
 *
 * How many phases of ours may wait for the meeting server.
 */
#define KH_WORMHOLE_MAX_QUEUED 256

/**
 * KH_WORMHOLE_NEVER:
 *
 * The deadline when there is none.
 */
#define KH_WORMHOLE_NEVER G_MAXINT64

/**
 * KhWormholeEventKind:
 * @KH_WORMHOLE_CODE_READY: the inviter's code is live and can be shown
 * @KH_WORMHOLE_FRIEND_ARRIVED: the friend's key exchange message came and there is a key
 * @KH_WORMHOLE_VERIFIED: a body of the friend opened: the code was the same
 * @KH_WORMHOLE_MESSAGE: the friend's next numbered phase; `message` is its plaintext
 * @KH_WORMHOLE_MOTD: the server says something to people; `text` is safe to show
 * @KH_WORMHOLE_RECONNECT: the server does not answer on this connection; drop it and make another
 * @KH_WORMHOLE_FAILED: the code is dead; `error` holds the sentence. Comes at most once; only CLOSED follows
 * @KH_WORMHOLE_CLOSED: the mailbox is closed, or was given up; nothing follows
 */
typedef enum
{
  KH_WORMHOLE_CODE_READY,
  KH_WORMHOLE_FRIEND_ARRIVED,
  KH_WORMHOLE_VERIFIED,
  KH_WORMHOLE_MESSAGE,
  KH_WORMHOLE_MOTD,
  KH_WORMHOLE_RECONNECT,
  KH_WORMHOLE_FAILED,
  KH_WORMHOLE_CLOSED,
} KhWormholeEventKind;

typedef struct
{
  KhWormholeEventKind kind;
  GBytes *message;
  char *text;
  GError *error;
} KhWormholeEvent;

typedef struct _KhWormhole KhWormhole;

KhWormhole      *kh_wormhole_new_inviter      (const char   *server,
                                               guint         words,
                                               gint64        life,
                                               gint64        now);
KhWormhole      *kh_wormhole_new_joiner       (const char   *server,
                                               const char   *code,
                                               gint64        now);
void             kh_wormhole_free             (KhWormhole   *self);

void             kh_wormhole_connected        (KhWormhole   *self,
                                               gint64        now);
void             kh_wormhole_disconnected     (KhWormhole   *self,
                                               gint64        now);
void             kh_wormhole_receive          (KhWormhole   *self,
                                               JsonObject   *message,
                                               gint64        now);
void             kh_wormhole_receive_junk     (KhWormhole   *self,
                                               gint64        now);
void             kh_wormhole_tick             (KhWormhole   *self,
                                               gint64        now);
gboolean         kh_wormhole_send             (KhWormhole   *self,
                                               GBytes       *plaintext);
void             kh_wormhole_close            (KhWormhole   *self,
                                               gint64        now);

JsonObject      *kh_wormhole_pop_message      (KhWormhole   *self);
KhWormholeEvent *kh_wormhole_pop_event        (KhWormhole   *self);
gint64           kh_wormhole_get_deadline     (KhWormhole   *self);

const char      *kh_wormhole_get_code         (KhWormhole   *self);
const char      *kh_wormhole_get_your_address (KhWormhole   *self);
gboolean         kh_wormhole_is_welcome       (KhWormhole   *self);
gboolean         kh_wormhole_is_ended         (KhWormhole   *self);
gboolean         kh_wormhole_derive           (KhWormhole   *self,
                                               const char   *purpose,
                                               guint8       *out,
                                               gsize         out_length);

void             kh_wormhole_event_free       (KhWormholeEvent *event);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhWormhole, kh_wormhole_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhWormholeEvent, kh_wormhole_event_free)

G_END_DECLS
