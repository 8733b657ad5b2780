/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-mailbox-core.h"

#include "kh-json.h"
#include "kh-quota.h"

#include <string.h>

/* The wormhole mailbox protocol of a server: messages of connections in, messages to connections out. No
 * sockets and no clock, so that tests play it by the table.
 *
 * It answers as the original server does, in the same order, with the same error texts, and drops a
 * connection where that one does: for what is no JSON object, and for values of the wrong type. What differs:
 * a third side changes nothing for the two inside; nameplates are 1 to 40 digits; a mailbox can be closed
 * while its nameplate is claimed; there are limits, and an error with a sentence when one is reached. */

/* What is relayed must not be longer than what clients take: 128 KiB, as we do. A later reader's `server_tx` can have
 * more digits than the first one's. */
#define TIMES_BYTES 64

const KhMailboxLimits kh_mailbox_default_limits = {
  .max_nameplates = 10000,
  .max_mailboxes = 20000,
  .max_messages = 256,
  .max_subscribers = 4,
  .max_message_bytes = 128 * 1024,
  .max_relayed_bytes = 128 * 1024 - TIMES_BYTES,
  .max_mailbox_bytes = 1024 * 1024,
  .max_total_bytes = 128 * 1024 * 1024,
  .max_nameplates_per_owner = 100,
  .max_mailboxes_per_owner = 100,
  .max_bytes_per_owner = 4 * 1024 * 1024,
  .max_name_bytes = 128,
  .message_burst = 300,
  .messages_per_second = 30,
  .expire_seconds = 11 * 60,
  .allow_list = FALSE,
};

#define MAX_NAMEPLATE_DIGITS 40
/* What a long message costs to parse and to relay grows with its length: each so many bytes count as one more. */
#define BYTES_PER_MESSAGE 2048

typedef struct
{
  guint64 id;
  KhMailboxParty party; /* its appid and side are set by bind, %NULL before */
  KhBucket rate;

  gboolean did_allocate;
  gboolean did_claim;
  gboolean did_release;
  gboolean did_close;
  char *nameplate;    /* of claim */
  char *mailbox_id;   /* of open */
  KhMailbox *mailbox; /* while it is open here */
} Connection;

struct _KhMailboxCore
{
  KhMailboxLimits limits;
  KhMailboxStore *store;
  GHashTable *connections;
  GPtrArray *output;
};

/* One message in work. */
typedef struct
{
  KhMailboxCore *core;
  Connection *connection;
  JsonObject *message;
  KhMailboxTime now;
} Call;

/* How a message was taken: an error's text goes to the client, DROP ends the connection without a word. */
typedef const char *Outcome;

static const char *const OK = NULL;
static const char DROP[] = "drop";

static void
connection_free (gpointer data)
{
  Connection *self = data;

  if (self->mailbox != NULL)
    kh_mailbox_unsubscribe (self->mailbox, self->id);
  g_free (self->party.appid);
  g_free (self->party.side);
  g_clear_pointer (&self->party.owner, g_ref_string_release);
  g_free (self->nameplate);
  g_free (self->mailbox_id);
  g_free (self);
}

static void
output_free (gpointer data)
{
  KhMailboxOutput *self = data;

  g_clear_pointer (&self->text, g_ref_string_release);
  g_free (self);
}

/**
 * kh_mailbox_core_new:
 * @limits: (nullable): copied; %NULL for kh_mailbox_default_limits
 *
 * Returns: (transfer full): a server's mailboxes, without a connection
 */
KhMailboxCore *
kh_mailbox_core_new (const KhMailboxLimits *limits)
{
  KhMailboxCore *self = g_new0 (KhMailboxCore, 1);

  self->limits = limits != NULL ? *limits : kh_mailbox_default_limits;
  self->store = kh_mailbox_store_new (&self->limits);
  self->connections = g_hash_table_new_full (g_int64_hash, g_int64_equal, NULL, connection_free);
  self->output = g_ptr_array_new_with_free_func (output_free);

  return self;
}

void
kh_mailbox_core_free (KhMailboxCore *self)
{
  g_hash_table_unref (self->connections);
  kh_mailbox_store_free (self->store);
  g_ptr_array_unref (self->output);
  g_free (self);
}

static void
put (KhMailboxCore *self, guint64 connection, char *text)
{
  KhMailboxOutput *output = g_new (KhMailboxOutput, 1);

  output->connection = connection;
  output->text = text;
  g_ptr_array_add (self->output, output);
}

/* Takes the object over. Returns its text, or %NULL when a client's escapes (a lone surrogate) do not make
 * UTF-8. */
static char *
finish_text (JsonObject *object, KhMailboxTime now)
{
  g_autofree char *text = NULL;

  json_object_set_double_member (object, "server_tx", now.real / 1e6);
  text = kh_json_to_text (object);
  json_object_unref (object);

  return g_utf8_validate (text, -1, NULL) ? g_ref_string_new (text) : NULL;
}

static void
drop (KhMailboxCore *self, guint64 connection)
{
  if (g_hash_table_remove (self->connections, &connection))
    put (self, connection, NULL);
}

static void
answer (Call *call, JsonObject *object)
{
  char *text = finish_text (object, call->now);

  if (text != NULL)
    put (call->core, call->connection->id, text);
}

static void
send_error (Call *call, const char *error, JsonObject *orig)
{
  JsonObject *object = kh_json_build ("type:s error:s", "error", error);

  json_object_set_object_member (object, "orig", orig);
  answer (call, object);
}

/* Copies a member that is only handed back, whatever it is. */
static void
copy_node (JsonObject *to, const char *name, JsonNode *node)
{
  json_object_set_member (to, name, node != NULL ? json_node_copy (node) : json_node_new (JSON_NODE_NULL));
}

static gboolean
is_name (Call *call, const char *text)
{
  return strlen (text) <= call->core->limits.max_name_bytes;
}

static Outcome
handle_ping (Call *call)
{
  JsonNode *ping = json_object_get_member (call->message, "ping");
  JsonObject *object;

  if (ping == NULL)
    return "ping requires 'ping'";

  object = kh_json_build ("type:s", "pong");
  copy_node (object, "pong", ping);
  answer (call, object);
  return OK;
}

/* The original keeps the client's version in its statistics, and drops who sends something else there. */
static gboolean
is_client_version (JsonNode *node)
{
  return node == NULL ||
         (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) >= 2);
}

static Outcome
handle_bind (Call *call)
{
  Connection *connection = call->connection;
  const char *appid = kh_json_get_string (call->message, "appid");
  const char *side = kh_json_get_string (call->message, "side");

  if (connection->party.appid != NULL)
    return "already bound";
  if (!json_object_has_member (call->message, "appid"))
    return "bind requires 'appid'";
  if (!json_object_has_member (call->message, "side"))
    return "bind requires 'side'";
  if (appid == NULL || side == NULL ||
      !is_client_version (json_object_get_member (call->message, "client_version")))
    return DROP;
  if (!is_name (call, appid) || !is_name (call, side))
    return "appid or side is too long";

  connection->party.appid = g_strdup (appid);
  connection->party.side = g_strdup (side);
  return OK;
}

static Outcome
handle_list (Call *call)
{
  g_autoptr (GPtrArray) names = kh_mailbox_store_list (call->core->store, call->connection->party.appid);
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < names->len; i++)
    json_array_add_object_element (array, kh_json_build ("id:s", g_ptr_array_index (names, i)));
  answer (call, kh_json_build ("type:s nameplates:a", "nameplates", array));
  return OK;
}

static Outcome
explain (KhMailboxResult result)
{
  switch (result)
    {
    case KH_MAILBOX_CROWDED:
      return "crowded";
    case KH_MAILBOX_RECLAIMED:
      return "reclaimed";
    case KH_MAILBOX_FULL:
      return "the server is full, try again later";
    case KH_MAILBOX_OWNER_FULL:
      return "too much waits here from your address, try again later";
    case KH_MAILBOX_OK:
    default:
      return OK;
    }
}

static Outcome
handle_allocate (Call *call)
{
  Connection *connection = call->connection;
  g_autofree char *nameplate = NULL;
  KhMailboxResult result;

  if (connection->did_allocate)
    return "you already allocated one, don't be greedy";

  result = kh_mailbox_store_allocate (call->core->store, &connection->party, call->now.monotonic, &nameplate);
  if (result != KH_MAILBOX_OK)
    return explain (result);

  connection->did_allocate = TRUE;
  answer (call, kh_json_build ("type:s nameplate:s", "allocated", nameplate));
  return OK;
}

static gboolean
is_nameplate (const char *text)
{
  gsize digits = strspn (text, "0123456789");

  return digits >= 1 && digits <= MAX_NAMEPLATE_DIGITS && text[digits] == '\0';
}

static Outcome
handle_claim (Call *call)
{
  Connection *connection = call->connection;
  const char *nameplate = kh_json_get_string (call->message, "nameplate");
  const char *mailbox_id;
  KhMailboxResult result;

  if (!json_object_has_member (call->message, "nameplate"))
    return "claim requires 'nameplate'";
  if (connection->did_claim)
    return "only one claim per connection";
  if (nameplate == NULL || !is_nameplate (nameplate))
    return DROP;

  connection->did_claim = TRUE;
  connection->nameplate = g_strdup (nameplate);
  result = kh_mailbox_store_claim (call->core->store, &connection->party, nameplate, call->now.monotonic,
                                   &mailbox_id);
  if (result != KH_MAILBOX_OK)
    return explain (result);

  answer (call, kh_json_build ("type:s mailbox:s", "claimed", mailbox_id));
  return OK;
}

static Outcome
handle_release (Call *call)
{
  Connection *connection = call->connection;
  const char *nameplate = kh_json_get_string (call->message, "nameplate");

  if (connection->did_release)
    return "only one release per connection";

  if (json_object_has_member (call->message, "nameplate"))
    {
      if (connection->nameplate != NULL && g_strcmp0 (nameplate, connection->nameplate) != 0)
        return "release and claim must use same nameplate";
      if (nameplate == NULL)
        return DROP;
    }
  else
    {
      if (connection->nameplate == NULL)
        return "release without nameplate must follow claim";
      nameplate = connection->nameplate;
    }

  connection->did_release = TRUE;
  kh_mailbox_store_release (call->core->store, &connection->party, nameplate);
  answer (call, kh_json_build ("type:s", "released"));
  return OK;
}

/* A stored or live message, the same for all its readers. Returns a #GRefString, or %NULL as finish_text()
 * does. */
static char *
message_text (const KhMailboxMessage *message, KhMailboxTime now)
{
  JsonObject *object = kh_json_build ("type:s side:s phase:s body:s server_rx:d", "message", message->side,
                                      message->phase, message->body, message->received / 1e6);

  copy_node (object, "id", message->id);
  return finish_text (object, now);
}

static void
replay (Call *call)
{
  GPtrArray *messages = kh_mailbox_get_messages (call->connection->mailbox);

  for (guint i = 0; i < messages->len; i++)
    put (call->core, call->connection->id, message_text (g_ptr_array_index (messages, i), call->now));
}

static Outcome
handle_open (Call *call)
{
  Connection *connection = call->connection;
  const char *mailbox_id = kh_json_get_string (call->message, "mailbox");
  KhMailbox *mailbox = NULL;
  KhMailboxResult result;

  if (connection->mailbox != NULL)
    return "only one open per connection";
  if (!json_object_has_member (call->message, "mailbox"))
    return "open requires 'mailbox'";
  if (mailbox_id == NULL)
    return DROP;
  if (!is_name (call, mailbox_id))
    return "mailbox is too long";

  g_free (connection->mailbox_id);
  connection->mailbox_id = g_strdup (mailbox_id);
  result = kh_mailbox_store_open (call->core->store, &connection->party, mailbox_id, call->now.monotonic,
                                  &mailbox);
  if (result != KH_MAILBOX_OK)
    return explain (result);
  if (kh_mailbox_get_subscribers (mailbox)->len >= call->core->limits.max_subscribers)
    return "too many connections have this mailbox open";

  connection->mailbox = mailbox;
  kh_mailbox_subscribe (mailbox, connection->id);
  replay (call);
  return OK;
}

static void
broadcast (Call *call, KhMailbox *mailbox, char *text)
{
  GArray *subscribers = kh_mailbox_get_subscribers (mailbox);

  for (guint i = 0; i < subscribers->len; i++)
    put (call->core, g_array_index (subscribers, guint64, i), g_ref_string_acquire (text));
}

static KhMailboxMessage *
message_new (Call *call, const char *phase, const char *body)
{
  KhMailboxMessage *message = g_new0 (KhMailboxMessage, 1);
  Connection *connection = call->connection;
  JsonNode *id = json_object_get_member (call->message, "id");

  message->side = g_strdup (connection->party.side);
  message->owner = connection->party.owner != NULL ? g_ref_string_acquire (connection->party.owner) : NULL;
  message->phase = g_strdup (phase);
  message->body = g_strdup (body);
  message->id = id != NULL ? json_node_copy (id) : NULL;
  message->received = call->now.real;

  return message;
}

static Outcome
handle_add (Call *call)
{
  KhMailbox *mailbox = call->connection->mailbox;
  const char *phase = kh_json_get_string (call->message, "phase");
  const char *body = kh_json_get_string (call->message, "body");
  g_autoptr (KhMailboxMessage) message = NULL;
  KhMailboxResult result;
  char *text;

  if (mailbox == NULL)
    return "must open mailbox before adding";
  if (!json_object_has_member (call->message, "phase"))
    return "missing 'phase'";
  if (!json_object_has_member (call->message, "body"))
    return "missing 'body'";
  if (phase == NULL || body == NULL)
    return DROP;
  if (!is_name (call, phase))
    return "phase is too long";

  message = message_new (call, phase, body);
  text = message_text (message, call->now);
  if (text == NULL)
    return DROP;
  message->bytes = strlen (text);
  if (message->bytes > call->core->limits.max_relayed_bytes)
    {
      g_ref_string_release (text);
      return "message is too long";
    }
  result = kh_mailbox_store_add (call->core->store, mailbox, g_steal_pointer (&message), call->now.monotonic);
  if (result == KH_MAILBOX_OK)
    broadcast (call, mailbox, text);

  g_ref_string_release (text);
  return result == KH_MAILBOX_FULL ? "mailbox is full" : explain (result);
}

/* A mailbox that goes takes its subscriptions along: those of other connections of the two sides, if any are
 * left. */
static void
detach_subscribers (KhMailboxCore *self, KhMailbox *mailbox)
{
  GArray *subscribers = kh_mailbox_get_subscribers (mailbox);

  for (guint i = 0; i < subscribers->len; i++)
    {
      Connection *connection =
          g_hash_table_lookup (self->connections, &g_array_index (subscribers, guint64, i));

      g_assert (connection != NULL);
      connection->mailbox = NULL;
    }
}

static Outcome
close_mailbox (Call *call, const char *mailbox_id)
{
  Connection *connection = call->connection;
  KhMailbox *mailbox = g_steal_pointer (&connection->mailbox);
  KhMailboxResult result;

  if (mailbox != NULL)
    kh_mailbox_unsubscribe (mailbox, connection->id);
  else
    {
      result = kh_mailbox_store_open (call->core->store, &connection->party, mailbox_id, call->now.monotonic,
                                      &mailbox);
      if (result != KH_MAILBOX_OK)
        return explain (result);
    }

  if (kh_mailbox_leave (mailbox, connection->party.side))
    {
      detach_subscribers (call->core, mailbox);
      kh_mailbox_store_remove (call->core->store, mailbox);
    }
  return OK;
}

static Outcome
handle_close (Call *call)
{
  Connection *connection = call->connection;
  const char *mailbox_id = kh_json_get_string (call->message, "mailbox");
  JsonNode *mood = json_object_get_member (call->message, "mood");
  Outcome outcome;

  if (connection->did_close)
    return "only one close per connection";

  if (json_object_has_member (call->message, "mailbox"))
    {
      if (connection->mailbox_id != NULL && g_strcmp0 (mailbox_id, connection->mailbox_id) != 0)
        return "open and close must use same mailbox";
      if (mailbox_id == NULL)
        return DROP;
    }
  else
    {
      if (connection->mailbox_id == NULL)
        return "close without mailbox must follow open";
      mailbox_id = connection->mailbox_id;
    }
  if (mood != NULL && !JSON_NODE_HOLDS_NULL (mood) && !JSON_NODE_HOLDS_VALUE (mood))
    return DROP;
  if (!is_name (call, mailbox_id))
    return "mailbox is too long";

  outcome = close_mailbox (call, mailbox_id);
  if (outcome != OK)
    return outcome;

  connection->did_close = TRUE;
  answer (call, kh_json_build ("type:s", "closed"));
  return OK;
}

static Outcome
dispatch (Call *call)
{
  static const struct
  {
    const char *type;
    Outcome (*handle) (Call *call);
    gboolean unbound;
  } handlers[] = {
    { "ping", handle_ping, TRUE },    { "bind", handle_bind, TRUE },
    { "list", handle_list, FALSE },   { "allocate", handle_allocate, FALSE },
    { "claim", handle_claim, FALSE }, { "release", handle_release, FALSE },
    { "open", handle_open, FALSE },   { "add", handle_add, FALSE },
    { "close", handle_close, FALSE },
  };
  const char *type = kh_json_get_string (call->message, "type");
  gboolean bound = call->connection->party.appid != NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (handlers); i++)
    if (g_strcmp0 (type, handlers[i].type) == 0)
      return bound || handlers[i].unbound ? handlers[i].handle (call) : "must bind first";

  return bound ? "unknown type" : "must bind first";
}

/* `id` is handed back and stored, so it has to be small: a text, a number or nothing. */
static Outcome
check_id (Call *call, JsonNode *id)
{
  if (id == NULL || JSON_NODE_HOLDS_NULL (id))
    return OK;
  if (!JSON_NODE_HOLDS_VALUE (id))
    return DROP;
  if (json_node_get_value_type (id) == G_TYPE_STRING && !is_name (call, json_node_get_string (id)))
    return "id is too long";

  return OK;
}

static Outcome
take_message (Call *call)
{
  JsonNode *id = json_object_get_member (call->message, "id");
  JsonObject *ack;
  Outcome outcome;

  if (!json_object_has_member (call->message, "type"))
    return "missing 'type'";
  outcome = check_id (call, id);
  if (outcome != OK)
    return outcome;

  ack = kh_json_build ("type:s", "ack");
  copy_node (ack, "id", id);
  answer (call, ack);
  return dispatch (call);
}

static JsonObject *
make_address (GInetSocketAddress *address)
{
  GInetAddress *ip = g_inet_socket_address_get_address (address);
  g_autofree char *text = g_inet_address_to_string (ip);
  gboolean is_v6 = g_inet_address_get_family (ip) == G_SOCKET_FAMILY_IPV6;

  return kh_json_build (is_v6 ? "ipv6:s port:i" : "ipv4:s port:i", text,
                        (int) g_inet_socket_address_get_port (address));
}

/**
 * kh_mailbox_core_connect:
 * @self: the mailboxes
 * @connection: a number for a new connection, never used before
 * @address: (nullable): where it comes from, which `welcome` tells it as `your-address`
 * @owner: (nullable): whose share of the store it uses: the same text for all connections that count as one; %NULL for
 *   one without such limits
 * @now: the time
 */
void
kh_mailbox_core_connect (KhMailboxCore *self, guint64 connection, GInetSocketAddress *address,
                         const char *owner, KhMailboxTime now)
{
  Connection *added = g_new0 (Connection, 1);
  JsonObject *welcome = json_object_new ();

  g_return_if_fail (self != NULL);

  added->id = connection;
  added->party.owner = owner != NULL ? g_ref_string_new (owner) : NULL;
  g_hash_table_insert (self->connections, &added->id, added);

  if (address != NULL)
    json_object_set_object_member (welcome, "your-address", make_address (address));
  put (self, connection, finish_text (kh_json_build ("type:s welcome:o", "welcome", welcome), now));
}

/**
 * kh_mailbox_core_receive:
 * @self: the mailboxes
 * @connection: who sends; one that is gone is ignored
 * @text: (array length=length): one message as it came
 * @length: bytes in @text
 * @now: the time
 *
 * Takes a client's message.
 */
void
kh_mailbox_core_receive (KhMailboxCore *self, guint64 connection, const char *text, gsize length,
                         KhMailboxTime now)
{
  Call call = { self, g_hash_table_lookup (self->connections, &connection), NULL, now };
  g_autoptr (JsonObject) message = NULL;
  guint said = self->output->len;
  Outcome outcome;

  if (call.connection == NULL)
    return;

  if (!kh_bucket_take_many (&call.connection->rate, 1 + length / BYTES_PER_MESSAGE, self->limits.message_burst,
                            self->limits.messages_per_second, now.monotonic))
    {
      send_error (&call, "too many messages", json_object_new ());
      drop (self, connection);
      return;
    }

  message = length <= self->limits.max_message_bytes ? kh_json_parse_object (text, length, NULL) : NULL;
  call.message = message;
  outcome = message != NULL ? take_message (&call) : DROP;
  if (outcome == DROP)
    {
      g_ptr_array_set_size (self->output, said); /* without the `ack`: the original's is lost as well */
      drop (self, connection);
    }
  else if (outcome != OK)
    send_error (&call, outcome, json_object_ref (message));
}

/**
 * kh_mailbox_core_is_bound:
 *
 * Returns: whether a connection is there and has said in which application and as which side
 */
gboolean
kh_mailbox_core_is_bound (KhMailboxCore *self, guint64 connection)
{
  Connection *found = g_hash_table_lookup (self->connections, &connection);

  return found != NULL && found->party.appid != NULL;
}

/**
 * kh_mailbox_core_disconnect:
 * @self: the mailboxes
 * @connection: a connection that has ended; nothing happens if the core ended it
 */
void
kh_mailbox_core_disconnect (KhMailboxCore *self, guint64 connection)
{
  g_hash_table_remove (self->connections, &connection);
}

/**
 * kh_mailbox_core_prune:
 * @self: the mailboxes
 * @now: the time
 *
 * Forgets what nobody uses; to be called every five minutes.
 *
 * Returns: how many mailboxes are gone
 */
guint
kh_mailbox_core_prune (KhMailboxCore *self, KhMailboxTime now)
{
  return kh_mailbox_store_prune (self->store, now.monotonic);
}

/**
 * kh_mailbox_core_take_output:
 * @self: the mailboxes
 *
 * Returns: (transfer full) (element-type KhMailboxOutput): what is to be sent since the last call, in order
 */
GPtrArray *
kh_mailbox_core_take_output (KhMailboxCore *self)
{
  GPtrArray *output = self->output;

  self->output = g_ptr_array_new_with_free_func (output_free);
  return output;
}

/**
 * kh_mailbox_core_count:
 * @self: the mailboxes
 * @nameplates: (out): how many nameplates there are
 * @bytes: (out): memory for stored messages
 *
 * Returns: how many mailboxes there are
 */
guint
kh_mailbox_core_count (KhMailboxCore *self, guint *nameplates, gsize *bytes)
{
  return kh_mailbox_store_count (self->store, nameplates, bytes);
}
