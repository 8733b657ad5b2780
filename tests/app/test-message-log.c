/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message-log.h"

#include <string.h>

static void
add (KhMessageLog *log, KhMessageState state, guint64 id, const char *text)
{
  g_autoptr (KhMessage) message = kh_message_new (state, id, NULL, text);

  kh_message_log_add (log, message);
}

static guint
count (KhMessageLog *log)
{
  return g_list_model_get_n_items (kh_message_log_get_model (log));
}

static void
assert_state (KhMessageLog *log, guint position, KhMessageState state)
{
  g_autoptr (KhMessage) message = g_list_model_get_item (kh_message_log_get_model (log), position);

  g_assert_nonnull (message);
  g_assert_cmpint (kh_message_get_state (message), ==, state);
}

static void
assert_text (KhMessageLog *log, guint position, const char *text)
{
  g_autoptr (KhMessage) message = g_list_model_get_item (kh_message_log_get_model (log), position);

  g_assert_nonnull (message);
  g_assert_cmpstr (kh_message_get_text (message), ==, text);
}

static void
test_order (void)
{
  g_autoptr (KhMessageLog) log = kh_message_log_new ();

  g_assert_cmpuint (count (log), ==, 0);
  add (log, KH_MESSAGE_SENT, 1, "first");
  add (log, KH_MESSAGE_RECEIVED, 1, "second");
  g_assert_cmpuint (count (log), ==, 2);
  assert_text (log, 0, "first");
  assert_text (log, 1, "second");
  g_assert_cmpuint (kh_message_log_get_dropped (log), ==, 0);
}

/* Both sides count from 1: a mark is for our message of that number, never for the friend's. */
static void
test_delivery (void)
{
  g_autoptr (KhMessageLog) log = kh_message_log_new ();

  add (log, KH_MESSAGE_RECEIVED, 1, "theirs");
  add (log, KH_MESSAGE_SENT, 1, "ours");
  add (log, KH_MESSAGE_SENT, 2, "ours too");
  kh_message_log_deliver (log, 1);
  assert_state (log, 0, KH_MESSAGE_RECEIVED);
  assert_state (log, 1, KH_MESSAGE_DELIVERED);
  assert_state (log, 2, KH_MESSAGE_SENT);

  kh_message_log_deliver (log, 1);
  kh_message_log_deliver (log, 0);
  kh_message_log_deliver (log, G_MAXUINT64);
  assert_state (log, 1, KH_MESSAGE_DELIVERED);
  assert_state (log, 2, KH_MESSAGE_SENT);
}

static void
test_end (void)
{
  g_autoptr (KhMessageLog) log = kh_message_log_new ();

  add (log, KH_MESSAGE_SENT, 1, "arrived");
  add (log, KH_MESSAGE_SENT, 2, "on its way");
  add (log, KH_MESSAGE_RECEIVED, 1, "theirs");
  kh_message_log_deliver (log, 1);
  kh_message_log_end (log);
  assert_state (log, 0, KH_MESSAGE_DELIVERED);
  assert_state (log, 1, KH_MESSAGE_UNDELIVERED);
  assert_state (log, 2, KH_MESSAGE_RECEIVED);

  /* What comes after the end changes nothing. */
  kh_message_log_deliver (log, 2);
  kh_message_log_end (log);
  assert_state (log, 1, KH_MESSAGE_UNDELIVERED);
}

static void
test_bounded_count (void)
{
  g_autoptr (KhMessageLog) log = kh_message_log_new ();
  const guint more = 10;

  for (guint i = 1; i <= KH_MESSAGE_LOG_MAX_MESSAGES + more; i++)
    {
      g_autofree char *text = g_strdup_printf ("%u", i);

      add (log, i == 1 ? KH_MESSAGE_SENT : KH_MESSAGE_RECEIVED, i, text);
    }

  g_assert_cmpuint (count (log), ==, KH_MESSAGE_LOG_MAX_MESSAGES);
  g_assert_cmpuint (kh_message_log_get_dropped (log), ==, more);
  assert_text (log, 0, "11");
  assert_text (log, KH_MESSAGE_LOG_MAX_MESSAGES - 1, "20010");
  /* One that gave way may still be delivered. */
  kh_message_log_deliver (log, 1);
}

static gsize
total_bytes (KhMessageLog *log)
{
  gsize bytes = 0;

  for (guint i = 0; i < count (log); i++)
    {
      g_autoptr (KhMessage) message = g_list_model_get_item (kh_message_log_get_model (log), i);

      bytes += strlen (kh_message_get_text (message));
    }
  return bytes;
}

static void
test_bounded_bytes (void)
{
  g_autoptr (KhMessageLog) log = kh_message_log_new ();
  const gsize length = 32 * 1024;
  const guint kept = KH_MESSAGE_LOG_MAX_BYTES / length;
  g_autofree char *text = g_strnfill (length, 'x');

  for (guint i = 1; i <= kept + 5; i++)
    add (log, KH_MESSAGE_RECEIVED, i, text);
  g_assert_cmpuint (count (log), ==, kept);
  g_assert_cmpuint (kh_message_log_get_dropped (log), ==, 5);
  g_assert_cmpuint (total_bytes (log), ==, KH_MESSAGE_LOG_MAX_BYTES);

  add (log, KH_MESSAGE_RECEIVED, 1, "short");
  assert_text (log, count (log) - 1, "short");
  g_assert_cmpuint (total_bytes (log), <=, KH_MESSAGE_LOG_MAX_BYTES);
}

static void
test_lifetime (void)
{
  KhMessageLog *log = kh_message_log_new ();
  KhMessage *message = kh_message_new (KH_MESSAGE_SENT, 1, NULL, "x");

  kh_message_log_add (log, message);
  kh_message_log_deliver (log, 1);
  g_assert_finalize_object (log);
  g_assert_finalize_object (message);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/message-log/order", test_order);
  g_test_add_func ("/message-log/delivery", test_delivery);
  g_test_add_func ("/message-log/end", test_end);
  g_test_add_func ("/message-log/bounded-count", test_bounded_count);
  g_test_add_func ("/message-log/bounded-bytes", test_bounded_bytes);
  g_test_add_func ("/message-log/lifetime", test_lifetime);
  return g_test_run ();
}
