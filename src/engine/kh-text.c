/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-text.h"

/* What moves the cursor, turns the direction of the text around it, or is not seen at all: with these a stranger's words
 * can be made to look like something else. The two joiners belong to emoji and to several scripts. */
static gboolean
is_tricky (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  /* Letters and symbols by their type, and nothing to be seen: fillers of Hangul, the joiner, the empty Braille cell. */
  if (c == 0x034f || c == 0x115f || c == 0x1160 || c == 0x2800 || c == 0x3164 || c == 0xffa0)
    return TRUE;
  return type == G_UNICODE_CONTROL || (type == G_UNICODE_FORMAT && c != 0x200c && c != 0x200d);
}

static gboolean
is_line_break (gunichar c)
{
  return c == '\n' || c == '\r' || c == 0x0b || c == 0x0c || c == 0x85 || c == 0x2028 || c == 0x2029;
}

/* One line break: \r\n is one. Returns where it ends. */
static const char *
skip_line_break (const char *text)
{
  return text[0] == '\r' && text[1] == '\n' ? text + 2 : g_utf8_next_char (text);
}

static char *
make_plain (const char *text, gsize max_characters, gboolean keep_lines)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  GString *plain = g_string_new (NULL);

  for (const char *p = valid, *next; *p != '\0' && max_characters > 0; p = next)
    {
      gunichar c = g_utf8_get_char (p);

      next = keep_lines && is_line_break (c) ? skip_line_break (p) : g_utf8_next_char (p);
      if (is_line_break (c))
        c = keep_lines ? '\n' : ' ';
      else if (c == '\t')
        c = ' ';
      else if (is_tricky (c))
        continue;

      g_string_append_unichar (plain, c);
      max_characters--;
    }

  return g_string_free (plain, FALSE);
}

/**
 * kh_text_plain:
 * @text: text from somebody else; what is not UTF-8 becomes U+FFFD
 * @max_characters: how much of it to keep
 *
 * Makes a stranger's text safe to show in one line, in a terminal too: breaks become spaces; control characters, those
 * that turn the writing direction and invisible ones are left out.
 *
 * Returns: (transfer full): the text
 */
char *
kh_text_plain (const char *text, gsize max_characters)
{
  return make_plain (text, max_characters, FALSE);
}

/**
 * kh_text_plain_lines:
 * @text: text from somebody else; what is not UTF-8 becomes U+FFFD
 * @max_characters: how much of it to keep, line breaks included
 *
 * Like kh_text_plain(), for where there is room for several lines: line breaks of every kind become one `\n`, tabs
 * become spaces.
 *
 * Returns: (transfer full): the text
 */
char *
kh_text_plain_lines (const char *text, gsize max_characters)
{
  return make_plain (text, max_characters, TRUE);
}
