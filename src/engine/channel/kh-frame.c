/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-frame.h"

#include "kh-conversation.h"
#include "kh-error.h"
#include "kh-json.h"

#include <string.h>

/* Numbers stay exact in any JSON implementation. */
#define MAX_NUMBER ((G_GINT64_CONSTANT (1) << 53) - 1)

/* The end of the year 9999: whatever shows the time can make a date of it. */
#define MAX_SENT G_GINT64_CONSTANT (253402300799999)

static const struct
{
  const char *type;
  KhFrameKind kind;
  const char *number;
} kinds[] = {
  { "text", KH_FRAME_TEXT, "id" }, { "ack", KH_FRAME_ACK, "id" }, { "ping", KH_FRAME_PING, "n" },
  { "pong", KH_FRAME_PONG, "n" },  { "bye", KH_FRAME_BYE, NULL },
};

/**
 * kh_frame_to_bytes:
 * @self: what to say; not %KH_FRAME_OTHER
 *
 * Returns: (transfer full): the frame as compact JSON, for instance `{"type":"ack","id":3}`
 */
GBytes *
kh_frame_to_bytes (const KhFrame *self)
{
  g_autoptr (JsonObject) object = json_object_new ();

  g_return_val_if_fail (self != NULL && self->kind != KH_FRAME_OTHER, NULL);
  g_return_val_if_fail ((self->kind == KH_FRAME_TEXT) == (self->text != NULL), NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (kinds[i].kind != self->kind)
        continue;
      json_object_set_string_member (object, "type", kinds[i].type);
      if (kinds[i].number != NULL)
        json_object_set_int_member (object, kinds[i].number, self->number);
    }
  if (self->kind == KH_FRAME_TEXT)
    {
      json_object_set_string_member (object, "text", self->text);
      json_object_set_int_member (object, "sent", self->sent);
    }

  return kh_json_to_bytes (object);
}

/* The text is checked again after parsing: an escaped half of a surrogate pair is no character. */
static gboolean
read_text (JsonObject *object, KhFrame *self)
{
  const char *text = kh_json_get_string (object, "text");

  if (text == NULL || strlen (text) > KH_CONVERSATION_MAX_TEXT || !g_utf8_validate (text, -1, NULL))
    return FALSE;

  self->text = g_strdup (text);
  return kh_json_get_int (object, "sent", 0, MAX_SENT, &self->sent);
}

static gboolean
read_kind (JsonObject *object, gsize index, KhFrame *self)
{
  gint64 number = 0;

  if (kinds[index].number != NULL && !kh_json_get_int (object, kinds[index].number, 1, MAX_NUMBER, &number))
    return FALSE;

  self->kind = kinds[index].kind;
  self->number = number;

  return self->kind != KH_FRAME_TEXT || read_text (object, self);
}

static gboolean
read_object (JsonObject *object, KhFrame *self)
{
  const char *type = kh_json_get_string (object, "type");

  if (type == NULL)
    return FALSE;

  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    {
      if (g_str_equal (type, kinds[i].type))
        return read_kind (object, i, self);
    }

  return TRUE;
}

/**
 * kh_frame_from_bytes:
 * @bytes: what came
 * @self: (out caller-allocates): the frame, to be cleared with kh_frame_clear(); empty when it is refused
 * @error: return location
 *
 * Reads one frame. Types and members it does not know are ignored: later versions may say more.
 *
 * Returns: %FALSE with %KH_ERROR_PROTOCOL when it is no frame
 */
gboolean
kh_frame_from_bytes (GBytes *bytes, KhFrame *self, GError **error)
{
  g_autoptr (JsonObject) object = NULL;

  g_return_val_if_fail (bytes != NULL && self != NULL, FALSE);

  memset (self, 0, sizeof *self);
  object = kh_json_parse_bytes (bytes, G_MAXSIZE, NULL); /* a channel's frame has its own bound */
  if (object != NULL && read_object (object, self))
    return TRUE;

  kh_frame_clear (self);
  g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL,
                       "Your friend's program says something that cannot be understood: both of you should use the "
                       "same version of Knothole.");
  return FALSE;
}

void
kh_frame_clear (KhFrame *self)
{
  g_return_if_fail (self != NULL);

  g_free (self->text);
  memset (self, 0, sizeof *self);
}
