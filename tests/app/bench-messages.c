/* SPDX-License-Identifier: GPL-3.0-or-later */

/* What a message costs the main thread when ten thousand are there already, in a real window with every frame drawn: prints
 * milliseconds for each message that comes, and for each frame of scrolling through all of them. */

#include "kh-message-view.h"

#include <stdio.h>

#define BEFORE 10000
#define MEASURED 300
#define FRAMES 300

static guint painted;

static void
on_paint (GdkFrameClock *clock, gpointer unused)
{
  painted++;
}

/* Processor time, not time: the clock waits for the next frame in between, and other programs are running. */
static double
spent_ms (void)
{
  struct timespec now;

  clock_gettime (CLOCK_THREAD_CPUTIME_ID, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static void
draw_frame (void)
{
  guint before = painted;

  while (painted == before)
    g_main_context_iteration (NULL, TRUE);
}

static void
add (KhMessageView *view, guint number)
{
  g_autofree char *text =
      g_strdup_printf ("Message %u: %s", number,
                       number % 3 == 0 ? "yes"
                                       : "a line that is about as "
                                         "long as what people write to each other when they have something to say.");
  g_autoptr (KhMessage) message =
      kh_message_new (number % 2 == 0 ? KH_MESSAGE_RECEIVED : KH_MESSAGE_SENT, number, "Alice", text);

  kh_message_view_add (view, message);
}

static double
measure_appending (KhMessageView *view)
{
  double start = spent_ms ();

  for (guint i = 0; i < MEASURED; i++)
    {
      add (view, BEFORE + i);
      kh_message_log_deliver (kh_message_view_get_log (view), BEFORE + i - 1);
      draw_frame ();
    }
  return (spent_ms () - start) / MEASURED;
}

static double
measure_scrolling (KhMessageView *view)
{
  GtkWidget *scroller = gtk_widget_get_first_child (gtk_widget_get_first_child (GTK_WIDGET (view)));
  GtkAdjustment *adjustment = gtk_scrolled_window_get_vadjustment (GTK_SCROLLED_WINDOW (scroller));
  double start = spent_ms ();

  for (guint i = 0; i < FRAMES; i++)
    {
      gtk_adjustment_set_value (adjustment, gtk_adjustment_get_upper (adjustment) * (FRAMES - i) / FRAMES * 0.99);
      draw_frame ();
    }
  return (spent_ms () - start) / FRAMES;
}

int
main (void)
{
  GtkWidget *window;
  KhMessageView *view;

  adw_init ();
  window = gtk_window_new ();
  view = g_object_new (KH_TYPE_MESSAGE_VIEW, NULL);
  gtk_window_set_child (GTK_WINDOW (window), GTK_WIDGET (view));
  gtk_window_set_default_size (GTK_WINDOW (window), 640, 680);
  gtk_window_present (GTK_WINDOW (window));
  g_signal_connect (gtk_widget_get_frame_clock (window), "after-paint", G_CALLBACK (on_paint), NULL);

  for (guint i = 0; i < BEFORE; i++)
    add (view, i);
  draw_frame ();
  printf ("%.2f\n", measure_appending (view));
  printf ("%.2f\n", measure_scrolling (view));

  return 0;
}
