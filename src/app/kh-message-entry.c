/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message-entry.h"

#include "kh-focus.h"
#include "kh-resource.h"
#include "kh-wrap.h"

/**
 * KhMessageEntry:
 *
 * Where a message is written. Enter sends it, Shift+Enter begins a new line.
 */
struct _KhMessageEntry
{
  AdwBin parent_instance;

  GtkTextView *view;
  GtkWidget *placeholder;
};

G_DEFINE_FINAL_TYPE (KhMessageEntry, kh_message_entry, ADW_TYPE_BIN)

static guint submit_signal;
static guint changed_signal;

/* While an input method composes, Enter belongs to it: it takes the proposed characters, and nothing is sent. So the input
 * method is asked first. */
static gboolean
on_key_pressed (GtkEventControllerKey *controller, guint key, guint code, GdkModifierType modifiers,
                KhMessageEntry *self)
{
  GdkEvent *event = gtk_event_controller_get_current_event (GTK_EVENT_CONTROLLER (controller));

  if (key != GDK_KEY_Return && key != GDK_KEY_KP_Enter && key != GDK_KEY_ISO_Enter)
    return GDK_EVENT_PROPAGATE;
  if (modifiers & (GDK_SHIFT_MASK | GDK_CONTROL_MASK | GDK_ALT_MASK))
    return GDK_EVENT_PROPAGATE;

  if (!gtk_text_view_im_context_filter_keypress (self->view, event))
    g_signal_emit (self, submit_signal, 0);
  return GDK_EVENT_STOP;
}

static void
on_changed (KhMessageEntry *self)
{
  GtkTextBuffer *buffer = gtk_text_view_get_buffer (self->view);
  g_autofree char *text = kh_message_entry_dup_text (self);

  gtk_text_view_set_wrap_mode (self->view, kh_wrap_has_endless_word (text) ? GTK_WRAP_CHAR : GTK_WRAP_WORD_CHAR);
  gtk_widget_set_visible (self->placeholder, gtk_text_buffer_get_char_count (buffer) == 0);
  g_signal_emit (self, changed_signal, 0);
}

/* What an input method proposes stands where the placeholder is, and is not in the buffer yet. */
static void
on_preedit_changed (KhMessageEntry *self, const char *preedit)
{
  if (*preedit != '\0')
    gtk_widget_set_visible (self->placeholder, FALSE);
  else
    on_changed (self);
}

static gboolean
kh_message_entry_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (GTK_WIDGET (KH_MESSAGE_ENTRY (widget)->view));
}

static void
kh_message_entry_class_init (KhMessageEntryClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->grab_focus = kh_message_entry_grab_focus;
  widget_class->focus = kh_focus_child;

  /**
   * KhMessageEntry::submit:
   *
   * The writer wants it sent.
   */
  submit_signal =
      g_signal_new ("submit", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * KhMessageEntry::changed:
   *
   * Something else is written.
   */
  changed_signal =
      g_signal_new ("changed", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-message-entry.ui");
  gtk_widget_class_bind_template_child (widget_class, KhMessageEntry, view);
  gtk_widget_class_bind_template_child (widget_class, KhMessageEntry, placeholder);
  gtk_widget_class_bind_template_callback (widget_class, on_preedit_changed);
}

static void
kh_message_entry_init (KhMessageEntry *self)
{
  GtkEventController *keys = gtk_event_controller_key_new ();

  gtk_widget_init_template (GTK_WIDGET (self));

  gtk_event_controller_set_propagation_phase (keys, GTK_PHASE_CAPTURE);
  g_signal_connect (keys, "key-pressed", G_CALLBACK (on_key_pressed), self);
  gtk_widget_add_controller (GTK_WIDGET (self->view), keys);
  g_signal_connect_object (gtk_text_view_get_buffer (self->view), "changed", G_CALLBACK (on_changed), self,
                           G_CONNECT_SWAPPED);
}

/**
 * kh_message_entry_dup_text:
 *
 * Returns: (transfer full): what is written
 */
char *
kh_message_entry_dup_text (KhMessageEntry *self)
{
  GtkTextBuffer *buffer;
  GtkTextIter start;
  GtkTextIter end;

  g_return_val_if_fail (KH_IS_MESSAGE_ENTRY (self), NULL);

  buffer = gtk_text_view_get_buffer (self->view);
  gtk_text_buffer_get_bounds (buffer, &start, &end);
  return gtk_text_buffer_get_text (buffer, &start, &end, FALSE);
}

void
kh_message_entry_set_text (KhMessageEntry *self, const char *text)
{
  g_return_if_fail (KH_IS_MESSAGE_ENTRY (self));

  gtk_text_buffer_set_text (gtk_text_view_get_buffer (self->view), text, -1);
}
