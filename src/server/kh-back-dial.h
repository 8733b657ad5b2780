/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-stun.h"

G_BEGIN_DECLS

/**
 * KhBackDialOutcome:
 * @result: what came of it
 * @icmp_type: of the ICMP message that came back, with %KH_DIAL_UNREACHABLE
 * @icmp_code: of the same
 */
typedef struct
{
  KhDialResult result;
  guint8 icmp_type;
  guint8 icmp_code;
} KhBackDialOutcome;

typedef struct _KhBackDial KhBackDial;

/**
 * KhBackDialHandlers:
 * @settled: what came of it is known. Unless that is %KH_DIAL_CONNECTED the dial is over.
 * @over: a connection that came about is closed
 *
 * Neither is called from within kh_back_dial_new(). Either may free the dial.
 */
typedef struct
{
  void (*settled) (const KhBackDialOutcome *outcome, gpointer user_data);
  void (*over) (gpointer user_data);
} KhBackDialHandlers;

KhBackDial *kh_back_dial_new  (int fd, GInetSocketAddress *remote, const guint8 *token,
                               const KhBackDialHandlers *handlers, gpointer user_data);
void        kh_back_dial_free (KhBackDial *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhBackDial, kh_back_dial_free)

G_END_DECLS
