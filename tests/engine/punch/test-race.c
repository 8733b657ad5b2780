/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-error.h"
#include "kh-json.h"
#include "kh-noise.h"
#include "kh-race.h"
#include "kh-test.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- a dialer that does as it is told ----------------------------------------------------------------------------- */

#define TEST_TYPE_DIALER (test_dialer_get_type ())
G_DECLARE_FINAL_TYPE (TestDialer, test_dialer, TEST, DIALER, GObject)

struct _TestDialer
{
  GObject parent_instance;

  GPtrArray *dials; /* of GTask, in the order they were made */
  KhDialerAcceptFunc accept_func;
  gpointer accept_data;
};

static void dialer_init (KhDialerInterface *iface);

G_DEFINE_FINAL_TYPE_WITH_CODE (TestDialer, test_dialer, G_TYPE_OBJECT,
                               G_IMPLEMENT_INTERFACE (KH_TYPE_DIALER, dialer_init))

static void
test_dialer_finalize (GObject *object)
{
  g_ptr_array_unref (TEST_DIALER (object)->dials);
  G_OBJECT_CLASS (test_dialer_parent_class)->finalize (object);
}

static void
test_dialer_class_init (TestDialerClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = test_dialer_finalize;
}

static void
clear_task (gpointer task)
{
  if (task != NULL)
    g_object_unref (task);
}

static void
test_dialer_init (TestDialer *self)
{
  self->dials = g_ptr_array_new_with_free_func (clear_task);
}

static GInetSocketAddress *
local_for (KhDialer *dialer, GInetSocketAddress *remote, GError **error)
{
  return kh_address_new ("192.168.1.7", 4000);
}

static void
dial_async (KhDialer *dialer, GInetSocketAddress *remote, KhDialFlags flags, GCancellable *cancellable,
            GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (dialer, cancellable, callback, user_data);

  g_task_set_return_on_cancel (task, FALSE);
  g_ptr_array_add (TEST_DIALER (dialer)->dials, task);
}

static GIOStream *
dial_finish (KhDialer *dialer, GAsyncResult *result, GError **error)
{
  return g_task_propagate_pointer (G_TASK (result), error);
}

static gboolean
listen_for (KhDialer *dialer, KhDialerAcceptFunc func, gpointer user_data, GError **error)
{
  TEST_DIALER (dialer)->accept_func = func;
  TEST_DIALER (dialer)->accept_data = user_data;
  return TRUE;
}

static void
unlisten (KhDialer *dialer)
{
  TEST_DIALER (dialer)->accept_func = NULL;
}

static guint
get_primer_hops (KhDialer *dialer)
{
  return 2;
}

static void
dialer_init (KhDialerInterface *iface)
{
  iface->local_for = local_for;
  iface->dial_async = dial_async;
  iface->dial_finish = dial_finish;
  iface->listen = listen_for;
  iface->unlisten = unlisten;
  iface->get_primer_hops = get_primer_hops;
}

/* The n-th dial, taken: it is answered once. */
static GTask *
take_dial (TestDialer *dialer, guint n)
{
  GTask *task = g_ptr_array_index (dialer->dials, n);

  g_assert_nonnull (task);
  g_ptr_array_index (dialer->dials, n) = NULL;
  return task;
}

static void
succeed (TestDialer *dialer, guint n, GIOStream *stream)
{
  g_autoptr (GTask) task = take_dial (dialer, n);

  g_task_return_pointer (task, stream, g_object_unref);
}

static void
refuse (TestDialer *dialer, guint n)
{
  g_autoptr (GTask) task = take_dial (dialer, n);

  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED, "refused");
}

/* The kernel answers every dial in the end, be it long after anybody cares. */
static void
refuse_the_rest (TestDialer *dialer)
{
  for (guint n = 0; n < dialer->dials->len; n++)
    if (g_ptr_array_index (dialer->dials, n) != NULL)
      refuse (dialer, n);
}

static void
accept_from (TestDialer *dialer, GIOStream *stream, const char *remote)
{
  g_autoptr (GInetSocketAddress) local = kh_address_new ("192.168.1.7", 4000);
  g_autoptr (GInetSocketAddress) address = kh_address_from_text (remote);

  g_assert_nonnull (dialer->accept_func);
  dialer->accept_func (KH_DIALER (dialer), stream, local, address, dialer->accept_data);
  g_object_unref (stream);
}

/* Two ends of one connection. */
static void
make_pair (GIOStream *ends[2])
{
  int fds[2];

  g_assert_cmpint (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds), ==, 0);
  for (int i = 0; i < 2; i++)
    {
      g_autoptr (GSocket) socket = g_socket_new_from_fd (fds[i], NULL);

      g_socket_set_blocking (socket, FALSE);
      ends[i] = G_IO_STREAM (g_socket_connection_factory_create_connection (socket));
    }
}

/* --- two races facing one another ----------------------------------------------------------------------------------- */

static const guint8 psk[32] = "a key that only the friends know";

typedef struct
{
  KhTrace *trace;
  TestDialer *dialer;
  KhRace *race;
  GCancellable *cancellable;
  GAsyncResult *result;
} Side;

typedef struct
{
  Side sides[2]; /* by KhRole */
} Duel;

#define FRIEND "203.0.113.9:4000"

static void
duel_begin (Duel *duel, guint targets, guint timeout_ms)
{
  g_autoptr (GInetSocketAddress) remote = kh_address_from_text (FRIEND);

  memset (duel, 0, sizeof *duel);
  for (int role = 0; role < 2; role++)
    {
      Side *side = &duel->sides[role];

      side->trace = kh_trace_new ();
      side->dialer = g_object_new (TEST_TYPE_DIALER, NULL);
      side->cancellable = g_cancellable_new ();
      side->race = kh_race_new (side->trace, KH_DIALER (side->dialer), role, psk, 0);
      for (guint i = 0; i < targets; i++)
        {
          g_autofree char *text = g_strdup_printf ("203.0.113.9:%u", 4000 + i);
          g_autoptr (GInetSocketAddress) target = kh_address_from_text (text);

          kh_race_add_target (side->race, KH_MOVE_DIAL, target, KH_DIAL_FROM_SHARED, FALSE);
        }
      kh_race_expect (side->race, KH_MOVE_DIAL, remote);
      kh_race_run_async (side->race, timeout_ms, side->cancellable, kh_test_store_result, &side->result);
      g_assert_cmpuint (side->dialer->dials->len, ==, targets);
    }
}

static KhChannel *
finish (Side *side, GError **error)
{
  KhChannel *channel;

  kh_test_wait_until (side->result != NULL, 5000);
  channel = kh_race_run_finish (side->race, side->result, error);
  return channel;
}

static void
duel_end (Duel *duel)
{
  for (int role = 0; role < 2; role++)
    refuse_the_rest (duel->sides[role].dialer);
  kh_test_settle ();
  for (int role = 0; role < 2; role++)
    {
      Side *side = &duel->sides[role];

      g_clear_object (&side->result);
      g_object_unref (side->cancellable);
      g_assert_finalize_object (side->race);
      g_assert_finalize_object (side->dialer);
      g_object_unref (side->trace);
    }
}

static guint
count_events (Side *side, const char *kind, const char *outcome)
{
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (side->trace)); i++)
    {
      g_autoptr (KhEvent) event = g_list_model_get_item (G_LIST_MODEL (side->trace), i);

      if (g_str_equal (kh_event_get_kind (event), kind) &&
          (outcome == NULL || g_strcmp0 (kh_json_get_string (kh_event_get_members (event), "outcome"), outcome) == 0))
        n++;
    }
  return n;
}

static void
assert_every_attempt_ended (Side *side)
{
  g_assert_cmpuint (count_events (side, "attempt.start", NULL) + count_events (side, "attempt.accepted", NULL), ==,
                    count_events (side, "attempt.end", NULL));
}

static void
got_frame (KhChannel *channel, GBytes *frame, gpointer location)
{
  GBytes **stored = location;

  g_assert_null (*stored);
  *stored = g_bytes_ref (frame);
}

static void
got_end (KhChannel *channel, const GError *error, gpointer unused)
{
}

/* The proof that both hold the two ends of one connection: what one says, the other hears. */
static void
assert_same_socket (KhChannel *a, KhChannel *b)
{
  g_autoptr (GBytes) said = g_bytes_new_static ("hello", 5);
  g_autoptr (GBytes) heard_by_a = NULL;
  g_autoptr (GBytes) heard_by_b = NULL;

  kh_channel_set_handler (a, got_frame, got_end, &heard_by_a);
  kh_channel_set_handler (b, got_frame, got_end, &heard_by_b);
  g_assert_true (kh_channel_send (a, said));
  g_assert_true (kh_channel_send (b, said));
  kh_test_wait_until (heard_by_a != NULL && heard_by_b != NULL, 2000);
  g_assert_true (g_bytes_equal (heard_by_a, said) && g_bytes_equal (heard_by_b, said));
}

static void
assert_won (Duel *duel)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhChannel) of_joiner = finish (&duel->sides[KH_ROLE_JOINER], &error);
  g_autoptr (KhChannel) of_inviter = NULL;

  g_assert_no_error (error);
  of_inviter = finish (&duel->sides[KH_ROLE_INVITER], &error);
  g_assert_no_error (error);
  assert_same_socket (of_inviter, of_joiner);
  for (int role = 0; role < 2; role++)
    {
      assert_every_attempt_ended (&duel->sides[role]);
      g_assert_cmpuint (count_events (&duel->sides[role], "attempt.end", "connected"), ==, 1);
      g_assert_cmpuint (count_events (&duel->sides[role], "path.selected", NULL), >=, 1);
    }
  kh_channel_close (of_inviter);
  kh_channel_close (of_joiner);
}

/* How one end of a connection comes to a side: by its n-th dial, or through its door. */
static void
hand_over (Side *side, gboolean by_dial, guint n, GIOStream *end)
{
  if (by_dial)
    succeed (side->dialer, n, end);
  else
    accept_from (side->dialer, end, FRIEND);
}

/* --- tests ------------------------------------------------------------------------------------------------------------ */

/* One or two connections, each dialled or accepted on either side, their four ends arriving in every order. */
static void
test_every_order (void)
{
  static const guint8 orders[][4] = { { 0, 1, 2, 3 }, { 0, 2, 1, 3 }, { 0, 2, 3, 1 }, { 0, 3, 1, 2 }, { 0, 3, 2, 1 },
                                      { 1, 0, 3, 2 }, { 1, 2, 3, 0 }, { 1, 3, 0, 2 }, { 2, 0, 1, 3 }, { 2, 1, 3, 0 },
                                      { 2, 3, 0, 1 }, { 3, 0, 2, 1 }, { 3, 1, 0, 2 }, { 3, 2, 1, 0 } };
  guint runs = 0;

  for (guint how = 0; how < 16; how++)
    for (gsize o = 0; o < G_N_ELEMENTS (orders); o++)
      for (guint turn = 0; turn < 2; turn++)
        {
          GIOStream *ends[4];
          Duel duel;

          make_pair (ends);
          make_pair (ends + 2);
          duel_begin (&duel, 2, 5000);
          for (guint i = 0; i < 4; i++)
            {
              guint end = orders[o][i];
              Side *side = &duel.sides[end % 2];

              if (side->result == NULL && side->dialer->accept_func != NULL)
                hand_over (side, how >> end & 1, end / 2, ends[end]);
              else
                g_object_unref (ends[end]);
              if (turn) /* else all at once */
                kh_test_settle ();
            }
          assert_won (&duel);
          duel_end (&duel);
          runs++;
        }

  g_test_message ("%u orders", runs);
}

static void
test_refused_dials_again (void)
{
  GIOStream *ends[2];
  Duel duel;

  duel_begin (&duel, 1, 5000);
  for (int role = 0; role < 2; role++)
    refuse (duel.sides[role].dialer, 0);
  kh_test_wait_until (duel.sides[0].dialer->dials->len == 2 && duel.sides[1].dialer->dials->len == 2, 2000);
  make_pair (ends);
  for (int role = 0; role < 2; role++)
    succeed (duel.sides[role].dialer, 1, ends[role]);
  assert_won (&duel);
  g_assert_cmpuint (count_events (&duel.sides[0], "attempt.end", "refused"), ==, 1);
  duel_end (&duel);
}

/* The friend's dial is under way and needs the hole that a refusal has closed: the first time nobody waits, afterwards they do. */
static void
test_first_refusal_dials_at_once (void)
{
  g_autoptr (GError) error = NULL;
  TestDialer *dialer;
  Duel duel;

  duel_begin (&duel, 1, 400);
  dialer = duel.sides[0].dialer;
  refuse (dialer, 0);
  kh_test_settle ();
  g_assert_cmpuint (dialer->dials->len, ==, 2);
  refuse (dialer, 1);
  kh_test_settle ();
  g_assert_cmpuint (dialer->dials->len, ==, 2);
  kh_test_wait_until (dialer->dials->len == 3, 2000);
  g_assert_null (finish (&duel.sides[0], &error));
  g_clear_error (&error);
  g_assert_null (finish (&duel.sides[1], &error));
  for (int role = 0; role < 2; role++)
    refuse_the_rest (duel.sides[role].dialer);
  duel_end (&duel);
}

/* Held, not hammered: without an answer nobody dials again. */
static void
test_silence_is_held (void)
{
  g_autoptr (GError) error = NULL;
  Duel duel;

  duel_begin (&duel, 2, 700);
  g_assert_null (finish (&duel.sides[0], &error));
  g_assert_error (error, KH_ERROR, KH_ERROR_NO_PATH);
  g_clear_error (&error);
  g_assert_null (finish (&duel.sides[1], &error));
  for (int role = 0; role < 2; role++)
    {
      Side *side = &duel.sides[role];

      g_assert_cmpuint (side->dialer->dials->len, ==, 2);
      g_assert_cmpuint (count_events (side, "attempt.end", "silent"), ==, 2);
      for (guint n = 0; n < 2; n++)
        g_assert_true (
            g_cancellable_is_cancelled (g_task_get_cancellable (g_ptr_array_index (side->dialer->dials, n))));
    }
  duel_end (&duel);
}

/* A connection that dies after it was nominated, before the joiner could accept: the other one becomes the path. */
static void
test_nominated_dies (void)
{
  GIOStream *first[2];
  GIOStream *second[2];
  Duel duel;
  GIOStream *kept;

  make_pair (first);
  make_pair (second);
  kept = g_object_ref (first[KH_ROLE_JOINER]);
  duel_begin (&duel, 2, 5000);

  succeed (duel.sides[KH_ROLE_JOINER].dialer, 0, first[KH_ROLE_JOINER]);
  kh_test_wait_until (count_events (&duel.sides[KH_ROLE_JOINER], "attempt.connected", NULL) == 1, 2000);
  kh_test_settle ();
  succeed (duel.sides[KH_ROLE_INVITER].dialer, 0, first[KH_ROLE_INVITER]);
  /* The inviter has answered as soon as it has read; cut the wire from the joiner's end before it reads that. */
  g_socket_shutdown (g_socket_connection_get_socket (G_SOCKET_CONNECTION (kept)), TRUE, TRUE, NULL);
  g_object_unref (kept);

  succeed (duel.sides[KH_ROLE_JOINER].dialer, 1, second[KH_ROLE_JOINER]);
  succeed (duel.sides[KH_ROLE_INVITER].dialer, 1, second[KH_ROLE_INVITER]);
  assert_won (&duel);
  duel_end (&duel);
}

/* Reads what there is, with a deadline; an empty answer means that the other end closed. */
static GBytes *
read_some (GIOStream *stream)
{
  GInputStream *input = g_io_stream_get_input_stream (stream);
  GAsyncResult *result = NULL;
  GBytes *got;

  g_input_stream_read_bytes_async (input, 65536, 0, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, 5000);
  got = g_input_stream_read_bytes_finish (input, result, NULL);
  g_object_unref (result);
  return got != NULL ? got : g_bytes_new (NULL, 0);
}

static GBytes *
first_message (const guint8 *key)
{
  static const guint8 prologue[] = { 'k', 'n', 'o', 't', 'h', 'o', 'l', 'e', '/', '1', 0, 0, 0, 0 };
  const char *payload = "{\"attempt\":1,\"move\":\"dial\"}";
  g_autoptr (KhNoise) noise = kh_noise_new (TRUE, key, prologue, sizeof prologue);
  g_autoptr (GBytes) message = kh_noise_write (noise, (const guint8 *) payload, strlen (payload), NULL);
  gsize length;
  const guint8 *bytes = g_bytes_get_data (message, &length);
  GByteArray *framed = g_byte_array_new ();
  guint8 head[2] = { length >> 8, length & 0xff };

  g_byte_array_append (framed, head, 2);
  g_byte_array_append (framed, bytes, length);
  return g_byte_array_free_to_bytes (framed);
}

static void
write_bytes (GIOStream *stream, GBytes *bytes)
{
  gsize length;
  const void *data = g_bytes_get_data (bytes, &length);

  g_assert_true (g_output_stream_write_all (g_io_stream_get_output_stream (stream), data, length, NULL, NULL, NULL));
}

static void
test_replayed_first_message (void)
{
  g_autoptr (GBytes) message = first_message (psk);
  g_autoptr (GBytes) answer = NULL;
  g_autoptr (GBytes) nothing = NULL;
  GIOStream *honest[2];
  GIOStream *replay[2];
  Duel duel;

  duel_begin (&duel, 0, 5000);
  make_pair (honest);
  accept_from (duel.sides[KH_ROLE_INVITER].dialer, honest[0], FRIEND);
  write_bytes (honest[1], message);
  answer = read_some (honest[1]);
  g_assert_cmpuint (g_bytes_get_size (answer), >, 48);

  make_pair (replay);
  accept_from (duel.sides[KH_ROLE_INVITER].dialer, replay[0], FRIEND);
  write_bytes (replay[1], message);
  nothing = read_some (replay[1]);
  g_assert_cmpuint (g_bytes_get_size (nothing), ==, 0);
  g_assert_cmpuint (count_events (&duel.sides[KH_ROLE_INVITER], "attempt.end", "not-friend"), ==, 1);

  for (int role = 0; role < 2; role++)
    {
      g_cancellable_cancel (duel.sides[role].cancellable);
      g_assert_null (finish (&duel.sides[role], NULL));
    }
  g_object_unref (honest[1]);
  g_object_unref (replay[1]);
  duel_end (&duel);
}

/* Strangers: 40 that say nothing, then one with a wrong key and one with junk, and the friend still comes in. */
static void
test_strangers (void)
{
  static const guint8 wrong[32] = "another key";
  g_autoptr (GBytes) wrong_message = first_message (wrong);
  g_autoptr (GBytes) junk = g_bytes_new_static ("GET / HTTP/1.1\r\nHost: example\r\n\r\n", 33);
  g_autoptr (GPtrArray) strangers = g_ptr_array_new_with_free_func (g_object_unref);
  GIOStream *ends[2];
  Side *inviter;
  Duel duel;

  duel_begin (&duel, 1, 5000);
  inviter = &duel.sides[KH_ROLE_INVITER];
  for (int i = 0; i < 42; i++)
    {
      GIOStream *pair[2];

      make_pair (pair);
      accept_from (inviter->dialer, pair[0], "198.51.100.1:99");
      g_ptr_array_add (strangers, pair[1]);
      if (i >= 40)
        write_bytes (pair[1], i == 40 ? wrong_message : junk);
      g_assert_cmpuint (count_events (inviter, "attempt.accepted", NULL) - count_events (inviter, "attempt.end", NULL),
                        <=, 16);
    }
  kh_test_wait_until (count_events (inviter, "attempt.end", "not-friend") >= 28, 2000);

  /* None of them has been told anything. */
  for (guint i = 0; i < strangers->len; i++)
    {
      GSocket *socket = g_socket_connection_get_socket (g_ptr_array_index (strangers, i));
      char byte;

      g_assert_cmpint (g_socket_receive (socket, &byte, 1, NULL, NULL), <=, 0);
    }

  make_pair (ends);
  accept_from (inviter->dialer, ends[KH_ROLE_INVITER], FRIEND);
  succeed (duel.sides[KH_ROLE_JOINER].dialer, 0, ends[KH_ROLE_JOINER]);
  assert_won (&duel);
  duel_end (&duel);
}

/* Who says nothing is not kept. */
static void
test_silent_stranger_is_sent_away (void)
{
  GIOStream *pair[2];
  g_autoptr (GBytes) end = NULL;
  gint64 start = g_get_monotonic_time ();
  Duel duel;

  duel_begin (&duel, 0, 10000);
  make_pair (pair);
  accept_from (duel.sides[KH_ROLE_INVITER].dialer, pair[0], "198.51.100.1:99");
  end = read_some (pair[1]);
  g_assert_cmpuint (g_bytes_get_size (end), ==, 0);
  g_assert_cmpint (g_get_monotonic_time () - start, >=, 1900000);
  for (int role = 0; role < 2; role++)
    {
      g_cancellable_cancel (duel.sides[role].cancellable);
      g_assert_null (finish (&duel.sides[role], NULL));
    }
  g_object_unref (pair[1]);
  duel_end (&duel);
}

/* A dial that succeeds after the race was cancelled is closed and told to nobody. */
static void
test_late_success (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) end = NULL;
  GIOStream *pair[2];
  Duel duel;

  duel_begin (&duel, 1, 5000);
  for (int role = 0; role < 2; role++)
    {
      g_clear_error (&error);
      g_cancellable_cancel (duel.sides[role].cancellable);
      g_assert_null (finish (&duel.sides[role], &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      assert_every_attempt_ended (&duel.sides[role]);
    }

  make_pair (pair);
  succeed (duel.sides[0].dialer, 0, pair[0]);
  end = read_some (pair[1]);
  g_assert_cmpuint (g_bytes_get_size (end), ==, 0);
  g_object_unref (pair[1]);
  duel_end (&duel);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/race/every-order", test_every_order);
  g_test_add_func ("/race/refused-dials-again", test_refused_dials_again);
  g_test_add_func ("/race/first-refusal-dials-at-once", test_first_refusal_dials_at_once);
  g_test_add_func ("/race/silence-is-held", test_silence_is_held);
  g_test_add_func ("/race/nominated-dies", test_nominated_dies);
  g_test_add_func ("/race/replayed-first-message", test_replayed_first_message);
  g_test_add_func ("/race/strangers", test_strangers);
  g_test_add_func ("/race/silent-stranger-is-sent-away", test_silent_stranger_is_sent_away);
  g_test_add_func ("/race/late-success", test_late_success);
  return g_test_run ();
}
