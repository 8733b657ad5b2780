/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-friend-home.h"

#include <errno.h>
#include <glib/gstdio.h>

/* The user's files stay untouched, and one user may have two windows. */
static const struct
{
  const char *variable;
  const char *folder;
} places[] = {
  { "HOME", "home" },          { "XDG_RUNTIME_DIR", "run" },  { "XDG_CONFIG_HOME", "config" },
  { "XDG_DATA_HOME", "data" }, { "XDG_CACHE_HOME", "cache" },
};

/* A bus that starts nothing: the desktop's services would not find their way in here, and windows would wait for them. */
#define BUS                                                                                                            \
  "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\" "                                \
  "\"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n"                                                 \
  "<busconfig>\n"                                                                                                      \
  "  <type>session</type>\n"                                                                                           \
  "  <listen>unix:path=%s/run/bus</listen>\n"                                                                          \
  "  <auth>EXTERNAL</auth>\n"                                                                                          \
  "  <policy context=\"default\">\n"                                                                                   \
  "    <allow send_destination=\"*\" eavesdrop=\"true\"/>\n"                                                           \
  "    <allow eavesdrop=\"true\"/>\n"                                                                                  \
  "    <allow own=\"*\"/>\n"                                                                                           \
  "  </policy>\n"                                                                                                      \
  "</busconfig>\n"

/* Where the desktop says nothing about it. */
#define TOOLKIT "[Settings]\ngtk-font-name=Cantarell 11\n"

static char *
find (const KhFriendHome *self, const char *path)
{
  return g_build_filename (self->folder, path, NULL);
}

static gboolean
make_folder (const KhFriendHome *self, const char *path, GError **error)
{
  g_autofree char *folder = find (self, path);

  if (g_mkdir_with_parents (folder, 0700) == 0)
    return TRUE;
  g_set_error (error, G_FILE_ERROR, g_file_error_from_errno (errno), "%s: %s", folder, g_strerror (errno));

  return FALSE;
}

static gboolean
make_file (const KhFriendHome *self, const char *path, const char *text, GError **error)
{
  g_autofree char *file = find (self, path);

  return g_file_set_contents (file, text, -1, error);
}

static char *
quote (const char *text)
{
  g_autoptr (GVariant) value = g_variant_ref_sink (g_variant_new_string (text));

  return g_variant_print (value, FALSE);
}

static char *
format_settings (const KhFriendHome *self)
{
  g_autofree char *name = quote (self->name);
  g_autofree char *mailbox = quote (self->mailbox);
  g_autofree char *stun = quote (self->stun);

  return g_strdup_printf (
      "[io/github/knothole/Knothole]\nname=%s\nmailbox-server=%s\nstun-servers=[%s]\nwindow-width=%d\n"
      "window-height=%d\n",
      name, mailbox, stun, self->width, self->height);
}

/**
 * kh_friend_home_make:
 * @self: a home
 * @error: return location
 *
 * Makes its folders and files.
 *
 * Returns: whether it was done
 */
gboolean
kh_friend_home_make (const KhFriendHome *self, GError **error)
{
  g_autofree char *settings = format_settings (self);
  g_autofree char *bus = g_strdup_printf (BUS, self->folder);

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    if (!make_folder (self, places[i].folder, error))
      return FALSE;

  return make_folder (self, "config/glib-2.0/settings", error) && make_folder (self, "config/gtk-4.0", error) &&
         make_file (self, "config/glib-2.0/settings/keyfile", settings, error) &&
         make_file (self, "config/gtk-4.0/settings.ini", TOOLKIT, error) && make_file (self, "bus.conf", bus, error);
}

/**
 * kh_friend_home_get_bus_config:
 *
 * Returns: (transfer full): the path of a configuration for dbus-daemon
 */
char *
kh_friend_home_get_bus_config (const KhFriendHome *self)
{
  return find (self, "bus.conf");
}

/* What a program has beside it as long as it is not installed. */
static char **
set_if_built (char **environment, const KhFriendHome *self, const char *variable, const char *folder, const char *holds)
{
  g_autofree char *place = g_path_get_dirname (self->program);
  g_autofree char *built = g_build_filename (place, "..", "..", folder, NULL);
  g_autofree char *evidence = g_build_filename (built, holds, NULL);
  gboolean is_there = g_environ_getenv (environment, variable) == NULL && g_file_test (evidence, G_FILE_TEST_EXISTS);

  return is_there ? g_environ_setenv (environment, variable, built, TRUE) : environment;
}

/* What was found below the user's own folders is named in full. */
static char **
keep_display (char **environment)
{
  const char *wayland = g_getenv ("WAYLAND_DISPLAY");
  const char *runtime = g_getenv ("XDG_RUNTIME_DIR");
  const char *home = g_getenv ("HOME");

  if (wayland != NULL && *wayland != '\0' && !g_path_is_absolute (wayland) && runtime != NULL)
    {
      g_autofree char *path = g_build_filename (runtime, wayland, NULL);

      environment = g_environ_setenv (environment, "WAYLAND_DISPLAY", path, TRUE);
    }
  if (g_getenv ("XAUTHORITY") == NULL && home != NULL)
    {
      g_autofree char *path = g_build_filename (home, ".Xauthority", NULL);

      if (g_file_test (path, G_FILE_TEST_EXISTS))
        environment = g_environ_setenv (environment, "XAUTHORITY", path, TRUE);
    }

  return environment;
}

/**
 * kh_friend_home_make_environment:
 *
 * Returns: (transfer full): what the window's program finds around it: the user's display and language, and its own everything else
 */
char **
kh_friend_home_make_environment (const KhFriendHome *self)
{
  g_autofree char *bus = g_strdup_printf ("unix:path=%s/run/bus", self->folder);
  char **environment = keep_display (g_get_environ ());

  for (gsize i = 0; i < G_N_ELEMENTS (places); i++)
    {
      g_autofree char *folder = find (self, places[i].folder);

      environment = g_environ_setenv (environment, places[i].variable, folder, TRUE);
    }
  environment = g_environ_setenv (environment, "DBUS_SESSION_BUS_ADDRESS", bus, TRUE);
  environment = g_environ_setenv (environment, "GSETTINGS_BACKEND", "keyfile", TRUE);
  environment = g_environ_setenv (environment, "ADW_DISABLE_PORTAL", "1", TRUE);
  if (self->accessibility != NULL)
    environment = g_environ_setenv (environment, "AT_SPI_BUS_ADDRESS", self->accessibility, TRUE);
  else if (g_getenv ("AT_SPI_BUS_ADDRESS") == NULL)
    environment = g_environ_setenv (environment, "GTK_A11Y", "none", FALSE);
  environment = set_if_built (environment, self, "GSETTINGS_SCHEMA_DIR", "data", "gschemas.compiled");

  return set_if_built (environment, self, "KH_LOCALE_DIR", "po", "zh_CN");
}
