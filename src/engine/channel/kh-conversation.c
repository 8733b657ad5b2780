/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-conversation.h"

#include "kh-conversation-private.h"
#include "kh-error.h"
#include "kh-frame.h"
#include "kh-outbox.h"

#include <string.h>

/* How a conversation ends.
 *
 *              finish()              outbox empty              friend's bye too
 *     TALKING ─────────▶ FINISHING ──────────────▶ SAID_BYE ──────────────▶ CLOSING ──▶ ENDED
 *        └─────────────────────┴──── leave() ─────────┴────────────────────────▲
 *
 * FINISHING and SAID_BYE are netcat's half-close: we still receive and ack. CLOSING reads to the friend's
 * end, at most two seconds, so that nothing we sent is lost to a reset, and hears nothing more. An end, a
 * reset or silence before the friend's bye is a loss from any state but CLOSING. */

#define PING_MS 15000
#define SILENCE_MS 20000
#define FAREWELL_MS 2000

typedef enum
{
  STATE_TALKING,
  STATE_FINISHING,
  STATE_SAID_BYE,
  STATE_CLOSING,
  STATE_ENDED,
} State;

/**
 * KhConversation:
 *
 * Messages between two friends over a #KhChannel: numbered, acknowledged, in order. What is said before there
 * is a channel waits for it. Reaching the friend and sealing are done elsewhere.
 */
struct _KhConversation
{
  GObject parent_instance;

  State state;
  gboolean friend_finished;
  KhChannel *channel;
  gint64 attached;
  KhOutbox *outbox;
  guint64 received;

  guint64 ping;
  guint64 ping_answered;
  gint64 ping_time;
  gint delay;

  guint ping_ms;
  guint silence_ms;
  guint farewell_ms;
  guint ping_id;
  guint silence_id;
  guint farewell_id;
};

enum
{
  PROP_DELAY = 1,
  N_PROPERTIES
};

enum
{
  SIGNAL_RECEIVED,
  SIGNAL_DELIVERED,
  SIGNAL_FRIEND_FINISHED,
  SIGNAL_ENDED,
  N_SIGNALS,
};

static GParamSpec *properties[N_PROPERTIES];
static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (KhConversation, kh_conversation, G_TYPE_OBJECT)

static void
clear_timers (KhConversation *self)
{
  g_clear_handle_id (&self->ping_id, g_source_remove);
  g_clear_handle_id (&self->silence_id, g_source_remove);
  g_clear_handle_id (&self->farewell_id, g_source_remove);
}

static void
drop_channel (KhConversation *self)
{
  clear_timers (self);
  if (self->channel != NULL)
    kh_channel_close (self->channel);
  g_clear_object (&self->channel);
}

static void
kh_conversation_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  KhConversation *self = KH_CONVERSATION (object);

  switch (id)
    {
    case PROP_DELAY:
      g_value_set_int (value, self->delay);
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
kh_conversation_dispose (GObject *object)
{
  drop_channel (KH_CONVERSATION (object));

  G_OBJECT_CLASS (kh_conversation_parent_class)->dispose (object);
}

static void
kh_conversation_finalize (GObject *object)
{
  KhConversation *self = KH_CONVERSATION (object);

  g_clear_pointer (&self->outbox, kh_outbox_free);

  G_OBJECT_CLASS (kh_conversation_parent_class)->finalize (object);
}

static void
kh_conversation_class_init (KhConversationClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = kh_conversation_get_property;
  object_class->dispose = kh_conversation_dispose;
  object_class->finalize = kh_conversation_finalize;

  /**
   * KhConversation:delay:
   *
   * How long the last answered ping took there and back, in milliseconds; -1 while that is unknown.
   */
  properties[PROP_DELAY] = g_param_spec_int ("delay", NULL, NULL, -1, G_MAXINT, -1,
                                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * KhConversation::received:
   * @self: the conversation
   * @id: the friend's number of the message: 1, 2, 3, …
   * @text: what the friend says, at most %KH_CONVERSATION_MAX_TEXT bytes of UTF-8; from the network, so it
   * may hold control characters of any kind
   * @sent: when it was written by the friend's clock, in milliseconds since 1970
   *
   * Each message once and in order. The friend has been told that it arrived.
   */
  signals[SIGNAL_RECEIVED] =
      g_signal_new ("received", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 3,
                    G_TYPE_UINT64, G_TYPE_STRING | G_SIGNAL_TYPE_STATIC_SCOPE, G_TYPE_INT64);

  /**
   * KhConversation::delivered:
   * @self: the conversation
   * @id: what kh_conversation_say() returned
   *
   * One of our messages has arrived. Each once and in order.
   */
  signals[SIGNAL_DELIVERED] = g_signal_new ("delivered", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL,
                                            NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);

  /**
   * KhConversation::friend-finished:
   * @self: the conversation
   *
   * The friend has nothing more to say. What we say still arrives until the friend leaves.
   */
  signals[SIGNAL_FRIEND_FINISHED] = g_signal_new ("friend-finished", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                                  NULL, NULL, NULL, G_TYPE_NONE, 0);

  /**
   * KhConversation::ended:
   * @self: the conversation
   * @error: (nullable): %NULL after a goodbye; %KH_ERROR_LOST when the connection broke off without one,
   *   %KH_ERROR_PROTOCOL when the friend's program sent what nobody should
   *
   * The conversation is over and its channel closed. Exactly once, last of all signals.
   */
  signals[SIGNAL_ENDED] = g_signal_new ("ended", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 1, G_TYPE_ERROR | G_SIGNAL_TYPE_STATIC_SCOPE);
}

static void
kh_conversation_init (KhConversation *self)
{
  self->outbox = kh_outbox_new ();
  self->delay = -1;
  self->ping_ms = PING_MS;
  self->silence_ms = SILENCE_MS;
  self->farewell_ms = FAREWELL_MS;
}

static void
end (KhConversation *self, const GError *error)
{
  if (self->state == STATE_ENDED)
    return;

  self->state = STATE_ENDED;
  drop_channel (self);
  g_signal_emit (self, signals[SIGNAL_ENDED], 0, error);
}

static void
end_lost (KhConversation *self, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_debug ("connection lost: %s", reason);
  error = g_error_new_literal (KH_ERROR, KH_ERROR_LOST,
                               "The connection broke off without a goodbye: connect again with a new invite.");
  end (self, error);
}

static void
end_unheard (KhConversation *self)
{
  g_autoptr (GError) error =
      g_error_new_literal (KH_ERROR, KH_ERROR_LOST, "Your friend left before everything you said had arrived.");

  end (self, error);
}

static void
end_protocol (KhConversation *self, const char *reason)
{
  g_autoptr (GError) error = NULL;

  g_debug ("protocol error: %s", reason);
  error = g_error_new_literal (KH_ERROR, KH_ERROR_PROTOCOL,
                               "Your friend's program does not keep to the rules of a conversation: both of you "
                               "should use the same version of Knothole.");
  end (self, error);
}

static gboolean
send_frame (KhConversation *self, const KhFrame *frame)
{
  g_autoptr (GBytes) bytes = kh_frame_to_bytes (frame);

  return kh_channel_send (self->channel, bytes);
}

/* For what the friend makes us send. When writing has failed, reading tells why soon, and what is still to be
 * read matters more. But a friend who never reads our answers must not make the queue grow: %FALSE means that
 * the conversation has ended for that. */
static gboolean
answer (KhConversation *self, const KhFrame *frame)
{
  if (send_frame (self, frame) || kh_channel_get_queued (self->channel) == 0)
    return TRUE;

  end_protocol (self, "our answers are not read");
  return FALSE;
}

static gboolean
farewell_over_cb (gpointer user_data)
{
  KhConversation *self = user_data;

  self->farewell_id = 0;
  end (self, NULL);

  return G_SOURCE_REMOVE;
}

static void
start_closing (KhConversation *self)
{
  self->state = STATE_CLOSING;
  clear_timers (self);
  kh_channel_shutdown (self->channel);
  self->farewell_id = g_timeout_add (self->farewell_ms, farewell_over_cb, self);
  g_source_set_name_by_id (self->farewell_id, "[knothole] wait for the friend's end");
}

/* Goes as far towards the end as both sides are. */
static void
advance (KhConversation *self)
{
  if (self->state == STATE_FINISHING && self->channel != NULL && kh_outbox_get_length (self->outbox) == 0)
    {
      if (!answer (self, &(KhFrame){ .kind = KH_FRAME_BYE }))
        return;
      self->state = STATE_SAID_BYE;
    }

  if (self->state == STATE_SAID_BYE && self->friend_finished)
    start_closing (self);
}

static void
send_texts (KhConversation *self)
{
  GBytes *frame;

  if (self->channel == NULL || self->state > STATE_FINISHING)
    return;

  /* What fails to be sent is not acked either; there is nothing to undo. */
  while ((frame = kh_outbox_send (self->outbox)) != NULL)
    kh_channel_send (self->channel, frame);
}

static void
send_ping (KhConversation *self)
{
  self->ping_time = g_get_monotonic_time ();
  send_frame (self, &(KhFrame){ .kind = KH_FRAME_PING, .number = ++self->ping });
}

static gboolean
ping_cb (gpointer user_data)
{
  send_ping (user_data);

  return G_SOURCE_CONTINUE;
}

static void watch_silence (KhConversation *self, gint64 milliseconds);

static gboolean
silence_cb (gpointer user_data)
{
  g_autoptr (KhConversation) self = g_object_ref (user_data);
  gint64 heard = MAX (self->attached, kh_channel_get_last_heard (self->channel));
  gint64 left = heard / 1000 + self->silence_ms - g_get_monotonic_time () / 1000;

  self->silence_id = 0;
  if (left > 0)
    watch_silence (self, left);
  else if (self->friend_finished && kh_outbox_get_length (self->outbox) == 0)
    end (self, NULL);
  else if (self->friend_finished)
    end_unheard (self);
  else
    end_lost (self, "silence");

  return G_SOURCE_REMOVE;
}

/* At low priority: when our own main loop was held up, what came meanwhile is read first. */
static void
watch_silence (KhConversation *self, gint64 milliseconds)
{
  self->silence_id = g_timeout_add_full (G_PRIORITY_LOW, milliseconds, silence_cb, self, NULL);
  g_source_set_name_by_id (self->silence_id, "[knothole] dead path");
}

static void
receive_text (KhConversation *self, const KhFrame *frame)
{
  gboolean is_new = frame->number == self->received + 1;

  if (frame->number > self->received + 1 || (is_new && self->friend_finished))
    {
      end_protocol (self, "a text out of order");
      return;
    }

  if (is_new)
    self->received++;
  if (answer (self, &(KhFrame){ .kind = KH_FRAME_ACK, .number = frame->number }) && is_new)
    g_signal_emit (self, signals[SIGNAL_RECEIVED], 0, frame->number, frame->text, frame->sent);
}

static void
receive_ack (KhConversation *self, guint64 id)
{
  guint64 popped;

  if (!kh_outbox_was_sent (self->outbox, id))
    {
      end_protocol (self, "an ack of what was never sent");
      return;
    }

  while ((popped = kh_outbox_pop (self->outbox, id)) != 0)
    {
      g_signal_emit (self, signals[SIGNAL_DELIVERED], 0, popped);
      if (self->state == STATE_ENDED)
        return;
    }
  send_texts (self);
  advance (self);
}

static void
set_delay (KhConversation *self, gint delay)
{
  if (delay == self->delay)
    return;

  self->delay = delay;
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DELAY]);
}

static void
receive_pong (KhConversation *self, guint64 number)
{
  if (number != self->ping || number == self->ping_answered)
    return;

  self->ping_answered = number;
  set_delay (self, MIN ((g_get_monotonic_time () - self->ping_time + 500) / 1000, G_MAXINT));
}

static void
receive_bye (KhConversation *self)
{
  if (self->friend_finished)
    return;

  self->friend_finished = TRUE;
  g_signal_emit (self, signals[SIGNAL_FRIEND_FINISHED], 0);
  advance (self);
}

static void
frame_cb (KhChannel *channel, GBytes *bytes, gpointer user_data)
{
  g_autoptr (KhConversation) self = g_object_ref (user_data);
  g_autoptr (GError) error = NULL;
  g_auto (KhFrame) frame = { 0 };

  if (self->state == STATE_CLOSING)
    return;

  if (!kh_frame_from_bytes (bytes, &frame, &error))
    {
      end (self, error);
      return;
    }

  switch (frame.kind)
    {
    case KH_FRAME_TEXT:
      receive_text (self, &frame);
      break;
    case KH_FRAME_ACK:
      receive_ack (self, frame.number);
      break;
    case KH_FRAME_PING:
      answer (self, &(KhFrame){ .kind = KH_FRAME_PONG, .number = frame.number });
      break;
    case KH_FRAME_PONG:
      receive_pong (self, frame.number);
      break;
    case KH_FRAME_BYE:
      receive_bye (self);
      break;
    case KH_FRAME_OTHER:
    default:
      break;
    }
}

static void
closed_cb (KhChannel *channel, const GError *error, gpointer user_data)
{
  g_autoptr (KhConversation) self = g_object_ref (user_data);

  if (self->state == STATE_CLOSING)
    end (self, NULL);
  else if (g_error_matches (error, KH_ERROR, KH_ERROR_PROTOCOL))
    end (self, error);
  else if (self->friend_finished && kh_outbox_get_length (self->outbox) == 0)
    end (self, NULL);
  else if (self->friend_finished)
    end_unheard (self);
  else
    end_lost (self, error != NULL ? error->message : "end without a goodbye");
}

/**
 * kh_conversation_new:
 *
 * Returns: (transfer full): a conversation with no channel yet
 */
KhConversation *
kh_conversation_new (void)
{
  return g_object_new (KH_TYPE_CONVERSATION, NULL);
}

/* How long between two pings, how long a silence makes a path dead, and how long the friend's end is waited
 * for. */
void
kh_conversation_set_timing (KhConversation *self, guint ping, guint silence, guint farewell)
{
  g_return_if_fail (KH_IS_CONVERSATION (self));
  g_return_if_fail (self->channel == NULL);

  self->ping_ms = ping;
  self->silence_ms = silence;
  self->farewell_ms = farewell;
}

/**
 * kh_conversation_attach:
 * @self: a conversation
 * @channel: (transfer none): a channel whose handshake is over, its next frame one of the conversation
 *
 * Talks over @channel from now on: what waits is sent, and what was sent over an earlier channel and not
 * acked is sent again. The earlier channel is closed. The conversation owns @channel's handler, and closes it
 * in the end; a conversation that is over closes it at once.
 */
void
kh_conversation_attach (KhConversation *self, KhChannel *channel)
{
  g_return_if_fail (KH_IS_CONVERSATION (self));
  g_return_if_fail (KH_IS_CHANNEL (channel));
  g_return_if_fail (channel != self->channel);

  if (self->state >= STATE_CLOSING)
    {
      kh_channel_close (channel);
      return;
    }

  drop_channel (self);
  self->channel = g_object_ref (channel);
  self->attached = g_get_monotonic_time ();
  kh_channel_set_handler (channel, frame_cb, closed_cb, self);

  /* A bye that went over the earlier channel may not have arrived. */
  if (self->state == STATE_SAID_BYE)
    self->state = STATE_FINISHING;

  kh_outbox_rewind (self->outbox);
  self->ping_id = g_timeout_add (self->ping_ms, ping_cb, self);
  g_source_set_name_by_id (self->ping_id, "[knothole] ping");
  watch_silence (self, self->silence_ms);
  send_ping (self);
  send_texts (self);
  advance (self);
}

static gboolean
check_text (const char *text, GError **error)
{
  if (!g_utf8_validate (text, -1, NULL))
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "The message is no text: send text in UTF-8.");
      return FALSE;
    }
  if (strlen (text) > KH_CONVERSATION_MAX_TEXT)
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_TOO_LARGE, "The message is longer than 32 KiB: send it in parts.");
      return FALSE;
    }

  return TRUE;
}

/* A text of quotation marks or control characters alone grows in JSON beyond what a frame holds. */
static gboolean
check_frame (KhConversation *self, gsize length, GError **error)
{
  if (length > KH_CHANNEL_MAX_FRAME)
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_TOO_LARGE,
                           "The message is too long with all its special characters: send it in parts.");
      return FALSE;
    }
  if (!kh_outbox_has_room (self->outbox, length))
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_TOO_LARGE,
                           "Too many messages wait to be delivered: wait until your friend has got some.");
      return FALSE;
    }

  return TRUE;
}

/**
 * kh_conversation_say:
 * @self: a conversation
 * @text: a message of at most %KH_CONVERSATION_MAX_TEXT bytes of UTF-8
 * @error: return location
 *
 * Says something: at once if there is a channel, when there is one else.
 *
 * Returns: the message's id, which `delivered` brings back; 0 with %KH_ERROR_TOO_LARGE when the text or what
 * waits to be delivered is too large, with %KH_ERROR_PROTOCOL when it is not UTF-8, and with %KH_ERROR_LOST
 * after kh_conversation_finish(), kh_conversation_leave() or the end
 */
guint64
kh_conversation_say (KhConversation *self, const char *text, GError **error)
{
  g_autoptr (GBytes) frame = NULL;
  guint64 id;

  g_return_val_if_fail (KH_IS_CONVERSATION (self), 0);
  g_return_val_if_fail (text != NULL, 0);

  if (self->state != STATE_TALKING)
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_LOST,
                           "The conversation is over: connect again with a new invite to go on.");
      return 0;
    }
  if (!check_text (text, error))
    return 0;

  id = kh_outbox_get_next (self->outbox);
  frame = kh_frame_to_bytes (&(KhFrame){ KH_FRAME_TEXT, id, (char *) text, g_get_real_time () / 1000 });
  if (!check_frame (self, g_bytes_get_size (frame), error))
    return 0;

  kh_outbox_add (self->outbox, frame);
  send_texts (self);

  return id;
}

/**
 * kh_conversation_get_unacked:
 * @self: a conversation
 *
 * Returns: how many of our messages have not been delivered yet, on their way or waiting
 */
guint
kh_conversation_get_unacked (KhConversation *self)
{
  g_return_val_if_fail (KH_IS_CONVERSATION (self), 0);

  return kh_outbox_get_length (self->outbox);
}

/**
 * kh_conversation_get_delay:
 * @self: a conversation
 *
 * Returns: how long the last answered ping took there and back, in milliseconds; -1 when not known yet
 */
gint
kh_conversation_get_delay (KhConversation *self)
{
  g_return_val_if_fail (KH_IS_CONVERSATION (self), -1);

  return self->delay;
}

/**
 * kh_conversation_finish:
 * @self: a conversation
 *
 * We have no more to say. When all we said is delivered, the friend is told; we go on receiving until the
 * friend has finished too, then the conversation ends well. Before there is a channel it is remembered.
 */
void
kh_conversation_finish (KhConversation *self)
{
  g_return_if_fail (KH_IS_CONVERSATION (self));

  if (self->state != STATE_TALKING)
    return;

  self->state = STATE_FINISHING;
  advance (self);
}

/**
 * kh_conversation_leave:
 * @self: a conversation
 *
 * We are leaving now: says goodbye, gives up what is not delivered, and hears no more. The conversation ends
 * well when the friend's program has seen it, in two seconds at most; at once, from inside this call, when
 * there is no channel.
 */
void
kh_conversation_leave (KhConversation *self)
{
  g_return_if_fail (KH_IS_CONVERSATION (self));

  if (self->state >= STATE_CLOSING)
    return;

  if (self->channel == NULL)
    {
      end (self, NULL);
      return;
    }

  if (self->state != STATE_SAID_BYE)
    send_frame (self, &(KhFrame){ .kind = KH_FRAME_BYE });
  start_closing (self);
}
