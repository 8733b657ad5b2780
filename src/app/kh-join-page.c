/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-join-page.h"

#include "config.h"

#include "kh-code.h"
#include "kh-focus.h"
#include "kh-mailbox.h"
#include "kh-preferences.h"
#include "kh-resource.h"
#include "kh-session.h"
#include "kh-words.h"

#include <glib/gi18n.h>
#include <string.h>

/* So few that they can be read at a glance. */
#define MAX_SUGGESTIONS 4

/**
 * KhJoinPage:
 *
 * The entry for a friend's code. The text in it is all there is to know: what can be made of it, or what is wrong with it,
 * stands beneath while it is typed, and nothing is sent before a click or Enter.
 */
struct _KhJoinPage
{
  AdwBin parent_instance;

  AdwEntryRow *entry;
  GtkFlowBox *suggestions;
  GtkLabel *reason_label;
  GtkLabel *server_label;
  GtkWidget *join_button;

  GSettings *preferences;
  GCancellable *cancellable; /* for reading the clipboard */
  char *own_code;            /* what this window handed out: not what its user wants to join */
  char *correction;          /* of a mistyped code, offered for a click */
  char *meant;               /* the word in it that was mistyped */
  char *ready;               /* what to join with, NULL while the text cannot be right */
};

G_DEFINE_FINAL_TYPE (KhJoinPage, kh_join_page, ADW_TYPE_BIN)

/* --- what the text means -------------------------------------------------------------------------------------- */

static void
show_line (GtkLabel *label, const char *text)
{
  gtk_label_set_text (label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (label), text != NULL);
}

/* Somebody who is still typing need not be told that the end is missing, only what no ending can mend: a mistyped word stays
 * wrong whatever comes after it. */
static gboolean
is_unfinished (const char *typed)
{
  g_auto (GStrv) endings = kh_code_complete (typed, KH_CODE_DEFAULT_WORDS);
  g_autofree char *completed = NULL;

  if (endings[0] == NULL)
    return typed[strspn (typed, "0123456789 ")] == '\0';

  if (g_str_has_suffix (endings[0], "-"))
    endings[0][strlen (endings[0]) - 1] = '\0';
  completed = kh_code_parse (endings[0], NULL, NULL);
  return completed != NULL;
}

static char *
describe_server (KhJoinPage *self, const char *mailbox_url, gboolean *may_follow)
{
  g_autoptr (KhSettings) settings = kh_preferences_to_settings (self->preferences);
  g_autofree char *host = NULL;

  *may_follow = kh_session_may_follow (settings, mailbox_url);
  if (mailbox_url == NULL || strcmp (mailbox_url, settings->mailbox_url) == 0)
    return NULL;

  host = kh_mailbox_url_get_host (mailbox_url);
  if (*may_follow)
    /* Translators: %s is the name of a server */
    return g_strdup_printf (
        _ ("This link uses another meeting server than yours: %s. Connect only if you trust whoever sent "
           "it."),
        host);
  return g_strdup_printf (
      _ ("This link leads to the meeting server %s without encryption. If you trust the way there, name "
         "that server in Preferences first."),
      host);
}

static void
set_ready (KhJoinPage *self, const char *code_or_link)
{
  g_free (self->ready);
  self->ready = g_strdup (code_or_link);
  gtk_widget_set_sensitive (self->join_button, code_or_link != NULL);
}

/* A code that could be right, but surely is not whole yet: a friend's code can be tried once, and Enter is pressed easily. The
 * last word is the beginning of a longer one, or the only one. */
static gboolean
is_half_typed (const char *code, const char *typed)
{
  g_auto (GStrv) endings = kh_code_complete (code, KH_CODE_DEFAULT_WORDS);
  g_auto (GStrv) words = g_strsplit (code, "-", -1);
  guint count = g_strv_length (words);

  if (strchr (typed, ':') != NULL) /* a link is whole */
    return FALSE;
  return count < 3 || (endings[0] != NULL && !kh_words_is_listed (words[count - 1]));
}

static void
mark_wrong (KhJoinPage *self, gboolean wrong)
{
  GtkWidget *widgets[] = { GTK_WIDGET (self->entry), GTK_WIDGET (self->reason_label) };

  gtk_accessible_update_state (GTK_ACCESSIBLE (self->entry), GTK_ACCESSIBLE_STATE_INVALID,
                               wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (widgets); i++)
    if (wrong)
      gtk_widget_add_css_class (widgets[i], "error");
    else
      gtk_widget_remove_css_class (widgets[i], "error");
}

/* The code as it was probably meant. */
static char *
correct (const char *typed, const KhCodeFault *fault)
{
  GString *corrected = g_string_new (typed);

  g_string_replace (corrected, fault->word, fault->meant, 1);
  return g_string_free (corrected, FALSE);
}

static void
explain_fault (KhJoinPage *self, const char *typed, const KhCodeFault *fault)
{
  g_autofree char *reason = NULL;

  if (*typed != '\0' && !is_unfinished (typed))
    reason = kh_code_fault_fill (fault, _ (fault->sentence));
  show_line (self->reason_label, reason);
  show_line (self->server_label, NULL);
  mark_wrong (self, reason != NULL);
  if (reason != NULL && fault->meant != NULL)
    {
      self->correction = correct (typed, fault);
      self->meant = g_strdup (fault->meant);
    }
  set_ready (self, NULL);
}

/* Spaces between the words of a code are fine, and spaces between other words make no code of them: it would be somebody
 * else's, and be used up by trying. */
static gboolean
is_prose (const char *typed, const char *code)
{
  g_autofree char *trimmed = g_strstrip (g_strdup (typed));
  g_auto (GStrv) parts = g_strsplit (code, "-", -1);

  return strpbrk (trimmed, " \t\r\n") != NULL && strchr (typed, ':') == NULL && !kh_words_all_listed (parts + 1);
}

static void
explain_code (KhJoinPage *self, const char *found, const char *code, const char *mailbox_url)
{
  const char *typed = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  gboolean may_follow = FALSE;
  g_autofree char *server = describe_server (self, mailbox_url, &may_follow);
  /* Translators: %s is an invite code that was found in a longer text */
  g_autofree char *picked = g_strdup_printf (_ ("The code is %s."), code);

  if (is_prose (found, code))
    {
      show_line (self->reason_label, _ ("Enter the code alone, without other words."));
      show_line (self->server_label, NULL);
      mark_wrong (self, TRUE);
      set_ready (self, NULL);
      return;
    }

  show_line (self->reason_label, strcmp (typed, code) != 0 ? picked : NULL);
  show_line (self->server_label, server);
  set_ready (self, may_follow && !is_half_typed (code, typed) ? found : NULL);
}

static void
judge (KhJoinPage *self)
{
  const char *typed = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  g_autofree char *found = kh_code_find (typed);
  g_autofree char *mailbox_url = NULL;
  g_autofree char *code = NULL;
  KhCodeFault fault = { 0 };

  mark_wrong (self, FALSE);
  g_clear_pointer (&self->correction, g_free);
  g_clear_pointer (&self->meant, g_free);
  code = kh_code_parse_explained (found, &mailbox_url, &fault);
  if (code != NULL)
    explain_code (self, found, code, mailbox_url);
  else
    explain_fault (self, typed, &fault);
  kh_code_fault_clear (&fault);
}

/* --- completion ----------------------------------------------------------------------------------------------- */

static void
on_suggestion (GtkButton *button, KhJoinPage *self)
{
  const char *text = g_object_get_data (G_OBJECT (button), "completion");

  /* Setting the text makes new suggestions: this button, and its text, are gone then. */
  g_autofree char *completed = g_strdup (text);

  gtk_editable_set_text (GTK_EDITABLE (self->entry), completed);
  gtk_widget_grab_focus (GTK_WIDGET (self));
  gtk_editable_set_position (GTK_EDITABLE (self->entry), -1);
}

static GtkWidget *
suggestion_new (KhJoinPage *self, const char *word, const char *completion)
{
  GtkWidget *button = gtk_button_new_with_label (word);

  g_object_set_data_full (G_OBJECT (button), "completion", g_strdup (completion), g_free);
  g_signal_connect (button, "clicked", G_CALLBACK (on_suggestion), self);
  return button;
}

static void
add_suggestion (KhJoinPage *self, const char *word, const char *completion)
{
  GtkWidget *child = gtk_flow_box_child_new ();

  /* The button is what has the focus, not the cell around it. */
  gtk_widget_set_focusable (child, FALSE);
  gtk_flow_box_child_set_child (GTK_FLOW_BOX_CHILD (child), suggestion_new (self, word, completion));
  gtk_flow_box_append (self->suggestions, child);
}

/* Of a code that ends with a word or, where more are expected, with a hyphen. */
static char *
last_word (const char *code)
{
  g_auto (GStrv) parts = g_strsplit (code, "-", -1);
  guint count = g_strv_length (parts);

  return g_strdup (*parts[count - 1] != '\0' ? parts[count - 1] : parts[count - 2]);
}

static void
clear_suggestions (KhJoinPage *self)
{
  GtkWidget *child;

  while ((child = gtk_widget_get_first_child (GTK_WIDGET (self->suggestions))) != NULL)
    gtk_flow_box_remove (self->suggestions, child);
}

static void
suggest (KhJoinPage *self)
{
  const char *typed = gtk_editable_get_text (GTK_EDITABLE (self->entry));
  g_auto (GStrv) found = kh_code_complete (typed, KH_CODE_DEFAULT_WORDS);
  gboolean at_word = *typed != '\0' && !g_str_has_suffix (typed, "-") && !g_str_has_suffix (typed, " ");
  guint count = g_strv_length (found);
  gboolean wanted =
      self->correction == NULL && at_word && count > 0 && !(count == 1 && g_str_has_suffix (found[0], typed));

  clear_suggestions (self);
  for (guint i = 0; wanted && i < MIN (count, MAX_SUGGESTIONS); i++)
    {
      g_autofree char *word = last_word (found[i]);

      add_suggestion (self, word, found[i]);
    }
  if (self->correction != NULL)
    add_suggestion (self, self->meant, self->correction);
  gtk_widget_set_visible (GTK_WIDGET (self->suggestions), wanted || self->correction != NULL);
}

static void
on_changed (KhJoinPage *self)
{
  judge (self);
  suggest (self);
}

/* --- joining -------------------------------------------------------------------------------------------------- */

static void
on_join (KhJoinPage *self)
{
  g_autofree char *ready = g_strdup (self->ready);

  if (ready != NULL)
    gtk_widget_activate_action (GTK_WIDGET (self), "app.join", "s", ready);
  else
    gtk_widget_error_bell (GTK_WIDGET (self));
}

/* Whether it is a code for sure, and not a date or the age of a cat. */
static gboolean
is_certain (const char *found, const char *code)
{
  g_auto (GStrv) parts = g_strsplit (code, "-", -1);

  return strchr (found, ':') != NULL || (g_strv_length (parts) > 2 && kh_words_all_listed (parts + 1));
}

/* A code on the clipboard is most probably the one to join with. It is filled in, and nothing more. */
static void
on_clipboard (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhJoinPage) self = user_data;
  g_autofree char *text = gdk_clipboard_read_text_finish (GDK_CLIPBOARD (source), result, NULL);
  g_autofree char *found = text != NULL && strlen (text) <= KH_CODE_MAX_LINK_LENGTH ? kh_code_find (text) : NULL;
  g_autofree char *code = found != NULL ? kh_code_parse (found, NULL, NULL) : NULL;

  if (code == NULL || !is_certain (found, code) || g_strcmp0 (code, self->own_code) == 0 ||
      !gtk_widget_get_mapped (GTK_WIDGET (self)) || *gtk_editable_get_text (GTK_EDITABLE (self->entry)) != '\0')
    return;

  kh_join_page_fill (self, found);
  gtk_widget_activate_action (GTK_WIDGET (self), "win.tell", "s", _ ("Filled in the code from the clipboard"));
}

static void
look_at_clipboard (KhJoinPage *self)
{
  if (*gtk_editable_get_text (GTK_EDITABLE (self->entry)) == '\0')
    gdk_clipboard_read_text_async (gtk_widget_get_clipboard (GTK_WIDGET (self)), self->cancellable, on_clipboard,
                                   g_object_ref (self));
}

/* --- the widget ----------------------------------------------------------------------------------------------- */

/* What has been filled in is to be read, not to be typed over. */
static gboolean
kh_join_page_grab_focus (GtkWidget *widget)
{
  GtkEditable *entry = GTK_EDITABLE (KH_JOIN_PAGE (widget)->entry);

  return gtk_text_grab_focus_without_selecting (GTK_TEXT (gtk_editable_get_delegate (entry)));
}

static void
kh_join_page_map (GtkWidget *widget)
{
  GTK_WIDGET_CLASS (kh_join_page_parent_class)->map (widget);

  look_at_clipboard (KH_JOIN_PAGE (widget));
}

static void
kh_join_page_dispose (GObject *object)
{
  KhJoinPage *self = KH_JOIN_PAGE (object);

  g_cancellable_cancel (self->cancellable);
  g_clear_object (&self->preferences);

  G_OBJECT_CLASS (kh_join_page_parent_class)->dispose (object);
}

static void
kh_join_page_finalize (GObject *object)
{
  KhJoinPage *self = KH_JOIN_PAGE (object);

  g_clear_object (&self->cancellable);
  g_free (self->own_code);
  g_free (self->correction);
  g_free (self->meant);
  g_free (self->ready);

  G_OBJECT_CLASS (kh_join_page_parent_class)->finalize (object);
}

static void
kh_join_page_class_init (KhJoinPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_join_page_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_join_page_finalize;
  widget_class->grab_focus = kh_join_page_grab_focus;
  widget_class->focus = kh_focus_child;
  widget_class->map = kh_join_page_map;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-join-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhJoinPage, entry);
  gtk_widget_class_bind_template_child (widget_class, KhJoinPage, suggestions);
  gtk_widget_class_bind_template_child (widget_class, KhJoinPage, reason_label);
  gtk_widget_class_bind_template_child (widget_class, KhJoinPage, server_label);
  gtk_widget_class_bind_template_child (widget_class, KhJoinPage, join_button);
  gtk_widget_class_bind_template_callback (widget_class, on_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_join);
}

static void
kh_join_page_init (KhJoinPage *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  self->cancellable = g_cancellable_new ();
}

/**
 * kh_join_page_set_preferences:
 * @preferences: tells which meeting server is the user's own
 */
void
kh_join_page_set_preferences (KhJoinPage *self, GSettings *preferences)
{
  g_return_if_fail (KH_IS_JOIN_PAGE (self));

  if (g_set_object (&self->preferences, preferences))
    g_signal_connect_object (preferences, "changed::mailbox-server", G_CALLBACK (judge), self, G_CONNECT_SWAPPED);
}

/**
 * kh_join_page_fill:
 * @code_or_link: what was opened, dropped or pasted; may be empty
 *
 * Puts it into the entry. Joining is left to the user. A link to the user's own meeting server is shown as the code in it.
 */
void
kh_join_page_fill (KhJoinPage *self, const char *code_or_link)
{
  g_autofree char *found = NULL;
  g_autofree char *mailbox_url = NULL;
  g_autofree char *code = NULL;

  g_return_if_fail (KH_IS_JOIN_PAGE (self));

  found = kh_code_find (code_or_link);
  code = kh_code_parse (found, &mailbox_url, NULL);
  gtk_editable_set_text (GTK_EDITABLE (self->entry), code != NULL && mailbox_url == NULL ? code : found);
  /* Of a link the beginning is worth seeing: that is where the code is. */
  gtk_editable_set_position (GTK_EDITABLE (self->entry), mailbox_url == NULL ? -1 : 0);
}

/**
 * kh_join_page_set_own_code:
 * @code: (nullable): a code that this window has handed out
 *
 * It is not offered for joining when it is met on the clipboard.
 */
void
kh_join_page_set_own_code (KhJoinPage *self, const char *code)
{
  g_return_if_fail (KH_IS_JOIN_PAGE (self));

  g_free (self->own_code);
  self->own_code = g_strdup (code);
}
