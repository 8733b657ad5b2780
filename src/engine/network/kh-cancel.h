/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

GSource *kh_cancel_watch   (GCancellable           *cancellable,
                            GCancellableSourceFunc  func,
                            gpointer                user_data);
void     kh_cancel_unwatch (GSource               **source);

G_END_DECLS
