/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-not-connected-page.h"

#include "config.h"

#include "kh-event-log.h"
#include "kh-failure.h"
#include "kh-focus.h"
#include "kh-resource.h"

/**
 * KhNotConnectedPage:
 *
 * What happened, what to do next, and everything that was tried.
 */
struct _KhNotConnectedPage
{
  AdwBin parent_instance;

  AdwStatusPage *status_page;
  GtkWidget *again_button;
  GtkExpander *details;
  KhEventLog *log;
};

G_DEFINE_FINAL_TYPE (KhNotConnectedPage, kh_not_connected_page, ADW_TYPE_BIN)

static gboolean
kh_not_connected_page_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (KH_NOT_CONNECTED_PAGE (widget)->again_button);
}

/* GTK 4.8 looks for the focus in what it does not show, and warns that it is in no window. So it is not there. */
static void
on_expanded (KhNotConnectedPage *self)
{
  gtk_expander_set_child (self->details, gtk_expander_get_expanded (self->details) ? GTK_WIDGET (self->log) : NULL);
}

static void
kh_not_connected_page_dispose (GObject *object)
{
  adw_bin_set_child (ADW_BIN (object), NULL); /* AdwBin would look for what the template has let go of */
  gtk_widget_dispose_template (GTK_WIDGET (object), KH_TYPE_NOT_CONNECTED_PAGE);

  G_OBJECT_CLASS (kh_not_connected_page_parent_class)->dispose (object);
}

static void
kh_not_connected_page_class_init (KhNotConnectedPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_not_connected_page_dispose;
  widget_class->grab_focus = kh_not_connected_page_grab_focus;
  widget_class->focus = kh_focus_child;

  g_type_ensure (KH_TYPE_EVENT_LOG);
  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-not-connected-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, status_page);
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, again_button);
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, details);
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, log);
  gtk_widget_class_bind_template_callback (widget_class, on_expanded);
}

static void
kh_not_connected_page_init (KhNotConnectedPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  kh_focus_skip_scroller (GTK_WIDGET (self->status_page));
  on_expanded (self);
}

/**
 * kh_not_connected_page_set_session:
 * @session: a session that has failed
 * @role: our part in it
 */
void
kh_not_connected_page_set_session (KhNotConnectedPage *self, KhSession *session, KhRole role)
{
  KhFailure failure;

  g_return_if_fail (KH_IS_NOT_CONNECTED_PAGE (self) && kh_session_get_error (session) != NULL);

  failure = kh_failure_for_error (kh_session_get_error (session)->code, role);
  adw_status_page_set_title (self->status_page, failure.title);
  adw_status_page_set_description (self->status_page, failure.sentence);
  kh_event_log_set_trace (self->log, kh_session_get_trace (session));
}
