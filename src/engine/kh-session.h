/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-facts-cache.h"
#include "kh-phase.h"
#include "kh-settings.h"
#include "kh-trace.h"

G_BEGIN_DECLS

#define KH_TYPE_SESSION (kh_session_get_type ())
G_DECLARE_FINAL_TYPE (KhSession, kh_session, KH, SESSION, GObject)

KhSession    *kh_session_new           (const KhSettings    *settings);
void          kh_session_invite        (KhSession           *self);
void          kh_session_join          (KhSession           *self,
                                        const char          *code_or_link);
void          kh_session_set_cache     (KhSession           *self,
                                        KhFactsCache        *cache);
gboolean      kh_session_may_follow    (const KhSettings    *settings,
                                        const char          *mailbox_url);
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
gint64        kh_session_get_expiry    (KhSession           *self);
const char   *kh_session_get_peer_name (KhSession           *self);
int           kh_session_get_delay     (KhSession           *self);

G_END_DECLS
