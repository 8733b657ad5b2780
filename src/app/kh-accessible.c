/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-accessible.h"

/**
 * kh_accessible_name:
 * @widget: one that libadwaita names by a part of what it shows
 * @name: what a screen reader shall say
 */
void
kh_accessible_name (GtkWidget *widget, const char *name)
{
  gtk_accessible_reset_relation (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_RELATION_LABELLED_BY);
  gtk_accessible_update_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);
}

static void
name_button (GtkButton *button)
{
  const char *label = gtk_button_get_label (button);
  g_auto (GStrv) parts = label != NULL ? g_strsplit (label, "_", -1) : NULL;
  g_autofree char *name = parts != NULL ? g_strjoinv ("", parts) : NULL;

  if (name != NULL)
    kh_accessible_name (GTK_WIDGET (button), name);
}

/**
 * kh_accessible_name_buttons:
 * @widget: a dialog that libadwaita has put together
 *
 * Names the buttons in it by their labels. Left to themselves they are called "_End End", with the mark of the mnemonic.
 */
void
kh_accessible_name_buttons (GtkWidget *widget)
{
  if (GTK_IS_BUTTON (widget))
    name_button (GTK_BUTTON (widget));
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    kh_accessible_name_buttons (child);
}
