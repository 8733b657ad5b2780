/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-settings.h"
#include "kh-trace.h"

G_BEGIN_DECLS

/**
 * KhPhase:
 * @KH_PHASE_STARTING: reaching the meeting server
 * @KH_PHASE_INVITING: the code is live, the friend may come
 * @KH_PHASE_MEETING: both are at the meeting server, proving that they have the same code
 * @KH_PHASE_LOOKING: finding out about both networks and telling one another
 * @KH_PHASE_REACHING: dialling
 * @KH_PHASE_CONNECTED: there is a path, the friends can talk
 * @KH_PHASE_RESUMING: the path broke, another one is sought
 * @KH_PHASE_ENDED: ended well
 * @KH_PHASE_FAILED: ended, kh_session_get_error() tells why
 */
typedef enum
{
  KH_PHASE_STARTING,
  KH_PHASE_INVITING,
  KH_PHASE_MEETING,
  KH_PHASE_LOOKING,
  KH_PHASE_REACHING,
  KH_PHASE_CONNECTED,
  KH_PHASE_RESUMING,
  KH_PHASE_ENDED,
  KH_PHASE_FAILED,
} KhPhase;

#define KH_TYPE_PHASE (kh_phase_get_type ())
GType       kh_phase_get_type (void);
const char *kh_phase_name     (KhPhase phase);

#define KH_TYPE_SESSION (kh_session_get_type ())
G_DECLARE_FINAL_TYPE (KhSession, kh_session, KH, SESSION, GObject)

KhSession    *kh_session_new           (const KhSettings    *settings);
void          kh_session_invite        (KhSession           *self);
void          kh_session_join          (KhSession           *self,
                                        const char          *code_or_link);
guint64       kh_session_say           (KhSession           *self,
                                        const char          *text,
                                        GError             **error);
guint         kh_session_get_unacked   (KhSession           *self);
void          kh_session_finish        (KhSession           *self);
void          kh_session_close_async   (KhSession           *self,
                                        GCancellable        *cancellable,
                                        GAsyncReadyCallback  callback,
                                        gpointer             user_data);
gboolean      kh_session_close_finish  (KhSession           *self,
                                        GAsyncResult        *result,
                                        GError             **error);

KhPhase       kh_session_get_phase     (KhSession           *self);
KhTrace      *kh_session_get_trace     (KhSession           *self);
const GError *kh_session_get_error     (KhSession           *self);
const char   *kh_session_get_code      (KhSession           *self);
const char   *kh_session_get_peer_name (KhSession           *self);
int           kh_session_get_delay     (KhSession           *self);

G_END_DECLS
