/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-fact-row.h"

#include "config.h"

#include "kh-accessible.h"

#include <glib/gi18n.h>

/**
 * kh_fact_row_set:
 * @row: what it is about, by its title
 * @value: what is known of it
 *
 * Shows a fact. A row's name does not hold its subtitle: a screen reader would hear the question without the answer. An address
 * reads from left to right wherever it stands.
 */
void
kh_fact_row_set (AdwActionRow *row, const char *value)
{
  const char *title = adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row));
  /* Translators: what a screen reader says of a fact: %1$s is its title, %2$s its value */
  g_autofree char *label = g_strdup_printf (_ ("%1$s: %2$s"), title, value);
  g_autofree char *markup = g_markup_printf_escaped ("\u2068%s\u2069", value);

  adw_action_row_set_subtitle (row, markup);
  kh_accessible_name (GTK_WIDGET (row), label);
}
