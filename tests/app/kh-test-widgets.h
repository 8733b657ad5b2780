/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-test.h"

G_BEGIN_DECLS

/* The narrowest window there is to be, in logical pixels. */
#define KH_TEST_NARROW 360

/* As long as a translation may become, and longer. */
#define KH_TEST_LONG_TEXT                                                                                                                           \
  "[Ŵĥåţ ĥåþþéñéð ĥéŕé îš ţöļð åţ ļéñĝţĥ, šîñçé šömé ļåñĝûåĝéš ñééð ţŵîçé ţĥé ŕööm: " \
  "Ðöñåûðåmþƒšçĥîƒƒƒåĥŕţšĝéšéļļšçĥåƒţškåþîţäñšmüţžé åñð öţĥéŕ ŵöŕðš ļîké ţĥåţ öñé ţŵö ţĥŕéé]"

void kh_test_widgets_init (int *argc, char ***argv);
GtkWidget *kh_test_find (gpointer root, const char *id);
GtkWidget *kh_test_find_type (gpointer root, GType type);
GtkWidget *kh_test_find_button (gpointer root, const char *label);
const char *kh_test_text_of (gpointer root, const char *id);
gboolean kh_test_is_shown (gpointer root, const char *id);
void kh_test_click (gpointer root, const char *id);
gboolean kh_test_has_focus (GtkWidget *widget);
int kh_test_minimum_width (gpointer widget);
void kh_test_assert_narrow (gpointer widget);
GtkWidget *kh_test_host (GtkWidget *page);
void kh_test_destroy (GtkWidget *window);
char *kh_test_read_clipboard (gpointer widget);

#define kh_test_assert_role(widget, role) gtk_test_accessible_assert_role (GTK_ACCESSIBLE (widget), role)

#define kh_test_assert_name(widget, name)                                                                              \
  gtk_test_accessible_assert_property (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_PROPERTY_LABEL, name)

G_END_DECLS
