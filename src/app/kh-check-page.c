/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check-page.h"

#include "config.h"

#include "kh-accessible.h"
#include "kh-fact-row.h"
#include "kh-check-words.h"
#include "kh-fact-words.h"
#include "kh-finding-row.h"
#include "kh-focus.h"
#include "kh-resource.h"

#include <glib/gi18n.h>

/* What findings are sorted into. */
typedef enum
{
  GROUP_ROUTER,
  GROUP_HOLES,
  GROUP_AROUND,
  N_GROUPS
} Group;

/**
 * KhCheckPage:
 *
 * What this network is like: whether friends can reach it, its NAT's type and its public mapping, and everything behind that.
 */
struct _KhCheckPage
{
  AdwBin parent_instance;

  GtkScrolledWindow *scroller;
  GtkWidget *content;
  GtkSpinner *spinner;
  GtkImage *mark;
  GtkLabel *verdict_label;
  GtkLabel *advice_label;
  GtkLabel *servers_label;
  GtkLabel *spoken_label;
  GtkWidget *buttons;
  GtkButton *run_button;
  AdwSplitButton *copy_button;
  GtkWidget *preferences_button;
  GtkWidget *facts_list;
  AdwActionRow *type_row;
  AdwActionRow *mapping_row;
  AdwPreferencesGroup *friends_group;
  AdwPreferencesGroup *groups[N_GROUPS];
  GtkButton *long_button;

  AdwActionRow *friend_rows[KH_N_FRIEND_KINDS];
  GtkLabel *friend_labels[KH_N_FRIEND_KINDS];
  KhFindingRow *rows[KH_N_FINDINGS];
  KhChecker *checker;
  KhCheckState state;
};

G_DEFINE_FINAL_TYPE (KhCheckPage, kh_check_page, ADW_TYPE_BIN)

/* --- showing it ------------------------------------------------------------------------------------------------- */

static void
set_text (GtkLabel *label, const char *text)
{
  if (g_strcmp0 (gtk_label_get_text (label), text) != 0)
    gtk_label_set_text (label, text); /* or it would be read out once more */
}

static Group
group_of (KhFinding finding)
{
  switch (finding)
    {
    case KH_FINDING_SIMULTANEOUS_OPEN:
    case KH_FINDING_BARE_SYN:
    case KH_FINDING_HAIRPIN:
    case KH_FINDING_AFTER_FIN:
    case KH_FINDING_AFTER_RST:
    case KH_FINDING_IDLE:
      return GROUP_HOLES;
    case KH_FINDING_IPV6:
    case KH_FINDING_IPV6_INBOUND:
    case KH_FINDING_VPN:
    case KH_FINDING_HOST_FIREWALL:
      return GROUP_AROUND;
    case KH_FINDING_MAPPING:
    case KH_FINDING_FILTERING:
    case KH_FINDING_ALLOCATION:
    case KH_FINDING_STRANGER:
    case KH_FINDING_NAT_DEPTH:
    case KH_FINDING_DOUBLE_NAT:
    case KH_FINDING_CARRIER_NAT:
    case KH_FINDING_ROUTER:
    case KH_N_FINDINGS:
    default:
      return GROUP_ROUTER;
    }
}

/* Where no server answered eighteen rows would say so. */
static gboolean
is_empty (KhCheckState state)
{
  return state == KH_CHECK_STATE_NO_SERVER || state == KH_CHECK_STATE_OFFLINE;
}

/* Until a check is over there is nothing to take away; the first one begins by itself. */
static gboolean
is_waiting (KhCheckState state)
{
  return state == KH_CHECK_STATE_NONE || state == KH_CHECK_STATE_RUNNING;
}

static const char *
icon_of (KhCheckState state)
{
  if (state == KH_CHECK_STATE_DONE)
    return "object-select-symbolic";
  if (state == KH_CHECK_STATE_OFFLINE)
    return "network-offline-symbolic";
  return state == KH_CHECK_STATE_NO_SERVER ? "network-error-symbolic" : "process-stop-symbolic";
}

/* The spinner and what follows it are of one size, so that nothing moves at the end of a check. */
static void
show_mark (KhCheckPage *self)
{
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), is_waiting (self->state));
  gtk_widget_set_visible (GTK_WIDGET (self->mark), !is_waiting (self->state));
  gtk_image_set_from_icon_name (self->mark, icon_of (self->state));
  gtk_image_set_pixel_size (self->mark, is_empty (self->state) ? 128 : 32);
  gtk_spinner_set_spinning (self->spinner, self->state == KH_CHECK_STATE_RUNNING);
}

static void
show_buttons (KhCheckPage *self)
{
  gboolean running = self->state == KH_CHECK_STATE_RUNNING;
  gboolean empty = is_empty (self->state);
  const char *label = running ? _ ("Stop") : empty ? _ ("Try Again") : _ ("Run Again");

  /* What is disabled loses the keyboard. */
  if (running && gtk_widget_get_focus_child (GTK_WIDGET (self->copy_button)) != NULL)
    gtk_widget_grab_focus (GTK_WIDGET (self->run_button));
  gtk_button_set_label (self->run_button, label);
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->run_button), running ? "win.stop-check" : "win.check-again");
  gtk_widget_set_sensitive (GTK_WIDGET (self->copy_button), !is_waiting (self->state));
  gtk_widget_set_visible (GTK_WIDGET (self->copy_button), !empty);
  gtk_widget_set_visible (self->preferences_button, self->state == KH_CHECK_STATE_NO_SERVER);
  gtk_orientable_set_orientation (GTK_ORIENTABLE (self->buttons),
                                  empty ? GTK_ORIENTATION_VERTICAL : GTK_ORIENTATION_HORIZONTAL);
}

static void
show_optional (GtkLabel *label, const char *text)
{
  set_text (label, text != NULL ? text : "");
  gtk_widget_set_visible (GTK_WIDGET (label), text != NULL && *text != '\0');
}

static void
show_head (KhCheckPage *self, const KhCheckResult *result)
{
  g_autofree char *asked = kh_words_check_caption (result);
  g_autofree char *status = kh_words_check_status (result);

  show_mark (self);
  set_text (self->verdict_label, kh_words_check_headline (result));
  show_optional (self->advice_label, kh_words_check_advice (result));
  show_optional (self->servers_label, asked);
  set_text (self->spoken_label, status);
  show_buttons (self);
}

static void
show_facts (KhCheckPage *self, const KhCheckResult *result)
{
  g_autofree char *mapping = kh_words_check_mapping (result);

  kh_fact_row_set (self->type_row, kh_words_check_nat_type (result));
  kh_fact_row_set (self->mapping_row, mapping);
  gtk_widget_set_visible (self->facts_list, !is_empty (result->state));
}

/* Before anything can be said of a friend there is an empty line where the reason will be, so that nothing moves then. */
static void
show_friend (KhCheckPage *self, const KhFacts *facts, KhFriendKind kind, gboolean judged)
{
  KhForecast forecast = kh_forecast_for (facts, kind);
  const char *value = judged ? kh_words_forecast_value (forecast) : _ ("Checking…");
  const char *why = judged ? kh_words_forecast (kind, facts) : "\u00a0";
  gboolean good = judged && forecast == KH_FORECAST_LIKELY;
  GtkWidget *label = GTK_WIDGET (self->friend_labels[kind]);
  g_autofree char *sentence = g_markup_escape_text (why, -1);
  g_autofree char *name = NULL;

  if (judged)
    /* Translators: what a screen reader says of a forecast: %1$s is what a friend has, %2$s how likely a direct path is, %3$s a
       sentence on why */
    name = g_strdup_printf (_ ("%1$s: %2$s. %3$s"), kh_words_friend (kind), value, why);
  else
    /* Translators: what a screen reader says of a fact: %1$s is its title, %2$s its value */
    name = g_strdup_printf (_ ("%1$s: %2$s"), kh_words_friend (kind), value);

  adw_action_row_set_subtitle (self->friend_rows[kind], sentence);
  gtk_label_set_text (GTK_LABEL (label), value);
  gtk_widget_remove_css_class (label, good ? "dim-label" : "success");
  gtk_widget_add_css_class (label, good ? "success" : "dim-label");
  kh_accessible_name (GTK_WIDGET (self->friend_rows[kind]), name);
}

static void
show_friends (KhCheckPage *self, const KhCheckResult *result)
{
  gboolean judged = kh_words_check_is_judged (result);

  for (int i = 0; i < KH_N_FRIEND_KINDS; i++)
    show_friend (self, &result->findings.facts, i, judged);
  gtk_widget_set_visible (GTK_WIDGET (self->friends_group), judged || is_waiting (result->state));
}

static void
show_findings (KhCheckPage *self, const KhCheckResult *result)
{
  gboolean empty = is_empty (result->state);

  for (int i = 0; i < KH_N_FINDINGS; i++)
    kh_finding_row_show (self->rows[i], &result->findings);
  for (int i = 0; i < N_GROUPS; i++)
    gtk_widget_set_visible (GTK_WIDGET (self->groups[i]), !empty);
  gtk_widget_set_valign (self->content, empty ? GTK_ALIGN_CENTER : GTK_ALIGN_FILL);
}

/* libadwaita leaves the list of a group without a name. */
static gboolean
name_list (GtkWidget *widget, const char *name)
{
  gboolean found = GTK_IS_LIST_BOX (widget);

  if (found)
    kh_accessible_name (widget, name);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL && !found;
       child = gtk_widget_get_next_sibling (child))
    found = name_list (child, name);
  return found;
}

static void
show_titles (KhCheckPage *self, const KhFacts *facts)
{
  gboolean routed = !kh_facts_is (facts, KH_FACT_MAPPING, "none");
  AdwPreferencesGroup *holes = self->groups[GROUP_HOLES];

  adw_preferences_group_set_title (self->groups[GROUP_ROUTER], routed ? _ ("Your Router") : _ ("Your Connection"));
  adw_preferences_group_set_description (holes, routed ? _ ("How connections pass through your router") : NULL);
  name_list (GTK_WIDGET (self->friends_group), adw_preferences_group_get_title (self->friends_group));
  for (int i = 0; i < N_GROUPS; i++)
    name_list (GTK_WIDGET (self->groups[i]), adw_preferences_group_get_title (self->groups[i]));
}

/**
 * kh_check_page_show:
 * @result: what there is of a check
 */
void
kh_check_page_show (KhCheckPage *self, const KhCheckResult *result)
{
  g_return_if_fail (KH_IS_CHECK_PAGE (self));

  self->state = result->state;
  show_head (self, result);
  show_facts (self, result);
  show_friends (self, result);
  show_findings (self, result);
  show_titles (self, &result->findings.facts);
}

/**
 * kh_check_page_show_long:
 * @running: whether the long test runs
 */
void
kh_check_page_show_long (KhCheckPage *self, gboolean running)
{
  g_return_if_fail (KH_IS_CHECK_PAGE (self));

  kh_finding_row_set_note (self->rows[KH_FINDING_IDLE], running ? NULL : _ ("Takes up to an hour, in the background."));
  /* Translators: a verb, on a button */
  gtk_button_set_label (self->long_button, running ? _ ("Stop") : C_ ("button", "Test"));
  kh_accessible_name (GTK_WIDGET (self->long_button), running ? _ ("Stop the Long Test") : _ ("Start the Long Test"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->long_button),
                                  running ? "win.stop-long-check" : "win.check-long");
}

/* --- the checks ------------------------------------------------------------------------------------------------- */

static void
on_changed (KhChecker *checker, KhCheckPage *self)
{
  kh_check_page_show (self, kh_checker_get_result (checker));
  kh_check_page_show_long (self, kh_checker_is_long_running (checker));
}

/**
 * kh_check_page_set_checker:
 * @checker: what to show from now on; it begins when the page is seen
 */
void
kh_check_page_set_checker (KhCheckPage *self, KhChecker *checker)
{
  g_return_if_fail (KH_IS_CHECK_PAGE (self) && KH_IS_CHECKER (checker));

  if (self->checker != NULL)
    g_signal_handlers_disconnect_by_data (self->checker, self);
  g_set_object (&self->checker, checker);
  g_signal_connect_object (checker, "changed", G_CALLBACK (on_changed), self, 0);
  on_changed (checker, self);
}

static void
kh_check_page_map (GtkWidget *widget)
{
  KhCheckPage *self = KH_CHECK_PAGE (widget);

  gtk_adjustment_set_value (gtk_scrolled_window_get_vadjustment (self->scroller), 0);
  GTK_WIDGET_CLASS (kh_check_page_parent_class)->map (widget);

  if (self->checker != NULL)
    kh_checker_watch (self->checker, TRUE);
}

static void
kh_check_page_unmap (GtkWidget *widget)
{
  KhCheckPage *self = KH_CHECK_PAGE (widget);

  if (self->checker != NULL)
    kh_checker_watch (self->checker, FALSE);

  GTK_WIDGET_CLASS (kh_check_page_parent_class)->unmap (widget);
}

/* --- the widget ------------------------------------------------------------------------------------------------- */

static gboolean
kh_check_page_grab_focus (GtkWidget *widget)
{
  return gtk_widget_grab_focus (GTK_WIDGET (KH_CHECK_PAGE (widget)->run_button));
}

static void
add_friend (KhCheckPage *self, KhFriendKind kind)
{
  g_autofree char *title = g_markup_escape_text (kh_words_friend (kind), -1);

  self->friend_rows[kind] = g_object_new (ADW_TYPE_ACTION_ROW, "title", title, "activatable", FALSE, NULL);
  self->friend_labels[kind] = GTK_LABEL (gtk_label_new (NULL));
  adw_action_row_add_suffix (self->friend_rows[kind], GTK_WIDGET (self->friend_labels[kind]));
  adw_preferences_group_add (self->friends_group, GTK_WIDGET (self->friend_rows[kind]));
}

static void
add_finding (KhCheckPage *self, KhFinding finding)
{
  self->rows[finding] = KH_FINDING_ROW (kh_finding_row_new (finding));
  adw_preferences_group_add (self->groups[group_of (finding)], GTK_WIDGET (self->rows[finding]));
}

/* Beside each other there is no room for large letters in a narrow window. */
static void
wrap_label (GtkWidget *button)
{
  GtkLabel *label = GTK_LABEL (gtk_button_get_child (GTK_BUTTON (button)));

  gtk_label_set_wrap (label, TRUE);
  gtk_label_set_wrap_mode (label, PANGO_WRAP_WORD_CHAR);
  gtk_label_set_justify (label, GTK_JUSTIFY_CENTER);
}

/* The button that opens the menu is one in a menu button in the split button; both are called by their types. */
static void
name_arrow (GtkWidget *widget, const char *name)
{
  if (GTK_IS_MENU_BUTTON (widget) || GTK_IS_TOGGLE_BUTTON (widget))
    kh_accessible_name (widget, name);
  for (GtkWidget *child = gtk_widget_get_first_child (widget); child != NULL;
       child = gtk_widget_get_next_sibling (child))
    name_arrow (child, name);
}

static void
add_long_button (KhCheckPage *self)
{
  self->long_button = GTK_BUTTON (gtk_button_new ());
  gtk_widget_set_valign (GTK_WIDGET (self->long_button), GTK_ALIGN_CENTER);
  adw_expander_row_add_action (ADW_EXPANDER_ROW (self->rows[KH_FINDING_IDLE]), GTK_WIDGET (self->long_button));
}

static void
kh_check_page_dispose (GObject *object)
{
  KhCheckPage *self = KH_CHECK_PAGE (object);

  if (self->checker != NULL)
    g_signal_handlers_disconnect_by_data (self->checker, self);
  g_clear_object (&self->checker);

  G_OBJECT_CLASS (kh_check_page_parent_class)->dispose (object);
}

static void
kh_check_page_class_init (KhCheckPageClass *klass)
{
  GtkWidgetClass *widget_class = GTK_WIDGET_CLASS (klass);

  G_OBJECT_CLASS (klass)->dispose = kh_check_page_dispose;
  widget_class->grab_focus = kh_check_page_grab_focus;
  widget_class->focus = kh_focus_child;
  widget_class->map = kh_check_page_map;
  widget_class->unmap = kh_check_page_unmap;

  gtk_widget_class_set_template_from_resource (widget_class, KH_RESOURCE "kh-check-page.ui");
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, scroller);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, content);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, mark);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, verdict_label);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, advice_label);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, servers_label);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, spoken_label);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, buttons);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, run_button);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, copy_button);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, preferences_button);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, facts_list);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, type_row);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, mapping_row);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, friends_group);
  gtk_widget_class_bind_template_child_full (widget_class, "router_group", FALSE,
                                             G_STRUCT_OFFSET (KhCheckPage, groups[GROUP_ROUTER]));
  gtk_widget_class_bind_template_child_full (widget_class, "holes_group", FALSE,
                                             G_STRUCT_OFFSET (KhCheckPage, groups[GROUP_HOLES]));
  gtk_widget_class_bind_template_child_full (widget_class, "around_group", FALSE,
                                             G_STRUCT_OFFSET (KhCheckPage, groups[GROUP_AROUND]));
}

static void
kh_check_page_init (KhCheckPage *self)
{
  KhCheckResult nothing;

  gtk_widget_init_template (GTK_WIDGET (self));

  for (int i = 0; i < KH_N_FRIEND_KINDS; i++)
    add_friend (self, i);
  for (int i = 0; i < KH_N_FINDINGS; i++)
    add_finding (self, i);
  add_long_button (self);
  kh_check_result_init (&nothing);
  kh_check_page_show (self, &nothing);
  kh_check_page_show_long (self, FALSE);
  wrap_label (GTK_WIDGET (self->run_button));
  wrap_label (self->preferences_button);
  name_arrow (GTK_WIDGET (self->copy_button), adw_split_button_get_dropdown_tooltip (self->copy_button));
}
