/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-link.h"

#include <string.h>

/* A link that is too slow for what is sent keeps as much as it can carry in this time, and drops the rest, as routers do. */
#define MAX_QUEUE_US (200 * G_TIME_SPAN_MILLISECOND)
/* Memory is bounded as well, however long the delay. */
#define MAX_QUEUE_BYTES (64 * 1024 * 1024)

struct _KhLink
{
  KhLinkSettings settings;
  GRand *random;
  GQueue packets;
  gsize bytes;
  gint64 busy_until;
  gint64 last_due;
};

KhLink *
kh_link_new (const KhLinkSettings *settings, guint32 seed)
{
  KhLink *self = g_new0 (KhLink, 1);

  self->settings = *settings;
  self->random = g_rand_new_with_seed (seed);
  g_queue_init (&self->packets);

  return self;
}

void
kh_link_free (KhLink *self)
{
  g_queue_clear_full (&self->packets, g_free);
  g_rand_free (self->random);
  g_free (self);
}

/**
 * kh_link_is_instant:
 *
 * Returns: whether packets need not be kept at all
 */
gboolean
kh_link_is_instant (const KhLink *self)
{
  const KhLinkSettings *settings = &self->settings;

  return settings->delay == 0 && settings->jitter == 0 && settings->loss == 0 && settings->rate == 0;
}

/* When a packet has left the sender, on a link of limited rate; -1 when the queue is full. */
static gint64
serialise (KhLink *self, gsize length, gint64 now)
{
  gint64 begin = MAX (now, self->busy_until);

  if (self->settings.rate == 0)
    return now;
  if (begin - now > MAX_QUEUE_US)
    return -1;
  self->busy_until = begin + (gint64) ((double) length * 8 * G_USEC_PER_SEC / self->settings.rate);

  return self->busy_until;
}

static gint64
get_jitter (KhLink *self)
{
  if (self->settings.jitter == 0)
    return 0;

  return (gint64) g_rand_double_range (self->random, -(double) self->settings.jitter, (double) self->settings.jitter);
}

/**
 * kh_link_send:
 * @self: a link
 * @data: a packet
 * @length: its bytes
 * @now: monotonic microseconds
 *
 * Puts a packet on the link.
 *
 * Returns: whether it will arrive: it may be lost, or find the queue full
 */
gboolean
kh_link_send (KhLink *self, const guint8 *data, gsize length, gint64 now)
{
  gint64 sent, takes;
  KhLinkArrival *packet;

  if (self->settings.loss > 0 && g_rand_double_range (self->random, 0, 100) < self->settings.loss)
    return FALSE;
  if (self->bytes + length > MAX_QUEUE_BYTES)
    return FALSE;
  sent = serialise (self, length, now);
  if (sent < 0)
    return FALSE;

  takes = self->settings.delay + get_jitter (self);
  packet = g_malloc (sizeof *packet + length);
  packet->due = MAX (self->last_due, sent + MAX (0, takes));
  packet->length = length;
  memcpy (packet->data, data, length);
  g_queue_push_tail (&self->packets, packet);
  self->bytes += length;
  self->last_due = packet->due;

  return TRUE;
}

/**
 * kh_link_get_next:
 *
 * Returns: when the next packet arrives, %G_MAXINT64 for none
 */
gint64
kh_link_get_next (const KhLink *self)
{
  const KhLinkArrival *packet = g_queue_peek_head ((GQueue *) &self->packets);

  return packet != NULL ? packet->due : G_MAXINT64;
}

/**
 * kh_link_receive:
 * @self: a link
 * @now: monotonic microseconds
 *
 * Returns: (transfer full) (nullable): a packet that has arrived by now, to be freed by g_free()
 */
KhLinkArrival *
kh_link_receive (KhLink *self, gint64 now)
{
  KhLinkArrival *packet;

  if (kh_link_get_next (self) > now)
    return NULL;
  packet = g_queue_pop_head (&self->packets);
  self->bytes -= packet->length;

  return packet;
}
