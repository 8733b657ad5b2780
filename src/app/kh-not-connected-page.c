/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-not-connected-page.h"

#include "config.h"

#include "kh-event-log.h"
#include "kh-failure.h"
#include "kh-focus.h"
#include "kh-network-facts.h"
#include "kh-resource.h"

#include <glib/gi18n.h>

/**
 * KhNotConnectedPage:
 *
 * What happened, what to do next, and everything that was tried.
 */
struct _KhNotConnectedPage
{
  AdwBin parent_instance;

  AdwStatusPage *status_page;
  GtkButton *again_button;
  GtkWidget *preferences_button;
  KhNetworkFacts *facts;
  KhEventLog *log;
};

G_DEFINE_FINAL_TYPE (KhNotConnectedPage, kh_not_connected_page, ADW_TYPE_BIN)

static gboolean
kh_not_connected_page_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (GTK_WIDGET (KH_NOT_CONNECTED_PAGE (widget)->again_button));
}

static void
kh_not_connected_page_class_init (KhNotConnectedPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  widget_class->grab_focus = kh_not_connected_page_grab_focus;
  widget_class->focus = kh_focus_child;

  g_type_ensure (KH_TYPE_EVENT_LOG);
  g_type_ensure (KH_TYPE_NETWORK_FACTS);
  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-not-connected-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, status_page);
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, again_button);
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, preferences_button);
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, facts);
  gtk_widget_class_bind_template_child (widget_class, KhNotConnectedPage, log);
}

static void
kh_not_connected_page_init (KhNotConnectedPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  kh_focus_skip_scroller (GTK_WIDGET (self->status_page));
}

static const char *
next_step (const KhFailure *failure, KhRole role)
{
  if (failure->try_again)
    return _ ("Try Again");
  return role == KH_ROLE_INVITER ? _ ("New Invite") : _ ("Enter New Code");
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
  gtk_button_set_label (self->again_button, next_step (&failure, role));
  gtk_widget_set_visible (self->preferences_button, failure.preferences);
  kh_network_facts_set_trace (self->facts, kh_session_get_trace (session));
  kh_event_log_set_trace (self->log, kh_session_get_trace (session));
}
