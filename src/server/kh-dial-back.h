/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-peer.h"
#include "kh-server-log.h"
#include "kh-stun.h"

G_BEGIN_DECLS

/* Each dial may have a silent port beside its own. */
#define KH_DIAL_BACK_MAX_DIALS 200
#define KH_DIAL_BACK_MAX_DESCRIPTORS (2 * KH_DIAL_BACK_MAX_DIALS)

/**
 * KhDialBackLimits:
 * @dials: at once, at most %KH_DIAL_BACK_MAX_DIALS
 * @burst: dials that may begin at once, in all
 * @per_second: how many more in each second
 * @address_burst: dials to one address that may begin at once
 * @address_per_minute: how many more in each minute
 * @cookie_ms: for how long a cookie is valid when its connection has ended
 * @go_ms: how long a dial waits for the client's go
 */
typedef struct
{
  guint dials;
  double burst;
  double per_second;
  double address_burst;
  double address_per_minute;
  guint cookie_ms;
  guint go_ms;
} KhDialBackLimits;

/**
 * KhDialBackStatus:
 * @dials: dials that are going on, or wait for their go
 * @requests: requests so far, pokes included
 * @refused: of those, how many got an error
 */
typedef struct
{
  guint64 dials;
  guint64 requests;
  guint64 refused;
} KhDialBackStatus;

typedef struct _KhDialBack KhDialBack;

KhDialBack    *kh_dial_back_new        (const KhDialBackLimits *limits, KhServerLog *log);
void           kh_dial_back_free       (KhDialBack *self);
void           kh_dial_back_get_cookie (KhDialBack *self, KhPeer *peer, GInetSocketAddress *other, guint8 *cookie);
KhStunMessage *kh_dial_back_answer     (KhDialBack *self, KhPeer *peer, GInetSocketAddress *other,
                                        const KhStunMessage *request);
void           kh_dial_back_go         (KhDialBack *self, KhPeer *peer, const guint8 *id);
void           kh_dial_back_end        (KhDialBack *self, KhPeer *peer);
void           kh_dial_back_get_status (KhDialBack *self, KhDialBackStatus *status);

extern const KhDialBackLimits kh_dial_back_limits;

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhDialBack, kh_dial_back_free)

G_END_DECLS
