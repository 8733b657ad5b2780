/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-conversation-page.h"

#include "config.h"

#include "kh-conversation.h"
#include "kh-error.h"
#include "kh-failure.h"
#include "kh-focus.h"
#include "kh-json.h"
#include "kh-message-entry.h"
#include "kh-message-view.h"
#include "kh-resource.h"
#include "kh-text.h"

#include <glib/gi18n.h>
#include <string.h>

/**
 * KhConversationPage:
 *
 * The friends talk. It stays when the conversation ends, so that everything said can still be read.
 */
struct _KhConversationPage
{
  AdwBin parent_instance;

  GtkWidget *path_box;
  GtkImage *path_icon;
  GtkLabel *path_label;
  GtkLabel *delay_label;
  KhMessageView *messages;
  GtkWidget *write_box;
  GtkWidget *over_box;
  GtkWidget *back_button;
  KhMessageEntry *entry;
  GtkWidget *send_button;
  GtkLabel *problem_label;
  GtkLabel *over_label;

  KhSession *session;
  KhRole role;
  GSignalGroup *session_signals;
  GSignalGroup *trace_signals;
};

G_DEFINE_FINAL_TYPE (KhConversationPage, kh_conversation_page, ADW_TYPE_BIN)

/* --- what the session tells ----------------------------------------------------------------------------------- */

static void
on_received (KhSession *session, guint64 id, const char *text, gint64 sent_ms, KhConversationPage *self)
{
  g_autoptr (KhMessage) message = kh_message_new (KH_MESSAGE_RECEIVED, id, kh_session_get_peer_name (session), text);

  kh_message_view_add (self->messages, message);
}

static void
on_delivered (KhSession *session, guint64 id, KhConversationPage *self)
{
  kh_message_log_deliver (kh_message_view_get_log (self->messages), id);
}

static void
show_problem (KhConversationPage *self, const char *text)
{
  gtk_label_set_text (self->problem_label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (self->problem_label), text != NULL);
}

static void
on_friend_finished (KhSession *session, KhConversationPage *self)
{
  show_problem (self, _ ("Your friend has said goodbye, and will not write any more."));
}

static void
on_delay (KhSession *session, GParamSpec *pspec, KhConversationPage *self)
{
  int delay = kh_session_get_delay (session);
  /* Translators: milliseconds that a message takes to the friend and back; ms is their unit */
  g_autofree char *text = delay >= 0 ? g_strdup_printf (_ ("%d ms"), delay) : NULL;

  gtk_label_set_text (self->delay_label, text != NULL ? text : "");
}

static void
show_over (KhConversationPage *self, gboolean over)
{
  GtkRoot *root = gtk_widget_get_root (GTK_WIDGET (self));
  GtkWidget *focus = root != NULL ? gtk_root_get_focus (root) : NULL;
  gboolean writing = focus != NULL && gtk_widget_is_ancestor (focus, self->write_box);

  gtk_widget_set_visible (self->path_box, !over); /* there is no path any more */
  gtk_widget_set_visible (self->over_box, over);
  if (over && writing)
    gtk_widget_grab_focus (self->back_button);
  gtk_widget_set_visible (self->write_box, !over);
}

static void
end (KhConversationPage *self, const char *sentence)
{
  kh_message_log_end (kh_message_view_get_log (self->messages));
  gtk_label_set_text (self->over_label, sentence);
  show_over (self, TRUE);
  show_problem (self, NULL);
}

static void
on_phase (KhSession *session, GParamSpec *pspec, KhConversationPage *self)
{
  switch (kh_session_get_phase (session))
    {
    case KH_PHASE_ENDED:
      end (self, _ ("The conversation is over."));
      break;
    case KH_PHASE_FAILED:
      end (self, kh_failure_for_error (kh_session_get_error (session)->code, self->role).sentence);
      break;
    case KH_PHASE_STARTING:
    case KH_PHASE_INVITING:
    case KH_PHASE_MEETING:
    case KH_PHASE_LOOKING:
    case KH_PHASE_REACHING:
    case KH_PHASE_CONNECTED:
    case KH_PHASE_RESUMING:
    default:
      break;
    }
}

static void
show_path (KhEvent *event, gpointer user_data)
{
  KhConversationPage *self = user_data;
  gboolean local = g_strcmp0 (kh_json_get_string (kh_event_get_members (event), "kind"), "lan") == 0;

  if (!g_str_equal (kh_event_get_kind (event), "path.selected"))
    return;

  gtk_label_set_text (self->path_label, local ? _ ("Direct on your local network") : _ ("Direct over the internet"));
  gtk_image_set_from_icon_name (self->path_icon, local ? "network-wired-symbolic" : "network-workgroup-symbolic");
}

static void
on_events (GListModel *trace, guint position, guint removed, guint added, KhConversationPage *self)
{
  kh_trace_foreach (KH_TRACE (trace), position, added, show_path, self);
}

/* --- what the user says --------------------------------------------------------------------------------------- */

static gboolean
is_blank (const char *text)
{
  g_autofree char *plain = kh_text_plain (text, KH_CONVERSATION_MAX_TEXT);

  for (const char *p = plain; *p != '\0'; p = g_utf8_next_char (p))
    if (!g_unichar_isspace (g_utf8_get_char (p)))
      return FALSE;
  return TRUE;
}

static const char *
refusal_in_words (KhConversationPage *self, const char *text)
{
  if (strlen (text) > KH_CONVERSATION_MAX_TEXT || kh_session_get_unacked (self->session) == 0)
    return _ ("This message is too long. Send it in parts.");
  return _ ("This cannot be sent now: too much is on its way. Wait a moment, and try again.");
}

/**
 * kh_conversation_page_say:
 * @text: what to say
 *
 * Returns: whether it is on its way; else the page tells why not. Blank texts are not sent
 */
gboolean
kh_conversation_page_say (KhConversationPage *self, const char *text)
{
  g_autoptr (KhMessage) message = NULL;
  guint64 id;

  g_return_val_if_fail (KH_IS_CONVERSATION_PAGE (self), FALSE);

  if (self->session == NULL || kh_session_get_phase (self->session) != KH_PHASE_CONNECTED || is_blank (text))
    return FALSE;

  id = kh_session_say (self->session, text, NULL);
  if (id == 0)
    {
      show_problem (self, refusal_in_words (self, text));
      return FALSE;
    }

  show_problem (self, NULL);
  message = kh_message_new (KH_MESSAGE_SENT, id, NULL, text);
  kh_message_view_add (self->messages, message);
  return TRUE;
}

static void
on_written (KhConversationPage *self)
{
  g_autofree char *text = kh_message_entry_dup_text (self->entry);

  gtk_widget_set_sensitive (self->send_button, !is_blank (text));
}

static void
on_submit (KhConversationPage *self)
{
  g_autofree char *text = kh_message_entry_dup_text (self->entry);

  /* What cannot be sent stays where it can be mended. */
  if (kh_conversation_page_say (self, text))
    kh_message_entry_set_text (self->entry, "");
  gtk_widget_grab_focus (GTK_WIDGET (self->entry));
}

/* --- the widget ----------------------------------------------------------------------------------------------- */

static gboolean
kh_conversation_page_grab_focus (GtkWidget *widget)
{
  KhConversationPage *self = KH_CONVERSATION_PAGE (widget);

  if (gtk_widget_get_visible (self->over_box))
    return gtk_widget_grab_focus (self->back_button);
  return gtk_widget_grab_focus (GTK_WIDGET (self->entry));
}

static void
kh_conversation_page_dispose (GObject *object)
{
  KhConversationPage *self = KH_CONVERSATION_PAGE (object);

  g_clear_object (&self->session_signals);
  g_clear_object (&self->trace_signals);
  g_clear_object (&self->session);

  G_OBJECT_CLASS (kh_conversation_page_parent_class)->dispose (object);
}

static void
kh_conversation_page_class_init (KhConversationPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_conversation_page_dispose;
  widget_class->grab_focus = kh_conversation_page_grab_focus;
  widget_class->focus = kh_focus_child;

  g_type_ensure (KH_TYPE_MESSAGE_ENTRY);
  g_type_ensure (KH_TYPE_MESSAGE_VIEW);
  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-conversation-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, path_box);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, path_icon);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, path_label);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, delay_label);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, messages);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, write_box);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, over_box);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, back_button);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, entry);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, send_button);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, problem_label);
  gtk_widget_class_bind_template_child (widget_class, KhConversationPage, over_label);
  gtk_widget_class_bind_template_callback (widget_class, on_submit);
  gtk_widget_class_bind_template_callback (widget_class, on_written);
}

static void
watch_session (KhConversationPage *self)
{
  self->session_signals = g_signal_group_new (KH_TYPE_SESSION);
  g_signal_group_connect (self->session_signals, "message-received", G_CALLBACK (on_received), self);
  g_signal_group_connect (self->session_signals, "message-delivered", G_CALLBACK (on_delivered), self);
  g_signal_group_connect (self->session_signals, "friend-finished", G_CALLBACK (on_friend_finished), self);
  g_signal_group_connect (self->session_signals, "notify::phase", G_CALLBACK (on_phase), self);
  g_signal_group_connect (self->session_signals, "notify::delay", G_CALLBACK (on_delay), self);

  self->trace_signals = g_signal_group_new (KH_TYPE_TRACE);
  g_signal_group_connect (self->trace_signals, "items-changed", G_CALLBACK (on_events), self);
}

static void
kh_conversation_page_init (KhConversationPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  watch_session (self);
}

/**
 * kh_conversation_page_set_session:
 * @session: (nullable): one that nothing has been said in yet
 * @role: our part in it
 *
 * Begins an empty conversation, ready for what comes in @session.
 */
void
kh_conversation_page_set_session (KhConversationPage *self, KhSession *session, KhRole role)
{
  g_return_if_fail (KH_IS_CONVERSATION_PAGE (self));

  kh_message_view_clear (self->messages);
  self->role = role;
  gtk_label_set_text (self->delay_label, "");
  show_over (self, FALSE);
  kh_message_entry_set_text (self->entry, "");
  show_problem (self, NULL);

  g_set_object (&self->session, session);
  g_signal_group_set_target (self->session_signals, session);
  g_signal_group_set_target (self->trace_signals, session != NULL ? kh_session_get_trace (session) : NULL);
  if (session == NULL)
    return;

  on_delay (session, NULL, self);
  kh_trace_foreach (kh_session_get_trace (session), 0, G_MAXUINT, show_path, self);
}
