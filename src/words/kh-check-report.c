/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-check-words.h"

#include "kh-fact-words.h"
#include "kh-redact.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* A table in plain text, for forums and letters: as wide as those are, and upright in a typeface whose characters have one width,
 * or two as those of Chinese. */

#define MAX_COLUMNS 80
#define INDENT 2
#define TITLE_COLUMNS 28
#define VALUE_COLUMNS 22
#define FRIEND_COLUMNS 34

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

/* --- why something is not known -------------------------------------------------------------------------------- */

static gboolean
is_worth_telling (KhReason reason)
{
  return reason != KH_REASON_KNOWN && reason != KH_REASON_NOT_YET && reason != KH_REASON_NOT_ASKED &&
         reason != KH_REASON_NO_NAT && reason != KH_REASON_NO_IPV6;
}

/* The titles of all rows that are not known for one reason. */
static char *
list_rows (const KhFindings *self, KhReason reason)
{
  g_autoptr (GStrvBuilder) titles = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  for (int i = 0; i < KH_N_FINDINGS; i++)
    if (self->reasons[i] == reason)
      g_strv_builder_add (titles, kh_words_finding_title (i));
  list = g_strv_builder_end (titles);
  /* Translators: what stands between the titles of a list */
  return list[0] != NULL ? g_strjoinv (C_ ("list", ", "), list) : NULL;
}

/* Each reason once: where nobody dialled back, half of the rows say "not known" for it. */
static void
write_reasons (Table *table, const KhFindings *self)
{
  gboolean any = FALSE;

  for (int reason = 0; reason < KH_N_REASONS; reason++)
    {
      g_autofree char *rows = is_worth_telling (reason) ? list_rows (self, reason) : NULL;
      g_autofree char *line = NULL;

      if (rows == NULL)
        continue;
      if (!any)
        {
          break_line (table, 0);
          write_line (table, _ ("Why something is not known:"));
        }
      any = TRUE;
      /* Translators: %1$s are titles of rows, %2$s a sentence on why what they ask is not known */
      line = g_strdup_printf (_ ("%1$s: %2$s"), rows, kh_words_reason_sentence (reason, &self->facts));
      go_to (table, INDENT);
      write_line (table, line);
    }
}

/* --- the whole -------------------------------------------------------------------------------------------------- */

/* Nothing is foretold where nothing is known. */
static void
write_forecasts (Table *table, const KhCheckResult *result)
{
  if (!kh_words_check_is_judged (result))
    return;

  break_line (table, 0);
  write_line (table, _ ("With a friend who has…"));
  for (int i = 0; i < KH_N_FRIEND_KINDS; i++)
    {
      KhForecast forecast = kh_forecast_for (&result->findings.facts, i);

      go_to (table, INDENT);
      write_text (table, kh_words_friend (i));
      write_cell (table, INDENT + FRIEND_COLUMNS, kh_words_forecast_value (forecast));
      break_line (table, 0);
    }
}

static void
write_head (Table *table, const KhCheckResult *result)
{
  /* Translators: the title of a report; %s is a version, such as 0.2 */
  g_autofree char *title = g_strdup_printf (_ ("Network check by Knothole %s"), KH_VERSION);
  g_autofree char *time = result->began != NULL ? g_date_time_format (result->began, "%Y-%m-%d %H:%M%:z") : NULL;
  g_autofree char *caption = kh_words_check_caption (result);

  write_line (table, title);
  if (time != NULL)
    write_line (table, time);
  if (*caption != '\0')
    write_line (table, caption);
  break_line (table, 0);
  write_line (table, kh_words_check_headline (result));
  break_line (table, 0);
}

/**
 * kh_words_report:
 * @result: what a network check has found
 * @whole_addresses: not to shorten addresses of the internet
 *
 * Returns: (transfer full): all of it as a table of at most 80 columns, to be pasted where there is only text
 */
char *
kh_words_report (const KhCheckResult *result, gboolean whole_addresses)
{
  Table table = { g_string_new (NULL), 0 };
  g_autofree char *mapping = kh_words_check_mapping (result);
  g_autofree char *whole = NULL;

  write_head (&table, result);
  write_row (&table, _ ("NAT Type"), kh_words_check_nat_type (result), NULL);
  write_row (&table, _ ("Public Mapping"), mapping, NULL);
  break_line (&table, 0);
  write_findings (&table, &result->findings);
  write_reasons (&table, &result->findings);
  write_forecasts (&table, result);

  whole = g_string_free (table.text, FALSE);
  return whole_addresses ? g_steal_pointer (&whole) : kh_redact_text (whole);
}
