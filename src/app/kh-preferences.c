/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-preferences.h"

#include "config.h"

#include "kh-address.h"
#include "kh-mailbox.h"
#include "kh-offer.h"
#include "kh-text.h"

#include <glib/gi18n.h>

/**
 * kh_preferences_to_settings:
 * @preferences: what the user chose; empty texts and lists stand for what is built in
 *
 * Returns: (transfer full): how a session shall go about it
 */
KhSettings *
kh_preferences_to_settings (GSettings *preferences)
{
  g_autofree char *name = g_settings_get_string (preferences, "name");
  g_autofree char *mailbox = g_settings_get_string (preferences, "mailbox-server");
  g_auto (GStrv) stun = g_settings_get_strv (preferences, "stun-servers");
  KhSettings *settings = kh_settings_new ();

  if (*mailbox != '\0')
    {
      g_free (settings->mailbox_url);
      settings->mailbox_url = g_steal_pointer (&mailbox);
    }
  if (stun[0] != NULL)
    {
      g_strfreev (settings->stun_servers);
      settings->stun_servers = g_steal_pointer (&stun);
    }
  settings->name = *name != '\0' ? kh_text_plain (name, KH_OFFER_MAX_NAME) : NULL;
  settings->port = g_settings_get_int (preferences, "local-port");

  return settings;
}

/**
 * kh_preferences_check_mailbox:
 * @text: what was typed for the meeting server
 *
 * Returns: (transfer none) (nullable): what is wrong with it, in words; %NULL when it can be used
 */
const char *
kh_preferences_check_mailbox (const char *text)
{
  if (*text == '\0' || kh_mailbox_url_is_valid (text))
    return NULL;
  if (!g_str_has_prefix (text, "ws://") && !g_str_has_prefix (text, "wss://"))
    return _ ("An address starts with wss:// or ws://, such as wss://relay.example.org/v1.");
  return _ ("This is not an address of a server. It looks like wss://relay.example.org/v1.");
}

/**
 * kh_preferences_warn_about:
 * @mailbox_url: a valid address
 *
 * Returns: whether the way there is open to anybody in between
 */
gboolean
kh_preferences_warn_about (const char *mailbox_url)
{
  return *mailbox_url != '\0' && !kh_mailbox_url_is_private (mailbox_url);
}

/**
 * kh_preferences_split_stun:
 * @text: servers with commas or spaces in between
 *
 * Returns: (transfer full): the servers
 */
char **
kh_preferences_split_stun (const char *text)
{
  g_auto (GStrv) parts = g_strsplit_set (text, ", \t\n;", -1);
  g_autoptr (GStrvBuilder) servers = g_strv_builder_new ();

  for (char **part = parts; *part != NULL; part++)
    if (**part != '\0')
      g_strv_builder_add (servers, *part);
  return g_strv_builder_end (servers);
}

/**
 * kh_preferences_check_stun:
 * @text: what was typed for the STUN servers
 *
 * Returns: (transfer none) (nullable): what is wrong with it, in words; %NULL when it can be used
 */
const char *
kh_preferences_check_stun (const char *text)
{
  g_auto (GStrv) servers = kh_preferences_split_stun (text);

  if (g_strv_length (servers) > KH_SETTINGS_MAX_STUN_SERVERS)
    return _ ("These are too many servers. Three or four are enough.");
  for (char **server = servers; *server != NULL; server++)
    if (!kh_address_is_host_and_port (*server))
      return _ ("Write servers as HOST or HOST:PORT, with a comma in between, such as stun.example.org:3478.");
  return NULL;
}
