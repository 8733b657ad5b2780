/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-race.h"

#include "kh-address.h"
#include "kh-agreement.h"
#include "kh-dice.h"
#include "kh-error.h"

#include <string.h>

/* A stranger who connects and says nothing is not kept longer than this; a friend speaks within a round trip. */
#define FIRST_MESSAGE_MS 2000

/* How many unproven connections may wait at our door: from addresses the friend named, and from others. */
#define PLACES 16

/* Proven connections beside one another. Each is a socket that the friend made; nobody honest makes more. */
#define MAX_FINISHED 64

/* Dial again only after a real answer, the first time at once: the refusal may have closed the hole that the friend's dial
 * needs, which is under way since our offer came. [RTT 80 ms, routers that are silent, refuse or send ICMP, each with each:
 * 161 to 163 ms. With a random wait the first time already, 300 to 500 ms, and no path at all where ICMP ended our dial and
 * the friend's SYN then met the listener.] After that, where both routers refuse strangers, the two SYNs have to cross: each
 * side picks its moment at random within twice the time that the refusal took, since a wider spread makes them miss one
 * another and a narrower one keeps them in step. [RTT 80 ms, both refusing: median 0.4 s of 12 runs; with a
 * fixed 300 ms 2.6 s of 6.] What does not help soon is tried less and less often. */
#define REDIAL_BASE_MS 50
#define REDIAL_SPREAD_MIN_MS 30
#define REDIAL_SPREAD_MAX_MS 400
#define REDIALS_PER_STEP 10

/* A middlebox may complete a connection for a friend who is not there yet. */
#define NOT_FRIEND_REDIAL_MS 200
#define REDIAL_MAX_STEP 4

/* Dials that wait for the friend's word do not wait longer than this. */
#define RELEASE_MS 1200

/* Dice that were answered, beside one another: if it was the friend, one is enough. */
#define MAX_ANSWERED_DICE 4

/* How often it is told how the dice stand. */
#define DICE_REPORT_MS 500

/**
 * KhRace:
 *
 * Runs the moves of a plan side by side until both friends agree on one socket.
 *
 * A connect() that succeeds is only a candidate: strangers answer too. So each socket, dialled or accepted, becomes a
 * #KhChannel on which the joiner proves itself first; #KhAgreement then decides which one is the path. Losers are
 * closed only after the path is agreed, because closing one that shares the winner's addresses would kill the winner
 * (law 7). Dials are held, never hammered (law 5).
 *
 * The states of a runner: dialling → proving → finished → path, or dropped from any of them. Whatever happens, each
 * attempt has one `attempt.start` or `attempt.accepted` and one `attempt.end` in the trace.
 */
struct _KhRace
{
  GObject parent_instance;

  KhTrace *trace;
  KhDialer *dialer;
  KhRole role;
  guint8 psk[32];
  guint32 epoch;

  GPtrArray *targets;  /* of Target: whom we dial */
  GPtrArray *gambles;  /* of Gamble: whom we dial many times */
  GPtrArray *expected; /* of Target: where the friend may come from */
  GPtrArray *runners;  /* of Runner, oldest first */
  GHashTable *seen;    /* of GBytes: valid first messages, so that a replay is noticed */
  KhAgreement *agreement;
  guint last_id;
  gint64 start;
  GTask *task;
  guint deadline_id;
  guint agreement_id;
  guint release_id;
  gboolean released;
  guint dice_report_id;
};

typedef struct
{
  KhMove move;
  GInetSocketAddress *remote;
  KhDialFlags flags;
  gboolean waits; /* until the friend has opened his hole */
  KhRace *race;
  guint redial_id;
  guint redials;
} Target;

typedef struct
{
  KhMove move;
  KhDice *dice;
  KhDiceCount told; /* when it was last told how they stand */
  KhRace *race;
} Gamble;

typedef struct
{
  guint id;
  KhMove move;
  char *local;
  char *remote;
  Target *target; /* of a dial; NULL for an accepted one */
  gboolean is_die;
  gboolean known; /* accepted from an address that the friend named */
  gboolean finished;
  gint64 start;
  GCancellable *dialling;
  KhChannel *channel;
  KhRace *race;
  guint patience_id;
} Runner;

G_DEFINE_FINAL_TYPE (KhRace, kh_race, G_TYPE_OBJECT)

static void dial (KhRace *self, Target *target);
static void pump (KhRace *self);

static void
target_free (Target *target)
{
  g_clear_handle_id (&target->redial_id, g_source_remove);
  g_object_unref (target->remote);
  g_free (target);
}

static void
gamble_free (Gamble *gamble)
{
  g_signal_handlers_disconnect_by_data (gamble->dice, gamble);
  kh_dice_stop (gamble->dice);
  g_object_unref (gamble->dice);
  g_free (gamble);
}

static void
runner_free (Runner *runner)
{
  g_clear_handle_id (&runner->patience_id, g_source_remove);
  if (runner->dialling != NULL)
    g_cancellable_cancel (runner->dialling);
  g_clear_object (&runner->dialling);
  if (runner->channel != NULL)
    kh_channel_close (runner->channel);
  g_clear_object (&runner->channel);
  g_free (runner->local);
  g_free (runner->remote);
  g_free (runner);
}

static void
kh_race_dispose (GObject *object)
{
  KhRace *self = KH_RACE (object);

  g_clear_handle_id (&self->deadline_id, g_source_remove);
  g_clear_handle_id (&self->agreement_id, g_source_remove);
  g_clear_handle_id (&self->release_id, g_source_remove);
  g_clear_handle_id (&self->dice_report_id, g_source_remove);
  if (self->dialer != NULL)
    kh_dialer_unlisten (self->dialer);
  g_ptr_array_set_size (self->runners, 0);
  g_ptr_array_set_size (self->targets, 0);
  g_ptr_array_set_size (self->gambles, 0);
  g_clear_object (&self->dialer);
  g_clear_object (&self->trace);

  G_OBJECT_CLASS (kh_race_parent_class)->dispose (object);
}

static void
kh_race_finalize (GObject *object)
{
  KhRace *self = KH_RACE (object);

  g_ptr_array_unref (self->targets);
  g_ptr_array_unref (self->gambles);
  g_ptr_array_unref (self->expected);
  g_ptr_array_unref (self->runners);
  g_hash_table_unref (self->seen);
  kh_agreement_free (self->agreement);
  explicit_bzero (self->psk, sizeof self->psk);

  G_OBJECT_CLASS (kh_race_parent_class)->finalize (object);
}

static void
kh_race_class_init (KhRaceClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_race_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_race_finalize;
}

static void
kh_race_init (KhRace *self)
{
  self->targets = g_ptr_array_new_with_free_func ((GDestroyNotify) target_free);
  self->gambles = g_ptr_array_new_with_free_func ((GDestroyNotify) gamble_free);
  self->expected = g_ptr_array_new_with_free_func ((GDestroyNotify) target_free);
  self->runners = g_ptr_array_new_with_free_func ((GDestroyNotify) runner_free);
  self->seen = g_hash_table_new_full (g_bytes_hash, g_bytes_equal, (GDestroyNotify) g_bytes_unref, NULL);
}

/**
 * kh_race_new:
 * @trace: where each attempt is told
 * @dialer: makes the sockets
 * @role: the joiner speaks first on every socket, the inviter nominates
 * @psk: (array fixed-size=32): what only the two friends know
 * @epoch: 0 for the first conversation
 *
 * Returns: (transfer full): a race that has not begun
 */
KhRace *
kh_race_new (KhTrace *trace, KhDialer *dialer, KhRole role, const guint8 *psk, guint32 epoch)
{
  KhRace *self = g_object_new (KH_TYPE_RACE, NULL);

  self->trace = g_object_ref (trace);
  self->dialer = g_object_ref (dialer);
  self->role = role;
  memcpy (self->psk, psk, sizeof self->psk);
  self->epoch = epoch;
  self->agreement = kh_agreement_new (role);

  return self;
}

static Target *
add_target (GPtrArray *targets, KhRace *self, KhMove move, GInetSocketAddress *remote)
{
  Target *target = g_new0 (Target, 1);

  target->move = move;
  target->remote = g_object_ref (remote);
  target->race = self;
  g_ptr_array_add (targets, target);
  return target;
}

/**
 * kh_race_add_target:
 * @move: the move it belongs to
 * @remote: whom to dial
 * @flags: how
 * @waits: whether to wait for kh_race_release(), though not for ever
 *
 * Adds somebody to dial once the race runs. An address that is there already, by a cheaper move, is not dialled twice:
 * it would be the same pair of addresses.
 */
void
kh_race_add_target (KhRace *self, KhMove move, GInetSocketAddress *remote, KhDialFlags flags, gboolean waits)
{
  Target *target;

  g_return_if_fail (KH_IS_RACE (self) && self->task == NULL);

  if (kh_race_has_target (self, remote))
    return;
  target = add_target (self->targets, self, move, remote);
  target->flags = flags;
  target->waits = waits;
}

static void on_die_connected (KhDice *dice, GIOStream *stream, GInetSocketAddress *remote, Gamble *gamble);

/**
 * kh_race_add_gamble:
 * @move: the move it belongs to
 * @gamble: whom to dial, and how often
 * @flags: how
 *
 * Adds somebody to dial many times once the race runs.
 */
void
kh_race_add_gamble (KhRace *self, KhMove move, const KhGamble *gamble, KhDialFlags flags)
{
  Gamble *added;

  g_return_if_fail (KH_IS_RACE (self) && self->task == NULL);

  added = g_new0 (Gamble, 1);
  added->move = move;
  added->dice = kh_dice_new (self->dialer, gamble, flags);
  added->race = self;
  g_signal_connect (added->dice, "connected", G_CALLBACK (on_die_connected), added);
  g_ptr_array_add (self->gambles, added);
}

/**
 * kh_race_has_target:
 *
 * Returns: whether @remote will be dialled
 */
gboolean
kh_race_has_target (KhRace *self, GInetSocketAddress *remote)
{
  g_return_val_if_fail (KH_IS_RACE (self), FALSE);

  for (guint i = 0; i < self->targets->len; i++)
    if (kh_address_equal (G_SOCKET_ADDRESS (((Target *) g_ptr_array_index (self->targets, i))->remote),
                          G_SOCKET_ADDRESS (remote)))
      return TRUE;
  return FALSE;
}

/**
 * kh_race_expect:
 * @move: what a connection from there is called
 * @remote: an address from which the friend may come, whatever the port
 */
void
kh_race_expect (KhRace *self, KhMove move, GInetSocketAddress *remote)
{
  g_return_if_fail (KH_IS_RACE (self) && self->task == NULL);

  add_target (self->expected, self, move, remote);
}

/* --- ends --------------------------------------------------------------------------------------------------- */

static void
report_end (KhRace *self, Runner *runner, const char *outcome, const char *detail)
{
  gint64 elapsed_ms = (g_get_monotonic_time () - runner->start) / 1000;

  if (detail != NULL)
    kh_trace_add (self->trace, "attempt.end", "id:i outcome:s elapsed_ms:l detail:s", runner->id, outcome, elapsed_ms,
                  detail);
  else
    kh_trace_add (self->trace, "attempt.end", "id:i outcome:s elapsed_ms:l", runner->id, outcome, elapsed_ms);
}

static void
drop (KhRace *self, Runner *runner, const char *outcome, const char *detail)
{
  guint id = runner->id;

  report_end (self, runner, outcome, detail);
  g_ptr_array_remove (self->runners, runner);
  kh_agreement_remove (self->agreement, id, g_get_monotonic_time ());
}

static void
report_dice (KhRace *self)
{
  for (guint i = 0; i < self->gambles->len; i++)
    {
      Gamble *gamble = g_ptr_array_index (self->gambles, i);
      KhDiceCount count = kh_dice_get_count (gamble->dice);

      if (memcmp (&count, &gamble->told, sizeof count) == 0)
        continue;
      gamble->told = count;
      kh_trace_add (self->trace, "dice.count", "move:s dialled:i held:i refused:i", kh_move_name (gamble->move),
                    count.dialled, count.held, count.refused);
    }
}

/* The one way the race ends: everything but the winner is closed, then the task returns. */
static GTask *
end (KhRace *self, const char *outcome_of_dials)
{
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  g_clear_handle_id (&self->agreement_id, g_source_remove);
  g_clear_handle_id (&self->release_id, g_source_remove);
  report_dice (self);
  g_clear_handle_id (&self->dice_report_id, g_source_remove);
  g_ptr_array_set_size (self->gambles, 0);
  kh_dialer_unlisten (self->dialer);
  for (guint i = 0; i < self->runners->len; i++)
    {
      Runner *runner = g_ptr_array_index (self->runners, i);

      report_end (self, runner, runner->finished ? "lost-race" : outcome_of_dials, NULL);
    }
  g_ptr_array_set_size (self->runners, 0);
  for (guint i = 0; i < self->targets->len; i++)
    g_clear_handle_id (&((Target *) g_ptr_array_index (self->targets, i))->redial_id, g_source_remove);

  return g_steal_pointer (&self->task);
}

static void
return_task (GTask *task, KhChannel *channel, GError *error)
{
  gulong cancelled_id = GPOINTER_TO_SIZE (g_task_get_task_data (task));

  if (cancelled_id != 0)
    g_signal_handler_disconnect (g_task_get_cancellable (task), cancelled_id);
  if (channel != NULL)
    g_task_return_pointer (task, channel, g_object_unref);
  else
    g_task_return_error (task, error);
  g_object_unref (task);
}

static void
win (KhRace *self, Runner *winner)
{
  KhChannel *channel = g_steal_pointer (&winner->channel);

  /* Reading pauses until the conversation takes over, so nothing that comes behind the agreement is lost. */
  kh_channel_set_handler (channel, NULL, NULL, NULL);
  report_end (self, winner, "connected", NULL);
  g_ptr_array_remove (self->runners, winner);
  return_task (end (self, "cancelled"), channel, NULL);
}

static gboolean
on_deadline (gpointer user_data)
{
  KhRace *self = user_data;
  const char *sentence = self->last_id == 0 && self->gambles->len == 0
                             ? "Your friend named no address that we may dial, and did not come to us in time. "
                               "Try another network on one side."
                             : "No direct connection came about in time: none of the attempts got through. Try "
                               "another network on one side, such as a phone's hotspot.";

  self->deadline_id = 0;
  return_task (end (self, "silent"), NULL, g_error_new_literal (KH_ERROR, KH_ERROR_NO_PATH, sentence));
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled_idle (gpointer user_data)
{
  KhRace *self = user_data;

  if (self->task != NULL)
    return_task (end (self, "cancelled"), NULL, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
  return G_SOURCE_REMOVE;
}

/* A handler must not be disconnected from inside itself, so the end waits for the loop. */
static void
on_cancelled (GCancellable *cancellable, KhRace *self)
{
  g_idle_add_full (G_PRIORITY_DEFAULT, on_cancelled_idle, g_object_ref (self), g_object_unref);
}

/* --- proving and agreeing ------------------------------------------------------------------------------------- */

static Runner *
find_runner (KhRace *self, guint id)
{
  for (guint i = 0; i < self->runners->len; i++)
    {
      Runner *runner = g_ptr_array_index (self->runners, i);

      if (runner->id == id)
        return runner;
    }
  return NULL;
}

static guint
count_finished (KhRace *self)
{
  guint finished = 0;

  for (guint i = 0; i < self->runners->len; i++)
    finished += ((Runner *) g_ptr_array_index (self->runners, i))->finished;
  return finished;
}

static gboolean
on_agreement_due (gpointer user_data)
{
  KhRace *self = user_data;

  self->agreement_id = 0;
  kh_agreement_tick (self->agreement, g_get_monotonic_time ());
  pump (self);
  return G_SOURCE_REMOVE;
}

static void
schedule_agreement (KhRace *self)
{
  gint64 deadline = kh_agreement_get_deadline (self->agreement);

  g_clear_handle_id (&self->agreement_id, g_source_remove);
  if (deadline < 0 || self->task == NULL)
    return;
  /* Rounded up, so that the deadline has passed when the timer fires. */
  self->agreement_id = g_timeout_add (MAX (0, deadline - g_get_monotonic_time ()) / 1000 + 1, on_agreement_due, self);
  g_source_set_name_by_id (self->agreement_id, "kh-race agreement");
}

static void
report_path (KhRace *self, Runner *runner)
{
  kh_trace_add (self->trace, "path.selected", "kind:s local:s remote:s elapsed_ms:l", kh_move_name (runner->move),
                runner->local, runner->remote, (g_get_monotonic_time () - self->start) / 1000);
}

static void
carry_out (KhRace *self, const KhAgreementAction *action)
{
  Runner *runner = find_runner (self, action->socket);
  g_autoptr (GBytes) bytes = NULL;

  if (runner == NULL)
    return;

  switch (action->step)
    {
    case KH_AGREEMENT_SEND:
      bytes = kh_handshake_to_bytes (&action->message);
      if (!kh_channel_send (runner->channel, bytes))
        drop (self, runner, "lost-race", "the connection broke");
      break;
    case KH_AGREEMENT_SELECTED:
      report_path (self, runner);
      break;
    case KH_AGREEMENT_AGREED:
      win (self, runner);
      break;
    case KH_AGREEMENT_REFUSE:
    default:
      drop (self, runner, "not-friend", "said what makes no sense here");
    }
}

static void
pump (KhRace *self)
{
  KhAgreementAction action;

  while (self->task != NULL && kh_agreement_next_action (self->agreement, &action))
    carry_out (self, &action);
  schedule_agreement (self);
}

/* The inviter has read a message that only the friend can have written; unless somebody recorded and repeats it. */
static void
take_first (KhRace *self, Runner *runner, const KhHandshake *message)
{
  GBytes *raw = kh_channel_get_first_message (runner->channel);
  KhMove move;

  if (message->kind != KH_HANDSHAKE_FIRST || g_hash_table_contains (self->seen, raw) ||
      count_finished (self) >= MAX_FINISHED || g_hash_table_size (self->seen) >= 16 * MAX_FINISHED)
    {
      drop (self, runner, "not-friend", "no valid first message of its own");
      return;
    }

  g_hash_table_add (self->seen, g_bytes_ref (raw));
  g_clear_handle_id (&runner->patience_id, g_source_remove);
  runner->finished = TRUE;
  if (kh_move_from_name (message->move, &move)) /* the joiner's word for it goes, so both tell the same kind */
    runner->move = move;
  kh_agreement_add (self->agreement, runner->id, kh_dial_rtt (kh_channel_get_stream (runner->channel)),
                    g_get_monotonic_time ());
}

static void
on_frame (KhChannel *channel, GBytes *frame, gpointer user_data)
{
  Runner *runner = user_data;
  g_autoptr (KhRace) self = g_object_ref (runner->race);
  g_autoptr (GError) error = NULL;
  KhHandshake message;

  if (!kh_handshake_from_bytes (frame, &message, &error))
    drop (self, runner, "not-friend", error->message);
  else if (self->role == KH_ROLE_INVITER && !runner->finished)
    take_first (self, runner, &message);
  else
    {
      g_clear_handle_id (&runner->patience_id, g_source_remove);
      runner->finished = TRUE;
      kh_agreement_hear (self->agreement, runner->id, &message, g_get_monotonic_time ());
    }

  pump (self);
}

static gboolean
on_redial (gpointer user_data)
{
  Target *target = user_data;

  target->redial_id = 0;
  dial (target->race, target);
  return G_SOURCE_REMOVE;
}

static void
redial_in (Target *target, guint wait_ms)
{
  if (target == NULL || target->redial_id != 0)
    return;

  target->redials++;
  target->redial_id = g_timeout_add (wait_ms, on_redial, target);
  g_source_set_name_by_id (target->redial_id, "kh-race redial");
}

static void
redial_later (Target *target, gint64 elapsed_ms)
{
  guint step = target != NULL ? MIN (target->redials / REDIALS_PER_STEP, REDIAL_MAX_STEP) : 0;
  guint spread = CLAMP (2 * elapsed_ms, REDIAL_SPREAD_MIN_MS, REDIAL_SPREAD_MAX_MS);

  redial_in (target, (REDIAL_BASE_MS << step) + g_random_int_range (0, spread));
}

static void
on_closed (KhChannel *channel, const GError *error, gpointer user_data)
{
  Runner *runner = user_data;
  g_autoptr (KhRace) self = g_object_ref (runner->race);
  Target *target = runner->target;
  gboolean was_friend = runner->finished;
  const char *detail = error != NULL ? error->message : "closed";

  drop (self, runner, was_friend ? "lost-race" : "not-friend", detail);
  redial_later (target, was_friend ? 0 : NOT_FRIEND_REDIAL_MS);
  pump (self);
}

static gboolean
on_impatient (gpointer user_data)
{
  Runner *runner = user_data;
  g_autoptr (KhRace) self = g_object_ref (runner->race);
  Target *target = runner->target;

  runner->patience_id = 0;
  drop (self, runner, "not-friend", "connected, but said nothing");
  redial_later (target, NOT_FRIEND_REDIAL_MS);
  pump (self);
  return G_SOURCE_REMOVE;
}

static void
introduce (KhRace *self, Runner *runner)
{
  KhHandshake first = { .kind = KH_HANDSHAKE_FIRST, .number = runner->id };
  g_autoptr (GBytes) bytes = NULL;

  g_strlcpy (first.move, kh_move_name (runner->move), sizeof first.move);
  bytes = kh_handshake_to_bytes (&first);
  kh_channel_send (runner->channel, bytes);
  kh_agreement_add (self->agreement, runner->id, 0, g_get_monotonic_time ());
}

static void
prove (KhRace *self, Runner *runner, GIOStream *stream)
{
  runner->channel = kh_channel_new (stream, self->role, self->psk, self->epoch);
  runner->patience_id = g_timeout_add (FIRST_MESSAGE_MS, on_impatient, runner);
  g_source_set_name_by_id (runner->patience_id, "kh-race patience");
  if (self->role == KH_ROLE_JOINER)
    introduce (self, runner);
  kh_channel_set_handler (runner->channel, on_frame, on_closed, runner);
}

/* --- dials -------------------------------------------------------------------------------------------------- */

static Runner *
add_runner (KhRace *self, KhMove move, GInetSocketAddress *local, GInetSocketAddress *remote)
{
  Runner *runner = g_new0 (Runner, 1);

  runner->id = ++self->last_id;
  runner->move = move;
  runner->local = local != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (local)) : NULL;
  runner->remote = kh_address_to_text (G_SOCKET_ADDRESS (remote));
  runner->start = g_get_monotonic_time ();
  runner->race = self;
  g_ptr_array_add (self->runners, runner);

  return runner;
}

static void
dial_failed (KhRace *self, Runner *runner, const GError *error)
{
  Target *target = runner->target;
  const char *outcome = kh_dial_outcome (error);
  gint64 elapsed_ms = (g_get_monotonic_time () - runner->start) / 1000;

  drop (self, runner, outcome, error->message);
  /* No such route, no permission: trying again changes nothing. A host may come up, though. */
  if (strcmp (outcome, "unreachable") == 0 && !g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE))
    return;

  if (target != NULL && target->redials == 0 && strcmp (outcome, "busy") != 0)
    redial_in (target, 0);
  else
    redial_later (target, elapsed_ms);
}

typedef struct
{
  KhRace *race;
  guint id;
} Dialled;

static void
on_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autofree Dialled *dialled = user_data;
  g_autoptr (KhRace) self = dialled->race;
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) stream = kh_dialer_dial_finish (KH_DIALER (source), result, &error);
  Runner *runner = self->task != NULL ? find_runner (self, dialled->id) : NULL;

  /* The race is over: a late success is closed as its last reference goes. */
  if (runner == NULL)
    return;

  g_clear_object (&runner->dialling);
  if (stream == NULL)
    dial_failed (self, runner, error);
  else
    {
      kh_trace_add (self->trace, "attempt.connected", "id:i elapsed_ms:l", runner->id,
                    (g_get_monotonic_time () - runner->start) / 1000);
      prove (self, runner, stream);
    }
  pump (self);
}

static void
report_start (KhRace *self, Runner *runner, KhDialFlags flags)
{
  if (flags & KH_DIAL_AS_PRIMER)
    kh_trace_add (self->trace, "attempt.start", "id:i move:s local:s remote:s ttl:i", runner->id,
                  kh_move_name (runner->move), runner->local, runner->remote, kh_dialer_get_primer_hops (self->dialer));
  else
    kh_trace_add (self->trace, "attempt.start", "id:i move:s local:s remote:s", runner->id, kh_move_name (runner->move),
                  runner->local, runner->remote);
}

static void
dial (KhRace *self, Target *target)
{
  g_autoptr (GInetSocketAddress) local = kh_dialer_local_for (self->dialer, target->remote, NULL);
  Runner *runner = add_runner (self, target->move, local, target->remote);
  Dialled *dialled = g_new (Dialled, 1);

  runner->target = target;
  runner->dialling = g_cancellable_new ();
  report_start (self, runner, target->flags);

  dialled->race = g_object_ref (self);
  dialled->id = runner->id;
  kh_dialer_dial_async (self->dialer, target->remote, target->flags, runner->dialling, on_dialled, dialled);
}

/* Strangers answer as well, and say nothing: the oldest of those that have not proven themselves gives way. */
static gboolean
make_place_for_die (KhRace *self)
{
  Runner *oldest = NULL;
  guint dice = 0;

  for (guint i = 0; i < self->runners->len; i++)
    {
      Runner *runner = g_ptr_array_index (self->runners, i);

      dice += runner->is_die;
      if (runner->is_die && !runner->finished && oldest == NULL)
        oldest = runner;
    }
  if (dice < MAX_ANSWERED_DICE)
    return TRUE;
  if (oldest != NULL)
    drop (self, oldest, "not-friend", "gave way to a newer connection");
  return oldest != NULL;
}

/* A die is told of when it has met somebody: a thousand attempts more would only hide it. */
static void
on_die_connected (KhDice *dice, GIOStream *stream, GInetSocketAddress *remote, Gamble *gamble)
{
  g_autoptr (KhRace) self = g_object_ref (gamble->race);
  g_autoptr (GSocketAddress) local = G_IS_SOCKET_CONNECTION (stream)
                                         ? g_socket_connection_get_local_address (G_SOCKET_CONNECTION (stream), NULL)
                                         : NULL;
  Runner *runner;

  if (!make_place_for_die (self))
    return;
  runner = add_runner (self, gamble->move, (GInetSocketAddress *) local, remote);
  runner->is_die = TRUE;
  report_start (self, runner, KH_DIAL_FROM_SHARED);
  kh_trace_add (self->trace, "attempt.connected", "id:i elapsed_ms:l", runner->id, (gint64) 0);
  prove (self, runner, stream);
  pump (self);
}

static gboolean
on_dice_report (gpointer user_data)
{
  report_dice (user_data);
  return G_SOURCE_CONTINUE;
}

static void
start_gambles (KhRace *self)
{
  if (self->gambles->len == 0)
    return;
  for (guint i = 0; i < self->gambles->len; i++)
    kh_dice_start (((Gamble *) g_ptr_array_index (self->gambles, i))->dice);
  self->dice_report_id = g_timeout_add (DICE_REPORT_MS, on_dice_report, self);
  g_source_set_name_by_id (self->dice_report_id, "kh-race dice");
}

static void
dial_targets (KhRace *self, gboolean waiting)
{
  for (guint i = 0; i < self->targets->len; i++)
    {
      Target *target = g_ptr_array_index (self->targets, i);

      if (target->waits == waiting)
        dial (self, target);
    }
}

static gboolean
on_release_due (gpointer user_data)
{
  KhRace *self = user_data;

  self->release_id = 0;
  kh_race_release (self);
  return G_SOURCE_REMOVE;
}

/**
 * kh_race_release:
 *
 * Dials those who were to wait: the friend has opened his hole. Harmless when done twice, or too late.
 */
void
kh_race_release (KhRace *self)
{
  g_return_if_fail (KH_IS_RACE (self));

  if (self->task == NULL || self->released)
    return;
  self->released = TRUE;
  g_clear_handle_id (&self->release_id, g_source_remove);
  dial_targets (self, TRUE);
}

/* --- the door ----------------------------------------------------------------------------------------------- */

/* Whoever comes from the very port that the friend named comes by the cheapest move that names it. Another port of his address is one
 * that nobody could name: then it is the last move that expects him there. */
static const Target *
find_expected (KhRace *self, GInetSocketAddress *remote)
{
  const Target *found = NULL;

  for (guint i = 0; i < self->expected->len; i++)
    {
      Target *expected = g_ptr_array_index (self->expected, i);

      if (kh_address_equal (G_SOCKET_ADDRESS (expected->remote), G_SOCKET_ADDRESS (remote)))
        return expected;
      if (g_inet_address_equal (g_inet_socket_address_get_address (expected->remote),
                                g_inet_socket_address_get_address (remote)))
        found = expected;
    }
  return found;
}

/* Strangers compete with one another for places, not with the friend's addresses nor with our own dials: the oldest one gives
 * way, so that none keeps others out. From where the friend is to come many may come at once, when he rolls dice: there the first
 * ones stay, of which one is proven in a moment, and those behind them give way. */
static void
make_place (KhRace *self, gboolean known)
{
  guint stays = known ? PLACES / 2 : 0;
  Runner *gives_way = NULL;
  guint waiting = 0;

  for (guint i = 0; i < self->runners->len; i++)
    {
      Runner *runner = g_ptr_array_index (self->runners, i);

      if (runner->target != NULL || runner->is_die || runner->finished || runner->known != known)
        continue;
      if (waiting++ == stays)
        gives_way = runner;
    }

  if (waiting >= PLACES)
    drop (self, gives_way, "not-friend", "gave way to a newer connection");
}

static void
on_accepted (KhDialer *dialer, GIOStream *stream, GInetSocketAddress *local, GInetSocketAddress *remote,
             gpointer user_data)
{
  KhRace *self = user_data;
  const Target *expected = find_expected (self, remote);
  Runner *runner;

  make_place (self, expected != NULL);
  runner = add_runner (self, expected != NULL ? expected->move : KH_MOVE_DIAL, local, remote);
  runner->known = expected != NULL;
  kh_trace_add (self->trace, "attempt.accepted", "id:i move:s local:s remote:s known:b", runner->id,
                kh_move_name (runner->move), runner->local, runner->remote, runner->known);
  prove (self, runner, stream);
  pump (self);
}

/**
 * kh_race_run_async:
 * @timeout_ms: how long to try, in milliseconds
 * @cancellable: (nullable): ends the race
 * @callback: called once
 * @user_data: for @callback
 *
 * Listens and dials everybody at once; all first SYNs are out when this returns. Runs once per object.
 */
void
kh_race_run_async (KhRace *self, guint timeout_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                   gpointer user_data)
{
  g_autoptr (GError) error = NULL;

  g_return_if_fail (KH_IS_RACE (self) && self->task == NULL);

  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, kh_race_run_async);
  self->start = g_get_monotonic_time ();

  if (!kh_dialer_listen (self->dialer, on_accepted, self, &error))
    kh_trace_add (self->trace, "listen.failed", "reason:s", error->message);
  dial_targets (self, FALSE);
  start_gambles (self);
  self->release_id = g_timeout_add (RELEASE_MS, on_release_due, self);
  g_source_set_name_by_id (self->release_id, "kh-race release");

  self->deadline_id = g_timeout_add (timeout_ms, on_deadline, self);
  g_source_set_name_by_id (self->deadline_id, "kh-race deadline");
  if (cancellable != NULL)
    {
      gulong id = g_signal_connect_object (cancellable, "cancelled", G_CALLBACK (on_cancelled), self, 0);

      g_task_set_task_data (self->task, GSIZE_TO_POINTER (id), NULL);
      if (g_cancellable_is_cancelled (cancellable))
        on_cancelled (cancellable, self);
    }
}

/**
 * kh_race_run_finish:
 *
 * Returns: (transfer full): the agreed channel, paused, or %NULL with %KH_ERROR_NO_PATH or %G_IO_ERROR_CANCELLED
 */
KhChannel *
kh_race_run_finish (KhRace *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), NULL);

  return g_task_propagate_pointer (G_TASK (result), error);
}
