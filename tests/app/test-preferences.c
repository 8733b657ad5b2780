/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-preferences.h"

#include "config.h"

#include "kh-offer.h"

#include <string.h>

static void
test_defaults (void)
{
  g_autoptr (GSettings) preferences = g_settings_new (KH_APP_ID);
  g_autoptr (KhSettings) expected = kh_settings_new ();
  g_autoptr (KhSettings) settings = kh_preferences_to_settings (preferences);

  g_assert_cmpstr (settings->mailbox_url, ==, expected->mailbox_url);
  g_assert_cmpstrv (settings->stun_servers, expected->stun_servers);
  g_assert_cmpuint (settings->port, ==, 0);
  g_assert_null (settings->name);
  g_assert_cmpuint (settings->moves, ==, expected->moves);
  g_assert_cmpuint (settings->wait_seconds, ==, expected->wait_seconds);
  g_assert_cmpuint (settings->timeout_seconds, ==, expected->timeout_seconds);
  g_assert_cmpuint (settings->words, ==, expected->words);
}

static void
test_every_setting (void)
{
  static const char *const stun[] = { "one.example.org", "two.example.org:3479", NULL };
  g_autoptr (GSettings) preferences = g_settings_new (KH_APP_ID);
  g_autoptr (KhSettings) settings = NULL;

  g_settings_set_string (preferences, "name", "小明");
  g_settings_set_string (preferences, "mailbox-server", "wss://relay.example.org/v1");
  g_settings_set_strv (preferences, "stun-servers", stun);
  g_settings_set_int (preferences, "local-port", 65535);

  settings = kh_preferences_to_settings (preferences);
  g_assert_cmpstr (settings->name, ==, "小明");
  g_assert_cmpstr (settings->mailbox_url, ==, "wss://relay.example.org/v1");
  g_assert_cmpstrv (settings->stun_servers, stun);
  g_assert_cmpuint (settings->port, ==, 65535);
}

/* Whoever writes the settings by other means may write anything. */
static void
test_hostile_name (void)
{
  g_autoptr (GSettings) preferences = g_settings_new (KH_APP_ID);
  g_autofree char *name = g_strnfill (1000, 'n');
  g_autoptr (KhSettings) settings = NULL;

  g_settings_set_string (preferences, "name", name);
  settings = kh_preferences_to_settings (preferences);
  g_assert_cmpuint (strlen (settings->name), ==, KH_OFFER_MAX_NAME);

  kh_settings_free (g_steal_pointer (&settings));
  g_settings_set_string (preferences, "name", "B\033o\n");
  settings = kh_preferences_to_settings (preferences);
  g_assert_cmpstr (settings->name, ==, "Bo ");
}

static void
test_port_in_range (void)
{
  g_autoptr (GSettings) preferences = g_settings_new (KH_APP_ID);
  g_autoptr (GSettingsSchema) schema = NULL;
  g_autoptr (GSettingsSchemaKey) key = NULL;

  g_object_get (preferences, "settings-schema", &schema, NULL);
  key = g_settings_schema_get_key (schema, "local-port");
  g_assert_false (g_settings_schema_key_range_check (key, g_variant_new_int32 (-1)));
  g_assert_false (g_settings_schema_key_range_check (key, g_variant_new_int32 (65536)));
  g_assert_true (g_settings_schema_key_range_check (key, g_variant_new_int32 (65535)));
}

static void
test_mailbox (void)
{
  static const char *const good[] = { "", "wss://relay.example.org/v1", "ws://127.0.0.1:4000/v1", "ws://[::1]:4000/v1",
                                      "wss://relay.example.org" };
  static const char *const other_scheme[] = {
    "relay.example.org", "http://relay.example.org/v1", "WSS//x", "wss:", "javascript:alert(1)", "ws:/x", "\377", " ",
    "file:///etc/passwd"
  };
  static const char *const bad[] = {
    "ws://",           "wss://:4000/v1",         "wss://user@relay.example.org/v1", "wss://relay.example.org:0/v1",
    "wss://two words", "wss://re\033lay.org/v1", "wss://re\342\200\256lay.org/v1",  "wss://relay.org:99999/v1",
    "wss://%0a/v1",    "wss://\377/v1",
  };
  g_autofree char *endless = g_strnfill (100000, 'a');
  g_autofree char *url = g_strconcat ("wss://", endless, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_cmpstr (kh_preferences_check_mailbox (good[i]), ==, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (other_scheme); i++)
    g_assert_true (g_str_has_prefix (kh_preferences_check_mailbox (other_scheme[i]), "An address starts with"));
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autofree char *name = g_strescape (bad[i], NULL);

      g_test_message ("%s", name);
      g_assert_true (g_str_has_prefix (kh_preferences_check_mailbox (bad[i]), "This is not an address"));
    }
  g_assert_nonnull (kh_preferences_check_mailbox (url));
}

static void
test_warning (void)
{
  static const struct
  {
    const char *url;
    gboolean open;
  } cases[] = {
    { "", FALSE },
    { "wss://relay.example.org/v1", FALSE },
    { "ws://127.0.0.1:4000/v1", FALSE },
    { "ws://[::1]:4000/v1", FALSE },
    { "ws://localhost:4000/v1", FALSE },
    { "ws://relay.example.org/v1", TRUE },
    { "ws://192.168.1.2/v1", TRUE },
    { "ws://127.0.0.1.example.org/v1", TRUE },
    { "ws://localhost.example.org/v1", TRUE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].url);
      g_assert_cmpint (kh_preferences_warn_about (cases[i].url), ==, cases[i].open);
    }
}

static void
test_split_stun (void)
{
  static const struct
  {
    const char *text;
    const char *servers; /* with | in between */
  } cases[] = {
    { "", "" },
    { "  , ;\t\n,,", "" },
    { "stun.example.org", "stun.example.org" },
    { "a.org:1, b.org:2", "a.org:1|b.org:2" },
    { " a.org\nb.org;c.org ", "a.org|b.org|c.org" },
    { "[2001:db8::1]:3478,192.0.2.1", "[2001:db8::1]:3478|192.0.2.1" },
    { "，", "，" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) servers = kh_preferences_split_stun (cases[i].text);
      g_autofree char *joined = g_strjoinv ("|", servers);

      g_assert_cmpstr (joined, ==, cases[i].servers);
    }
}

static char *
many (guint count)
{
  GString *text = g_string_new (NULL);

  for (guint i = 0; i < count; i++)
    g_string_append_printf (text, "s%u.example.org, ", i);
  return g_string_free (text, FALSE);
}

static void
test_stun (void)
{
  static const char *const good[] = { "", " ", "stun.example.org", "a.org:1, b.org:65535",
                                      "[2001:db8::1]:3478 192.0.2.1" };
  static const char *const bad[] = { "a.org:",       "a.org:x",      "a.org:65536", ":3478",
                                     "a.org, :3478", "[2001:db8::1", "a.org:-1",    "https://a.org" };
  g_autofree char *most = many (KH_SETTINGS_MAX_STUN_SERVERS);
  g_autofree char *too_many = many (KH_SETTINGS_MAX_STUN_SERVERS + 1);
  g_autofree char *hostile = many (100000);

  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    g_assert_cmpstr (kh_preferences_check_stun (good[i]), ==, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_cmpstr (kh_preferences_check_stun (bad[i]), !=, NULL);
    }
  g_assert_cmpstr (kh_preferences_check_stun (most), ==, NULL);
  g_assert_true (g_str_has_prefix (kh_preferences_check_stun (too_many), "These are too many servers."));
  g_assert_true (g_str_has_prefix (kh_preferences_check_stun (hostile), "These are too many servers."));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/preferences/defaults", test_defaults);
  g_test_add_func ("/preferences/every-setting", test_every_setting);
  g_test_add_func ("/preferences/hostile-name", test_hostile_name);
  g_test_add_func ("/preferences/port-in-range", test_port_in_range);
  g_test_add_func ("/preferences/mailbox", test_mailbox);
  g_test_add_func ("/preferences/warning", test_warning);
  g_test_add_func ("/preferences/split-stun", test_split_stun);
  g_test_add_func ("/preferences/stun", test_stun);
  return g_test_run ();
}
