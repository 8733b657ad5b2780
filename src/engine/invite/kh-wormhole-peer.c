/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-wormhole-private.h"

#include "kh-body.h"
#include "kh-json.h"

#include <sodium.h>
#include <string.h>

/* The half of a wormhole that listens to the friend: PROTOCOL sections 5.3, 6 and 7. Everything here comes from
 * somebody unknown until a body has opened, and from somebody who may be unkind after that. */

/* The longest side and name of a phase that are looked at. */
#define MAX_NAME 128

/* Messages kept that came before the pake which says whose they are. */
#define MAX_EARLY 16

/* Numbered phases kept that came before the one in front of them. */
#define MAX_HELD 64

/* Phases of other names that are opened, to see that they are the friend's, and then ignored. */
#define MAX_SEEN 64

/* The versions of what is said in numbered phases that we know, and the name they go by. */
#define VERSIONS_NAME "knothole-invite"
#define VERSION 1
#define MAX_VERSIONS 64

/* How long the friend may take from the key to a body that opens. */
#define VERIFY_LIMIT (60 * KH_WORMHOLE_SECOND)

/* Begins the key exchange; the mailbox is known. */
void
kh_wormhole_start_pake (KhWormhole *self)
{
  if (self->fixed_scalar != NULL)
    self->spake2 = kh_spake2_new_with_scalar (self->code, KH_WORMHOLE_APPID, self->fixed_scalar);
  else
    self->spake2 = kh_spake2_new (self->code, KH_WORMHOLE_APPID);

  self->pake_body = kh_body_encode_pake (kh_spake2_get_message (self->spake2), KH_SPAKE2_MESSAGE_BYTES);
  kh_wormhole_add (self, "pake", self->pake_body);
}

static void
add_sealed (KhWormhole *self, const char *phase, GBytes *plaintext)
{
  g_autofree char *body = kh_body_seal (self->key, self->side, phase, plaintext);

  kh_wormhole_add (self, phase, body);
}

void
kh_wormhole_add_numbered (KhWormhole *self, GBytes *plaintext)
{
  g_autofree char *phase = g_strdup_printf ("%u", self->next_out++);

  add_sealed (self, phase, plaintext);
}

static void
add_version (KhWormhole *self)
{
  g_autoptr (GBytes) plaintext = NULL;
  const char *json = "{\"abilities\": [], \"app_versions\": {\"" VERSIONS_NAME "\": [" G_STRINGIFY (VERSION) "]}}";

  plaintext = g_bytes_new_static (json, strlen (json));
  add_sealed (self, "version", plaintext);
}

/* Section 10's sentences: a wrong guess voids the code. */
static void
fail_scary (KhWormhole *self)
{
  if (self->verified)
    kh_wormhole_fail (self, KH_WORMHOLE_SCARY, KH_ERROR_PROTOCOL,
                      "A message was not from your friend: somebody at or near the meeting server interferes. "
                      "Start again with a new code, and better with another server.");
  else if (self->role == KH_ROLE_INVITER)
    kh_wormhole_fail (self, KH_WORMHOLE_SCARY, KH_ERROR_BAD_CODE,
                      "Someone tried this code and got it wrong. It may have been a typing error by your friend, or "
                      "somebody guessing. The code is now void. Make a new one.");
  else
    kh_wormhole_fail (self, KH_WORMHOLE_SCARY, KH_ERROR_BAD_CODE,
                      "The code does not match. Check it with your friend; they need to make a new one.");
}

static void
fail_foreign (KhWormhole *self)
{
  kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_PROTOCOL,
                    "The other program sent something that cannot be read. Check that both of you use Knothole, then "
                    "try again with a new code.");
}

static gboolean
lists_our_version (JsonArray *versions)
{
  for (guint i = 0; i < MIN (json_array_get_length (versions), MAX_VERSIONS); i++)
    {
      JsonNode *node = json_array_get_element (versions, i);

      if (JSON_NODE_HOLDS_VALUE (node) && json_node_get_value_type (node) == G_TYPE_INT64 &&
          json_node_get_int (node) == VERSION)
        return TRUE;
    }

  return FALSE;
}

static void
take_version (KhWormhole *self, GBytes *plaintext)
{
  g_autoptr (JsonObject) version = NULL;
  JsonObject *applications;
  JsonArray *versions;

  version = kh_json_parse_bytes (plaintext, G_MAXSIZE, NULL); /* the body it came in was bounded */
  if (version == NULL)
    {
      fail_foreign (self);
      return;
    }

  applications = kh_json_get_object (version, "app_versions");
  versions = applications != NULL ? kh_json_get_array (applications, VERSIONS_NAME) : NULL;
  if (!self->any_version && (versions == NULL || !lists_our_version (versions)))
    kh_wormhole_fail (self, KH_WORMHOLE_ERRORY, KH_ERROR_PROTOCOL,
                      "One of you needs a newer Knothole: the two programs have no version in common. Update both, "
                      "then make a new code.");
}

/* Decimal without leading zeros; nine digits are more than anybody will send. */
static gboolean
parse_number (const char *phase, guint *number)
{
  gsize digits = strspn (phase, "0123456789");

  if (digits == 0 || digits > 9 || phase[digits] != '\0' || (phase[0] == '0' && digits > 1))
    return FALSE;

  *number = g_ascii_strtoull (phase, NULL, 10);
  return TRUE;
}

static void
deliver (KhWormhole *self)
{
  gpointer plaintext;

  while (g_hash_table_steal_extended (self->held, GUINT_TO_POINTER (self->next_in), NULL, &plaintext))
    {
      self->next_in++;
      kh_wormhole_emit (self, KH_WORMHOLE_MESSAGE)->message = plaintext;
    }
}

/* The server sends everything again after a reconnect, and anybody in the mailbox may send again. */
static gboolean
was_seen (KhWormhole *self, const char *phase)
{
  guint number;

  if (parse_number (phase, &number))
    return number < self->next_in || g_hash_table_contains (self->held, GUINT_TO_POINTER (number));

  return g_hash_table_contains (self->seen, phase) || g_hash_table_size (self->seen) >= MAX_SEEN;
}

static void
take_plaintext (KhWormhole *self, const char *phase, GBytes *plaintext)
{
  guint number;

  if (!parse_number (phase, &number))
    {
      g_hash_table_add (self->seen, g_strdup (phase));
      return;
    }

  g_hash_table_insert (self->held, GUINT_TO_POINTER (number), g_bytes_ref (plaintext));
  deliver (self);
  if (g_hash_table_size (self->held) > MAX_HELD)
    fail_foreign (self);
}

/* The first body that opens proves that the friend knows the code. */
static void
become_verified (KhWormhole *self)
{
  self->verified = TRUE;
  self->verified_by = KH_WORMHOLE_NEVER;
  kh_wormhole_emit (self, KH_WORMHOLE_VERIFIED);
}

static void
send_waiting (KhWormhole *self)
{
  GBytes *plaintext;

  while ((plaintext = g_queue_pop_head (&self->waiting)) != NULL)
    {
      kh_wormhole_add_numbered (self, plaintext);
      g_bytes_unref (plaintext);
    }
}

static void
take_body (KhWormhole *self, const char *phase, const char *body)
{
  g_autoptr (GBytes) plaintext = NULL;

  if (was_seen (self, phase))
    return;

  plaintext = kh_body_open (self->key, self->peer_side, phase, body, NULL);
  if (plaintext == NULL)
    {
      fail_scary (self);
      return;
    }

  if (strcmp (phase, "version") == 0)
    take_version (self, plaintext);
  if (self->ending)
    return;

  if (!self->verified)
    {
      become_verified (self);
      send_waiting (self);
    }
  take_plaintext (self, phase, plaintext);
}

static void
take_key (KhWormhole *self)
{
  self->has_key = TRUE;
  self->friend_by = KH_WORMHOLE_NEVER;
  self->life_until = KH_WORMHOLE_NEVER;
  self->verified_by = self->now + VERIFY_LIMIT;
  kh_wormhole_emit (self, KH_WORMHOLE_FRIEND_ARRIVED);

  add_version (self);
  if (self->role == KH_ROLE_JOINER && !g_queue_is_empty (&self->waiting))
    {
      g_autoptr (GBytes) first = g_queue_pop_head (&self->waiting);

      kh_wormhole_add_numbered (self, first);
    }
}

static void
take_early (KhWormhole *self)
{
  JsonObject *message;

  while ((message = g_queue_pop_head (&self->early)) != NULL)
    {
      if (!self->ending && strcmp (kh_json_get_string (message, "side"), self->peer_side) == 0)
        take_body (self, kh_json_get_string (message, "phase"), kh_json_get_string (message, "body"));
      json_object_unref (message);
    }
}

static void
take_pake (KhWormhole *self, const char *side, const char *body)
{
  g_autoptr (GBytes) message = kh_body_decode_pake (body, NULL);

  self->peer_side = g_strdup (side);
  g_hash_table_add (self->seen, g_strdup ("pake"));
  if (message == NULL)
    fail_foreign (self);
  else if (!kh_spake2_finish (self->spake2, g_bytes_get_data (message, NULL), g_bytes_get_size (message), self->key,
                              NULL))
    fail_scary (self);
  else
    {
      take_key (self);
      take_early (self);
    }
}

static gboolean
is_name (const char *text)
{
  return text != NULL && strlen (text) <= MAX_NAME;
}

/* A message of a side that is not ours (5.3, steps 2 to 7). */
void
kh_wormhole_take_message (KhWormhole *self, JsonObject *message)
{
  const char *side = kh_json_get_string (message, "side");
  const char *phase = kh_json_get_string (message, "phase");
  const char *body = kh_json_get_string (message, "body");

  if (!is_name (side) || !is_name (phase) || body == NULL)
    return;
  if (self->peer_side != NULL && strcmp (side, self->peer_side) != 0)
    return;

  self->release_wanted = TRUE;
  kh_wormhole_say_release (self);

  if (self->peer_side != NULL)
    take_body (self, phase, body);
  else if (strcmp (phase, "pake") == 0)
    take_pake (self, side, body);
  else if (self->early.length < MAX_EARLY)
    g_queue_push_tail (&self->early, json_object_ref (message));
}
