/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-findings.h"
#include "kh-stun-client.h"

G_BEGIN_DECLS

#define KH_TYPE_SURROUNDINGS (kh_surroundings_get_type ())
G_DECLARE_FINAL_TYPE (KhSurroundings, kh_surroundings, KH, SURROUNDINGS, GObject)

KhSurroundings *kh_surroundings_new        (void);
void            kh_surroundings_look       (KhSurroundings     *self,
                                            KhStunClient       *chosen);
void            kh_surroundings_look_v6    (KhSurroundings     *self,
                                            GInetSocketAddress *server);
void            kh_surroundings_close      (KhSurroundings     *self);
const KhFacts  *kh_surroundings_get_facts  (KhSurroundings     *self);
KhReason        kh_surroundings_get_reason (KhSurroundings     *self,
                                            KhFinding           finding);

G_END_DECLS
