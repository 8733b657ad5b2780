/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-columns.h"

#include <string.h>

/* What one column may have. */
#define NARROW 30
#define WIDE 60
#define BETWEEN " | "
/* "12.34 " */
#define STAMP 6

/**
 * KhColumns:
 *
 * Two columns of text that grow downwards, without terminal tricks, so that they can be piped and read again.
 */
struct _KhColumns
{
  guint width; /* of one */
  gboolean colours;
};

/**
 * kh_columns_new:
 * @width: what both have together
 * @colours: whether a terminal shows them
 *
 * Returns: (transfer full): two columns
 */
KhColumns *
kh_columns_new (guint width, gboolean colours)
{
  KhColumns *self = g_new0 (KhColumns, 1);

  self->width = CLAMP (width / 2 - MIN (width / 2, 2), NARROW, WIDE);
  self->colours = colours;

  return self;
}

void
kh_columns_free (KhColumns *self)
{
  g_free (self);
}

static guint
measure (gunichar character)
{
  return g_unichar_iszerowidth (character) ? 0 : g_unichar_iswide (character) ? 2 : 1;
}

static guint
measure_text (const char *text)
{
  guint width = 0;

  for (; *text != '\0'; text = g_utf8_next_char (text))
    width += measure (g_utf8_get_char (text));

  return width;
}

/* Where a line of up to @width ends: between words if there are any. */
static const char *
find_end (const char *text, guint width)
{
  const char *between = NULL;
  guint used = 0;

  for (const char *next = text; *next != '\0'; next = g_utf8_next_char (next))
    {
      used += measure (g_utf8_get_char (next));
      if (used > width)
        return between != NULL ? between : next;
      if (*next == ' ')
        between = next;
    }

  return NULL;
}

static char *
take_line (const char **text, guint width)
{
  const char *end = find_end (*text, width);
  char *line = end != NULL ? g_strndup (*text, end - *text) : g_strdup (*text);

  *text = end != NULL ? end + (*end == ' ') : *text + strlen (*text);

  return line;
}

static void
append_painted (KhColumns *self, GString *out, const char *text, const char *colour)
{
  if (self->colours && colour != NULL)
    g_string_append_printf (out, "\033[%sm%s\033[0m", colour, text);
  else
    g_string_append (out, text);
}

static void
append_spaces (GString *out, guint used, guint width)
{
  for (; used < width; used++)
    g_string_append_c (out, ' ');
}

static void
append_row (KhColumns *self, GString *out, gboolean right, const char *line, const char *colour)
{
  if (right)
    {
      append_spaces (out, 0, self->width);
      g_string_append (out, BETWEEN);
      append_painted (self, out, line, colour);
    }
  else
    {
      append_painted (self, out, line, colour);
      append_spaces (out, measure_text (line), self->width);
      g_string_append (out, " |");
    }
  g_string_append_c (out, '\n');
}

/**
 * kh_columns_heads:
 * @self: two columns
 * @left: what is above the left one
 * @right: above the right one
 *
 * Returns: (transfer full): a line
 */
char *
kh_columns_heads (KhColumns *self, const char *left, const char *right)
{
  GString *out = g_string_new (NULL);

  append_painted (self, out, left, "1");
  append_spaces (out, measure_text (left), self->width);
  g_string_append (out, BETWEEN);
  append_painted (self, out, right, "1");
  g_string_append_c (out, '\n');

  return g_string_free (out, FALSE);
}

/**
 * kh_columns_say:
 * @self: two columns
 * @right: in which of them
 * @elapsed: when, in microseconds from the start
 * @text: what
 * @colour: (nullable): how, as terminals number it
 *
 * Returns: (transfer full): one or more lines
 */
char *
kh_columns_say (KhColumns *self, gboolean right, gint64 elapsed, const char *text, const char *colour)
{
  GString *out = g_string_new (NULL);
  g_autofree char *stamp = g_strdup_printf ("%5.2f ", (double) elapsed / G_USEC_PER_SEC);
  const char *head = stamp;

  do
    {
      g_autofree char *line = take_line (&text, self->width - STAMP);
      g_autofree char *whole = g_strconcat (head, line, NULL);

      append_row (self, out, right, whole, colour);
      head = "      ";
    }
  while (*text != '\0');

  return g_string_free (out, FALSE);
}
