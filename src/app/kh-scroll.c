/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-scroll.h"

static void
scroll (GtkWidget *widget)
{
  GtkWidget *scroller = gtk_widget_get_ancestor (widget, GTK_TYPE_SCROLLED_WINDOW);
  GtkWidget *viewport = scroller != NULL ? gtk_scrolled_window_get_child (GTK_SCROLLED_WINDOW (scroller)) : NULL;
  GtkWidget *content = viewport != NULL ? gtk_widget_get_first_child (viewport) : NULL;
  graphene_rect_t bounds;

  if (content == NULL || !gtk_widget_compute_bounds (widget, content, &bounds))
    return;
  gtk_adjustment_clamp_page (gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller)), bounds.origin.y,
                             bounds.origin.y + bounds.size.height);
}

/* A frame calls back before it lays out: whatever has changed has its place in the second one. */
static gboolean
on_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer frames)
{
  int *left = frames;

  if (--*left > 0)
    return G_SOURCE_CONTINUE;

  scroll (widget);
  return G_SOURCE_REMOVE;
}

/**
 * kh_scroll_into_view:
 * @widget: somewhere in a scrolled window; may have changed its size just now
 *
 * Scrolls no further than needed to see all of it, from its beginning where it is too high.
 */
void
kh_scroll_into_view (GtkWidget *widget)
{
  int *frames = g_new (int, 1);

  *frames = 2;
  gtk_widget_add_tick_callback (widget, on_frame, frames, g_free);
}
