/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-wormhole-private.h"

#include "kh-code.h"
#include "kh-hkdf.h"
#include "kh-json.h"

#include <sodium.h>
#include <string.h>

/*
 * A code's life with the meeting server, without sockets and without a clock: what happens goes in by
 * kh_wormhole_connected(), _disconnected(), _receive() and _tick(), what is to be done comes out by
 * kh_wormhole_pop_message() and kh_wormhole_pop_event(). After each call the owner empties both and calls
 * kh_wormhole_tick() again at kh_wormhole_get_deadline().
 *
 *   connected ── welcome ── bind ── allocate ── claim ── open, add pake ── echo: the code is live
 *                               (a joiner starts here ──┘)                   │
 *                     friend's pake: key, release, add version ──────────────┤
 *                     friend's version opens: verified, numbered phases ─────┤
 *                                       close, or any failure: release, close with a mood, closed
 *
 * A lost connection only takes back what the server said on it (KhWormholeHere). Whatever matters is said again on
 * the next one: kh-wormhole-server.c. What the friend sends is the matter of kh-wormhole-peer.c.
 */

#define SECONDS(n) ((n) *KH_WORMHOLE_SECOND)

/* How long a server may take for its welcome, and then to make the code live again. */
#define WELCOME_LIMIT SECONDS (10)

/* How long the connection may be away. Before the code is live nobody waits for us, so there is no reason to wait
 * long; a live code survives at the server for 11 minutes. */
#define AWAY_LIMIT SECONDS (30)
#define AWAY_LIMIT_INVITER SECONDS (11 * 60)

/* The end: as long as the last messages may take, and as long as all of it may take. */
#define DRAIN_LIMIT SECONDS (3)
#define CLOSE_LIMIT SECONDS (5)

/* The same message is lost with its connection so often at most: a server that refuses its size would be asked for
 * ever. */
#define MAX_RESETS 3

KhWormholeEvent *
kh_wormhole_emit (KhWormhole *self, KhWormholeEventKind kind)
{
  KhWormholeEvent *event = g_new0 (KhWormholeEvent, 1);

  event->kind = kind;
  g_queue_push_tail (&self->events, event);

  return event;
}

void
kh_wormhole_event_free (KhWormholeEvent *event)
{
  g_clear_pointer (&event->message, g_bytes_unref);
  g_clear_error (&event->error);
  g_free (event->text);
  g_free (event);
}

static void
message_free (JsonObject *message)
{
  json_object_unref (message);
}

static KhWormhole *
wormhole_new (KhRole role, const char *server, gint64 now)
{
  KhWormhole *self = g_new0 (KhWormhole, 1);
  guint8 side[5];

  if (sodium_init () < 0)
    g_error ("libsodium does not start");
  randombytes_buf (side, sizeof side);
  sodium_bin2hex (self->side, sizeof self->side, side, sizeof side);

  self->role = role;
  self->server = g_strdup (server);
  self->now = now;
  self->seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  self->held = g_hash_table_new_full (NULL, NULL, NULL, (GDestroyNotify) g_bytes_unref);
  self->away_since = now;
  self->answer_by = KH_WORMHOLE_NEVER;
  self->life_until = KH_WORMHOLE_NEVER;
  self->friend_by = KH_WORMHOLE_NEVER;
  self->verified_by = KH_WORMHOLE_NEVER;
  self->drained_by = KH_WORMHOLE_NEVER;
  self->closed_by = KH_WORMHOLE_NEVER;

  return self;
}

/**
 * kh_wormhole_new_inviter:
 * @server: the meeting server's host, for sentences
 * @words: words of the code
 * @life: how long the code may wait for a friend, in microseconds
 * @now: monotonic time in microseconds, as in all other calls
 *
 * Returns: (transfer full): an invite that has not been connected yet
 */
KhWormhole *
kh_wormhole_new_inviter (const char *server, guint words, gint64 life, gint64 now)
{
  KhWormhole *self;

  g_return_val_if_fail (server != NULL, NULL);
  g_return_val_if_fail (words >= 1 && words <= KH_CODE_MAX_WORDS, NULL);

  self = wormhole_new (KH_ROLE_INVITER, server, now);
  self->words = words;
  self->life_until = now + life;

  return self;
}

/**
 * kh_wormhole_new_joiner:
 * @server: the meeting server's host, for sentences
 * @code: a code as kh_code_parse() returned it
 * @now: monotonic time in microseconds
 *
 * Returns: (transfer full): a try of @code that has not been connected yet
 */
KhWormhole *
kh_wormhole_new_joiner (const char *server, const char *code, gint64 now)
{
  KhWormhole *self;

  g_return_val_if_fail (server != NULL, NULL);
  g_return_val_if_fail (code != NULL, NULL);

  self = wormhole_new (KH_ROLE_JOINER, server, now);
  self->code = g_strdup (code);
  self->nameplate = kh_code_get_nameplate (code);

  return self;
}

static void
wipe_text (char *text)
{
  if (text != NULL)
    sodium_memzero (text, strlen (text));
  g_free (text);
}

void
kh_wormhole_free (KhWormhole *self)
{
  if (self == NULL)
    return;

  sodium_memzero (self->key, sizeof self->key);
  wipe_text (self->code);
  wipe_text (self->fixed_code);
  kh_spake2_free (self->spake2);
  g_free (self->fixed_scalar);
  g_free (self->server);
  g_free (self->nameplate);
  g_free (self->mailbox);
  g_free (self->pake_body);
  g_free (self->peer_side);
  g_free (self->your_address);
  g_free (self->motd);
  g_hash_table_unref (self->seen);
  g_hash_table_unref (self->held);
  g_queue_clear_full (&self->outbox, (GDestroyNotify) kh_wormhole_item_free);
  g_queue_clear_full (&self->waiting, (GDestroyNotify) g_bytes_unref);
  g_queue_clear_full (&self->early, (GDestroyNotify) message_free);
  g_queue_clear_full (&self->messages, (GDestroyNotify) message_free);
  g_queue_clear_full (&self->events, (GDestroyNotify) kh_wormhole_event_free);
  g_free (self);
}

static void
finish (KhWormhole *self)
{
  self->ended = TRUE;
  g_queue_clear_full (&self->messages, (GDestroyNotify) message_free);
  kh_wormhole_emit (self, KH_WORMHOLE_CLOSED);
}

/* A claim that was not answered may have been taken, so its nameplate has to be released as well. */
static gboolean
owes_release (KhWormhole *self)
{
  return self->claim_tried && !self->released;
}

static gboolean
owes_close (KhWormhole *self)
{
  return self->mailbox != NULL && !self->mailbox_closed;
}

/* Goes on with the end as far as it can now: answers that are due, the last messages, release, close (5.4). Servers up
 * to 0.4.1 break when the last side closes a mailbox whose nameplate is still claimed, hence the order. */
void
kh_wormhole_advance_end (KhWormhole *self)
{
  gboolean answer_due = self->here.allocating || self->here.claiming;

  if (!self->ending || self->ended)
    return;
  if (!answer_due && !owes_release (self) && !owes_close (self))
    {
      finish (self);
      return;
    }
  if (self->link != LINK_BOUND || answer_due)
    return;
  if (!g_queue_is_empty (&self->outbox) && self->now < self->drained_by)
    return;

  if (owes_release (self))
    kh_wormhole_say_release (self);
  if (owes_close (self) && !self->here.closed)
    {
      self->here.closed = TRUE;
      kh_wormhole_say (self, kh_json_build ("type:s mailbox:s mood:s", "close", self->mailbox, self->mood));
    }
}

static void
begin_end (KhWormhole *self, const char *mood)
{
  self->ending = TRUE;
  self->mood = mood;
  self->drained_by = self->now + DRAIN_LIMIT;
  self->closed_by = self->now + CLOSE_LIMIT;
  g_queue_clear_full (&self->waiting, (GDestroyNotify) g_bytes_unref);
  if (strcmp (mood, KH_WORMHOLE_HAPPY) != 0)
    g_queue_clear_full (&self->outbox, (GDestroyNotify) kh_wormhole_item_free);
}

/* The first failure ends everything; what comes after it is of no interest. */
void
kh_wormhole_fail (KhWormhole *self, const char *mood, KhError code, const char *format, ...)
{
  va_list values;

  if (self->ending)
    return;

  va_start (values, format);
  kh_wormhole_emit (self, KH_WORMHOLE_FAILED)->error = g_error_new_valist (KH_ERROR, code, format, values);
  va_end (values);

  begin_end (self, mood);
  if (code == KH_ERROR_SERVER_UNREACHABLE && self->link == LINK_DOWN)
    finish (self);
  else
    kh_wormhole_advance_end (self);
}

static void
fail_unreachable (KhWormhole *self)
{
  kh_wormhole_fail (
      self, KH_WORMHOLE_LONELY, KH_ERROR_SERVER_UNREACHABLE,
      "The meeting server %s cannot be reached. Check your internet connection. If you named the server yourself, "
      "check its URL as well: most end in /v1.",
      self->server);
}

static void
fail_away (KhWormhole *self)
{
  if (!self->ever_live)
    kh_wormhole_fail (self, KH_WORMHOLE_LONELY, KH_ERROR_SERVER_UNREACHABLE,
                      "The meeting server %s does not answer. Try again later, or name another server.", self->server);
  else
    kh_wormhole_fail (self, KH_WORMHOLE_LONELY, KH_ERROR_SERVER_UNREACHABLE,
                      "The connection to the meeting server %s was lost and does not come back. Check your internet "
                      "connection, then start again with a new code.",
                      self->server);
}

/**
 * kh_wormhole_connected:
 *
 * A connection to the server stands. Nothing is said on it before the server's welcome.
 */
void
kh_wormhole_connected (KhWormhole *self, gint64 now)
{
  g_return_if_fail (self != NULL);
  g_return_if_fail (self->link == LINK_DOWN);

  self->now = now;
  self->link = LINK_UP;
  self->answer_by = now + WELCOME_LIMIT;
}

/* The server handles messages in order, so the oldest one it did not echo is the one it may not like. */
static void
count_reset (KhWormhole *self)
{
  KhWormholeItem *oldest = g_queue_peek_head (&self->outbox);

  if (oldest == NULL || ++oldest->resets < MAX_RESETS)
    return;

  kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_SERVER_UNREACHABLE,
                    "The meeting server %s breaks the connection whenever a message is sent. Try again later, or name "
                    "another server.",
                    self->server);
}

static void
take_down (KhWormhole *self)
{
  if (self->link != LINK_DOWN && self->away_since == KH_WORMHOLE_NEVER)
    self->away_since = self->now;
  self->link = LINK_DOWN;
  self->answer_by = KH_WORMHOLE_NEVER;
  memset (&self->here, 0, sizeof self->here);
  g_queue_clear_full (&self->messages, (GDestroyNotify) message_free);
}

/**
 * kh_wormhole_disconnected:
 *
 * The connection is gone, or could not be made. The owner makes another one after a while, unless this was the first:
 * that failure is told at once.
 */
void
kh_wormhole_disconnected (KhWormhole *self, gint64 now)
{
  gboolean was_open;

  g_return_if_fail (self != NULL);

  self->now = now;
  was_open = self->here.opened;
  take_down (self);

  if (!self->ever_welcome)
    fail_unreachable (self);
  else if (was_open)
    count_reset (self);

  kh_wormhole_advance_end (self);
}

/**
 * kh_wormhole_receive_junk:
 *
 * The server sent what is no message at all; the owner has dropped the connection. Once the friend is verified this is
 * no more than a lost connection.
 */
void
kh_wormhole_receive_junk (KhWormhole *self, gint64 now)
{
  g_return_if_fail (self != NULL);

  self->now = now;
  take_down (self);
  if (!self->verified)
    kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_SERVER_UNREACHABLE,
                      "%s does not work as a meeting server: what it sends makes no sense. Name another server.",
                      self->server);
  kh_wormhole_advance_end (self);
}

static void
miss_answer (KhWormhole *self)
{
  gboolean said_nothing = !self->ever_welcome;

  take_down (self);
  kh_wormhole_emit (self, KH_WORMHOLE_RECONNECT);
  if (said_nothing)
    fail_away (self);
}

static gint64
away_until (KhWormhole *self)
{
  if (self->away_since == KH_WORMHOLE_NEVER || self->verified)
    return KH_WORMHOLE_NEVER;

  return self->away_since + (self->role == KH_ROLE_INVITER && self->ever_live ? AWAY_LIMIT_INVITER : AWAY_LIMIT);
}

/* Whether somebody failed to come, or we could not have seen it. */
static void
miss_friend (KhWormhole *self)
{
  if (!self->here.live)
    fail_away (self);
  else if (self->role == KH_ROLE_INVITER)
    kh_wormhole_fail (self, KH_WORMHOLE_LONELY, KH_ERROR_EXPIRED,
                      "Nobody used this code in time, so it is no longer valid. Make a new one.");
  else
    kh_wormhole_fail (self, KH_WORMHOLE_LONELY, KH_ERROR_NOBODY_THERE,
                      "Nobody is waiting at this code. It may have run out.");
}

static void
miss_verification (KhWormhole *self)
{
  if (!self->here.live)
    fail_away (self);
  else
    kh_wormhole_fail (self, KH_WORMHOLE_LONELY, KH_ERROR_NOBODY_THERE,
                      "Your friend went away while the code was being checked. Try again with a new code.");
}

/**
 * kh_wormhole_tick:
 *
 * Does what is due at @now. Harmless when nothing is.
 */
void
kh_wormhole_tick (KhWormhole *self, gint64 now)
{
  g_return_if_fail (self != NULL);

  self->now = now;
  if (self->ended)
    return;

  if (self->ending)
    {
      if (now >= self->closed_by)
        finish (self);
      else if (now >= self->drained_by)
        kh_wormhole_advance_end (self);
      return;
    }

  if (now >= self->answer_by)
    miss_answer (self);
  if (now >= away_until (self))
    fail_away (self);
  if (now >= MIN (self->life_until, self->friend_by))
    miss_friend (self);
  if (now >= self->verified_by)
    miss_verification (self);
}

/**
 * kh_wormhole_get_deadline:
 *
 * Returns: when kh_wormhole_tick() has to be called, or %KH_WORMHOLE_NEVER
 */
gint64
kh_wormhole_get_deadline (KhWormhole *self)
{
  gint64 meeting;

  g_return_val_if_fail (self != NULL, KH_WORMHOLE_NEVER);

  if (self->ended)
    return KH_WORMHOLE_NEVER;
  if (self->ending)
    return self->now < self->drained_by ? self->drained_by : self->closed_by;

  meeting = MIN (MIN (self->life_until, self->friend_by), self->verified_by);
  return MIN (MIN (self->answer_by, away_until (self)), meeting);
}

/**
 * kh_wormhole_send:
 * @plaintext: at most %KH_WORMHOLE_MAX_PLAINTEXT bytes
 *
 * Queues the next numbered phase. It goes when the friend is verified; a joiner's first one goes as soon as the key is
 * known, since somebody with a wrong code learns nothing from it.
 *
 * Returns: whether it was taken; %FALSE when it is too long, too many wait already, or the end has begun
 */
gboolean
kh_wormhole_send (KhWormhole *self, GBytes *plaintext)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (plaintext != NULL, FALSE);

  if (self->ending || g_bytes_get_size (plaintext) > KH_WORMHOLE_MAX_PLAINTEXT ||
      self->outbox.length + self->waiting.length >= KH_WORMHOLE_MAX_QUEUED)
    return FALSE;

  if (self->verified || (self->role == KH_ROLE_JOINER && self->has_key && self->next_out == 0))
    kh_wormhole_add_numbered (self, plaintext);
  else
    g_queue_push_tail (&self->waiting, g_bytes_ref (plaintext));

  return TRUE;
}

/**
 * kh_wormhole_close:
 *
 * Ends: the last messages, then the nameplate is released and the mailbox closed, with the mood `happy` when the friend
 * was verified and `lonely` otherwise. %KH_WORMHOLE_CLOSED follows within 5 seconds. Harmless when the end has begun.
 */
void
kh_wormhole_close (KhWormhole *self, gint64 now)
{
  g_return_if_fail (self != NULL);

  self->now = now;
  if (!self->ending)
    begin_end (self, self->verified ? KH_WORMHOLE_HAPPY : KH_WORMHOLE_LONELY);
  kh_wormhole_advance_end (self);
}

/**
 * kh_wormhole_pop_message:
 *
 * Returns: (transfer full) (nullable): the next message for the server
 */
JsonObject *
kh_wormhole_pop_message (KhWormhole *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_queue_pop_head (&self->messages);
}

/**
 * kh_wormhole_pop_event:
 *
 * Returns: (transfer full) (nullable): the next thing that happened
 */
KhWormholeEvent *
kh_wormhole_pop_event (KhWormhole *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return g_queue_pop_head (&self->events);
}

/**
 * kh_wormhole_get_code:
 *
 * Returns: (transfer none) (nullable): the code; an inviter has it from %KH_WORMHOLE_CODE_READY on
 */
const char *
kh_wormhole_get_code (KhWormhole *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->role == KH_ROLE_JOINER || self->ever_live ? self->code : NULL;
}

/**
 * kh_wormhole_get_your_address:
 *
 * Returns: (transfer none) (nullable): our address as the server sees it, if it says so
 */
const char *
kh_wormhole_get_your_address (KhWormhole *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->your_address;
}

/**
 * kh_wormhole_is_welcome:
 *
 * Returns: whether the connection of now was welcomed
 */
gboolean
kh_wormhole_is_welcome (KhWormhole *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->link == LINK_BOUND;
}

/**
 * kh_wormhole_is_ended:
 *
 * Returns: whether no connection is needed any more; %KH_WORMHOLE_CLOSED is among the events
 */
gboolean
kh_wormhole_is_ended (KhWormhole *self)
{
  g_return_val_if_fail (self != NULL, TRUE);

  return self->ended;
}

/**
 * kh_wormhole_derive:
 * @purpose: what the key is for
 * @out: (array length=out_length): where it goes
 * @out_length: bytes wanted, at most 255 × 32
 *
 * Derives a key from the session key (PROTOCOL section 7.1). Both sides get the same once the friend is verified.
 *
 * Returns: whether there is a session key
 */
gboolean
kh_wormhole_derive (KhWormhole *self, const char *purpose, guint8 *out, gsize out_length)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (purpose != NULL, FALSE);

  if (!self->has_key)
    return FALSE;

  kh_hkdf (self->key, sizeof self->key, purpose, strlen (purpose), out, out_length);
  return TRUE;
}
