/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-check.h"

G_BEGIN_DECLS

#define KH_TYPE_OWN_FACTS (kh_own_facts_get_type ())
G_DECLARE_FINAL_TYPE (KhOwnFacts, kh_own_facts, KH, OWN_FACTS, GObject)

KhOwnFacts *kh_own_facts_new   (KhTrace            *trace,
                                const char *const  *servers,
                                KhFactsCache       *cache);
void        kh_own_facts_start (KhOwnFacts         *self,
                                KhCheckExtent       extent);
void        kh_own_facts_stop  (KhOwnFacts         *self);
gboolean    kh_own_facts_is_over (KhOwnFacts       *self,
                                  KhFinding         finding);
void        kh_own_facts_fill  (KhOwnFacts         *self,
                                GInetSocketAddress *outside,
                                KhFacts            *facts);

G_END_DECLS
