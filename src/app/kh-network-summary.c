/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-network-summary.h"

#include "config.h"

#include "kh-fact-words.h"
#include "kh-json.h"

#include <glib/gi18n.h>
#include <string.h>

static const char *
in_words (const KhFacts *facts)
{
  return kh_facts_knows (facts, KH_FACT_MAPPING) ? kh_words_nat_type (facts) : _ ("Not known yet");
}

/* Two servers that see the same, or not, are the first test of a router; one server proves nothing. */
static const char *
compare (const char *outside, const char *first_outside, const char *local)
{
  if (g_strcmp0 (outside, local) == 0)
    return "none";
  return g_strcmp0 (outside, first_outside) == 0 ? "endpoint-independent" : "address-and-port-dependent";
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
    kh_facts_set (&self->facts, KH_FACT_MAPPING,
                  compare (outside, self->first_outside, kh_json_get_string (members, "local")));
  g_free (self->outside);
  self->outside = g_strdup (outside);
}

static void
read_facts (KhFacts *facts, JsonObject *members)
{
  JsonObject *object = kh_json_get_object (members, "facts");

  if (object == NULL || !kh_facts_from_json (facts, object, NULL))
    kh_facts_init (facts);
}

static const char *
read_friend (JsonObject *members)
{
  KhFacts facts;

  read_facts (&facts, members);
  return in_words (&facts);
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
    read_facts (&self->facts, members);
  else if (strcmp (kind, "offer.received") == 0)
    self->friend = read_friend (members);
  else
    return FALSE;
  self->router = in_words (&self->facts);
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
  *self = (KhNetworkSummary){ NULL };
  kh_facts_init (&self->facts);
  self->router = self->friend = in_words (&self->facts);
}
