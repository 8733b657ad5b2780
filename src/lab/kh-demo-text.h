/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"
#include "kh-lab.h"

G_BEGIN_DECLS

void kh_demo_text_run_async  (KhLab *lab, const KhLabOptions *options, GCancellable *cancellable,
                              GAsyncReadyCallback callback, gpointer data);
int  kh_demo_text_run_finish (GAsyncResult *result, GError **error);

G_END_DECLS
