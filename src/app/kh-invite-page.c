/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-invite-page.h"

#include "config.h"

#include "kh-focus.h"
#include "kh-json.h"
#include "kh-narrator.h"
#include "kh-qr-code.h"
#include "kh-resource.h"

#include <glib/gi18n.h>
#include <string.h>

/**
 * KhInvitePage:
 *
 * The code to hand over, and how the waiting goes.
 */
struct _KhInvitePage
{
  AdwBin parent_instance;

  GtkWidget *asking_box;
  GtkWidget *code_box;
  GtkLabel *code_label;
  GtkWidget *copy_button;
  KhQrCode *qr_code;
  GtkLabel *expiry_label;
  GtkLabel *asking_label;
  GtkLabel *waiting_label;

  KhSession *session;
  GSignalGroup *trace_signals;
  KhNarrator *narrator;
  char *code;
  char *link;
};

G_DEFINE_FINAL_TYPE (KhInvitePage, kh_invite_page, ADW_TYPE_BIN)

static void
forget_code (KhInvitePage *self)
{
  g_clear_pointer (&self->code, g_free);
  g_clear_pointer (&self->link, g_free);
  gtk_label_set_text (self->code_label, "");
}

static void
show_box (KhInvitePage *self, GtkWidget *box)
{
  gtk_widget_set_visible (self->asking_box, box == self->asking_box);
  gtk_widget_set_visible (self->code_box, box == self->code_box);
}

static void
show_expiry (KhInvitePage *self)
{
  g_autoptr (GDateTime) utc = g_date_time_new_from_unix_utc (kh_session_get_expiry (self->session) / G_USEC_PER_SEC);
  g_autoptr (GDateTime) local = g_date_time_to_local (utc);
  /* Translators: a time of day, as in g_date_time_format() */
  g_autofree char *time = g_date_time_format (local, _ ("%H:%M"));
  /* Translators: %s is a time of day */
  g_autofree char *text = g_strdup_printf (_ ("Valid until %s, for one friend, while this window is open"), time);

  gtk_label_set_text (self->expiry_label, text);
}

static void
show_code (KhInvitePage *self, JsonObject *members)
{
  forget_code (self);
  self->code = g_strdup (kh_json_get_string (members, "code"));
  self->link = g_strdup (kh_json_get_string (members, "link"));

  gtk_label_set_text (self->code_label, self->code);
  kh_qr_code_set_text (self->qr_code, self->link);
  show_expiry (self);
  gtk_label_set_text (self->waiting_label, _ ("Waiting for your friend…"));
  show_box (self, self->code_box);
  gtk_widget_grab_focus (self->copy_button);
}

/* How it goes with the meeting server, from the first try until the friend comes. */
static gboolean
is_about_server (const char *kind)
{
  return g_str_has_prefix (kind, "mailbox.") && strcmp (kind, "mailbox.connected") != 0 &&
         strcmp (kind, "mailbox.motd") != 0;
}

static void
take_event (KhEvent *event, gpointer user_data)
{
  KhInvitePage *self = user_data;
  const char *kind = kh_event_get_kind (event);
  g_autofree char *sentence = kh_narrator_tell (self->narrator, event);

  if (strcmp (kind, "invite.code") == 0)
    show_code (self, kh_event_get_members (event));
  else if (strcmp (kind, "mailbox.connected") == 0)
    gtk_label_set_text (self->waiting_label, _ ("Waiting for your friend…"));
  else if (is_about_server (kind) && sentence != NULL)
    {
      gtk_label_set_text (self->asking_label, sentence);
      gtk_label_set_text (self->waiting_label, sentence);
    }
}

static void
on_events (GListModel *trace, guint position, guint removed, guint added, KhInvitePage *self)
{
  kh_trace_foreach (KH_TRACE (trace), position, added, take_event, self);
}

static gboolean
kh_invite_page_grab_focus (GtkWidget *widget)
{
  KhInvitePage *self = KH_INVITE_PAGE (widget);

  if (self->code != NULL)
    return gtk_widget_grab_focus (self->copy_button);
  return GTK_WIDGET_CLASS (kh_invite_page_parent_class)->grab_focus (widget);
}

static void
kh_invite_page_dispose (GObject *object)
{
  KhInvitePage *self = KH_INVITE_PAGE (object);

  g_clear_object (&self->trace_signals);
  g_clear_object (&self->session);

  G_OBJECT_CLASS (kh_invite_page_parent_class)->dispose (object);
}

static void
kh_invite_page_finalize (GObject *object)
{
  KhInvitePage *self = KH_INVITE_PAGE (object);

  g_clear_pointer (&self->narrator, kh_narrator_free);
  g_free (self->code);
  g_free (self->link);

  G_OBJECT_CLASS (kh_invite_page_parent_class)->finalize (object);
}

static void
kh_invite_page_class_init (KhInvitePageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_invite_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_invite_page_finalize;
  widget_class->grab_focus = kh_invite_page_grab_focus;
  widget_class->focus = kh_focus_child;

  g_type_ensure (KH_TYPE_QR_CODE);
  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-invite-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, asking_box);
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, code_box);
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, code_label);
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, copy_button);
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, qr_code);
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, expiry_label);
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, asking_label);
  gtk_widget_class_bind_template_child (widget_class, KhInvitePage, waiting_label);
}

static void
kh_invite_page_init (KhInvitePage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  self->trace_signals = g_signal_group_new (KH_TYPE_TRACE);
  g_signal_group_connect (self->trace_signals, "items-changed", G_CALLBACK (on_events), self);
}

/**
 * kh_invite_page_set_session:
 * @session: (nullable): an invite that is about to begin
 */
void
kh_invite_page_set_session (KhInvitePage *self, KhSession *session)
{
  g_return_if_fail (KH_IS_INVITE_PAGE (self));

  forget_code (self);
  g_clear_pointer (&self->narrator, kh_narrator_free);
  self->narrator = kh_narrator_new ();
  gtk_label_set_text (self->asking_label, _ ("Asking the meeting server for a code…"));
  show_box (self, self->asking_box);

  g_set_object (&self->session, session);
  g_signal_group_set_target (self->trace_signals, session != NULL ? kh_session_get_trace (session) : NULL);
}

/**
 * kh_invite_page_get_code:
 *
 * Returns: (transfer none) (nullable): the code, once there is one
 */
const char *
kh_invite_page_get_code (KhInvitePage *self)
{
  g_return_val_if_fail (KH_IS_INVITE_PAGE (self), NULL);

  return self->code;
}

/**
 * kh_invite_page_get_link:
 *
 * Returns: (transfer none) (nullable): the same as a link
 */
const char *
kh_invite_page_get_link (KhInvitePage *self)
{
  g_return_val_if_fail (KH_IS_INVITE_PAGE (self), NULL);

  return self->link;
}
