/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message-row.h"

#include "kh-resource.h"

/**
 * KhMessageRow:
 *
 * A message as it stands in the list: the friend's at the start of the line, ours at its end.
 */
struct _KhMessageRow
{
  AdwBin parent_instance;

  GtkWidget *bubble;
  GtkLabel *text;
  GtkLabel *note;
  GBinding *binding;
  KhMessage *message;
};

G_DEFINE_FINAL_TYPE (KhMessageRow, kh_message_row, ADW_TYPE_BIN)

/* The list's own item widget is what a screen reader stops at; GTK 4.8 has no other way to name it. */
static void
name_item (KhMessageRow *self)
{
  GtkWidget *item = gtk_widget_get_parent (GTK_WIDGET (self));
  g_autofree char *label = self->message != NULL ? kh_message_dup_label (self->message) : NULL;

  if (item != NULL && label != NULL)
    gtk_accessible_update_property (GTK_ACCESSIBLE (item), GTK_ACCESSIBLE_PROPERTY_LABEL, label, -1);
}

static void
unset_message (KhMessageRow *self)
{
  g_clear_pointer (&self->binding, g_binding_unbind);
  if (self->message != NULL)
    g_signal_handlers_disconnect_by_data (self->message, self);
  g_clear_object (&self->message);
}

static void
kh_message_row_dispose (GObject *object)
{
  unset_message (KH_MESSAGE_ROW (object));
  gtk_widget_dispose_template (GTK_WIDGET (object), KH_TYPE_MESSAGE_ROW);

  G_OBJECT_CLASS (kh_message_row_parent_class)->dispose (object);
}

static void
kh_message_row_class_init (KhMessageRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_message_row_dispose;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-message-row.ui");
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, bubble);
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, text);
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, note);
}

static void
kh_message_row_init (KhMessageRow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
}

GtkWidget *
kh_message_row_new (void)
{
  return g_object_new (KH_TYPE_MESSAGE_ROW, NULL);
}

/**
 * kh_message_row_set_message:
 * @message: (nullable): what to show; the row follows its note
 */
void
kh_message_row_set_message (KhMessageRow *self, KhMessage *message)
{
  gboolean own;

  g_return_if_fail (KH_IS_MESSAGE_ROW (self));

  unset_message (self);
  if (message == NULL)
    return;

  self->message = g_object_ref (message);
  own = kh_message_get_state (message) != KH_MESSAGE_RECEIVED;
  gtk_label_set_text (self->text, kh_message_get_text (message));
  gtk_widget_set_halign (self->bubble, own ? GTK_ALIGN_END : GTK_ALIGN_START);
  if (own)
    gtk_widget_add_css_class (self->bubble, "own");
  else
    gtk_widget_remove_css_class (self->bubble, "own");

  self->binding = g_object_bind_property (message, "note", self->note, "label", G_BINDING_SYNC_CREATE);
  g_signal_connect_swapped (message, "notify::note", G_CALLBACK (name_item), self);
  name_item (self);
}
