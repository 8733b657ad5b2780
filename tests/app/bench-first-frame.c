/* SPDX-License-Identifier: GPL-3.0-or-later */

/* How long a window takes to its first frame: bench-first-frame bare|knothole prints milliseconds from the start of main().
 * One run a process, since only the first window of a process pays for everything. */

#include "kh-application.h"
#include "kh-window.h"

#include <stdio.h>
#include <string.h>

static gint64 start;

static void
on_first_frame (GdkFrameClock *clock, GApplication *application)
{
  printf ("%.1f\n", (g_get_monotonic_time () - start) / 1000.0);
  g_signal_handlers_disconnect_by_func (clock, on_first_frame, application);
  g_application_quit (application);
}

static void
on_realize (GtkWidget *window, GApplication *application)
{
  g_signal_connect (gtk_widget_get_frame_clock (window), "after-paint", G_CALLBACK (on_first_frame), application);
}

static void
open_bare (GApplication *application)
{
  GtkWidget *window = adw_application_window_new (GTK_APPLICATION (application));
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 0);

  gtk_box_append (GTK_BOX (box), adw_header_bar_new ());
  adw_application_window_set_content (ADW_APPLICATION_WINDOW (window), box);
  gtk_window_set_default_size (GTK_WINDOW (window), 640, 680);
  g_signal_connect (window, "realize", G_CALLBACK (on_realize), application);
  gtk_window_present (GTK_WINDOW (window));
}

static void
on_window_added (GtkApplication *application, GtkWindow *window)
{
  g_signal_connect (window, "realize", G_CALLBACK (on_realize), application);
}

int
main (int argc, char **argv)
{
  g_autoptr (GApplication) application = NULL;

  start = g_get_monotonic_time ();
  if (argc > 1 && strcmp (argv[1], "bare") == 0)
    {
      application = G_APPLICATION (adw_application_new ("io.github.knothole.Bare", G_APPLICATION_NON_UNIQUE));
      g_signal_connect (application, "activate", G_CALLBACK (open_bare), NULL);
    }
  else
    {
      application = G_APPLICATION (kh_application_new (G_APPLICATION_NON_UNIQUE));
      g_signal_connect (application, "window-added", G_CALLBACK (on_window_added), NULL);
    }

  return g_application_run (application, 1, argv);
}
