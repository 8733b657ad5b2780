/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-finding-row.h"

#include "config.h"

#include "kh-accessible.h"
#include "kh-fact-words.h"
#include "kh-scroll.h"

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
  char *value;
  char *note; /* to be read before it is tested */
  gboolean known;
  GtkWidget *header;   /* libadwaita's: what takes the keyboard */
  GtkWidget *revealer; /* libadwaita's */
  GtkWidget *spinner;
  GtkWidget *details;
  GtkLabel *sentence_label;
  GtkLabel *term_label;
};

G_DEFINE_FINAL_TYPE (KhFindingRow, kh_finding_row, ADW_TYPE_EXPANDER_ROW)

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

/* --- libadwaita's parts ----------------------------------------------------------------------------------------- */

/* The first in it, it included, that is of that type and has that class; or NULL. */
static GtkWidget *
find_part (GtkWidget *widget, GType type, const char *css_class)
{
  GtkWidget *found = NULL;

  if (g_type_is_a (G_OBJECT_TYPE (widget), type) && gtk_widget_has_css_class (widget, css_class))
    return widget;
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && found == NULL;
       child = gtk_widget_get_next_sibling (child))
    found = find_part (child, type, css_class);
  return found;
}

static void
set_role (GtkWidget *widget, GtkAccessibleRole role)
{
  g_object_set (widget, "accessible-role", role, NULL);
}

/* An expander row is a row with a list with a row in it, and only that last one takes the keyboard. That is the button which
 * opens the others; the list around it is none to whom listens, nor is there an arrow. (To leave list and outer row out of the
 * tree altogether would leave out what is in them: GTK 4.8 presents nothing inside what is not presented.) */
static void
tell_parts (KhFindingRow *self)
{
  GtkWidget *header;

  self->header = header = find_part (GTK_WIDGET (self), ADW_TYPE_ACTION_ROW, "header");
  set_role (header, GTK_ACCESSIBLE_ROLE_BUTTON);
  set_role (gtk_widget_get_parent (header), GTK_ACCESSIBLE_ROLE_GENERIC);
  gtk_widget_set_focusable (gtk_widget_get_parent (header), FALSE);
  set_role (find_part (header, GTK_TYPE_IMAGE, "expander-row-arrow"), GTK_ACCESSIBLE_ROLE_PRESENTATION);
  self->revealer = gtk_widget_get_ancestor (self->details, GTK_TYPE_REVEALER);
  kh_accessible_name (gtk_widget_get_parent (self->details), _ ("What it means"));
}

/* What is closed is nowhere: else the keyboard and screen readers would find it. */
static void
hide_closed (KhFindingRow *self)
{
  gboolean expanded = adw_expander_row_get_expanded (ADW_EXPANDER_ROW (self));
  gboolean revealed = gtk_revealer_get_child_revealed (GTK_REVEALER (self->revealer));

  gtk_widget_set_visible (gtk_widget_get_parent (self->details), expanded || revealed);
}

static void
on_expanded (KhFindingRow *self)
{
  gboolean expanded = adw_expander_row_get_expanded (ADW_EXPANDER_ROW (self));

  hide_closed (self);
  gtk_accessible_update_state (GTK_ACCESSIBLE (self->header), GTK_ACCESSIBLE_STATE_EXPANDED, expanded, -1);
}

static void
on_revealed (KhFindingRow *self)
{
  hide_closed (self);
  if (gtk_revealer_get_child_revealed (GTK_REVEALER (self->revealer)))
    kh_scroll_into_view (GTK_WIDGET (self));
}

/* --- the widget ------------------------------------------------------------------------------------------------- */

static void
kh_finding_row_finalize (GObject *object)
{
  KhFindingRow *self = KH_FINDING_ROW (object);

  g_free (self->value);
  g_free (self->note);

  G_OBJECT_CLASS (kh_finding_row_parent_class)->finalize (object);
}

static void
kh_finding_row_class_init (KhFindingRowClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = kh_finding_row_finalize;
}

static void
kh_finding_row_init (KhFindingRow *self)
{
  self->spinner = gtk_spinner_new ();
  gtk_accessible_update_property (GTK_ACCESSIBLE (self->spinner), GTK_ACCESSIBLE_PROPERTY_LABEL, _ ("Working"), -1);
  adw_expander_row_add_action (ADW_EXPANDER_ROW (self), self->spinner);
  self->details = details_new (self);
  adw_expander_row_add_row (ADW_EXPANDER_ROW (self), self->details);
  tell_parts (self);
  g_signal_connect (self, "notify::expanded", G_CALLBACK (on_expanded), NULL);
  g_signal_connect_object (self->revealer, "notify::child-revealed", G_CALLBACK (on_revealed), self, G_CONNECT_SWAPPED);
  on_expanded (self);
}

static void
show_value (KhFindingRow *self)
{
  g_autofree char *text =
      self->note != NULL && !self->known ? g_strdup_printf ("%s\n%s", self->value, self->note) : g_strdup (self->value);
  g_autofree char *markup = g_markup_escape_text (text, -1);

  adw_expander_row_set_subtitle (ADW_EXPANDER_ROW (self), markup);
}

/**
 * kh_finding_row_show:
 * @findings: what has been found so far
 */
void
kh_finding_row_show (KhFindingRow *self, const KhFindings *findings)
{
  g_autofree char *sentence = kh_words_finding_sentence (findings, self->finding);
  g_autofree char *name = NULL;
  gboolean working = findings->reasons[self->finding] == KH_REASON_NOT_YET;

  g_return_if_fail (KH_IS_FINDING_ROW (self));

  g_free (self->value);
  self->value = kh_words_finding_value (findings, self->finding);
  self->known = kh_words_finding_is_known (findings, self->finding);
  show_value (self);
  gtk_widget_set_visible (self->spinner, working);
  gtk_spinner_set_spinning (GTK_SPINNER (self->spinner), working);
  gtk_label_set_text (self->sentence_label, sentence);
  /* Translators: what a screen reader says of a fact: %1$s is its title, %2$s its value */
  name = g_strdup_printf (_ ("%1$s: %2$s"), kh_words_finding_title (self->finding), self->value);
  kh_accessible_name (self->header, name);
  kh_accessible_name (self->details, sentence);
}

/**
 * kh_finding_row_set_note:
 * @note: (nullable): what is to be known before it is tested
 */
void
kh_finding_row_set_note (KhFindingRow *self, const char *note)
{
  g_return_if_fail (KH_IS_FINDING_ROW (self));

  g_free (self->note);
  self->note = g_strdup (note);
  show_value (self);
}

/**
 * kh_finding_row_new:
 *
 * Returns: a row that has nothing to show yet
 */
GtkWidget *
kh_finding_row_new (KhFinding finding)
{
  g_autofree char *title = g_markup_escape_text (kh_words_finding_title (finding), -1);
  g_autofree char *term = kh_words_finding_term (finding);
  KhFindingRow *self = g_object_new (KH_TYPE_FINDING_ROW, "title", title, NULL);

  self->finding = finding;
  gtk_label_set_text (self->term_label, term);
  kh_accessible_name (GTK_WIDGET (self), kh_words_finding_title (finding));
  return GTK_WIDGET (self);
}
