/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-sentences.h"

#include "kh-json.h"
#include "kh-move.h"
#include "kh-text.h"

#include <glib/gi18n-lib.h>
#include <string.h>

/* Each is a whole sentence, so that it can be translated, and stand alone in a list or be read aloud. */

/* What the network or a report puts into a sentence has some end. */
#define MAX_SENTENCE 1000

static const char *
text (JsonObject *members, const char *name)
{
  const char *found = kh_json_get_string (members, name);

  return found != NULL ? found : "?";
}

static gboolean
is (JsonObject *members, const char *name, const char *value)
{
  return strcmp (text (members, name), value) == 0;
}

static int
number (JsonObject *members, const char *name)
{
  gint64 found = 0;

  kh_json_get_int (members, name, 0, G_MAXINT, &found);
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
    { "inviting", N_ ("Waiting for your friend.") },
    { "meeting", N_ ("Somebody used the code. Checking that it is the same on both sides…") },
    { "looking", N_ ("The code is the same on both sides. Exchanging what is known of both networks…") },
    { "reaching", N_ ("Trying to reach your friend…") },
    { "connected", N_ ("You can talk now.") },
    { "resuming", N_ ("The path broke. Looking for another one…") },
    { "ended", N_ ("Goodbye.") },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (sentences); i++)
    if (is (members, "phase", sentences[i].phase))
      return g_strdup (_ (sentences[i].sentence));
  return NULL;
}

static char *
mailbox_connecting (JsonObject *members)
{
  /* Translators: %s is the name of a server. The meeting server is where two friends find one another. */
  return g_strdup_printf (_ ("Connecting to the meeting server %s…"), text (members, "server"));
}

static char *
mailbox_failed (JsonObject *members)
{
  /* Translators: %s is a reason, in English */
  return g_strdup_printf (_ ("The meeting server could not be reached: %s."), text (members, "reason"));
}

static char *
mailbox_lost (JsonObject *members)
{
  /* Translators: %s is a reason, in English */
  return g_strdup_printf (_ ("The connection to the meeting server broke: %s."), text (members, "reason"));
}

static char *
mailbox_retry (JsonObject *members)
{
  /* Translators: %.1f is a number of seconds */
  return g_strdup_printf (_ ("Trying the meeting server again in %.1f s."), number (members, "delay_ms") / 1000.0);
}

static char *
mailbox_motd (JsonObject *members)
{
  /* Translators: %s is a message from whoever runs the server, in any language */
  return g_strdup_printf (_ ("The meeting server says: %s"), text (members, "text"));
}

static char *
mapping_found (JsonObject *members)
{
  /* Translators: %1$s is an address with its port as the internet sees it, %2$s the server that said so */
  return g_strdup_printf (_ ("From outside you are %1$s, as %2$s sees it."), text (members, "outside"),
                          text (members, "server"));
}

static char *
stun_failed (JsonObject *members)
{
  /* Translators: STUN is a protocol, and stays as it is. %1$s is a server, %2$s a reason in English */
  return g_strdup_printf (_ ("A STUN server did not help (%1$s: %2$s); others may."), text (members, "server"),
                          text (members, "reason"));
}

static char *
offer_received (JsonObject *members)
{
  const char *name = kh_json_get_string (members, "name");

  /* Translators: %s is the name that the friend chose */
  return name != NULL && *name != '\0' ? g_strdup_printf (_ ("Your friend is called %s."), name) : NULL;
}

static guint
moves_of (JsonObject *members)
{
  JsonArray *names = kh_json_get_array (members, "moves");
  guint moves = 0;

  for (guint i = 0; names != NULL && i < json_array_get_length (names); i++)
    {
      JsonNode *node = json_array_get_element (names, i);
      const char *name = JSON_NODE_HOLDS_VALUE (node) ? json_node_get_string (node) : NULL;
      KhMove move;

      if (name != NULL && kh_move_from_name (name, &move))
        moves |= 1u << move;
    }

  return moves;
}

static const char *
moves_in_words (guint moves)
{
  /* By whether the local network, IPv6 and the internet are tried. */
  static const char *const sentences[] = {
    N_ ("There is nothing to try."),
    N_ ("Trying the local network."),
    N_ ("Trying IPv6."),
    N_ ("Trying the local network and IPv6."),
    N_ ("Trying the internet."),
    N_ ("Trying the local network and the internet."),
    N_ ("Trying IPv6 and the internet."),
    N_ ("Trying the local network, IPv6 and the internet."),
  };
  gboolean lan = (moves & 1u << KH_MOVE_LAN) != 0;
  gboolean ipv6 = (moves & 1u << KH_MOVE_IPV6) != 0;
  gboolean internet = (moves & ~(1u << KH_MOVE_LAN | 1u << KH_MOVE_IPV6)) != 0;

  return _ (sentences[lan + 2 * ipv6 + 4 * internet]);
}

static const char *
forecast_in_words (JsonObject *members)
{
  if (is (members, "forecast", "likely"))
    return _ ("A direct path is likely.");
  if (is (members, "forecast", "possible"))
    return _ ("A direct path is possible.");
  if (is (members, "forecast", "unlikely"))
    return _ ("A direct path is unlikely.");
  if (is (members, "forecast", "impossible"))
    return _ ("A direct path is impossible.");
  return NULL;
}

static char *
plan_made (JsonObject *members)
{
  const char *moves = moves_in_words (moves_of (members));
  const char *forecast = forecast_in_words (members);

  if (forecast == NULL)
    return g_strdup (moves);
  /* Translators: two sentences, one after the other: what is tried, and how likely it is */
  return g_strdup_printf (_ ("%1$s %2$s"), moves, forecast);
}

static char *
attempt_start (JsonObject *members)
{
  int id = number (members, "id");
  const char *remote = text (members, "remote");

  /* Translators: %1$d is the attempt's number, %2$s an address with its port. So in the next ones. */
  if (json_object_has_member (members, "ttl"))
    return g_strdup_printf (_ ("Attempt %1$d: opening our router for %2$s, without coming all the way."), id, remote);
  if (is (members, "move", "lan"))
    return g_strdup_printf (_ ("Attempt %1$d: dialling %2$s on the local network."), id, remote);
  if (is (members, "move", "ipv6"))
    return g_strdup_printf (_ ("Attempt %1$d: dialling %2$s over IPv6."), id, remote);
  if (is (members, "move", "guess"))
    return g_strdup_printf (_ ("Attempt %1$d: dialling %2$s, where your friend may be found."), id, remote);
  if (is (members, "move", "dice") || is (members, "move", "predict"))
    return g_strdup_printf (_ ("Attempt %1$d: one of many dials, at %2$s, is answered."), id, remote);
  if (is (members, "move", "dial") || is (members, "move", "prime") || is (members, "move", "reuse"))
    return g_strdup_printf (_ ("Attempt %1$d: dialling %2$s over the internet."), id, remote);
  return g_strdup_printf (_ ("Attempt %1$d: dialling %2$s."), id, remote);
}

static char *
dice_count (JsonObject *members)
{
  /* Translators: outside ports are not known, so many are tried; %1$d is how many dials have been made, %2$d how many of them wait */
  return g_strdup_printf (_ ("Looking for a port that fits: %1$d dials so far, %2$d of them open."),
                          number (members, "dialled"), number (members, "held"));
}

static char *
attempt_accepted (JsonObject *members)
{
  /* Translators: %1$d is the attempt's number, %2$s an address with its port */
  return g_strdup_printf (_ ("Attempt %1$d: somebody connects from %2$s."), number (members, "id"),
                          text (members, "remote"));
}

static char *
attempt_end (JsonObject *members)
{
  int id = number (members, "id");
  int elapsed = number (members, "elapsed_ms");

  /* Translators: %1$d is the attempt's number, %2$d a time in milliseconds. So in the next ones. */
  if (is (members, "outcome", "connected"))
    return g_strdup_printf (_ ("Attempt %1$d: connected after %2$d ms."), id, elapsed);
  if (is (members, "outcome", "refused"))
    return g_strdup_printf (_ ("Attempt %1$d: refused after %2$d ms."), id, elapsed);
  if (is (members, "outcome", "silent"))
    return g_strdup_printf (_ ("Attempt %1$d: no answer within %2$d ms."), id, elapsed);
  if (is (members, "outcome", "unreachable"))
    return g_strdup_printf (_ ("Attempt %1$d: found no way there, after %2$d ms."), id, elapsed);
  if (is (members, "outcome", "busy"))
    return g_strdup_printf (_ ("Attempt %1$d: is being made already (%2$d ms)."), id, elapsed);
  if (is (members, "outcome", "not-friend"))
    return g_strdup_printf (_ ("Attempt %1$d: was not your friend, after %2$d ms."), id, elapsed);
  if (is (members, "outcome", "lost-race") || is (members, "outcome", "cancelled"))
    return g_strdup_printf (_ ("Attempt %1$d: was not needed, after %2$d ms."), id, elapsed);
  return g_strdup_printf (_ ("Attempt %1$d: ended after %2$d ms."), id, elapsed);
}

static char *
target_refused (JsonObject *members)
{
  /* Translators: %1$s is an address with its port, %2$s a reason in English */
  return g_strdup_printf (_ ("The address %1$s is left out: %2$s."), text (members, "remote"),
                          text (members, "reason"));
}

static char *
path_selected (JsonObject *members)
{
  const char *remote = text (members, "remote");
  int elapsed = number (members, "elapsed_ms");

  /* Translators: %1$s is an address with its port, %2$d a time in milliseconds. So in the next three. */
  if (is (members, "kind", "lan"))
    return g_strdup_printf (_ ("Connected directly on the local network, to %1$s, after %2$d ms."), remote, elapsed);
  if (is (members, "kind", "ipv6"))
    return g_strdup_printf (_ ("Connected directly over IPv6, to %1$s, after %2$d ms."), remote, elapsed);
  if (is (members, "kind", "guess"))
    return g_strdup_printf (_ ("Connected directly over the internet, to %1$s, which was a guess, after %2$d ms."),
                            remote, elapsed);
  return g_strdup_printf (_ ("Connected directly over the internet, to %1$s, after %2$d ms."), remote, elapsed);
}

static char *
session_failed (JsonObject *members)
{
  return g_strdup (text (members, "sentence"));
}

static char *
in_words (KhEvent *event)
{
  static const struct
  {
    const char *kind;
    char *(*sentence) (JsonObject *members);
  } table[] = {
    { "session.phase", phase },
    { "mailbox.connecting", mailbox_connecting },
    { "mailbox.failed", mailbox_failed },
    { "mailbox.lost", mailbox_lost },
    { "mailbox.retry", mailbox_retry },
    { "mailbox.motd", mailbox_motd },
    { "mapping.found", mapping_found },
    { "stun.failed", stun_failed },
    { "offer.received", offer_received },
    { "plan.made", plan_made },
    { "target.refused", target_refused },
    { "attempt.start", attempt_start },
    { "attempt.accepted", attempt_accepted },
    { "dice.count", dice_count },
    { "attempt.end", attempt_end },
    { "path.selected", path_selected },
    { "session.failed", session_failed },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (table); i++)
    if (strcmp (table[i].kind, kh_event_get_kind (event)) == 0)
      return table[i].sentence (kh_event_get_members (event));
  return NULL;
}

/**
 * kh_sentence_for_event:
 * @event: something that happened, perhaps read from a file that anybody may have made
 *
 * Returns: (transfer full) (nullable): it in words, one line that is safe to show; %NULL when it is of no interest to
 *   people
 */
char *
kh_sentence_for_event (KhEvent *event)
{
  g_autofree char *sentence = in_words (event);

  return sentence != NULL ? kh_text_plain (sentence, MAX_SENTENCE) : NULL;
}
