/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-line-reader.h"

#include "kh-test.h"

#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  int ends[2];
  KhLineReader *reader;
  GPtrArray *lines;
  gboolean closed;
} Fixture;

static void
on_line (KhLineReader *reader, const char *line, gpointer data)
{
  g_ptr_array_add (((Fixture *) data)->lines, g_strdup (line));
}

static void
on_closed (KhLineReader *reader, gpointer data)
{
  ((Fixture *) data)->closed = TRUE;
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  g_assert_true (g_unix_open_pipe (fixture->ends, FD_CLOEXEC, NULL));
  fixture->lines = g_ptr_array_new_with_free_func (g_free);
  fixture->reader = kh_line_reader_new (fixture->ends[0]);
  g_signal_connect (fixture->reader, "line", G_CALLBACK (on_line), fixture);
  g_signal_connect (fixture->reader, "closed", G_CALLBACK (on_closed), fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  if (fixture->reader != NULL)
    g_assert_finalize_object (fixture->reader);
  close (fixture->ends[0]);
  if (fixture->ends[1] >= 0)
    close (fixture->ends[1]);
  g_ptr_array_unref (fixture->lines);
}

static void
say (Fixture *fixture, const char *text)
{
  g_assert_cmpint (write (fixture->ends[1], text, strlen (text)), ==, strlen (text));
}

static const char *
get_line (Fixture *fixture, guint number)
{
  kh_test_wait_until (fixture->lines->len > number, 5000);

  return g_ptr_array_index (fixture->lines, number);
}

static void
test_pieces (Fixture *fixture, gconstpointer unused)
{
  say (fixture, "one\ntw");
  g_assert_cmpstr (get_line (fixture, 0), ==, "one");
  g_assert_cmpuint (fixture->lines->len, ==, 1);
  say (fixture, "o\n\nthree\n");
  g_assert_cmpstr (get_line (fixture, 3), ==, "three");
  g_assert_cmpstr (get_line (fixture, 1), ==, "two");
  g_assert_cmpstr (get_line (fixture, 2), ==, "");
}

static void
test_closed (Fixture *fixture, gconstpointer unused)
{
  say (fixture, "whole\nhalf");
  close (fixture->ends[1]);
  fixture->ends[1] = -1;
  kh_test_wait_until (fixture->closed, 5000);
  g_assert_cmpuint (fixture->lines->len, ==, 1);
  g_assert_false (kh_line_reader_is_open (fixture->reader));
}

/* Half of a line would mean something else. */
static void
test_too_long (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *piece = g_strnfill (4096, 'x');

  for (int sent = 0; sent <= KH_LINE_READER_MAX; sent += 4096)
    {
      say (fixture, piece);
      while (g_main_context_iteration (NULL, FALSE))
        ;
    }
  say (fixture, "end\nnext\n");
  g_assert_cmpstr (get_line (fixture, 0), ==, "next");
}

static void
on_enough (KhLineReader *reader, const char *line, gpointer data)
{
  Fixture *fixture = data;

  g_signal_handlers_disconnect_by_data (reader, fixture);
  g_clear_object (&fixture->reader);
}

/* Whoever hears a line may want no more of them, and drop the reader. */
static void
test_dropped (Fixture *fixture, gconstpointer unused)
{
  g_signal_connect (fixture->reader, "line", G_CALLBACK (on_enough), fixture);
  say (fixture, "one\ntwo\nthree\n");
  kh_test_wait_until (fixture->reader == NULL, 5000);
  g_assert_cmpuint (fixture->lines->len, ==, 1);
}

#define ADD(name, function) g_test_add (name, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/lab/line-reader/pieces", test_pieces);
  ADD ("/lab/line-reader/closed", test_closed);
  ADD ("/lab/line-reader/too-long", test_too_long);
  ADD ("/lab/line-reader/dropped", test_dropped);

  return g_test_run ();
}
