/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-knock.h"

G_BEGIN_DECLS

/**
 * KhSightings:
 * @local: (nullable): the inside address of one port
 * @first: (nullable): its outside address as the server saw it
 * @other_port: (nullable): as the same server saw it at another port
 * @other_address: (nullable): as another server address saw it
 *
 * One port, seen from several places.
 */
typedef struct
{
  GInetSocketAddress *local;
  GInetSocketAddress *first;
  GInetSocketAddress *other_port;
  GInetSocketAddress *other_address;
} KhSightings;

/**
 * KhSample:
 * @inside: a local port that was fresh
 * @outside: the outside port that it got
 */
typedef struct
{
  guint16 inside;
  guint16 outside;
} KhSample;

#define KH_MIN_SAMPLES 8

KhReason kh_deduce_mapping    (const KhSightings *sightings, KhFacts *facts);
KhReason kh_deduce_filtering  (const KhDialOutcome *port, const KhDialOutcome *address, KhFacts *facts);
KhReason kh_deduce_stranger   (const KhDialOutcome *port, const KhDialOutcome *address, KhFacts *facts);
KhReason kh_deduce_allocation (const KhSample *samples, guint n_samples, KhFacts *facts);
KhReason kh_deduce_hole       (const KhDialOutcome *outcome, KhReason mapping, KhFact fact, KhFacts *facts);
void     kh_deduce_nats       (KhFacts *facts, GInetSocketAddress *outside, KhReason depth, KhReason reasons[2]);

G_END_DECLS
