/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-application.h"

#include "config.h"

#include "kh-preferences-window.h"
#include "kh-resource.h"
#include "kh-window.h"

#include <glib-unix.h>
#include <glib/gi18n.h>
#include <signal.h>

/**
 * KhApplication:
 *
 * The one running Knothole of a user, with one window. What it can do is an action on the session bus as well.
 */
struct _KhApplication
{
  AdwApplication parent_instance;

  GSettings *preferences;
  guint signals[3];
};

G_DEFINE_FINAL_TYPE (KhApplication, kh_application, ADW_TYPE_APPLICATION)

static KhWindow *
present_window (KhApplication *self)
{
  GtkWindow *window = NULL;

  for (GList *i = gtk_application_get_windows (GTK_APPLICATION (self)); i != NULL; i = i->next)
    if (KH_IS_WINDOW (i->data))
      window = i->data;
  if (window == NULL)
    window = GTK_WINDOW (kh_window_new (GTK_APPLICATION (self), self->preferences));

  gtk_window_present (window);
  return KH_WINDOW (window);
}

static void
on_invite (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  kh_window_invite (present_window (application));
}

static void
on_join (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  kh_window_join (present_window (application), g_variant_get_string (parameter, NULL));
}

static void
on_enter_code (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  kh_window_enter_code (present_window (application), "");
}

static void
on_check_network (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  kh_window_check_network (present_window (application));
}

static void
on_preferences (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  KhApplication *self = application;

  for (GList *i = gtk_application_get_windows (GTK_APPLICATION (self)); i != NULL; i = i->next)
    if (KH_IS_PREFERENCES_WINDOW (i->data))
      {
        gtk_window_present (i->data);
        return;
      }
  kh_preferences_window_present (GTK_WINDOW (present_window (self)), self->preferences);
}

static void
on_about (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  adw_show_about_window (GTK_WINDOW (present_window (application)), "application-name", "Knothole", "application-icon",
                         KH_APP_ID, "version", KH_VERSION, "developer-name", _ ("The Knothole developers"), "comments",
                         _ ("A direct line between your computer and a friend's, through both routers, with one code."),
                         "license-type", GTK_LICENSE_GPL_3_0, "translator-credits", _ ("translator-credits"), NULL);
}

/* Each window asks if there is something to lose. */
static void
on_quit (GSimpleAction *action, GVariant *parameter, gpointer application)
{
  g_autoptr (GList) windows = g_list_copy (gtk_application_get_windows (application));

  for (GList *i = windows; i != NULL; i = i->next)
    gtk_window_close (i->data);
}

/* There is nobody to ask: the desktop's session ends, or somebody pressed Ctrl+C. Friends get their goodbye all the same. */
static gboolean
on_signal (gpointer application)
{
  g_autoptr (GList) windows = g_list_copy (gtk_application_get_windows (application));

  for (GList *i = windows; i != NULL; i = i->next)
    if (KH_IS_WINDOW (i->data))
      kh_window_leave (i->data);
  return G_SOURCE_CONTINUE;
}

static const GActionEntry actions[] = {
  { "invite", on_invite },
  { "join", on_join, "s" },
  { "enter-code", on_enter_code },
  { "check-network", on_check_network },
  { "preferences", on_preferences },
  { "about", on_about },
  { "quit", on_quit },
};

static void
add_shortcuts (GtkApplication *application)
{
  static const struct
  {
    const char *action;
    const char *keys[3];
  } table[] = {
    { "app.invite", { "<Control>i" } },
    { "app.enter-code", { "<Control>j" } },
    { "app.preferences", { "<Control>comma" } },
    { "app.quit", { "<Control>q" } },
    { "window.close", { "<Control>w" } },
    { "win.back", { "<Alt>Left" } },
    { "win.show-help-overlay", { "<Control>question", "<Control>slash" } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    gtk_application_set_accels_for_action (application, table[i].action, table[i].keys);
  if (gtk_widget_get_default_direction () == GTK_TEXT_DIR_RTL)
    gtk_application_set_accels_for_action (application, "win.back", (const char *const[]){ "<Alt>Right", NULL });
}

static void
kh_application_startup (GApplication *application)
{
  KhApplication *self = KH_APPLICATION (application);

  G_APPLICATION_CLASS (kh_application_parent_class)->startup (application);

  self->preferences = g_settings_new (KH_APP_ID);
  g_action_map_add_action_entries (G_ACTION_MAP (self), actions, G_N_ELEMENTS (actions), self);
  add_shortcuts (GTK_APPLICATION (self));
  gtk_window_set_default_icon_name (KH_APP_ID);
  self->signals[0] = g_unix_signal_add (SIGTERM, on_signal, self);
  self->signals[1] = g_unix_signal_add (SIGINT, on_signal, self);
  self->signals[2] = g_unix_signal_add (SIGHUP, on_signal, self);
}

static void
kh_application_shutdown (GApplication *application)
{
  KhApplication *self = KH_APPLICATION (application);

  for (gsize i = 0; i < G_N_ELEMENTS (self->signals); i++)
    g_clear_handle_id (&self->signals[i], g_source_remove);

  G_APPLICATION_CLASS (kh_application_parent_class)->shutdown (application);
}

static void
kh_application_activate (GApplication *application)
{
  present_window (KH_APPLICATION (application));
}

/* A link from elsewhere: it fills the page, and the user decides. */
static void
kh_application_open (GApplication *application, GFile **files, int count, const char *hint)
{
  KhWindow *window = present_window (KH_APPLICATION (application));
  g_autofree char *uri = g_file_get_uri (files[0]);

  if (g_str_has_prefix (uri, "file:"))
    kh_window_tell (window, _ ("This is not an invite link"));
  else
    kh_window_enter_code (window, uri);
}

static int
kh_application_handle_local_options (GApplication *application, GVariantDict *options)
{
  if (!g_variant_dict_contains (options, "version"))
    return -1;

  g_print ("knothole " KH_VERSION "\n");
  return 0;
}

static void
kh_application_finalize (GObject *object)
{
  g_clear_object (&KH_APPLICATION (object)->preferences);

  G_OBJECT_CLASS (kh_application_parent_class)->finalize (object);
}

static void
kh_application_class_init (KhApplicationClass *klass)
{
  GApplicationClass *application_class = G_APPLICATION_CLASS (klass);

  G_OBJECT_CLASS (klass)->finalize = kh_application_finalize;
  application_class->startup = kh_application_startup;
  application_class->shutdown = kh_application_shutdown;
  application_class->activate = kh_application_activate;
  application_class->open = kh_application_open;
  application_class->handle_local_options = kh_application_handle_local_options;
}

static void
kh_application_init (KhApplication *self)
{
  g_application_set_option_context_parameter_string (G_APPLICATION (self), "[LINK]");
  g_application_add_main_option (G_APPLICATION (self), "version", 0, 0, G_OPTION_ARG_NONE, _ ("Print the version"),
                                 NULL);
}

/**
 * kh_application_new:
 * @flags: beside opening links
 *
 * Returns: (transfer full): the application
 */
KhApplication *
kh_application_new (GApplicationFlags flags)
{
  g_autofree char *base = g_strndup (KH_RESOURCE, sizeof KH_RESOURCE - 2);

  return g_object_new (KH_TYPE_APPLICATION, "application-id", KH_APP_ID, "flags", flags | G_APPLICATION_HANDLES_OPEN,
                       "resource-base-path", base, NULL);
}
