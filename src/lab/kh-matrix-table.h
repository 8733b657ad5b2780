/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define KH_MATRIX_CONNECTED "connected"
#define KH_MATRIX_NO_PATH "no-path"
#define KH_MATRIX_NOT_TRIED "not-tried"

typedef struct _KhMatrixTable KhMatrixTable;

KhMatrixTable *kh_matrix_table_new         (const char *const *nats);
void           kh_matrix_table_free        (KhMatrixTable *self);
void           kh_matrix_table_add         (KhMatrixTable *self, guint left, guint right, const char *result, const char *sentence,
                                            const char *kind, int elapsed_ms);
const char    *kh_matrix_table_get_result  (KhMatrixTable *self, guint left, guint right);
int            kh_matrix_table_get_median  (KhMatrixTable *self, guint left, guint right);
guint          kh_matrix_table_count       (KhMatrixTable *self, const char *result);
gboolean       kh_matrix_table_is_sound    (KhMatrixTable *self);
char          *kh_matrix_table_format      (KhMatrixTable *self, guint width);
char          *kh_matrix_table_format_json (KhMatrixTable *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhMatrixTable, kh_matrix_table_free)

G_END_DECLS
