/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-shell.h"

#include "kh-host.h"
#include "kh-keeper.h"

#include <stdio.h>
#include <unistd.h>

static const char *
get_shell (void)
{
  const char *shell = g_getenv ("SHELL");

  return shell != NULL && access (shell, X_OK) == 0 ? shell : "/bin/sh";
}

/* How any program inside enters a host. */
static char *
describe_entry (KhLab *lab, KhHostId host)
{
  /* Where proc could not be mounted anew, it knows us by another number. */
  g_autofree char *self = g_file_read_link ("/proc/self", NULL);

  return g_strdup_printf ("nsenter --net=/proc/%s/fd/%d", self != NULL ? self : "self", kh_lab_get_network (lab, host));
}

static void
tell_hosts (KhLab *lab)
{
  for (KhHostId host = 0; host < KH_N_HOSTS; host++)
    {
      const KhHostAddresses *addresses = kh_lab_get_addresses (lab, host);
      char own[KH_IP_TEXT_SIZE], outside[KH_IP_TEXT_SIZE];
      g_autofree char *entry = describe_entry (lab, host);

      fprintf (stderr, "%-6s  %-15s seen as %-15s %s\n", kh_host_id_to_name (host),
               kh_ip_to_text (&addresses->own, own), kh_ip_to_text (&addresses->outside, outside), entry);
    }
}

static void
add_pane (GPtrArray *words, KhLab *lab, KhHostId host)
{
  g_autofree char *entry = describe_entry (lab, host);
  const char *name = kh_host_id_to_name (host);
  const KhHostAddresses *addresses = kh_lab_get_addresses (lab, host);
  char own[KH_IP_TEXT_SIZE], outside[KH_IP_TEXT_SIZE];

  if (host == KH_HOST_LEFT)
    {
      g_ptr_array_add (words, g_strdup ("new-session"));
      g_ptr_array_add (words, g_strdup ("-n"));
      g_ptr_array_add (words, g_strdup ("knothole-lab"));
    }
  else
    g_ptr_array_add (words, g_strdup ("split-window"));
  g_ptr_array_add (words, g_strdup_printf ("exec %s %s", entry, get_shell ()));
  g_ptr_array_add (words, g_strdup (";"));
  g_ptr_array_add (words, g_strdup ("select-pane"));
  g_ptr_array_add (words, g_strdup ("-T"));
  g_ptr_array_add (words, g_strdup_printf ("@%s  %s, seen as %s ", name, kh_ip_to_text (&addresses->own, own),
                                           kh_ip_to_text (&addresses->outside, outside)));
  g_ptr_array_add (words, g_strdup (";"));
}

/* One terminal, a pane for each host. */
static char **
describe_tmux (KhLab *lab)
{
  static const char *const begin[] = { "tmux", "-f", "/dev/null", "-S", KH_KEEPER_FOLDER "/tmux", NULL };
  static const char *const end[] = { "set",
                                     "pane-border-status",
                                     "top",
                                     ";",
                                     "set",
                                     "pane-border-format",
                                     " #{pane_title} ",
                                     ";",
                                     "set",
                                     "status-right-length",
                                     "80",
                                     ";",
                                     "set",
                                     "status-right",
                                     "Ctrl+B, arrow: another host   Ctrl+B, &: end ",
                                     ";",
                                     "set",
                                     "mouse",
                                     "on",
                                     ";",
                                     "select-layout",
                                     "even-vertical",
                                     ";",
                                     "select-pane",
                                     "-t",
                                     "0",
                                     NULL };
  g_autoptr (GPtrArray) words = g_ptr_array_new ();

  for (const char *const *word = begin; *word != NULL; word++)
    g_ptr_array_add (words, g_strdup (*word));
  for (KhHostId host = 0; host < KH_N_HOSTS; host++)
    add_pane (words, lab, host);
  for (const char *const *word = end; *word != NULL; word++)
    g_ptr_array_add (words, g_strdup (*word));
  g_ptr_array_add (words, NULL);

  return (char **) g_ptr_array_free (g_steal_pointer (&words), FALSE);
}

/**
 * kh_shell_describe:
 * @lab: a laboratory
 *
 * Says where the hosts are, and finds what gives the user a shell on each: tmux in a terminal; else one on the left host, from
 * which the others can be entered.
 *
 * Returns: (transfer full): the program to run
 */
char **
kh_shell_describe (KhLab *lab)
{
  const char *const plain[] = { get_shell (), NULL };
  g_autofree char *tmux = g_find_program_in_path ("tmux");

  tell_hosts (lab);
  if (tmux != NULL && isatty (STDIN_FILENO) && g_strcmp0 (g_getenv ("TERM"), "dumb") != 0)
    return describe_tmux (lab);

  if (isatty (STDIN_FILENO))
    fprintf (stderr,
             "This is a shell on the left host. The lines above end with what enters the others (with tmux, there "
             "would be a shell on each).\n");

  return g_strdupv ((char **) plain);
}
