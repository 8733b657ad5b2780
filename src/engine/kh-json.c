/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-json.h"

#include "kh-error.h"

#include <string.h>

typedef struct
{
  unsigned int depth;
  unsigned int separators;
  gboolean complete;
} Shape;

static gboolean
take_outside_string (Shape *shape, char c)
{
  switch (c)
    {
    case ' ':
    case '\t':
    case '\n':
    case '\r':
      return TRUE;
    case '{':
    case '[':
      return !shape->complete && ++shape->depth <= KH_JSON_MAX_DEPTH;
    case '}':
    case ']':
      shape->complete = shape->depth == 1;
      return shape->depth-- > 0;
    case ',':
    case ':':
      return !shape->complete && ++shape->separators <= KH_JSON_MAX_SEPARATORS;
    default:
      return !shape->complete && (g_ascii_isalnum (c) || c == '-' || c == '+' || c == '.');
    }
}

/* Where the string that begins at START ends: its closing quotation mark, or LENGTH when it has none or holds a control
 * character, which JSON forbids. */
static gsize
end_of_string (const char *text, gsize start, gsize length)
{
  for (gsize i = start + 1; i < length; i++)
    {
      if (text[i] == '"')
        return i;
      if (text[i] == '\\')
        i++;
      else if ((guint8) text[i] < 0x20)
        break;
    }

  return length;
}

/* json-glib 1.6 is not made for strangers' texts: it recurses for each level and overflows the stack between 70 000 and
 * 80 000 of them, which fit within the 128 KiB that a meeting server may send; it takes comments, strings in single
 * quotation marks and several objects in a row; and an object whose members' names collide costs it quadratic time (4096
 * members: 177 ms). So the bytes are scanned before it sees them, and only what both read alike is let through. */
static gboolean
shape_is_safe (const char *text, gsize length)
{
  Shape shape = { 0 };

  for (gsize i = 0; i < length; i++)
    {
      if (text[i] == '"' && !shape.complete)
        {
          i = end_of_string (text, i, length);
          if (i == length)
            return FALSE;
        }
      else if (!take_outside_string (&shape, text[i]))
        return FALSE;
    }

  return shape.complete;
}

/**
 * kh_json_parse_object:
 * @text: (array length=length): bytes from anywhere, the network included
 * @length: bytes in @text
 * @error: return location
 *
 * Reads one JSON object, strictly (RFC 8259). Refuses what is not UTF-8, nests deeper than %KH_JSON_MAX_DEPTH, has more
 * than %KH_JSON_MAX_SEPARATORS commas and colons, or is not an object.
 *
 * Returns: (transfer full): the object, or %NULL with %KH_ERROR_PROTOCOL
 */
JsonObject *
kh_json_parse_object (const char *text, gsize length, GError **error)
{
  g_autoptr (JsonParser) parser = NULL;
  g_autoptr (GError) local_error = NULL;
  JsonNode *root;

  if (!g_utf8_validate (text, length, NULL) || !shape_is_safe (text, length))
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "not a JSON text we accept");
      return NULL;
    }

  parser = json_parser_new_immutable ();
  if (!json_parser_load_from_data (parser, text, length, &local_error))
    {
      g_set_error (error, KH_ERROR, KH_ERROR_PROTOCOL, "not JSON: %s", local_error->message);
      return NULL;
    }

  root = json_parser_get_root (parser);
  if (root == NULL || !JSON_NODE_HOLDS_OBJECT (root))
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "JSON, but not an object");
      return NULL;
    }

  return json_object_ref (json_node_get_object (root));
}

/**
 * kh_json_parse_bytes:
 * @bytes: a message from anywhere, empty perhaps
 * @max_length: the longest that is taken, in bytes
 * @error: return location
 *
 * Reads one JSON object that is all of @bytes.
 *
 * Returns: (transfer full): the object, or %NULL with %KH_ERROR_PROTOCOL
 */
JsonObject *
kh_json_parse_bytes (GBytes *bytes, gsize max_length, GError **error)
{
  gsize length;
  const char *text = g_bytes_get_data (bytes, &length);

  if (length > 0 && length <= max_length)
    return kh_json_parse_object (text, length, error);

  g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL,
                       length == 0 ? "an empty message" : "a message that is too long");
  return NULL;
}

static void
add_member (JsonObject *object, const char *name, char type, va_list *values)
{
  switch (type)
    {
    case 's':
      {
        const char *value = va_arg (*values, const char *);

        if (value != NULL)
          json_object_set_string_member (object, name, value);
        else
          json_object_set_null_member (object, name);
        break;
      }
    case 'i':
      json_object_set_int_member (object, name, va_arg (*values, int));
      break;
    case 'l':
      json_object_set_int_member (object, name, va_arg (*values, gint64));
      break;
    case 'd':
      json_object_set_double_member (object, name, va_arg (*values, double));
      break;
    case 'b':
      json_object_set_boolean_member (object, name, va_arg (*values, gboolean));
      break;
    case 'o':
      json_object_set_object_member (object, name, va_arg (*values, JsonObject *));
      break;
    case 'a':
      json_object_set_array_member (object, name, va_arg (*values, JsonArray *));
      break;
    default:
      g_assert_not_reached ();
    }
}

void
kh_json_add_va (JsonObject *object, const char *spec, va_list *values)
{
  g_auto (GStrv) parts = g_strsplit (spec, " ", -1);

  for (gsize i = 0; parts[i] != NULL; i++)
    {
      char *colon = strchr (parts[i], ':');

      if (*parts[i] == '\0')
        continue;
      g_assert (colon != NULL);
      *colon = '\0';
      add_member (object, parts[i], colon[1], values);
    }
}

/**
 * kh_json_build:
 * @spec: members as `name:type`, separated by spaces; types are `s` const char * (%NULL becomes null), `i` int,
 *   `l` #gint64, `d` double, `b` #gboolean, `o` #JsonObject and `a` #JsonArray (both taken over)
 * @...: a value for each
 *
 * Returns: (transfer full): a new object, `kh_json_build ("type:s id:i", "ack", 3)`
 */
JsonObject *
kh_json_build (const char *spec, ...)
{
  JsonObject *object = json_object_new ();
  va_list values;

  va_start (values, spec);
  kh_json_add_va (object, spec, &values);
  va_end (values);

  return object;
}

/**
 * kh_json_to_text:
 * @object: an object
 *
 * Returns: (transfer full): its JSON in one line of UTF-8
 */
char *
kh_json_to_text (JsonObject *object)
{
  g_autoptr (JsonNode) node = json_node_alloc ();
  g_autofree char *text = NULL;
  g_auto (GStrv) parts = NULL;

  json_node_init_object (node, object);
  text = json_to_string (node, FALSE);

  /* json-glib 1.6 forgets to escape the last of the control characters, which can stand in strings only. */
  if (strchr (text, 0x1f) == NULL)
    return g_steal_pointer (&text);
  parts = g_strsplit (text, "\x1f", -1);
  return g_strjoinv ("\\u001f", parts);
}

GBytes *
kh_json_to_bytes (JsonObject *object)
{
  char *text = kh_json_to_text (object);

  return g_bytes_new_take (text, strlen (text));
}

static JsonNode *
get_member (JsonObject *object, const char *member, JsonNodeType type)
{
  JsonNode *node = json_object_get_member (object, member);

  return node != NULL && json_node_get_node_type (node) == type ? node : NULL;
}

/**
 * kh_json_get_string:
 *
 * Returns: (nullable) (transfer none): the member if it is there and a string
 */
const char *
kh_json_get_string (JsonObject *object, const char *member)
{
  JsonNode *node = get_member (object, member, JSON_NODE_VALUE);

  return node != NULL && json_node_get_value_type (node) == G_TYPE_STRING ? json_node_get_string (node) : NULL;
}

/**
 * kh_json_get_int:
 *
 * Returns: whether the member is there, an integer and within [@low, @high]; @value is set only then
 */
gboolean
kh_json_get_int (JsonObject *object, const char *member, gint64 low, gint64 high, gint64 *value)
{
  JsonNode *node = get_member (object, member, JSON_NODE_VALUE);
  gint64 found;

  if (node == NULL || json_node_get_value_type (node) != G_TYPE_INT64)
    return FALSE;

  found = json_node_get_int (node);
  if (found < low || found > high)
    return FALSE;

  *value = found;
  return TRUE;
}

JsonObject *
kh_json_get_object (JsonObject *object, const char *member)
{
  JsonNode *node = get_member (object, member, JSON_NODE_OBJECT);

  return node != NULL ? json_node_get_object (node) : NULL;
}

JsonArray *
kh_json_get_array (JsonObject *object, const char *member)
{
  JsonNode *node = get_member (object, member, JSON_NODE_ARRAY);

  return node != NULL ? json_node_get_array (node) : NULL;
}
