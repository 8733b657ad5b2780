/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * KhFact:
 *
 * The facts about a network that are one word of a list. Each has `unknown` among its words: what was not measured is
 * unknown, never "no".
 */
typedef enum
{
  KH_FACT_MAPPING,
  KH_FACT_FILTERING,
  KH_FACT_ALLOCATION,
  KH_FACT_STRANGER,
  KH_FACT_SIMULTANEOUS_OPEN,
  KH_FACT_HAIRPIN,
  KH_FACT_AFTER_FIN,
  KH_FACT_AFTER_RST,
  KH_FACT_DOUBLE_NAT,
  KH_FACT_IPV6,
  KH_N_FACTS
} KhFact;

/**
 * KhFactNumber:
 *
 * The facts that are a number: ports, and seconds for %KH_FACT_IDLE_SECONDS.
 */
typedef enum
{
  KH_FACT_DELTA,
  KH_FACT_PORT_LOW,
  KH_FACT_PORT_HIGH,
  KH_FACT_IDLE_SECONDS,
  KH_N_FACT_NUMBERS
} KhFactNumber;

#define KH_FACT_NUMBER_UNKNOWN G_MININT

/**
 * KhFacts:
 * @words: (array fixed-size=10): by #KhFact, a static string
 * @numbers: (array fixed-size=4): by #KhFactNumber, %KH_FACT_NUMBER_UNKNOWN where not measured
 *
 * What is known about one side's network. A plain value.
 */
typedef struct
{
  const char *words[KH_N_FACTS];
  int numbers[KH_N_FACT_NUMBERS];
} KhFacts;

void        kh_facts_init      (KhFacts *self);
void        kh_facts_set       (KhFacts *self, KhFact fact, const char *word);
gboolean    kh_facts_is        (const KhFacts *self, KhFact fact, const char *word);
JsonObject *kh_facts_to_json   (const KhFacts *self);
gboolean    kh_facts_from_json (KhFacts *self, JsonObject *object, GError **error);

G_END_DECLS
