/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-keeper.h"
#include "kh-lab-options.h"
#include "kh-run.h"

#include <locale.h>
#include <stdio.h>

/* Exit status of a wrong command line. */
#define STATUS_USAGE 2

static int
work (gpointer data)
{
  return kh_run (data);
}

static int
in_lab (KhLabOptions *options)
{
  g_autoptr (GError) error = NULL;
  int status = kh_keeper_run (work, options, &error);

  if (status >= 0)
    return status;
  fprintf (stderr, "%s\n", error->message);

  return 1;
}

static int
list_nats (void)
{
  gsize n;
  const KhProfile *profiles = kh_profile_get_all (&n);

  for (gsize i = 0; i < n; i++)
    {
      KhHome home = { 0 };
      gboolean parsed = kh_home_parse (&home, profiles[i].name, NULL);

      g_assert (parsed);
      printf ("%-21s %s.\n", profiles[i].name, profiles[i].summary);
      for (guint r = 0; r < home.n_routers; r++)
        {
          g_autofree char *facts = kh_nat_settings_describe (&home.routers[r]);

          printf ("%22s%s%s\n", "", home.n_routers == 1 ? "" : r == 0 ? "at home: " : "carrier: ", facts);
        }
    }

  return 0;
}

static int
run_command (KhLabOptions *options)
{
  switch (options->command)
    {
    case KH_LAB_NATS:
      return list_nats ();
    case KH_LAB_HELP:
      fputs (options->help, stdout);
      return 0;
    case KH_LAB_VERSION:
      puts ("knothole-lab " KH_VERSION);
      return 0;
    case KH_LAB_RUN:
    default:
      return in_lab (options);
    }
}

static gboolean
check_arguments (KhLabOptions *options, GError **error)
{
  g_autoptr (GArray) programs = NULL;

  if (options->command != KH_LAB_RUN)
    return TRUE;
  programs = kh_run_split (options->arguments, error);

  return programs != NULL;
}

int
main (int argc, char **argv)
{
  g_autoptr (KhLabOptions) options = NULL;
  g_autoptr (GError) error = NULL;

  setlocale (LC_ALL, "");
  options = kh_lab_options_parse (argv, &error);
  if (options == NULL || !check_arguments (options, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return STATUS_USAGE;
    }

  return run_command (options);
}
