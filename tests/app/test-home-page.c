/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-widgets.h"

#include "kh-home-page.h"

static void
count_call (GSimpleAction *action, GVariant *parameter, gpointer user_data)
{
  (*(guint *) user_data)++;
}

static GtkWidget *
host (GtkWidget *page, guint *calls)
{
  static const GActionEntry actions[] = { { "invite", count_call },
                                          { "enter-code", count_call },
                                          { "check-network", count_call } };
  g_autoptr (GSimpleActionGroup) group = g_simple_action_group_new ();
  GtkWidget *window = kh_test_host (page);

  g_action_map_add_action_entries (G_ACTION_MAP (group), actions, G_N_ELEMENTS (actions), calls);
  gtk_widget_insert_action_group (window, "app", G_ACTION_GROUP (group));
  return window;
}

static void
test_ways (void)
{
  GtkWidget *page = g_object_new (KH_TYPE_HOME_PAGE, NULL);
  guint calls = 0;
  GtkWidget *window = host (page, &calls);
  GtkWidget *invite = kh_test_find_button (page, "Invite a Friend");
  GtkWidget *join = kh_test_find_button (page, "I Have a Code");
  GtkWidget *check = kh_test_find_button (page, "Check My Network");

  g_assert_true (gtk_widget_is_sensitive (invite) && gtk_widget_is_sensitive (join));
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (invite)), ==, "app.invite");
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (join)), ==, "app.enter-code");
  g_assert_cmpstr (gtk_actionable_get_action_name (GTK_ACTIONABLE (check)), ==, "app.check-network");
  g_signal_emit_by_name (invite, "clicked");
  g_signal_emit_by_name (join, "clicked");
  g_signal_emit_by_name (check, "clicked");
  g_assert_cmpuint (calls, ==, 3);
  kh_test_destroy (window);
}

static void
test_focus (void)
{
  GtkWidget *page = g_object_new (KH_TYPE_HOME_PAGE, NULL);
  guint calls = 0;
  GtkWidget *window = host (page, &calls);

  gtk_widget_grab_focus (page);
  g_assert_true (kh_test_has_focus (kh_test_find (page, "invite_button")));
  kh_test_assert_narrow (page);
  kh_test_destroy (window);
}

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  g_test_add_func ("/home-page/ways", test_ways);
  g_test_add_func ("/home-page/focus", test_focus);
  return g_test_run ();
}
