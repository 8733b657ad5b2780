/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-mailbox-calls.h"

#include "kh-json.h"

#include <string.h>

/* The wormhole mailbox protocol of a server: messages of connections in, messages to connections out. No
 * sockets and no clock, so that tests play it by the table. Here is what connections and their messages have
 * in common; what each message does is in kh-mailbox-calls.c. */

/* What is relayed must not be longer than what clients take: 128 KiB, as we do. A later reader's `server_tx`
 * can have more digits than the first one's. */
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

/* What a long message costs to parse and to relay grows with its length: each so many bytes count as one
 * more. */
#define BYTES_PER_MESSAGE 2048

static void
connection_free (gpointer data)
{
  KhMailboxConnection *self = data;

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

/**
 * kh_mailbox_core_put:
 * @self: the mailboxes
 * @connection: for whom
 * @text: (transfer full) (nullable): as in #KhMailboxOutput
 */
void
kh_mailbox_core_put (KhMailboxCore *self, guint64 connection, char *text)
{
  KhMailboxOutput *output = g_new (KhMailboxOutput, 1);

  output->connection = connection;
  output->text = text;
  g_ptr_array_add (self->output, output);
}

/**
 * kh_mailbox_core_finish_text:
 * @object: (transfer full): a message to a client, but for its `server_tx`
 * @now: the time
 *
 * Returns: (transfer full) (nullable): its text, a #GRefString, or %NULL when a client's escapes (a lone
 * surrogate) do not make UTF-8
 */
char *
kh_mailbox_core_finish_text (JsonObject *object, KhMailboxTime now)
{
  g_autofree char *text = NULL;

  json_object_set_double_member (object, "server_tx", now.real / 1e6);
  text = kh_json_to_text (object);
  json_object_unref (object);

  return g_utf8_validate (text, -1, NULL) ? g_ref_string_new (text) : NULL;
}

/**
 * kh_mailbox_core_drop:
 *
 * Forgets a connection and has it ended.
 */
void
kh_mailbox_core_drop (KhMailboxCore *self, guint64 connection)
{
  if (g_hash_table_remove (self->connections, &connection))
    kh_mailbox_core_put (self, connection, NULL);
}

static char *
make_error (const char *error, JsonObject *orig, KhMailboxTime now)
{
  JsonObject *object = kh_json_build ("type:s error:s", "error", error);

  json_object_set_object_member (object, "orig", json_object_ref (orig));
  return kh_mailbox_core_finish_text (object, now);
}

/* The message in question is handed back, unless that makes the error longer than what clients take. */
static void
send_error (KhMailboxCall *call, const char *error, JsonObject *orig)
{
  char *text = make_error (error, orig, call->now);

  if (text != NULL && strlen (text) > call->core->limits.max_relayed_bytes)
    {
      g_autoptr (JsonObject) none = json_object_new ();

      g_ref_string_release (text);
      text = make_error (error, none, call->now);
    }
  if (text != NULL)
    kh_mailbox_core_put (call->core, call->connection->id, text);
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
 * @owner: (nullable): whose share of the store it uses: the same text for all connections that count as one;
 * %NULL for one without such limits
 * @now: the time
 */
void
kh_mailbox_core_connect (KhMailboxCore *self, guint64 connection, GInetSocketAddress *address, const char *owner,
                         KhMailboxTime now)
{
  KhMailboxConnection *added = g_new0 (KhMailboxConnection, 1);
  JsonObject *welcome = json_object_new ();

  g_return_if_fail (self != NULL);

  added->id = connection;
  added->party.owner = owner != NULL ? g_ref_string_new (owner) : NULL;
  g_hash_table_insert (self->connections, &added->id, added);

  if (address != NULL)
    json_object_set_object_member (welcome, "your-address", make_address (address));
  kh_mailbox_core_put (self, connection,
                       kh_mailbox_core_finish_text (kh_json_build ("type:s welcome:o", "welcome", welcome), now));
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
kh_mailbox_core_receive (KhMailboxCore *self, guint64 connection, const char *text, gsize length, KhMailboxTime now)
{
  KhMailboxCall call = { self, g_hash_table_lookup (self->connections, &connection), NULL, now };
  g_autoptr (JsonObject) message = NULL;
  guint said = self->output->len;
  KhMailboxOutcome outcome;

  if (call.connection == NULL)
    return;

  if (!kh_bucket_take_many (&call.connection->rate, 1 + length / BYTES_PER_MESSAGE, self->limits.message_burst,
                            self->limits.messages_per_second, now.monotonic))
    {
      g_autoptr (JsonObject) none = json_object_new ();

      send_error (&call, "too many messages", none);
      kh_mailbox_core_drop (self, connection);
      return;
    }

  message = length <= self->limits.max_message_bytes ? kh_json_parse_object (text, length, NULL) : NULL;
  call.message = message;
  outcome = message != NULL ? kh_mailbox_call_take (&call) : KH_MAILBOX_DROP;
  if (outcome == KH_MAILBOX_DROP)
    {
      g_ptr_array_set_size (self->output, said); /* without the `ack`: the original's is lost as well */
      kh_mailbox_core_drop (self, connection);
    }
  else if (outcome != KH_MAILBOX_DONE)
    send_error (&call, outcome, message);
}

/**
 * kh_mailbox_core_is_bound:
 *
 * Returns: whether a connection is there and has said in which application and as which side
 */
gboolean
kh_mailbox_core_is_bound (KhMailboxCore *self, guint64 connection)
{
  KhMailboxConnection *found = g_hash_table_lookup (self->connections, &connection);

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
