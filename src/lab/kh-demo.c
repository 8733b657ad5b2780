/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-demo.h"

#include "kh-demo-text.h"
#include "kh-demo-windows.h"
#include "kh-keeper.h"
#include "kh-stage.h"

#include <stdio.h>

#define STATUS_NO_PATH 3

typedef struct
{
  KhLabOptions *options;
  KhStage *stage;
} Demo;

/**
 * kh_demo_tell:
 * @text: whole lines
 *
 * Prints them at once.
 */
void
kh_demo_tell (const char *text)
{
  fputs (text, stdout);
  fflush (stdout);
}

static const char *
find_summary (const char *nat)
{
  gsize n;
  const KhProfile *profiles = kh_profile_get_all (&n);

  for (gsize i = 0; i < n; i++)
    if (g_str_equal (profiles[i].name, nat))
      return profiles[i].summary;

  return NULL;
}

static void
tell_router (const char *who, const char *nat)
{
  const char *summary = find_summary (nat);
  g_autofree char *line = g_strdup_printf ("%-5s is behind: %s%s%s%s\n", who, nat, summary != NULL ? " (" : "",
                                           summary != NULL ? summary : "", summary != NULL ? ")" : "");

  kh_demo_tell (line);
}

static void
tell_routers (const KhLabOptions *options)
{
  kh_demo_tell ("A virtual internet on this machine, and two friends in it.\n");
  tell_router (KH_DEMO_LEFT, options->left);
  tell_router (KH_DEMO_RIGHT, options->network.same_home ? "the same router" : options->right);
  kh_demo_tell ("\n");
}

/* For those who have installed it, and for those who try it out where it was built. */
#define NEXT                                                                                                           \
  "Now with a friend: knothole-cli invite (in the source tree: ./dev cli invite).\n"                                   \
  "Behind other routers: --left=NAT --right=NAT; knothole-lab nats tells which there are (./dev lab nats).\n"

static void
tell_outcome (int status)
{
  if (status == 0)
    kh_demo_tell ("\nBoth said goodbye. They talked directly; the server only introduced them.\n" NEXT);
  else if (status == STATUS_NO_PATH)
    kh_demo_tell ("\nBetween these two routers no direct path came about: that happens.\n" NEXT);
}

/* Tells how it went, unless the user did not want to see the end. */
static void
end (Demo *demo, int status, GError *error)
{
  if (error == NULL)
    tell_outcome (status);
  else if (!g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    fprintf (stderr, "%s\n", error->message);
  kh_stage_end (demo->stage, error == NULL ? status : 1);
  g_clear_error (&error);
}

static void
on_text_over (GObject *source, GAsyncResult *result, gpointer data)
{
  GError *error = NULL;
  int status = kh_demo_text_run_finish (result, &error);

  end (data, status, error);
}

static void
play_text (Demo *demo)
{
  kh_demo_text_run_async (kh_stage_get_lab (demo->stage), demo->options, kh_stage_get_cancellable (demo->stage),
                          on_text_over, demo);
}

static void
on_windows_over (GObject *source, GAsyncResult *result, gpointer data)
{
  Demo *demo = data;
  GError *error = NULL;
  int status = kh_demo_windows_run_finish (result, &error);

  if (!g_error_matches (error, KH_DEMO_ERROR, KH_DEMO_ERROR_NO_WINDOW))
    {
      end (demo, status, error);
      return;
    }
  fprintf (stderr, "No window can be opened here (%s). The same in text:\n\n", error->message);
  g_error_free (error);
  play_text (demo);
}

static gboolean
has_display (void)
{
  const char *x11 = g_getenv ("DISPLAY");
  const char *wayland = g_getenv ("WAYLAND_DISPLAY");

  return (x11 != NULL && *x11 != '\0') || (wayland != NULL && *wayland != '\0');
}

static void
play (KhStage *stage, gpointer data)
{
  Demo *demo = data;

  demo->stage = stage;
  tell_routers (demo->options);
  if (has_display () && !demo->options->text)
    kh_demo_windows_run_async (kh_stage_get_lab (stage), demo->options, kh_stage_get_cancellable (stage),
                               on_windows_over, demo);
  else
    play_text (demo);
}

static int
complain (GError *error)
{
  fprintf (stderr, "%s\n", error->message);
  g_error_free (error);

  return 1;
}

static int
work (gpointer data)
{
  Demo demo = { .options = data };
  GError *error = NULL;
  int status = kh_stage_run (demo.options, play, &demo, &error);

  return error != NULL ? complain (error) : status;
}

/**
 * kh_demo:
 * @options: which routers; windows or text
 *
 * Lets two friends meet and talk, each behind a router: in windows where there is a display, else in the terminal.
 *
 * Ends the process with 0 when they talked, with 3 when they did not reach each other.
 *
 * Returns: an exit status, when there can be no laboratory
 */
int
kh_demo (KhLabOptions *options)
{
  GError *error = NULL;

  kh_keeper_run (work, options, &error);

  return complain (error);
}
