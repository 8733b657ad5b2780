/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

void  kh_accessibility_find_async  (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
char *kh_accessibility_find_finish (GAsyncResult *result);

G_END_DECLS
