/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhBucket:
 *
 * A token bucket: `burst` actions at once, then `per_second` of them. Zeroed memory is a bucket that was never used.
 */
typedef struct
{
  double spent;
  gint64 updated;
} KhBucket;

gboolean kh_bucket_take      (KhBucket *self, double burst, double per_second, gint64 now);
gboolean kh_bucket_take_many (KhBucket *self, double count, double burst, double per_second, gint64 now);
char    *kh_address_key      (GInetAddress *address);

/**
 * KhQuotaLimits:
 * @total: connections at once
 * @per_address: connections at once from one address, 0 for no limit
 * @per_minute: new connections in a minute from one address, 0 for no limit
 * @spare_loopback: whether connections from this machine are only counted in @total
 */
typedef struct
{
  guint total;
  guint per_address;
  guint per_minute;
  gboolean spare_loopback;
} KhQuotaLimits;

char *kh_quota_limits_get_key (const KhQuotaLimits *self, GInetAddress *address);

/**
 * KhQuotaResult:
 * @KH_QUOTA_OK: the connection may stay
 * @KH_QUOTA_FULL: there are too many in all
 * @KH_QUOTA_ADDRESS: its address has too many, or too many new ones
 */
typedef enum
{
  KH_QUOTA_OK,
  KH_QUOTA_FULL,
  KH_QUOTA_ADDRESS,
} KhQuotaResult;

typedef struct _KhQuota KhQuota;

KhQuota      *kh_quota_new       (const KhQuotaLimits *limits);
void          kh_quota_free      (KhQuota *self);
KhQuotaResult kh_quota_enter     (KhQuota *self, GInetAddress *address, gint64 now);
void          kh_quota_leave     (KhQuota *self, GInetAddress *address);
guint         kh_quota_get_count (KhQuota *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhQuota, kh_quota_free)

G_END_DECLS
