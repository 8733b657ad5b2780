/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-sentences.h"

#include "kh-code.h"
#include "kh-json.h"
#include "kh-mailbox.h"

#include <string.h>

static const char *
text (JsonObject *members, const char *name)
{
  const char *found = kh_json_get_string (members, name);

  return found != NULL ? found : "?";
}

static gint64
number (JsonObject *members, const char *name)
{
  gint64 found = 0;

  kh_json_get_int (members, name, G_MININT64, G_MAXINT64, &found);
  return found;
}

static char *
phase (JsonObject *members)
{
  static const struct
  {
    const char *phase;
    const char *sentence;
  } sentences[] = {
    { "inviting", "Waiting for your friend." },
    { "meeting", "Somebody is at the code. Checking that it is the same on both sides…" },
    { "looking", "It is the same. Exchanging what is known of both networks…" },
    { "reaching", "Knocking…" },
    { "connected", "You can talk now. Each line is a message; Ctrl+D says goodbye." },
    { "resuming", "The path broke. Looking for another one…" },
    { "ended", "Goodbye." },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (sentences); i++)
    if (strcmp (sentences[i].phase, text (members, "phase")) == 0)
      return g_strdup (sentences[i].sentence);
  return NULL;
}

static char *
invite_code (JsonObject *members)
{
  const char *code = text (members, "code");
  const char *link = text (members, "link");
  g_autofree char *mailbox_url = NULL;
  g_autofree char *parsed = kh_code_parse (link, &mailbox_url, NULL);

  if (parsed == NULL || mailbox_url == NULL)
    return g_strdup_printf ("Your code is   %s\nYour friend types:   knothole-cli join %s", code, code);
  if (kh_mailbox_url_is_private (mailbox_url))
    return g_strdup_printf ("Your code is   %s\nYour friend types:   knothole-cli join '%s'", code, link);
  return g_strdup_printf ("Your code is   %s\nYour friend types:   knothole-cli join %s --mailbox=%s", code, code,
                          mailbox_url);
}

static char *
mapping_found (JsonObject *members)
{
  return g_strdup_printf ("From outside you are %s, as %s sees it.", text (members, "outside"),
                          text (members, "server"));
}

static char *
stun_failed (JsonObject *members)
{
  return g_strdup_printf ("A STUN server is of no help (%s: %s); others may be.", text (members, "server"),
                          text (members, "reason"));
}

static char *
join_strings (JsonArray *array)
{
  GString *joined = g_string_new (NULL);

  for (guint i = 0; array != NULL && i < json_array_get_length (array); i++)
    g_string_append_printf (joined, "%s%s", i > 0 ? ", " : "", json_array_get_string_element (array, i));
  return g_string_free (joined, FALSE);
}

static char *
mailbox_connecting (JsonObject *members)
{
  return g_strdup_printf ("Going to the meeting server %s…", text (members, "server"));
}

static char *
mailbox_failed (JsonObject *members)
{
  return g_strdup_printf ("That failed: %s.", text (members, "reason"));
}

static char *
offer_received (JsonObject *members)
{
  const char *name = kh_json_get_string (members, "name");

  return name != NULL && *name != '\0' ? g_strdup_printf ("Your friend is called %s.", name) : NULL;
}

static char *
plan_made (JsonObject *members)
{
  g_autofree char *moves = join_strings (kh_json_get_array (members, "moves"));

  return g_strdup_printf ("Plan: %s. A direct path is %s.", *moves != '\0' ? moves : "nothing to try",
                          text (members, "forecast"));
}

static char *
attempt_start (JsonObject *members)
{
  return g_strdup_printf ("  #%" G_GINT64_FORMAT " %s: dialling %s", number (members, "id"), text (members, "move"),
                          text (members, "remote"));
}

static char *
attempt_accepted (JsonObject *members)
{
  return g_strdup_printf ("  #%" G_GINT64_FORMAT " somebody connects from %s", number (members, "id"),
                          text (members, "remote"));
}

static const char *
outcome_in_words (const char *outcome)
{
  static const char *const words[][2] = {
    { "not-friend", "was not your friend" }, { "lost-race", "was not needed" },   { "cancelled", "was not needed" },
    { "silent", "got no answer" },           { "busy", "is being made already" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (strcmp (words[i][0], outcome) == 0)
      return words[i][1];
  return outcome;
}

static char *
attempt_end (JsonObject *members)
{
  return g_strdup_printf ("  #%" G_GINT64_FORMAT " %s (%" G_GINT64_FORMAT " ms)", number (members, "id"),
                          outcome_in_words (text (members, "outcome")), number (members, "elapsed_ms"));
}

static char *
target_refused (JsonObject *members)
{
  return g_strdup_printf ("  %s: %s is left out: %s.", text (members, "move"), text (members, "remote"),
                          text (members, "reason"));
}

static char *
path_selected (JsonObject *members)
{
  const char *kind = text (members, "kind");

  return g_strdup_printf ("Connected directly %s, to %s, after %" G_GINT64_FORMAT " ms.",
                          strcmp (kind, "lan") == 0 ? "on your local network" : "over the internet",
                          text (members, "remote"), number (members, "elapsed_ms"));
}

static char *
session_failed (JsonObject *members)
{
  return g_strdup (text (members, "sentence"));
}

static char *
mailbox_lost (JsonObject *members)
{
  return g_strdup_printf ("The meeting server went away (%s).", text (members, "reason"));
}

static char *
mailbox_retry (JsonObject *members)
{
  return g_strdup_printf ("Trying it again in %.1f s.", number (members, "delay_ms") / 1000.0);
}

static char *
mailbox_motd (JsonObject *members)
{
  return g_strdup_printf ("The meeting server says: %s", text (members, "text"));
}

/**
 * kh_sentence_for_event:
 * @event: something that happened
 *
 * Returns: (transfer full) (nullable): it in words for a terminal, or %NULL when it is of no interest there
 */
char *
kh_sentence_for_event (KhEvent *event)
{
  static const struct
  {
    const char *kind;
    char *(*sentence) (JsonObject *members);
  } table[] = {
    { "session.phase", phase },
    { "invite.code", invite_code },
    { "mapping.found", mapping_found },
    { "stun.failed", stun_failed },
    { "plan.made", plan_made },
    { "attempt.start", attempt_start },
    { "attempt.accepted", attempt_accepted },
    { "attempt.end", attempt_end },
    { "target.refused", target_refused },
    { "path.selected", path_selected },
    { "session.failed", session_failed },
    { "mailbox.connecting", mailbox_connecting },
    { "mailbox.failed", mailbox_failed },
    { "mailbox.lost", mailbox_lost },
    { "offer.received", offer_received },
    { "mailbox.retry", mailbox_retry },
    { "mailbox.motd", mailbox_motd },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (strcmp (table[i].kind, kh_event_get_kind (event)) == 0)
      return table[i].sentence (kh_event_get_members (event));
  return NULL;
}
