/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-channel.h"

#include "kh-error.h"
#include "kh-noise.h"
#include "kh-wire.h"

#include <string.h>

/* Frames: what the wire brings is cut by its length fields, opened, and handed out one by one.
 *
 * Everything is delivered from the main loop, by deliver(), never from inside a call of the owner. The
 * handler may do what it likes with the channel, even drop the last reference, so between two frames only the
 * wire, which deliver() holds, can tell whether there still is a channel: closing and disposing both close
 * the wire. */

#define LENGTH_BYTES 2
#define PROLOGUE "knothole/1"
#define PROLOGUE_BYTES (sizeof PROLOGUE - 1)

G_STATIC_ASSERT (KH_CHANNEL_MAX_FRAME == KH_NOISE_MAX_MESSAGE - 32 - 16);

/**
 * KhChannel:
 *
 * Sealed frames over any stream: each Noise message travels as its length, a big-endian uint16, and its
 * bytes. The joiner's first frame is Noise message 1, the inviter's first is message 2; the frames after
 * these are transport messages. So the inviter writes nothing before a first message that could only come
 * from the friend, or from somebody who replays one (see kh_channel_get_first_message()).
 */
struct _KhChannel
{
  GObject parent_instance;

  KhRole role;
  KhWire *wire;
  KhNoise *noise;
  GBytes *first_message;

  KhChannelFrameFunc frame_func;
  KhChannelClosedFunc closed_func;
  gpointer user_data;
  guint deliver_id;
  gboolean delivering;
  gboolean ended;
  gboolean failed;
};

G_DEFINE_FINAL_TYPE (KhChannel, kh_channel, G_TYPE_OBJECT)

static void
kh_channel_dispose (GObject *object)
{
  kh_channel_close (KH_CHANNEL (object));

  G_OBJECT_CLASS (kh_channel_parent_class)->dispose (object);
}

static void
kh_channel_finalize (GObject *object)
{
  KhChannel *self = KH_CHANNEL (object);

  g_clear_pointer (&self->wire, kh_wire_unref);
  g_clear_pointer (&self->first_message, g_bytes_unref);

  G_OBJECT_CLASS (kh_channel_parent_class)->finalize (object);
}

static void
kh_channel_class_init (KhChannelClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = kh_channel_dispose;
  object_class->finalize = kh_channel_finalize;
}

static void
kh_channel_init (KhChannel *self)
{
}

/* The last thing the handler hears. It may drop the channel; so nothing is touched behind the call. */
static void
report_end (KhChannel *self, const GError *error)
{
  KhChannelClosedFunc closed_func = self->closed_func;

  self->ended = TRUE;
  if (closed_func != NULL)
    closed_func (self, error, self->user_data);
}

/* Bytes of the next frame with its length field, as far as it is known already. */
static gsize
measure_frame (const guint8 *bytes, gsize there)
{
  return there < LENGTH_BYTES ? LENGTH_BYTES : LENGTH_BYTES + ((gsize) bytes[0] << 8 | bytes[1]);
}

static gboolean
is_first_to_inviter (KhChannel *self)
{
  return self->role == KH_ROLE_INVITER && self->first_message == NULL;
}

static void
deliver_frame (KhChannel *self, const guint8 *message, gsize length)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) payload = kh_noise_read (self->noise, message, length, &error);

  if (payload == NULL)
    {
      self->failed = TRUE;
      report_end (self, error);
      return;
    }

  if (is_first_to_inviter (self))
    self->first_message = g_bytes_new (message, length);
  kh_wire_consume (self->wire, LENGTH_BYTES + length);
  self->frame_func (self, payload, self->user_data);
}

static void
deliver_end (KhChannel *self, const GError *wire_error, gsize there)
{
  g_autoptr (GError) error = NULL;

  if (wire_error == NULL && there > 0)
    error = g_error_new_literal (G_IO_ERROR, G_IO_ERROR_PARTIAL_INPUT, "the stream ended within a frame");
  else if (wire_error != NULL)
    error = g_error_copy (wire_error);

  report_end (self, error);
}

/* Makes one call of the handler if there is something to tell; else asks for more. A message too short to be
 * one is refused by its length field, without waiting for the rest or making room for it. */
static gboolean
deliver_next (KhChannel *self)
{
  const GError *error;
  const guint8 *bytes;
  gsize there;
  gsize frame;

  if (self->ended || self->frame_func == NULL)
    return FALSE;

  bytes = kh_wire_peek (self->wire, &there);
  frame = measure_frame (bytes, there);
  if (there >= LENGTH_BYTES && (frame <= there || frame - LENGTH_BYTES < kh_noise_get_overhead (self->noise)))
    {
      deliver_frame (self, bytes + LENGTH_BYTES, frame - LENGTH_BYTES);
      return TRUE;
    }

  if (kh_wire_is_at_end (self->wire, &error))
    {
      deliver_end (self, error, there);
      return TRUE;
    }

  kh_wire_read (self->wire, frame);
  return FALSE;
}

static void
deliver (gpointer owner)
{
  KhChannel *self = owner;
  g_autoptr (KhWire) wire = kh_wire_ref (self->wire);

  /* A handler that runs the main loop inside itself still gets one frame at a time. */
  if (self->delivering)
    return;

  self->delivering = TRUE;
  while (deliver_next (self))
    {
      if (kh_wire_is_closed (wire))
        return;
    }
  self->delivering = FALSE;
}

static gboolean
deliver_later_cb (gpointer user_data)
{
  KhChannel *self = user_data;

  self->deliver_id = 0;
  deliver (self);

  return G_SOURCE_REMOVE;
}

/**
 * kh_channel_new:
 * @stream: a connected stream, nothing of it read or written yet
 * @role: who this side is; the joiner sends the first frame
 * @psk: (array fixed-size=32): the key both sides hold; not kept
 * @epoch: 0 for the first conversation, one more for each resumption
 *
 * A channel that reads nothing until kh_channel_set_handler(). It closes @stream when it is closed or
 * disposed.
 *
 * Returns: (transfer full): the channel
 */
KhChannel *
kh_channel_new (GIOStream *stream, KhRole role, const guint8 *psk, guint32 epoch)
{
  guint8 prologue[PROLOGUE_BYTES + sizeof epoch];
  guint32 big_endian = GUINT32_TO_BE (epoch);
  KhChannel *self;

  g_return_val_if_fail (G_IS_IO_STREAM (stream), NULL);
  g_return_val_if_fail (psk != NULL, NULL);

  memcpy (prologue, PROLOGUE, PROLOGUE_BYTES);
  memcpy (prologue + PROLOGUE_BYTES, &big_endian, sizeof big_endian);

  self = g_object_new (KH_TYPE_CHANNEL, NULL);
  self->role = role;
  self->wire = kh_wire_new (stream, deliver, self);
  self->noise = kh_noise_new (role == KH_ROLE_JOINER, psk, prologue, sizeof prologue);

  return self;
}

/**
 * kh_channel_set_handler:
 * @self: a channel
 * @frame_func: (nullable): called for each frame; %NULL pauses reading
 * @closed_func: (nullable): called once when nothing more will be read
 * @user_data: for both; the channel takes no reference
 *
 * Sets who hears of the next frame, and of the end. Nothing is called from inside this function: the main
 * loop brings what is there already. May be called from a handler; frames that came in the same packet then
 * go to the new one.
 */
void
kh_channel_set_handler (KhChannel *self, KhChannelFrameFunc frame_func, KhChannelClosedFunc closed_func,
                        gpointer user_data)
{
  g_return_if_fail (KH_IS_CHANNEL (self));

  self->frame_func = frame_func;
  self->closed_func = closed_func;
  self->user_data = user_data;

  if (frame_func == NULL || self->ended || kh_wire_is_closed (self->wire))
    return;
  if (!self->delivering && self->deliver_id == 0)
    {
      self->deliver_id = g_idle_add_full (G_PRIORITY_DEFAULT, deliver_later_cb, self, NULL);
      g_source_set_name_by_id (self->deliver_id, "[knothole] deliver frames");
    }
}

/**
 * kh_channel_send:
 * @self: a channel; before the first frame of each side has gone through, only the side whose turn it is may
 * send: the joiner first, then the inviter
 * @payload: at most %KH_CHANNEL_MAX_FRAME bytes, may be empty
 *
 * Seals a frame and queues it. It goes out as soon as the stream takes it, in order.
 *
 * Returns: %FALSE when the frame will not be sent: the channel is closed or shut down, the session or the
 * stream has failed, or %KH_CHANNEL_MAX_QUEUED bytes would be exceeded, which kh_channel_get_queued() tells
 * apart
 */
gboolean
kh_channel_send (KhChannel *self, GBytes *payload)
{
  const guint8 *bytes;
  guint8 *room;
  gsize length;
  gsize sealed;

  g_return_val_if_fail (KH_IS_CHANNEL (self), FALSE);
  g_return_val_if_fail (payload != NULL, FALSE);
  g_return_val_if_fail (g_bytes_get_size (payload) <= KH_CHANNEL_MAX_FRAME, FALSE);

  if (self->failed || !kh_wire_may_write (self->wire))
    return FALSE;
  g_return_val_if_fail (kh_noise_may_write (self->noise), FALSE);

  bytes = g_bytes_get_data (payload, &length);
  sealed = length + kh_noise_get_overhead (self->noise);
  if (kh_wire_get_queued (self->wire) + LENGTH_BYTES + sealed > KH_CHANNEL_MAX_QUEUED)
    return FALSE;

  room = kh_wire_reserve (self->wire, LENGTH_BYTES + sealed);
  room[0] = sealed >> 8;
  room[1] = sealed & 0xff;
  kh_noise_write_to (self->noise, bytes, length, room + LENGTH_BYTES, NULL);
  kh_wire_commit (self->wire, LENGTH_BYTES + sealed);

  return TRUE;
}

/**
 * kh_channel_get_queued:
 * @self: a channel
 *
 * Returns: sealed bytes that wait for the stream to take them; 0 when writing has failed
 */
gsize
kh_channel_get_queued (KhChannel *self)
{
  g_return_val_if_fail (KH_IS_CHANNEL (self), 0);

  return kh_wire_get_queued (self->wire);
}

/**
 * kh_channel_get_stream:
 * @self: a channel
 *
 * Returns: (transfer none): the stream, to look at its addresses; not to read, write or close
 */
GIOStream *
kh_channel_get_stream (KhChannel *self)
{
  g_return_val_if_fail (KH_IS_CHANNEL (self), NULL);

  return kh_wire_get_stream (self->wire);
}

/**
 * kh_channel_get_first_message:
 * @self: a channel
 *
 * The first message as it came, before opening. It is different on every socket of the friend's, so that the
 * same bytes on two sockets are a replay by somebody else.
 *
 * Returns: (nullable) (transfer none): the raw Noise message 1, or %NULL before it was read and for a joiner
 */
GBytes *
kh_channel_get_first_message (KhChannel *self)
{
  g_return_val_if_fail (KH_IS_CHANNEL (self), NULL);

  return self->first_message;
}

/**
 * kh_channel_get_last_heard:
 * @self: a channel
 *
 * Any byte counts, be it part of a frame only.
 *
 * Returns: when the last byte came, in microseconds of g_get_monotonic_time(); 0 before the first
 */
gint64
kh_channel_get_last_heard (KhChannel *self)
{
  g_return_val_if_fail (KH_IS_CHANNEL (self), 0);

  return kh_wire_get_last_heard (self->wire);
}

/**
 * kh_channel_shutdown:
 * @self: a channel
 *
 * Shuts down writing when everything queued is written; kh_channel_send() refuses from now on. Reading goes
 * on.
 */
void
kh_channel_shutdown (KhChannel *self)
{
  g_return_if_fail (KH_IS_CHANNEL (self));

  kh_wire_shutdown (self->wire);
}

/**
 * kh_channel_close:
 * @self: a channel
 *
 * Closes at once: what is queued is dropped, the keys are wiped, and the handler is not called any more.
 * Harmless when done before.
 */
void
kh_channel_close (KhChannel *self)
{
  g_return_if_fail (KH_IS_CHANNEL (self));

  g_clear_handle_id (&self->deliver_id, g_source_remove);
  g_clear_pointer (&self->noise, kh_noise_free);
  self->frame_func = NULL;
  self->closed_func = NULL;
  if (self->wire != NULL)
    kh_wire_close (self->wire);
}
