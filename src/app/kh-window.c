/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-window.h"

#include "config.h"

#include "kh-accessible.h"
#include "kh-check-page.h"
#include "kh-check-words.h"
#include "kh-code.h"
#include "kh-conversation-page.h"
#include "kh-error.h"
#include "kh-failure.h"
#include "kh-farewell.h"
#include "kh-home-page.h"
#include "kh-invite-page.h"
#include "kh-join-page.h"
#include "kh-not-connected-page.h"
#include "kh-preferences.h"
#include "kh-reaching-page.h"
#include "kh-resource.h"

#include <glib/gi18n.h>
#include <string.h>

/**
 * KhWindow:
 *
 * One conversation from the code to the goodbye: a stack of pages that follows the phase of one session. Whatever a user can do
 * is an action, and its state `win.phase` says where it is, so that scripts and tests see and do the same.
 */
struct _KhWindow
{
  AdwApplicationWindow parent_instance;

  AdwToastOverlay *toasts;
  AdwWindowTitle *title;
  GtkWidget *back_button;
  GtkStack *stack;
  GtkLabel *status_label;

  GSettings *preferences;
  KhSession *session; /* NULL on the pages before one */
  KhRole role;
  KhFactsCache *cache; /* what checks and sessions find out about networks */
  KhChecker *checker;  /* NULL until the network is first checked */
  GtkWidget *opener;   /* what had the keyboard before the network check; weak */
  char *joined_with;   /* what the last joining was tried with */
  gboolean connected;  /* it has come to a conversation */
  gboolean leaving;    /* the user has agreed to leave it */
  GtkWindow *question; /* whether to leave, while it is asked */
  AdwToast *toast;     /* the one that is shown, or the last */
  guint inhibit_cookie;
};

G_DEFINE_FINAL_TYPE (KhWindow, kh_window, ADW_TYPE_APPLICATION_WINDOW)

static gboolean
is_live (KhWindow *self)
{
  return self->session != NULL && !kh_phase_is_over (kh_session_get_phase (self->session));
}

/* --- pages ---------------------------------------------------------------------------------------------------- */

/* A page is made when it is first needed: the window is there sooner. */
static GtkWidget *
get_page (KhWindow *self, const char *name)
{
  static const struct
  {
    const char *name;
    GType (*type) (void);
  } table[] = {
    { "home", kh_home_page_get_type },
    { "invite", kh_invite_page_get_type },
    { "join", kh_join_page_get_type },
    { "reaching", kh_reaching_page_get_type },
    { "conversation", kh_conversation_page_get_type },
    { "not-connected", kh_not_connected_page_get_type },
    { "check", kh_check_page_get_type },
  };
  GtkWidget *page = gtk_stack_get_child_by_name (self->stack, name);

  for (gsize i = 0; page == NULL && i < G_N_ELEMENTS (table); i++)
    if (strcmp (table[i].name, name) == 0)
      {
        page = g_object_new (table[i].type (), NULL);
        gtk_stack_add_named (self->stack, page, name);
      }
  return page;
}

static gboolean
shows (KhWindow *self, const char *name)
{
  return g_strcmp0 (gtk_stack_get_visible_child_name (self->stack), name) == 0;
}

/* A screen reader finds the pages that a stack does not show, unless they are hidden themselves. */
static void
hide_other_pages (KhWindow *self)
{
  GtkWidget *shown = gtk_stack_get_visible_child (self->stack);

  if (gtk_stack_get_transition_running (self->stack))
    return;
  for (GtkWidget *page = gtk_widget_get_first_child (GTK_WIDGET (self->stack)); page != NULL;
       page = gtk_widget_get_next_sibling (page))
    gtk_widget_set_visible (page, page == shown);
}

static const char *
title_of (KhWindow *self, const char *page)
{
  const char *name = self->session != NULL ? kh_session_get_peer_name (self->session) : NULL;

  if (strcmp (page, "invite") == 0)
    return _ ("Invite a Friend");
  if (strcmp (page, "join") == 0)
    return _ ("Enter a Code");
  if (strcmp (page, "reaching") == 0)
    return _ ("Connecting");
  if (strcmp (page, "conversation") == 0)
    return name != NULL && *name != '\0' ? name : _ ("Your Friend");
  if (strcmp (page, "not-connected") == 0)
    return _ ("Not Connected");
  if (strcmp (page, "check") == 0)
    return _ ("Network Check");
  return "Knothole";
}

static void
enable (KhWindow *self, const char *action, gboolean enabled)
{
  g_simple_action_set_enabled (G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (self), action)), enabled);
}

static void
set_state (KhWindow *self, const char *action, const char *value)
{
  g_simple_action_set_state (G_SIMPLE_ACTION (g_action_map_lookup_action (G_ACTION_MAP (self), action)),
                             g_variant_new_string (value));
}

/* What starts and what stops are enabled together, each does nothing where there is nothing to do: a button that turns from one
 * into the other would be disabled for a moment, and lose the keyboard. */
static void
update_check_actions (KhWindow *self)
{
  static const char *const names[] = { "check-again", "stop-check", "check-long", "stop-long-check" };
  KhCheckState state = self->checker != NULL ? kh_checker_get_state (self->checker) : KH_CHECK_STATE_NONE;
  gboolean over = state != KH_CHECK_STATE_NONE && state != KH_CHECK_STATE_RUNNING;

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    enable (self, names[i], shows (self, "check"));
  enable (self, "copy-check", shows (self, "check") && over);
  enable (self, "copy-check-whole", shows (self, "check") && over);
  set_state (self, "check", kh_check_state_name (state));
}

static void
update_actions (KhWindow *self)
{
  gboolean has_code = shows (self, "invite") && kh_session_get_code (self->session) != NULL;

  enable (self, "back", !shows (self, "home"));
  enable (self, "cancel", shows (self, "invite") || shows (self, "reaching"));
  enable (self, "copy-code", has_code);
  enable (self, "copy-link", has_code);
  enable (self, "copy-report", self->session != NULL);
  enable (self, "leave", is_live (self) && self->connected);
  enable (self, "try-again", shows (self, "not-connected"));
  enable (self, "say", shows (self, "conversation") && kh_session_get_phase (self->session) == KH_PHASE_CONNECTED);
  set_state (self, "phase", self->session != NULL ? kh_phase_name (kh_session_get_phase (self->session)) : "home");
  set_state (self, "code", has_code ? kh_session_get_code (self->session) : "");
  update_check_actions (self);
}

static void
show_page (KhWindow *self, const char *name)
{
  gboolean already = shows (self, name); /* not only since it was made: a stack shows its first page by itself */
  GtkWidget *page = get_page (self, name);

  gtk_widget_set_visible (page, TRUE);
  gtk_stack_set_visible_child (self->stack, page);
  hide_other_pages (self);
  adw_window_title_set_title (self->title, title_of (self, name));
  gtk_widget_set_visible (self->back_button, strcmp (name, "home") != 0);
  update_actions (self);
  if (!already)
    gtk_widget_grab_focus (page);
}

/* --- telling -------------------------------------------------------------------------------------------------- */

/* For those who listen instead of looking: GTK 4.8 cannot announce anything, but the text of a status is read out. */
static void
announce (KhWindow *self, const char *sentence)
{
  gtk_label_set_text (self->status_label, ""); /* or the same sentence would be no news */
  gtk_label_set_text (self->status_label, sentence);
}

/**
 * kh_window_tell:
 * @sentence: what has been done, or why not
 *
 * Tells in passing.
 */
void
kh_window_tell (KhWindow *self, const char *sentence)
{
  g_autofree char *markup = NULL;
  AdwToast *toast;

  g_return_if_fail (KH_IS_WINDOW (self));

  /* They would queue up, and tell what has been true long ago. */
  if (self->toast != NULL)
    adw_toast_dismiss (self->toast);
  markup = g_markup_escape_text (sentence, -1); /* which a toast's title is */
  toast = g_object_new (ADW_TYPE_TOAST, "title", markup, "timeout", 3, NULL);
  g_set_weak_pointer (&self->toast, toast);
  adw_toast_overlay_add_toast (self->toasts, toast);
  announce (self, sentence);
}

static void
announce_phase (KhWindow *self, KhPhase phase)
{
  switch (phase)
    {
    case KH_PHASE_INVITING:
      announce (self, _ ("The invite code is there. Waiting for your friend."));
      break;
    case KH_PHASE_CONNECTED:
      announce (self, _ ("Connected. You can talk now."));
      break;
    case KH_PHASE_ENDED:
      announce (self, _ ("The conversation is over."));
      break;
    case KH_PHASE_FAILED:
      announce (self, kh_failure_for_error (kh_session_get_error (self->session)->code, self->role).title);
      break;
    case KH_PHASE_STARTING:
    case KH_PHASE_MEETING:
    case KH_PHASE_LOOKING:
    case KH_PHASE_REACHING:
    case KH_PHASE_RESUMING:
    default:
      break;
    }
}

/* --- one session ---------------------------------------------------------------------------------------------- */

/* A computer that falls asleep drops the line. */
static void
stay_awake (KhWindow *self, gboolean awake)
{
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));

  if (self->inhibit_cookie != 0)
    gtk_application_uninhibit (application, self->inhibit_cookie);
  self->inhibit_cookie = awake ? gtk_application_inhibit (application, GTK_WINDOW (self),
                                                          GTK_APPLICATION_INHIBIT_SUSPEND, _ ("Talking with a friend"))
                               : 0;
}

static void
show_conversation (KhWindow *self)
{
  GtkWidget *page = get_page (self, "conversation");

  self->connected = TRUE;
  kh_conversation_page_set_session (KH_CONVERSATION_PAGE (page), self->session, self->role);
  show_page (self, "conversation");
  stay_awake (self, TRUE);
}

/* What is asked about a conversation has no meaning after it. */
static void
close_question (KhWindow *self)
{
  if (self->question != NULL)
    gtk_window_close (self->question);
}

/* What was said stays readable; before anything could be said there is only the reason. */
static void
show_end (KhWindow *self)
{
  stay_awake (self, FALSE);
  close_question (self);
  kh_farewell (G_APPLICATION (gtk_window_get_application (GTK_WINDOW (self))), self->session);
  if (self->connected)
    update_actions (self);
  else if (kh_session_get_phase (self->session) == KH_PHASE_FAILED)
    {
      kh_not_connected_page_set_session (KH_NOT_CONNECTED_PAGE (get_page (self, "not-connected")), self->session,
                                         self->role);
      show_page (self, "not-connected");
    }
  else
    show_page (self, "home");
}

static void
on_phase (KhSession *session, GParamSpec *pspec, KhWindow *self)
{
  KhPhase phase = kh_session_get_phase (session);

  switch (phase)
    {
    case KH_PHASE_MEETING:
    case KH_PHASE_LOOKING:
    case KH_PHASE_REACHING:
      show_page (self, "reaching");
      break;
    case KH_PHASE_CONNECTED:
      show_conversation (self);
      break;
    case KH_PHASE_ENDED:
    case KH_PHASE_FAILED:
      show_end (self);
      break;
    case KH_PHASE_STARTING:
    case KH_PHASE_INVITING:
    case KH_PHASE_RESUMING:
    default:
      update_actions (self);
    }
  announce_phase (self, phase);
}

/* What was said and tried is not kept. */
static void
forget_pages (KhWindow *self)
{
  GtkWidget *invite = gtk_stack_get_child_by_name (self->stack, "invite");
  GtkWidget *reaching = gtk_stack_get_child_by_name (self->stack, "reaching");
  GtkWidget *conversation = gtk_stack_get_child_by_name (self->stack, "conversation");

  if (invite != NULL)
    kh_invite_page_set_session (KH_INVITE_PAGE (invite), NULL);
  if (reaching != NULL)
    kh_reaching_page_set_session (KH_REACHING_PAGE (reaching), NULL);
  if (conversation != NULL)
    kh_conversation_page_set_session (KH_CONVERSATION_PAGE (conversation), NULL, self->role);
}

/* Lets go of the session; what it still has to say to others goes on in the background. */
static void
drop_session (KhWindow *self)
{
  g_autoptr (KhSession) session = g_steal_pointer (&self->session);
  GtkApplication *application = gtk_window_get_application (GTK_WINDOW (self));

  self->connected = FALSE;
  self->leaving = FALSE;
  if (session == NULL)
    return;

  stay_awake (self, FALSE);
  close_question (self);
  forget_pages (self);
  g_signal_handlers_disconnect_by_data (session, self);
  if (!kh_phase_is_over (kh_session_get_phase (session)))
    kh_farewell (G_APPLICATION (application), session);
}

static void
on_received (KhSession *session, guint64 id, const char *text, gint64 sent_ms, KhWindow *self)
{
  announce (self, _ ("Your friend has written."));
}

static KhSession *
new_session (KhWindow *self, KhRole role)
{
  g_autoptr (KhSettings) settings = kh_preferences_to_settings (self->preferences);

  drop_session (self);
  self->role = role;
  self->session = kh_session_new (settings);
  kh_session_set_cache (self->session, self->cache);
  g_signal_connect_object (self->session, "notify::phase", G_CALLBACK (on_phase), self, 0);
  g_signal_connect_object (self->session, "message-received", G_CALLBACK (on_received), self, 0);
  kh_reaching_page_set_session (KH_REACHING_PAGE (get_page (self, "reaching")), self->session);

  return self->session;
}

static gboolean
refuse_while_live (KhWindow *self)
{
  if (!is_live (self))
    return FALSE;

  if (self->connected)
    kh_window_tell (self, _ ("You are talking. End that first."));
  else
    kh_window_tell (self, _ ("Something is under way. Cancel it first."));
  return TRUE;
}

/**
 * kh_window_invite:
 *
 * Makes a code, unless something is under way.
 */
void
kh_window_invite (KhWindow *self)
{
  KhInvitePage *page;

  g_return_if_fail (KH_IS_WINDOW (self));

  if (refuse_while_live (self))
    return;

  new_session (self, KH_ROLE_INVITER);
  page = KH_INVITE_PAGE (get_page (self, "invite"));
  kh_invite_page_set_session (page, self->session);
  show_page (self, "invite");
  kh_session_invite (self->session);
}

/**
 * kh_window_join:
 * @code_or_link: what a friend gave
 *
 * Joins the friend, unless something is under way.
 */
void
kh_window_join (KhWindow *self, const char *code_or_link)
{
  g_autofree char *found = NULL;

  g_return_if_fail (KH_IS_WINDOW (self));

  if (refuse_while_live (self))
    return;

  found = kh_code_find (code_or_link);
  g_free (self->joined_with);
  self->joined_with = g_strdup (found);
  new_session (self, KH_ROLE_JOINER);
  show_page (self, "reaching");
  kh_session_join (self->session, found);
}

/**
 * kh_window_enter_code:
 * @code_or_link: what to fill in; may be empty
 *
 * Shows where a code is typed. A link from elsewhere comes here as well, and waits for a click.
 */
void
kh_window_enter_code (KhWindow *self, const char *code_or_link)
{
  KhJoinPage *page;

  g_return_if_fail (KH_IS_WINDOW (self));

  if (refuse_while_live (self))
    return;

  drop_session (self);
  page = KH_JOIN_PAGE (get_page (self, "join"));
  kh_join_page_set_preferences (page, self->preferences);
  kh_join_page_fill (page, code_or_link);
  show_page (self, "join");
}

static void
remember_opener (KhWindow *self)
{
  GtkWidget *focus = gtk_window_get_focus (GTK_WINDOW (self));
  gboolean inside = focus != NULL && gtk_widget_is_ancestor (focus, get_page (self, "home"));

  g_set_weak_pointer (&self->opener, inside ? focus : NULL);
}

/**
 * kh_window_check_network:
 *
 * Shows what this network is like, unless something is under way.
 */
void
kh_window_check_network (KhWindow *self)
{
  KhCheckPage *page;

  g_return_if_fail (KH_IS_WINDOW (self));

  if (refuse_while_live (self))
    return;

  drop_session (self);
  if (shows (self, "home"))
    remember_opener (self);
  page = KH_CHECK_PAGE (get_page (self, "check"));
  if (self->checker == NULL)
    {
      self->checker = kh_checker_new (self->preferences, self->cache);
      kh_check_page_set_checker (page, self->checker); /* first: it moves the keyboard from what is then disabled */
      g_signal_connect_object (self->checker, "changed", G_CALLBACK (update_check_actions), self, G_CONNECT_SWAPPED);
    }
  show_page (self, "check");
}

/* --- leaving -------------------------------------------------------------------------------------------------- */

static void
go_home (KhWindow *self)
{
  GtkWidget *opener = shows (self, "check") ? self->opener : NULL;

  if (shows (self, "invite") && is_live (self) && kh_session_get_code (self->session) != NULL)
    kh_window_tell (self, _ ("The invite code is no longer valid"));
  drop_session (self);
  show_page (self, "home");
  if (opener != NULL)
    gtk_widget_grab_focus (opener);
}

typedef void (*Leave) (KhWindow *self);

static void
on_leave_response (AdwMessageDialog *dialog, const char *response, KhWindow *self)
{
  Leave leave = (Leave) g_object_get_data (G_OBJECT (dialog), "leave");

  g_clear_weak_pointer (&self->question);
  if (strcmp (response, "leave") != 0)
    return;

  /* The dialog may outlive this window by a moment, and would ask for it. */
  gtk_window_set_transient_for (GTK_WINDOW (dialog), NULL);
  self->leaving = TRUE;
  leave (self);
}

/* A conversation is left on purpose only; all else can be had again. */
static void
leave_or_ask (KhWindow *self, Leave leave)
{
  GtkWidget *dialog;

  if (!is_live (self) || !self->connected || self->leaving)
    {
      leave (self);
      return;
    }
  if (self->question != NULL)
    {
      g_object_set_data (G_OBJECT (self->question), "leave", leave);
      gtk_window_present (self->question);
      return;
    }

  dialog = adw_message_dialog_new (GTK_WINDOW (self), _ ("End the Conversation?"),
                                   _ ("The line to your friend will be closed, and all messages will be gone."));
  adw_message_dialog_add_responses (ADW_MESSAGE_DIALOG (dialog), "stay", _ ("_Stay"), "leave", _ ("_End"), NULL);
  adw_message_dialog_set_response_appearance (ADW_MESSAGE_DIALOG (dialog), "leave", ADW_RESPONSE_DESTRUCTIVE);
  adw_message_dialog_set_default_response (ADW_MESSAGE_DIALOG (dialog), "stay");
  adw_message_dialog_set_close_response (ADW_MESSAGE_DIALOG (dialog), "stay");
  kh_accessible_name_buttons (dialog);
  g_object_set_data (G_OBJECT (dialog), "leave", leave);
  g_set_weak_pointer (&self->question, GTK_WINDOW (dialog));
  g_signal_connect_object (dialog, "response", G_CALLBACK (on_leave_response), self, 0);
  gtk_window_present (GTK_WINDOW (dialog));
}

static gboolean
kh_window_close_request (GtkWindow *window)
{
  KhWindow *self = KH_WINDOW (window);

  if (is_live (self) && self->connected && !self->leaving)
    {
      leave_or_ask (self, (Leave) gtk_window_close);
      return GDK_EVENT_STOP;
    }

  drop_session (self);
  return GTK_WINDOW_CLASS (kh_window_parent_class)->close_request (window);
}

/**
 * kh_window_leave:
 *
 * Closes the window without asking: somebody ends the whole session of the desktop, or the program.
 */
void
kh_window_leave (KhWindow *self)
{
  g_return_if_fail (KH_IS_WINDOW (self));

  self->leaving = TRUE;
  gtk_window_close (GTK_WINDOW (self));
}

/* --- actions -------------------------------------------------------------------------------------------------- */

static void
on_back (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  leave_or_ask (window, go_home);
}

static void
on_leave (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  leave_or_ask (window, go_home);
}

static void
on_cancel (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  go_home (window);
}

static void
on_say (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  KhWindow *self = window;

  kh_conversation_page_say (KH_CONVERSATION_PAGE (get_page (self, "conversation")),
                            g_variant_get_string (parameter, NULL));
}

static void
copy (KhWindow *self, const char *text, const char *confirmation)
{
  gdk_clipboard_set_text (gtk_widget_get_clipboard (GTK_WIDGET (self)), text);
  kh_window_tell (self, confirmation);
}

/* What was handed out is not what its owner wants to join with. */
static void
copy_invite (KhWindow *self, const char *text, const char *confirmation)
{
  kh_join_page_set_own_code (KH_JOIN_PAGE (get_page (self, "join")), kh_session_get_code (self->session));
  copy (self, text, confirmation);
}

static void
on_copy_code (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  KhWindow *self = window;

  copy_invite (self, kh_session_get_code (self->session), _ ("Code copied"));
}

static void
on_copy_link (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  KhWindow *self = window;
  KhInvitePage *page = KH_INVITE_PAGE (get_page (self, "invite"));

  copy_invite (self, kh_invite_page_get_link (page), _ ("Link copied"));
}

static void
on_copy_report (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  KhWindow *self = window;
  g_autofree char *report = kh_trace_to_report (kh_session_get_trace (self->session));

  copy (self, report, _ ("Report copied"));
}

static void
copy_check (KhWindow *self, gboolean whole_addresses)
{
  g_autofree char *report = kh_words_report (kh_checker_get_result (self->checker), whole_addresses);

  copy (self, report, whole_addresses ? _ ("Copied, with full addresses") : _ ("Copied, with shortened addresses"));
}

static void
on_copy_check (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  copy_check (window, FALSE);
}

static void
on_copy_check_whole (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  copy_check (window, TRUE);
}

static void
on_check_again (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  kh_checker_start (((KhWindow *) window)->checker);
}

static void
on_stop_check (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  kh_checker_stop (((KhWindow *) window)->checker);
}

static void
on_check_long (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  kh_checker_start_long (((KhWindow *) window)->checker);
}

static void
on_stop_long_check (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  kh_checker_stop_long (((KhWindow *) window)->checker);
}

/* A code is good for one meeting. The same one is tried again only where nobody has met yet. */
static void
on_try_again (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  KhWindow *self = window;
  KhFailure failure = kh_failure_for_error (kh_session_get_error (self->session)->code, self->role);

  if (self->role == KH_ROLE_INVITER)
    kh_window_invite (self);
  else
    kh_window_enter_code (self, failure.try_again ? self->joined_with : "");
}

static void
on_tell (GSimpleAction *action, GVariant *parameter, gpointer window)
{
  kh_window_tell (window, g_variant_get_string (parameter, NULL));
}

/* A state that others may read; nobody may set it, and there is nothing to activate. */
static void
refuse (GSimpleAction *action, GVariant *value, gpointer window)
{
}

static const GActionEntry actions[] = {
  { "back", on_back },
  { "leave", on_leave },
  { "cancel", on_cancel },
  { "say", on_say, "s" },
  { "copy-code", on_copy_code },
  { "copy-link", on_copy_link },
  { "copy-report", on_copy_report },
  { "copy-check", on_copy_check },
  { "copy-check-whole", on_copy_check_whole },
  { "check-again", on_check_again },
  { "stop-check", on_stop_check },
  { "check-long", on_check_long },
  { "stop-long-check", on_stop_long_check },
  { "try-again", on_try_again },
  { "tell", on_tell, "s" },
  { "phase", refuse, NULL, "'home'", refuse },
  { "code", refuse, NULL, "''", refuse },
  { "check", refuse, NULL, "'none'", refuse },
};

/* --- the widget ----------------------------------------------------------------------------------------------- */

static gboolean
on_drop (GtkDropTarget *target, const GValue *value, double x, double y, KhWindow *self)
{
  kh_window_enter_code (self, g_value_get_string (value));
  return TRUE;
}

static void
accept_drops (KhWindow *self)
{
  GtkDropTarget *target = gtk_drop_target_new (G_TYPE_STRING, GDK_ACTION_COPY);

  g_signal_connect (target, "drop", G_CALLBACK (on_drop), self);
  gtk_widget_add_controller (GTK_WIDGET (self), GTK_EVENT_CONTROLLER (target));
}

static void
kh_window_dispose (GObject *object)
{
  KhWindow *self = KH_WINDOW (object);

  if (self->session != NULL)
    g_signal_handlers_disconnect_by_data (self->session, self);
  g_clear_object (&self->session);
  if (self->checker != NULL)
    {
      kh_checker_stop (self->checker);
      kh_checker_stop_long (self->checker);
    }
  g_clear_object (&self->checker);
  g_clear_object (&self->preferences);
  g_clear_object (&self->cache);
  g_clear_weak_pointer (&self->opener);
  g_clear_weak_pointer (&self->question);
  g_clear_weak_pointer (&self->toast);

  G_OBJECT_CLASS (kh_window_parent_class)->dispose (object);
}

static void
kh_window_finalize (GObject *object)
{
  g_free (KH_WINDOW (object)->joined_with);

  G_OBJECT_CLASS (kh_window_parent_class)->finalize (object);
}

/* Escape goes back where nothing is lost by it: not from a code that was handed out, nor from a conversation. */
static gboolean
on_escape (GtkWidget *widget, GVariant *unused, gpointer user_data)
{
  KhWindow *self = KH_WINDOW (widget);

  if (!shows (self, "join") && !shows (self, "reaching") && !shows (self, "not-connected") && !shows (self, "check"))
    return GDK_EVENT_PROPAGATE;

  go_home (self);
  return GDK_EVENT_STOP;
}

static void
kh_window_class_init (KhWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_window_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_window_finalize;
  GTK_WINDOW_CLASS (klass)->close_request = kh_window_close_request;

  gtk_widget_class_add_binding (widget_class, GDK_KEY_Escape, 0, on_escape, NULL);
  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-window.ui");
  gtk_widget_class_bind_template_child (widget_class, KhWindow, toasts);
  gtk_widget_class_bind_template_child (widget_class, KhWindow, title);
  gtk_widget_class_bind_template_child (widget_class, KhWindow, back_button);
  gtk_widget_class_bind_template_child (widget_class, KhWindow, stack);
  gtk_widget_class_bind_template_child (widget_class, KhWindow, status_label);
  gtk_widget_class_bind_template_callback (widget_class, hide_other_pages);
}

static void
kh_window_init (KhWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));

  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  accept_drops (self);
}

KhWindow *
kh_window_new (GtkApplication *application, GSettings *preferences)
{
  KhWindow *self = g_object_new (KH_TYPE_WINDOW, "application", application, NULL);

  self->preferences = g_object_ref (preferences);
  self->cache = kh_facts_cache_new ();
  g_settings_bind (preferences, "window-width", self, "default-width", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "window-height", self, "default-height", G_SETTINGS_BIND_DEFAULT);
  g_settings_bind (preferences, "window-maximized", self, "maximized", G_SETTINGS_BIND_DEFAULT);
  show_page (self, "home");

  return self;
}
