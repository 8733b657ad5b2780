/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

/**
 * KhQrSymbol:
 * @width: modules along one side, 0 for no symbol
 * @modules: (array): width × width bytes, row by row, 1 for a dark module
 *
 * A QR symbol without its quiet zone.
 */
typedef struct
{
  int width;
  guint8 *modules;
} KhQrSymbol;

gboolean kh_qr_symbol_init  (KhQrSymbol       *self,
                             const char       *text);
void     kh_qr_symbol_clear (KhQrSymbol       *self);
void     kh_qr_symbol_draw  (const KhQrSymbol *self,
                             GtkSnapshot      *snapshot,
                             float             side);

#define KH_TYPE_QR_CODE (kh_qr_code_get_type ())
G_DECLARE_FINAL_TYPE (KhQrCode, kh_qr_code, KH, QR_CODE, GtkWidget)

void kh_qr_code_set_text (KhQrCode *self, const char *text);

G_END_DECLS
