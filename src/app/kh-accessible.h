/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

G_BEGIN_DECLS

void kh_accessible_name         (GtkWidget *widget, const char *name);
void kh_accessible_name_buttons (GtkWidget *widget);

G_END_DECLS
