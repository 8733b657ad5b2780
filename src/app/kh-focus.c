/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-focus.h"

/**
 * kh_focus_skip_scroller:
 * @widget: a widget of libadwaita's that scrolls its content
 *
 * Keeps the keyboard from stopping at the scrolled window inside @widget, which has no name and nothing to do: what can be
 * reached in it scrolls into view by itself.
 */
void
kh_focus_skip_scroller (GtkWidget *widget)
{
  GtkWidget *child = gtk_widget_get_first_child (widget);

  while (child != NULL && !GTK_IS_SCROLLED_WINDOW (child))
    child = gtk_widget_get_next_sibling (child);
  if (child != NULL)
    gtk_widget_set_focusable (child, FALSE);
}

/**
 * kh_focus_child:
 * @widget: an AdwBin
 * @direction: where the keyboard goes
 *
 * For the class's `focus` of a bin that has a `grab_focus` of its own. Without it, GTK 4.8 grabs the focus for the bin whenever
 * the keyboard comes to it, from either side: it would jump past whatever is before, and never get out backwards.
 *
 * Returns: whether the focus is inside now
 */
gboolean
kh_focus_child (GtkWidget *widget, GtkDirectionType direction)
{
  GtkWidget *child = adw_bin_get_child (ADW_BIN (widget));

  return child != NULL && gtk_widget_child_focus (child, direction);
}
