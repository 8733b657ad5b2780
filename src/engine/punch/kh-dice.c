/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-dice.h"

#include <sys/resource.h>

/* How often new dials leave, and how many of the first ones, from fresh ports, at once. */
#define TICK_MS 20
#define FILL_PER_TICK 64

/* Where each of the first dice may get in, more of them would only be in the way. */
#define CAUTIOUS_DICE 8
#define CAUTION_MS 200

/* One that is answered most likely found the friend: whether it did takes a round trip to see. */
#define ANSWERED_MS 1000

/* What else this program has open. */
#define OTHER_DESCRIPTORS 128

/**
 * KhDice:
 *
 * Dials the friend many times, at ports or from ports that nobody can know beforehand, and holds the dials until one of them fits
 * one of the friend's (DESIGN: doors and dice). It only dials: who is at the other end is for the race to find out.
 */
struct _KhDice
{
  GObject parent_instance;

  KhDialer *dialer;
  KhGamble gamble;
  KhDialFlags flags;
  GQueue held;   /* of Die, oldest first */
  GQueue reopen; /* of GUINT port: refused doors */
  guint n_ports;
  guint first; /* where the round through the ports begins */
  guint stride;
  guint dialled;
  guint reopened;
  guint refused;
  gint64 paused_until; /* monotonic µs */
  double allowance;    /* new dials that may leave now */
  gint64 ticked_at;
  gboolean exhausted; /* this computer has no more sockets */
  guint tick_id;
};

typedef struct
{
  KhDice *dice; /* a reference */
  GCancellable *cancellable;
  GInetSocketAddress *remote;
} Die;

G_DEFINE_FINAL_TYPE (KhDice, kh_dice, G_TYPE_OBJECT)

enum
{
  SIGNAL_CONNECTED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
kh_dice_dispose (GObject *object)
{
  KhDice *self = KH_DICE (object);

  kh_dice_stop (self);
  g_clear_object (&self->dialer);
  g_clear_object (&self->gamble.remote);

  G_OBJECT_CLASS (kh_dice_parent_class)->dispose (object);
}

static void
kh_dice_class_init (KhDiceClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_dice_dispose;

  /**
   * KhDice::connected:
   * @stream: a connection
   * @remote: with whom
   *
   * One of the dials was answered.
   */
  signals[SIGNAL_CONNECTED] = g_signal_new ("connected", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                            NULL, G_TYPE_NONE, 2, G_TYPE_IO_STREAM, G_TYPE_INET_SOCKET_ADDRESS);
}

static void
kh_dice_init (KhDice *self)
{
  g_queue_init (&self->held);
  g_queue_init (&self->reopen);
}

static guint
greatest_common_divisor (guint a, guint b)
{
  while (b != 0)
    {
      guint rest = a % b;

      a = b;
      b = rest;
    }
  return a;
}

/* A stride that visits each port once before any twice, and spreads over the range from the beginning. */
static guint
find_stride (guint n)
{
  guint stride = MAX (1, (guint) (n * 0.618));

  while (greatest_common_divisor (stride, n) != 1)
    stride++;
  return stride;
}

/**
 * kh_dice_new:
 * @dialer: makes the sockets
 * @gamble: what to dial, and how often; copied
 * @flags: how, beside what @gamble says
 *
 * Returns: (transfer full): dice that have not been thrown
 */
KhDice *
kh_dice_new (KhDialer *dialer, const KhGamble *gamble, KhDialFlags flags)
{
  KhDice *self = g_object_new (KH_TYPE_DICE, NULL);

  self->dialer = g_object_ref (dialer);
  self->gamble = *gamble;
  self->gamble.remote = g_object_ref (gamble->remote);
  self->flags = flags | (gamble->fresh ? KH_DIAL_FROM_FRESH : KH_DIAL_FROM_SHARED);
  self->n_ports = (gamble->high - gamble->low) / MAX (ABS (gamble->step), 1) + 1;
  self->first = gamble->step == 0 ? g_random_int_range (0, self->n_ports) : 0;
  self->stride = gamble->step == 0 ? find_stride (self->n_ports) : 1;
  return self;
}

static guint16
choose_port (KhDice *self)
{
  guint n = (self->first + (guint64) self->dialled * self->stride) % self->n_ports;

  if (self->gamble.step < 0)
    return self->gamble.high + (int) n * self->gamble.step;
  return self->gamble.low + n * MAX (self->gamble.step, 1);
}

/* --- one dial ------------------------------------------------------------------------------------------------ */

static void
die_free (Die *die)
{
  g_object_unref (die->dice);
  g_object_unref (die->cancellable);
  g_object_unref (die->remote);
  g_free (die);
}

static void
take_failure (KhDice *self, Die *die, const GError *error)
{
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TOO_MANY_OPEN_FILES))
    self->exhausted = TRUE;
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED) ||
           g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE))
    {
      self->refused++;
      /* What was not known beforehand is known now: plain ones are refused over there. */
      if (self->gamble.primers == KH_PRIMERS_HALF)
        self->gamble.primers = KH_PRIMERS_ALL;
      if (!self->gamble.fresh)
        g_queue_push_tail (&self->reopen, GUINT_TO_POINTER (g_inet_socket_address_get_port (die->remote)));
    }
}

static void
on_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Die *die = user_data;
  g_autoptr (KhDice) self = g_object_ref (die->dice);
  g_autoptr (GError) error = NULL;
  g_autoptr (GIOStream) stream = kh_dialer_dial_finish (KH_DIALER (source), result, &error);

  /* One that gave way, or was stopped, is in no queue any more. */
  if (g_queue_remove (&self->held, die))
    {
      if (stream != NULL)
        {
          self->paused_until = g_get_monotonic_time () + ANSWERED_MS * 1000;
          g_signal_emit (self, signals[SIGNAL_CONNECTED], 0, stream, die->remote);
        }
      else
        take_failure (self, die, error);
    }
  die_free (die);
}

static void
drop_oldest (KhDice *self)
{
  Die *oldest = g_queue_pop_head (&self->held);

  g_cancellable_cancel (oldest->cancellable);
}

/* A door that is shut again is opened in the same way: the strides through the ports keep both kinds apart. */
static KhDialFlags
flags_of (KhDice *self, guint16 port)
{
  gboolean primer =
      self->gamble.primers == KH_PRIMERS_ALL || (self->gamble.primers == KH_PRIMERS_HALF && port % 2 == 0);

  return self->flags | (primer ? KH_DIAL_AS_PRIMER | KH_DIAL_LASTING : 0);
}

static void
dial (KhDice *self, guint16 port)
{
  Die *die = g_new0 (Die, 1);

  die->dice = g_object_ref (self);
  die->cancellable = g_cancellable_new ();
  die->remote =
      G_INET_SOCKET_ADDRESS (g_inet_socket_address_new (g_inet_socket_address_get_address (self->gamble.remote), port));
  g_queue_push_tail (&self->held, die);
  kh_dialer_dial_async (self->dialer, die->remote, flags_of (self, port), die->cancellable, on_dialled, die);
}

/* --- all of them --------------------------------------------------------------------------------------------- */

static gboolean
may_dial_another (KhDice *self)
{
  return self->dialled < self->gamble.budget && !self->exhausted &&
         (self->held.length < self->gamble.held || self->gamble.roll);
}

static void
dial_another (KhDice *self)
{
  if (self->held.length >= self->gamble.held)
    drop_oldest (self);
  dial (self, choose_port (self));
  self->dialled++;
}

/* The first dice are thrown together: nobody can fit what is not there yet. */
static gboolean
is_filling (KhDice *self)
{
  return self->gamble.fresh && self->dialled < self->gamble.held;
}

/* After the first few that may all get in. */
static void
be_cautious (KhDice *self, gint64 now)
{
  if (!self->gamble.cautious || self->dialled < CAUTIOUS_DICE)
    return;
  self->gamble.cautious = FALSE;
  self->paused_until = now + CAUTION_MS * 1000;
}

static gboolean
on_tick (gpointer user_data)
{
  g_autoptr (KhDice) self = g_object_ref (KH_DICE (user_data));
  gint64 now = g_get_monotonic_time ();

  self->allowance =
      MIN (self->allowance + (now - self->ticked_at) * 1e-6 * self->gamble.per_second, self->gamble.per_second * 0.1);
  self->ticked_at = now;
  if (now < self->paused_until)
    return G_SOURCE_CONTINUE;
  for (guint i = 0; i < FILL_PER_TICK && is_filling (self) && may_dial_another (self) && now >= self->paused_until; i++)
    {
      dial_another (self);
      be_cautious (self, now);
    }
  while (self->allowance >= 1 && self->tick_id != 0)
    {
      if (may_dial_another (self))
        dial_another (self);
      else if (self->reopen.length > 0 && self->reopened < self->gamble.budget)
        {
          dial (self, GPOINTER_TO_UINT (g_queue_pop_head (&self->reopen)));
          self->reopened++;
        }
      else
        break;
      self->allowance--;
    }
  return G_SOURCE_CONTINUE;
}

/* What a program may have open is far less, by default, than what it is allowed to ask for. */
static void
ask_for_descriptors (guint n)
{
  struct rlimit limit;

  if (getrlimit (RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= n)
    return;
  limit.rlim_cur = limit.rlim_max == RLIM_INFINITY ? n : MIN (n, limit.rlim_max);
  setrlimit (RLIMIT_NOFILE, &limit);
}

/**
 * kh_dice_start:
 *
 * Begins. #KhDice::connected tells of whoever answers, until kh_dice_stop().
 */
void
kh_dice_start (KhDice *self)
{
  g_return_if_fail (KH_IS_DICE (self) && self->tick_id == 0);

  ask_for_descriptors (self->gamble.held + OTHER_DESCRIPTORS);
  self->ticked_at = g_get_monotonic_time ();
  self->tick_id = g_timeout_add (TICK_MS, on_tick, self);
  g_source_set_name_by_id (self->tick_id, "kh-dice tick");
  on_tick (self);
}

/**
 * kh_dice_stop:
 *
 * Ends all dials, for good. Harmless when done twice.
 */
void
kh_dice_stop (KhDice *self)
{
  g_return_if_fail (KH_IS_DICE (self));

  g_clear_handle_id (&self->tick_id, g_source_remove);
  while (self->held.length > 0)
    drop_oldest (self);
  g_queue_clear (&self->reopen);
}

KhDiceCount
kh_dice_get_count (KhDice *self)
{
  return (KhDiceCount){ self->dialled, self->held.length, self->refused };
}
