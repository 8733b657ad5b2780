/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check-page.h"

#include "config.h"

#include "kh-accessible.h"
#include "kh-address.h"
#include "kh-fact-words.h"
#include "kh-finding-row.h"
#include "kh-focus.h"
#include "kh-resource.h"

#include <glib/gi18n.h>

/**
 * KhCheckPage:
 *
 * What this network is like: whether friends can reach it, its NAT's type and its public mapping, and everything behind that.
 */
struct _KhCheckPage
{
  AdwBin parent_instance;

  GtkSpinner *spinner;
  GtkLabel *verdict_label;
  GtkLabel *servers_label;
  GtkLabel *spoken_label;
  GtkButton *run_button;
  AdwActionRow *type_row;
  AdwActionRow *mapping_row;
  AdwPreferencesGroup *friends_group;
  AdwPreferencesGroup *router_group;
  AdwPreferencesGroup *holes_group;
  AdwPreferencesGroup *around_group;
  AdwActionRow *long_row;
  GtkSpinner *long_spinner;
  GtkButton *long_button;

  AdwActionRow *friend_rows[KH_N_FRIEND_KINDS];
  GtkLabel *friend_labels[KH_N_FRIEND_KINDS];
  KhFindingRow *rows[KH_N_FINDINGS];
  KhChecker *checker;
  KhCheckState state;
};

G_DEFINE_FINAL_TYPE (KhCheckPage, kh_check_page, ADW_TYPE_BIN)

/* --- what to tell ----------------------------------------------------------------------------------------------- */

/* How strict a filter is can change the verdict: it is not told before that is known, one way or the other. */
static gboolean
is_verdict_known (KhCheckState state, const KhFindings *findings)
{
  if (!kh_facts_knows (&findings->facts, KH_FACT_MAPPING))
    return FALSE;
  return state != KH_CHECK_STATE_RUNNING || findings->reasons[KH_FINDING_FILTERING] != KH_REASON_NOT_YET;
}

static const char *
headline (KhCheckState state, const KhFindings *findings)
{
  if (is_verdict_known (state, findings))
    return kh_words_verdict (&findings->facts);
  switch (state)
    {
    case KH_CHECK_STATE_OFFLINE:
      return _ ("You are not connected to a network");
    case KH_CHECK_STATE_NO_SERVER:
      return _ ("No server answered");
    case KH_CHECK_STATE_STOPPED:
      return _ ("The check was stopped");
    case KH_CHECK_STATE_DONE:
      return _ ("Your network could not be told");
    case KH_CHECK_STATE_NONE:
    case KH_CHECK_STATE_RUNNING:
    default:
      return _ ("Looking at your network…");
    }
}

static char *
servers_in_words (KhCheckState state, const char *servers)
{
  if (state == KH_CHECK_STATE_OFFLINE)
    return g_strdup (_ ("The check begins by itself when you are."));
  if (servers == NULL)
    return g_strdup ("");
  if (state == KH_CHECK_STATE_NO_SERVER)
    /* Translators: %s is a list of servers. So in the next two. */
    return g_strdup_printf (
        _ ("Look at your connection to the internet, or choose other servers in the preferences. Asked: %s"), servers);
  if (state == KH_CHECK_STATE_RUNNING)
    return g_strdup_printf (_ ("Asking %s"), servers);
  return g_strdup_printf (_ ("Asked %s"), servers);
}

static char *
mapping_in_words (KhCheckState state, GInetSocketAddress *inside, GInetSocketAddress *outside)
{
  g_autofree char *from = inside != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (inside)) : NULL;
  g_autofree char *to = outside != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (outside)) : NULL;

  if (to == NULL)
    return g_strdup (state == KH_CHECK_STATE_RUNNING ? _ ("Checking…") : _ ("Not known"));
  /* Translators: %1$s is an address with its port, %2$s the one that the internet sees in its place */
  return from != NULL ? g_strdup_printf (_ ("%1$s → %2$s"), from, to) : g_steal_pointer (&to);
}

/* Why nothing is known, or how it went, for those who listen. */
static char *
status_in_words (KhCheckState state, const KhFindings *findings)
{
  if (state == KH_CHECK_STATE_RUNNING)
    return g_strdup (_ ("The network check is under way."));
  if (state == KH_CHECK_STATE_DONE)
    /* Translators: %s is the type of a NAT, such as "Full cone" */
    return g_strdup_printf (_ ("The network check is done: %s"), kh_words_nat_type (&findings->facts));
  return g_strdup (headline (state, findings));
}

/* --- showing it ------------------------------------------------------------------------------------------------- */

/* A row's name does not hold its subtitle: a screen reader would hear the question without the answer. */
static void
set_row (AdwActionRow *row, const char *value)
{
  const char *title = adw_preferences_row_get_title (ADW_PREFERENCES_ROW (row));
  /* Translators: what a screen reader says of a fact: %1$s is its title, %2$s its value */
  g_autofree char *label = g_strdup_printf (_ ("%1$s: %2$s"), title, value);
  g_autofree char *markup = g_markup_printf_escaped ("\u2068%s\u2069", value);

  adw_action_row_set_subtitle (row, markup);
  kh_accessible_name (GTK_WIDGET (row), label);
}

static void
set_text (GtkLabel *label, const char *text)
{
  if (g_strcmp0 (gtk_label_get_text (label), text) != 0)
    gtk_label_set_text (label, text); /* or it would be read out once more */
}

static void
show_head (KhCheckPage *self, const KhFindings *findings, const char *servers)
{
  g_autofree char *asked = servers_in_words (self->state, servers);
  g_autofree char *status = status_in_words (self->state, findings);
  gboolean running = self->state == KH_CHECK_STATE_RUNNING;

  set_text (self->verdict_label, headline (self->state, findings));
  set_text (self->servers_label, asked);
  set_text (self->spoken_label, status);
  gtk_widget_set_visible (GTK_WIDGET (self->servers_label), *asked != '\0');
  gtk_widget_set_visible (GTK_WIDGET (self->spinner), running);
  gtk_spinner_set_spinning (self->spinner, running);
  gtk_button_set_label (self->run_button, running ? _ ("Stop") : _ ("Run Again"));
  gtk_actionable_set_action_name (GTK_ACTIONABLE (self->run_button), running ? "win.stop-check" : "win.check-again");
}

static void
show_friend (KhCheckPage *self, const KhFacts *facts, KhFriendKind kind)
{
  KhFacts friends;
  KhForecast forecast;
  g_autofree char *sentence = NULL;
  g_autofree char *name = NULL;

  kh_forecast_friend (kind, &friends);
  forecast = kh_forecast_facts (facts, &friends);
  sentence = g_markup_escape_text (kh_words_forecast (kind, forecast), -1);
  /* Translators: what a screen reader says of a forecast: %1$s is what a friend has, %2$s how likely a direct path is, %3$s a
     sentence on why */
  name = g_strdup_printf (_ ("%1$s: %2$s. %3$s"), kh_words_friend (kind), kh_words_forecast_value (forecast),
                          kh_words_forecast (kind, forecast));

  adw_action_row_set_subtitle (self->friend_rows[kind], sentence);
  gtk_label_set_text (self->friend_labels[kind], kh_words_forecast_value (forecast));
  gtk_widget_remove_css_class (GTK_WIDGET (self->friend_labels[kind]), "success");
  gtk_widget_remove_css_class (GTK_WIDGET (self->friend_labels[kind]), "dim-label");
  gtk_widget_add_css_class (GTK_WIDGET (self->friend_labels[kind]),
                            forecast == KH_FORECAST_LIKELY ? "success" : "dim-label");
  kh_accessible_name (GTK_WIDGET (self->friend_rows[kind]), name);
}

/**
 * kh_check_page_show:
 * @state: how far the check is
 * @findings: what has been found so far
 * @inside: (nullable): the address that a server was asked from
 * @outside: (nullable): as that server saw it
 * @servers: (nullable): who is asked
 */
void
kh_check_page_show (KhCheckPage *self, KhCheckState state, const KhFindings *findings, GInetSocketAddress *inside,
                    GInetSocketAddress *outside, const char *servers)
{
  g_autofree char *mapping = mapping_in_words (state, inside, outside);
  gboolean knows_type = kh_facts_knows (&findings->facts, KH_FACT_MAPPING);

  g_return_if_fail (KH_IS_CHECK_PAGE (self));

  self->state = state;
  show_head (self, findings, servers);
  set_row (self->type_row,
           !knows_type && state == KH_CHECK_STATE_RUNNING ? _ ("Checking…") : kh_words_nat_type (&findings->facts));
  set_row (self->mapping_row, mapping);
  gtk_widget_set_visible (GTK_WIDGET (self->friends_group), is_verdict_known (state, findings));
  for (int i = 0; i < KH_N_FRIEND_KINDS; i++)
    show_friend (self, &findings->facts, i);
  for (int i = 0; i < KH_N_FINDINGS; i++)
    kh_finding_row_show (self->rows[i], findings);
}

/**
 * kh_check_page_show_long:
 * @running: whether the long test runs
 */
void
kh_check_page_show_long (KhCheckPage *self, gboolean running)
{
  const char *sentence = running ? _ ("The test runs. You may leave this page meanwhile.")
                                 : _ ("Takes up to an hour, in the background, while Knothole is open.");

  g_return_if_fail (KH_IS_CHECK_PAGE (self));

  set_row (self->long_row, sentence);
  gtk_widget_set_visible (GTK_WIDGET (self->long_spinner), running);
  gtk_spinner_set_spinning (self->long_spinner, running);
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
  const KhCheckResult *result = kh_checker_get_result (checker);
  g_autofree char *servers = result->servers != NULL ? g_strjoinv (", ", (char **) result->servers) : NULL;

  kh_check_page_show (self, result->state, &result->findings, result->inside, result->outside, servers);
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

static AdwPreferencesGroup *
group_of (KhCheckPage *self, KhFinding finding)
{
  switch (finding)
    {
    case KH_FINDING_SIMULTANEOUS_OPEN:
    case KH_FINDING_BARE_SYN:
    case KH_FINDING_HAIRPIN:
    case KH_FINDING_AFTER_FIN:
    case KH_FINDING_AFTER_RST:
    case KH_FINDING_IDLE:
      return self->holes_group;
    case KH_FINDING_IPV6:
    case KH_FINDING_IPV6_INBOUND:
    case KH_FINDING_VPN:
    case KH_FINDING_HOST_FIREWALL:
      return self->around_group;
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
      return self->router_group;
    }
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
name_lists (KhCheckPage *self)
{
  AdwPreferencesGroup *groups[] = { self->friends_group, self->router_group, self->holes_group, self->around_group };

  for (gsize i = 0; i < G_N_ELEMENTS (groups); i++)
    name_list (GTK_WIDGET (groups[i]), adw_preferences_group_get_title (groups[i]));
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
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, spinner);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, verdict_label);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, servers_label);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, spoken_label);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, run_button);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, type_row);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, mapping_row);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, friends_group);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, router_group);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, holes_group);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, around_group);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, long_row);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, long_spinner);
  gtk_widget_class_bind_template_child (widget_class, KhCheckPage, long_button);
}

static void
kh_check_page_init (KhCheckPage *self)
{
  KhFindings findings;

  gtk_widget_init_template (GTK_WIDGET (self));
  name_lists (self);

  for (int i = 0; i < KH_N_FRIEND_KINDS; i++)
    add_friend (self, i);
  for (int i = 0; i < KH_N_FINDINGS; i++)
    {
      self->rows[i] = KH_FINDING_ROW (kh_finding_row_new (i));
      adw_preferences_group_add (group_of (self, i), GTK_WIDGET (self->rows[i]));
    }
  kh_findings_init (&findings);
  kh_check_page_show (self, KH_CHECK_STATE_NONE, &findings, NULL, NULL, NULL);
  kh_check_page_show_long (self, FALSE);
}
