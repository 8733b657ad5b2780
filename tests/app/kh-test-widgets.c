/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-widgets.h"

#include <string.h>

void
kh_test_widgets_init (int *argc, char ***argv)
{
  gtk_test_init (argc, argv, NULL);
  adw_init ();
}

/* --- finding ---------------------------------------------------------------------------------------------------- */

typedef gboolean (*Matches) (GtkWidget *widget, gconstpointer wanted);

static GtkWidget *
find (GtkWidget *root, Matches matches, gconstpointer wanted)
{
  GtkWidget *found = matches (root, wanted) ? root : NULL;

  for (GtkWidget *child = gtk_widget_get_first_child (root); found == NULL && child != NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find (child, matches, wanted);
  return found;
}

static gboolean
has_id (GtkWidget *widget, gconstpointer id)
{
  return g_strcmp0 (gtk_buildable_get_buildable_id (GTK_BUILDABLE (widget)), id) == 0;
}

/* The widget that a template calls by that name. It has to be there. */
GtkWidget *
kh_test_find (gpointer root, const char *id)
{
  GtkWidget *found = find (root, has_id, id);

  if (found == NULL)
    g_error ("nothing is called “%s” in %s", id, G_OBJECT_TYPE_NAME (root));
  return found;
}

static gboolean
is_of_type (GtkWidget *widget, gconstpointer type)
{
  return g_type_is_a (G_OBJECT_TYPE (widget), GPOINTER_TO_SIZE (type));
}

/* The first of that type, or NULL. */
GtkWidget *
kh_test_find_type (gpointer root, GType type)
{
  return find (root, is_of_type, GSIZE_TO_POINTER (type));
}

static gboolean
is_button_with_label (GtkWidget *widget, gconstpointer label)
{
  return GTK_IS_BUTTON (widget) && g_strcmp0 (gtk_button_get_label (GTK_BUTTON (widget)), label) == 0;
}

/* A button, by what stands on it, or NULL. */
GtkWidget *
kh_test_find_button (gpointer root, const char *label)
{
  return find (root, is_button_with_label, label);
}

/* --- looking and doing ------------------------------------------------------------------------------------------ */

const char *
kh_test_text_of (gpointer root, const char *id)
{
  return gtk_label_get_text (GTK_LABEL (kh_test_find (root, id)));
}

/* Whether it can be seen: it and all that it is in. */
gboolean
kh_test_is_shown (gpointer root, const char *id)
{
  return gtk_widget_is_visible (kh_test_find (root, id));
}

/* What a click does, without the 250 ms that gtk_widget_activate() shows the button pressed. */
void
kh_test_click (gpointer root, const char *id)
{
  GtkWidget *button = kh_test_find (root, id);

  g_assert_true (gtk_widget_is_sensitive (button));
  g_assert_true (gtk_widget_is_visible (button));
  g_signal_emit_by_name (button, "clicked");
}

/* The focus is in a part of it where it is made of parts, as an entry is. */
gboolean
kh_test_has_focus (GtkWidget *widget)
{
  GtkWidget *focus = gtk_root_get_focus (gtk_widget_get_root (widget));

  return focus != NULL && (focus == widget || gtk_widget_is_ancestor (focus, widget));
}

int
kh_test_minimum_width (gpointer widget)
{
  int minimum;

  gtk_widget_measure (widget, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, NULL, NULL, NULL);
  return minimum;
}

void
kh_test_assert_narrow (gpointer widget)
{
  g_assert_cmpint (kh_test_minimum_width (widget), <=, KH_TEST_NARROW);
}

/* --- windows ---------------------------------------------------------------------------------------------------- */

/* A window with nothing but a page, on the display. */
GtkWidget *
kh_test_host (GtkWidget *page)
{
  GtkWidget *window = gtk_window_new ();

  gtk_window_set_default_size (GTK_WINDOW (window), KH_TEST_NARROW, 640);
  gtk_window_set_child (GTK_WINDOW (window), page);
  gtk_window_present (GTK_WINDOW (window));
  kh_test_wait_until (gtk_widget_get_mapped (page), 5000);
  gtk_test_widget_wait_for_draw (window);

  return window;
}

/* A widget that somebody still holds is not found by a leak checker: GTK can reach it. */
void
kh_test_destroy (GtkWidget *window)
{
  GtkWidget *page = gtk_window_get_child (GTK_WINDOW (window));

  g_object_add_weak_pointer (G_OBJECT (page), (gpointer *) &page);
  g_object_add_weak_pointer (G_OBJECT (window), (gpointer *) &window);
  gtk_window_destroy (GTK_WINDOW (window));
  kh_test_wait_until (page == NULL && window == NULL, 5000);
}

char *
kh_test_read_clipboard (gpointer widget)
{
  GdkClipboard *clipboard = gtk_widget_get_clipboard (widget);
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  char *text;

  gdk_clipboard_read_text_async (clipboard, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, 5000);
  text = gdk_clipboard_read_text_finish (clipboard, result, &error);
  g_assert_no_error (error);

  return text;
}
