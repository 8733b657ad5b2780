/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-quota.h"
#include "kh-test.h"

#define SECOND G_USEC_PER_SEC

static GInetAddress *
ip (const char *text)
{
  return g_inet_address_new_from_string (text);
}

static gboolean
enter (KhQuota *quota, const char *text, gint64 now)
{
  g_autoptr (GInetAddress) address = ip (text);

  return kh_quota_enter (quota, address, now) == KH_QUOTA_OK;
}

static void
leave (KhQuota *quota, const char *text)
{
  g_autoptr (GInetAddress) address = ip (text);

  kh_quota_leave (quota, address);
}

static void
test_bucket (void)
{
  KhBucket bucket = { 0 };
  gint64 now = 5 * SECOND;

  for (int i = 0; i < 3; i++)
    g_assert_true (kh_bucket_take (&bucket, 3, 2, now));
  g_assert_false (kh_bucket_take (&bucket, 3, 2, now));
  g_assert_false (kh_bucket_take (&bucket, 3, 2, now + SECOND / 4));
  g_assert_true (kh_bucket_take (&bucket, 3, 2, now + SECOND / 2));
  g_assert_false (kh_bucket_take (&bucket, 3, 2, now + SECOND / 2));

  /* However long it rests, it never holds more than its burst. */
  for (int i = 0; i < 3; i++)
    g_assert_true (kh_bucket_take (&bucket, 3, 2, now + 1000 * SECOND));
  g_assert_false (kh_bucket_take (&bucket, 3, 2, now + 1000 * SECOND));

  /* All or none. */
  g_assert_true (kh_bucket_take_many (&bucket, 1, 3, 2, now + 1001 * SECOND));
  g_assert_false (kh_bucket_take_many (&bucket, 2, 3, 2, now + 1001 * SECOND));
  g_assert_true (kh_bucket_take_many (&bucket, 1, 3, 2, now + 1001 * SECOND));
}

static void
test_total (void)
{
  g_autoptr (KhQuota) quota = kh_quota_new (&(KhQuotaLimits){ .total = 2 });

  g_assert_true (enter (quota, "192.0.2.1", 0));
  g_assert_true (enter (quota, "192.0.2.2", 0));
  g_assert_false (enter (quota, "192.0.2.3", 0));
  leave (quota, "192.0.2.1");
  g_assert_cmpuint (kh_quota_get_count (quota), ==, 1);
  g_assert_true (enter (quota, "192.0.2.3", 0));
}

/* Who is refused can be told why. */
static void
test_reasons (void)
{
  g_autoptr (KhQuota) quota = kh_quota_new (&(KhQuotaLimits){ .total = 2, .per_address = 1 });
  g_autoptr (GInetAddress) first = ip ("192.0.2.1");
  g_autoptr (GInetAddress) second = ip ("192.0.2.2");

  g_assert_cmpint (kh_quota_enter (quota, first, 0), ==, KH_QUOTA_OK);
  g_assert_cmpint (kh_quota_enter (quota, first, 0), ==, KH_QUOTA_ADDRESS);
  g_assert_cmpint (kh_quota_enter (quota, second, 0), ==, KH_QUOTA_OK);
  g_assert_cmpint (kh_quota_enter (quota, first, 0), ==, KH_QUOTA_FULL);
}

static void
test_per_address (void)
{
  g_autoptr (KhQuota) quota = kh_quota_new (&(KhQuotaLimits){ .total = 100, .per_address = 2 });

  g_assert_true (enter (quota, "192.0.2.1", 0));
  g_assert_true (enter (quota, "192.0.2.1", 0));
  g_assert_false (enter (quota, "192.0.2.1", 0));
  g_assert_true (enter (quota, "192.0.2.2", 0));
  leave (quota, "192.0.2.1");
  g_assert_true (enter (quota, "192.0.2.1", 0));

  /* One home has a /64. */
  g_assert_true (enter (quota, "2001:db8::1", 0));
  g_assert_true (enter (quota, "2001:db8::2", 0));
  g_assert_false (enter (quota, "2001:db8::3", 0));
  g_assert_true (enter (quota, "2001:db8:0:1::1", 0));
}

static void
test_per_minute (void)
{
  g_autoptr (KhQuota) quota = kh_quota_new (&(KhQuotaLimits){ .total = 100, .per_minute = 6 });

  for (int i = 0; i < 6; i++)
    {
      g_assert_true (enter (quota, "192.0.2.1", 0));
      leave (quota, "192.0.2.1");
    }
  g_assert_false (enter (quota, "192.0.2.1", 9 * SECOND));
  g_assert_true (enter (quota, "192.0.2.2", 9 * SECOND));
  g_assert_true (enter (quota, "192.0.2.1", 10 * SECOND));
  g_assert_false (enter (quota, "192.0.2.1", 10 * SECOND));
}

static void
test_loopback (void)
{
  g_autoptr (KhQuota) quota =
      kh_quota_new (&(KhQuotaLimits){ .total = 100, .per_address = 1, .per_minute = 1, .spare_loopback = TRUE });

  for (int i = 0; i < 50; i++)
    g_assert_true (enter (quota, i % 2 ? "127.0.0.1" : "::1", 0));
  g_assert_true (enter (quota, "192.0.2.1", 0));
  g_assert_false (enter (quota, "192.0.2.1", 0));
  for (int i = 0; i < 50; i++)
    leave (quota, "127.0.0.2");
  g_assert_cmpuint (kh_quota_get_count (quota), ==, 1);
}

/* What names an address for limits of others. */
static void
test_keys (void)
{
  static const struct
  {
    const char *address;
    const char *key;
    KhQuotaLimits limits;
  } cases[] = {
    { "192.0.2.1", "c0000201", { .per_address = 1 } },
    { "2001:db8:0:1::1", "20010db800000001", { .per_address = 1 } },
    { "2001:db8:0:1:2::", "20010db800000001", { .per_address = 1, .spare_loopback = TRUE } },
    { "127.0.0.1", "7f000001", { .per_address = 1 } },
    { "127.0.0.1", NULL, { .per_address = 1, .spare_loopback = TRUE } },
    { "192.0.2.1", NULL, { .per_minute = 1 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GInetAddress) address = ip (cases[i].address);
      g_autofree char *key = kh_quota_limits_get_key (&cases[i].limits, address);

      g_assert_cmpstr (key, ==, cases[i].key);
    }
}

/* A hundred thousand passers-by leave nothing behind, and those who are in stay counted. */
static void
test_many_addresses (void)
{
  g_autoptr (KhQuota) quota = kh_quota_new (&(KhQuotaLimits){ .total = 100, .per_address = 1, .per_minute = 100 });

  g_assert_true (enter (quota, "192.0.2.1", 0));
  for (guint i = 0; i < 100000; i++)
    {
      const guint8 bytes[4] = { 10, i >> 16, i >> 8 & 0xff, i & 0xff };
      g_autoptr (GInetAddress) address = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV4);

      g_assert_cmpint (kh_quota_enter (quota, address, 0), ==, KH_QUOTA_OK);
      kh_quota_leave (quota, address);
    }
  g_assert_false (enter (quota, "192.0.2.1", 0));
  leave (quota, "192.0.2.1");
  g_assert_cmpuint (kh_quota_get_count (quota), ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/quota/bucket", test_bucket);
  g_test_add_func ("/quota/total", test_total);
  g_test_add_func ("/quota/reasons", test_reasons);
  g_test_add_func ("/quota/per-address", test_per_address);
  g_test_add_func ("/quota/per-minute", test_per_minute);
  g_test_add_func ("/quota/loopback", test_loopback);
  g_test_add_func ("/quota/keys", test_keys);
  g_test_add_func ("/quota/many-addresses", test_many_addresses);
  return g_test_run ();
}
