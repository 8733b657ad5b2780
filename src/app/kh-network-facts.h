/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-trace.h"

G_BEGIN_DECLS

#define KH_TYPE_NETWORK_FACTS (kh_network_facts_get_type ())
G_DECLARE_FINAL_TYPE (KhNetworkFacts, kh_network_facts, KH, NETWORK_FACTS, AdwBin)

void kh_network_facts_set_trace (KhNetworkFacts *self, KhTrace *trace);

G_END_DECLS
