/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-redact.h"

#include "kh-address.h"

#include <string.h>

/* Addresses of the internet tell where somebody lives; their first half tells a network, which is what a report is
 * for. In doubt something is an address: a number that is shortened for nothing does less harm. */

/* The longest address in numbers: eight groups, or six and four bytes. */
#define MAX_V6_TEXT 45

static gboolean
is_of_v6 (char c)
{
  return g_ascii_isxdigit (c) || c == ':' || c == '.';
}

/* What tells nothing of a person: ::, ::1 and multicast. Link-local and unique local ones do: they hold the number of a network
 * card, or that of a home. */
static gboolean
is_harmless_v6 (const guint8 *b)
{
  static const guint8 zeros[15] = { 0 };

  return (memcmp (b, zeros, 15) == 0 && b[15] <= 1) || b[0] == 0xff;
}

/* ::ffff:0:0/96 (RFC 4291, 2.5.5.2) and 64:ff9b::/96 (RFC 6052): all they tell is an IPv4 address. */
static const char *
prefix_of_v4 (const guint8 *b)
{
  static const guint8 mapped[12] = { [10] = 0xff, [11] = 0xff };
  static const guint8 translated[12] = { 0, 0x64, 0xff, 0x9b };

  return memcmp (b, mapped, 12) == 0 ? "::ffff:" : memcmp (b, translated, 12) == 0 ? "64:ff9b::" : NULL;
}

static void
append_v6 (GString *shortened, GInetAddress *address, const char *text)
{
  const guint8 *b = g_inet_address_to_bytes (address);
  const char *prefix = prefix_of_v4 (b);

  if (prefix != NULL)
    g_string_append_printf (shortened, "%s%u.%u.%u.%u", prefix, b[12], b[13], b[14],
                            b[15]); /* to be shortened as such */
  else if (is_harmless_v6 (b))
    g_string_append (shortened, text);
  else if (b[0] >= 0xfc)
    g_string_append_printf (shortened, "%x::x", b[0] << 8 | (b[0] == 0xfe ? b[1] & 0xc0 : 0)); /* which kind it is */
  else
    g_string_append_printf (shortened, "%x:%x:x", b[0] << 8 | b[1], b[2] << 8 | b[3]);
}

/* The longest beginning of a run of such characters that is an IPv6 address. Returns how long it is, 0 without one. */
static gsize
take_v6 (GString *shortened, const char *run, gsize length)
{
  for (gsize size = length; size > 1; size--)
    {
      g_autofree char *text = g_strndup (run, size);
      g_autoptr (GInetAddress) address = strchr (text, ':') != NULL ? g_inet_address_new_from_string (text) : NULL;

      if (address == NULL)
        continue;
      append_v6 (shortened, address, text);
      return size;
    }

  return 0;
}

/* Where an address may start: not inside a word, and not inside a number of an address that was looked at. */
static gboolean
starts_here (const char *text, const char *p)
{
  return is_of_v6 (*p) && *p != '.' && (p == text || *p == ':' || !g_ascii_isalnum (p[-1]));
}

static char *
redact_v6 (const char *text)
{
  GString *shortened = g_string_new (NULL);

  for (const char *p = text; *p != '\0';)
    {
      gsize length = 0, taken = 0;

      if (starts_here (text, p))
        {
          while (length < MAX_V6_TEXT && is_of_v6 (p[length]))
            length++;
          taken = take_v6 (shortened, p, length);
        }
      if (taken == 0)
        g_string_append_c (shortened, *p++);
      p += taken;
    }

  return g_string_free (shortened, FALSE);
}

/* Reads a number of an IPv4 address. Returns where it ends, or NULL. */
static const char *
take_byte (const char *p, guint8 *byte)
{
  guint value = 0;
  gsize digits = 0;

  while (digits < 3 && g_ascii_isdigit (p[digits]))
    value = value * 10 + g_ascii_digit_value (p[digits++]);
  *byte = value;

  return digits > 0 && value <= 255 && !g_ascii_isdigit (p[digits]) ? p + digits : NULL;
}

/* Returns where an IPv4 address of the internet ends that starts here, and where its first half does; or NULL. */
static const char *
find_v4 (const char *p, const char **half)
{
  guint8 bytes[4];
  g_autoptr (GInetAddress) address = NULL;

  for (int i = 0; i < 4; i++)
    {
      if (i > 0 && *p++ != '.')
        return NULL;
      p = take_byte (p, &bytes[i]);
      if (p == NULL)
        return NULL;
      if (i == 1)
        *half = p;
    }

  address = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV4);
  return kh_address_is_global (address) ? p : NULL;
}

static char *
redact_v4 (const char *text)
{
  GString *shortened = g_string_new (NULL);

  for (const char *p = text; *p != '\0';)
    {
      const char *half = p;
      const char *end = p == text || !g_ascii_isdigit (p[-1]) ? find_v4 (p, &half) : NULL;

      if (end == NULL)
        {
          g_string_append_c (shortened, *p++);
          continue;
        }
      g_string_append_len (shortened, p, half - p);
      g_string_append (shortened, ".x.x");
      p = end;
    }

  return g_string_free (shortened, FALSE);
}

/**
 * kh_redact_text:
 * @text: anything, such as an address with its port, or a sentence
 *
 * Shortens the addresses of the internet in it, in numbers: `203.0.113.7:4000` becomes `203.0.x.x:4000`, and
 * `[2001:db8:1:2::3]:4000` becomes `[2001:db8:x]:4000`. Of link-local and unique local IPv6
 * addresses the kind stays; private, shared and loopback addresses stay whole, as do names.
 *
 * Returns: (transfer full): the text for strangers
 */
char *
kh_redact_text (const char *text)
{
  g_autofree char *without_v6 = NULL;

  g_return_val_if_fail (text != NULL, NULL);

  without_v6 = redact_v6 (text);
  return redact_v4 (without_v6);
}

static void
copy_member (JsonObject *object, const char *name, JsonNode *node, gpointer user_data)
{
  json_object_set_member (user_data, name, kh_redact_node (node));
}

static void
copy_element (JsonArray *array, guint index, JsonNode *node, gpointer user_data)
{
  json_array_add_element (user_data, kh_redact_node (node));
}

/**
 * kh_redact_node:
 * @node: JSON
 *
 * Returns: (transfer full): a copy with every string in it shortened as by kh_redact_text(), at any depth
 */
JsonNode *
kh_redact_node (JsonNode *node)
{
  JsonNode *copy = json_node_new (json_node_get_node_type (node));

  if (JSON_NODE_HOLDS_OBJECT (node))
    {
      json_node_take_object (copy, json_object_new ());
      json_object_foreach_member (json_node_get_object (node), copy_member, json_node_get_object (copy));
    }
  else if (JSON_NODE_HOLDS_ARRAY (node))
    {
      json_node_take_array (copy, json_array_new ());
      json_array_foreach_element (json_node_get_array (node), copy_element, json_node_get_array (copy));
    }
  else if (json_node_get_value_type (node) == G_TYPE_STRING)
    {
      g_autofree char *text = kh_redact_text (json_node_get_string (node));

      json_node_set_string (copy, text);
    }
  else
    {
      json_node_free (copy);
      copy = json_node_copy (node);
    }

  return copy;
}
