/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhLinkSettings:
 * @delay: microseconds that every packet takes
 * @jitter: up to so many microseconds more or less, evenly spread; packets never overtake each other
 * @loss: per cent of packets that are lost
 * @rate: bits in a second, 0 for no limit
 *
 * One direction of a link.
 */
typedef struct
{
  gint64 delay;
  gint64 jitter;
  double loss;
  double rate;
} KhLinkSettings;

typedef struct _KhLink KhLink;

/**
 * KhLinkArrival:
 *
 * A packet that has come through.
 */
typedef struct
{
  gint64 due;
  gsize length;
  guint8 data[];
} KhLinkArrival;

KhLink        *kh_link_new         (const KhLinkSettings *settings, guint32 seed);
void           kh_link_free        (KhLink *self);
gboolean       kh_link_is_instant  (const KhLink *self);
gboolean       kh_link_send        (KhLink *self, const guint8 *data, gsize length, gint64 now);
gint64         kh_link_get_next    (const KhLink *self);
KhLinkArrival *kh_link_receive     (KhLink *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhLink, kh_link_free)

G_END_DECLS
