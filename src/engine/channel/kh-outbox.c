/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-outbox.h"

/* Messages are in one queue, oldest first, until they are acked:
 *
 *     popped … | popped + 1 … sent | sent + 1 … added
 *      acked   |   on their way    |  not yet sent
 */
struct _KhOutbox
{
  GQueue frames;
  GList *unsent;
  guint64 popped;
  guint64 sent;
  guint64 added;
  gsize bytes;
  gsize flight_bytes;
};

KhOutbox *
kh_outbox_new (void)
{
  KhOutbox *self = g_new0 (KhOutbox, 1);

  g_queue_init (&self->frames);
  return self;
}

void
kh_outbox_free (KhOutbox *self)
{
  g_return_if_fail (self != NULL);

  g_queue_clear_full (&self->frames, (GDestroyNotify) g_bytes_unref);
  g_free (self);
}

/**
 * kh_outbox_get_length:
 *
 * Returns: how many messages are not acked yet, sent or not
 */
guint
kh_outbox_get_length (KhOutbox *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->frames.length;
}

/**
 * kh_outbox_get_next:
 *
 * Returns: the id that the next message will have; they count 1, 2, 3, …
 */
guint64
kh_outbox_get_next (KhOutbox *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->added + 1;
}

gboolean
kh_outbox_has_room (KhOutbox *self, gsize length)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->frames.length < KH_OUTBOX_MAX_MESSAGES && length <= KH_OUTBOX_MAX_BYTES - self->bytes;
}

/**
 * kh_outbox_add:
 * @self: an outbox that has room for it
 * @frame: the message with the next id
 */
void
kh_outbox_add (KhOutbox *self, GBytes *frame)
{
  g_return_if_fail (self != NULL && frame != NULL);
  g_return_if_fail (kh_outbox_has_room (self, g_bytes_get_size (frame)));

  self->added++;
  self->bytes += g_bytes_get_size (frame);
  g_queue_push_tail (&self->frames, g_bytes_ref (frame));
  if (self->unsent == NULL)
    self->unsent = self->frames.tail;
}

/**
 * kh_outbox_send:
 * @self: an outbox
 *
 * Counts the oldest unsent message as on its way.
 *
 * Returns: (transfer none) (nullable): its frame, or %NULL when there is none or enough are on their way
 */
GBytes *
kh_outbox_send (KhOutbox *self)
{
  GBytes *frame;
  gsize length;

  g_return_val_if_fail (self != NULL, NULL);

  if (self->unsent == NULL || self->sent - self->popped >= KH_OUTBOX_MAX_FLIGHT)
    return NULL;

  frame = self->unsent->data;
  length = g_bytes_get_size (frame);
  if (self->flight_bytes > 0 && self->flight_bytes + length > KH_OUTBOX_MAX_FLIGHT_BYTES)
    return NULL;

  self->unsent = self->unsent->next;
  self->sent++;
  self->flight_bytes += length;

  return frame;
}

/**
 * kh_outbox_rewind:
 *
 * All that was on its way counts as unsent: the path it went is gone.
 */
void
kh_outbox_rewind (KhOutbox *self)
{
  g_return_if_fail (self != NULL);

  self->unsent = self->frames.head;
  self->sent = self->popped;
  self->flight_bytes = 0;
}

/**
 * kh_outbox_was_sent:
 *
 * Returns: whether an ack of @id makes sense: the message was sent, be it acked before
 */
gboolean
kh_outbox_was_sent (KhOutbox *self, guint64 id)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return id >= 1 && id <= self->sent;
}

/**
 * kh_outbox_pop:
 * @self: an outbox
 * @id: a message that was acked
 *
 * Drops the oldest message on its way if it is not newer than @id: texts arrive in order, so that an ack
 * stands for all before it too. To be repeated until 0.
 *
 * Returns: the dropped message's id, or 0
 */
guint64
kh_outbox_pop (KhOutbox *self, guint64 id)
{
  g_autoptr (GBytes) frame = NULL;

  g_return_val_if_fail (self != NULL, 0);

  if (self->popped >= id || self->popped >= self->sent)
    return 0;

  frame = g_queue_pop_head (&self->frames);
  self->bytes -= g_bytes_get_size (frame);
  self->flight_bytes -= g_bytes_get_size (frame);

  return ++self->popped;
}
