/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-check-result.h"
#include "kh-facts-cache.h"

G_BEGIN_DECLS

#define KH_TYPE_CHECKER (kh_checker_get_type ())
G_DECLARE_FINAL_TYPE (KhChecker, kh_checker, KH, CHECKER, GObject)

KhChecker           *kh_checker_new             (GSettings    *preferences,
                                                 KhFactsCache *cache);
void                 kh_checker_start           (KhChecker    *self);
void                 kh_checker_stop            (KhChecker    *self);
void                 kh_checker_start_long      (KhChecker    *self);
void                 kh_checker_stop_long       (KhChecker    *self);
void                 kh_checker_watch           (KhChecker    *self,
                                                 gboolean      watched);
KhCheckState         kh_checker_get_state       (KhChecker    *self);
gboolean             kh_checker_is_long_running (KhChecker    *self);
const KhCheckResult *kh_checker_get_result      (KhChecker    *self);

G_END_DECLS
