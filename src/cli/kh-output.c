/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-output.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

/* POSIX: a pipe that poll() calls writable takes this much without blocking. */
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
  int own_fd; /* of a terminal, our own description of it; else -1 */
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

/* One write of the first line. Returns how much went, 0 when there is no room after all, -1 when nobody reads. */
static gssize
write_some (KhOutput *self)
{
  GBytes *line = g_queue_peek_head (&self->lines);
  gsize length;
  const char *bytes = g_bytes_get_data (line, &length);
  gssize wrote = write (self->fd, bytes + self->done, MIN (length - self->done, CHUNK));

  if (wrote < 0)
    return errno == EINTR || errno == EAGAIN ? 0 : -1;

  self->done += wrote;
  self->waiting -= wrote;
  if (self->done == length)
    {
      g_bytes_unref (g_queue_pop_head (&self->lines));
      self->done = 0;
    }
  return wrote;
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
  gssize wrote = 1;

  while (wrote > 0 && !g_queue_is_empty (&self->lines) && is_writable (self, 0))
    wrote = write_some (self);
  if (wrote < 0)
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

/* A terminal that poll() calls writable may take less than a line and block. The descriptor itself is left as it is, since it
 * is shared with the shell: so a description of our own is opened, which does not block. */
static int
open_terminal (int fd)
{
  g_autofree char *path = g_strdup_printf ("/proc/self/fd/%d", fd);

  return isatty (fd) ? open (path, O_WRONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC) : -1;
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

  self->own_fd = open_terminal (fd);
  self->fd = self->own_fd >= 0 ? self->own_fd : fd;
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
      gssize wrote = is_writable (self, 0) ? write_some (self) : 0;

      if (wrote == 0)
        self->source_id = g_unix_fd_add (self->fd, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_writable, self);
      else if (wrote < 0)
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
  /* Nothing else waits any more: a terminal of ours may block now. */
  if (self->own_fd >= 0 && patience_ms < 0)
    fcntl (self->own_fd, F_SETFL, O_WRONLY);
  while (!self->broken && !g_queue_is_empty (&self->lines))
    if (!is_writable (self, patience_ms) || write_some (self) <= 0)
      self->broken = TRUE;
}

void
kh_output_free (KhOutput *self)
{
  g_clear_handle_id (&self->source_id, g_source_remove);
  g_queue_clear_full (&self->lines, (GDestroyNotify) g_bytes_unref);
  if (self->own_fd >= 0)
    close (self->own_fd);
  g_free (self);
}
