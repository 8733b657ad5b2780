/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-facts.h"

#include "kh-error.h"
#include "kh-json.h"

#define YES_NO                                                                                                         \
  {                                                                                                                    \
    "unknown", "yes", "no"                                                                                             \
  }
#define KEPT_LOST                                                                                                      \
  {                                                                                                                    \
    "unknown", "kept", "same-port", "lost"                                                                             \
  }

/* Each fact's member in JSON and the words it may have; the first is what it is until measured. */
static const struct
{
  const char *member;
  const char *words[6];
} facts[KH_N_FACTS] = {
  [KH_FACT_MAPPING] = { "mapping",
                        { "unknown", "endpoint-independent", "address-dependent", "address-and-port-dependent",
                          "none" } },
  [KH_FACT_FILTERING] = { "filtering",
                          { "unknown", "endpoint-independent", "address-dependent", "address-and-port-dependent",
                            "none" } },
  [KH_FACT_ALLOCATION] = { "allocation", { "unknown", "preserving", "sequential", "block", "random" } },
  [KH_FACT_STRANGER] = { "stranger", { "unknown", "silent", "rst", "icmp", "open" } },
  [KH_FACT_SIMULTANEOUS_OPEN] = { "simultaneous_open", YES_NO },
  [KH_FACT_HAIRPIN] = { "hairpin", YES_NO },
  [KH_FACT_AFTER_FIN] = { "after_fin", KEPT_LOST },
  [KH_FACT_AFTER_RST] = { "after_rst", KEPT_LOST },
  [KH_FACT_DOUBLE_NAT] = { "double_nat", YES_NO },
  [KH_FACT_IPV6] = { "ipv6", YES_NO },
};

static const struct
{
  const char *member;
  int low;
  int high;
} numbers[KH_N_FACT_NUMBERS] = {
  [KH_FACT_DELTA] = { "delta", -G_MAXUINT16, G_MAXUINT16 },
  [KH_FACT_PORT_LOW] = { "port_low", 1, G_MAXUINT16 },
  [KH_FACT_PORT_HIGH] = { "port_high", 1, G_MAXUINT16 },
  [KH_FACT_IDLE_SECONDS] = { "idle_seconds", 0, 7 * 24 * 3600 },
};

static const char *
find_word (KhFact fact, const char *word)
{
  for (gsize i = 0; i < G_N_ELEMENTS (facts[fact].words) && facts[fact].words[i] != NULL; i++)
    if (g_strcmp0 (facts[fact].words[i], word) == 0)
      return facts[fact].words[i];
  return NULL;
}

/**
 * kh_facts_init:
 * @self: (out caller-allocates): all unknown afterwards
 */
void
kh_facts_init (KhFacts *self)
{
  for (int i = 0; i < KH_N_FACTS; i++)
    self->words[i] = facts[i].words[0];
  for (int i = 0; i < KH_N_FACT_NUMBERS; i++)
    self->numbers[i] = KH_FACT_NUMBER_UNKNOWN;
}

/**
 * kh_facts_set:
 * @fact: which one
 * @word: one of its words
 */
void
kh_facts_set (KhFacts *self, KhFact fact, const char *word)
{
  const char *known = find_word (fact, word);

  g_return_if_fail (known != NULL);

  self->words[fact] = known;
}

gboolean
kh_facts_is (const KhFacts *self, KhFact fact, const char *word)
{
  return self->words[fact] == find_word (fact, word);
}

/**
 * kh_facts_to_json:
 *
 * Returns: (transfer full): an object that always has all members
 */
JsonObject *
kh_facts_to_json (const KhFacts *self)
{
  JsonObject *object = json_object_new ();

  for (int i = 0; i < KH_N_FACTS; i++)
    json_object_set_string_member (object, facts[i].member, self->words[i]);
  for (int i = 0; i < KH_N_FACT_NUMBERS; i++)
    if (self->numbers[i] == KH_FACT_NUMBER_UNKNOWN)
      json_object_set_null_member (object, numbers[i].member);
    else
      json_object_set_int_member (object, numbers[i].member, self->numbers[i]);
  json_object_set_null_member (object, "router");

  return object;
}

static gboolean
take_word (KhFacts *self, KhFact fact, JsonObject *object)
{
  const char *word = kh_json_get_string (object, facts[fact].member);

  if (word == NULL)
    return !json_object_has_member (object, facts[fact].member);

  /* A word that a later version knows is unknown to this one. */
  self->words[fact] = find_word (fact, word);
  if (self->words[fact] == NULL)
    self->words[fact] = facts[fact].words[0];
  return TRUE;
}

static gboolean
take_number (KhFacts *self, KhFactNumber number, JsonObject *object)
{
  const char *member = numbers[number].member;
  gint64 value;

  if (!json_object_has_member (object, member) || json_object_get_null_member (object, member))
    return TRUE;
  if (!kh_json_get_int (object, member, numbers[number].low, numbers[number].high, &value))
    return FALSE;

  self->numbers[number] = value;
  return TRUE;
}

/**
 * kh_facts_from_json:
 * @self: (out caller-allocates): the facts
 * @object: what a friend or a file says
 * @error: return location
 *
 * Returns: whether each member that is there has the right type and range; else %KH_ERROR_PROTOCOL
 */
gboolean
kh_facts_from_json (KhFacts *self, JsonObject *object, GError **error)
{
  gboolean good = TRUE;

  kh_facts_init (self);
  for (int i = 0; i < KH_N_FACTS; i++)
    good = good && take_word (self, i, object);
  for (int i = 0; i < KH_N_FACT_NUMBERS; i++)
    good = good && take_number (self, i, object);

  if (!good)
    g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "facts with a member of a wrong type or range");
  return good;
}
