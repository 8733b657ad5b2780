/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-application.h"

#include "config.h"

#include "kh-preferences-window.h"

#include <string.h>

/* The window of preferences as the application opens it, and what is kept. */
typedef struct
{
  GtkWindow *parent;
  GtkWindow *window;
  GSettings *preferences;
} Fixture;

static void
open_window (Fixture *fixture)
{
  kh_preferences_window_present (fixture->parent, fixture->preferences);
  fixture->window = kh_test_get_window (KH_TYPE_PREFERENCES_WINDOW);
  g_assert_nonnull (fixture->window);
  kh_test_wait_until (gtk_widget_get_mapped (GTK_WIDGET (fixture->window)), 5000);
}

static void
close_window (Fixture *fixture)
{
  g_object_add_weak_pointer (G_OBJECT (fixture->window), (gpointer *) &fixture->window);
  gtk_window_close (fixture->window);
  kh_test_wait_until (fixture->window == NULL, 5000);
}

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  static const char *const keys[] = { "name", "mailbox-server", "stun-servers", "local-port" };

  fixture->preferences = g_settings_new (KH_APP_ID);
  for (gsize i = 0; i < G_N_ELEMENTS (keys); i++)
    g_settings_reset (fixture->preferences, keys[i]);
  fixture->parent = GTK_WINDOW (gtk_window_new ());
  gtk_window_present (fixture->parent);
  open_window (fixture);
}

static void
tear_down (Fixture *fixture, gconstpointer unused)
{
  close_window (fixture);
  gtk_window_destroy (fixture->parent);
  g_object_unref (fixture->preferences);
}

static void
type (Fixture *fixture, const char *row, const char *text)
{
  gtk_editable_set_text (GTK_EDITABLE (kh_test_find (fixture->window, row)), text);
}

/* As a hand types: setting a text would empty the entry first, and an empty one is kept. */
static void
type_more (Fixture *fixture, const char *row, const char *text)
{
  int position = -1;

  gtk_editable_insert_text (GTK_EDITABLE (kh_test_find (fixture->window, row)), text, -1, &position);
}

static void
assert_kept (Fixture *fixture, const char *key, const char *value)
{
  g_autofree char *kept = g_settings_get_string (fixture->preferences, key);

  g_assert_cmpstr (kept, ==, value);
}

static void
assert_kept_stun (Fixture *fixture, const char *value)
{
  g_auto (GStrv) kept = g_settings_get_strv (fixture->preferences, "stun-servers");
  g_autofree char *joined = g_strjoinv ("|", kept);

  g_assert_cmpstr (joined, ==, value);
}

static void
assert_row (Fixture *fixture, const char *row, gboolean wrong)
{
  GtkWidget *widget = kh_test_find (fixture->window, row);

  g_assert_cmpint (gtk_widget_has_css_class (widget, "error"), ==, wrong);
  gtk_test_accessible_assert_state (GTK_ACCESSIBLE (widget), GTK_ACCESSIBLE_STATE_INVALID,
                                    wrong ? GTK_ACCESSIBLE_INVALID_TRUE : GTK_ACCESSIBLE_INVALID_FALSE);
}

static void
test_name (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *longest = g_strnfill (64, 'n');
  g_autofree char *longer = g_strconcat (longest, "nn", NULL);

  type (fixture, "name_row", "  小明 ");
  assert_kept (fixture, "name", "小明");
  type (fixture, "name_row", longer);
  assert_kept (fixture, "name", longest);
  type (fixture, "name_row", "");
  assert_kept (fixture, "name", "");
}

static void
test_mailbox (Fixture *fixture, gconstpointer unused)
{
  assert_row (fixture, "mailbox_row", FALSE);
  type (fixture, "mailbox_row", " wss://relay.example.org/v1 ");
  assert_kept (fixture, "mailbox-server", "wss://relay.example.org/v1");
  g_assert_false (kh_test_is_shown (fixture->window, "mailbox_label"));

  /* What cannot be used is not kept, and said to be wrong. */
  type_more (fixture, "mailbox_row", " x");
  assert_row (fixture, "mailbox_row", TRUE);
  g_assert_true (kh_test_is_shown (fixture->window, "mailbox_label"));
  kh_test_assert_role (kh_test_find (fixture->window, "mailbox_label"), GTK_ACCESSIBLE_ROLE_STATUS);
  assert_kept (fixture, "mailbox-server", "wss://relay.example.org/v1");

  type (fixture, "mailbox_row", "");
  assert_row (fixture, "mailbox_row", FALSE);
  g_assert_false (kh_test_is_shown (fixture->window, "mailbox_label"));
  /* An entry is empty while its text is replaced: that counts when the window is closed. */
  assert_kept (fixture, "mailbox-server", "wss://relay.example.org/v1");
  close_window (fixture);
  assert_kept (fixture, "mailbox-server", "");
  open_window (fixture);
}

/* It can be used, and has its price. */
static void
test_open_way (Fixture *fixture, gconstpointer unused)
{
  type (fixture, "mailbox_row", "ws://relay.example.org/v1");
  assert_row (fixture, "mailbox_row", FALSE);
  assert_kept (fixture, "mailbox-server", "ws://relay.example.org/v1");
  g_assert_true (kh_test_is_shown (fixture->window, "mailbox_label"));
  g_assert_nonnull (strstr (kh_test_text_of (fixture->window, "mailbox_label"), "not encrypted"));
}

static void
test_stun (Fixture *fixture, gconstpointer unused)
{
  type (fixture, "stun_row", "one.example.org, two.example.org:3479");
  assert_row (fixture, "stun_row", FALSE);
  assert_kept_stun (fixture, "one.example.org|two.example.org:3479");

  type_more (fixture, "stun_row", "x");
  assert_row (fixture, "stun_row", TRUE);
  g_assert_true (kh_test_is_shown (fixture->window, "stun_label"));
  assert_kept_stun (fixture, "one.example.org|two.example.org:3479");

  type (fixture, "stun_row", "");
  assert_row (fixture, "stun_row", FALSE);
  assert_kept_stun (fixture, "");
}

static void
test_port (Fixture *fixture, gconstpointer unused)
{
  GtkSpinButton *button = GTK_SPIN_BUTTON (kh_test_find (fixture->window, "port_button"));

  g_assert_cmpint (gtk_spin_button_get_value_as_int (button), ==, 0);
  gtk_spin_button_set_value (button, 12345);
  g_assert_cmpint (g_settings_get_int (fixture->preferences, "local-port"), ==, 12345);
  gtk_spin_button_set_value (button, 70000);
  g_assert_cmpint (g_settings_get_int (fixture->preferences, "local-port"), ==, 65535);
  g_settings_set_int (fixture->preferences, "local-port", 7);
  g_assert_cmpint (gtk_spin_button_get_value_as_int (button), ==, 7);
  kh_test_assert_name (button, "Local Port");
}

/* What was kept is there the next time. */
static void
test_filled (Fixture *fixture, gconstpointer unused)
{
  type (fixture, "name_row", "Ada");
  type (fixture, "mailbox_row", "wss://relay.example.org/v1");
  type (fixture, "stun_row", "one.example.org two.example.org");
  close_window (fixture);
  open_window (fixture);

  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (kh_test_find (fixture->window, "name_row"))), ==, "Ada");
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (kh_test_find (fixture->window, "mailbox_row"))), ==,
                   "wss://relay.example.org/v1");
  g_assert_cmpstr (gtk_editable_get_text (GTK_EDITABLE (kh_test_find (fixture->window, "stun_row"))), ==,
                   "one.example.org, two.example.org");
  assert_kept (fixture, "name", "Ada");
  assert_kept_stun (fixture, "one.example.org|two.example.org");
}

static void
test_narrow (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *word = g_strnfill (300, 'w');

  type (fixture, "mailbox_row", word);
  type (fixture, "stun_row", "one.example.org:x");
  g_assert_true (kh_test_is_shown (fixture->window, "mailbox_label"));
  kh_test_assert_narrow (kh_test_find_type (fixture->window, ADW_TYPE_PREFERENCES_PAGE));
}

#define ADD(path, function) g_test_add ("/preferences-window/" path, Fixture, NULL, set_up, function, tear_down)

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  ADD ("name", test_name);
  ADD ("mailbox", test_mailbox);
  ADD ("open-way", test_open_way);
  ADD ("stun", test_stun);
  ADD ("port", test_port);
  ADD ("filled", test_filled);
  ADD ("narrow", test_narrow);
  return g_test_run ();
}
