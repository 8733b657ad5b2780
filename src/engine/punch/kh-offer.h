/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-facts.h"
#include "kh-move.h"

G_BEGIN_DECLS

#define KH_OFFER_VERSION 1
#define KH_PLAN_VERSION 1
#define KH_OFFER_MAX_BYTES 32768
#define KH_OFFER_MAX_CANDIDATES 16
#define KH_OFFER_MAX_NAME 64

/**
 * KhCandidateKind:
 * @KH_CANDIDATE_LAN: an address of one of the side's own interfaces
 * @KH_CANDIDATE_OUTSIDE: what a STUN server sees
 * @KH_CANDIDATE_MAPPED: a mapping that the router made when asked
 * @KH_CANDIDATE_IPV6: a global IPv6 address of the side's own
 * @KH_CANDIDATE_GUESS: the address a meeting server sees, with the port assumed to be preserved
 */
typedef enum
{
  KH_CANDIDATE_LAN,
  KH_CANDIDATE_OUTSIDE,
  KH_CANDIDATE_MAPPED,
  KH_CANDIDATE_IPV6,
  KH_CANDIDATE_GUESS,
  KH_N_CANDIDATE_KINDS
} KhCandidateKind;

/**
 * KhCandidate:
 * @kind: where the address comes from
 * @address: address and port
 * @age_ms: milliseconds since it was last verified, -1 when that means nothing
 */
typedef struct
{
  KhCandidateKind kind;
  GInetSocketAddress *address;
  gint64 age_ms;
} KhCandidate;

/**
 * KhOffer:
 * @plan_version: the newest way of planning that the side knows
 * @name: (nullable): what the side calls itself, safe to show
 * @facts: what it knows of its network
 * @candidates: (element-type KhCandidate): where it may be reached
 * @moves: the moves it allows, a bit mask of #KhMove
 *
 * What each side tells the other once they have met: everything a plan is made from.
 */
typedef struct
{
  guint plan_version;
  char *name;
  KhFacts facts;
  GPtrArray *candidates;
  guint moves;
} KhOffer;

KhOffer    *kh_offer_new        (void);
void        kh_offer_free       (KhOffer *self);
void        kh_offer_add        (KhOffer *self, KhCandidateKind kind, GInetSocketAddress *address, gint64 age_ms);
JsonObject *kh_offer_to_json    (const KhOffer *self);
KhOffer    *kh_offer_from_bytes (GBytes *bytes, GError **error);
JsonArray  *kh_offer_candidates_to_json (const KhOffer *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhOffer, kh_offer_free)

G_END_DECLS
