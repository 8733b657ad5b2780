/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-line-reader.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

struct _KhLineReader
{
  GObject parent_instance;
  guint source;
  GString *pending;
  gboolean skipping;
};

enum
{
  LINE,
  CLOSED,
  N_SIGNALS,
};

static guint signals[N_SIGNALS];

/**
 * KhLineReader:
 *
 * Reads what a program says, line by line.
 */
G_DEFINE_FINAL_TYPE (KhLineReader, kh_line_reader, G_TYPE_OBJECT)

static void
kh_line_reader_dispose (GObject *object)
{
  KhLineReader *self = KH_LINE_READER (object);

  g_clear_handle_id (&self->source, g_source_remove);

  G_OBJECT_CLASS (kh_line_reader_parent_class)->dispose (object);
}

static void
kh_line_reader_finalize (GObject *object)
{
  g_string_free (KH_LINE_READER (object)->pending, TRUE);

  G_OBJECT_CLASS (kh_line_reader_parent_class)->finalize (object);
}

static void
kh_line_reader_class_init (KhLineReaderClass *class)
{
  G_OBJECT_CLASS (class)->dispose = kh_line_reader_dispose;
  G_OBJECT_CLASS (class)->finalize = kh_line_reader_finalize;

  /**
   * KhLineReader::line:
   * @self: a reader
   * @line: a line without its end
   */
  signals[LINE] =
      g_signal_new ("line", KH_TYPE_LINE_READER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_STRING);

  /**
   * KhLineReader::closed:
   * @self: a reader
   *
   * Nothing more will come.
   */
  signals[CLOSED] =
      g_signal_new ("closed", KH_TYPE_LINE_READER, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_line_reader_init (KhLineReader *self)
{
  self->pending = g_string_new (NULL);
}

/* A line that is too long is passed over whole: half of one would mean something else. */
static void
take_line (KhLineReader *self, const char *bytes, gsize length)
{
  g_autofree char *line = NULL;

  if (self->pending->len + length > KH_LINE_READER_MAX)
    self->skipping = TRUE;
  if (!self->skipping)
    {
      g_string_append_len (self->pending, bytes, length);
      line = g_strdup (self->pending->str);
    }
  g_string_truncate (self->pending, 0);
  self->skipping = FALSE;
  if (line != NULL)
    g_signal_emit (self, signals[LINE], 0, line);
}

static void
keep_rest (KhLineReader *self, const char *bytes, gsize length)
{
  if (self->skipping || self->pending->len + length > KH_LINE_READER_MAX)
    {
      self->skipping = TRUE;
      g_string_truncate (self->pending, 0);
      return;
    }
  g_string_append_len (self->pending, bytes, length);
}

static void
take (KhLineReader *self, const char *bytes, gsize length)
{
  const char *end;

  while ((end = memchr (bytes, '\n', length)) != NULL)
    {
      take_line (self, bytes, end - bytes);
      length -= end + 1 - bytes;
      bytes = end + 1;
    }
  keep_rest (self, bytes, length);
}

static gboolean
on_readable (int fd, GIOCondition condition, gpointer data)
{
  /* Whoever hears of a line may drop this reader. */
  g_autoptr (KhLineReader) self = g_object_ref (data);
  char bytes[4096];
  gssize length = read (fd, bytes, sizeof bytes);

  if (length < 0 && (errno == EAGAIN || errno == EINTR))
    return G_SOURCE_CONTINUE;
  if (length > 0)
    {
      take (self, bytes, length);
      return G_SOURCE_CONTINUE;
    }

  self->source = 0;
  g_signal_emit (self, signals[CLOSED], 0);

  return G_SOURCE_REMOVE;
}

/**
 * kh_line_reader_new:
 * @fd: what to read; it stays the caller's, and open as long as the reader lives
 *
 * Returns: (transfer full): a reader
 */
KhLineReader *
kh_line_reader_new (int fd)
{
  KhLineReader *self = g_object_new (KH_TYPE_LINE_READER, NULL);

  g_unix_set_fd_nonblocking (fd, TRUE, NULL);
  self->source = g_unix_fd_add (fd, G_IO_IN | G_IO_HUP, on_readable, self);

  return self;
}

/**
 * kh_line_reader_is_open:
 *
 * Returns: whether more may come
 */
gboolean
kh_line_reader_is_open (KhLineReader *self)
{
  return self->source != 0;
}
