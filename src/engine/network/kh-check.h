/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-check-result.h"
#include "kh-facts-cache.h"
#include "kh-trace.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhCheckExtent:
 * @KH_CHECK_QUICK: mapping, filtering, allocation, the answer to strangers: what a friend has to know
 * @KH_CHECK_WHOLE: all that takes seconds
 * @KH_CHECK_LONG: and how long an idle mapping lives, which takes minutes
 */
typedef enum
{
  KH_CHECK_QUICK,
  KH_CHECK_WHOLE,
  KH_CHECK_LONG,
} KhCheckExtent;

#define KH_TYPE_CHECK (kh_check_get_type ())
G_DECLARE_FINAL_TYPE (KhCheck, kh_check, KH, CHECK, GObject)

KhCheck            *kh_check_new             (KhTrace             *trace,
                                              const char *const   *servers);
void                kh_check_set_cache       (KhCheck             *self,
                                              KhFactsCache        *cache);
void                kh_check_run_async       (KhCheck             *self,
                                              KhCheckExtent        extent,
                                              GCancellable        *cancellable,
                                              GAsyncReadyCallback  callback,
                                              gpointer             user_data);
gboolean            kh_check_run_finish      (KhCheck             *self,
                                              GAsyncResult        *result,
                                              GError             **error);
const KhFindings   *kh_check_get_findings    (KhCheck             *self);
GInetSocketAddress *kh_check_get_inside      (KhCheck             *self);
GInetSocketAddress *kh_check_get_outside     (KhCheck             *self);
void                kh_check_get_result      (KhCheck             *self,
                                              KhCheckResult       *result);
gboolean            kh_check_is_same_network (KhCheck             *self);

G_END_DECLS
