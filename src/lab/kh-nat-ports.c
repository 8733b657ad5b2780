/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-nat-ports.h"

#include <string.h>

/* How often a random port is drawn, and how many are looked at in turn then, before it is too much work for one packet. */
#define MAX_DRAWS 128
#define MAX_LOOKS 1024
/* Where none was found, none is looked for during this time: others have packets too. */
#define PAUSE_US (10 * G_TIME_SPAN_MILLISECOND)

struct _KhNatPortChooser
{
  KhNatSettings settings;
  KhIp outside;
  GRand *random;
  guint16 last;
  gint64 paused_until;
  GHashTable *blocks; /* last 32 bits of an inside address → number of its block */
};

/* Ports that may be chosen from, both ends included. */
typedef struct
{
  guint16 low;
  guint16 high;
} Range;

KhNatPortChooser *
kh_nat_port_chooser_new (const KhNatSettings *settings, const KhIp *outside, guint32 seed)
{
  KhNatPortChooser *self = g_new0 (KhNatPortChooser, 1);

  self->settings = *settings;
  self->outside = *outside;
  self->random = g_rand_new_with_seed (seed);
  self->last = (guint16) g_rand_int_range (self->random, settings->port_low, settings->port_high + 1);
  self->blocks = g_hash_table_new (NULL, NULL);

  return self;
}

void
kh_nat_port_chooser_free (KhNatPortChooser *self)
{
  g_hash_table_unref (self->blocks);
  g_rand_free (self->random);
  g_free (self);
}

/* Whether a flow between @outside and @remote could be told from all others. */
static gboolean
is_free (KhNatPortChooser *self, KhNatTable *table, KhProtocol protocol, const KhEndpoint *outside,
         const KhEndpoint *remote, gint64 now)
{
  if (kh_nat_table_find_outside (table, protocol, outside, remote, now) != NULL)
    return FALSE;
  for (KhNatMapping *mapping = kh_nat_table_find_port (table, protocol, outside); mapping != NULL;
       mapping = mapping->next_outside)
    if (!self->settings.overload || mapping->forward)
      return FALSE;

  return TRUE;
}

static guint32
low_bits (const KhIp *ip)
{
  guint32 bits;

  memcpy (&bits, ip->bytes + 12, sizeof bits);

  return bits;
}

static KhIp
choose_address (KhNatPortChooser *self, const KhEndpoint *inside)
{
  guint n = self->settings.addresses;
  guint which;

  if (n == 1)
    return self->outside;
  /* Hosts are numbered from 2 on. */
  which = self->settings.paired ? inside->ip.bytes[15] - 2u : g_rand_int (self->random);

  return kh_ip_plus (&self->outside, which % n);
}

static gboolean
is_block_taken (KhNatPortChooser *self, guint number)
{
  GHashTableIter iter;
  gpointer value;

  g_hash_table_iter_init (&iter, self->blocks);
  while (g_hash_table_iter_next (&iter, NULL, &value))
    if (GPOINTER_TO_UINT (value) == number)
      return TRUE;

  return FALSE;
}

/* Each inside address keeps the block that it was given first. When there are none left, blocks are shared. */
static Range
find_block (KhNatPortChooser *self, const KhEndpoint *inside)
{
  const KhNatSettings *settings = &self->settings;
  gpointer owner = GUINT_TO_POINTER (low_bits (&inside->ip));
  guint n = MAX (1, (settings->port_high - settings->port_low + 1u) / settings->block_size);
  gpointer known;
  guint number;

  if (g_hash_table_lookup_extended (self->blocks, owner, NULL, &known))
    number = GPOINTER_TO_UINT (known);
  else
    {
      number = (guint) g_rand_int_range (self->random, 0, (gint32) n);
      for (guint tries = 0; g_hash_table_size (self->blocks) < n && tries < n && is_block_taken (self, number); tries++)
        number = (number + 1) % n;
      if (g_hash_table_size (self->blocks) < n)
        g_hash_table_insert (self->blocks, owner, GUINT_TO_POINTER (number));
    }

  return (Range){ (guint16) (settings->port_low + number * settings->block_size),
                  (guint16) MIN (settings->port_high, settings->port_low + (number + 1) * settings->block_size - 1) };
}

/* Where a port may go that does not stay: low ports stay low (RFC 4787 section 4.2.1 asks for it; the limits are Linux').
 * Identifiers of ICMP queries have no such classes. */
static Range
find_class (KhNatPortChooser *self, KhProtocol protocol, guint16 port)
{
  if (protocol == KH_PROTOCOL_ICMP)
    return (Range){ 0, 65535 };
  if (port < 512)
    return (Range){ 1, 511 };
  if (port < 1024)
    return (Range){ 600, 1023 };

  return (Range){ self->settings.port_low, self->settings.port_high };
}

static guint16
step (Range range, guint16 port, int by)
{
  int size = range.high - range.low + 1;
  int place = ((port - range.low + by) % size + size) % size;

  return (guint16) (range.low + place);
}

/* Looks at the ports of the range, from one on. */
static gboolean
search (KhNatPortChooser *self, KhNatTable *table, KhProtocol protocol, const KhEndpoint *remote, gint64 now,
        Range range, int by, KhEndpoint *outside)
{
  int size = range.high - range.low + 1;

  for (int i = 0; i < MIN (size, MAX_LOOKS); i++)
    {
      if (is_free (self, table, protocol, outside, remote, now))
        return TRUE;
      outside->port = step (range, outside->port, by);
    }

  return FALSE;
}

static gboolean
draw (KhNatPortChooser *self, KhNatTable *table, KhProtocol protocol, const KhEndpoint *remote, gint64 now, Range range,
      KhEndpoint *outside)
{
  for (int i = 0; i < MAX_DRAWS; i++)
    {
      outside->port = (guint16) g_rand_int_range (self->random, range.low, range.high + 1);
      if (is_free (self, table, protocol, outside, remote, now))
        return TRUE;
    }

  return search (self, table, protocol, remote, now, range, 1, outside);
}

static gboolean
preserve (KhNatPortChooser *self, KhNatTable *table, KhProtocol protocol, const KhEndpoint *inside,
          const KhEndpoint *remote, gint64 now, KhEndpoint *outside)
{
  Range class = find_class (self, protocol, inside->port);

  outside->port = inside->port;
  if (is_free (self, table, protocol, outside, remote, now))
    return TRUE;
  if (!self->settings.next_on_collision)
    return draw (self, table, protocol, remote, now, class, outside);

  outside->port = step (class, inside->port, 1);
  return search (self, table, protocol, remote, now, class, 1, outside);
}

static gboolean
choose (KhNatPortChooser *self, KhNatTable *table, KhProtocol protocol, const KhEndpoint *inside,
        const KhEndpoint *remote, gint64 now, KhEndpoint *outside)
{
  Range range = { self->settings.port_low, self->settings.port_high };

  switch (self->settings.ports)
    {
    case KH_NAT_PRESERVING:
      return preserve (self, table, protocol, inside, remote, now, outside);
    case KH_NAT_SEQUENTIAL:
      /* A step that leaves some ports out is for the first try alone. */
      outside->port = step (range, self->last, self->settings.delta);
      if (!search (self, table, protocol, remote, now, range, self->settings.delta > 0 ? 1 : -1, outside))
        return FALSE;
      self->last = outside->port;
      return TRUE;
    case KH_NAT_BLOCK:
      return draw (self, table, protocol, remote, now, find_block (self, inside), outside);
    case KH_NAT_RANDOM:
    default:
      return draw (self, table, protocol, remote, now, find_class (self, protocol, inside->port), outside);
    }
}

/**
 * kh_nat_port_chooser_choose:
 * @self: a chooser
 * @table: what is taken
 * @protocol: for what
 * @inside: for whom
 * @remote: towards whom
 * @now: monotonic microseconds
 * @outside: (out): the outside endpoint
 *
 * Returns: whether one was free
 */
gboolean
kh_nat_port_chooser_choose (KhNatPortChooser *self, KhNatTable *table, KhProtocol protocol, const KhEndpoint *inside,
                            const KhEndpoint *remote, gint64 now, KhEndpoint *outside)
{
  if (now < self->paused_until)
    return FALSE;

  outside->ip = choose_address (self, inside);
  if (choose (self, table, protocol, inside, remote, now, outside))
    return TRUE;
  self->paused_until = now + PAUSE_US;

  return FALSE;
}
