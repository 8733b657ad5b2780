/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-wormhole-private.h"

#include "kh-code.h"
#include "kh-json.h"
#include "kh-text.h"

#include <sodium.h>
#include <string.h>

/* The half of a wormhole that talks with the meeting server: PROTOCOL sections 4, 5.2, 5.4 and 5.5. */

/* How long a server may take from its welcome until the code is live. */
#define LIVE_LIMIT (20 * KH_WORMHOLE_SECOND)

/* How long a joiner waits for a friend from then on. */
#define FRIEND_LIMIT (60 * KH_WORMHOLE_SECOND)

/* The most characters of a server's text that people are shown. */
#define MAX_TEXT 500

#define MAX_MAILBOX_ID 256

void
kh_wormhole_item_free (KhWormholeItem *item)
{
  g_free (item->phase);
  g_free (item->body);
  g_free (item);
}

/* Takes @message over and gives it an id, as every one needs. */
void
kh_wormhole_say (KhWormhole *self, JsonObject *message)
{
  g_autofree char *id = g_strdup_printf ("%04x", randombytes_uniform (0x10000));

  json_object_set_string_member (message, "id", id);
  g_queue_push_tail (&self->messages, message);
}

static void
say_bind (KhWormhole *self)
{
  JsonArray *version = json_array_new ();

  json_array_add_string_element (version, "knothole");
  json_array_add_string_element (version, "1");
  kh_wormhole_say (
      self, kh_json_build ("type:s appid:s side:s client_version:a", "bind", KH_WORMHOLE_APPID, self->side, version));
}

static void
say_allocate (KhWormhole *self)
{
  self->here.allocating = TRUE;
  kh_wormhole_say (self, kh_json_build ("type:s", "allocate"));
}

static void
say_claim (KhWormhole *self)
{
  self->claim_tried = TRUE;
  self->here.claiming = TRUE;
  kh_wormhole_say (self, kh_json_build ("type:s nameplate:s", "claim", self->nameplate));
}

void
kh_wormhole_say_release (KhWormhole *self)
{
  if (self->here.released || self->released || self->link != LINK_BOUND)
    return;

  self->here.released = TRUE;
  kh_wormhole_say (self, kh_json_build ("type:s nameplate:s", "release", self->nameplate));
}

static void
say_item (KhWormhole *self, KhWormholeItem *item)
{
  kh_wormhole_say (self, kh_json_build ("type:s phase:s body:s", "add", item->phase, item->body));
}

/* Keeps a phase until the server has echoed it, and says it if it can be said now. */
void
kh_wormhole_add (KhWormhole *self, const char *phase, const char *body)
{
  KhWormholeItem *item = g_new0 (KhWormholeItem, 1);

  item->phase = g_strdup (phase);
  item->body = g_strdup (body);
  g_queue_push_tail (&self->outbox, item);
  if (self->here.opened)
    say_item (self, item);
}

/* `open` of a mailbox that the server has thrown away silently makes an empty one. All stored messages come before the
 * answer to a ping, so a pong without our own pake tells. */
static void
say_open (KhWormhole *self)
{
  kh_wormhole_say (self, kh_json_build ("type:s mailbox:s", "open", self->mailbox));
  self->here.opened = TRUE;
  if (self->ever_live)
    kh_wormhole_say (self, kh_json_build ("type:s ping:i", "ping", 1));
  if (self->release_wanted)
    kh_wormhole_say_release (self);
  for (GList *item = self->outbox.head; item != NULL; item = item->next)
    say_item (self, item->data);
}

/* Says on a new connection what the last one left open (the table of 5.5). */
static void
resume (KhWormhole *self)
{
  self->link = LINK_BOUND;
  say_bind (self);

  if (self->ending)
    {
      if (self->mailbox != NULL && !g_queue_is_empty (&self->outbox))
        say_open (self);
      kh_wormhole_advance_end (self);
    }
  else if (self->mailbox != NULL)
    say_open (self);
  else if (self->nameplate != NULL)
    say_claim (self);
  else
    say_allocate (self);
}

/* Text that a server wants people to read. */
static char *
server_text (const char *text)
{
  return g_strchomp (kh_text_plain (text, MAX_TEXT));
}

static void
take_motd (KhWormhole *self, const char *motd)
{
  g_autofree char *text = server_text (motd);

  if (*text == '\0' || g_strcmp0 (text, self->motd) == 0)
    return;

  g_free (self->motd);
  self->motd = g_steal_pointer (&text);
  kh_wormhole_emit (self, KH_WORMHOLE_MOTD)->text = g_strdup (self->motd);
}

static void
take_your_address (KhWormhole *self, JsonObject *seen)
{
  const char *text = kh_json_get_string (seen, "ipv4");
  g_autoptr (GInetAddress) address = NULL;

  if (text == NULL)
    text = kh_json_get_string (seen, "ipv6");
  address = text != NULL ? g_inet_address_new_from_string (text) : NULL;
  if (address == NULL)
    return;

  g_free (self->your_address);
  self->your_address = g_inet_address_to_string (address);
}

/* A server may want a proof of work or the like before it serves us (4.4); there is none to test that against. */
static gboolean
permission_is_required (JsonObject *welcome)
{
  JsonNode *node = json_object_get_member (welcome, "permission-required");

  if (node == NULL || JSON_NODE_HOLDS_NULL (node))
    return FALSE;

  return !JSON_NODE_HOLDS_OBJECT (node) || !json_object_has_member (json_node_get_object (node), "none");
}

static void
take_welcome (KhWormhole *self, JsonObject *message)
{
  JsonObject *welcome = kh_json_get_object (message, "welcome");
  const char *refusal = welcome != NULL ? kh_json_get_string (welcome, "error") : NULL;
  const char *motd = welcome != NULL ? kh_json_get_string (welcome, "motd") : NULL;
  JsonObject *seen = welcome != NULL ? kh_json_get_object (welcome, "your-address") : NULL;

  if (self->link != LINK_UP)
    return;

  self->ever_welcome = TRUE;
  self->answer_by = self->now + LIVE_LIMIT;
  if (motd != NULL)
    take_motd (self, motd);
  if (seen != NULL)
    take_your_address (self, seen);

  if (refusal != NULL)
    {
      g_autofree char *text = server_text (refusal);

      kh_wormhole_fail (self, KH_WORMHOLE_UNWELCOME, KH_ERROR_SERVER_UNREACHABLE,
                        "The meeting server %s refuses: “%s” Name another server.", self->server, text);
    }
  else if (welcome != NULL && permission_is_required (welcome))
    kh_wormhole_fail (self, KH_WORMHOLE_UNWELCOME, KH_ERROR_SERVER_UNREACHABLE,
                      "The meeting server %s asks for something Knothole cannot give. Name another server.",
                      self->server);

  if (!self->ended)
    resume (self);
}

static void
fail_nonsense (KhWormhole *self)
{
  kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_SERVER_UNREACHABLE,
                    "%s does not work as a meeting server: what it sends makes no sense. Name another server.",
                    self->server);
}

static void
take_allocated (KhWormhole *self, JsonObject *message)
{
  const char *nameplate = kh_json_get_string (message, "nameplate");

  if (!self->here.allocating)
    return;

  self->here.allocating = FALSE;
  if (!kh_code_nameplate_is_valid (nameplate))
    {
      fail_nonsense (self);
      kh_wormhole_advance_end (self);
      return;
    }

  self->nameplate = g_strdup (nameplate);
  if (self->ending)
    {
      self->claim_tried = TRUE;
      kh_wormhole_advance_end (self);
      return;
    }

  self->code =
      self->fixed_code != NULL ? g_steal_pointer (&self->fixed_code) : kh_code_generate (nameplate, self->words);
  say_claim (self);
}

static void
take_claimed (KhWormhole *self, JsonObject *message)
{
  const char *mailbox = kh_json_get_string (message, "mailbox");

  if (!self->here.claiming)
    return;

  self->here.claiming = FALSE;
  if (mailbox == NULL || *mailbox == '\0' || strlen (mailbox) > MAX_MAILBOX_ID)
    {
      fail_nonsense (self);
      kh_wormhole_advance_end (self);
      return;
    }

  self->mailbox = g_strdup (mailbox);
  if (self->ending)
    {
      kh_wormhole_advance_end (self);
      return;
    }

  kh_wormhole_start_pake (self);
  say_open (self);
}

/* Our own pake came back: the mailbox is ours, and who opens it now finds us. */
static void
become_live (KhWormhole *self)
{
  self->here.live = TRUE;
  self->answer_by = KH_WORMHOLE_NEVER;
  self->away_since = KH_WORMHOLE_NEVER;
  if (self->ever_live)
    return;

  self->ever_live = TRUE;
  if (self->ending)
    return;
  if (self->role == KH_ROLE_INVITER)
    kh_wormhole_emit (self, KH_WORMHOLE_CODE_READY);
  else if (self->peer_side == NULL)
    self->friend_by = self->now + FRIEND_LIMIT;
}

static void
take_echo (KhWormhole *self, JsonObject *message)
{
  const char *phase = kh_json_get_string (message, "phase");
  const char *body = kh_json_get_string (message, "body");

  if (phase == NULL || body == NULL)
    return;

  if (strcmp (phase, "pake") == 0 && g_strcmp0 (body, self->pake_body) == 0)
    become_live (self);

  for (GList *link = self->outbox.head; link != NULL; link = link->next)
    {
      KhWormholeItem *item = link->data;

      if (strcmp (item->phase, phase) == 0 && strcmp (item->body, body) == 0)
        {
          g_queue_delete_link (&self->outbox, link);
          kh_wormhole_item_free (item);
          break;
        }
    }

  kh_wormhole_advance_end (self);
}

static void
take_message (KhWormhole *self, JsonObject *message)
{
  if (!self->here.opened)
    return;

  if (g_strcmp0 (kh_json_get_string (message, "side"), self->side) == 0)
    take_echo (self, message);
  else if (!self->ending)
    kh_wormhole_take_message (self, message);
}

static void
take_pong (KhWormhole *self)
{
  if (!self->here.opened || self->here.live || !self->ever_live)
    return;

  if (self->ending)
    {
      self->mailbox_closed = TRUE;
      g_queue_clear_full (&self->outbox, (GDestroyNotify) kh_wormhole_item_free);
      kh_wormhole_advance_end (self);
    }
  else if (self->verified)
    kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_LOST,
                      "The meeting server has lost this meeting. Try again with a new code.");
  else
    kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_EXPIRED,
                      self->role == KH_ROLE_INVITER ? "This code has run out at the meeting server. Make a new one."
                                                    : "This code has run out. Ask your friend for a new one.");
}

static void
fail_refused (KhWormhole *self, const char *reason)
{
  g_autofree char *text = server_text (reason);
  gboolean used_up = strcmp (reason, "crowded") == 0 || strcmp (reason, "reclaimed") == 0;

  if (!used_up)
    kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_SERVER_UNREACHABLE,
                      "The meeting server %s does not work with us: “%s”. Try again later, or name another server.",
                      self->server, text);
  else if (self->role == KH_ROLE_JOINER)
    kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_CROWDED,
                      "This code has been used already. If that was not you, tell your friend.");
  else
    kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_CROWDED,
                      "Somebody else has touched this invite. Make a new code.");
}

/* Whatever the server refuses to do for us is done with. */
static void
take_error (KhWormhole *self, JsonObject *message)
{
  const char *reason = kh_json_get_string (message, "error");
  JsonObject *original = kh_json_get_object (message, "orig");
  const char *type = original != NULL ? kh_json_get_string (original, "type") : NULL;

  if (g_strcmp0 (type, "allocate") == 0)
    self->here.allocating = FALSE;
  else if (g_strcmp0 (type, "claim") == 0)
    self->here.claiming = FALSE;
  else if (g_strcmp0 (type, "release") == 0)
    self->released = TRUE;
  else if (g_strcmp0 (type, "close") == 0 || g_strcmp0 (type, "open") == 0)
    self->mailbox_closed = TRUE;

  fail_refused (self, reason != NULL ? reason : "");
  kh_wormhole_advance_end (self);
}

/**
 * kh_wormhole_receive:
 * @message: a JSON object from the server; its members are not to be trusted
 * @now: monotonic time in microseconds
 *
 * The server sent a message.
 */
void
kh_wormhole_receive (KhWormhole *self, JsonObject *message, gint64 now)
{
  const char *type;

  g_return_if_fail (self != NULL);
  g_return_if_fail (message != NULL);

  self->now = now;
  type = kh_json_get_string (message, "type");
  if (self->ended || self->link == LINK_DOWN || type == NULL)
    return;

  if (strcmp (type, "welcome") == 0)
    take_welcome (self, message);
  else if (strcmp (type, "allocated") == 0)
    take_allocated (self, message);
  else if (strcmp (type, "claimed") == 0)
    take_claimed (self, message);
  else if (strcmp (type, "message") == 0)
    take_message (self, message);
  else if (strcmp (type, "pong") == 0)
    take_pong (self);
  else if (strcmp (type, "error") == 0)
    take_error (self, message);
  else if (strcmp (type, "released") == 0 && self->here.released)
    {
      self->released = TRUE;
      kh_wormhole_advance_end (self);
    }
  else if (strcmp (type, "closed") == 0 && self->here.closed)
    {
      self->mailbox_closed = TRUE;
      kh_wormhole_advance_end (self);
    }
}
