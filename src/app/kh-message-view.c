/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message-view.h"

#include "kh-message-row.h"
#include "kh-resource.h"

/* How many frames a list has to find its end. */
#define SETTLING_FRAMES 8

/* Pixels from the end within which a reader counts as being there. */
#define READERS_END 24

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
  guint tick_id; /* while the list is on its way to the newest message */
  guint frames_left;
  double height; /* of what is seen of the list */
  gboolean was_at_end;
  gboolean moving; /* it is us who scroll */
  double value;
  double upper;
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

static double
end_of (GtkAdjustment *adjustment)
{
  return gtk_adjustment_get_upper (adjustment) - gtk_adjustment_get_page_size (adjustment);
}

static gboolean
is_near_end (KhMessageView *self, double pixels)
{
  return gtk_adjustment_get_value (self->adjustment) >= end_of (self->adjustment) - pixels;
}

/* A list knows a row's height only once it has been drawn, and guesses until then. So it is sent to its end again until it
 * has stayed there for a frame. */
static gboolean
on_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  KhMessageView *self = KH_MESSAGE_VIEW (widget);

  self->frames_left--;
  if (!is_near_end (self, 1))
    {
      self->moving = TRUE;
      gtk_adjustment_set_value (self->adjustment, end_of (self->adjustment));
      self->moving = FALSE;
    }
  else
    self->frames_left = MIN (self->frames_left, 1);
  if (self->frames_left > 0)
    return G_SOURCE_CONTINUE;

  self->tick_id = 0;
  return G_SOURCE_REMOVE;
}

static void
go_to_newest (KhMessageView *self)
{
  guint count = g_list_model_get_n_items (kh_message_log_get_model (self->log));

  /* Once a frame is enough, however many messages come in it. */
  if (count > 0 && self->tick_id == 0)
    {
      self->moving = TRUE;
      gtk_widget_activate_action (GTK_WIDGET (self->list), "list.scroll-to-item", "u", count - 1);
      self->moving = FALSE;
    }
  self->frames_left = SETTLING_FRAMES;
  if (self->tick_id == 0)
    self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), on_frame, NULL, NULL);
  gtk_widget_set_visible (self->newest_button, FALSE);
}

/* A window that is made lower hides what was at its end. Whoever read there wants to read on there. */
static void
on_size_changed (GtkAdjustment *adjustment, KhMessageView *self)
{
  double height = gtk_adjustment_get_page_size (adjustment);

  if (height < self->height && self->was_at_end)
    go_to_newest (self);
  self->height = height;
  self->was_at_end = is_near_end (self, READERS_END);
}

/* Only a reader scrolls back in a list that does not get shorter: that ends the way to the newest message. */
static void
stop_for_reader (KhMessageView *self)
{
  double value = gtk_adjustment_get_value (self->adjustment);
  double upper = gtk_adjustment_get_upper (self->adjustment);

  if (!self->moving && self->tick_id != 0 && value < self->value - 1 && upper >= self->upper)
    {
      gtk_widget_remove_tick_callback (GTK_WIDGET (self), self->tick_id);
      self->tick_id = 0;
    }
  self->value = value;
  self->upper = upper;
}

static void
on_scrolled (GtkAdjustment *adjustment, KhMessageView *self)
{
  stop_for_reader (self);
  self->was_at_end = is_near_end (self, READERS_END);
  if (is_near_end (self, READERS_END))
    gtk_widget_set_visible (self->newest_button, FALSE);
}

static void
kh_message_view_dispose (GObject *object)
{
  KhMessageView *self = KH_MESSAGE_VIEW (object);

  if (self->adjustment != NULL)
    g_signal_handlers_disconnect_by_data (self->adjustment, self);
  g_clear_object (&self->adjustment);
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
  g_signal_connect (self->adjustment, "changed", G_CALLBACK (on_size_changed), self);
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
  gtk_widget_set_can_focus (GTK_WIDGET (self->scroller), FALSE); /* the keyboard would not get past an empty list */
  gtk_widget_set_visible (self->newest_button, FALSE);
  gtk_widget_set_visible (self->empty_label, TRUE);
}

/**
 * kh_message_view_add:
 * @message: the newest message
 *
 * Goes to it if the reader was at the end, and always to an own one: whoever writes wants to see it. Whoever has scrolled
 * back to read is left there, and told.
 */
void
kh_message_view_add (KhMessageView *self, KhMessage *message)
{
  gboolean follow;

  g_return_if_fail (KH_IS_MESSAGE_VIEW (self));

  follow =
      self->tick_id != 0 || is_near_end (self, READERS_END) || kh_message_get_state (message) != KH_MESSAGE_RECEIVED;
  kh_message_log_add (self->log, message);
  gtk_widget_set_can_focus (GTK_WIDGET (self->scroller), TRUE);
  gtk_widget_set_visible (self->empty_label, FALSE);
  if (follow)
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
