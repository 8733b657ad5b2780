/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-wrap.h"

#include <pango/pango.h>

/* Longer than words and most links are, in characters. */
#define LONGEST_WORD 200

/**
 * kh_wrap_has_endless_word:
 * @text: what is to be laid out
 *
 * Pango looks for the end of a word first, in time that grows with the square of its length: one of 32 KiB, which a friend may
 * send or a user paste, would stop the window for minutes (measured with Pango 1.50). Such a text has to be broken at any
 * character.
 *
 * Returns: whether a word in it is longer than words are
 */
gboolean
kh_wrap_has_endless_word (const char *text)
{
  int length = g_utf8_strlen (text, -1);
  g_autofree PangoLogAttr *attributes = NULL;
  int run = 0;

  if (length <= LONGEST_WORD)
    return FALSE;

  attributes = g_new0 (PangoLogAttr, length + 1);
  pango_get_log_attrs (text, -1, -1, pango_language_get_default (), attributes, length + 1);
  for (int i = 0; i <= length && run <= LONGEST_WORD; i++)
    run = attributes[i].is_line_break ? 0 : run + 1;
  return run > LONGEST_WORD;
}
