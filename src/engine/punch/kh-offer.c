/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-offer.h"

#include "kh-address.h"
#include "kh-error.h"
#include "kh-json.h"
#include "kh-text.h"

static const char *const kind_names[KH_N_CANDIDATE_KINDS] = {
  [KH_CANDIDATE_LAN] = "lan",   [KH_CANDIDATE_OUTSIDE] = "outside", [KH_CANDIDATE_MAPPED] = "mapped",
  [KH_CANDIDATE_IPV6] = "ipv6", [KH_CANDIDATE_GUESS] = "guess",
};

static void
candidate_free (KhCandidate *candidate)
{
  g_object_unref (candidate->address);
  g_free (candidate);
}

/**
 * kh_offer_new:
 *
 * Returns: (transfer full): an offer with unknown facts, no candidates, and all moves allowed
 */
KhOffer *
kh_offer_new (void)
{
  KhOffer *self = g_new0 (KhOffer, 1);

  self->plan_version = KH_PLAN_VERSION;
  kh_facts_init (&self->facts);
  self->candidates = g_ptr_array_new_with_free_func ((GDestroyNotify) candidate_free);
  self->moves = KH_ALL_MOVES;

  return self;
}

void
kh_offer_free (KhOffer *self)
{
  g_free (self->name);
  g_ptr_array_unref (self->candidates);
  g_free (self);
}

/**
 * kh_offer_add:
 * @kind: where the address comes from
 * @address: address and port
 * @age_ms: milliseconds since it was verified, -1 when that means nothing
 *
 * Adds a candidate. Beyond %KH_OFFER_MAX_CANDIDATES it is left out: a friend would refuse the offer.
 */
void
kh_offer_add (KhOffer *self, KhCandidateKind kind, GInetSocketAddress *address, gint64 age_ms)
{
  KhCandidate *candidate;

  if (self->candidates->len >= KH_OFFER_MAX_CANDIDATES)
    return;

  candidate = g_new0 (KhCandidate, 1);
  candidate->kind = kind;
  candidate->address = g_object_ref (address);
  candidate->age_ms = age_ms;
  g_ptr_array_add (self->candidates, candidate);
}

/* --- to JSON ---------------------------------------------------------------------------------------------- */

static JsonObject *
candidate_to_json (const KhCandidate *candidate)
{
  g_autofree char *ip = g_inet_address_to_string (g_inet_socket_address_get_address (candidate->address));
  JsonObject *object = kh_json_build ("kind:s address:s port:i", kind_names[candidate->kind], ip,
                                      g_inet_socket_address_get_port (candidate->address));

  if (candidate->age_ms >= 0)
    json_object_set_int_member (object, "age_ms", candidate->age_ms);
  return object;
}

/**
 * kh_offer_candidates_to_json:
 *
 * Returns: (transfer full): the candidates as offers and events carry them
 */
JsonArray *
kh_offer_candidates_to_json (const KhOffer *self)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < self->candidates->len; i++)
    json_array_add_object_element (array, candidate_to_json (g_ptr_array_index (self->candidates, i)));
  return array;
}

static JsonArray *
moves_to_json (guint moves)
{
  JsonArray *array = json_array_new ();

  for (guint i = 0; i < KH_N_MOVES; i++)
    if (moves & (1u << i))
      json_array_add_string_element (array, kh_move_name (i));
  return array;
}

/**
 * kh_offer_to_json:
 *
 * Returns: (transfer full): the offer as it travels
 */
JsonObject *
kh_offer_to_json (const KhOffer *self)
{
  return kh_json_build ("knothole:i plan-version:i name:s facts:o candidates:a moves:a relay:a", KH_OFFER_VERSION,
                        self->plan_version, self->name, kh_facts_to_json (&self->facts),
                        kh_offer_candidates_to_json (self), moves_to_json (self->moves), json_array_new ());
}

/* --- from JSON: everything here was written by the friend ---------------------------------------------------- */

static gboolean
fail (GError **error, const char *what)
{
  g_set_error (error, KH_ERROR, KH_ERROR_PROTOCOL, "Your friend's Knothole sent an offer that makes no sense (%s).",
               what);
  return FALSE;
}

static gboolean
kind_from_name (const char *name, KhCandidateKind *kind)
{
  for (guint i = 0; i < KH_N_CANDIDATE_KINDS; i++)
    if (g_strcmp0 (kind_names[i], name) == 0)
      {
        *kind = i;
        return TRUE;
      }
  return FALSE;
}

static gboolean
take_candidate (KhOffer *self, JsonNode *node, GError **error)
{
  JsonObject *object = JSON_NODE_HOLDS_OBJECT (node) ? json_node_get_object (node) : NULL;
  g_autoptr (GInetSocketAddress) address = NULL;
  const char *ip;
  KhCandidateKind kind;
  gint64 port;
  gint64 age_ms = -1;

  if (object == NULL)
    return fail (error, "a candidate is not an object");
  if (!kind_from_name (kh_json_get_string (object, "kind"), &kind))
    return TRUE; /* a kind that a later version knows */

  ip = kh_json_get_string (object, "address");
  if (ip == NULL || !kh_json_get_int (object, "port", 1, G_MAXUINT16, &port))
    return fail (error, "a candidate without address or port");
  address = kh_address_new (ip, port);
  if (address == NULL)
    return fail (error, "a candidate's address is none");
  if (json_object_has_member (object, "age_ms") && !kh_json_get_int (object, "age_ms", 0, G_MAXINT32, &age_ms))
    return fail (error, "a candidate's age is none");

  kh_offer_add (self, kind, address, age_ms);
  return TRUE;
}

static gboolean
take_candidates (KhOffer *self, JsonObject *object, GError **error)
{
  JsonArray *array = kh_json_get_array (object, "candidates");

  if (array == NULL || json_array_get_length (array) > KH_OFFER_MAX_CANDIDATES)
    return fail (error, "no candidates, or too many");
  for (guint i = 0; i < json_array_get_length (array); i++)
    if (!take_candidate (self, json_array_get_element (array, i), error))
      return FALSE;
  return TRUE;
}

static gboolean
take_moves (KhOffer *self, JsonObject *object, GError **error)
{
  JsonArray *array = kh_json_get_array (object, "moves");

  if (array == NULL || json_array_get_length (array) > 64)
    return fail (error, "no moves, or too many");

  self->moves = 0;
  for (guint i = 0; i < json_array_get_length (array); i++)
    {
      JsonNode *node = json_array_get_element (array, i);
      KhMove move;

      if (!JSON_NODE_HOLDS_VALUE (node) || json_node_get_value_type (node) != G_TYPE_STRING)
        return fail (error, "a move is not a name");
      if (kh_move_from_name (json_node_get_string (node), &move))
        self->moves |= 1u << move;
    }
  return TRUE;
}

static gboolean
take_facts (KhOffer *self, JsonObject *object, GError **error)
{
  JsonObject *facts = kh_json_get_object (object, "facts");

  return (facts != NULL && kh_facts_from_json (&self->facts, facts, NULL)) ||
         fail (error, "no facts, or one of a wrong type");
}

static gboolean
take_versions (KhOffer *self, JsonObject *object, GError **error)
{
  gint64 version;

  if (!kh_json_get_int (object, "knothole", 1, G_MAXINT32, &version) || version != KH_OFFER_VERSION)
    return fail (error, "another version");
  if (!kh_json_get_int (object, "plan-version", 1, G_MAXINT32, &version))
    return fail (error, "no plan version");

  self->plan_version = version;
  return TRUE;
}

/**
 * kh_offer_from_bytes:
 * @bytes: what the friend sent
 * @error: return location
 *
 * Reads an offer. Each field is checked; kinds, moves and members of later versions are passed over.
 *
 * Returns: (transfer full): the offer, or %NULL with %KH_ERROR_PROTOCOL
 */
KhOffer *
kh_offer_from_bytes (GBytes *bytes, GError **error)
{
  g_autoptr (KhOffer) self = kh_offer_new ();
  g_autoptr (JsonObject) object = kh_json_parse_bytes (bytes, KH_OFFER_MAX_BYTES, NULL);
  const char *name;

  if (object == NULL)
    {
      fail (error, "not JSON, or too long");
      return NULL;
    }
  if (!take_versions (self, object, error) || !take_facts (self, object, error) ||
      !take_candidates (self, object, error) || !take_moves (self, object, error))
    return NULL;

  name = kh_json_get_string (object, "name");
  if (name != NULL)
    self->name = kh_text_plain (name, KH_OFFER_MAX_NAME);

  return g_steal_pointer (&self);
}
