/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message-row.h"

#include "kh-resource.h"
#include "kh-wrap.h"

/* Characters from which on a bubble takes all the width it may have. */
#define LONG_TEXT 80

/* A bubble leaves this part of the line free, so that one sees whose it is. */
#define FREE_PART 6

#define MINIMUM_WIDTH 120
#define NATURAL_WIDTH 400

/**
 * KhMessageRow:
 *
 * A message as it stands in the list: the friend's at the start of the line, ours at its end.
 *
 * Nearly all that a message costs is the measuring of its text, and a label in a box is measured five times. So the row does
 * that itself: only a short text is asked for the width that it would like.
 */
struct _KhMessageRow
{
  GtkWidget parent_instance;

  GtkWidget *bubble;
  GtkLabel *text;
  GtkBox *more_box;
  GtkWidget *unfold_button;
  GtkLabel *note;
  GBinding *binding;
  KhMessage *message;
  gboolean own;
};

G_DEFINE_FINAL_TYPE (KhMessageRow, kh_message_row, GTK_TYPE_WIDGET)

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
set_piece (GtkLabel *label, const char *piece)
{
  gtk_label_set_wrap_mode (label, kh_wrap_has_endless_word (piece) ? PANGO_WRAP_CHAR : PANGO_WRAP_WORD_CHAR);
  gtk_label_set_text (label, piece);
}

static void
add_piece (KhMessageRow *self, const char *piece)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_selectable (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_natural_wrap_mode (GTK_LABEL (label), GTK_NATURAL_WRAP_NONE);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  set_piece (GTK_LABEL (label), piece);
  gtk_box_append (self->more_box, label);
}

static void
clear_more (KhMessageRow *self)
{
  GtkWidget *label;

  while ((label = gtk_widget_get_first_child (GTK_WIDGET (self->more_box))) != NULL)
    gtk_box_remove (self->more_box, label);
}

static void
show_text (KhMessageRow *self)
{
  g_auto (GStrv) pieces = kh_message_dup_pieces (self->message);
  guint count = g_strv_length (pieces);

  clear_more (self);
  set_piece (self->text, count > 0 ? pieces[0] : "");
  for (guint i = 1; i < count; i++)
    add_piece (self, pieces[i]);
  gtk_widget_set_visible (self->unfold_button, kh_message_is_folded (self->message));
  name_item (self);
}

static void
on_unfold (KhMessageRow *self)
{
  kh_message_unfold (self->message);
}

static gboolean
is_long (KhMessageRow *self)
{
  const char *text = gtk_label_get_text (self->text);

  return g_utf8_strlen (text, LONG_TEXT * 4) >= LONG_TEXT;
}

static int
bubble_width (KhMessageRow *self, int line)
{
  int most = MAX (line - line / FREE_PART, MINIMUM_WIDTH);
  int minimum;
  int natural;

  if (is_long (self))
    return most;

  gtk_widget_measure (self->bubble, GTK_ORIENTATION_HORIZONTAL, -1, &minimum, &natural, NULL, NULL);
  return CLAMP (natural, MIN (minimum, line), MAX (most, minimum));
}

static GtkSizeRequestMode
kh_message_row_get_request_mode (GtkWidget *widget)
{
  return GTK_SIZE_REQUEST_HEIGHT_FOR_WIDTH;
}

static void
kh_message_row_measure (GtkWidget *widget, GtkOrientation orientation, int for_size, int *minimum, int *natural,
                        int *minimum_baseline, int *natural_baseline)
{
  KhMessageRow *self = KH_MESSAGE_ROW (widget);

  if (orientation == GTK_ORIENTATION_HORIZONTAL)
    {
      *minimum = MINIMUM_WIDTH;
      *natural = NATURAL_WIDTH;
    }
  else
    gtk_widget_measure (self->bubble, orientation, bubble_width (self, for_size < 0 ? NATURAL_WIDTH : for_size),
                        minimum, natural, NULL, NULL);
}

static void
kh_message_row_size_allocate (GtkWidget *widget, int width, int height, int baseline)
{
  KhMessageRow *self = KH_MESSAGE_ROW (widget);
  int taken = bubble_width (self, width);
  gboolean at_left = self->own == (gtk_widget_get_direction (widget) == GTK_TEXT_DIR_RTL);

  gtk_widget_size_allocate (self->bubble, &(GtkAllocation){ at_left ? 0 : width - taken, 0, taken, height }, -1);
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
  KhMessageRow *self = KH_MESSAGE_ROW (object);

  unset_message (self);
  g_clear_pointer (&self->bubble, gtk_widget_unparent);

  G_OBJECT_CLASS (kh_message_row_parent_class)->dispose (object);
}

static void
kh_message_row_class_init (KhMessageRowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_message_row_dispose;
  widget_class->get_request_mode = kh_message_row_get_request_mode;
  widget_class->measure = kh_message_row_measure;
  widget_class->size_allocate = kh_message_row_size_allocate;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-message-row.ui");
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, bubble);
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, text);
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, more_box);
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, unfold_button);
  gtk_widget_class_bind_template_child (widget_class, KhMessageRow, note);
  gtk_widget_class_bind_template_callback (widget_class, on_unfold);
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
  g_return_if_fail (KH_IS_MESSAGE_ROW (self));

  unset_message (self);
  if (message == NULL)
    return;

  self->message = g_object_ref (message);
  self->own = kh_message_get_state (message) != KH_MESSAGE_RECEIVED;
  if (self->own)
    gtk_widget_add_css_class (self->bubble, "own");
  else
    gtk_widget_remove_css_class (self->bubble, "own");

  self->binding = g_object_bind_property (message, "note", self->note, "label", G_BINDING_SYNC_CREATE);
  g_signal_connect_swapped (message, "notify::note", G_CALLBACK (name_item), self);
  g_signal_connect_swapped (message, "notify::shown", G_CALLBACK (show_text), self);
  show_text (self);
}
