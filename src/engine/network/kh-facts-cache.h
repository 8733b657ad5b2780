/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-facts.h"

#include <gio/gio.h>

G_BEGIN_DECLS

#define KH_TYPE_FACTS_CACHE (kh_facts_cache_get_type ())
G_DECLARE_FINAL_TYPE (KhFactsCache, kh_facts_cache, KH, FACTS_CACHE, GObject)

KhFactsCache  *kh_facts_cache_new    (void);
void           kh_facts_cache_store  (KhFactsCache  *self,
                                      GInetAddress  *gateway,
                                      GInetAddress  *outside,
                                      const KhFacts *facts);
const KhFacts *kh_facts_cache_lookup (KhFactsCache  *self,
                                      GInetAddress  *gateway,
                                      GInetAddress  *outside);

G_END_DECLS
