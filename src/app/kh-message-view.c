/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message-view.h"

#include "kh-message-row.h"
#include "kh-resource.h"

/**
 * KhMessageView:
 *
 * What was said, in a list that follows the newest message unless its reader has scrolled back. Only the rows that are seen
 * exist, so that a long conversation costs no more than a short one.
 */
struct _KhMessageView
{
  AdwBin parent_instance;

  GtkScrolledWindow *scroller;
  GtkListView *list;
  GtkWidget *empty_label;
  GtkWidget *newest_button;

  KhMessageLog *log;
  GtkAdjustment *adjustment;
  gboolean following;
};

G_DEFINE_FINAL_TYPE (KhMessageView, kh_message_view, ADW_TYPE_BIN)

static void
on_setup (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  gtk_list_item_set_activatable (item, FALSE);
  gtk_list_item_set_child (item, kh_message_row_new ());
}

static void
on_bind (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  kh_message_row_set_message (KH_MESSAGE_ROW (gtk_list_item_get_child (item)), gtk_list_item_get_item (item));
}

static void
on_unbind (GtkSignalListItemFactory *factory, GtkListItem *item)
{
  kh_message_row_set_message (KH_MESSAGE_ROW (gtk_list_item_get_child (item)), NULL);
}

static void
go_to_newest (KhMessageView *self)
{
  guint count = g_list_model_get_n_items (kh_message_log_get_model (self->log));

  if (count > 0)
    gtk_widget_activate_action (GTK_WIDGET (self->list), "list.scroll-to-item", "u", count - 1);
  self->following = TRUE;
  gtk_widget_set_visible (self->newest_button, FALSE);
}

/* Whoever has scrolled back to read is left there. */
static void
on_scrolled (GtkAdjustment *adjustment, KhMessageView *self)
{
  double end = gtk_adjustment_get_upper (adjustment) - gtk_adjustment_get_page_size (adjustment);

  self->following = gtk_adjustment_get_value (adjustment) >= end - 24;
  if (self->following)
    gtk_widget_set_visible (self->newest_button, FALSE);
}

static void
kh_message_view_dispose (GObject *object)
{
  KhMessageView *self = KH_MESSAGE_VIEW (object);

  if (self->adjustment != NULL)
    g_signal_handlers_disconnect_by_data (self->adjustment, self);
  g_clear_object (&self->adjustment);
  gtk_widget_dispose_template (GTK_WIDGET (object), KH_TYPE_MESSAGE_VIEW);
  g_clear_object (&self->log);

  G_OBJECT_CLASS (kh_message_view_parent_class)->dispose (object);
}

static void
kh_message_view_class_init (KhMessageViewClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_message_view_dispose;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-message-view.ui");
  gtk_widget_class_bind_template_child (widget_class, KhMessageView, scroller);
  gtk_widget_class_bind_template_child (widget_class, KhMessageView, list);
  gtk_widget_class_bind_template_child (widget_class, KhMessageView, empty_label);
  gtk_widget_class_bind_template_child (widget_class, KhMessageView, newest_button);
  gtk_widget_class_bind_template_callback (widget_class, on_setup);
  gtk_widget_class_bind_template_callback (widget_class, on_bind);
  gtk_widget_class_bind_template_callback (widget_class, on_unbind);
  gtk_widget_class_bind_template_callback (widget_class, go_to_newest);
}

static void
kh_message_view_init (KhMessageView *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  self->adjustment = g_object_ref (gtk_scrolled_window_get_vadjustment (self->scroller));
  g_signal_connect (self->adjustment, "value-changed", G_CALLBACK (on_scrolled), self);
  kh_message_view_clear (self);
}

/**
 * kh_message_view_clear:
 *
 * Begins with nothing said.
 */
void
kh_message_view_clear (KhMessageView *self)
{
  g_autoptr (GtkNoSelection) selection = NULL;

  g_return_if_fail (KH_IS_MESSAGE_VIEW (self));

  g_clear_object (&self->log);
  self->log = kh_message_log_new ();
  selection = gtk_no_selection_new (g_object_ref (kh_message_log_get_model (self->log)));
  gtk_list_view_set_model (self->list, GTK_SELECTION_MODEL (selection));
  self->following = TRUE;
  gtk_widget_set_visible (self->newest_button, FALSE);
  gtk_widget_set_visible (self->empty_label, TRUE);
}

/**
 * kh_message_view_add:
 * @message: the newest message
 *
 * An own message is always gone to: whoever writes wants to see it.
 */
void
kh_message_view_add (KhMessageView *self, KhMessage *message)
{
  gboolean own;

  g_return_if_fail (KH_IS_MESSAGE_VIEW (self));

  own = kh_message_get_state (message) != KH_MESSAGE_RECEIVED;
  kh_message_log_add (self->log, message);
  gtk_widget_set_visible (self->empty_label, FALSE);
  if (own || self->following)
    go_to_newest (self);
  else
    gtk_widget_set_visible (self->newest_button, TRUE);
}

/**
 * kh_message_view_get_log:
 *
 * Returns: (transfer none): what is shown
 */
KhMessageLog *
kh_message_view_get_log (KhMessageView *self)
{
  g_return_val_if_fail (KH_IS_MESSAGE_VIEW (self), NULL);

  return self->log;
}
