/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a friend sends as an offer, it is refused or read; what was read can be sent on as it is, and a plan can be made
 * from it.
 *
 * The input is an offer; or its facts alone, as a file may hold them. */
#include "fuzz.h"
#include "kh-error.h"
#include "kh-json.h"
#include "kh-plan.h"

static void
check_facts (JsonObject *object)
{
  KhFacts facts, again;
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) sent = NULL;
  g_autoptr (JsonObject) resent = NULL;
  g_autofree char *text = NULL;
  g_autofree char *retext = NULL;

  if (!kh_facts_from_json (&facts, object, &error))
    {
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
      return;
    }

  g_assert_no_error (error);
  sent = kh_facts_to_json (&facts);
  g_assert_true (kh_facts_from_json (&again, sent, NULL));
  resent = kh_facts_to_json (&again);
  text = kh_json_to_text (sent);
  retext = kh_json_to_text (resent);
  g_assert_cmpstr (text, ==, retext);
}

/* Nobody is dialled but whom the other side has named. */
static void
check_targets (const GPtrArray *targets, const KhOffer *offer)
{
  for (guint i = 0; i < targets->len; i++)
    {
      gboolean named = FALSE;

      for (guint j = 0; j < offer->candidates->len; j++)
        named = named || ((KhCandidate *) g_ptr_array_index (offer->candidates, j))->address == targets->pdata[i];
      g_assert_true (named);
    }
}

static void
check_gamble (const KhGamble *gamble)
{
  if (gamble->remote == NULL)
    return;
  g_assert_cmpuint (gamble->low, <=, gamble->high);
  g_assert_cmpuint (gamble->held, >, 0);
  g_assert_cmpuint (gamble->budget, <=, 1500);
}

static void
check_plan (const KhOffer *inviter, const KhOffer *joiner)
{
  g_autoptr (KhPlan) plan = kh_plan_new (inviter, joiner, 0);

  g_assert_cmpuint (plan->moves->len, <=, KH_N_MOVES);
  for (guint i = 0; i < plan->moves->len; i++)
    {
      const KhPlanMove *move = g_ptr_array_index (plan->moves, i);

      check_targets (move->sides[KH_ROLE_INVITER].targets, joiner);
      check_targets (move->sides[KH_ROLE_JOINER].targets, inviter);
      for (int role = 0; role < 2; role++)
        check_gamble (&move->sides[role].gamble);
    }
}

static void
check_offer (const KhOffer *offer)
{
  g_autoptr (JsonObject) object = kh_offer_to_json (offer);
  g_autoptr (GBytes) sent = kh_json_to_bytes (object);
  g_autoptr (GError) error = NULL;
  g_autoptr (KhOffer) again = kh_offer_from_bytes (sent, &error);
  g_autoptr (JsonObject) reobject = NULL;
  g_autoptr (GBytes) resent = NULL;
  g_autoptr (KhOffer) own = kh_offer_new ();

  g_assert_no_error (error);
  reobject = kh_offer_to_json (again);
  resent = kh_json_to_bytes (reobject);
  g_assert_true (g_bytes_equal (sent, resent));
  g_assert_cmpuint (offer->candidates->len, <=, KH_OFFER_MAX_CANDIDATES);
  g_assert_true (offer->name == NULL || g_utf8_strlen (offer->name, -1) <= KH_OFFER_MAX_NAME);
  check_plan (own, offer);
  check_plan (offer, own);
  check_plan (offer, offer);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) object = kh_json_parse_bytes (bytes, KH_OFFER_MAX_BYTES, NULL);
  g_autoptr (KhOffer) offer = kh_offer_from_bytes (bytes, &error);

  g_assert_true ((offer == NULL) == (error != NULL));
  if (object != NULL)
    check_facts (object);
  if (offer != NULL)
    check_offer (offer);
  else
    g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);

  return 0;
}
