/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _KhColumns KhColumns;

KhColumns *kh_columns_new   (guint width, gboolean colours);
void       kh_columns_free  (KhColumns *self);
char      *kh_columns_heads (KhColumns *self, const char *left, const char *right);
char      *kh_columns_say   (KhColumns *self, gboolean right, gint64 elapsed, const char *text, const char *colour);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhColumns, kh_columns_free)

G_END_DECLS
