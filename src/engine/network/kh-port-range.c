/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-port-range.h"

/* Routers leave the ports of services alone. */
#define LOWEST 1024

/* How far ahead of a sequential router's last port a friend looks: other programs' connections take some, and so do our own. */
#define AHEAD 64

/* A range is seen through about ten samples, the outermost of which are a tenth of it away from its ends on average, and often
 * more. To look too far costs less than not to look. */
#define MARGIN_PARTS 5

static guint16
clamp (int port)
{
  return CLAMP (port, LOWEST, G_MAXUINT16);
}

static KhPortRange
ahead (int low, int high, int step)
{
  int last = step > 0 ? high : low;
  int near = last + step, far = last + AHEAD * step;
  int soon = last + AHEAD / 8 * step, later = last + AHEAD * 5 / 8 * step;

  return (KhPortRange){ .kind = KH_PORT_AHEAD,
                        .low = clamp (MIN (near, far)),
                        .high = clamp (MAX (near, far)),
                        .surely_low = clamp (MIN (soon, later)),
                        .surely_high = clamp (MAX (soon, later)),
                        .step = step,
                        .sure = TRUE };
}

static KhPortRange
block (int low, int high)
{
  int margin = (high - low) / MARGIN_PARTS + 1;

  return (KhPortRange){ .kind = KH_PORT_BLOCK,
                        .low = clamp (low - margin),
                        .high = clamp (high + margin),
                        .surely_low = clamp (low),
                        .surely_high = clamp (high),
                        .sure = TRUE };
}

/**
 * kh_port_range_of:
 * @facts: about a side
 *
 * Returns: where its next connection to a friend comes out. What is not known is taken as a port that is the same for everybody,
 *   or, where ports are known to differ, as any
 */
KhPortRange
kh_port_range_of (const KhFacts *facts)
{
  int low = facts->numbers[KH_FACT_PORT_LOW];
  int high = facts->numbers[KH_FACT_PORT_HIGH];
  int step = facts->numbers[KH_FACT_DELTA];
  gboolean seen = low != KH_FACT_NUMBER_UNKNOWN && high != KH_FACT_NUMBER_UNKNOWN && low <= high;

  if (!kh_facts_is (facts, KH_FACT_MAPPING, "address-dependent") &&
      !kh_facts_is (facts, KH_FACT_MAPPING, "address-and-port-dependent"))
    return (KhPortRange){ .kind = KH_PORT_FIXED, .sure = kh_facts_knows (facts, KH_FACT_MAPPING) };
  if (kh_facts_is (facts, KH_FACT_ALLOCATION, "preserving"))
    return (KhPortRange){ .kind = KH_PORT_FIXED };
  if (seen && kh_facts_is (facts, KH_FACT_ALLOCATION, "sequential") && step != 0 && ABS (step) <= G_MAXUINT16)
    return ahead (low, high, step);
  if (seen && kh_facts_is (facts, KH_FACT_ALLOCATION, "block"))
    return block (low, high);
  return (KhPortRange){ .kind = KH_PORT_ANY,
                        .low = LOWEST,
                        .high = G_MAXUINT16,
                        .surely_low = LOWEST,
                        .surely_high = G_MAXUINT16,
                        .sure = kh_facts_is (facts, KH_FACT_ALLOCATION, "random") };
}

/**
 * kh_port_range_size:
 *
 * Returns: how many ports it may be
 */
guint
kh_port_range_size (const KhPortRange *self)
{
  int step = ABS (self->step);

  return (guint) (self->high - self->low) / MAX (step, 1) + 1;
}
