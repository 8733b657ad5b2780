/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-reaching-page.h"

#include "config.h"

#include "kh-event-log.h"
#include "kh-focus.h"
#include "kh-network-facts.h"
#include "kh-resource.h"

#include <glib/gi18n.h>

/**
 * KhReachingPage:
 *
 * From the code to the connection: how far it is, what is known of the networks, and everything that is tried.
 */
struct _KhReachingPage
{
  AdwBin parent_instance;

  GtkLabel *phase_label;
  GtkLabel *time_label;
  GtkWidget *cancel_button;
  KhNetworkFacts *facts;
  KhEventLog *log;

  KhSession *session;
  GSignalGroup *session_signals;
  guint tick_id; /* runs only while the page is seen */
};

G_DEFINE_FINAL_TYPE (KhReachingPage, kh_reaching_page, ADW_TYPE_BIN)

static const char *
phase_in_words (KhPhase phase)
{
  switch (phase)
    {
    case KH_PHASE_STARTING:
      return _ ("Looking for your friend at the meeting server…");
    case KH_PHASE_MEETING:
      return _ ("Checking that you both have the same code…");
    case KH_PHASE_LOOKING:
      return _ ("Looking at both networks…");
    case KH_PHASE_REACHING:
      return _ ("Knocking…");
    case KH_PHASE_CONNECTED:
      return _ ("Connected");
    case KH_PHASE_RESUMING:
      return _ ("Connecting again…");
    case KH_PHASE_INVITING:
    case KH_PHASE_ENDED:
    case KH_PHASE_FAILED:
    default:
      return "";
    }
}

static void
on_phase (KhSession *session, GParamSpec *pspec, KhReachingPage *self)
{
  gtk_label_set_text (self->phase_label, phase_in_words (kh_session_get_phase (session)));
}

/* --- the time that has passed --------------------------------------------------------------------------------- */

static void
show_time (KhReachingPage *self)
{
  guint seconds = self->session != NULL ? kh_trace_now (kh_session_get_trace (self->session)) / 1000 : 0;
  g_autofree char *text = g_strdup_printf ("%u:%02u", seconds / 60, seconds % 60);

  gtk_label_set_text (self->time_label, text);
}

static gboolean
on_tick (gpointer user_data)
{
  show_time (user_data);
  return G_SOURCE_CONTINUE;
}

static void
kh_reaching_page_map (GtkWidget *widget)
{
  KhReachingPage *self = KH_REACHING_PAGE (widget);

  GTK_WIDGET_CLASS (kh_reaching_page_parent_class)->map (widget);

  show_time (self);
  self->tick_id = g_timeout_add_seconds (1, on_tick, self);
  g_source_set_name_by_id (self->tick_id, "kh-reaching-page tick");
}

static void
kh_reaching_page_unmap (GtkWidget *widget)
{
  g_clear_handle_id (&KH_REACHING_PAGE (widget)->tick_id, g_source_remove);

  GTK_WIDGET_CLASS (kh_reaching_page_parent_class)->unmap (widget);
}

/* --- the widget ----------------------------------------------------------------------------------------------- */

static gboolean
kh_reaching_page_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (KH_REACHING_PAGE (widget)->cancel_button);
}

static void
kh_reaching_page_dispose (GObject *object)
{
  KhReachingPage *self = KH_REACHING_PAGE (object);

  g_clear_handle_id (&self->tick_id, g_source_remove);
  g_clear_object (&self->session_signals);
  g_clear_object (&self->session);

  G_OBJECT_CLASS (kh_reaching_page_parent_class)->dispose (object);
}

static void
kh_reaching_page_class_init (KhReachingPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_reaching_page_dispose;
  widget_class->grab_focus = kh_reaching_page_grab_focus;
  widget_class->focus = kh_focus_child;
  widget_class->map = kh_reaching_page_map;
  widget_class->unmap = kh_reaching_page_unmap;

  g_type_ensure (KH_TYPE_EVENT_LOG);
  g_type_ensure (KH_TYPE_NETWORK_FACTS);
  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-reaching-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhReachingPage, phase_label);
  gtk_widget_class_bind_template_child (widget_class, KhReachingPage, time_label);
  gtk_widget_class_bind_template_child (widget_class, KhReachingPage, cancel_button);
  gtk_widget_class_bind_template_child (widget_class, KhReachingPage, facts);
  gtk_widget_class_bind_template_child (widget_class, KhReachingPage, log);
}

static void
kh_reaching_page_init (KhReachingPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  self->session_signals = g_signal_group_new (KH_TYPE_SESSION);
  g_signal_group_connect (self->session_signals, "notify::phase", G_CALLBACK (on_phase), self);
}

/**
 * kh_reaching_page_set_session:
 * @session: (nullable): what to follow
 */
void
kh_reaching_page_set_session (KhReachingPage *self, KhSession *session)
{
  KhTrace *trace = session != NULL ? kh_session_get_trace (session) : NULL;

  g_return_if_fail (KH_IS_REACHING_PAGE (self));

  g_set_object (&self->session, session);
  g_signal_group_set_target (self->session_signals, session);
  kh_network_facts_set_trace (self->facts, trace);
  kh_event_log_set_trace (self->log, trace);
  if (session != NULL)
    on_phase (session, NULL, self);
}
