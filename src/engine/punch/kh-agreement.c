/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-agreement.h"

/* How long the joiner has for its `accept`: this, or three round trips if that is more. */
#define ACCEPT_FLOOR (G_USEC_PER_SEC / 2)

/**
 * KhAgreement:
 *
 * How two sides with several finished sockets come to use the same one. A pure state machine: sockets are numbers, time
 * is given, what is to be done is asked for with kh_agreement_next_action().
 *
 * The inviter alone decides. It nominates the first finished socket under the number 1 and tells the others to hold. If
 * the nominated one dies, or its `accept` does not come in time, it nominates another with the next number. The joiner
 * takes the highest number it has seen. The inviter confirms an `accept` only if it is for the newest nomination, and
 * nominates nothing more after that: so `confirm` is sent once, on one socket, and both have chosen that one.
 */
struct _KhAgreement
{
  KhRole role;
  GArray *sockets; /* of Socket, oldest first */
  GQueue actions;  /* of KhAgreementAction */

  gboolean agreed;
  guint32 number;   /* inviter: of the last nomination; joiner: the highest seen */
  guint chosen;     /* the socket of that number, 0 when it is gone */
  gint64 deadline;  /* inviter: for the `accept`, -1 for none */
  gboolean overdue; /* inviter: the deadline has passed and nothing else was there to nominate */
};

typedef struct
{
  guint id;
  gint64 rtt;
  guint nominations; /* how often this one was tried */
  gboolean answered; /* inviter: has had `nominate` or `hold`, so the joiner may speak */
} Socket;

/**
 * kh_agreement_new:
 *
 * Returns: (transfer full): an agreement in which nothing has been said
 */
KhAgreement *
kh_agreement_new (KhRole role)
{
  KhAgreement *self = g_new0 (KhAgreement, 1);

  self->role = role;
  self->sockets = g_array_new (FALSE, TRUE, sizeof (Socket));
  g_queue_init (&self->actions);
  self->deadline = -1;

  return self;
}

void
kh_agreement_free (KhAgreement *self)
{
  g_array_unref (self->sockets);
  g_queue_clear_full (&self->actions, g_free);
  g_free (self);
}

static Socket *
find (KhAgreement *self, guint id)
{
  for (guint i = 0; i < self->sockets->len; i++)
    if (g_array_index (self->sockets, Socket, i).id == id)
      return &g_array_index (self->sockets, Socket, i);
  return NULL;
}

static void
act (KhAgreement *self, KhAgreementStep step, guint socket)
{
  KhAgreementAction *action = g_new0 (KhAgreementAction, 1);

  action->step = step;
  action->socket = socket;
  g_queue_push_tail (&self->actions, action);
}

static void
say (KhAgreement *self, guint socket, KhHandshakeKind kind, guint32 number)
{
  KhAgreementAction *action = g_new0 (KhAgreementAction, 1);

  action->step = KH_AGREEMENT_SEND;
  action->socket = socket;
  action->message.kind = kind;
  action->message.number = number;
  g_queue_push_tail (&self->actions, action);
}

/* --- the inviter -------------------------------------------------------------------------------------------- */

static void
nominate (KhAgreement *self, Socket *socket, gint64 now)
{
  self->chosen = socket->id;
  self->number++;
  self->overdue = FALSE;
  self->deadline = now + MAX (ACCEPT_FLOOR, 3 * socket->rtt);
  socket->nominations++;
  socket->answered = TRUE;
  say (self, socket->id, KH_HANDSHAKE_NOMINATE, self->number);
}

/* The socket that was tried least; among equals the oldest. Never the one that is being waited for. */
static Socket *
best_other (KhAgreement *self)
{
  Socket *best = NULL;

  for (guint i = 0; i < self->sockets->len; i++)
    {
      Socket *socket = &g_array_index (self->sockets, Socket, i);

      if (socket->id != self->chosen && (best == NULL || socket->nominations < best->nominations))
        best = socket;
    }
  return best;
}

static void
nominate_other (KhAgreement *self, gint64 now)
{
  Socket *other = best_other (self);

  if (other != NULL)
    nominate (self, other, now);
  else
    self->deadline = -1;
}

static void
inviter_add (KhAgreement *self, Socket *socket, gint64 now)
{
  if (self->chosen == 0 || self->overdue)
    nominate (self, socket, now);
  else
    {
      socket->answered = TRUE;
      say (self, socket->id, KH_HANDSHAKE_HOLD, 0);
    }
}

static void
inviter_hear (KhAgreement *self, Socket *socket, const KhHandshake *message)
{
  if (message->kind != KH_HANDSHAKE_ACCEPT || message->number > self->number)
    {
      act (self, KH_AGREEMENT_REFUSE, socket->id);
      return;
    }

  /* An `accept` for an older number crossed our newer nomination: the joiner will take that one instead. */
  if (message->number != self->number || socket->id != self->chosen)
    return;

  self->agreed = TRUE;
  self->deadline = -1;
  say (self, socket->id, KH_HANDSHAKE_CONFIRM, message->number);
  act (self, KH_AGREEMENT_SELECTED, socket->id);
  act (self, KH_AGREEMENT_AGREED, socket->id);
}

/* --- the joiner --------------------------------------------------------------------------------------------- */

static void
joiner_hear (KhAgreement *self, Socket *socket, const KhHandshake *message)
{
  switch (message->kind)
    {
    case KH_HANDSHAKE_HOLD:
      break;

    case KH_HANDSHAKE_NOMINATE:
      if (message->number <= self->number)
        break;
      self->number = message->number;
      self->chosen = socket->id;
      act (self, KH_AGREEMENT_SELECTED, socket->id);
      say (self, socket->id, KH_HANDSHAKE_ACCEPT, message->number);
      break;

    case KH_HANDSHAKE_CONFIRM:
      if (message->number != self->number || socket->id != self->chosen)
        {
          act (self, KH_AGREEMENT_REFUSE, socket->id);
          break;
        }
      self->agreed = TRUE;
      act (self, KH_AGREEMENT_AGREED, socket->id);
      break;

    case KH_HANDSHAKE_FIRST:
    case KH_HANDSHAKE_ACCEPT:
    default:
      act (self, KH_AGREEMENT_REFUSE, socket->id);
    }
}

/* --- for both ----------------------------------------------------------------------------------------------- */

/**
 * kh_agreement_add:
 * @socket: a number other than 0 that the owner gives it
 * @rtt: its round trip time in microseconds, 0 if unknown
 * @now: the monotonic time in microseconds
 *
 * A socket is ready: for the inviter, once a valid first message has been read on it; for the joiner, once it has sent
 * its own.
 */
void
kh_agreement_add (KhAgreement *self, guint socket, gint64 rtt, gint64 now)
{
  Socket added = { .id = socket, .rtt = rtt };

  g_return_if_fail (socket != 0 && find (self, socket) == NULL);

  g_array_append_val (self->sockets, added);
  if (self->role == KH_ROLE_INVITER && !self->agreed)
    inviter_add (self, find (self, socket), now);
}

/**
 * kh_agreement_hear:
 * @message: what the friend said on @socket; any but the first message, which is the owner's business
 */
void
kh_agreement_hear (KhAgreement *self, guint socket, const KhHandshake *message, gint64 now)
{
  Socket *found = find (self, socket);

  g_return_if_fail (found != NULL);

  if (self->agreed)
    return;
  if (self->role == KH_ROLE_INVITER)
    inviter_hear (self, found, message);
  else
    joiner_hear (self, found, message);
}

/**
 * kh_agreement_remove:
 *
 * A socket has died.
 */
void
kh_agreement_remove (KhAgreement *self, guint socket, gint64 now)
{
  Socket *found = find (self, socket);

  if (found == NULL)
    return;
  g_array_remove_index (self->sockets, found - (Socket *) (void *) self->sockets->data);

  if (self->agreed || self->chosen != socket)
    return;
  self->chosen = 0;
  if (self->role == KH_ROLE_INVITER)
    nominate_other (self, now);
}

/**
 * kh_agreement_get_deadline:
 *
 * Returns: the monotonic time in microseconds at which kh_agreement_tick() is due, -1 for none
 */
gint64
kh_agreement_get_deadline (KhAgreement *self)
{
  return self->deadline;
}

/**
 * kh_agreement_tick:
 *
 * Time has passed. A nomination whose `accept` is overdue gives way to another socket, if there is one.
 */
void
kh_agreement_tick (KhAgreement *self, gint64 now)
{
  if (self->deadline < 0 || now < self->deadline)
    return;

  self->overdue = TRUE;
  nominate_other (self, now);
}

/**
 * kh_agreement_next_action:
 * @action: (out caller-allocates): what to do next
 *
 * Returns: whether there was something to do
 */
gboolean
kh_agreement_next_action (KhAgreement *self, KhAgreementAction *action)
{
  g_autofree KhAgreementAction *next = g_queue_pop_head (&self->actions);

  if (next == NULL)
    return FALSE;
  *action = *next;
  return TRUE;
}
