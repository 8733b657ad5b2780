/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-demo.h"
#include "kh-experiment.h"
#include "kh-keeper.h"
#include "kh-lab-options.h"
#include "kh-matrix.h"
#include "kh-meet.h"
#include "kh-output.h"
#include "kh-run.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <unistd.h>

/* Exit status of a wrong command line. */
#define STATUS_USAGE 2

static int
work (gpointer data)
{
  const KhLabOptions *options = data;

  switch (options->command)
    {
    case KH_LAB_EXPERIMENT:
      return kh_experiment (options);
    case KH_LAB_RUN:
    default:
      return kh_run (options);
    }
}

static int
in_lab (KhLabOptions *options)
{
  g_autoptr (GError) error = NULL;

  kh_keeper_run (work, options, &error);
  fprintf (stderr, "%s\n", error->message);

  return 1;
}

static void
list_nat (const KhProfile *profile)
{
  KhHome home = { 0 };
  gboolean parsed = kh_home_parse (&home, profile->name, NULL);

  g_assert (parsed);
  for (guint i = 0; i < home.n_routers; i++)
    {
      g_autofree char *facts = kh_nat_settings_describe (&home.routers[i]);

      printf ("%-21s %s\n", i == 0 ? profile->name : "  and outside of it", facts);
    }
}

/* The facts as a table, then each in a sentence. */
static int
list_nats (void)
{
  gsize n;
  const KhProfile *profiles = kh_profile_get_all (&n);

  printf ("%-21s %s\n", "", kh_nat_settings_get_columns ());
  for (gsize i = 0; i < n; i++)
    list_nat (&profiles[i]);
  puts (
      "\nindependent: one mapping, or one hole in the filter, for everybody (endpoint-independent in RFC 4787); address, "
      "address+port: one for\neach remote address, or address and port.\n");
  for (gsize i = 0; i < n; i++)
    printf ("%-21s %s.\n", profiles[i].name, profiles[i].summary);

  return 0;
}

static int
run_command (KhLabOptions *options)
{
  switch (options->command)
    {
    case KH_LAB_MEET:
      return kh_meet (options);
    case KH_LAB_DEMO:
      return kh_demo (options);
    case KH_LAB_MATRIX:
      return kh_matrix (options);
    case KH_LAB_NATS:
      return list_nats ();
    case KH_LAB_HELP:
      fputs (options->help, stdout);
      return 0;
    case KH_LAB_VERSION:
      puts ("knothole-lab " KH_VERSION);
      return 0;
    case KH_LAB_RUN:
    case KH_LAB_EXPERIMENT:
    default:
      return in_lab (options);
    }
}

static gboolean
check_arguments (KhLabOptions *options, GError **error)
{
  g_autoptr (GArray) programs = NULL;

  if (options->command == KH_LAB_EXPERIMENT)
    return kh_experiment_check (options, error);
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
  int fd;

  /* Whoever starts us without the three usual descriptors shall not have others in their places. */
  while ((fd = open ("/dev/null", O_RDWR)) >= 0 && fd <= STDERR_FILENO)
    ;
  if (fd > STDERR_FILENO)
    close (fd);
  setlocale (LC_ALL, "");
  options = kh_lab_options_parse (argv, &error);
  if (options == NULL || !check_arguments (options, &error))
    {
      fprintf (stderr, "%s\n", error->message);
      return STATUS_USAGE;
    }

  return kh_output_end (run_command (options));
}
