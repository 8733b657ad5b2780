/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-qr-code.h"

#include <qrencode.h>
#include <string.h>

#define QUIET_ZONE 4
#define LINK "knothole:7-crossover-bedlamp-customer?mailbox=wss%3A%2F%2Frelay.example.org%2Fv1"

/* A symbol as it is painted. */
typedef struct
{
  KhQrSymbol symbol;
  cairo_surface_t *surface;
  int side;
  int module;
  int margin;
} Picture;

static void
picture_init (Picture *picture, const char *text, int side)
{
  GtkSnapshot *snapshot = gtk_snapshot_new ();
  g_autoptr (GskRenderNode) node = NULL;
  cairo_t *cairo;

  g_assert_true (kh_qr_symbol_init (&picture->symbol, text));
  picture->side = side;
  picture->module = side / (picture->symbol.width + 2 * QUIET_ZONE);
  picture->margin = (side - picture->module * picture->symbol.width) / 2;

  kh_qr_symbol_draw (&picture->symbol, snapshot, side);
  node = gtk_snapshot_free_to_node (snapshot);
  picture->surface = cairo_image_surface_create (CAIRO_FORMAT_RGB24, side, side);
  cairo = cairo_create (picture->surface);
  cairo_set_source_rgb (cairo, 1, 0, 0);
  cairo_paint (cairo); /* what is not drawn shows */
  gsk_render_node_draw (node, cairo);
  cairo_destroy (cairo);
  cairo_surface_flush (picture->surface);
}

static void
picture_clear (Picture *picture)
{
  kh_qr_symbol_clear (&picture->symbol);
  cairo_surface_destroy (picture->surface);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Picture, picture_clear)

static guint32
colour_at (Picture *picture, int x, int y)
{
  const guchar *data = cairo_image_surface_get_data (picture->surface);
  guint32 pixel;

  memcpy (&pixel, data + (gsize) y * cairo_image_surface_get_stride (picture->surface) + (gsize) x * 4, sizeof pixel);
  return pixel & 0xffffff;
}

/* 1 for a dark module, 0 for a light one, by every pixel of it: an edge inside would be a blurred symbol. */
static int
module_at (Picture *picture, int x, int y)
{
  guint32 colour = colour_at (picture, picture->margin + x * picture->module, picture->margin + y * picture->module);

  for (int i = 0; i < picture->module * picture->module; i++)
    g_assert_cmphex (colour_at (picture, picture->margin + x * picture->module + i % picture->module,
                                picture->margin + y * picture->module + i / picture->module),
                     ==, colour);
  g_assert_true (colour == 0x000000 || colour == 0xffffff);
  return colour == 0x000000;
}

static void
test_decodes (gconstpointer data)
{
  g_auto (Picture) picture = { 0 };
  QRcode *code = QRcode_encodeString8bit (LINK, 0, QR_ECLEVEL_M);

  picture_init (&picture, LINK, GPOINTER_TO_INT (data));
  g_assert_cmpint (picture.symbol.width, ==, code->width);
  g_assert_cmpint (picture.module, >=, 2);
  for (int y = 0; y < code->width; y++)
    for (int x = 0; x < code->width; x++)
      {
        g_test_message ("module %d, %d", x, y);
        g_assert_cmpint (module_at (&picture, x, y), ==, code->data[y * code->width + x] & 1);
      }
  QRcode_free (code);
}

static void
test_quiet_zone (gconstpointer data)
{
  g_auto (Picture) picture = { 0 };
  int end;

  picture_init (&picture, LINK, GPOINTER_TO_INT (data));
  end = picture.margin + picture.symbol.width * picture.module;
  g_assert_cmpint (picture.margin, >=, QUIET_ZONE * picture.module);
  g_assert_cmpint (picture.side - end, >=, QUIET_ZONE * picture.module);
  for (int y = 0; y < picture.side; y++)
    for (int x = 0; x < picture.side; x++)
      if (x < picture.margin || x >= end || y < picture.margin || y >= end)
        g_assert_cmphex (colour_at (&picture, x, y), ==, 0xffffff);
}

/* A dark ring of 7, a light one of 5, a dark square of 3 (ISO/IEC 18004). */
static void
assert_finder (Picture *picture, int left, int top)
{
  for (int y = 0; y < 7; y++)
    for (int x = 0; x < 7; x++)
      {
        int ring = MAX (ABS (x - 3), ABS (y - 3));

        g_test_message ("finder pattern at %d, %d: module %d, %d", left, top, x, y);
        g_assert_cmpint (module_at (picture, left + x, top + y), ==, ring != 2);
      }
}

static void
test_finders (void)
{
  g_auto (Picture) picture = { 0 };
  int far;

  picture_init (&picture, LINK, 200);
  far = picture.symbol.width - 7;
  assert_finder (&picture, 0, 0);
  assert_finder (&picture, far, 0);
  assert_finder (&picture, 0, far);
}

/* 2331 bytes is what the largest symbol holds with correction level M. */
static void
test_too_long (void)
{
  g_autofree char *longest = g_strnfill (2331, 'x');
  g_autofree char *too_long = g_strnfill (2332, 'x');
  KhQrSymbol symbol;

  g_assert_true (kh_qr_symbol_init (&symbol, longest));
  g_assert_cmpint (symbol.width, ==, 177);
  kh_qr_symbol_clear (&symbol);
  g_assert_cmpint (symbol.width, ==, 0);
  g_assert_null (symbol.modules);

  g_assert_false (kh_qr_symbol_init (&symbol, too_long));
  g_assert_cmpint (symbol.width, ==, 0);
  g_assert_null (symbol.modules);
}

static void
add_sizes (const char *path, GTestDataFunc function)
{
  static const int sides[] = { 120, 197, 200, 201, 640 };

  for (gsize i = 0; i < G_N_ELEMENTS (sides); i++)
    {
      g_autofree char *whole = g_strdup_printf ("%s/%d", path, sides[i]);

      g_test_add_data_func (whole, GINT_TO_POINTER (sides[i]), function);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  /* Makes the kinds of render nodes known; it is not to open a display. */
  g_unsetenv ("DISPLAY");
  g_unsetenv ("WAYLAND_DISPLAY");
  g_assert_false (gtk_init_check ());

  add_sizes ("/qr-code/decodes", test_decodes);
  add_sizes ("/qr-code/quiet-zone", test_quiet_zone);
  g_test_add_func ("/qr-code/finders", test_finders);
  g_test_add_func ("/qr-code/too-long", test_too_long);
  return g_test_run ();
}
