/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-event-log.h"

#include "config.h"

#include "kh-narrator.h"
#include "kh-resource.h"

#include <glib/gi18n.h>

/* What a person may want to scroll through; a report has it all. */
#define MAX_ROWS 500

/**
 * KhEventLog:
 *
 * What happens, a full sentence a row, while it happens. It follows the newest row unless the reader has scrolled.
 */
struct _KhEventLog
{
  AdwBin parent_instance;

  GtkScrolledWindow *scroller;
  GtkListBox *list;
  GtkAdjustment *adjustment;
  GSignalGroup *trace_signals;
  KhNarrator *narrator;
  guint rows;
  gboolean following;
  guint tick_id; /* the end is gone to in the next frame */
};

G_DEFINE_FINAL_TYPE (KhEventLog, kh_event_log, ADW_TYPE_BIN)

static GtkWidget *
label_new (const char *text, const char *css_class)
{
  GtkWidget *label = gtk_label_new (text);

  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  gtk_widget_set_valign (label, GTK_ALIGN_BASELINE);
  return label;
}

static GtkWidget *
row_new (gint64 milliseconds, const char *sentence)
{
  /* Translators: seconds since the beginning; s is their unit */
  g_autofree char *time = g_strdup_printf (_ ("%.1f s"), milliseconds / 1000.0);
  /* Translators: what a screen reader says of an event: %1$s is "2.5 s", %2$s a sentence */
  g_autofree char *name = g_strdup_printf (_ ("After %1$s: %2$s"), time, sentence);
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_HORIZONTAL, 12);
  GtkWidget *time_label = label_new (time, "dim-label");
  GtkWidget *sentence_label = label_new (sentence, NULL);

  gtk_widget_add_css_class (time_label, "numeric");
  gtk_label_set_width_chars (GTK_LABEL (time_label), 6);
  gtk_label_set_wrap (GTK_LABEL (sentence_label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (sentence_label), PANGO_WRAP_WORD_CHAR);
  gtk_widget_set_hexpand (sentence_label, TRUE);
  gtk_box_append (GTK_BOX (box), time_label);
  gtk_box_append (GTK_BOX (box), sentence_label);
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  gtk_accessible_update_property (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_PROPERTY_LABEL, name, -1);

  return row;
}

static void
remove_first (KhEventLog *self)
{
  gtk_list_box_remove (self->list, GTK_WIDGET (gtk_list_box_get_row_at_index (self->list, 0)));
  self->rows--;
}

static void
add_event (KhEvent *event, gpointer user_data)
{
  KhEventLog *self = user_data;
  g_autofree char *sentence = kh_narrator_tell (self->narrator, event);

  /* Why it failed is told by the page, in the reader's language. */
  if (sentence == NULL || g_str_equal (kh_event_get_kind (event), "session.failed"))
    return;

  gtk_list_box_append (self->list, row_new (kh_event_get_time (event), sentence));
  self->rows++;
  gtk_widget_set_visible (GTK_WIDGET (self->scroller), TRUE);
  if (self->rows > MAX_ROWS)
    remove_first (self);
}

static void
on_events (GListModel *trace, guint position, guint removed, guint added, KhEventLog *self)
{
  kh_trace_foreach (KH_TRACE (trace), position, added, add_event, self);
}

static gboolean
on_frame (GtkWidget *widget, GdkFrameClock *clock, gpointer user_data)
{
  KhEventLog *self = KH_EVENT_LOG (widget);

  self->tick_id = 0;
  gtk_adjustment_set_value (self->adjustment, gtk_adjustment_get_upper (self->adjustment));
  return G_SOURCE_REMOVE;
}

/* The list has grown: go on to its end, if that is where the reader is. Not before the next frame, since it is just being laid
 * out. */
static void
on_size_changed (GtkAdjustment *adjustment, KhEventLog *self)
{
  if (self->following && self->tick_id == 0)
    self->tick_id = gtk_widget_add_tick_callback (GTK_WIDGET (self), on_frame, NULL, NULL);
}

static void
on_scrolled (GtkAdjustment *adjustment, KhEventLog *self)
{
  double end = gtk_adjustment_get_upper (adjustment) - gtk_adjustment_get_page_size (adjustment);

  if (self->tick_id == 0)
    self->following = gtk_adjustment_get_value (adjustment) >= end - 1;
}

static void
kh_event_log_dispose (GObject *object)
{
  KhEventLog *self = KH_EVENT_LOG (object);

  if (self->adjustment != NULL)
    g_signal_handlers_disconnect_by_data (self->adjustment, self);
  g_clear_object (&self->adjustment);
  g_clear_object (&self->trace_signals);

  G_OBJECT_CLASS (kh_event_log_parent_class)->dispose (object);
}

static void
kh_event_log_finalize (GObject *object)
{
  g_clear_pointer (&KH_EVENT_LOG (object)->narrator, kh_narrator_free);

  G_OBJECT_CLASS (kh_event_log_parent_class)->finalize (object);
}

static void
kh_event_log_class_init (KhEventLogClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_event_log_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_event_log_finalize;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-event-log.ui");
  gtk_widget_class_bind_template_child (widget_class, KhEventLog, scroller);
  gtk_widget_class_bind_template_child (widget_class, KhEventLog, list);
}

static void
kh_event_log_init (KhEventLog *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  self->following = TRUE;
  self->adjustment = g_object_ref (gtk_scrolled_window_get_vadjustment (self->scroller));
  g_signal_connect (self->adjustment, "changed", G_CALLBACK (on_size_changed), self);
  g_signal_connect (self->adjustment, "value-changed", G_CALLBACK (on_scrolled), self);

  self->trace_signals = g_signal_group_new (KH_TYPE_TRACE);
  g_signal_group_connect (self->trace_signals, "items-changed", G_CALLBACK (on_events), self);
}

/**
 * kh_event_log_set_trace:
 * @trace: (nullable): what to tell; what is in it already, and what comes
 */
void
kh_event_log_set_trace (KhEventLog *self, KhTrace *trace)
{
  g_return_if_fail (KH_IS_EVENT_LOG (self));

  while (self->rows > 0)
    remove_first (self);
  gtk_widget_set_visible (GTK_WIDGET (self->scroller), FALSE); /* empty, it would take the keyboard and keep it */
  g_clear_pointer (&self->narrator, kh_narrator_free);
  self->narrator = kh_narrator_new ();
  self->following = TRUE;

  g_signal_group_set_target (self->trace_signals, trace);
  if (trace != NULL)
    kh_trace_foreach (trace, 0, G_MAXUINT, add_event, self);
}
