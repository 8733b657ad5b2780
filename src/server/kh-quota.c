/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-quota.h"

#include <string.h>

/* Addresses without a connection are forgotten once there are this many: by then most of their buckets are
 * full again, and the memory is worth more than the memory of them. */
#define MAX_ADDRESSES 16384

typedef struct
{
  guint count;
  KhBucket opened;
} Entry;

struct _KhQuota
{
  KhQuotaLimits limits;
  guint count;
  GHashTable *entries; /* key of an address → Entry */
};

/**
 * kh_bucket_take:
 * @self: a bucket
 * @burst: how many actions it allows at once
 * @per_second: how many come back in a second
 * @now: monotonic time in microseconds
 *
 * Asks for one action.
 *
 * Returns: whether it is allowed
 */
gboolean
kh_bucket_take (KhBucket *self, double burst, double per_second, gint64 now)
{
  return kh_bucket_take_many (self, 1, burst, per_second, now);
}

/**
 * kh_bucket_take_many:
 * @self: a bucket
 * @count: how many actions it is worth
 * @burst: as for kh_bucket_take()
 * @per_second: as for kh_bucket_take()
 * @now: monotonic time in microseconds
 *
 * Asks for all of them or none.
 *
 * Returns: whether they are allowed
 */
gboolean
kh_bucket_take_many (KhBucket *self, double count, double burst, double per_second, gint64 now)
{
  self->spent = MAX (0, self->spent - (double) (now - self->updated) / G_USEC_PER_SEC * per_second);
  self->updated = now;
  if (self->spent + count > burst)
    return FALSE;

  self->spent += count;
  return TRUE;
}

KhQuota *
kh_quota_new (const KhQuotaLimits *limits)
{
  KhQuota *self = g_new0 (KhQuota, 1);

  self->limits = *limits;
  self->entries = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return self;
}

void
kh_quota_free (KhQuota *self)
{
  g_hash_table_unref (self->entries);
  g_free (self);
}

/**
 * kh_address_key:
 * @address: an address
 *
 * What limits per address go by. A home or a server has a whole /64 of IPv6, so that counts as one address.
 *
 * Returns: (transfer full): a text that is the same for all addresses that count as one
 */
char *
kh_address_key (GInetAddress *address)
{
  gsize length = MIN (g_inet_address_get_native_size (address), 8);
  const guint8 *bytes = g_inet_address_to_bytes (address);
  GString *key = g_string_sized_new (2 * length);

  for (gsize i = 0; i < length; i++)
    g_string_append_printf (key, "%02x", bytes[i]);

  return g_string_free (key, FALSE);
}

static gboolean
is_idle (gpointer key, gpointer value, gpointer unused)
{
  return ((Entry *) value)->count == 0;
}

static Entry *
find_entry (KhQuota *self, GInetAddress *address)
{
  g_autofree char *key = kh_address_key (address);
  Entry *entry = g_hash_table_lookup (self->entries, key);

  if (entry == NULL)
    {
      if (g_hash_table_size (self->entries) >= MAX_ADDRESSES)
        g_hash_table_foreach_remove (self->entries, is_idle, NULL);
      entry = g_new0 (Entry, 1);
      g_hash_table_insert (self->entries, g_steal_pointer (&key), entry);
    }

  return entry;
}

static gboolean
is_spared (const KhQuotaLimits *limits, GInetAddress *address)
{
  return limits->spare_loopback && g_inet_address_get_is_loopback (address);
}

/**
 * kh_quota_limits_get_key:
 * @self: limits
 * @address: where a client comes from
 *
 * For what else is to be limited per address, wherever connections are.
 *
 * Returns: (transfer full) (nullable): kh_address_key(), or %NULL for an address without such limits
 */
char *
kh_quota_limits_get_key (const KhQuotaLimits *self, GInetAddress *address)
{
  return self->per_address == 0 || is_spared (self, address) ? NULL : kh_address_key (address);
}

/**
 * kh_quota_enter:
 * @self: a quota
 * @address: where a new connection comes from
 * @now: monotonic time in microseconds
 *
 * Counts a new connection in, if the limits allow it. One that is refused for the number of its address's
 * connections still counts as new: who tries again and again has to slow down.
 *
 * Returns: %KH_QUOTA_OK, and kh_quota_leave() is owed, or why it may not stay
 */
KhQuotaResult
kh_quota_enter (KhQuota *self, GInetAddress *address, gint64 now)
{
  const KhQuotaLimits *limits = &self->limits;

  g_return_val_if_fail (self != NULL, KH_QUOTA_FULL);
  g_return_val_if_fail (G_IS_INET_ADDRESS (address), KH_QUOTA_FULL);

  if (self->count >= limits->total)
    return KH_QUOTA_FULL;

  if (!is_spared (limits, address))
    {
      Entry *entry = find_entry (self, address);

      if (limits->per_minute != 0 &&
          !kh_bucket_take (&entry->opened, limits->per_minute, limits->per_minute / 60.0, now))
        return KH_QUOTA_ADDRESS;
      if (limits->per_address != 0 && entry->count >= limits->per_address)
        return KH_QUOTA_ADDRESS;
      entry->count++;
    }

  self->count++;
  return KH_QUOTA_OK;
}

/**
 * kh_quota_leave:
 * @self: a quota
 * @address: as given to kh_quota_enter()
 *
 * Counts a connection out.
 */
void
kh_quota_leave (KhQuota *self, GInetAddress *address)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (self->count > 0);

  if (!is_spared (&self->limits, address))
    {
      g_autofree char *key = kh_address_key (address);
      Entry *entry = g_hash_table_lookup (self->entries, key);

      g_return_if_fail (entry != NULL && entry->count > 0);
      entry->count--;
    }
  self->count--;
}

/**
 * kh_quota_get_count:
 *
 * Returns: connections that are counted in now
 */
guint
kh_quota_get_count (KhQuota *self)
{
  return self->count;
}
