/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-facts.h"

G_BEGIN_DECLS

/**
 * KhPortKind:
 * @KH_PORT_FIXED: the same one for everybody: the one that servers see
 * @KH_PORT_AHEAD: the next ones after those that were seen
 * @KH_PORT_BLOCK: any of a small block
 * @KH_PORT_ANY: any at all
 *
 * How much can be known of the outside port by which a side comes next.
 */
typedef enum
{
  KH_PORT_FIXED,
  KH_PORT_AHEAD,
  KH_PORT_BLOCK,
  KH_PORT_ANY,
} KhPortKind;

/**
 * KhPortRange:
 * @kind: what it rests on
 * @low: the lowest port
 * @high: the highest; all are 0 where @kind is %KH_PORT_FIXED
 * @surely_low: the lowest of those that are in it for sure, or that will be used soon
 * @surely_high: the highest
 * @step: from one to the next, where @kind is %KH_PORT_AHEAD
 * @sure: whether it was measured
 *
 * Where to look for a side's next outside port. A plain value.
 */
typedef struct
{
  KhPortKind kind;
  guint16 low;
  guint16 high;
  guint16 surely_low;
  guint16 surely_high;
  int step;
  gboolean sure;
} KhPortRange;

KhPortRange kh_port_range_of   (const KhFacts     *facts);
guint       kh_port_range_size (const KhPortRange *self);

G_END_DECLS
