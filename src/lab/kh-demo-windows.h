/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"
#include "kh-lab.h"

G_BEGIN_DECLS

#define KH_DEMO_ERROR (kh_demo_error_quark ())

/**
 * KhDemoError:
 * @KH_DEMO_ERROR_NO_WINDOW: no window can be opened
 * @KH_DEMO_ERROR_CLOSED: a window was closed before the demo was over
 * @KH_DEMO_ERROR_STUCK: a window did not do its part
 */
typedef enum
{
  KH_DEMO_ERROR_NO_WINDOW,
  KH_DEMO_ERROR_CLOSED,
  KH_DEMO_ERROR_STUCK,
} KhDemoError;

GQuark kh_demo_error_quark        (void);
void   kh_demo_windows_run_async  (KhLab *lab, const KhLabOptions *options, GCancellable *cancellable,
                                   GAsyncReadyCallback callback, gpointer data);
int    kh_demo_windows_run_finish (GAsyncResult *result, GError **error);

G_END_DECLS
