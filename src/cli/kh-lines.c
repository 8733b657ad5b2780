/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-lines.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 4096

/**
 * KhLines:
 *
 * Reads lines of a descriptor as they come, without ever blocking: terminals, pipes, files and /dev/null alike. A line
 * that is longer than the limit is handed on in pieces, cut between characters, so that nothing is lost. Bytes that
 * are not UTF-8 become U+FFFD.
 */
struct _KhLines
{
  int fd;
  gsize max_line;
  KhLinesFunc func;
  gpointer user_data;
  GByteArray *pending;
  guint source_id;
  gboolean paused;
  gboolean ended;    /* no more to read */
  gboolean told_end; /* and the function knows */
  gboolean freed;
  gboolean delivering;
};

/* Where to cut a piece of at most LENGTH bytes: before a character that would not fit whole. */
static gsize
cut_between_characters (const char *bytes, gsize length)
{
  gsize cut = length;

  while (cut > length - 4 && ((guint8) bytes[cut] & 0xc0) == 0x80)
    cut--;
  return ((guint8) bytes[cut] & 0xc0) == 0x80 ? length : cut;
}

/* A byte that is not UTF-8 becomes three, so what fitted before may have to be cut after all. */
static void
hand_on (KhLines *self, gsize length)
{
  g_autofree char *line = g_utf8_make_valid ((const char *) self->pending->data, length);
  char *rest = line;

  while (strlen (rest) > self->max_line && !self->freed)
    {
      gsize size = cut_between_characters (rest, self->max_line);
      g_autofree char *piece = g_strndup (rest, size);

      self->func (piece, self->user_data);
      rest += size;
    }
  if (!self->freed)
    self->func (rest, self->user_data);
}

static gboolean
hand_on_next (KhLines *self)
{
  guint8 *data = self->pending->data;
  gsize length = self->pending->len;
  guint8 *end = length > 0 ? memchr (data, '\n', MIN (length, self->max_line + 1)) : NULL;

  if (end != NULL)
    {
      gsize size = end - data;
      gsize text = size > 0 && data[size - 1] == '\r' ? size - 1 : size;

      hand_on (self, text);
      g_byte_array_remove_range (self->pending, 0, size + 1);
      return TRUE;
    }
  if (length > self->max_line || (self->ended && length > 0))
    {
      gsize size = length > self->max_line ? cut_between_characters ((const char *) data, self->max_line) : length;

      hand_on (self, size);
      g_byte_array_remove_range (self->pending, 0, size);
      return TRUE;
    }
  return FALSE;
}

static void
deliver (KhLines *self)
{
  if (self->delivering)
    return;

  self->delivering = TRUE;
  while (!self->paused && !self->freed && hand_on_next (self))
    ;
  if (self->ended && !self->paused && !self->freed && !self->told_end)
    {
      self->told_end = TRUE;
      self->func (NULL, self->user_data);
    }
  self->delivering = FALSE;
  if (self->freed)
    kh_lines_free (self);
}

static void watch (KhLines *self);

static gboolean
on_readable (int fd, GIOCondition condition, gpointer user_data)
{
  KhLines *self = user_data;
  guint8 chunk[CHUNK];
  gssize got = read (fd, chunk, sizeof chunk);

  if (got < 0 && (errno == EINTR || errno == EAGAIN))
    return G_SOURCE_CONTINUE;

  self->source_id = 0;
  if (got > 0)
    g_byte_array_append (self->pending, chunk, got);
  else
    self->ended = TRUE;

  watch (self);
  deliver (self);
  return G_SOURCE_REMOVE;
}

/* A regular file cannot be polled by every main loop, but it is always readable; poll() says so for it too. */
static void
watch (KhLines *self)
{
  if (self->ended || self->paused || self->source_id != 0)
    return;
  self->source_id = g_unix_fd_add (self->fd, G_IO_IN | G_IO_HUP | G_IO_ERR, on_readable, self);
}

/**
 * kh_lines_new:
 * @fd: what to read; stays the caller's
 * @max_line: the longest line in bytes, at least 4
 * @func: called for each line, and once with %NULL at the end
 * @user_data: for @func
 *
 * Returns: (transfer full): a reader; nothing is read before the main loop turns
 */
KhLines *
kh_lines_new (int fd, gsize max_line, KhLinesFunc func, gpointer user_data)
{
  KhLines *self = g_new0 (KhLines, 1);

  self->fd = fd;
  self->max_line = max_line;
  self->func = func;
  self->user_data = user_data;
  self->pending = g_byte_array_new ();
  watch (self);

  return self;
}

/**
 * kh_lines_pause:
 *
 * Reads and hands on nothing until kh_lines_resume(). May be called from inside the function.
 */
void
kh_lines_pause (KhLines *self)
{
  self->paused = TRUE;
  g_clear_handle_id (&self->source_id, g_source_remove);
}

void
kh_lines_resume (KhLines *self)
{
  if (!self->paused)
    return;
  self->paused = FALSE;
  watch (self);
  deliver (self);
}

/**
 * kh_lines_free:
 *
 * Also from inside the function, which is not called again.
 */
void
kh_lines_free (KhLines *self)
{
  g_clear_handle_id (&self->source_id, g_source_remove);
  if (self->delivering)
    {
      self->freed = TRUE;
      return;
    }
  g_byte_array_unref (self->pending);
  g_free (self);
}
