/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-facts-cache.h"
#include "kh-findings.h"

G_BEGIN_DECLS

/**
 * KhCheckState:
 * @KH_CHECK_STATE_NONE: nothing has been checked
 * @KH_CHECK_STATE_RUNNING: a check runs
 * @KH_CHECK_STATE_DONE: it is over
 * @KH_CHECK_STATE_STOPPED: it was stopped before its end
 * @KH_CHECK_STATE_NO_SERVER: no server answered
 * @KH_CHECK_STATE_OFFLINE: no server answered, and there is no network either
 */
typedef enum
{
  KH_CHECK_STATE_NONE,
  KH_CHECK_STATE_RUNNING,
  KH_CHECK_STATE_DONE,
  KH_CHECK_STATE_STOPPED,
  KH_CHECK_STATE_NO_SERVER,
  KH_CHECK_STATE_OFFLINE,
} KhCheckState;

#define KH_TYPE_CHECKER (kh_checker_get_type ())
G_DECLARE_FINAL_TYPE (KhChecker, kh_checker, KH, CHECKER, GObject)

KhChecker          *kh_checker_new             (GSettings    *preferences,
                                                KhFactsCache *cache);
void                kh_checker_start           (KhChecker    *self);
void                kh_checker_stop            (KhChecker    *self);
void                kh_checker_start_long      (KhChecker    *self);
void                kh_checker_stop_long       (KhChecker    *self);
void                kh_checker_watch           (KhChecker    *self,
                                                gboolean      watched);
KhCheckState        kh_checker_get_state       (KhChecker    *self);
gboolean            kh_checker_is_long_running (KhChecker    *self);
const KhFindings   *kh_checker_get_findings    (KhChecker    *self);
GInetSocketAddress *kh_checker_get_inside      (KhChecker    *self);
GInetSocketAddress *kh_checker_get_outside     (KhChecker    *self);
const char         *kh_checker_get_servers     (KhChecker    *self);
const char         *kh_check_state_name        (KhCheckState  state);

G_END_DECLS
