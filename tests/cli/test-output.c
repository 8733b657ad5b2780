/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-output.h"
#include "kh-test.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void
on_broken (gpointer user_data)
{
  (*(guint *) user_data)++;
}

static GString *
read_all (int fd)
{
  GString *all = g_string_new (NULL);
  char buffer[65536];
  gssize got;

  while ((got = read (fd, buffer, sizeof buffer)) > 0)
    g_string_append_len (all, buffer, got);
  return all;
}

static void
open_pipe (int fds[2])
{
  g_assert_cmpint (pipe2 (fds, O_CLOEXEC), ==, 0);
  g_assert_cmpint (fcntl (fds[0], F_SETFL, O_NONBLOCK), ==, 0);
}

static void
test_line (void)
{
  guint broken = 0;
  int fds[2];
  KhOutput *output;
  g_autoptr (GString) got = NULL;

  open_pipe (fds);
  output = kh_output_new (fds[1], on_broken, &broken);
  kh_output_line (output, "你好");
  kh_output_line (output, "");
  got = read_all (fds[0]);
  g_assert_cmpstr (got->str, ==, "你好\n\n"); /* without the loop: there was room */
  g_assert_cmpuint (broken, ==, 0);
  kh_output_free (output);
  close (fds[0]);
  close (fds[1]);
}

/* A reader who stands still holds up nobody, and gets everything in order once it goes on. */
static void
test_reader_stands_still (void)
{
  g_autofree char *line = g_strnfill (10000, 'x');
  g_autoptr (GString) got = g_string_new (NULL);
  guint broken = 0;
  int fds[2];
  KhOutput *output;

  open_pipe (fds);
  output = kh_output_new (fds[1], on_broken, &broken);
  for (int i = 0; i < 100; i++)
    kh_output_line (output, line);
  kh_test_settle ();

  while (got->len < 100 * 10001)
    {
      g_autoptr (GString) some = read_all (fds[0]);

      g_string_append_len (got, some->str, some->len);
      g_main_context_iteration (NULL, FALSE);
    }
  g_assert_cmpuint (got->len, ==, 100 * 10001);
  for (int i = 0; i < 100; i++)
    g_assert_cmpint (got->str[(i + 1) * 10001 - 1], ==, '\n');
  g_assert_cmpuint (broken, ==, 0);
  kh_output_free (output);
  close (fds[0]);
  close (fds[1]);
}

static void
test_reader_never_reads (void)
{
  g_autofree char *line = g_strnfill (1 << 20, 'x');
  gint64 start = g_get_monotonic_time ();
  guint broken = 0;
  int fds[2];
  KhOutput *output;

  open_pipe (fds);
  output = kh_output_new (fds[1], on_broken, &broken);
  for (int i = 0; i < 20; i++)
    kh_output_line (output, line);
  g_assert_cmpuint (broken, ==, 1);
  kh_output_flush (output, 10);
  kh_output_free (output);

  output = kh_output_new (fds[1], on_broken, &broken);
  kh_output_line (output, line);
  kh_output_flush (output, 50);
  g_assert_cmpint (g_get_monotonic_time () - start, <, kh_test_patience (2000));
  kh_output_free (output);
  close (fds[0]);
  close (fds[1]);
}

/* A terminal that nobody reads: it has room for a little, and must not hold us up with the rest. */
static void
test_terminal (void)
{
  g_autofree char *line = g_strnfill (777, 'x');
  int terminal = posix_openpt (O_RDWR | O_NOCTTY | O_CLOEXEC);
  int fd;
  guint broken = 0;
  KhOutput *output;
  gsize got = 0;

  g_assert_cmpint (terminal, >=, 0);
  g_assert_true (grantpt (terminal) == 0 && unlockpt (terminal) == 0);
  fd = open (ptsname (terminal), O_RDWR | O_NOCTTY | O_CLOEXEC);
  g_assert_cmpint (fcntl (terminal, F_SETFL, O_RDWR | O_NONBLOCK), ==, 0);

  output = kh_output_new (fd, on_broken, &broken);
  for (int i = 0; i < 100; i++)
    kh_output_line (output, line);
  g_assert_cmpint (fcntl (fd, F_GETFL) & O_NONBLOCK, ==, 0); /* the shell's own is as it was */
  while (got < 100 * (777 + 2))                              /* a terminal makes \r\n of \n */
    {
      g_autoptr (GString) some = read_all (terminal);

      got += some->len;
      g_main_context_iteration (NULL, FALSE);
    }
  g_assert_cmpuint (broken, ==, 0);
  kh_output_free (output);
  close (fd);
  close (terminal);
}

static void
test_reader_is_gone (void)
{
  guint broken = 0;
  int fds[2];
  KhOutput *output;

  open_pipe (fds);
  close (fds[0]);
  output = kh_output_new (fds[1], on_broken, &broken);
  kh_output_line (output, "to nobody");
  kh_output_line (output, "to nobody");
  g_assert_cmpuint (broken, ==, 1);
  kh_output_free (output);
  close (fds[1]);
}

int
main (int argc, char **argv)
{
  signal (SIGPIPE, SIG_IGN);
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/output/line", test_line);
  g_test_add_func ("/output/reader-stands-still", test_reader_stands_still);
  g_test_add_func ("/output/reader-never-reads", test_reader_never_reads);
  g_test_add_func ("/output/terminal", test_terminal);
  g_test_add_func ("/output/reader-is-gone", test_reader_is_gone);
  return g_test_run ();
}
