/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-dice.h"
#include "kh-test.h"

/* A dialer that only writes down who was dialled how; each dial is answered by the test, or cancelled. */
typedef struct
{
  GTask *task;
  guint16 port;
  KhDialFlags flags;
} Dial;

#define TEST_TYPE_DIALER (test_dialer_get_type ())
G_DECLARE_FINAL_TYPE (TestDialer, test_dialer, TEST, DIALER, GObject)

struct _TestDialer
{
  GObject parent_instance;

  GArray *dials; /* of Dial */
};

static void dialer_init (KhDialerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestDialer, test_dialer, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (KH_TYPE_DIALER, dialer_init))

static void
test_dialer_finalize (GObject *object)
{
  g_array_unref (TEST_DIALER (object)->dials);
  G_OBJECT_CLASS (test_dialer_parent_class)->finalize (object);
}

static void
test_dialer_class_init (TestDialerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_dialer_finalize;
}

static void
test_dialer_init (TestDialer *self)
{
  self->dials = g_array_new (FALSE, FALSE, sizeof (Dial));
}

static void
dial_async (KhDialer *dialer, GInetSocketAddress *remote, KhDialFlags flags, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data)
{
  Dial dial = { g_task_new (dialer, cancellable, callback, user_data), g_inet_socket_address_get_port (remote), flags };

  g_task_set_return_on_cancel (dial.task, FALSE);
  g_array_append_val (TEST_DIALER (dialer)->dials, dial);
}

static GIOStream *
dial_finish (KhDialer *dialer, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static void
dialer_init (KhDialerInterface *iface)
{
  iface->dial_async = dial_async;
  iface->dial_finish = dial_finish;
}

static Dial *
nth (TestDialer *dialer, guint n)
{
  return &g_array_index (dialer->dials, Dial, n);
}

static void
refuse (TestDialer *dialer, guint n)
{
  GTask *task = g_steal_pointer (&nth (dialer, n)->task);

  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "refused");
  g_object_unref (task);
}

/* What was left waiting ends as the real one does. */
static void
let_go (TestDialer *dialer)
{
  for (guint i = 0; i < dialer->dials->len; i++)
    {
      g_autoptr (GTask) task = g_steal_pointer (&nth (dialer, i)->task);

      if (task == NULL)
        continue;
      g_assert_true (g_cancellable_is_cancelled (g_task_get_cancellable (task)));
      g_task_return_error_if_cancelled (task);
    }
  kh_test_settle ();
}

static KhGamble
gamble_at (guint16 low, guint16 high)
{
  return (KhGamble){ .remote = kh_address_from_text ("203.0.113.9:4000"),
                     .low = low,
                     .high = high,
                     .held = 40,
                     .per_second = 400,
                     .budget = 40 };
}

static KhDice *throw (TestDialer * dialer, KhGamble *gamble)
{
  KhDice *dice = kh_dice_new (KH_DIALER (dialer), gamble, 0);

  g_object_unref (gamble->remote);
  kh_dice_start (dice);
  return dice;
}

static void
end (TestDialer *dialer, KhDice *dice)
{
  kh_dice_stop (dice);
  let_go (dialer);
  g_assert_finalize_object (dice);
  g_object_unref (dialer);
}

/* Each port once, all of them within the range, and no more than may be. */
static void
test_doors (void)
{
  TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
  KhGamble gamble = gamble_at (5000, 5099);
  KhDice *dice = throw (dialer, &gamble);
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  gint64 start = g_get_monotonic_time ();

  kh_test_wait_until (kh_dice_get_count (dice).dialled == gamble.budget, 3000);
  /* 40 at 400 a second, of which some may come together at a busy moment. */
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 40000);
  kh_test_settle ();
  g_assert_cmpuint (dialer->dials->len, ==, 40);
  for (guint i = 0; i < dialer->dials->len; i++)
    {
      g_assert_cmpuint (nth (dialer, i)->port, >=, 5000);
      g_assert_cmpuint (nth (dialer, i)->port, <=, 5099);
      g_assert_cmpint (nth (dialer, i)->flags, ==, KH_DIAL_FROM_SHARED);
      g_assert_true (g_hash_table_add (seen, GUINT_TO_POINTER (nth (dialer, i)->port)));
    }
  end (dialer, dice);
}

static void
test_in_order (void)
{
  static const int steps[] = { 2, -2 };

  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
      KhGamble gamble = gamble_at (5000, 5010);
      KhDice *dice;

      gamble.step = steps[i];
      gamble.budget = 4;
      dice = throw (dialer, &gamble);
      kh_test_wait_until (kh_dice_get_count (dice).dialled == gamble.budget, 3000);
      for (guint j = 0; j < 4; j++)
        g_assert_cmpuint (nth (dialer, j)->port, ==, (steps[i] > 0 ? 5000 : 5010) + (int) j * steps[i]);
      end (dialer, dice);
    }
}

/* Half of the doors are primers until one is refused, and then all that follow. One that was refused is opened again. */
static void
test_primers (void)
{
  TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
  KhGamble gamble = gamble_at (5000, 5099);
  KhDice *dice;
  guint primers = 0, refused;

  gamble.primers = KH_PRIMERS_HALF;
  gamble.budget = 20;
  dice = throw (dialer, &gamble);
  kh_test_wait_until (dialer->dials->len >= 10, 3000);
  for (guint i = 0; i < 10; i++)
    primers += (nth (dialer, i)->flags & KH_DIAL_AS_PRIMER) != 0;
  g_assert_cmpuint (primers, ==, 5);

  for (refused = 0; nth (dialer, refused)->flags & KH_DIAL_AS_PRIMER;)
    refused++;
  refuse (dialer, refused);
  kh_test_wait_until (dialer->dials->len == 21, 3000);
  g_assert_cmpuint (nth (dialer, 20)->port, ==, nth (dialer, refused)->port);
  g_assert_true (nth (dialer, 20)->flags & KH_DIAL_AS_PRIMER);
  g_assert_cmpuint (kh_dice_get_count (dice).refused, ==, 1);
  g_assert_cmpuint (kh_dice_get_count (dice).dialled, ==, 20);
  end (dialer, dice);
}

/* A door that is refused every time is not opened for ever. */
static void
test_reopen (void)
{
  TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
  KhGamble gamble = gamble_at (5000, 5099);
  KhDice *dice;
  gint64 until;

  gamble.budget = 3;
  dice = throw (dialer, &gamble);
  for (guint i = 0; i < 6; i++)
    {
      kh_test_wait_until (dialer->dials->len > i, 3000);
      refuse (dialer, i);
    }
  kh_test_wait_until (kh_dice_get_count (dice).refused == 6, 3000);
  until = g_get_monotonic_time () + 100 * 1000; /* 40 dials would be due */
  kh_test_wait_until (g_get_monotonic_time () > until, 1000);
  g_assert_cmpuint (dialer->dials->len, ==, 6);
  g_assert_cmpuint (kh_dice_get_count (dice).dialled, ==, 3);
  end (dialer, dice);
}

/* Dice go to one port, from others each time. As many as may be held are thrown, and another for each one refused, until there
 * are no more. */
static void
test_dice (void)
{
  TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
  KhGamble gamble = gamble_at (4000, 4000);
  KhDice *dice;

  gamble.fresh = TRUE;
  gamble.held = 10;
  gamble.budget = 13;
  dice = throw (dialer, &gamble);
  kh_test_wait_until (dialer->dials->len == 10, 3000);
  g_assert_cmpuint (kh_dice_get_count (dice).held, ==, 10);
  for (guint i = 0; i < 5; i++)
    refuse (dialer, i);
  kh_test_wait_until (kh_dice_get_count (dice).dialled == gamble.budget, 3000);
  g_assert_cmpuint (dialer->dials->len, ==, 13);
  kh_test_wait_until (kh_dice_get_count (dice).held == 8, 3000);
  for (guint i = 0; i < 13; i++)
    {
      g_assert_cmpuint (nth (dialer, i)->port, ==, 4000);
      g_assert_cmpint (nth (dialer, i)->flags, ==, KH_DIAL_FROM_FRESH);
    }
  end (dialer, dice);
}

/* When as many as may be are held the oldest gives way. */
static void
test_rolls (void)
{
  TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
  KhGamble gamble = gamble_at (5000, 5511);
  KhDice *dice;

  gamble.fresh = TRUE;
  gamble.roll = TRUE;
  gamble.held = 10;
  gamble.budget = 30;
  dice = throw (dialer, &gamble);
  kh_test_wait_until (kh_dice_get_count (dice).dialled == gamble.budget, 3000);
  g_assert_cmpuint (dialer->dials->len, ==, 30);
  g_assert_cmpuint (kh_dice_get_count (dice).held, ==, 10);
  for (guint i = 0; i < 30; i++)
    g_assert_true (g_cancellable_is_cancelled (g_task_get_cancellable (nth (dialer, i)->task)) == (i < 20));
  end (dialer, dice);
}

static void
count (KhDice *dice, GIOStream *stream, GInetSocketAddress *remote, guint *connected)
{
  ++*connected;
}

/* One that is answered is told of, and nothing new is thrown while that is being looked at. */
static void
test_answered (void)
{
  TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
  g_autoptr (GInputStream) input = g_memory_input_stream_new ();
  g_autoptr (GOutputStream) output = g_memory_output_stream_new_resizable ();
  KhGamble gamble = gamble_at (5000, 5999);
  KhDice *dice;
  GTask *task;
  guint connected = 0, dialled;
  gint64 until;

  gamble.held = gamble.budget = 1000;
  dice = throw (dialer, &gamble);
  g_signal_connect (dice, "connected", G_CALLBACK (count), &connected);
  kh_test_wait_until (dialer->dials->len > 0, 3000);
  task = g_steal_pointer (&nth (dialer, 0)->task);
  g_task_return_pointer (task, g_simple_io_stream_new (input, output), g_object_unref);
  g_object_unref (task);
  kh_test_wait_until (connected == 1, 3000);
  dialled = kh_dice_get_count (dice).dialled;
  until = g_get_monotonic_time () + 300 * 1000; /* 120 dials would be due */
  kh_test_wait_until (g_get_monotonic_time () > until, 1000);
  g_assert_cmpuint (kh_dice_get_count (dice).dialled, ==, dialled);
  kh_test_wait_until (kh_dice_get_count (dice).dialled > dialled, 3000);
  end (dialer, dice);
}

/* Where each of them may get in the first ones are few. */
static void
test_cautious (void)
{
  TestDialer *dialer = g_object_new (TEST_TYPE_DIALER, NULL);
  KhGamble gamble = gamble_at (4000, 4000);
  KhDice *dice;

  gamble.fresh = gamble.cautious = TRUE;
  dice = throw (dialer, &gamble);
  g_assert_cmpuint (dialer->dials->len, ==, 8);
  kh_test_wait_until (dialer->dials->len == 40, 3000);
  end (dialer, dice);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/dice/doors", test_doors);
  g_test_add_func ("/dice/in-order", test_in_order);
  g_test_add_func ("/dice/primers", test_primers);
  g_test_add_func ("/dice/reopen", test_reopen);
  g_test_add_func ("/dice/dice", test_dice);
  g_test_add_func ("/dice/rolls", test_rolls);
  g_test_add_func ("/dice/answered", test_answered);
  g_test_add_func ("/dice/cautious", test_cautious);
  return g_test_run ();
}
