/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-terminal.h"

#include "kh-code.h"
#include "kh-json.h"
#include "kh-mailbox.h"

#include <string.h>

static char *
invite_code (JsonObject *members)
{
  const char *code = kh_json_get_string (members, "code");
  const char *link = kh_json_get_string (members, "link");
  g_autofree char *mailbox_url = NULL;
  g_autofree char *parsed = kh_code_parse (link, &mailbox_url, NULL);

  if (parsed == NULL || mailbox_url == NULL)
    return g_strdup_printf ("Your code is   %s\nYour friend types:   knothole-cli join %s", code, code);
  if (kh_mailbox_url_is_private (mailbox_url))
    return g_strdup_printf ("Your code is   %s\nYour friend types:   knothole-cli join '%s'", code, link);
  return g_strdup_printf ("Your code is   %s\nYour friend types:   knothole-cli join %s --mailbox=%s", code, code,
                          mailbox_url);
}

/**
 * kh_terminal_tell:
 * @narrator: tells what is the same everywhere
 * @role: which side this is
 * @event: the next event of the session
 *
 * Returns: (transfer full) (nullable): it in words for a terminal, one line or two; %NULL when it is no news for a
 *   person
 */
char *
kh_terminal_tell (KhNarrator *narrator, KhRole role, KhEvent *event)
{
  const char *kind = kh_event_get_kind (event);
  JsonObject *members = kh_event_get_members (event);

  if (strcmp (kind, "invite.code") == 0)
    return invite_code (members);
  if (strcmp (kind, "session.phase") == 0 && g_strcmp0 (kh_json_get_string (members, "phase"), "connected") == 0)
    return g_strdup ("You can talk now. Each line is a message; Ctrl+D says goodbye.");
  if (strcmp (kind, "mailbox.connected") == 0 && role == KH_ROLE_JOINER)
    return g_strdup ("Looking for your friend at this code, for up to a minute…");
  return kh_narrator_tell (narrator, event);
}
