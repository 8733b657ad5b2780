/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-channel.h"
#include "kh-dial.h"
#include "kh-plan.h"
#include "kh-role.h"
#include "kh-trace.h"

G_BEGIN_DECLS

#define KH_TYPE_RACE (kh_race_get_type ())
G_DECLARE_FINAL_TYPE (KhRace, kh_race, KH, RACE, GObject)

KhRace    *kh_race_new        (KhTrace             *trace,
                               KhDialer            *dialer,
                               KhRole               role,
                               const guint8        *psk,
                               guint32              epoch);
void       kh_race_add_target (KhRace              *self,
                               KhMove               move,
                               GInetSocketAddress  *remote,
                               KhDialFlags          flags,
                               gboolean             waits);
void       kh_race_add_gamble (KhRace              *self,
                               KhMove               move,
                               const KhGamble      *gamble,
                               KhDialFlags          flags);
gboolean   kh_race_has_target (KhRace              *self,
                               GInetSocketAddress  *remote);
void       kh_race_expect     (KhRace              *self,
                               KhMove               move,
                               GInetSocketAddress  *remote);
void       kh_race_release    (KhRace              *self);
void       kh_race_run_async  (KhRace              *self,
                               guint                timeout_ms,
                               GCancellable        *cancellable,
                               GAsyncReadyCallback  callback,
                               gpointer             user_data);
KhChannel *kh_race_run_finish (KhRace              *self,
                               GAsyncResult        *result,
                               GError             **error);

G_END_DECLS
