/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-deduce.h"

#define INSIDE "192.168.1.2:4000"
#define OUTSIDE "203.0.113.9:4000"
#define ANOTHER "203.0.113.9:4001"
#define THIRD "203.0.113.9:4002"

static GInetSocketAddress *
address (const char *text)
{
  return text != NULL ? kh_address_from_text (text) : NULL;
}

static void
test_mapping (void)
{
  static const struct
  {
    const char *local, *first, *port, *address;
    KhReason reason;
    const char *word;
  } cases[] = {
    { INSIDE, NULL, NULL, NULL, KH_REASON_NO_SERVER, "unknown" },
    { INSIDE, OUTSIDE, OUTSIDE, OUTSIDE, KH_REASON_KNOWN, "endpoint-independent" },
    { INSIDE, OUTSIDE, NULL, OUTSIDE, KH_REASON_KNOWN, "endpoint-independent" },
    { INSIDE, OUTSIDE, OUTSIDE, ANOTHER, KH_REASON_KNOWN, "address-dependent" },
    { INSIDE, OUTSIDE, ANOTHER, THIRD, KH_REASON_KNOWN, "address-and-port-dependent" },
    { INSIDE, OUTSIDE, ANOTHER, NULL, KH_REASON_KNOWN, "address-and-port-dependent" },
    { INSIDE, OUTSIDE, NULL, ANOTHER, KH_REASON_AMBIGUOUS, "unknown" },
    { INSIDE, OUTSIDE, OUTSIDE, NULL, KH_REASON_ONE_ADDRESS, "unknown" },
    { INSIDE, OUTSIDE, NULL, NULL, KH_REASON_ONE_ADDRESS, "unknown" },
    { OUTSIDE, OUTSIDE, NULL, NULL, KH_REASON_KNOWN, "none" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GInetSocketAddress) local = address (cases[i].local);
      g_autoptr (GInetSocketAddress) first = address (cases[i].first);
      g_autoptr (GInetSocketAddress) port = address (cases[i].port);
      g_autoptr (GInetSocketAddress) other = address (cases[i].address);
      const KhSightings sightings = { local, first, port, other };
      KhFacts facts;

      kh_facts_init (&facts);
      g_assert_cmpint (kh_deduce_mapping (&sightings, &facts), ==, cases[i].reason);
      g_assert_true (kh_facts_is (&facts, KH_FACT_MAPPING, cases[i].word));
    }
}

static void
test_filtering (void)
{
#define WENT(how)                                                                                                      \
  {                                                                                                                    \
    KH_REASON_KNOWN, KH_DIAL_##how                                                                                     \
  }
#define NOT(why)                                                                                                       \
  {                                                                                                                    \
    KH_REASON_##why, KH_DIAL_UNKNOWN                                                                                   \
  }
  static const struct
  {
    KhDialOutcome port, address;
    KhReason filtering;
    const char *filtering_word;
    KhReason stranger;
    const char *stranger_word;
  } cases[] = {
    { WENT (CONNECTED), WENT (CONNECTED), KH_REASON_KNOWN, "endpoint-independent", KH_REASON_KNOWN, "open" },
    { WENT (CONNECTED), WENT (SILENT), KH_REASON_KNOWN, "address-dependent", KH_REASON_KNOWN, "silent" },
    { WENT (CONNECTED), WENT (REFUSED), KH_REASON_KNOWN, "address-dependent", KH_REASON_KNOWN, "rst" },
    { WENT (SILENT), WENT (SILENT), KH_REASON_KNOWN, "address-and-port-dependent", KH_REASON_KNOWN, "silent" },
    { WENT (UNREACHABLE), WENT (UNREACHABLE), KH_REASON_KNOWN, "address-and-port-dependent", KH_REASON_KNOWN, "icmp" },
    { WENT (CONNECTED), NOT (ONE_ADDRESS), KH_REASON_ONE_ADDRESS, "unknown", KH_REASON_ONE_ADDRESS, "unknown" },
    { WENT (REFUSED), NOT (ONE_ADDRESS), KH_REASON_KNOWN, "address-and-port-dependent", KH_REASON_KNOWN, "rst" },
    { NOT (CONTRADICTION), WENT (SILENT), KH_REASON_CONTRADICTION, "unknown", KH_REASON_KNOWN, "silent" },
    { NOT (NO_DIAL_BACK), NOT (NO_DIAL_BACK), KH_REASON_NO_DIAL_BACK, "unknown", KH_REASON_NO_DIAL_BACK, "unknown" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      KhFacts facts;

      kh_facts_init (&facts);
      g_assert_cmpint (kh_deduce_filtering (&cases[i].port, &cases[i].address, &facts), ==, cases[i].filtering);
      g_assert_true (kh_facts_is (&facts, KH_FACT_FILTERING, cases[i].filtering_word));
      g_assert_cmpint (kh_deduce_stranger (&cases[i].port, &cases[i].address, &facts), ==, cases[i].stranger);
      g_assert_true (kh_facts_is (&facts, KH_FACT_STRANGER, cases[i].stranger_word));
    }
}

static void
test_allocation (void)
{
  static const struct
  {
    guint16 outside[9]; /* of the inside ports 20000, 20010, … */
    const char *word;
    int delta;
  } cases[] = {
    { { 20000, 20010, 20020, 20030, 20040, 20050, 20060, 20070, 20080 }, "preserving", KH_FACT_NUMBER_UNKNOWN },
    { { 20000, 20010, 31337, 20030, 20040, 20050, 20060, 20070, 20080 }, "preserving", KH_FACT_NUMBER_UNKNOWN },
    { { 5000, 5001, 5002, 5003, 5004, 5005, 5006, 5007, 5008 }, "sequential", 1 },
    { { 5000, 5002, 5004, 5006, 5008, 5010, 5012, 5014, 5016 }, "sequential", 2 },
    { { 5016, 5012, 5008, 5004, 5000, 4996, 4992, 4988, 4984 }, "sequential", -4 },
    /* somebody else dials meanwhile */
    { { 5000, 5001, 5002, 5005, 5006, 5007, 5009, 5010, 5011 }, "sequential", 1 },
    /* past the end of the range, once */
    { { 65533, 65534, 65535, 1024, 1025, 1026, 1027, 1028, 1029 }, "sequential", 1 },
    { { 5300, 5011, 5402, 5123, 5244, 5007, 5499, 5301, 5222 }, "block", KH_FACT_NUMBER_UNKNOWN },
    { { 1300, 65011, 5402, 40123, 9244, 52007, 35499, 25301, 60222 }, "random", KH_FACT_NUMBER_UNKNOWN },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      KhSample samples[9];
      KhFacts facts;

      for (int n = 0; n < 9; n++)
        samples[n] = (KhSample){ 20000 + 10 * n, cases[i].outside[n] };
      kh_facts_init (&facts);
      g_assert_cmpint (kh_deduce_allocation (samples, 9, &facts), ==, KH_REASON_KNOWN);
      g_assert_cmpstr (facts.words[KH_FACT_ALLOCATION], ==, cases[i].word);
      g_assert_cmpint (facts.numbers[KH_FACT_DELTA], ==, cases[i].delta);
    }
}

static void
test_allocation_range (void)
{
  const KhSample samples[] = { { 1, 700 }, { 2, 300 }, { 3, 500 }, { 4, 301 },
                               { 5, 650 }, { 6, 420 }, { 7, 333 }, { 8, 699 } };
  KhFacts facts;

  kh_facts_init (&facts);
  g_assert_cmpint (kh_deduce_allocation (samples, 7, &facts), ==, KH_REASON_SERVER_SILENT);
  g_assert_false (kh_facts_knows (&facts, KH_FACT_ALLOCATION));
  g_assert_cmpint (kh_deduce_allocation (samples, 8, &facts), ==, KH_REASON_KNOWN);
  g_assert_cmpint (facts.numbers[KH_FACT_PORT_LOW], ==, 300);
  g_assert_cmpint (facts.numbers[KH_FACT_PORT_HIGH], ==, 700);
}

static void
test_nats (void)
{
  static const struct
  {
    const char *mapping;
    int depth;
    const char *external;
    const char *twice, *carrier;
    gboolean shared; /* a router on the way has an address of 100.64.0.0/10 */
  } cases[] = {
    { "none", 0, "", "no", "no" },
    { "endpoint-independent", 1, "", "no", "no" },
    /* home router and provider's, or two at home: private addresses are in use for either */
    { "endpoint-independent", 2, "", "unknown", "unknown" },
    { "endpoint-independent", 1, "203.0.113.9", "no", "no" },
    { "endpoint-independent", KH_FACT_NUMBER_UNKNOWN, "203.0.113.9", "no", "no" },
    /* the router's own word: it stands behind another one */
    { "endpoint-independent", 1, "192.168.7.3", "yes", "unknown" },
    { "endpoint-independent", KH_FACT_NUMBER_UNKNOWN, "100.64.1.2", "yes", "yes" },
    /* the provider's router is the first, and the only one */
    { "endpoint-independent", 1, "", "no", "yes", TRUE },
    { "endpoint-independent", 2, "", "yes", "yes", TRUE },
    { "none", 1, "", "no", "no", TRUE },
    /* a router that lies, has several addresses, or stands behind one that does not show itself */
    { "endpoint-independent", 1, "198.51.100.7", "unknown", "unknown" },
    { "endpoint-independent", KH_FACT_NUMBER_UNKNOWN, "198.51.100.7", "unknown", "unknown" },
    { "endpoint-independent", 0, "", "unknown", "unknown" },
    { "unknown", KH_FACT_NUMBER_UNKNOWN, "", "unknown", "unknown" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GInetSocketAddress) outside = address (OUTSIDE);
      gboolean deep = cases[i].depth != KH_FACT_NUMBER_UNKNOWN;
      KhReason reasons[2];
      KhFacts facts;

      kh_facts_init (&facts);
      kh_facts_set (&facts, KH_FACT_MAPPING, cases[i].mapping);
      facts.numbers[KH_FACT_NAT_DEPTH] = cases[i].depth;
      if (cases[i].shared)
        kh_facts_set (&facts, KH_FACT_CARRIER_NAT, "yes");
      g_strlcpy (facts.router.external, cases[i].external, sizeof facts.router.external);
      kh_deduce_nats (&facts, outside, deep ? KH_REASON_KNOWN : KH_REASON_NO_ICMP, reasons);
      g_assert_cmpstr (facts.words[KH_FACT_DOUBLE_NAT], ==, cases[i].twice);
      g_assert_cmpstr (facts.words[KH_FACT_CARRIER_NAT], ==, cases[i].carrier);
      /* No distance is no NAT. */
      g_assert_true ((facts.numbers[KH_FACT_NAT_DEPTH] == 0) == g_str_equal (cases[i].mapping, "none"));
      g_assert_true ((reasons[0] == KH_REASON_KNOWN) == kh_facts_knows (&facts, KH_FACT_DOUBLE_NAT));
      g_assert_true ((reasons[1] == KH_REASON_KNOWN) == kh_facts_knows (&facts, KH_FACT_CARRIER_NAT));
    }
}

static void
test_hole (void)
{
  static const struct
  {
    KhDialOutcome outcome;
    KhReason mapping;
    const char *filtering;
    KhReason reason;
    const char *word;
  } cases[] = {
    { WENT (CONNECTED), KH_REASON_KNOWN, "address-and-port-dependent", KH_REASON_KNOWN, "yes" },
    { WENT (CONNECTED), KH_REASON_ONE_ADDRESS, "unknown", KH_REASON_KNOWN, "yes" },
    { WENT (SILENT), KH_REASON_KNOWN, "address-and-port-dependent", KH_REASON_KNOWN, "no" },
    { WENT (REFUSED), KH_REASON_KNOWN, "unknown", KH_REASON_KNOWN, "no" },
    { WENT (SILENT), KH_REASON_ONE_ADDRESS, "address-and-port-dependent", KH_REASON_ONE_ADDRESS, "unknown" },
    { WENT (SILENT), KH_REASON_KNOWN, "endpoint-independent", KH_REASON_AMBIGUOUS, "unknown" },
    { NOT (SERVER_LIMIT), KH_REASON_KNOWN, "unknown", KH_REASON_SERVER_LIMIT, "unknown" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      KhFacts facts;

      kh_facts_init (&facts);
      kh_facts_set (&facts, KH_FACT_FILTERING, cases[i].filtering);
      g_assert_cmpint (kh_deduce_hole (&cases[i].outcome, cases[i].mapping, KH_FACT_BARE_SYN, &facts), ==,
                       cases[i].reason);
      g_assert_cmpstr (facts.words[KH_FACT_BARE_SYN], ==, cases[i].word);
    }

  {
    /* What was refused came too early to cross; what nobody answered did not. */
    const KhDialOutcome refused = WENT (REFUSED), silent = WENT (SILENT);
    KhFacts facts;

    kh_facts_init (&facts);
    g_assert_cmpint (kh_deduce_hole (&refused, KH_REASON_KNOWN, KH_FACT_SIMULTANEOUS_OPEN, &facts), ==,
                     KH_REASON_AMBIGUOUS);
    g_assert_false (kh_facts_knows (&facts, KH_FACT_SIMULTANEOUS_OPEN));
    g_assert_cmpint (kh_deduce_hole (&silent, KH_REASON_KNOWN, KH_FACT_SIMULTANEOUS_OPEN, &facts), ==, KH_REASON_KNOWN);
    g_assert_true (kh_facts_is (&facts, KH_FACT_SIMULTANEOUS_OPEN, "no"));
  }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/deduce/mapping", test_mapping);
  g_test_add_func ("/deduce/filtering", test_filtering);
  g_test_add_func ("/deduce/allocation", test_allocation);
  g_test_add_func ("/deduce/allocation-range", test_allocation_range);
  g_test_add_func ("/deduce/nats", test_nats);
  g_test_add_func ("/deduce/hole", test_hole);
  return g_test_run ();
}
