/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-checksum.h"

#include <string.h>

/* The internet checksum (RFC 1071). Sums are kept in the order of the bytes in memory, which the one's complement sum does
 * not mind; only what is read as a number goes through the functions here. */

guint16
kh_get16 (const guint8 *bytes)
{
  return (guint16) (bytes[0] << 8 | bytes[1]);
}

guint32
kh_get32 (const guint8 *bytes)
{
  return (guint32) kh_get16 (bytes) << 16 | kh_get16 (bytes + 2);
}

void
kh_put16 (guint8 *bytes, guint16 value)
{
  bytes[0] = (guint8) (value >> 8);
  bytes[1] = (guint8) value;
}

void
kh_put32 (guint8 *bytes, guint32 value)
{
  kh_put16 (bytes, (guint16) (value >> 16));
  kh_put16 (bytes + 2, (guint16) value);
}

static guint32
fold (guint64 sum)
{
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);

  return (guint32) ((sum & 0xffff) + (sum >> 16));
}

/**
 * kh_checksum_add:
 * @sum: of what came before, an even number of bytes; 0 at first
 * @bytes: what to add
 * @length: how many bytes
 *
 * Returns: the sum of both
 */
guint32
kh_checksum_add (guint32 sum, const void *bytes, gsize length)
{
  const guint8 *at = bytes;
  guint64 total = sum;

  for (; length >= 4; at += 4, length -= 4)
    {
      guint32 word;

      memcpy (&word, at, sizeof word);
      total += word;
    }

  if (length > 0)
    {
      guint32 word = 0;

      memcpy (&word, at, length);
      total += word;
    }

  return fold (total);
}

/**
 * kh_checksum_finish:
 *
 * Returns: what belongs into the checksum's field, as it lies in memory; 0 when the summed bytes held a right checksum
 */
guint16
kh_checksum_finish (guint32 sum)
{
  return (guint16) ~fold (sum);
}

/**
 * kh_checksum_pseudo:
 *
 * Returns: the sum of the pseudo-header (RFC 9293 section 3.1, RFC 8200 section 8.1)
 */
guint32
kh_checksum_pseudo (const KhIp *source, const KhIp *destination, guint8 protocol, gsize length)
{
  gsize skip = kh_ip_is_v4 (source) ? 12 : 0;
  guint8 rest[8] = { 0 };
  guint32 sum;

  kh_put32 (rest, (guint32) length);
  rest[7] = protocol;
  sum = kh_checksum_add (0, source->bytes + skip, 16 - skip);
  sum = kh_checksum_add (sum, destination->bytes + skip, 16 - skip);

  return kh_checksum_add (sum, rest, sizeof rest);
}

/**
 * kh_checksum_replace:
 * @checksum: the checksum's field
 * @before: bytes at an even place that it covers
 * @after: what they become
 * @length: how many, even
 *
 * Changes a checksum for changed bytes (RFC 1624): one that was wrong stays wrong.
 */
void
kh_checksum_replace (guint8 *checksum, const void *before, const void *after, gsize length)
{
  guint16 old, new;
  guint32 sum;

  memcpy (&old, checksum, sizeof old);
  sum = (guint16) ~old;
  sum += (guint16) ~fold (kh_checksum_add (0, before, length));
  sum = kh_checksum_add (fold (sum), after, length);
  new = kh_checksum_finish (sum);
  memcpy (checksum, &new, sizeof new);
}
