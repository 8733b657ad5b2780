/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-application.h"

#include <glib/gi18n.h>
#include <locale.h>

int
main (int argc, char **argv)
{
  g_autoptr (KhApplication) application = NULL;
  const char *locale_dir = g_getenv ("KH_LOCALE_DIR"); /* set where the program runs from its build directory */

  setlocale (LC_ALL, "");
  bindtextdomain (GETTEXT_PACKAGE, locale_dir != NULL ? locale_dir : KH_LOCALE_DIR);
  bind_textdomain_codeset (GETTEXT_PACKAGE, "UTF-8");
  textdomain (GETTEXT_PACKAGE);
  g_set_application_name ("Knothole");

  application = kh_application_new (G_APPLICATION_DEFAULT_FLAGS);
  return g_application_run (G_APPLICATION (application), argc, argv);
}
