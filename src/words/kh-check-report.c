/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-fact-words.h"

#include "kh-address.h"
#include "kh-redact.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* A table in plain text, for forums and letters: as wide as those are, and upright in a typeface whose characters have one width,
 * or two as those of Chinese. */

#define MAX_COLUMNS 80
#define INDENT 2
#define TITLE_COLUMNS 28
#define VALUE_COLUMNS 22

static int
columns_of (gunichar c)
{
  return g_unichar_iszerowidth (c) ? 0 : g_unichar_iswide (c) ? 2 : 1;
}

static int
width_of (const char *text, gsize length)
{
  int width = 0;

  for (const char *p = text; p < text + length; p = g_utf8_next_char (p))
    width += columns_of (g_utf8_get_char (p));
  return width;
}

typedef struct
{
  GString *text;
  int column;
} Table;

static void
break_line (Table *table, int column)
{
  g_string_append_c (table->text, '\n');
  table->column = column;
  for (int i = 0; i < column; i++)
    g_string_append_c (table->text, ' ');
}

static void
go_to (Table *table, int column)
{
  for (; table->column < column; table->column++)
    g_string_append_c (table->text, ' ');
}

/* What stays together: up to a blank, or one wide character, which may begin a line by itself. */
static gsize
piece_length (const char *text)
{
  const char *p = text;

  do
    p = g_utf8_next_char (p);
  while (*p != '\0' && *p != ' ' && !g_unichar_iswide (g_utf8_get_char (p)));
  while (*p != '\0' && g_unichar_ispunct (g_utf8_get_char (p)))
    p = g_utf8_next_char (p); /* which never begins one */
  return p - text;
}

/* Writes text from here on, broken where it has to be, so that its lines begin one below the other. */
static void
write_text (Table *table, const char *text)
{
  int left = table->column;

  while (*text != '\0')
    {
      gsize length = piece_length (text);
      int width = width_of (text, length);

      if (table->column + width > MAX_COLUMNS && table->column > left)
        {
          break_line (table, left);
          for (; *text == ' '; text++, length--, width--)
            ;
        }
      g_string_append_len (table->text, text, length);
      table->column += width;
      text += length;
    }
}

/* In its column, or on the next line where there is no room for it. */
static void
write_cell (Table *table, int column, const char *text)
{
  int width = width_of (text, strlen (text));

  if (table->column >= column || column + width > MAX_COLUMNS)
    {
      if (table->column > 2 * INDENT)
        break_line (table, 2 * INDENT);
      if (column + width <= MAX_COLUMNS)
        go_to (table, column);
    }
  else
    go_to (table, column);
  write_text (table, text);
}

static void
write_row (Table *table, const char *title, const char *value, const char *more)
{
  go_to (table, INDENT);
  write_text (table, title);
  write_cell (table, INDENT + TITLE_COLUMNS, value);
  if (more != NULL)
    write_cell (table, INDENT + TITLE_COLUMNS + VALUE_COLUMNS, more);
  break_line (table, 0);
}

static void
write_line (Table *table, const char *text)
{
  write_text (table, text);
  break_line (table, 0);
}

static char *
mapping_in_words (GInetSocketAddress *inside, GInetSocketAddress *outside)
{
  g_autofree char *from = inside != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (inside)) : NULL;
  g_autofree char *to = outside != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (outside)) : NULL;

  if (to == NULL)
    return g_strdup (_ ("Not known"));
  /* Translators: %1$s is an address with its port, %2$s the one that the internet sees in its place */
  return from != NULL ? g_strdup_printf (_ ("%1$s → %2$s"), from, to) : g_strdup (to);
}

static void
write_findings (Table *table, const KhFindings *self)
{
  for (int i = 0; i < KH_N_FINDINGS; i++)
    {
      g_autofree char *value = kh_words_finding_value (self, i);

      write_row (table, kh_words_finding_title (i), value, kh_words_finding_reference (i));
    }
  if (self->facts.router.asked && *self->facts.router.external != '\0')
    /* Translators: the outside address that the router itself names */
    write_row (table, _ ("Address, Says the Router"), self->facts.router.external, NULL);
}

/* Nothing is foretold where nothing is known. */
/* Each reason once: where nobody dialled back, half of the rows say "not known" for it. */
static void
write_reasons (Table *table, const KhFindings *self)
{
  gboolean told[KH_N_REASONS] = { [KH_REASON_KNOWN] = TRUE,
                                  [KH_REASON_NOT_YET] = TRUE,
                                  [KH_REASON_NOT_ASKED] = TRUE,
                                  [KH_REASON_NO_NAT] = TRUE,
                                  [KH_REASON_NO_IPV6] = TRUE };
  gboolean any = FALSE;

  for (int i = 0; i < KH_N_FINDINGS; i++)
    {
      g_autofree char *sentence = NULL;

      if (told[self->reasons[i]])
        continue;
      told[self->reasons[i]] = TRUE;
      if (!any)
        {
          break_line (table, 0);
          write_line (table, _ ("Why something is not known:"));
        }
      any = TRUE;
      sentence = kh_words_finding_sentence (self, i);
      go_to (table, INDENT);
      write_line (table, sentence);
    }
}

static void
write_forecasts (Table *table, const KhFacts *facts)
{
  if (!kh_facts_knows (facts, KH_FACT_MAPPING) && !kh_facts_is (facts, KH_FACT_IPV6, "yes"))
    return;

  break_line (table, 0);
  write_line (table, _ ("With a friend who has…"));
  for (int i = 0; i < KH_N_FRIEND_KINDS; i++)
    {
      KhFacts friends;

      kh_forecast_friend (i, &friends);
      write_row (table, kh_words_friend (i), kh_words_forecast_value (kh_forecast_facts (facts, &friends)), NULL);
    }
}

/**
 * kh_words_report:
 * @self: what a network check has found
 * @inside: (nullable): the address that a server was asked from
 * @outside: (nullable): as that server saw it
 * @whole_addresses: not to shorten addresses of the internet
 *
 * Returns: (transfer full): all of it as a table of at most 80 columns, to be pasted where there is only text
 */
char *
kh_words_report (const KhFindings *self, GInetSocketAddress *inside, GInetSocketAddress *outside,
                 gboolean whole_addresses)
{
  Table table = { g_string_new (NULL), 0 };
  g_autofree char *mapping = mapping_in_words (inside, outside);
  /* Translators: the title of a report; %s is a version, such as 0.2 */
  g_autofree char *title = g_strdup_printf (_ ("Network check by Knothole %s"), KH_VERSION);
  g_autofree char *whole = NULL;

  write_line (&table, title);
  write_line (&table, kh_words_verdict (&self->facts));
  break_line (&table, 0);
  write_row (&table, _ ("NAT Type"), kh_words_nat_type (&self->facts), NULL);
  write_row (&table, _ ("Public Mapping"), mapping, NULL);
  break_line (&table, 0);
  write_findings (&table, self);
  write_reasons (&table, self);
  write_forecasts (&table, &self->facts);

  whole = g_string_free (table.text, FALSE);
  return whole_addresses ? g_steal_pointer (&whole) : kh_redact_text (whole);
}
