/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-session.h"

#include "kh-approach.h"
#include "kh-code.h"
#include "kh-conversation.h"
#include "kh-error.h"
#include "kh-introduction.h"
#include "kh-json.h"
#include "kh-mailbox.h"
#include "kh-mapping.h"
#include "kh-own-facts.h"
#include "kh-rendezvous.h"

#include <string.h>

/* How long an offer waits for the first STUN answer. Two round trips are usual; the friend waits meanwhile. */
#define MAPPING_PATIENCE_MS 3000

/* And, when there is one, for what makes a better plan: whether others see the same port, and if not, how ports are chosen. */
#define SETTLE_MS 300

/**
 * KhSession:
 *
 * The conductor: takes two friends from a code to a conversation. It is the one object that interfaces hold; its state
 * is the phase, everything that happens is in its trace.
 *
 * An inviter dials first and sends its offer second, a joiner dials when that offer arrives: so the hole in the
 * inviter's router is open before anybody knocks, without a clock and without a further message.
 */
struct _KhSession
{
  GObject parent_instance;

  KhSettings *settings;
  KhTrace *trace;
  KhPhase phase;
  KhRole role;
  GError *error;

  KhPort *port;
  KhMapping *mapping;
  KhFactsCache *cache;
  KhOwnFacts *own_facts;
  KhRendezvous *rendezvous;
  KhInterfaces *interfaces;
  KhOffer *own_offer;
  KhOffer *friend_offer;
  KhApproach *approach;
  KhConversation *conversation;
  GCancellable *cancellable;
  gint64 expiry; /* real time in µs, 0 without an invite */
  gint64 met_at; /* monotonic µs of the verification, 0 before it */
  guint patience_id;
  guint settle_id;
  guint deadline_id;
  gboolean friend_arrived;

  GTask *closing;
  gboolean conversation_over;
  gboolean mailbox_closing;
};

G_DEFINE_FINAL_TYPE (KhSession, kh_session, G_TYPE_OBJECT)

enum
{
  PROP_PHASE = 1,
  PROP_DELAY,
  N_PROPERTIES
};

enum
{
  SIGNAL_MESSAGE_RECEIVED,
  SIGNAL_MESSAGE_DELIVERED,
  SIGNAL_FRIEND_FINISHED,
  N_SIGNALS
};

static GParamSpec *properties[N_PROPERTIES];
static guint signals[N_SIGNALS];

static void exchange_offers (KhSession *self);

/* --- ends --------------------------------------------------------------------------------------------------- */

static gboolean
is_over (KhSession *self)
{
  return kh_phase_is_over (self->phase);
}

/* Nothing comes after an end, and nothing goes backwards: a late callback changes no phase. */
static gboolean
set_phase (KhSession *self, KhPhase phase)
{
  if (phase <= self->phase || is_over (self))
    return FALSE;

  self->phase = phase;
  kh_trace_add (self->trace, "session.phase", "phase:s", kh_phase_name (phase));
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_PHASE]);
  return TRUE;
}

static void
stop_reaching (KhSession *self)
{
  g_cancellable_cancel (self->cancellable);
  g_clear_handle_id (&self->patience_id, g_source_remove);
  g_clear_handle_id (&self->settle_id, g_source_remove);
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  if (self->mapping != NULL)
    kh_mapping_stop (self->mapping);
  if (self->own_facts != NULL)
    kh_own_facts_stop (self->own_facts);
}

static void
fail (KhSession *self, const GError *error)
{
  KhError code = error->domain == KH_ERROR ? (KhError) error->code : KH_ERROR_PROTOCOL;

  if (is_over (self))
    return;

  stop_reaching (self);
  self->error = g_error_new_literal (KH_ERROR, code, error->message);
  kh_trace_add (self->trace, "session.failed", "code:s sentence:s", kh_error_code_name (code), error->message);
  set_phase (self, KH_PHASE_FAILED);
}

static void
fail_literal (KhSession *self, KhError code, const char *sentence)
{
  g_autoptr (GError) error = g_error_new_literal (KH_ERROR, code, sentence);

  fail (self, error);
}

/* --- the conversation --------------------------------------------------------------------------------------- */

static void
on_received (KhConversation *conversation, guint64 id, const char *text, gint64 sent, KhSession *self)
{
  g_signal_emit (self, signals[SIGNAL_MESSAGE_RECEIVED], 0, id, text, sent);
}

static void
on_delivered (KhConversation *conversation, guint64 id, KhSession *self)
{
  g_signal_emit (self, signals[SIGNAL_MESSAGE_DELIVERED], 0, id);
}

static void
on_friend_finished (KhConversation *conversation, KhSession *self)
{
  g_signal_emit (self, signals[SIGNAL_FRIEND_FINISHED], 0);
}

static void
on_delay (KhConversation *conversation, GParamSpec *pspec, KhSession *self)
{
  g_object_notify_by_pspec (G_OBJECT (self), properties[PROP_DELAY]);
}

static void
finish_closing (KhSession *self)
{
  g_autoptr (GTask) task = NULL;
  gboolean talking = self->phase == KH_PHASE_CONNECTED && !self->conversation_over;

  if (self->closing == NULL || talking || self->rendezvous != NULL)
    return;

  task = g_steal_pointer (&self->closing);
  set_phase (self, KH_PHASE_ENDED);
  g_task_return_boolean (task, TRUE);
}

static void
on_conversation_ended (KhConversation *conversation, const GError *error, KhSession *self)
{
  self->conversation_over = TRUE;
  if (self->closing != NULL)
    finish_closing (self);
  else if (error != NULL)
    fail (self, error);
  else
    set_phase (self, KH_PHASE_ENDED);
}

static void
on_mailbox_closed (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhSession) self = user_data;

  kh_rendezvous_close_finish (KH_RENDEZVOUS (source), result, NULL);
  /* With it go the code and the key of the meeting: what was said cannot be opened with them, and nothing needs them. */
  g_clear_object (&self->rendezvous);
  finish_closing (self);
}

static void
close_mailbox (KhSession *self)
{
  if (self->rendezvous == NULL || self->mailbox_closing)
    return;

  self->mailbox_closing = TRUE;
  kh_rendezvous_close_async (self->rendezvous, NULL, on_mailbox_closed, g_object_ref (self));
}

static void
talk (KhSession *self, KhChannel *channel)
{
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  if (self->closing != NULL || !set_phase (self, KH_PHASE_CONNECTED))
    return;

  kh_conversation_attach (self->conversation, channel);
  kh_mapping_stop (self->mapping);
  close_mailbox (self);
}

/* --- the way to the friend ----------------------------------------------------------------------------------- */

static void
on_approached (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhSession) self = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (KhChannel) channel = kh_approach_run_finish (KH_APPROACH (source), result, &error);

  g_clear_object (&self->approach);
  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    return;
  if (channel != NULL)
    talk (self, channel);
  else
    fail (self, error);
}

static guint
time_left_ms (KhSession *self)
{
  gint64 spent = (g_get_monotonic_time () - self->met_at) / 1000;

  return MAX (1, (gint64) self->settings->timeout_seconds * 1000 - spent);
}

static void
send_signal (KhSession *self, const char *name)
{
  g_autoptr (JsonObject) object = kh_json_build ("signal:s", name);
  g_autoptr (GBytes) bytes = kh_json_to_bytes (object);

  kh_rendezvous_send (self->rendezvous, bytes);
}

static void
approach (KhSession *self)
{
  guint8 psk[32];

  self->approach =
      kh_approach_new (self->trace, self->port, self->interfaces, self->role, self->own_offer, self->friend_offer);
  set_phase (self, KH_PHASE_REACHING);
  g_clear_handle_id (&self->deadline_id, g_source_remove);
  /* The original experiment: the mapping lives on without the connection that made it. */
  if (kh_plan_has (kh_approach_get_plan (self->approach), KH_MOVE_REUSE))
    kh_mapping_stop (self->mapping);

  kh_rendezvous_derive (self->rendezvous, "knothole channel v1", psk, sizeof psk);
  kh_approach_run_async (self->approach, psk, time_left_ms (self), self->cancellable, on_approached,
                         g_object_ref (self));
  explicit_bzero (psk, sizeof psk);
  if (kh_approach_is_awaited (self->approach))
    send_signal (self, "primed");
}

/* --- the offers --------------------------------------------------------------------------------------------- */

static void
report_offer (KhSession *self, const char *kind, const KhOffer *offer)
{
  kh_trace_add (self->trace, kind, "name:s facts:o candidates:a", offer->name, kh_facts_to_json (&offer->facts),
                kh_offer_candidates_to_json (offer));
}

static void
send_offer (KhSession *self)
{
  g_autoptr (JsonObject) object = kh_offer_to_json (self->own_offer);
  g_autoptr (GBytes) bytes = kh_json_to_bytes (object);

  report_offer (self, "offer.sent", self->own_offer);
  if (!kh_rendezvous_send (self->rendezvous, bytes) && self->phase < KH_PHASE_REACHING)
    fail_literal (self, KH_ERROR_SERVER_UNREACHABLE,
                  "The meeting server was lost before your friend could be told how to "
                  "reach you. Make a new code and try again.");
}

/* What a check has found by now; the race that follows has the network for itself. */
static void
add_own_facts (KhSession *self, KhFacts *facts)
{
  g_autoptr (GPtrArray) outside = kh_mapping_get_outside (self->mapping);

  kh_own_facts_fill (self->own_facts, outside->len > 0 ? g_ptr_array_index (outside, 0) : NULL, facts);
  kh_own_facts_stop (self->own_facts);
}

static void
make_own_offer (KhSession *self)
{
  self->interfaces = kh_interfaces_new_read ();
  self->own_offer = kh_introduction_make_offer (self->mapping, self->interfaces, kh_port_get_number (self->port),
                                                kh_rendezvous_get_your_address (self->rendezvous));
  add_own_facts (self, &self->own_offer->facts);
  self->own_offer->name = g_strdup (self->settings->name);
  self->own_offer->moves = self->settings->moves;
}

static gboolean
is_experiment (KhSession *self)
{
  return self->settings->moves == 1u << KH_MOVE_REUSE;
}

/* Whether an offer that leaves now is as good as one that waits a little. */
static gboolean
is_settled (KhSession *self)
{
  g_autoptr (GPtrArray) outside = kh_mapping_get_outside (self->mapping);

  if (self->settle_id == 0)
    return TRUE;
  return kh_mapping_is_complete (self->mapping) &&
         (outside->len <= 1 || kh_own_facts_is_over (self->own_facts, KH_FINDING_ALLOCATION)) &&
         (!is_experiment (self) || kh_own_facts_is_over (self->own_facts, KH_FINDING_AFTER_FIN));
}

/* Both sides come here whenever something they wait for has arrived, and do what is possible by then. */
static void
exchange_offers (KhSession *self)
{
  gboolean may_offer = self->role == KH_ROLE_JOINER ? self->friend_arrived : self->friend_offer != NULL;

  if (is_over (self) || self->phase >= KH_PHASE_REACHING)
    return;
  if (self->own_offer == NULL && may_offer &&
      ((kh_mapping_is_ready (self->mapping) && is_settled (self)) || self->patience_id == 0))
    {
      make_own_offer (self);
      if (self->role == KH_ROLE_JOINER)
        send_offer (self);
    }
  if (self->own_offer == NULL || self->friend_offer == NULL)
    return;

  /* The inviter's SYNs leave before its offer does. */
  approach (self);
  if (self->role == KH_ROLE_INVITER)
    send_offer (self);
}

static void
on_mapping_changed (KhMapping *mapping, KhSession *self)
{
  exchange_offers (self);
}

static void
on_own_facts_changed (KhOwnFacts *own_facts, KhSession *self)
{
  exchange_offers (self);
}

static gboolean
on_settled (gpointer user_data)
{
  KhSession *self = user_data;

  self->settle_id = 0;
  exchange_offers (self);
  return G_SOURCE_REMOVE;
}

static gboolean
on_patience_ended (gpointer user_data)
{
  KhSession *self = user_data;

  self->patience_id = 0;
  exchange_offers (self);
  return G_SOURCE_REMOVE;
}

static gboolean
on_deadline (gpointer user_data)
{
  KhSession *self = user_data;

  self->deadline_id = 0;
  fail_literal (
      self, KH_ERROR_NO_PATH,
      "Your friend was there, but went silent before a connection could be tried. Make a new code and try again.");
  return G_SOURCE_REMOVE;
}

/* --- the meeting -------------------------------------------------------------------------------------------- */

static void
on_code_ready (KhRendezvous *rendezvous, KhSession *self)
{
  const char *code = kh_rendezvous_get_code (rendezvous);
  gboolean foreign = strcmp (self->settings->mailbox_url, KH_MAILBOX_DEFAULT_URL) != 0;
  g_autofree char *link = NULL;

  if (self->role != KH_ROLE_INVITER || self->phase >= KH_PHASE_INVITING)
    return;

  link = kh_code_to_link (code, foreign ? self->settings->mailbox_url : NULL);
  if (set_phase (self, KH_PHASE_INVITING))
    kh_trace_add (self->trace, "invite.code", "code:s link:s", code, link);
}

static void
on_friend_arrived (KhRendezvous *rendezvous, KhSession *self)
{
  if (!set_phase (self, KH_PHASE_MEETING))
    return;

  self->friend_arrived = TRUE;
  self->patience_id = g_timeout_add (MAPPING_PATIENCE_MS, on_patience_ended, self);
  g_source_set_name_by_id (self->patience_id, "kh-session patience");
  self->settle_id = g_timeout_add (is_experiment (self) ? MAPPING_PATIENCE_MS : SETTLE_MS, on_settled, self);
  g_source_set_name_by_id (self->settle_id, "kh-session settle");
  if (self->role == KH_ROLE_INVITER)
    kh_mapping_refresh (self->mapping);
  exchange_offers (self);
}

static void
on_verified (KhRendezvous *rendezvous, KhSession *self)
{
  if (!set_phase (self, KH_PHASE_LOOKING))
    return;

  self->met_at = g_get_monotonic_time ();
  self->deadline_id = g_timeout_add_seconds (self->settings->timeout_seconds, on_deadline, self);
  g_source_set_name_by_id (self->deadline_id, "kh-session deadline");
}

/* Those that this version does not know are passed over. */
static void
take_signal (KhSession *self, GBytes *bytes)
{
  g_autoptr (JsonObject) object = kh_json_parse_bytes (bytes, KH_OFFER_MAX_BYTES, NULL);
  const char *name = object != NULL ? kh_json_get_string (object, "signal") : NULL;

  if (g_strcmp0 (name, "primed") == 0 && self->approach != NULL)
    kh_approach_release (self->approach);
}

/* The first message is the friend's offer, later ones are signals. */
static void
on_message (KhRendezvous *rendezvous, GBytes *bytes, KhSession *self)
{
  g_autoptr (GError) error = NULL;

  if (is_over (self))
    return;
  if (self->friend_offer != NULL)
    {
      take_signal (self, bytes);
      return;
    }

  self->friend_offer = kh_offer_from_bytes (bytes, &error);
  if (self->friend_offer == NULL)
    {
      fail (self, error);
      return;
    }
  report_offer (self, "offer.received", self->friend_offer);
  exchange_offers (self);
}

static void
on_rendezvous_failed (KhRendezvous *rendezvous, const GError *error, KhSession *self)
{
  /* Once the offers are there the meeting server has done its part. */
  if (self->phase < KH_PHASE_REACHING)
    fail (self, error);
}

static void
start (KhSession *self, KhRendezvous *rendezvous)
{
  g_autoptr (GError) error = NULL;

  self->rendezvous = rendezvous;
  self->port = kh_port_new (self->settings->port, &error);
  if (self->port == NULL)
    {
      fail (self, error);
      return;
    }

  g_signal_connect_object (rendezvous, "code-ready", G_CALLBACK (on_code_ready), self, 0);
  g_signal_connect_object (rendezvous, "friend-arrived", G_CALLBACK (on_friend_arrived), self, 0);
  g_signal_connect_object (rendezvous, "verified", G_CALLBACK (on_verified), self, 0);
  g_signal_connect_object (rendezvous, "message", G_CALLBACK (on_message), self, 0);
  g_signal_connect_object (rendezvous, "failed", G_CALLBACK (on_rendezvous_failed), self, 0);

  self->mapping = kh_mapping_new (self->trace, self->port, (const char *const *) self->settings->stun_servers);
  g_signal_connect_object (self->mapping, "changed", G_CALLBACK (on_mapping_changed), self, 0);
  kh_mapping_start (self->mapping);
  if (self->cache == NULL)
    self->cache = kh_facts_cache_new ();
  self->own_facts = kh_own_facts_new (self->trace, (const char *const *) self->settings->stun_servers, self->cache);
  g_signal_connect_object (self->own_facts, "changed", G_CALLBACK (on_own_facts_changed), self, 0);
  kh_own_facts_start (self->own_facts,
                      self->role == KH_ROLE_INVITER || is_experiment (self) ? KH_CHECK_WHOLE : KH_CHECK_QUICK);
  kh_rendezvous_start (rendezvous);
}

/* --- public ------------------------------------------------------------------------------------------------- */

static void
kh_session_get_property (GObject *object, guint id, GValue *value, GParamSpec *pspec)
{
  KhSession *self = KH_SESSION (object);

  switch (id)
    {
    case PROP_PHASE:
      g_value_set_enum (value, self->phase);
      break;
    case PROP_DELAY:
      g_value_set_int (value, kh_session_get_delay (self));
      break;
    default:
      G_OBJECT_WARN_INVALID_PROPERTY_ID (object, id, pspec);
    }
}

static void
kh_session_dispose (GObject *object)
{
  KhSession *self = KH_SESSION (object);

  stop_reaching (self);
  g_clear_object (&self->mapping);
  g_clear_object (&self->own_facts);
  g_clear_object (&self->approach);
  g_clear_object (&self->cache);
  g_clear_object (&self->rendezvous);
  g_clear_object (&self->conversation);
  g_clear_object (&self->port);

  G_OBJECT_CLASS (kh_session_parent_class)->dispose (object);
}

static void
kh_session_finalize (GObject *object)
{
  KhSession *self = KH_SESSION (object);

  g_clear_pointer (&self->settings, kh_settings_free);
  g_clear_pointer (&self->interfaces, kh_interfaces_free);
  g_clear_pointer (&self->own_offer, kh_offer_free);
  g_clear_pointer (&self->friend_offer, kh_offer_free);
  g_clear_error (&self->error);
  g_clear_object (&self->cancellable);
  g_clear_object (&self->trace);

  G_OBJECT_CLASS (kh_session_parent_class)->finalize (object);
}

static void
kh_session_class_init (KhSessionClass *klass)
{
  GObjectClass *object_class = G_OBJECT_CLASS (klass);

  object_class->get_property = kh_session_get_property;
  object_class->dispose = kh_session_dispose;
  object_class->finalize = kh_session_finalize;

  /**
   * KhSession:phase:
   *
   * Where the session is. It only moves forward.
   */
  properties[PROP_PHASE] = g_param_spec_enum ("phase", NULL, NULL, KH_TYPE_PHASE, KH_PHASE_STARTING,
                                              G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);

  /**
   * KhSession:delay:
   *
   * Milliseconds to the friend and back, measured anew every quarter of a minute; -1 while unknown.
   */
  properties[PROP_DELAY] = g_param_spec_int ("delay", NULL, NULL, -1, G_MAXINT, -1,
                                             G_PARAM_READABLE | G_PARAM_STATIC_STRINGS | G_PARAM_EXPLICIT_NOTIFY);
  g_object_class_install_properties (object_class, N_PROPERTIES, properties);

  /**
   * KhSession::message-received:
   * @id: the friend's number for it
   * @text: what the friend says: any UTF-8, to be made plain before it is shown
   * @sent: when it was sent by the friend's clock, milliseconds since 1970
   */
  signals[SIGNAL_MESSAGE_RECEIVED] =
      g_signal_new ("message-received", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE,
                    3, G_TYPE_UINT64, G_TYPE_STRING, G_TYPE_INT64);

  /**
   * KhSession::message-delivered:
   * @id: what kh_session_say() returned
   */
  signals[SIGNAL_MESSAGE_DELIVERED] = g_signal_new ("message-delivered", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST,
                                                    0, NULL, NULL, NULL, G_TYPE_NONE, 1, G_TYPE_UINT64);

  /**
   * KhSession::friend-finished:
   *
   * The friend has said goodbye and will say nothing more.
   */
  signals[SIGNAL_FRIEND_FINISHED] = g_signal_new ("friend-finished", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0,
                                                  NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_session_init (KhSession *self)
{
  self->trace = kh_trace_new ();
  self->cancellable = g_cancellable_new ();
  self->conversation = kh_conversation_new ();
  g_signal_connect_object (self->conversation, "received", G_CALLBACK (on_received), self, 0);
  g_signal_connect_object (self->conversation, "delivered", G_CALLBACK (on_delivered), self, 0);
  g_signal_connect_object (self->conversation, "friend-finished", G_CALLBACK (on_friend_finished), self, 0);
  g_signal_connect_object (self->conversation, "notify::delay", G_CALLBACK (on_delay), self, 0);
  g_signal_connect_object (self->conversation, "ended", G_CALLBACK (on_conversation_ended), self, 0);
}

/**
 * kh_session_new:
 * @settings: how to go about it; copied
 *
 * Returns: (transfer full): a session that has done nothing yet, so that its trace can be watched from the start
 */
KhSession *
kh_session_new (const KhSettings *settings)
{
  KhSession *self = g_object_new (KH_TYPE_SESSION, NULL);

  self->settings = kh_settings_copy (settings);
  return self;
}

/* Whoever watches the trace may leave at the first event. */
static gboolean
begin (KhSession *self)
{
  kh_trace_add (self->trace, "session.phase", "phase:s", kh_phase_name (KH_PHASE_STARTING));
  return !is_over (self) && self->closing == NULL;
}

/**
 * kh_session_invite:
 *
 * Makes a code and waits for the friend. The code is in `invite.code` and kh_session_get_code() from the phase
 * `inviting` on. A session invites or joins, once.
 */
void
kh_session_invite (KhSession *self)
{
  g_return_if_fail (KH_IS_SESSION (self) && self->port == NULL);

  self->role = KH_ROLE_INVITER;
  if (!begin (self))
    return;
  self->expiry = g_get_real_time () + (gint64) self->settings->wait_seconds * G_USEC_PER_SEC;
  start (self, kh_rendezvous_new_inviter (self->trace, self->settings->mailbox_url, self->settings->words,
                                          self->settings->wait_seconds));
}

/**
 * kh_session_may_follow:
 * @settings: what the user wants
 * @mailbox_url: (nullable): the meeting server that a link names
 *
 * A link is somebody else's word. It may lead to another server, but not onto a plain line that the user did not name.
 *
 * Returns: whether kh_session_join() goes there; always for %NULL, which is the user's own server
 */
gboolean
kh_session_may_follow (const KhSettings *settings, const char *mailbox_url)
{
  g_return_val_if_fail (settings != NULL, FALSE);

  return mailbox_url == NULL || kh_mailbox_url_is_private (mailbox_url) ||
         strcmp (mailbox_url, settings->mailbox_url) == 0;
}

static void
refuse_to_follow (KhSession *self, const char *mailbox_url)
{
  g_autofree char *sentence = NULL;

  sentence =
      g_strdup_printf ("This link leads to the meeting server %s, without encryption. If you trust the way there, name "
                       "that server yourself as your meeting server, and use the code.",
                       mailbox_url);
  fail_literal (self, KH_ERROR_BAD_CODE, sentence);
}

/**
 * kh_session_join:
 * @code_or_link: what the user typed or opened
 *
 * Uses a friend's code. A link may name another meeting server: it is used if the way there is encrypted, if it is on this
 * computer, or if the settings name it as well. A code that cannot be right fails the session with %KH_ERROR_BAD_CODE
 * before anything is sent, so that it spoils nobody's invite.
 */
void
kh_session_join (KhSession *self, const char *code_or_link)
{
  g_autofree char *code = NULL;
  g_autofree char *mailbox_url = NULL;
  g_autoptr (GError) error = NULL;

  g_return_if_fail (KH_IS_SESSION (self) && self->port == NULL);

  self->role = KH_ROLE_JOINER;
  if (!begin (self))
    return;
  code = kh_code_parse (code_or_link, &mailbox_url, &error);
  if (code == NULL)
    {
      fail (self, error);
      return;
    }

  if (!kh_session_may_follow (self->settings, mailbox_url))
    refuse_to_follow (self, mailbox_url);
  else
    start (self, kh_rendezvous_new_joiner (self->trace, mailbox_url != NULL ? mailbox_url : self->settings->mailbox_url,
                                           code));
}

/**
 * kh_session_say:
 * @text: what to say, UTF-8
 * @error: return location
 *
 * Says something, at any time before the end: what is said before there is a path goes as soon as there is one.
 *
 * Returns: the message's number, told again by #KhSession::message-delivered; 0 with %KH_ERROR_TOO_LARGE
 */
guint64
kh_session_say (KhSession *self, const char *text, GError **error)
{
  g_return_val_if_fail (KH_IS_SESSION (self), 0);

  return kh_conversation_say (self->conversation, text, error);
}

/**
 * kh_session_set_cache:
 * @cache: what is known of networks from before
 *
 * Before the session begins: lets it share what checks find.
 */
void
kh_session_set_cache (KhSession *self, KhFactsCache *cache)
{
  g_return_if_fail (KH_IS_SESSION (self) && self->port == NULL);

  g_set_object (&self->cache, cache);
}

/**
 * kh_session_get_unacked:
 *
 * Returns: how many messages have been said and not yet delivered
 */
guint
kh_session_get_unacked (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), 0);

  return kh_conversation_get_unacked (self->conversation);
}

/**
 * kh_session_finish:
 *
 * Nothing more will be said: once everything is delivered the friend gets our goodbye. The session ends when both have
 * said theirs, never before they met.
 */
void
kh_session_finish (KhSession *self)
{
  g_return_if_fail (KH_IS_SESSION (self));

  kh_conversation_finish (self->conversation);
}

/**
 * kh_session_close_async:
 * @cancellable: (nullable): unused but for the convention; the closing is bounded
 * @callback: called once, within about five seconds
 * @user_data: for @callback
 *
 * Leaves: says goodbye to the friend if there is a path (two seconds at most), and to the meeting server. Call it after an
 * end as well, so that the server forgets the code at once.
 */
void
kh_session_close_async (KhSession *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  g_return_if_fail (KH_IS_SESSION (self) && self->closing == NULL);

  stop_reaching (self);
  self->closing = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->closing, kh_session_close_async);

  /* The next session may want the same port, and may not have to wait until this one is forgotten. What is connected keeps
   * its own socket. */
  if (self->port != NULL)
    kh_port_give_up (self->port);
  close_mailbox (self);
  kh_conversation_leave (self->conversation);
  finish_closing (self);
}

gboolean
kh_session_close_finish (KhSession *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

KhPhase
kh_session_get_phase (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), KH_PHASE_STARTING);

  return self->phase;
}

/**
 * kh_session_get_trace:
 *
 * Returns: (transfer none): everything that happened
 */
KhTrace *
kh_session_get_trace (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), NULL);

  return self->trace;
}

/**
 * kh_session_get_error:
 *
 * Returns: (transfer none) (nullable): why it failed, in %KH_ERROR with a sentence for a person
 */
const GError *
kh_session_get_error (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), NULL);

  return self->error;
}

/**
 * kh_session_get_code:
 *
 * Returns: (transfer none) (nullable): the invite code, from the phase `inviting` until the friends are connected
 */
const char *
kh_session_get_code (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), NULL);

  return self->rendezvous != NULL ? kh_rendezvous_get_code (self->rendezvous) : NULL;
}

/**
 * kh_session_get_expiry:
 *
 * Returns: when the invite's code stops being valid, in microseconds since 1970 as g_get_real_time() counts them; 0
 *   for a joiner and before the invite
 */
gint64
kh_session_get_expiry (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), 0);

  return self->expiry;
}

/**
 * kh_session_get_peer_name:
 *
 * Returns: (transfer none) (nullable): what the friend calls itself, safe to show
 */
const char *
kh_session_get_peer_name (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), NULL);

  return self->friend_offer != NULL ? self->friend_offer->name : NULL;
}

/**
 * kh_session_get_delay:
 *
 * Returns: milliseconds to the friend and back, -1 while unknown
 */
int
kh_session_get_delay (KhSession *self)
{
  g_return_val_if_fail (KH_IS_SESSION (self), -1);

  return kh_conversation_get_delay (self->conversation);
}
