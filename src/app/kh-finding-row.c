/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-finding-row.h"

#include "config.h"

#include "kh-accessible.h"
#include "kh-fact-words.h"

#include <glib/gi18n.h>

/**
 * KhFindingRow:
 *
 * One finding of a network check: what it is about, and what was found; opened, what that means, and what the standards call it.
 */
struct _KhFindingRow
{
  AdwExpanderRow parent_instance;

  KhFinding finding;
  GtkWidget *spinner;
  GtkWidget *details;
  GtkLabel *sentence_label;
  GtkLabel *term_label;
};

G_DEFINE_FINAL_TYPE (KhFindingRow, kh_finding_row, ADW_TYPE_EXPANDER_ROW)

static void
kh_finding_row_class_init (KhFindingRowClass *klass)
{
}

static GtkLabel *
label_new (const char *css_class)
{
  GtkWidget *label = gtk_label_new (NULL);

  gtk_label_set_wrap (GTK_LABEL (label), TRUE);
  gtk_label_set_wrap_mode (GTK_LABEL (label), PANGO_WRAP_WORD_CHAR);
  gtk_label_set_xalign (GTK_LABEL (label), 0);
  if (css_class != NULL)
    gtk_widget_add_css_class (label, css_class);
  return GTK_LABEL (label);
}

static GtkWidget *
details_new (KhFindingRow *self)
{
  GtkWidget *row = gtk_list_box_row_new ();
  GtkWidget *box = gtk_box_new (GTK_ORIENTATION_VERTICAL, 6);

  self->sentence_label = label_new (NULL);
  self->term_label = label_new ("caption");
  gtk_widget_add_css_class (GTK_WIDGET (self->term_label), "dim-label");
  gtk_widget_add_css_class (box, "finding-details");
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->sentence_label));
  gtk_box_append (GTK_BOX (box), GTK_WIDGET (self->term_label));
  gtk_list_box_row_set_child (GTK_LIST_BOX_ROW (row), box);
  gtk_list_box_row_set_activatable (GTK_LIST_BOX_ROW (row), FALSE);
  return row;
}

static void
kh_finding_row_init (KhFindingRow *self)
{
  self->spinner = gtk_spinner_new ();
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->spinner), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Working"), -1);
  adw_expander_row_add_action (ADW_EXPANDER_ROW (self), self->spinner);
  self->details = details_new (self);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->details);
}

/* What takes the keyboard is a row inside, and what is beneath it is in a list inside. */
static void
name_parts (GtkWidget *widget, const char *name)
{
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    {
      if (ADW_IS_ACTION_ROW (child))
        kh_accessible_name (child, name);
      else if (GTK_IS_LIST_BOX (child))
        kh_accessible_name (child,
                            gtk_widget_get_ancestor (child, GTK_TYPE_REVEALER) != NULL ? _ ("What it means") : name);
      if (GTK_IS_BOX (child) || GTK_IS_LIST_BOX (child) || GTK_IS_REVEALER (child))
        name_parts (child, name);
    }
}

/**
 * kh_finding_row_show:
 * @findings: what has been found so far
 */
void
kh_finding_row_show (KhFindingRow *self, const KhFindings *findings)
{
  g_autofree char *value = kh_words_finding_value (findings, self->finding);
  g_autofree char *sentence = kh_words_finding_sentence (findings, self->finding);
  g_autofree char *markup = g_markup_escape_text (value, -1);
  /* Translators: what a screen reader says of a fact: %1$s is its title, %2$s its value */
  g_autofree char *name = g_strdup_printf (_ ("%1$s: %2$s"), kh_words_finding_title (self->finding), value);
  gboolean known = kh_words_finding_is_known (findings, self->finding);
  gboolean working = !known && findings->reasons[self->finding] == KH_REASON_NOT_YET;

  g_return_if_fail (KH_IS_FINDING_ROW (self));

  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), markup);
  gtk_widget_set_visible (self->spinner, working);
  gtk_spinner_set_spinning (GTK_SPINNER (self->spinner), working);
  gtk_label_set_text (self->sentence_label, sentence);
  kh_accessible_name (GTK_WIDGET (self), name);
  kh_accessible_name (self->details, sentence);
  name_parts (GTK_WIDGET (self), name);
}

GtkWidget *
kh_finding_row_new (KhFinding finding)
{
  g_autofree char *title = g_markup_escape_text (kh_words_finding_title (finding), -1);
  g_autofree char *term = kh_words_finding_term (finding);
  KhFindingRow *self = g_object_new (KH_TYPE_FINDING_ROW, "title", title, NULL);

  self->finding = finding;
  gtk_label_set_text (self->term_label, term);
  return GTK_WIDGET (self);
}
