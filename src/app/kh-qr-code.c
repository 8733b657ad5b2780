/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-qr-code.h"

#include <math.h>
#include <qrencode.h>

/* Modules of light around the symbol, by the standard (ISO/IEC 18004): without them it is not found. */
#define QUIET_ZONE 4

#define NATURAL_SIDE 200
#define MINIMUM_SIDE 120

/**
 * KhQrCode:
 *
 * A QR code. It is dark on light in a dark interface as well, since many readers do not find an inverted one.
 */
struct _KhQrCode
{
  GtkWidget parent_instance;

  KhQrSymbol symbol;
};

G_DEFINE_FINAL_TYPE (KhQrCode, kh_qr_code, GTK_TYPE_WIDGET)

/**
 * kh_qr_symbol_init:
 * @text: what the symbol shall say
 *
 * Returns: %FALSE if @text is too long for a QR code; then there is no symbol
 */
gboolean
kh_qr_symbol_init (KhQrSymbol *self, const char *text)
{
  QRcode *code = QRcode_encodeString8bit (text, 0, QR_ECLEVEL_M);

  *self = (KhQrSymbol){ 0 };
  if (code == NULL)
    return FALSE;

  self->width = code->width;
  self->modules = g_new (guint8, (gsize) code->width * code->width);
  for (int i = 0; i < code->width * code->width; i++)
    self->modules[i] = code->data[i] & 1;
  QRcode_free (code);

  return TRUE;
}

void
kh_qr_symbol_clear (KhQrSymbol *self)
{
  g_clear_pointer (&self->modules, g_free);
  self->width = 0;
}

static void
draw_row (const KhQrSymbol *self, GtkSnapshot *snapshot, int y, float module, graphene_point_t origin)
{
  const guint8 *row = self->modules + (gsize) y * self->width;

  for (int x = 0, end; x < self->width; x = end)
    {
      for (end = x + 1; end < self->width && row[end] == row[x]; end++)
        ;
      if (row[x])
        gtk_snapshot_append_color (
            snapshot, &(GdkRGBA){ 0, 0, 0, 1 },
            &GRAPHENE_RECT_INIT (origin.x + x * module, origin.y + y * module, (end - x) * module, module));
    }
}

/**
 * kh_qr_symbol_draw:
 * @snapshot: where to draw
 * @side: of the square that is filled, in logical pixels
 *
 * Draws the symbol with its quiet zone. A module is a whole number of pixels, so that no edge is blurred.
 */
void
kh_qr_symbol_draw (const KhQrSymbol *self, GtkSnapshot *snapshot, float side)
{
  float module = floorf (side / (self->width + 2 * QUIET_ZONE));
  float margin = floorf ((side - module * self->width) / 2);

  gtk_snapshot_append_color (snapshot, &(GdkRGBA){ 1, 1, 1, 1 }, &GRAPHENE_RECT_INIT (0, 0, side, side));
  for (int y = 0; y < self->width; y++)
    draw_row (self, snapshot, y, module, GRAPHENE_POINT_INIT (margin, margin));
}

static void
kh_qr_code_snapshot (GtkWidget *widget, GtkSnapshot *snapshot)
{
  KhQrCode *self = KH_QR_CODE (widget);
  float width = gtk_widget_get_width (widget);
  float height = gtk_widget_get_height (widget);
  float side = MIN (width, height);

  if (self->symbol.width == 0)
    return;

  gtk_snapshot_save (snapshot);
  gtk_snapshot_translate (snapshot, &GRAPHENE_POINT_INIT (floorf ((width - side) / 2), floorf ((height - side) / 2)));
  kh_qr_symbol_draw (&self->symbol, snapshot, side);
  gtk_snapshot_restore (snapshot);
}

static void
kh_qr_code_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                    int *minimum_baseline, int *natural_baseline)
{
  *minimum = MINIMUM_SIDE;
  *natural = NATURAL_SIDE;
}

static void
kh_qr_code_finalize (GObject *object)
{
  kh_qr_symbol_clear (&KH_QR_CODE (object)->symbol);

  G_OBJECT_CLASS (kh_qr_code_parent_class)->finalize (object);
}

static void
kh_qr_code_class_init (KhQrCodeClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = kh_qr_code_finalize;
  widget_class->snapshot = kh_qr_code_snapshot;
  widget_class->measure = kh_qr_code_measure;

  gtk_widget_class_set_css_name (widget_class, "qr-code");
  gtk_widget_class_set_accessible_role (widget_class, GTK_ACCESSIBLE_ROLE_IMG);
}

static void
kh_qr_code_init (KhQrCode *self)
{
  gtk_widget_set_overflow (GTK_WIDGET (self), GTK_OVERFLOW_HIDDEN); /* the card has round corners */
}

/**
 * kh_qr_code_set_text:
 * @text: what the code shall say; one that is too long hides the widget
 */
void
kh_qr_code_set_text (KhQrCode *self, const char *text)
{
  g_return_if_fail (KH_IS_QR_CODE (self));

  kh_qr_symbol_clear (&self->symbol);
  gtk_widget_set_visible (GTK_WIDGET (self), kh_qr_symbol_init (&self->symbol, text));
  gtk_widget_queue_draw (GTK_WIDGET (self));
}
