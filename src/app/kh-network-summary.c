/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-network-summary.h"

#include "config.h"

#include "kh-json.h"

#include <glib/gi18n.h>
#include <string.h>

static const char *
mapping_in_words (const char *mapping)
{
  static const struct
  {
    const char *mapping; /* the words of RFC 4787 */
    const char *words;
  } table[] = {
    { "endpoint-independent", N_ ("Easy to reach: one outside port for everybody (cone)") },
    { "address-dependent", N_ ("Hard to reach: another outside port for each address (symmetric)") },
    { "address-and-port-dependent", N_ ("Hard to reach: another outside port for each destination (symmetric)") },
    { "none", N_ ("Nothing in between: outside and inside address are the same") },
  };

  for (gsize i = 0; mapping != NULL && i < G_N_ELEMENTS (table); i++)
    if (strcmp (table[i].mapping, mapping) == 0)
      return _ (table[i].words);
  return _ ("Not known yet");
}

/* Two servers that see the same, or not, are the first test of a router; one server proves nothing. */
static const char *
compare (const char *outside, const char *first_outside, const char *local)
{
  if (g_strcmp0 (outside, local) == 0)
    return mapping_in_words ("none");
  if (g_strcmp0 (outside, first_outside) == 0)
    return mapping_in_words ("endpoint-independent");
  return _ ("Hard to reach: another outside port for each destination (symmetric)");
}

static void
read_mapping (KhNetworkSummary *self, JsonObject *members)
{
  const char *server = kh_json_get_string (members, "server");
  const char *outside = kh_json_get_string (members, "outside");

  if (server == NULL || outside == NULL)
    return;

  if (self->first_server == NULL || strcmp (self->first_server, server) == 0)
    {
      g_free (self->first_server);
      g_free (self->first_outside);
      self->first_server = g_strdup (server);
      self->first_outside = g_strdup (outside);
    }
  else
    self->router = compare (outside, self->first_outside, kh_json_get_string (members, "local"));
  g_free (self->outside);
  self->outside = g_strdup (outside);
}

static const char *
read_facts (JsonObject *members)
{
  JsonObject *facts = kh_json_get_object (members, "facts");

  return mapping_in_words (facts != NULL ? kh_json_get_string (facts, "mapping") : NULL);
}

/**
 * kh_network_summary_take:
 * @self: what is known so far; nothing, when it is all zero
 * @event: what happens next
 *
 * Returns: whether something is known by it
 */
gboolean
kh_network_summary_take (KhNetworkSummary *self, KhEvent *event)
{
  const char *kind = kh_event_get_kind (event);
  JsonObject *members = kh_event_get_members (event);

  if (strcmp (kind, "mapping.found") == 0)
    read_mapping (self, members);
  else if (strcmp (kind, "offer.sent") == 0)
    self->router = read_facts (members);
  else if (strcmp (kind, "offer.received") == 0)
    self->friend = read_facts (members);
  else
    return FALSE;
  return TRUE;
}

/**
 * kh_network_summary_clear:
 *
 * Nothing is known.
 */
void
kh_network_summary_clear (KhNetworkSummary *self)
{
  g_free (self->outside);
  g_free (self->first_server);
  g_free (self->first_outside);
  *self = (KhNetworkSummary){ NULL, mapping_in_words (NULL), mapping_in_words (NULL) };
}
