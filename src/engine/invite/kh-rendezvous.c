/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-rendezvous.h"

#include "kh-code.h"
#include "kh-error.h"
#include "kh-mailbox.h"
#include "kh-wormhole.h"

#include <sodium.h>
#include <string.h>

/* The delay before the nth try is min(1.5^n, 60) seconds and up to one more, so that clients of a server that comes
 * back do not come back all at once. */
#define BACKOFF_BASE 1.5
#define BACKOFF_MOST 60.0
#define BACKOFF_JITTER 1.0

/* A deadline further away than this is looked at again in between. */
#define LONGEST_TIMER_MS (60 * 60 * 1000)

G_STATIC_ASSERT (KH_RENDEZVOUS_MAX_MESSAGE == KH_WORMHOLE_MAX_PLAINTEXT);

/**
 * KhRendezvous:
 *
 * From a code to a sealed pipe of messages with the friend, over a meeting server. It joins what decides (KhWormhole)
 * with what connects (#KhMailbox): it makes connections, and new ones when they break, and passes on what comes.
 *
 * Signals come from the main loop, never from within start. After #KhRendezvous::failed, or once
 * kh_rendezvous_close_async() was called, there are none; the mailbox is still released and closed in the background
 * as long as the object lives.
 */
struct _KhRendezvous
{
  GObject parent_instance;

  KhRole role;
  KhTrace *trace;
  char *url;
  char *host;
  char *code;
  guint words;
  guint life_seconds;

  KhWormhole *wormhole;
  KhMailbox *mailbox;
  guint tries;
  guint retry_id;
  guint deadline_id;
  GError *start_error;
  gboolean opened; /* the connection of now stands, or stood */
  gboolean pumping;
  gboolean quiet;
  gboolean ended;
  GSList *close_tasks;
};

enum
{
  CODE_READY,
  FRIEND_ARRIVED,
  VERIFIED,
  MESSAGE,
  FAILED,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

G_DEFINE_FINAL_TYPE (KhRendezvous, kh_rendezvous, G_TYPE_OBJECT)

static void pump (KhRendezvous *self);
static void connect_mailbox (KhRendezvous *self);

static void
set_timer (guint *id, guint milliseconds, GSourceFunc callback, gpointer user_data, const char *name)
{
  g_clear_handle_id (id, g_source_remove);
  *id = g_timeout_add (milliseconds, callback, user_data);
  g_source_set_name_by_id (*id, name);
}

static void
drop_mailbox (KhRendezvous *self)
{
  if (self->mailbox == NULL)
    return;

  g_signal_handlers_disconnect_by_data (self->mailbox, self);
  kh_mailbox_close (self->mailbox);
  g_clear_object (&self->mailbox);
}

static void
finish_close_task (GTask *task)
{
  GSource *cancelled = g_task_get_task_data (task);

  if (cancelled != NULL)
    g_source_destroy (cancelled);
  g_task_return_boolean (task, TRUE);
  g_object_unref (task);
}

/* Lets go of the server. What waited for the end has it now. */
static void
end (KhRendezvous *self)
{
  GSList *tasks = g_steal_pointer (&self->close_tasks);

  self->ended = TRUE;
  self->quiet = TRUE;
  g_clear_handle_id (&self->retry_id, g_source_remove);
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  drop_mailbox (self);
  g_slist_free_full (tasks, (GDestroyNotify) finish_close_task);
}

static gboolean
on_retry (gpointer user_data)
{
  KhRendezvous *self = user_data;

  g_clear_handle_id (&self->retry_id, g_source_remove);
  connect_mailbox (self);
  return G_SOURCE_REMOVE;
}

static guint
next_delay (KhRendezvous *self)
{
  double seconds = 1;

  self->tries++;
  for (guint i = 0; i < self->tries && seconds < BACKOFF_MOST; i++)
    seconds *= BACKOFF_BASE;

  return (MIN (seconds, BACKOFF_MOST) + g_random_double_range (0, BACKOFF_JITTER)) * 1000;
}

static void
schedule_retry (KhRendezvous *self)
{
  guint milliseconds;

  if (kh_wormhole_is_ended (self->wormhole))
    return;

  milliseconds = next_delay (self);
  kh_trace_add (self->trace, "mailbox.retry", "delay_ms:i", (int) milliseconds);
  set_timer (&self->retry_id, milliseconds, on_retry, self, "[knothole] mailbox retry");
}

static void
emit_failed (KhRendezvous *self, GError *error)
{
  self->quiet = TRUE;
  g_signal_emit (self, signals[FAILED], 0, error);
}

/* What is meant for the application. */
static void
emit_event (KhRendezvous *self, KhWormholeEvent *event)
{
  if (self->quiet)
    return;

  switch (event->kind)
    {
    case KH_WORMHOLE_CODE_READY:
      g_signal_emit (self, signals[CODE_READY], 0);
      break;
    case KH_WORMHOLE_FRIEND_ARRIVED:
      g_signal_emit (self, signals[FRIEND_ARRIVED], 0);
      break;
    case KH_WORMHOLE_VERIFIED:
      g_signal_emit (self, signals[VERIFIED], 0);
      break;
    case KH_WORMHOLE_MESSAGE:
      g_signal_emit (self, signals[MESSAGE], 0, event->message);
      break;
    case KH_WORMHOLE_FAILED:
      emit_failed (self, event->error);
      break;
    case KH_WORMHOLE_MOTD:
    case KH_WORMHOLE_RECONNECT:
    case KH_WORMHOLE_CLOSED:
      break;
    }
}

static void
handle_event (KhRendezvous *self, KhWormholeEvent *event)
{
  switch (event->kind)
    {
    case KH_WORMHOLE_MOTD:
      kh_trace_add (self->trace, "mailbox.motd", "text:s", event->text);
      break;
    case KH_WORMHOLE_RECONNECT:
      drop_mailbox (self);
      kh_trace_add (self->trace, "mailbox.lost", "reason:s", "the server does not answer");
      schedule_retry (self);
      break;
    case KH_WORMHOLE_CLOSED:
      end (self);
      break;
    case KH_WORMHOLE_CODE_READY:
    case KH_WORMHOLE_FRIEND_ARRIVED:
    case KH_WORMHOLE_VERIFIED:
    case KH_WORMHOLE_MESSAGE:
    case KH_WORMHOLE_FAILED:
      emit_event (self, event);
      break;
    }
}

static gboolean
send_next (KhRendezvous *self)
{
  g_autoptr (JsonObject) message = kh_wormhole_pop_message (self->wormhole);

  if (message == NULL)
    return FALSE;

  /* On a connection that just broke it is lost; the wormhole says it again on the next one. */
  if (self->mailbox != NULL)
    kh_mailbox_send (self->mailbox, message);
  return TRUE;
}

static gboolean
handle_next (KhRendezvous *self)
{
  g_autoptr (KhWormholeEvent) event = kh_wormhole_pop_event (self->wormhole);

  if (event == NULL)
    return FALSE;

  handle_event (self, event);
  return TRUE;
}

static gboolean
on_deadline (gpointer user_data)
{
  KhRendezvous *self = user_data;

  g_clear_handle_id (&self->deadline_id, g_source_remove);
  kh_wormhole_tick (self->wormhole, g_get_monotonic_time ());
  pump (self);
  return G_SOURCE_REMOVE;
}

static void
arm_deadline (KhRendezvous *self)
{
  gint64 deadline = kh_wormhole_get_deadline (self->wormhole);
  gint64 left;

  g_clear_handle_id (&self->deadline_id, g_source_remove);
  if (self->ended || deadline == KH_WORMHOLE_NEVER)
    return;

  left = MAX (deadline - g_get_monotonic_time (), 0) / 1000 + 1;
  set_timer (&self->deadline_id, MIN (left, LONGEST_TIMER_MS), on_deadline, self, "[knothole] rendezvous deadline");
}

/* Does all that the wormhole asks for. A handler may send, close, or let go of us meanwhile. */
static void
pump (KhRendezvous *self)
{
  g_autoptr (KhRendezvous) alive = NULL;

  if (self->pumping)
    return;

  alive = g_object_ref (self);
  self->pumping = TRUE;
  while (!self->ended && (send_next (self) || handle_next (self)))
    ;
  self->pumping = FALSE;
  arm_deadline (self);
}

static void
on_opened (KhMailbox *mailbox, KhRendezvous *self)
{
  self->opened = TRUE;
  kh_trace_add (self->trace, "mailbox.connected", "server:s", self->host);
  kh_wormhole_connected (self->wormhole, g_get_monotonic_time ());
  pump (self);
}

static void
on_message (KhMailbox *mailbox, JsonObject *message, KhRendezvous *self)
{
  kh_wormhole_receive (self->wormhole, message, g_get_monotonic_time ());
  if (kh_wormhole_is_welcome (self->wormhole))
    self->tries = 0;
  pump (self);
}

static void
on_closed (KhMailbox *mailbox, GError *error, KhRendezvous *self)
{
  gint64 now = g_get_monotonic_time ();

  drop_mailbox (self);
  kh_trace_add (self->trace, self->opened ? "mailbox.lost" : "mailbox.failed", "reason:s", error->message);

  if (g_error_matches (error, KH_ERROR, KH_ERROR_PROTOCOL))
    kh_wormhole_receive_junk (self->wormhole, now);
  else
    kh_wormhole_disconnected (self->wormhole, now);
  schedule_retry (self);
  pump (self);
}

static void
connect_mailbox (KhRendezvous *self)
{
  self->opened = FALSE;
  kh_trace_add (self->trace, "mailbox.connecting", "server:s", self->host);
  self->mailbox = kh_mailbox_new (self->url);
  g_signal_connect (self->mailbox, "opened", G_CALLBACK (on_opened), self);
  g_signal_connect (self->mailbox, "message", G_CALLBACK (on_message), self);
  g_signal_connect (self->mailbox, "closed", G_CALLBACK (on_closed), self);
  kh_mailbox_open (self->mailbox);
}

static void
kh_rendezvous_dispose (GObject *object)
{
  KhRendezvous *self = KH_RENDEZVOUS (object);

  end (self);

  G_OBJECT_CLASS (kh_rendezvous_parent_class)->dispose (object);
}

static void
kh_rendezvous_finalize (GObject *object)
{
  KhRendezvous *self = KH_RENDEZVOUS (object);

  g_clear_pointer (&self->wormhole, kh_wormhole_free);
  g_clear_error (&self->start_error);
  g_clear_object (&self->trace);
  g_free (self->url);
  g_free (self->host);
  if (self->code != NULL)
    sodium_memzero (self->code, strlen (self->code));
  g_free (self->code);

  G_OBJECT_CLASS (kh_rendezvous_parent_class)->finalize (object);
}

static guint
add_signal (const char *name, GType argument)
{
  if (argument == G_TYPE_NONE)
    return g_signal_new (name, KH_TYPE_RENDEZVOUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);

  return g_signal_new (name, KH_TYPE_RENDEZVOUS, G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 1, argument);
}

static void
kh_rendezvous_class_init (KhRendezvousClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->dispose = kh_rendezvous_dispose;
  object_class->finalize = kh_rendezvous_finalize;

  /**
   * KhRendezvous::code-ready:
   *
   * The inviter's code is live: a friend who uses it now finds us. kh_rendezvous_get_code() has it. A joiner never
   * emits this.
   */
  signals[CODE_READY] = add_signal ("code-ready", G_TYPE_NONE);

  /**
   * KhRendezvous::friend-arrived:
   *
   * The friend's key exchange message came and the session key is known; whether the friend knows the code is not, yet.
   * A joiner's first message goes now.
   */
  signals[FRIEND_ARRIVED] = add_signal ("friend-arrived", G_TYPE_NONE);

  /**
   * KhRendezvous::verified:
   *
   * Something of the friend opened: both used the same code, and everything that comes is the friend's. From now on
   * losing the server is no failure.
   */
  signals[VERIFIED] = add_signal ("verified", G_TYPE_NONE);

  /**
   * KhRendezvous::message:
   * @message: what the friend sent, at most about 65 000 bytes; its content is the friend's and unchecked
   *
   * The friend's next message. Each comes once, in the order they were sent.
   */
  signals[MESSAGE] = add_signal ("message", G_TYPE_BYTES);

  /**
   * KhRendezvous::failed:
   * @error: in domain %KH_ERROR, with a sentence for people: %KH_ERROR_SERVER_UNREACHABLE, %KH_ERROR_BAD_CODE,
   *   %KH_ERROR_CROWDED, %KH_ERROR_NOBODY_THERE, %KH_ERROR_EXPIRED, %KH_ERROR_LOST or %KH_ERROR_PROTOCOL
   *
   * The code is dead. Emitted at most once, and the last signal of all.
   */
  signals[FAILED] = add_signal ("failed", G_TYPE_ERROR);
}

static void
kh_rendezvous_init (KhRendezvous *self)
{
}

static KhRendezvous *
rendezvous_new (KhRole role, KhTrace *trace, const char *mailbox_url)
{
  KhRendezvous *self = g_object_new (KH_TYPE_RENDEZVOUS, NULL);

  self->role = role;
  self->trace = g_object_ref (trace);
  self->url = g_strdup (mailbox_url != NULL ? mailbox_url : KH_MAILBOX_DEFAULT_URL);
  self->host = kh_mailbox_url_get_host (self->url);

  return self;
}

/**
 * kh_rendezvous_new_inviter:
 * @trace: where to report to
 * @mailbox_url: (nullable): the meeting server, or %NULL for %KH_MAILBOX_DEFAULT_URL
 * @words: words of the code, from 1 to %KH_CODE_MAX_WORDS
 * @life_seconds: how long the code may wait for a friend, from kh_rendezvous_start() on
 *
 * Returns: (transfer full): an invite that has not been started
 */
KhRendezvous *
kh_rendezvous_new_inviter (KhTrace *trace, const char *mailbox_url, guint words, guint life_seconds)
{
  KhRendezvous *self;

  g_return_val_if_fail (KH_IS_TRACE (trace), NULL);
  g_return_val_if_fail (words >= 1 && words <= KH_CODE_MAX_WORDS, NULL);

  self = rendezvous_new (KH_ROLE_INVITER, trace, mailbox_url);
  self->words = words;
  self->life_seconds = life_seconds;

  return self;
}

/**
 * kh_rendezvous_new_joiner:
 * @trace: where to report to
 * @mailbox_url: (nullable): the meeting server, or %NULL for %KH_MAILBOX_DEFAULT_URL
 * @code: a code, as typed; one that cannot be right fails with %KH_ERROR_BAD_CODE before anything is sent
 *
 * Returns: (transfer full): a try of @code that has not been started
 */
KhRendezvous *
kh_rendezvous_new_joiner (KhTrace *trace, const char *mailbox_url, const char *code)
{
  KhRendezvous *self;

  g_return_val_if_fail (KH_IS_TRACE (trace), NULL);
  g_return_val_if_fail (code != NULL, NULL);

  self = rendezvous_new (KH_ROLE_JOINER, trace, mailbox_url);
  self->code = kh_code_parse (code, NULL, &self->start_error);

  return self;
}

static gboolean
on_start_error (gpointer user_data)
{
  KhRendezvous *self = user_data;

  end (self);
  emit_failed (self, self->start_error);
  return G_SOURCE_REMOVE;
}

/**
 * kh_rendezvous_start:
 *
 * Connects to the meeting server. #KhRendezvous::code-ready, #KhRendezvous::friend-arrived or #KhRendezvous::failed
 * follows. Can be called once.
 */
void
kh_rendezvous_start (KhRendezvous *self)
{
  gint64 now = g_get_monotonic_time ();

  g_return_if_fail (KH_IS_RENDEZVOUS (self));
  g_return_if_fail (self->wormhole == NULL && !self->ended);

  if (self->host == NULL && self->start_error == NULL)
    self->start_error = g_error_new (KH_ERROR, KH_ERROR_SERVER_UNREACHABLE,
                                     "“%s” is not the address of a meeting server. Such an address starts with "
                                     "wss:// or ws://.",
                                     self->url);
  if (self->start_error != NULL)
    {
      set_timer (&self->deadline_id, 0, on_start_error, self, "[knothole] rendezvous start");
      return;
    }

  if (self->role == KH_ROLE_INVITER)
    self->wormhole =
        kh_wormhole_new_inviter (self->host, self->words, (gint64) self->life_seconds * G_USEC_PER_SEC, now);
  else
    self->wormhole = kh_wormhole_new_joiner (self->host, self->code, now);
  connect_mailbox (self);
  arm_deadline (self);
}

/**
 * kh_rendezvous_get_role:
 *
 * Returns: whose side this is
 */
KhRole
kh_rendezvous_get_role (KhRendezvous *self)
{
  g_return_val_if_fail (KH_IS_RENDEZVOUS (self), KH_ROLE_INVITER);

  return self->role;
}

/**
 * kh_rendezvous_get_code:
 *
 * Returns: (transfer none) (nullable): the code, cleaned up; an inviter has one from #KhRendezvous::code-ready on, a
 *   joiner unless it was refused. It is a secret until the friend is verified
 */
const char *
kh_rendezvous_get_code (KhRendezvous *self)
{
  g_return_val_if_fail (KH_IS_RENDEZVOUS (self), NULL);

  return self->role == KH_ROLE_JOINER || self->wormhole == NULL ? self->code : kh_wormhole_get_code (self->wormhole);
}

/**
 * kh_rendezvous_get_your_address:
 *
 * Returns: (transfer none) (nullable): our address as the meeting server sees it, in numbers and without a port, when
 *   the server tells it
 */
const char *
kh_rendezvous_get_your_address (KhRendezvous *self)
{
  g_return_val_if_fail (KH_IS_RENDEZVOUS (self), NULL);

  return self->wormhole != NULL ? kh_wormhole_get_your_address (self->wormhole) : NULL;
}

/**
 * kh_rendezvous_derive:
 * @purpose: what the key is for
 * @out: (array length=out_length) (out caller-allocates): where it goes
 * @out_length: bytes wanted, at most 255 × 32
 *
 * Derives a key from the session key (PROTOCOL section 7.1). Only from #KhRendezvous::friend-arrived on; the friend has
 * the same key if it is verified.
 */
void
kh_rendezvous_derive (KhRendezvous *self, const char *purpose, guint8 *out, gsize out_length)
{
  gboolean derived;

  g_return_if_fail (KH_IS_RENDEZVOUS (self));
  g_return_if_fail (self->wormhole != NULL);
  g_return_if_fail (purpose != NULL && out != NULL);

  derived = kh_wormhole_derive (self->wormhole, purpose, out, out_length);
  g_return_if_fail (derived);
}

/**
 * kh_rendezvous_send:
 * @plaintext: at most %KH_RENDEZVOUS_MAX_MESSAGE bytes
 *
 * Queues a message for the friend, after kh_rendezvous_start(). It goes once the friend is verified; a joiner's first
 * one goes as soon as the key is known. Messages survive a broken connection to the server.
 *
 * Returns: whether it was taken: not when it is too long, when 256 others wait, or after the end
 */
gboolean
kh_rendezvous_send (KhRendezvous *self, GBytes *plaintext)
{
  gboolean taken;

  g_return_val_if_fail (KH_IS_RENDEZVOUS (self), FALSE);
  g_return_val_if_fail (plaintext != NULL, FALSE);

  taken = self->wormhole != NULL && !self->ended && kh_wormhole_send (self->wormhole, plaintext);
  if (taken)
    pump (self);

  return taken;
}

static gboolean
on_close_cancelled (GCancellable *cancellable, gpointer user_data)
{
  GTask *task = user_data;
  g_autoptr (KhRendezvous) self = g_object_ref (g_task_get_source_object (task));

  end (self);
  return G_SOURCE_REMOVE;
}

/**
 * kh_rendezvous_close_async:
 * @cancellable: (nullable): stops waiting, and cuts the connection at once
 * @callback: called when the end is reached
 * @user_data: data for @callback
 *
 * Ends: sends what is queued if the friend is verified, releases the nameplate, closes the mailbox (mood `happy` when
 * verified, `lonely` otherwise) and disconnects. Takes 5 seconds at most, also when the server cannot be reached. No
 * signal comes any more. Harmless when ended already.
 */
void
kh_rendezvous_close_async (KhRendezvous *self, GCancellable *cancellable, GAsyncReadyCallback callback,
                           gpointer user_data)
{
  g_autoptr (GTask) task = NULL;

  g_return_if_fail (KH_IS_RENDEZVOUS (self));

  task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (task, kh_rendezvous_close_async);
  self->quiet = TRUE;
  if (self->wormhole == NULL)
    end (self);
  if (self->ended)
    {
      g_task_return_boolean (task, TRUE);
      return;
    }

  if (cancellable != NULL)
    {
      GSource *source = g_cancellable_source_new (cancellable);

      g_task_set_task_data (task, source, (GDestroyNotify) g_source_unref);
      g_task_attach_source (task, source, G_SOURCE_FUNC (on_close_cancelled));
    }
  self->close_tasks = g_slist_prepend (self->close_tasks, g_steal_pointer (&task));
  kh_wormhole_close (self->wormhole, g_get_monotonic_time ());
  pump (self);
}

/**
 * kh_rendezvous_close_finish:
 * @result: what the callback got
 * @error: return location
 *
 * Returns: %TRUE, or %FALSE with %G_IO_ERROR_CANCELLED
 */
gboolean
kh_rendezvous_close_finish (KhRendezvous *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (KH_IS_RENDEZVOUS (self), FALSE);
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}
