/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-outbox.h"
#include "kh-test.h"

static void
add (KhOutbox *outbox, guint count, gsize length)
{
  g_autofree char *data = g_malloc0 (length);

  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GBytes) frame = g_bytes_new (data, length);

      g_assert_true (kh_outbox_has_room (outbox, length));
      kh_outbox_add (outbox, frame);
    }
}

static guint
send_all (KhOutbox *outbox)
{
  guint sent = 0;

  while (kh_outbox_send (outbox) != NULL)
    sent++;
  return sent;
}

static void
test_order (void)
{
  g_autoptr (KhOutbox) outbox = kh_outbox_new ();

  g_assert_cmpuint (kh_outbox_get_next (outbox), ==, 1);
  g_assert_cmpuint (send_all (outbox), ==, 0);
  add (outbox, 3, 10);
  g_assert_cmpuint (kh_outbox_get_next (outbox), ==, 4);
  g_assert_false (kh_outbox_was_sent (outbox, 1));
  g_assert_cmpuint (kh_outbox_pop (outbox, 1), ==, 0);

  g_assert_cmpuint (send_all (outbox), ==, 3);
  add (outbox, 1, 10);
  g_assert_false (kh_outbox_was_sent (outbox, 0));
  g_assert_true (kh_outbox_was_sent (outbox, 3));
  g_assert_false (kh_outbox_was_sent (outbox, 4));

  g_assert_cmpuint (kh_outbox_pop (outbox, 2), ==, 1);
  g_assert_cmpuint (kh_outbox_pop (outbox, 2), ==, 2);
  g_assert_cmpuint (kh_outbox_pop (outbox, 2), ==, 0);
  g_assert_cmpuint (kh_outbox_get_length (outbox), ==, 2);
  g_assert_true (kh_outbox_was_sent (outbox, 1));
  g_assert_cmpuint (send_all (outbox), ==, 1);
  g_assert_cmpuint (kh_outbox_pop (outbox, 4), ==, 3);
  g_assert_cmpuint (kh_outbox_pop (outbox, 4), ==, 4);
  g_assert_cmpuint (kh_outbox_get_length (outbox), ==, 0);
}

static void
test_flight (void)
{
  g_autoptr (KhOutbox) outbox = kh_outbox_new ();

  add (outbox, 300, 10);
  g_assert_cmpuint (send_all (outbox), ==, KH_OUTBOX_MAX_FLIGHT);
  g_assert_cmpuint (kh_outbox_pop (outbox, 1), ==, 1);
  g_assert_cmpuint (send_all (outbox), ==, 1);
  while (kh_outbox_pop (outbox, KH_OUTBOX_MAX_FLIGHT) != 0)
    ;
  g_assert_cmpuint (send_all (outbox), ==, 300 - KH_OUTBOX_MAX_FLIGHT - 1);
}

static void
test_flight_bytes (void)
{
  g_autoptr (KhOutbox) outbox = kh_outbox_new ();

  add (outbox, 10, KH_OUTBOX_MAX_FLIGHT_BYTES / 4);
  g_assert_cmpuint (send_all (outbox), ==, 4);
  g_assert_cmpuint (kh_outbox_pop (outbox, 4), ==, 1);
  g_assert_cmpuint (send_all (outbox), ==, 1);

  /* One that is larger than all that may be on its way goes alone. */
  while (kh_outbox_pop (outbox, 5) != 0 || send_all (outbox) > 0)
    ;
  g_assert_cmpuint (kh_outbox_pop (outbox, 10), ==, 6);
  while (kh_outbox_pop (outbox, 10) != 0 || send_all (outbox) > 0)
    ;
  add (outbox, 2, KH_OUTBOX_MAX_FLIGHT_BYTES + 1);
  g_assert_cmpuint (send_all (outbox), ==, 1);
}

static void
test_rewind (void)
{
  g_autoptr (KhOutbox) outbox = kh_outbox_new ();

  add (outbox, 5, 10);
  g_assert_cmpuint (send_all (outbox), ==, 5);
  g_assert_cmpuint (kh_outbox_pop (outbox, 1), ==, 1);
  kh_outbox_rewind (outbox);
  g_assert_false (kh_outbox_was_sent (outbox, 2));
  g_assert_true (kh_outbox_was_sent (outbox, 1));
  g_assert_cmpuint (kh_outbox_pop (outbox, 2), ==, 0);
  g_assert_cmpuint (send_all (outbox), ==, 4);
  g_assert_cmpuint (kh_outbox_get_next (outbox), ==, 6);

  while (kh_outbox_pop (outbox, 5) != 0)
    ;
  kh_outbox_rewind (outbox);
  g_assert_cmpuint (send_all (outbox), ==, 0);
}

static void
test_room (void)
{
  g_autoptr (KhOutbox) many = kh_outbox_new ();
  g_autoptr (KhOutbox) large = kh_outbox_new ();

  add (many, KH_OUTBOX_MAX_MESSAGES, 1);
  g_assert_false (kh_outbox_has_room (many, 1));
  g_assert_nonnull (kh_outbox_send (many));
  g_assert_false (kh_outbox_has_room (many, 1));
  g_assert_cmpuint (kh_outbox_pop (many, 1), ==, 1);
  g_assert_true (kh_outbox_has_room (many, 1));

  add (large, 16, 1024 * 1024);
  g_assert_false (kh_outbox_has_room (large, 1));
  g_assert_true (kh_outbox_has_room (large, 0));
  g_assert_nonnull (kh_outbox_send (large));
  g_assert_cmpuint (kh_outbox_pop (large, 1), ==, 1);
  g_assert_true (kh_outbox_has_room (large, 1024 * 1024));
  g_assert_false (kh_outbox_has_room (large, 1024 * 1024 + 1));
  g_assert_false (kh_outbox_has_room (large, G_MAXSIZE));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outbox/order", test_order);
  g_test_add_func ("/outbox/flight", test_flight);
  g_test_add_func ("/outbox/flight-bytes", test_flight_bytes);
  g_test_add_func ("/outbox/rewind", test_rewind);
  g_test_add_func ("/outbox/room", test_room);
  return g_test_run ();
}
