/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-mailbox-calls.h"

#include "kh-json.h"

#include <string.h>

/* What each message of a client does.
 *
 * It is answered as by the original server, in the same order, with the same error texts, and the connection
 * is dropped where that one does: for values of the wrong type. What differs: a third side changes nothing
 * for the two inside; nameplates are 1 to 40 digits; a mailbox can be closed while its nameplate is claimed;
 * there are limits, and an error with a sentence when one is reached. */

#define MAX_NAMEPLATE_DIGITS 40

const char KH_MAILBOX_DROP[] = "drop";

/**
 * kh_mailbox_call_answer:
 * @call: a client's message
 * @object: (transfer full): what to send it for that
 */
void
kh_mailbox_call_answer (KhMailboxCall *call, JsonObject *object)
{
  char *text = kh_mailbox_core_finish_text (object, call->now);

  if (text != NULL)
    kh_mailbox_core_put (call->core, call->connection->id, text);
}

/* Copies a member that is only handed back, whatever it is. */
static void
copy_node (JsonObject *to, const char *name, JsonNode *node)
{
  json_object_set_member (to, name, node != NULL ? json_node_copy (node) : json_node_new (JSON_NODE_NULL));
}

static gboolean
is_name (KhMailboxCall *call, const char *text)
{
  return strlen (text) <= call->core->limits.max_name_bytes;
}

static KhMailboxOutcome
handle_ping (KhMailboxCall *call)
{
  JsonNode *ping = json_object_get_member (call->message, "ping");
  JsonObject *object;

  if (ping == NULL)
    return "ping requires 'ping'";

  object = kh_json_build ("type:s", "pong");
  copy_node (object, "pong", ping);
  kh_mailbox_call_answer (call, object);
  return KH_MAILBOX_DONE;
}

/* The original keeps the client's version in its statistics, and drops who sends something else there. */
static gboolean
is_client_version (JsonNode *node)
{
  return node == NULL || (JSON_NODE_HOLDS_ARRAY (node) && json_array_get_length (json_node_get_array (node)) >= 2);
}

static KhMailboxOutcome
handle_bind (KhMailboxCall *call)
{
  KhMailboxConnection *connection = call->connection;
  const char *appid = kh_json_get_string (call->message, "appid");
  const char *side = kh_json_get_string (call->message, "side");

  if (connection->party.appid != NULL)
    return "already bound";
  if (!json_object_has_member (call->message, "appid"))
    return "bind requires 'appid'";
  if (!json_object_has_member (call->message, "side"))
    return "bind requires 'side'";
  if (appid == NULL || side == NULL || !is_client_version (json_object_get_member (call->message, "client_version")))
    return KH_MAILBOX_DROP;
  if (!is_name (call, appid) || !is_name (call, side))
    return "appid or side is too long";

  connection->party.appid = g_strdup (appid);
  connection->party.side = g_strdup (side);
  return KH_MAILBOX_DONE;
}

static KhMailboxOutcome
handle_list (KhMailboxCall *call)
{
  g_autoptr (GPtrArray) names = kh_mailbox_store_list (call->core->store, call->connection->party.appid);
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < names->len; i++)
    json_array_add_object_element (array, kh_json_build ("id:s", g_ptr_array_index (names, i)));
  kh_mailbox_call_answer (call, kh_json_build ("type:s nameplates:a", "nameplates", array));
  return KH_MAILBOX_DONE;
}

static KhMailboxOutcome
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
      return KH_MAILBOX_DONE;
    }
}

static KhMailboxOutcome
handle_allocate (KhMailboxCall *call)
{
  KhMailboxConnection *connection = call->connection;
  g_autofree char *nameplate = NULL;
  KhMailboxResult result;

  if (connection->did_allocate)
    return "you already allocated one, don't be greedy";

  result = kh_mailbox_store_allocate (call->core->store, &connection->party, call->now.monotonic, &nameplate);
  if (result != KH_MAILBOX_OK)
    return explain (result);

  connection->did_allocate = TRUE;
  kh_mailbox_call_answer (call, kh_json_build ("type:s nameplate:s", "allocated", nameplate));
  return KH_MAILBOX_DONE;
}

static gboolean
is_nameplate (const char *text)
{
  gsize digits = strspn (text, "0123456789");

  return digits >= 1 && digits <= MAX_NAMEPLATE_DIGITS && text[digits] == '\0';
}

static KhMailboxOutcome
handle_claim (KhMailboxCall *call)
{
  KhMailboxConnection *connection = call->connection;
  const char *nameplate = kh_json_get_string (call->message, "nameplate");
  const char *mailbox_id;
  KhMailboxResult result;

  if (!json_object_has_member (call->message, "nameplate"))
    return "claim requires 'nameplate'";
  if (connection->did_claim)
    return "only one claim per connection";
  if (nameplate == NULL || !is_nameplate (nameplate))
    return KH_MAILBOX_DROP;

  connection->did_claim = TRUE;
  connection->nameplate = g_strdup (nameplate);
  result = kh_mailbox_store_claim (call->core->store, &connection->party, nameplate, call->now.monotonic, &mailbox_id);
  if (result != KH_MAILBOX_OK)
    return explain (result);

  kh_mailbox_call_answer (call, kh_json_build ("type:s mailbox:s", "claimed", mailbox_id));
  return KH_MAILBOX_DONE;
}

static KhMailboxOutcome
handle_release (KhMailboxCall *call)
{
  KhMailboxConnection *connection = call->connection;
  const char *nameplate = kh_json_get_string (call->message, "nameplate");

  if (connection->did_release)
    return "only one release per connection";

  if (json_object_has_member (call->message, "nameplate"))
    {
      if (connection->nameplate != NULL && g_strcmp0 (nameplate, connection->nameplate) != 0)
        return "release and claim must use same nameplate";
      if (nameplate == NULL)
        return KH_MAILBOX_DROP;
    }
  else
    {
      if (connection->nameplate == NULL)
        return "release without nameplate must follow claim";
      nameplate = connection->nameplate;
    }

  connection->did_release = TRUE;
  kh_mailbox_store_release (call->core->store, &connection->party, nameplate);
  kh_mailbox_call_answer (call, kh_json_build ("type:s", "released"));
  return KH_MAILBOX_DONE;
}

/* A stored or live message, the same for all its readers. Returns a #GRefString, or %NULL as finish_text()
 * does. */
static char *
message_text (const KhMailboxMessage *message, KhMailboxTime now)
{
  JsonObject *object = kh_json_build ("type:s side:s phase:s body:s server_rx:d", "message", message->side,
                                      message->phase, message->body, message->received / 1e6);

  copy_node (object, "id", message->id);
  return kh_mailbox_core_finish_text (object, now);
}

static void
replay (KhMailboxCall *call)
{
  GPtrArray *messages = kh_mailbox_get_messages (call->connection->mailbox);

  for (guint i = 0; i < messages->len; i++)
    kh_mailbox_core_put (call->core, call->connection->id, message_text (g_ptr_array_index (messages, i), call->now));
}

/* A side whose line died without a word comes again, while its old connections still count. The oldest of them goes. */
static gboolean
take_over (KhMailboxCall *call, KhMailbox *mailbox)
{
  GArray *subscribers = kh_mailbox_get_subscribers (mailbox);

  for (guint i = 0; i < subscribers->len; i++)
    {
      guint64 id = g_array_index (subscribers, guint64, i);
      KhMailboxConnection *other = g_hash_table_lookup (call->core->connections, &id);

      if (other != NULL && strcmp (other->party.side, call->connection->party.side) == 0)
        {
          kh_mailbox_core_drop (call->core, id);
          return TRUE;
        }
    }
  return FALSE;
}

static KhMailboxOutcome
handle_open (KhMailboxCall *call)
{
  KhMailboxConnection *connection = call->connection;
  const char *mailbox_id = kh_json_get_string (call->message, "mailbox");
  KhMailbox *mailbox = NULL;
  KhMailboxResult result;

  if (connection->mailbox != NULL)
    return "only one open per connection";
  if (!json_object_has_member (call->message, "mailbox"))
    return "open requires 'mailbox'";
  if (mailbox_id == NULL)
    return KH_MAILBOX_DROP;
  if (!is_name (call, mailbox_id))
    return "mailbox is too long";

  g_free (connection->mailbox_id);
  connection->mailbox_id = g_strdup (mailbox_id);
  result = kh_mailbox_store_open (call->core->store, &connection->party, mailbox_id, call->now.monotonic, &mailbox);
  if (result != KH_MAILBOX_OK)
    return explain (result);
  if (kh_mailbox_get_subscribers (mailbox)->len >= call->core->limits.max_subscribers && !take_over (call, mailbox))
    return "too many connections have this mailbox open";

  connection->mailbox = mailbox;
  kh_mailbox_subscribe (mailbox, connection->id);
  replay (call);
  return KH_MAILBOX_DONE;
}

static void
broadcast (KhMailboxCall *call, KhMailbox *mailbox, char *text)
{
  GArray *subscribers = kh_mailbox_get_subscribers (mailbox);

  for (guint i = 0; i < subscribers->len; i++)
    kh_mailbox_core_put (call->core, g_array_index (subscribers, guint64, i), g_ref_string_acquire (text));
}

static KhMailboxMessage *
message_new (KhMailboxCall *call, const char *phase, const char *body)
{
  KhMailboxMessage *message = g_new0 (KhMailboxMessage, 1);
  KhMailboxConnection *connection = call->connection;
  JsonNode *id = json_object_get_member (call->message, "id");

  message->side = g_strdup (connection->party.side);
  message->owner = connection->party.owner != NULL ? g_ref_string_acquire (connection->party.owner) : NULL;
  message->phase = g_strdup (phase);
  message->body = g_strdup (body);
  message->id = id != NULL ? json_node_copy (id) : NULL;
  message->received = call->now.real;

  return message;
}

/* Takes the message over. */
static KhMailboxOutcome
add_message (KhMailboxCall *call, KhMailbox *mailbox, KhMailboxMessage *message)
{
  char *text = message_text (message, call->now);
  KhMailboxOutcome outcome = KH_MAILBOX_DONE;
  KhMailboxResult result;

  message->bytes = text != NULL ? strlen (text) : 0;
  if (text == NULL)
    outcome = KH_MAILBOX_DROP;
  else if (message->bytes > call->core->limits.max_relayed_bytes)
    outcome = "message is too long";
  if (outcome != KH_MAILBOX_DONE)
    {
      kh_mailbox_message_free (message);
      g_clear_pointer (&text, g_ref_string_release);
      return outcome;
    }

  result = kh_mailbox_store_add (call->core->store, mailbox, message, call->now.monotonic);
  if (result == KH_MAILBOX_OK)
    broadcast (call, mailbox, text);

  g_ref_string_release (text);
  return result == KH_MAILBOX_FULL ? "mailbox is full" : explain (result);
}

static KhMailboxOutcome
handle_add (KhMailboxCall *call)
{
  KhMailbox *mailbox = call->connection->mailbox;
  const char *phase = kh_json_get_string (call->message, "phase");
  const char *body = kh_json_get_string (call->message, "body");

  if (mailbox == NULL)
    return "must open mailbox before adding";
  if (!json_object_has_member (call->message, "phase"))
    return "missing 'phase'";
  if (!json_object_has_member (call->message, "body"))
    return "missing 'body'";
  if (phase == NULL || body == NULL)
    return KH_MAILBOX_DROP;
  if (!is_name (call, phase))
    return "phase is too long";

  return add_message (call, mailbox, message_new (call, phase, body));
}

/* A mailbox that goes takes its subscriptions along: those of other connections of the two sides, if any are
 * left. */
static void
detach_subscribers (KhMailboxCore *self, KhMailbox *mailbox)
{
  GArray *subscribers = kh_mailbox_get_subscribers (mailbox);

  for (guint i = 0; i < subscribers->len; i++)
    {
      KhMailboxConnection *connection =
          g_hash_table_lookup (self->connections, &g_array_index (subscribers, guint64, i));

      g_assert (connection != NULL);
      connection->mailbox = NULL;
    }
}

static KhMailboxOutcome
close_mailbox (KhMailboxCall *call, const char *mailbox_id)
{
  KhMailboxConnection *connection = call->connection;
  KhMailbox *mailbox = g_steal_pointer (&connection->mailbox);
  KhMailboxResult result;

  if (mailbox != NULL)
    kh_mailbox_unsubscribe (mailbox, connection->id);
  else
    {
      result = kh_mailbox_store_open (call->core->store, &connection->party, mailbox_id, call->now.monotonic, &mailbox);
      if (result != KH_MAILBOX_OK)
        return explain (result);
    }

  if (kh_mailbox_leave (mailbox, connection->party.side))
    {
      detach_subscribers (call->core, mailbox);
      kh_mailbox_store_remove (call->core->store, mailbox);
    }
  return KH_MAILBOX_DONE;
}

static KhMailboxOutcome
handle_close (KhMailboxCall *call)
{
  KhMailboxConnection *connection = call->connection;
  const char *mailbox_id = kh_json_get_string (call->message, "mailbox");
  JsonNode *mood = json_object_get_member (call->message, "mood");
  KhMailboxOutcome outcome;

  if (connection->did_close)
    return "only one close per connection";

  if (json_object_has_member (call->message, "mailbox"))
    {
      if (connection->mailbox_id != NULL && g_strcmp0 (mailbox_id, connection->mailbox_id) != 0)
        return "open and close must use same mailbox";
      if (mailbox_id == NULL)
        return KH_MAILBOX_DROP;
    }
  else
    {
      if (connection->mailbox_id == NULL)
        return "close without mailbox must follow open";
      mailbox_id = connection->mailbox_id;
    }
  if (mood != NULL && !JSON_NODE_HOLDS_NULL (mood) && !JSON_NODE_HOLDS_VALUE (mood))
    return KH_MAILBOX_DROP;
  if (!is_name (call, mailbox_id))
    return "mailbox is too long";

  outcome = close_mailbox (call, mailbox_id);
  if (outcome != KH_MAILBOX_DONE)
    return outcome;

  connection->did_close = TRUE;
  kh_mailbox_call_answer (call, kh_json_build ("type:s", "closed"));
  return KH_MAILBOX_DONE;
}

static KhMailboxOutcome
dispatch (KhMailboxCall *call)
{
  static const struct
  {
    const char *type;
    KhMailboxOutcome (*handle) (KhMailboxCall *call);
    gboolean unbound;
  } handlers[] = {
    { "ping", handle_ping, TRUE },          { "bind", handle_bind, TRUE },    { "list", handle_list, FALSE },
    { "allocate", handle_allocate, FALSE }, { "claim", handle_claim, FALSE }, { "release", handle_release, FALSE },
    { "open", handle_open, FALSE },         { "add", handle_add, FALSE },     { "close", handle_close, FALSE },
  };
  const char *type = kh_json_get_string (call->message, "type");
  gboolean bound = call->connection->party.appid != NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (handlers); i++)
    if (g_strcmp0 (type, handlers[i].type) == 0)
      return bound || handlers[i].unbound ? handlers[i].handle (call) : "must bind first";

  return bound ? "unknown type" : "must bind first";
}

/* `id` is handed back and stored, so it has to be small: a text, a number or nothing. */
static KhMailboxOutcome
check_id (KhMailboxCall *call, JsonNode *id)
{
  if (id == NULL || JSON_NODE_HOLDS_NULL (id))
    return KH_MAILBOX_DONE;
  if (!JSON_NODE_HOLDS_VALUE (id))
    return KH_MAILBOX_DROP;
  if (json_node_get_value_type (id) == G_TYPE_STRING && !is_name (call, json_node_get_string (id)))
    return "id is too long";

  return KH_MAILBOX_DONE;
}

/**
 * kh_mailbox_call_take:
 * @call: a client's message, an object
 *
 * Does what it asks for, and answers it, but for an error.
 *
 * Returns: (nullable): %KH_MAILBOX_DONE, %KH_MAILBOX_DROP, or the text of an error to be sent
 */
KhMailboxOutcome
kh_mailbox_call_take (KhMailboxCall *call)
{
  JsonNode *id = json_object_get_member (call->message, "id");
  JsonObject *ack;
  KhMailboxOutcome outcome;

  if (!json_object_has_member (call->message, "type"))
    return "missing 'type'";
  outcome = check_id (call, id);
  if (outcome != KH_MAILBOX_DONE)
    return outcome;

  ack = kh_json_build ("type:s", "ack");
  copy_node (ack, "id", id);
  kh_mailbox_call_answer (call, ack);
  return dispatch (call);
}
