/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-deduce.h"

G_BEGIN_DECLS

#define KH_TYPE_SCOUT (kh_scout_get_type ())
G_DECLARE_FINAL_TYPE (KhScout, kh_scout, KH, SCOUT, GObject)

KhScout            *kh_scout_new           (const char *const   *servers,
                                            GError             **error);
void                kh_scout_run_async     (KhScout             *self,
                                            GCancellable        *cancellable,
                                            GAsyncReadyCallback  callback,
                                            gpointer             user_data);
gboolean            kh_scout_run_finish    (KhScout             *self,
                                            GAsyncResult        *result,
                                            GError             **error);
KhStunClient       *kh_scout_get_chosen    (KhScout             *self);
GInetSocketAddress *kh_scout_get_elsewhere (KhScout             *self);
GInetSocketAddress *kh_scout_get_v6_server (KhScout             *self);
guint16             kh_scout_get_port      (KhScout             *self);
void                kh_scout_see           (KhScout             *self,
                                            KhSightings         *sightings);
void                kh_scout_close         (KhScout             *self);

G_END_DECLS
