/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-preferences-window.h"

#include "config.h"

#include "kh-focus.h"
#include "kh-offer.h"
#include "kh-preferences.h"
#include "kh-resource.h"

#include <glib/gi18n.h>

/**
 * KhPreferencesWindow:
 *
 * What can be chosen. Text is judged while it is typed, and kept as soon as it can be used; one that cannot is not, and the
 * window says why.
 */
struct _KhPreferencesWindow
{
  AdwPreferencesWindow parent_instance;

  GtkWidget *page;
  AdwEntryRow *name_row;
  AdwEntryRow *mailbox_row;
  AdwEntryRow *stun_row;
  GtkSpinButton *port_button;
  GtkLabel *mailbox_label;
  GtkLabel *stun_label;

  GSettings *preferences;
};

G_DEFINE_FINAL_TYPE (KhPreferencesWindow, kh_preferences_window, ADW_TYPE_PREFERENCES_WINDOW)

static void
show_reason (AdwEntryRow *row, GtkLabel *label, const char *reason, gboolean wrong)
{
  gtk_label_set_text (label, reason != NULL ? reason : "");
  gtk_widget_set_visible (GTK_WIDGET (label), reason != NULL);
  gtk_accessible_update_state (GTK_ACCESSIBLE (row), GTK_ACCESSIBLE_STATE_INVALID,
                               wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE, -1);
  if (wrong)
    gtk_widget_add_css_class (GTK_WIDGET (row), "error");
  else
    gtk_widget_remove_css_class (GTK_WIDGET (row), "error");
}

static char *
dup_text (AdwEntryRow *row)
{
  return g_strstrip (g_strdup (gtk_editable_get_text (GTK_EDITABLE (row))));
}

static void
on_name_changed (KhPreferencesWindow *self)
{
  g_autofree char *name = dup_text (self->name_row);
  g_autofree char *kept = g_utf8_substring (name, 0, MIN (g_utf8_strlen (name, -1), KH_OFFER_MAX_NAME));

  g_settings_set_string (self->preferences, "name", kept);
}

static void
on_mailbox_changed (KhPreferencesWindow *self)
{
  g_autofree char *url = dup_text (self->mailbox_row);
  const char *reason = kh_preferences_check_mailbox (url);
  gboolean wrong = reason != NULL;

  if (!wrong && kh_preferences_warn_about (url))
    reason = _ ("The way to this server is not encrypted. Whoever controls it can keep you apart.");
  show_reason (self->mailbox_row, self->mailbox_label, reason, wrong);
  /* Empty is what an entry is in the middle of being changed: that counts when the window is closed. */
  if (!wrong && *url != '\0')
    g_settings_set_string (self->preferences, "mailbox-server", url);
}

static gboolean
kh_preferences_window_close_request (GtkWindow *window)
{
  KhPreferencesWindow *self = KH_PREFERENCES_WINDOW (window);
  g_autofree char *url = dup_text (self->mailbox_row);

  if (*url == '\0')
    g_settings_set_string (self->preferences, "mailbox-server", "");
  return GTK_WINDOW_CLASS (kh_preferences_window_parent_class)->close_request (window);
}

static void
on_stun_changed (KhPreferencesWindow *self)
{
  const char *text = gtk_editable_get_text (GTK_EDITABLE (self->stun_row));
  const char *reason = kh_preferences_check_stun (text);
  g_auto (GStrv) servers = kh_preferences_split_stun (text);

  show_reason (self->stun_row, self->stun_label, reason, reason != NULL);
  if (reason == NULL)
    g_settings_set_strv (self->preferences, "stun-servers", (const char *const *) servers);
}

static void
kh_preferences_window_dispose (GObject *object)
{
  g_clear_object (&KH_PREFERENCES_WINDOW (object)->preferences);

  G_OBJECT_CLASS (kh_preferences_window_parent_class)->dispose (object);
}

static void
kh_preferences_window_class_init (KhPreferencesWindowClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_preferences_window_dispose;
  GTK_WINDOW_CLASS (klass)->close_request = kh_preferences_window_close_request;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-preferences-window.ui");
  gtk_widget_class_bind_template_child (widget_class, KhPreferencesWindow, page);
  gtk_widget_class_bind_template_child (widget_class, KhPreferencesWindow, name_row);
  gtk_widget_class_bind_template_child (widget_class, KhPreferencesWindow, mailbox_row);
  gtk_widget_class_bind_template_child (widget_class, KhPreferencesWindow, stun_row);
  gtk_widget_class_bind_template_child (widget_class, KhPreferencesWindow, port_button);
  gtk_widget_class_bind_template_child (widget_class, KhPreferencesWindow, mailbox_label);
  gtk_widget_class_bind_template_child (widget_class, KhPreferencesWindow, stun_label);
  gtk_widget_class_bind_template_callback (widget_class, on_name_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_mailbox_changed);
  gtk_widget_class_bind_template_callback (widget_class, on_stun_changed);
}

/* An address reads from left to right wherever it stands. */
static void
read_left_to_right (AdwEntryRow *row)
{
  gtk_widget_set_direction (GTK_WIDGET (gtk_editable_get_delegate (GTK_EDITABLE (row))), GTK_TEXT_DIR_LTR);
}

static void
kh_preferences_window_init (KhPreferencesWindow *self)
{
  gtk_widget_init_template (GTK_WIDGET (self));
  kh_focus_skip_scroller (self->page);
  read_left_to_right (self->mailbox_row);
  read_left_to_right (self->stun_row);
}

static void
fill (KhPreferencesWindow *self)
{
  g_autofree char *name = g_settings_get_string (self->preferences, "name");
  g_autofree char *mailbox = g_settings_get_string (self->preferences, "mailbox-server");
  g_auto (GStrv) servers = g_settings_get_strv (self->preferences, "stun-servers");
  g_autofree char *stun = g_strjoinv (", ", servers);

  gtk_editable_set_text (GTK_EDITABLE (self->name_row), name);
  gtk_editable_set_text (GTK_EDITABLE (self->mailbox_row), mailbox);
  gtk_editable_set_text (GTK_EDITABLE (self->stun_row), stun);
  g_settings_bind (self->preferences, "local-port", self->port_button, "value", G_SETTINGS_BIND_DEFAULT);
}

/**
 * kh_preferences_window_present:
 * @parent: the window it belongs to
 * @preferences: what is chosen here
 */
void
kh_preferences_window_present (GtkWindow *parent, GSettings *preferences)
{
  KhPreferencesWindow *self = g_object_new (KH_TYPE_PREFERENCES_WINDOW, "transient-for", parent, NULL);

  self->preferences = g_object_ref (preferences);
  fill (self);
  gtk_window_present (GTK_WINDOW (self));
}
