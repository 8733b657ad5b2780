/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-lines.h"
#include "kh-test.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

typedef struct
{
  KhLines *lines;
  GPtrArray *got;
  gboolean ended;
  guint pause_after; /* lines; 0 for never */
  guint free_after;
} Reader;

static void
on_line (const char *line, gpointer user_data)
{
  Reader *reader = user_data;

  g_assert_false (reader->ended);
  if (line == NULL)
    reader->ended = TRUE;
  else
    g_ptr_array_add (reader->got, g_strdup (line));

  if (reader->pause_after > 0 && reader->got->len == reader->pause_after)
    kh_lines_pause (reader->lines);
  if (reader->free_after > 0 && reader->got->len == reader->free_after)
    g_clear_pointer (&reader->lines, kh_lines_free);
}

static void
read_from (Reader *reader, int fd, gsize max_line)
{
  memset (reader, 0, sizeof *reader);
  reader->got = g_ptr_array_new_with_free_func (g_free);
  reader->lines = kh_lines_new (fd, max_line, on_line, reader);
}

static void
put (int fd, const char *text, gssize length)
{
  gsize size = length < 0 ? strlen (text) : (gsize) length;

  g_assert_cmpint (write (fd, text, size), ==, size);
}

static void
reader_end (Reader *reader, int fd)
{
  g_clear_pointer (&reader->lines, kh_lines_free);
  g_ptr_array_unref (reader->got);
  close (fd);
}

static void
test_table (void)
{
  static const struct
  {
    const char *input;
    gssize length;
    const char *lines; /* each followed by | */
  } cases[] = {
    { "", -1, "" },
    { "\n", -1, "|" },
    { "a\nb\n", -1, "a|b|" },
    { "a\nb", -1, "a|b|" },
    { "a\r\n\r\nb\r", -1, "a||b\r|" },
    { "12345678", -1, "12345678|" },
    { "12345678\n", -1, "12345678|" },
    { "123456789\nx", -1, "12345678|9|x|" },
    { "你好你好\n", -1, "你好|你好|" },        /* 12 bytes, cut between characters */
    { "ab\xff\0b\n", 6, "ab\ufffd\ufffd|b|" }, /* what is not UTF-8 grows, and is cut again */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GString) got = g_string_new (NULL);
      Reader reader;
      int fds[2];

      g_assert_cmpint (pipe (fds), ==, 0);
      put (fds[1], cases[i].input, cases[i].length);
      close (fds[1]);
      read_from (&reader, fds[0], 8);
      kh_test_wait_until (reader.ended, 2000);
      for (guint n = 0; n < reader.got->len; n++)
        g_string_append_printf (got, "%s|", (char *) g_ptr_array_index (reader.got, n));
      g_assert_cmpstr (got->str, ==, cases[i].lines);
      reader_end (&reader, fds[0]);
    }
}

/* A line is handed on as soon as it is whole, not before and not later. */
static void
test_as_it_comes (void)
{
  Reader reader;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  read_from (&reader, fds[0], 100);
  put (fds[1], "one\ntw", -1);
  kh_test_wait_until (reader.got->len == 1, 2000);
  put (fds[1], "o\n", -1);
  kh_test_wait_until (reader.got->len == 2, 2000);
  g_assert_cmpstr (g_ptr_array_index (reader.got, 1), ==, "two");
  g_assert_false (reader.ended);
  close (fds[1]);
  kh_test_wait_until (reader.ended, 2000);
  reader_end (&reader, fds[0]);
}

static void
test_pause (void)
{
  Reader reader;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  put (fds[1], "1\n2\n3\n4\n5\n", -1);
  close (fds[1]);
  read_from (&reader, fds[0], 100);
  reader.pause_after = 2;
  kh_test_wait_until (reader.got->len == 2, 2000);
  kh_test_settle ();
  g_assert_cmpuint (reader.got->len, ==, 2);
  g_assert_false (reader.ended);

  kh_lines_resume (reader.lines);
  kh_test_wait_until (reader.ended, 2000);
  g_assert_cmpuint (reader.got->len, ==, 5);
  reader_end (&reader, fds[0]);
}

static void
test_freed_inside (void)
{
  Reader reader;
  int fds[2];

  g_assert_cmpint (pipe (fds), ==, 0);
  put (fds[1], "1\n2\n3\n", -1);
  close (fds[1]);
  read_from (&reader, fds[0], 100);
  reader.free_after = 2;
  kh_test_wait_until (reader.lines == NULL, 2000);
  kh_test_settle ();
  g_assert_cmpuint (reader.got->len, ==, 2);
  g_assert_false (reader.ended);
  reader_end (&reader, fds[0]);
}

/* Standard input may be a file, /dev/null, or nothing at all. */
static void
test_files (void)
{
  Reader reader;
  int null = open ("/dev/null", O_RDONLY | O_CLOEXEC);
  g_autofree char *path = NULL;
  int file = g_file_open_tmp (NULL, &path, NULL);

  read_from (&reader, null, 100);
  kh_test_wait_until (reader.ended, 2000);
  reader_end (&reader, null);

  put (file, "in a file\n", -1);
  g_assert_cmpint (lseek (file, 0, SEEK_SET), ==, 0);
  read_from (&reader, file, 100);
  kh_test_wait_until (reader.ended, 2000);
  g_assert_cmpuint (reader.got->len, ==, 1);
  reader_end (&reader, file);
  g_assert_cmpint (unlink (path), ==, 0);

  read_from (&reader, file, 100); /* closed by now */
  kh_test_wait_until (reader.ended, 2000);
  g_clear_pointer (&reader.lines, kh_lines_free);
  g_ptr_array_unref (reader.got);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lines/table", test_table);
  g_test_add_func ("/lines/as-it-comes", test_as_it_comes);
  g_test_add_func ("/lines/pause", test_pause);
  g_test_add_func ("/lines/freed-inside", test_freed_inside);
  g_test_add_func ("/lines/files", test_files);
  return g_test_run ();
}
