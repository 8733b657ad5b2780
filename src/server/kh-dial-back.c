/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-dial-back"

#include "kh-dial-back.h"

#include "kh-back-dial.h"
#include "kh-dial-socket.h"
#include "kh-dial-targets.h"
#include "kh-poller.h"
#include "kh-quota.h"

#include <string.h>
#include <unistd.h>

/* What a server does for a client's network check: it dials the client's mappings (docs/protocol.md, section 5).
 *
 *   request ── port, address ────────────────────────▶ dialling ── result ──▶ (if connected: until closed) ──▶ gone
 *      └────── crossing, bare SYN ──▶ waiting ── go ──────▲
 *                                        └── no go ──▶ gone
 *
 * This must be of no use to make the server dial anybody else. Where it dials comes from accept() alone, by way of
 * #KhDialTarget; nothing in a request names an address. A name for another connection's mapping cannot be guessed.
 * What is left is that a client has its own address dialled, a few times a minute. */

/* Targets whose connection has ended: 0.4 kB each. */
#define MAX_ENDED 8192
/* Addresses whose dials are counted. Their buckets are full again after two minutes. */
#define MAX_ADDRESSES 16384
/* A mapping has such a port only if its source has, so this is no friend's: no service's port is ever dialled. */
#define LOWEST_PORT 1024

typedef enum
{
  BAD_KIND = 400,
  BAD_TARGET = 403,
  NO_OTHER_ADDRESS = 405,
  TOO_MANY_FOR_ADDRESS = 486,
  TOO_MANY = 508,
} ErrorCode;

typedef struct
{
  KhDialBack *owner;
  KhPeer *peer; /* unowned: whoever asked; its end is the job's */
  guint8 id[KH_STUN_ID_BYTES];
  KhDialKind kind;
  GInetSocketAddress *remote;
  int silent_fd;
  KhWatch patience; /* for the go */
  KhBackDial *dial;
} Job;

struct _KhDialBack
{
  KhDialBackLimits limits;
  KhServerLog *log; /* unowned */
  KhDialTargets *targets;
  GPtrArray *jobs;
  KhBucket all;
  GHashTable *addresses; /* key of an address → KhBucket */
  guint64 requests;
  guint64 refused;
};

/* A whole check needs about eight dials, and a family may check at once. */
const KhDialBackLimits kh_dial_back_limits = {
  .dials = KH_DIAL_BACK_MAX_DIALS,
  .burst = 200,
  .per_second = 50,
  .address_burst = 32,
  .address_per_minute = 16,
  .cookie_ms = 120000,
  .go_ms = 5000,
};

static const char *const kind_names[KH_N_DIAL_KINDS] = {
  [KH_DIAL_PORT] = "port",
  [KH_DIAL_ADDRESS] = "address",
  [KH_DIAL_CROSSING] = "crossing",
  [KH_DIAL_BARE_SYN] = "bare-syn",
};

static const char *const result_names[KH_N_DIAL_RESULTS] = {
  [KH_DIAL_CONNECTED] = "connected", [KH_DIAL_REFUSED] = "refused", [KH_DIAL_UNREACHABLE] = "unreachable",
  [KH_DIAL_SILENT] = "silent",       [KH_DIAL_FAILED] = "failed",
};

static void
job_free (gpointer data)
{
  Job *job = data;

  kh_watch_stop (&job->patience);
  g_clear_pointer (&job->dial, kh_back_dial_free);
  if (job->silent_fd >= 0)
    close (job->silent_fd);
  g_object_unref (job->remote);
  g_free (job);
}

/**
 * kh_dial_back_new:
 * @limits: (nullable): copied; %NULL for `kh_dial_back_limits`
 * @log: where events go; must outlive it
 *
 * Returns: (transfer full): what dials back
 */
KhDialBack *
kh_dial_back_new (const KhDialBackLimits *limits, KhServerLog *log)
{
  KhDialBack *self = g_new0 (KhDialBack, 1);

  self->limits = limits != NULL ? *limits : kh_dial_back_limits;
  self->log = log;
  self->targets = kh_dial_targets_new (self->limits.cookie_ms, MAX_ENDED);
  self->jobs = g_ptr_array_new_with_free_func (job_free);
  self->addresses = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);

  return self;
}

void
kh_dial_back_free (KhDialBack *self)
{
  g_ptr_array_unref (self->jobs);
  kh_dial_targets_free (self->targets);
  g_hash_table_unref (self->addresses);
  g_free (self);
}

static gboolean
is_full (gpointer key, gpointer value, gpointer data)
{
  KhDialBack *self = data;
  KhBucket copy = *(KhBucket *) value;

  return kh_bucket_take_many (&copy, self->limits.address_burst, self->limits.address_burst,
                              self->limits.address_per_minute / 60, g_get_monotonic_time ());
}

/* Returns NULL when there are too many addresses to count for one more. */
static KhBucket *
find_bucket (KhDialBack *self, GInetAddress *address)
{
  g_autofree char *key = kh_address_key (address);
  KhBucket *bucket = g_hash_table_lookup (self->addresses, key);

  if (bucket != NULL)
    return bucket;
  if (g_hash_table_size (self->addresses) >= MAX_ADDRESSES)
    g_hash_table_foreach_remove (self->addresses, is_full, self);
  if (g_hash_table_size (self->addresses) >= MAX_ADDRESSES)
    return NULL;

  bucket = g_new0 (KhBucket, 1);
  g_hash_table_insert (self->addresses, g_steal_pointer (&key), bucket);
  return bucket;
}

/* An address that asks too often takes nothing of what there is for all. Returns an error, or 0. */
static int
take_allowance (KhDialBack *self, KhDialTarget *target)
{
  gint64 now = g_get_monotonic_time ();
  KhBucket *bucket;

  if (self->jobs->len >= self->limits.dials)
    return TOO_MANY;

  bucket = find_bucket (self, g_inet_socket_address_get_address (target->remote));
  if (bucket == NULL)
    return TOO_MANY;
  if (!kh_bucket_take (bucket, self->limits.address_burst, self->limits.address_per_minute / 60, now))
    return TOO_MANY_FOR_ADDRESS;
  return kh_bucket_take (&self->all, self->limits.burst, self->limits.per_second, now) ? 0 : TOO_MANY;
}

static const char *
explain (int code)
{
  switch (code)
    {
    case BAD_KIND:
      return "No such kind";
    case BAD_TARGET:
      return "This mapping is not, no longer, or not again dialled so";
    case NO_OTHER_ADDRESS:
      return "There is no other address";
    case TOO_MANY_FOR_ADDRESS:
      return "Too many dials for this address";
    default:
      return "Too many dials";
    }
}

static KhStunMessage *
refuse (KhDialBack *self, const KhStunMessage *request, int code)
{
  KhStunMessage *error = kh_stun_message_new (KH_STUN_ERROR, request->method, request->id);

  self->refused++;
  error->error_code = code;
  error->error_reason = g_strdup (explain (code));
  return error;
}

static void
take_out (Job *job)
{
  guint at = 0;
  gboolean found = g_ptr_array_find (job->owner->jobs, job, &at);

  g_assert (found);
  g_ptr_array_steal_index_fast (job->owner->jobs, at);
}

static void
tell (Job *job, const KhBackDialOutcome *outcome)
{
  g_autoptr (KhStunMessage) message = kh_stun_message_new (KH_STUN_INDICATION, KH_STUN_METHOD_DIAL_BACK, job->id);
  g_autoptr (GBytes) bytes = NULL;

  message->dial_result = outcome->result;
  message->icmp_type = outcome->icmp_type;
  message->icmp_code = outcome->icmp_code;
  bytes = kh_stun_message_to_bytes (message);
  kh_server_log_dial (job->owner->log, kind_names[job->kind], result_names[outcome->result], job->remote);
  kh_peer_send (job->peer, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

/* Telling may close the client, which ends its jobs: so it comes last, and without the job where that is over. */
static void
on_settled (const KhBackDialOutcome *outcome, gpointer user_data)
{
  Job *job = user_data;
  gboolean over = outcome->result != KH_DIAL_CONNECTED;

  if (over)
    take_out (job);
  tell (job, outcome);
  if (over)
    job_free (job);
}

static void
on_over (gpointer user_data)
{
  take_out (user_data);
  job_free (user_data);
}

static void
on_no_go (gpointer user_data)
{
  const KhBackDialOutcome outcome = { .result = KH_DIAL_FAILED };

  on_settled (&outcome, user_data);
}

static Job *
add_job (KhDialBack *self, KhPeer *peer, const KhStunMessage *request, KhDialTarget *target)
{
  Job *job = g_new0 (Job, 1);

  job->owner = self;
  job->peer = peer;
  memcpy (job->id, request->id, sizeof job->id);
  job->kind = request->dial_kind;
  job->remote = g_object_ref (target->remote);
  job->silent_fd = -1;
  job->patience = (KhWatch){ .fd = -1, .expired = on_no_go, .user_data = job };
  g_ptr_array_add (self->jobs, job);

  return job;
}

static void
dial (Job *job, int fd)
{
  static const KhBackDialHandlers handlers = { on_settled, on_over };

  job->dial = kh_back_dial_new (fd, job->remote, job->id, &handlers, job);
}

/* Returns the socket that the dial comes from, or -1. */
static int
begin_job (KhDialBack *self, Job *job, KhDialTarget *target)
{
  gboolean waits = job->kind == KH_DIAL_CROSSING || job->kind == KH_DIAL_BARE_SYN;
  int fd = kh_dial_socket_open (waits ? KH_DIAL_SOCKET_SILENT : KH_DIAL_SOCKET_PLAIN,
                                job->kind == KH_DIAL_ADDRESS ? target->other : target->local, 0);

  if (fd < 0)
    return -1;

  if (waits)
    {
      job->silent_fd = fd;
      kh_watch_set_deadline (&job->patience, g_get_monotonic_time () + (gint64) self->limits.go_ms * 1000);
    }
  else
    dial (job, fd);
  return fd;
}

static KhStunMessage *
start_dial (KhDialBack *self, KhPeer *peer, const KhStunMessage *request, KhDialTarget *target)
{
  int error = take_allowance (self, target);
  KhStunMessage *success;
  Job *job;
  int fd;

  if (error != 0)
    return refuse (self, request, error);

  job = add_job (self, peer, request, target);
  fd = begin_job (self, job, target);
  if (fd < 0)
    {
      take_out (job);
      job_free (job);
      return refuse (self, request, TOO_MANY);
    }

  target->used |= 1u << request->dial_kind;
  success = kh_stun_message_new (KH_STUN_SUCCESS, request->method, request->id);
  success->response_origin = kh_dial_socket_get_local (fd);
  return success;
}

static KhStunMessage *
poke (KhDialBack *self, const KhStunMessage *request, KhDialTarget *target)
{
  g_autoptr (KhStunMessage) message = kh_stun_message_new (KH_STUN_INDICATION, request->method, request->id);
  g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (message);

  target->used |= 1u << KH_DIAL_POKE;
  kh_peer_send (target->peer, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  return kh_stun_message_new (KH_STUN_SUCCESS, request->method, request->id);
}

/* Returns an error, or 0. */
static int
check_request (const KhStunMessage *request, KhDialTarget *target)
{
  KhDialKind kind = request->dial_kind;

  if (kind <= KH_DIAL_NONE || kind >= KH_N_DIAL_KINDS)
    return BAD_KIND;
  if (target == NULL || (target->used & 1u << kind) != 0)
    return BAD_TARGET;
  if (kind == KH_DIAL_POKE)
    return target->peer != NULL ? 0 : BAD_TARGET;
  if (g_inet_socket_address_get_port (target->remote) < LOWEST_PORT)
    return BAD_TARGET;
  return kind == KH_DIAL_ADDRESS && target->other == NULL ? NO_OTHER_ADDRESS : 0;
}

/**
 * kh_dial_back_get_cookie:
 * @self: what dials back
 * @peer: a client
 * @other: (nullable): the server's other address, for this client
 * @cookie: (out) (array fixed-size=16): what names the client's mapping
 */
void
kh_dial_back_get_cookie (KhDialBack *self, KhPeer *peer, GInetSocketAddress *other, guint8 *cookie)
{
  memcpy (cookie, kh_dial_targets_get (self->targets, peer, other)->cookie, KH_STUN_COOKIE_BYTES);
}

/**
 * kh_dial_back_answer:
 * @self: what dials back
 * @peer: a client
 * @other: (nullable): the server's other address, for this client
 * @request: what it asks
 *
 * Does what a client asks, if it may. A poke may close any client, @peer included.
 *
 * Returns: (transfer full): the answer
 */
KhStunMessage *
kh_dial_back_answer (KhDialBack *self, KhPeer *peer, GInetSocketAddress *other, const KhStunMessage *request)
{
  KhDialTarget *target;
  int error;

  if (request->has_cookie)
    target = kh_dial_targets_find (self->targets, request->cookie, g_get_monotonic_time ());
  else
    target = kh_dial_targets_get (self->targets, peer, other);

  self->requests++;
  error = check_request (request, target);
  if (error != 0)
    return refuse (self, request, error);
  return request->dial_kind == KH_DIAL_POKE ? poke (self, request, target) : start_dial (self, peer, request, target);
}

static Job *
find_waiting (KhDialBack *self, KhPeer *peer, const guint8 *id)
{
  for (guint i = 0; i < self->jobs->len; i++)
    {
      Job *job = g_ptr_array_index (self->jobs, i);

      if (job->peer == peer && job->dial == NULL && memcmp (job->id, id, KH_STUN_ID_BYTES) == 0)
        return job;
    }

  return NULL;
}

/**
 * kh_dial_back_go:
 * @self: what dials back
 * @peer: a client
 * @id: (array fixed-size=12): the transaction id of an indication that came from it
 *
 * Dials, if the client has a dial of this id that waits. Anything else is no harm.
 */
void
kh_dial_back_go (KhDialBack *self, KhPeer *peer, const guint8 *id)
{
  Job *job = find_waiting (self, peer, id);
  g_autoptr (GInetSocketAddress) origin = NULL;
  int fd;

  if (job == NULL)
    return;

  kh_watch_stop (&job->patience);
  origin = kh_dial_socket_get_local (job->silent_fd);
  fd = kh_dial_socket_open (job->kind == KH_DIAL_CROSSING ? KH_DIAL_SOCKET_CROSSING : KH_DIAL_SOCKET_BARE_SYN, origin,
                            g_inet_socket_address_get_port (origin));
  if (fd >= 0)
    dial (job, fd);
  else
    kh_watch_set_deadline (&job->patience, g_get_monotonic_time ()); /* which tells that it failed */
}

/**
 * kh_dial_back_end:
 * @self: what dials back
 * @peer: a client that is gone
 *
 * Ends its dials.
 */
void
kh_dial_back_end (KhDialBack *self, KhPeer *peer)
{
  for (guint i = self->jobs->len; i > 0; i--)
    if (((Job *) g_ptr_array_index (self->jobs, i - 1))->peer == peer)
      g_ptr_array_remove_index_fast (self->jobs, i - 1);

  kh_dial_targets_end (self->targets, peer, g_get_monotonic_time ());
}

/**
 * kh_dial_back_get_status:
 * @self: what dials back
 * @status: (out caller-allocates): its figures now
 */
void
kh_dial_back_get_status (KhDialBack *self, KhDialBackStatus *status)
{
  status->dials = self->jobs->len;
  status->requests = self->requests;
  status->refused = self->refused;
}
