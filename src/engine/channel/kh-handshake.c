/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-handshake.h"

#include "kh-error.h"
#include "kh-json.h"

#include <string.h>

/* Two small JSON objects would be more than either side ever says: the bound keeps a parser from long texts.
 */
#define MAX_BYTES 128
#define MAX_NUMBER (G_GINT64_CONSTANT (1) << 31)

/* A kind is told by the one member it has, except for the first, which has `attempt` and `move`. */
static const struct
{
  KhHandshakeKind kind;
  const char *member;
} numbered[] = {
  { KH_HANDSHAKE_NOMINATE, "nominate" },
  { KH_HANDSHAKE_ACCEPT, "accept" },
  { KH_HANDSHAKE_CONFIRM, "confirm" },
};

static gboolean
is_move (const char *move)
{
  gsize length = strlen (move);

  return length > 0 && length < sizeof (((KhHandshake *) NULL)->move) &&
         strspn (move, "abcdefghijklmnopqrstuvwxyz0123456789-") == length;
}

static gboolean
is_valid (const KhHandshake *self)
{
  switch (self->kind)
    {
    case KH_HANDSHAKE_FIRST:
      return self->number <= MAX_NUMBER && memchr (self->move, '\0', sizeof self->move) != NULL && is_move (self->move);
    case KH_HANDSHAKE_HOLD:
      return TRUE;
    case KH_HANDSHAKE_NOMINATE:
    case KH_HANDSHAKE_ACCEPT:
    case KH_HANDSHAKE_CONFIRM:
      return self->number >= 1 && self->number <= MAX_NUMBER;
    default:
      return FALSE;
    }
}

static JsonObject *
to_json (const KhHandshake *self)
{
  JsonObject *object = json_object_new ();

  if (self->kind == KH_HANDSHAKE_FIRST)
    {
      json_object_set_int_member (object, "attempt", self->number);
      json_object_set_string_member (object, "move", self->move);
    }
  else if (self->kind == KH_HANDSHAKE_HOLD)
    {
      json_object_set_boolean_member (object, "hold", TRUE);
    }

  for (gsize i = 0; i < G_N_ELEMENTS (numbered); i++)
    {
      if (numbered[i].kind == self->kind)
        json_object_set_int_member (object, numbered[i].member, self->number);
    }

  return object;
}

/**
 * kh_handshake_to_bytes:
 * @self: a message: numbers from 1 to 2³¹ (an attempt from 0), the move's name of 1 to 15 characters of
 * `a-z0-9-`
 *
 * Returns: (transfer full): the message as compact JSON, for instance `{"attempt":3,"move":"dial"}`
 */
GBytes *
kh_handshake_to_bytes (const KhHandshake *self)
{
  g_autoptr (JsonObject) object = NULL;

  g_return_val_if_fail (self != NULL && is_valid (self), NULL);

  object = to_json (self);
  return kh_json_to_bytes (object);
}

static gboolean
read_first (JsonObject *object, KhHandshake *self)
{
  const char *move = kh_json_get_string (object, "move");
  gint64 number;

  if (json_object_get_size (object) != 2 || move == NULL || !is_move (move) ||
      !kh_json_get_int (object, "attempt", 0, MAX_NUMBER, &number))
    return FALSE;

  self->kind = KH_HANDSHAKE_FIRST;
  self->number = number;
  g_strlcpy (self->move, move, sizeof self->move);

  return TRUE;
}

static gboolean
read_hold (JsonObject *object, KhHandshake *self)
{
  JsonNode *hold = json_object_get_member (object, "hold");

  if (json_object_get_size (object) != 1 || hold == NULL || !JSON_NODE_HOLDS_VALUE (hold) ||
      json_node_get_value_type (hold) != G_TYPE_BOOLEAN || !json_node_get_boolean (hold))
    return FALSE;

  self->kind = KH_HANDSHAKE_HOLD;

  return TRUE;
}

static gboolean
read_numbered (JsonObject *object, KhHandshake *self)
{
  gint64 number;

  if (json_object_get_size (object) != 1)
    return FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (numbered); i++)
    {
      if (kh_json_get_int (object, numbered[i].member, 1, MAX_NUMBER, &number))
        {
          self->kind = numbered[i].kind;
          self->number = number;
          return TRUE;
        }
    }

  return FALSE;
}

/**
 * kh_handshake_from_bytes:
 * @bytes: what came
 * @self: (out caller-allocates): the message; all zero when it is refused
 * @error: return location
 *
 * Reads one message, strictly: exactly one kind, its members and no others.
 *
 * Returns: %FALSE with %KH_ERROR_PROTOCOL when it is none
 */
gboolean
kh_handshake_from_bytes (GBytes *bytes, KhHandshake *self, GError **error)
{
  g_autoptr (JsonObject) object = NULL;

  g_return_val_if_fail (bytes != NULL && self != NULL, FALSE);

  memset (self, 0, sizeof *self);
  object = kh_json_parse_bytes (bytes, MAX_BYTES, NULL);
  if (object != NULL && (read_first (object, self) || read_hold (object, self) || read_numbered (object, self)))
    return TRUE;

  g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL,
                       "The other side says something that does not belong into a handshake: both sides should use "
                       "the same version of Knothole.");
  return FALSE;
}
