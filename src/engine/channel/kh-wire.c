/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-wire.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

/* The bytes of a channel: one buffer in, two out, over any GIOStream. It knows nothing of frames.
 *
 * A pending call of the stream holds a reference on the wire and the wire owns everything that call touches.
 * So the owner may close the wire, or go away, at any time: closing forgets the owner, cancels what is
 * pending, and the last pending call to return closes the stream. */

#define FIRST_SIZE 4096

struct _KhWire
{
  GIOStream *stream;
  GCancellable *cancellable;
  KhWireReadyFunc ready;
  gpointer owner;
  gboolean closed;

  /* Bytes [start, end) are there to be read. Only kh_wire_read() moves them or changes the size, and not
   * while a read is pending, which writes behind the end. */
  guint8 *buffer;
  gsize size;
  gsize start;
  gsize end;
  gboolean reading;
  gboolean at_end;
  GError *read_error;
  gint64 last_heard;

  /* What is on its way, from `written` on, and what gathers behind it to go out in one piece. */
  GByteArray *outgoing;
  gsize written;
  GByteArray *waiting;
  gsize reserved;
  gboolean writing;
  gboolean shutdown_wanted;
  gboolean shut_down;
  GError *write_error;
};

static void
kh_wire_clear (gpointer data)
{
  KhWire *self = data;

  g_clear_object (&self->stream);
  g_clear_object (&self->cancellable);
  g_clear_pointer (&self->buffer, g_free);
  g_clear_pointer (&self->outgoing, g_byte_array_unref);
  g_clear_pointer (&self->waiting, g_byte_array_unref);
  g_clear_error (&self->read_error);
  g_clear_error (&self->write_error);
}

/* Small writes are gathered here already; the kernel's own gathering (Nagle) would hold back an ack or an
 * accept for a round trip, or 40 ms. */
static void
send_without_delay (GIOStream *stream)
{
  if (G_IS_TCP_CONNECTION (stream))
    g_socket_set_option (g_socket_connection_get_socket (G_SOCKET_CONNECTION (stream)), IPPROTO_TCP, TCP_NODELAY, 1,
                         NULL);
}

/**
 * kh_wire_new:
 * @stream: a connected stream
 * @ready: called when bytes or the end came
 * @owner: for @ready; not referenced, forgotten by kh_wire_close()
 *
 * Returns: (transfer full): a wire that neither reads nor writes yet
 */
KhWire *
kh_wire_new (GIOStream *stream, KhWireReadyFunc ready, gpointer owner)
{
  KhWire *self;

  g_return_val_if_fail (G_IS_IO_STREAM (stream), NULL);
  g_return_val_if_fail (ready != NULL && owner != NULL, NULL);

  self = g_rc_box_new0 (KhWire);
  self->stream = g_object_ref (stream);
  self->cancellable = g_cancellable_new ();
  self->ready = ready;
  self->owner = owner;
  send_without_delay (stream);

  return self;
}

KhWire *
kh_wire_ref (KhWire *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_rc_box_acquire (self);
}

void
kh_wire_unref (KhWire *self)
{
  g_return_if_fail (self != NULL);

  g_rc_box_release_full (self, kh_wire_clear);
}

GIOStream *
kh_wire_get_stream (KhWire *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->stream;
}

/**
 * kh_wire_get_last_heard:
 *
 * Returns: when the last byte was read, in microseconds of the monotonic clock; 0 before the first
 */
gint64
kh_wire_get_last_heard (KhWire *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->last_heard;
}

/* A closed stream's last act, when no call of it is pending any more (a stream refuses to close before). */
static void
close_stream_when_quiet (KhWire *self)
{
  if (!self->reading && !self->writing)
    g_io_stream_close_async (self->stream, G_PRIORITY_DEFAULT, NULL, NULL, NULL);
}

static void
note_read (KhWire *self, gssize got, GError *error)
{
  if (got > 0)
    {
      self->end += got;
      self->last_heard = g_get_monotonic_time ();
      return;
    }

  self->at_end = TRUE;
  if (got < 0)
    self->read_error = g_error_copy (error);
  else if (self->write_error != NULL)
    /* The reset of a connection is told once, and writing got it: this is no end in order. */
    self->read_error = g_error_copy (self->write_error);
}

static void
read_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhWire) self = user_data;
  g_autoptr (GError) error = NULL;
  gssize got = g_input_stream_read_finish (G_INPUT_STREAM (source), result, &error);

  self->reading = FALSE;
  if (self->closed)
    {
      close_stream_when_quiet (self);
      return;
    }

  note_read (self, got, error);
  self->ready (self->owner);
}

/* Makes room for @wanted bytes from the start on. The buffer grows to what a frame needs, no further. */
static void
make_room (KhWire *self, gsize wanted)
{
  gsize there = self->end - self->start;

  if (self->start > 0)
    {
      memmove (self->buffer, self->buffer + self->start, there);
      self->start = 0;
      self->end = there;
    }

  if (self->size < MAX (wanted, FIRST_SIZE))
    {
      self->size = MAX (wanted, FIRST_SIZE);
      self->buffer = g_realloc (self->buffer, self->size);
    }
}

/**
 * kh_wire_read:
 * @self: a wire
 * @wanted: bytes that the next frame is known to have, more than are there now
 *
 * Asks for more bytes; the ready function is called when some came, as few as they may be. Nothing happens
 * when that is under way already, at the end, and after closing.
 */
void
kh_wire_read (KhWire *self, gsize wanted)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (wanted > self->end - self->start);

  if (self->reading || self->at_end || self->closed)
    return;

  make_room (self, wanted);
  self->reading = TRUE;
  g_input_stream_read_async (g_io_stream_get_input_stream (self->stream), self->buffer + self->end,
                             self->size - self->end, G_PRIORITY_DEFAULT, self->cancellable, read_cb,
                             kh_wire_ref (self));
}

/**
 * kh_wire_peek:
 * @self: a wire
 * @length: (out): how many bytes are there
 *
 * Returns: (transfer none) (nullable): the bytes, valid until the next kh_wire_read() or kh_wire_consume()
 */
const guint8 *
kh_wire_peek (KhWire *self, gsize *length)
{
  g_return_val_if_fail (self != NULL && length != NULL, NULL);

  *length = self->end - self->start;
  return *length > 0 ? self->buffer + self->start : NULL;
}

void
kh_wire_consume (KhWire *self, gsize length)
{
  g_return_if_fail (self != NULL && length <= self->end - self->start);

  self->start += length;
}

/**
 * kh_wire_is_at_end:
 * @self: a wire
 * @error: (out) (nullable) (transfer none): what ended it, %NULL for an end in order
 *
 * Returns: whether no more bytes will come behind those that are there
 */
gboolean
kh_wire_is_at_end (KhWire *self, const GError **error)
{
  g_return_val_if_fail (self != NULL && error != NULL, TRUE);

  *error = self->read_error;
  return self->at_end;
}

static void
close_output_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhWire) self = user_data;

  g_output_stream_close_finish (G_OUTPUT_STREAM (source), result, NULL);
  self->writing = FALSE;
  if (self->closed)
    close_stream_when_quiet (self);
}

static void
shut_down_now (KhWire *self)
{
  self->shut_down = TRUE;
  if (G_IS_SOCKET_CONNECTION (self->stream))
    {
      GSocket *socket = g_socket_connection_get_socket (G_SOCKET_CONNECTION (self->stream));

      g_socket_shutdown (socket, FALSE, TRUE, NULL);
      return;
    }

  self->writing = TRUE;
  g_output_stream_close_async (g_io_stream_get_output_stream (self->stream), G_PRIORITY_DEFAULT, self->cancellable,
                               close_output_cb, kh_wire_ref (self));
}

static void write_cb (GObject *source, GAsyncResult *result, gpointer user_data);

static void
write_more (KhWire *self)
{
  if (self->writing || self->shut_down || self->write_error != NULL)
    return;

  if (self->outgoing == NULL)
    {
      self->outgoing = g_steal_pointer (&self->waiting);
      self->written = 0;
    }

  if (self->outgoing != NULL)
    {
      self->writing = TRUE;
      g_output_stream_write_async (g_io_stream_get_output_stream (self->stream), self->outgoing->data + self->written,
                                   self->outgoing->len - self->written, G_PRIORITY_DEFAULT, self->cancellable, write_cb,
                                   kh_wire_ref (self));
    }
  else if (self->shutdown_wanted)
    {
      shut_down_now (self);
    }
}

/* A failed write ends nothing by itself: what the friend sent before, perhaps a goodbye, is still to be read.
 */
static void
write_cb (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhWire) self = user_data;
  g_autoptr (GError) error = NULL;
  gssize put = g_output_stream_write_finish (G_OUTPUT_STREAM (source), result, &error);

  self->writing = FALSE;
  if (self->closed)
    {
      close_stream_when_quiet (self);
      return;
    }

  if (put < 0)
    {
      self->write_error = g_steal_pointer (&error);
      g_clear_pointer (&self->outgoing, g_byte_array_unref);
      g_clear_pointer (&self->waiting, g_byte_array_unref);
      return;
    }

  self->written += put;
  if (self->written == self->outgoing->len)
    g_clear_pointer (&self->outgoing, g_byte_array_unref);
  write_more (self);
}

/**
 * kh_wire_may_write:
 *
 * Returns: whether there is a point in writing: not after an error, kh_wire_shutdown() or kh_wire_close()
 */
gboolean
kh_wire_may_write (KhWire *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return !self->closed && !self->shutdown_wanted && self->write_error == NULL;
}

/**
 * kh_wire_get_queued:
 *
 * Returns: bytes committed that the stream has not taken yet; 0 after an error of writing
 */
gsize
kh_wire_get_queued (KhWire *self)
{
  gsize queued = 0;

  g_return_val_if_fail (self != NULL, 0);

  if (self->outgoing != NULL)
    queued += self->outgoing->len - self->written;
  if (self->waiting != NULL)
    queued += self->waiting->len;

  return queued;
}

/**
 * kh_wire_reserve:
 * @self: a wire that may be written to
 * @length: the most bytes that will be committed
 *
 * Room behind the bytes that wait to be written, so that a message is sealed in its place. A reservation that
 * is not committed must be given back with kh_wire_commit() of 0 bytes.
 *
 * Returns: (transfer none): @length bytes, valid until kh_wire_commit()
 */
guint8 *
kh_wire_reserve (KhWire *self, gsize length)
{
  gsize before;

  g_return_val_if_fail (self != NULL && self->reserved == 0 && length > 0, NULL);

  if (self->waiting == NULL)
    self->waiting = g_byte_array_new ();
  before = self->waiting->len;
  g_byte_array_set_size (self->waiting, before + length);
  self->reserved = length;

  return self->waiting->data + before;
}

/**
 * kh_wire_commit:
 * @self: a wire with a reservation
 * @length: bytes of it that were filled
 *
 * Queues them; they go out in order, with whatever else waits by then.
 */
void
kh_wire_commit (KhWire *self, gsize length)
{
  g_return_if_fail (self != NULL && self->reserved > 0 && length <= self->reserved);

  g_byte_array_set_size (self->waiting, self->waiting->len - self->reserved + length);
  self->reserved = 0;
  if (self->waiting->len == 0)
    g_clear_pointer (&self->waiting, g_byte_array_unref);
  write_more (self);
}

/**
 * kh_wire_shutdown:
 *
 * Shuts down writing once all that was committed is written. Reading goes on.
 */
void
kh_wire_shutdown (KhWire *self)
{
  g_return_if_fail (self != NULL);

  if (self->shutdown_wanted || self->closed)
    return;

  self->shutdown_wanted = TRUE;
  write_more (self);
}

/**
 * kh_wire_close:
 *
 * Closes at once; what is queued is dropped. The owner is not called any more. Harmless when done before.
 */
void
kh_wire_close (KhWire *self)
{
  g_return_if_fail (self != NULL);

  if (self->closed)
    return;

  self->closed = TRUE;
  self->owner = NULL;
  g_cancellable_cancel (self->cancellable);

  /* The other side shall not have to wait until pending calls have returned to our main loop. */
  if (G_IS_SOCKET_CONNECTION (self->stream))
    g_socket_close (g_socket_connection_get_socket (G_SOCKET_CONNECTION (self->stream)), NULL);
  close_stream_when_quiet (self);
}

gboolean
kh_wire_is_closed (KhWire *self)
{
  g_return_val_if_fail (self != NULL, TRUE);

  return self->closed;
}
