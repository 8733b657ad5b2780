/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-facts.h"
#include "kh-trace.h"

G_BEGIN_DECLS

/**
 * KhNetworkSummary:
 * @outside: (nullable): where the internet sees us, `address:port`
 * @router: what is known of our own router, in words
 * @friend: what is known of the friend's router, in words
 *
 * What a session's events tell of the networks, for people. Begins with kh_network_summary_clear() on zeros.
 */
typedef struct
{
  char *outside;
  const char *router;
  const char *friend;

  /*< private >*/
  KhFacts facts;      /* about our own */
  char *first_server; /* the first that answered, to compare the others with */
  char *first_outside;
} KhNetworkSummary;

gboolean kh_network_summary_take  (KhNetworkSummary *self,
                                   KhEvent          *event);
void     kh_network_summary_clear (KhNetworkSummary *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KhNetworkSummary, kh_network_summary_clear)

G_END_DECLS
