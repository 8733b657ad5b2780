/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-text.h"

/* Characters that turn the direction of the text around them, with which a stranger's words can be made to look like
 * something else: marks, embeddings, overrides and isolates. */
static gboolean
turns_direction (gunichar c)
{
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static gboolean
is_line_break (gunichar c)
{
  return c == '\n' || c == '\r' || c == '\t' || c == 0x0b || c == 0x0c || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/**
 * kh_text_plain:
 * @text: text from somebody else, valid UTF-8
 * @max_characters: how much of it to keep
 *
 * Makes a stranger's text safe to show in one line, in a terminal too: breaks become spaces, control characters and
 * those that turn the writing direction are left out.
 *
 * Returns: (transfer full): the text
 */
char *
kh_text_plain (const char *text, gsize max_characters)
{
  GString *plain = g_string_new (NULL);

  for (const char *p = text; *p != '\0' && max_characters > 0; p = g_utf8_next_char (p))
    {
      gunichar c = g_utf8_get_char (p);

      if (is_line_break (c))
        c = ' ';
      else if (g_unichar_iscntrl (c) || turns_direction (c))
        continue;

      g_string_append_unichar (plain, c);
      max_characters--;
    }

  return g_string_free (plain, FALSE);
}
