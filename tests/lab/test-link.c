/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-link.h"

#define MS G_TIME_SPAN_MILLISECOND

static const guint8 packet[1500];

static void
test_delay (void)
{
  const KhLinkSettings settings = { .delay = 20 * MS };
  g_autoptr (KhLink) link = kh_link_new (&settings, 1);
  KhLinkArrival *arrival;

  g_assert_false (kh_link_is_instant (link));
  g_assert_cmpint (kh_link_get_next (link), ==, G_MAXINT64);
  g_assert_true (kh_link_send (link, packet, 100, 5 * MS));
  g_assert_true (kh_link_send (link, packet, 200, 6 * MS));
  g_assert_cmpint (kh_link_get_next (link), ==, 25 * MS);
  g_assert_null (kh_link_receive (link, 25 * MS - 1));
  arrival = kh_link_receive (link, 25 * MS);
  g_assert_cmpuint (arrival->length, ==, 100);
  g_free (arrival);
  g_assert_cmpint (kh_link_get_next (link), ==, 26 * MS);
}

/* Evenly spread over what was asked for, and never out of order. */
static void
test_jitter (void)
{
  const KhLinkSettings settings = { .delay = 20 * MS, .jitter = 5 * MS };
  g_autoptr (KhLink) link = kh_link_new (&settings, 7);
  gint64 low = G_MAXINT64, high = 0, sum = 0;

  for (gint64 i = 0; i < 2000; i++)
    {
      gint64 sent = i * 100 * MS, took;
      g_autofree KhLinkArrival *arrival = NULL;

      g_assert_true (kh_link_send (link, packet, 100, sent));
      took = kh_link_get_next (link) - sent;
      low = MIN (low, took);
      high = MAX (high, took);
      sum += took;
      arrival = kh_link_receive (link, G_MAXINT64 - 1);
    }
  g_assert_cmpint (low, >=, 15 * MS);
  g_assert_cmpint (low, <, 15 * MS + 100);
  g_assert_cmpint (high, <=, 25 * MS);
  g_assert_cmpint (high, >, 25 * MS - 100);
  g_assert_cmpint (ABS (sum / 2000 - 20 * MS), <, 300);

  for (gint64 i = 0; i < 1000; i++)
    kh_link_send (link, packet, 100, 1000000 * MS + i * 10);
  low = 0;
  for (guint i = 0; i < 1000; i++)
    {
      g_autofree KhLinkArrival *arrival = kh_link_receive (link, G_MAXINT64 - 1);

      g_assert_cmpint (arrival->due, >=, low);
      low = arrival->due;
    }
}

static void
test_loss (void)
{
  const KhLinkSettings settings = { .loss = 30 };
  g_autoptr (KhLink) link = kh_link_new (&settings, 3);
  guint lost = 0;

  for (guint i = 0; i < 10000; i++)
    lost += !kh_link_send (link, packet, 10, i);
  g_assert_cmpuint (lost, >, 2800);
  g_assert_cmpuint (lost, <, 3200);
}

/* 1500 bytes at 12 megabits take one millisecond; what does not fit into 200 ms is dropped. */
static void
test_rate (void)
{
  const KhLinkSettings settings = { .rate = 12e6, .delay = 10 * MS };
  g_autoptr (KhLink) link = kh_link_new (&settings, 1);
  guint sent = 0;

  for (guint i = 0; i < 1000; i++)
    sent += kh_link_send (link, packet, sizeof packet, 0);
  g_assert_cmpuint (sent, >=, 200);
  g_assert_cmpuint (sent, <=, 202);
  for (guint i = 0; i < sent; i++)
    {
      g_autofree KhLinkArrival *arrival = kh_link_receive (link, G_MAXINT64 - 1);

      g_assert_cmpint (arrival->due, ==, (10 + i + 1) * MS);
    }
  /* It is free again when what waited has gone. */
  g_assert_true (kh_link_send (link, packet, sizeof packet, 1000 * MS));
  g_assert_cmpint (kh_link_get_next (link), ==, 1011 * MS);
}

/* A link does not wear out by what it has carried. */
static void
test_long (void)
{
  const KhLinkSettings settings = { .delay = 1 };
  g_autoptr (KhLink) link = kh_link_new (&settings, 1);

  for (gint64 i = 0; i < 60000; i++)
    {
      g_autofree KhLinkArrival *arrival = NULL;

      g_assert_true (kh_link_send (link, packet, sizeof packet, i));
      arrival = kh_link_receive (link, i + 1);
      g_assert_nonnull (arrival);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/link/delay", test_delay);
  g_test_add_func ("/link/jitter", test_jitter);
  g_test_add_func ("/link/loss", test_loss);
  g_test_add_func ("/link/rate", test_rate);
  g_test_add_func ("/link/long", test_long);

  return g_test_run ();
}
