/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-output.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

/* POSIX: a pipe that poll() calls writable takes this much without blocking. The descriptor itself is left as it is: it
 * may be shared with a shell. */
#define CHUNK 4096

/* What may wait for a reader that stands still, such as a pager, before we give up. */
#define MAX_WAITING (16 * 1024 * 1024)

/**
 * KhOutput:
 *
 * Writes lines to a descriptor without ever blocking the main loop, so that a reader who stands still costs neither the
 * friend's pings nor our signals. Bytes, whatever the locale: g_print() turns Chinese into question marks under LC_ALL=C. A
 * line of up to 4 KiB is one write.
 */
struct _KhOutput
{
  int fd;
  KhOutputBrokenFunc broken_func;
  gpointer user_data;
  GQueue lines; /* of GBytes, the first one partly written */
  gsize done;   /* of the first one */
  gsize waiting;
  guint source_id;
  gboolean broken;
};

static void
fail (KhOutput *self)
{
  self->broken = TRUE;
  g_clear_handle_id (&self->source_id, g_source_remove);
  g_queue_clear_full (&self->lines, (GDestroyNotify) g_bytes_unref);
  if (self->broken_func != NULL)
    self->broken_func (self->user_data);
}

/* One write of the first line. Returns whether it went. */
static gboolean
write_some (KhOutput *self)
{
  GBytes *line = g_queue_peek_head (&self->lines);
  gsize length;
  const char *bytes = g_bytes_get_data (line, &length);
  gssize wrote = write (self->fd, bytes + self->done, MIN (length - self->done, CHUNK));

  if (wrote < 0)
    return errno == EINTR || errno == EAGAIN;

  self->done += wrote;
  self->waiting -= wrote;
  if (self->done == length)
    {
      g_bytes_unref (g_queue_pop_head (&self->lines));
      self->done = 0;
    }
  return TRUE;
}

static gboolean
is_writable (KhOutput *self, int timeout_ms)
{
  GPollFD poll = { self->fd, G_IO_OUT, 0 };

  return g_poll (&poll, 1, timeout_ms) > 0;
}

static gboolean
on_writable (int fd, GIOCondition condition, gpointer user_data)
{
  KhOutput *self = user_data;

  while (!g_queue_is_empty (&self->lines) && is_writable (self, 0))
    if (!write_some (self))
      {
        self->source_id = 0;
        fail (self);
        return G_SOURCE_REMOVE;
      }

  if (!g_queue_is_empty (&self->lines))
    return G_SOURCE_CONTINUE;
  self->source_id = 0;
  return G_SOURCE_REMOVE;
}

/**
 * kh_output_new:
 * @fd: where to write; stays the caller's
 * @broken: (nullable): told when that fails
 * @user_data: for @broken
 */
KhOutput *
kh_output_new (int fd, KhOutputBrokenFunc broken, gpointer user_data)
{
  KhOutput *self = g_new0 (KhOutput, 1);

  self->fd = fd;
  self->broken_func = broken;
  self->user_data = user_data;
  g_queue_init (&self->lines);

  return self;
}

/**
 * kh_output_line:
 * @line: without its end
 *
 * Writes a line, at once if it can be, else as soon as there is room.
 */
void
kh_output_line (KhOutput *self, const char *line)
{
  gsize length = strlen (line) + 1;

  if (self->broken)
    return;
  if (self->waiting + length > MAX_WAITING)
    {
      fail (self);
      return;
    }

  g_queue_push_tail (&self->lines, g_bytes_new_take (g_strconcat (line, "\n", NULL), length));
  self->waiting += length;
  while (self->source_id == 0 && !g_queue_is_empty (&self->lines))
    {
      if (!is_writable (self, 0))
        self->source_id = g_unix_fd_add (self->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_writable, self);
      else if (!write_some (self))
        {
          fail (self);
          return;
        }
    }
}

/**
 * kh_output_flush:
 * @patience_ms: how long a reader may stand still, in milliseconds; -1 for as long as it likes
 *
 * Waits until everything is written. For the end of the program, where signals end it as they end any other.
 */
void
kh_output_flush (KhOutput *self, int patience_ms)
{
  while (!self->broken && !g_queue_is_empty (&self->lines))
    if (!is_writable (self, patience_ms) || !write_some (self))
      self->broken = TRUE;
}

void
kh_output_free (KhOutput *self)
{
  g_clear_handle_id (&self->source_id, g_source_remove);
  g_queue_clear_full (&self->lines, (GDestroyNotify) g_bytes_unref);
  g_free (self);
}
