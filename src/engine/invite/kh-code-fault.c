/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-code-fault.h"

#include <string.h>

/**
 * kh_code_fault_fill:
 * @self: a fault
 * @sentence: its sentence, or a translation of it
 *
 * Puts the words into the sentence, in one go: what looks like a place for a word inside a word stays as it is.
 *
 * Returns: (transfer full): the sentence for a person
 */
char *
kh_code_fault_fill (const KhCodeFault *self, const char *sentence)
{
  const struct
  {
    const char *place;
    const char *word;
  } words[] = { { "{word}", self->word }, { "{meant}", self->meant } };
  GString *filled = g_string_new (NULL);

  for (const char *p = sentence; *p != '\0';)
    {
      gsize i = 0;

      while (i < G_N_ELEMENTS (words) && !g_str_has_prefix (p, words[i].place))
        i++;
      if (i == G_N_ELEMENTS (words))
        {
          g_string_append_c (filled, *p++);
          continue;
        }
      g_string_append (filled, words[i].word != NULL ? words[i].word : "");
      p += strlen (words[i].place);
    }

  return g_string_free (filled, FALSE);
}

/**
 * kh_code_fault_clear:
 * @self: a fault
 *
 * Frees what it holds, and leaves it without a fault.
 */
void
kh_code_fault_clear (KhCodeFault *self)
{
  self->sentence = NULL;
  g_clear_pointer (&self->word, g_free);
  g_clear_pointer (&self->meant, g_free);
}
