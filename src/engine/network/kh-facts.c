/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-facts.h"

#include "kh-error.h"
#include "kh-json.h"

#include <gio/gio.h>
#include <string.h>

#define MAX_PROTOCOLS 16

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
  [KH_FACT_BARE_SYN] = { "bare_syn", YES_NO },
  [KH_FACT_HAIRPIN] = { "hairpin", YES_NO },
  [KH_FACT_AFTER_FIN] = { "after_fin", KEPT_LOST },
  [KH_FACT_AFTER_RST] = { "after_rst", KEPT_LOST },
  [KH_FACT_DOUBLE_NAT] = { "double_nat", YES_NO },
  [KH_FACT_CARRIER_NAT] = { "carrier_nat", YES_NO },
  [KH_FACT_IPV6] = { "ipv6", YES_NO },
  [KH_FACT_IPV6_INBOUND] = { "ipv6_inbound", YES_NO },
  [KH_FACT_VPN] = { "vpn", YES_NO },
  [KH_FACT_HOST_FIREWALL] = { "host_firewall", YES_NO },
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
  [KH_FACT_NAT_DEPTH] = { "nat_depth", 0, 255 },
};

/* In the order in which one is named before the others: the newest first. */
static const struct
{
  const char *name;
  KhRouterProtocols protocol;
} protocols[] = {
  { "pcp", KH_ROUTER_PCP },
  { "nat-pmp", KH_ROUTER_NAT_PMP },
  { "upnp", KH_ROUTER_UPNP },
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
  memset (&self->router, 0, sizeof self->router);
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

gboolean
kh_facts_knows (const KhFacts *self, KhFact fact)
{
  return self->words[fact] != facts[fact].words[0];
}

/**
 * kh_facts_fill:
 * @other: facts about the same network
 *
 * Takes from @other what is not known yet.
 */
void
kh_facts_fill (KhFacts *self, const KhFacts *other)
{
  for (int i = 0; i < KH_N_FACTS; i++)
    if (!kh_facts_knows (self, i))
      self->words[i] = other->words[i];
  for (int i = 0; i < KH_N_FACT_NUMBERS; i++)
    if (self->numbers[i] == KH_FACT_NUMBER_UNKNOWN)
      self->numbers[i] = other->numbers[i];
  if (!self->router.asked)
    self->router = other->router;
}

/* The protocol that is to be preferred, then all of them. */
static JsonObject *
router_to_json (const KhRouterFacts *router)
{
  JsonObject *object = json_object_new ();
  JsonArray *all = json_array_new ();
  const char *first = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++)
    if (router->protocols & protocols[i].protocol)
      {
        first = first != NULL ? first : protocols[i].name;
        json_array_add_string_element (all, protocols[i].name);
      }
  json_object_set_string_member (object, "protocol", first != NULL ? first : "none");
  json_object_set_array_member (object, "protocols", all);
  if (*router->external != '\0')
    json_object_set_string_member (object, "external", router->external);
  else
    json_object_set_null_member (object, "external");

  return object;
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
  if (self->router.asked)
    json_object_set_object_member (object, "router", router_to_json (&self->router));
  else
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

static KhRouterProtocols
find_protocol (const char *name)
{
  for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++)
    if (g_strcmp0 (protocols[i].name, name) == 0)
      return protocols[i].protocol;
  return KH_ROUTER_NONE;
}

/* Protocols that a later version knows are none to this one. */
static KhRouterProtocols
read_protocols (JsonObject *router)
{
  JsonArray *all = kh_json_get_array (router, "protocols");
  KhRouterProtocols found = find_protocol (kh_json_get_string (router, "protocol"));

  for (guint i = 0; all != NULL && i < MIN (json_array_get_length (all), MAX_PROTOCOLS); i++)
    {
      JsonNode *element = json_array_get_element (all, i);

      if (json_node_get_value_type (element) == G_TYPE_STRING)
        found |= find_protocol (json_node_get_string (element));
    }
  return found;
}

static gboolean
take_router (KhFacts *self, JsonObject *object)
{
  JsonObject *router = kh_json_get_object (object, "router");
  const char *external;
  g_autoptr (GInetAddress) address = NULL;

  if (router == NULL)
    return !json_object_has_member (object, "router") || json_object_get_null_member (object, "router");

  self->router.asked = TRUE;
  self->router.protocols = read_protocols (router);
  if (!json_object_has_member (router, "external") || json_object_get_null_member (router, "external"))
    return TRUE;

  external = kh_json_get_string (router, "external");
  address = external != NULL ? g_inet_address_new_from_string (external) : NULL;
  return address != NULL &&
         g_strlcpy (self->router.external, external, sizeof self->router.external) < sizeof self->router.external;
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
  good = good && take_router (self, object);

  if (!good)
    g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "facts with a member of a wrong type or range");
  return good;
}
