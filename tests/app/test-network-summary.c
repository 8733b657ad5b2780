/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-network-summary.h"

#include <string.h>

#define UNKNOWN "Not known yet"
#define KEEPS "Cone; filtering not known"
#define DIFFERS "Symmetric"
#define NONE "No NAT; firewall not known"

#define FOUND(server, local, outside)                                                                                  \
  "{\"t\":1,\"type\":\"mapping.found\",\"server\":\"" server "\",\"local\":\"" local "\",\"outside\":\"" outside "\"}\n"
#define OFFER(which, mapping)                                                                                          \
  "{\"t\":2,\"type\":\"offer." which "\",\"name\":null,\"facts\":{\"mapping\":\"" mapping "\"},\"candidates\":[]}\n"

typedef struct
{
  const char *name;
  const char *lines;
  const char *outside;
  const char *router;
  const char *friend;
} Case;

static const Case usual[] = {
  { "nothing", "", NULL, UNKNOWN, UNKNOWN },
  { "one-server", FOUND ("a:1", "10.0.0.2:5", "203.0.113.1:5"), "203.0.113.1:5", UNKNOWN, UNKNOWN },
  { "same-server-twice", FOUND ("a:1", "10.0.0.2:5", "203.0.113.1:5") FOUND ("a:1", "10.0.0.2:5", "203.0.113.1:9"),
    "203.0.113.1:9", UNKNOWN, UNKNOWN },
  { "one-port", FOUND ("a:1", "10.0.0.2:5", "203.0.113.1:5") FOUND ("b:1", "10.0.0.2:5", "203.0.113.1:5"),
    "203.0.113.1:5", KEEPS, UNKNOWN },
  { "two-ports", FOUND ("a:1", "10.0.0.2:5", "203.0.113.1:5") FOUND ("b:1", "10.0.0.2:5", "203.0.113.1:6"),
    "203.0.113.1:6", DIFFERS, UNKNOWN },
  { "no-router", FOUND ("a:1", "203.0.113.1:5", "203.0.113.1:5") FOUND ("b:1", "203.0.113.1:5", "203.0.113.1:5"),
    "203.0.113.1:5", NONE, UNKNOWN },
  { "offers", OFFER ("sent", "endpoint-independent") OFFER ("received", "address-dependent"), NULL, KEEPS, DIFFERS },
  { "offers-of-all-kinds", OFFER ("sent", "address-and-port-dependent") OFFER ("received", "none"), NULL, DIFFERS,
    NONE },
  { "offer-after-guess",
    FOUND ("a:1", "10.0.0.2:5", "203.0.113.1:5") FOUND ("b:1", "10.0.0.2:5", "203.0.113.1:5")
        OFFER ("sent", "address-dependent"),
    "203.0.113.1:5", DIFFERS, UNKNOWN },
};

static const Case hostile[] = {
  { "unknown-mapping", OFFER ("sent", "nonsense") OFFER ("received", ""), NULL, UNKNOWN, UNKNOWN },
  { "no-facts", "{\"t\":1,\"type\":\"offer.sent\"}\n{\"t\":1,\"type\":\"offer.received\",\"facts\":null}\n", NULL,
    UNKNOWN, UNKNOWN },
  { "wrong-types",
    "{\"t\":1,\"type\":\"offer.received\",\"facts\":[\"mapping\"]}\n"
    "{\"t\":1,\"type\":\"offer.received\",\"facts\":{\"mapping\":7}}\n"
    "{\"t\":1,\"type\":\"mapping.found\",\"server\":1,\"outside\":{}}\n",
    NULL, UNKNOWN, UNKNOWN },
  { "no-outside", "{\"t\":1,\"type\":\"mapping.found\",\"server\":\"a:1\",\"local\":\"10.0.0.2:5\"}\n", NULL, UNKNOWN,
    UNKNOWN },
  { "no-server", "{\"t\":1,\"type\":\"mapping.found\",\"outside\":\"203.0.113.1:5\"}\n", NULL, UNKNOWN, UNKNOWN },
  { "no-local",
    "{\"t\":1,\"type\":\"mapping.found\",\"server\":\"a:1\",\"outside\":\"203.0.113.1:5\"}\n"
    "{\"t\":1,\"type\":\"mapping.found\",\"server\":\"b:1\",\"outside\":\"203.0.113.1:5\"}\n",
    "203.0.113.1:5", KEEPS, UNKNOWN },
  { "other-events", "{\"t\":1,\"type\":\"mapping.founds\",\"server\":\"a:1\",\"outside\":\"203.0.113.1:5\"}\n", NULL,
    UNKNOWN, UNKNOWN },
};

static void
take (KhEvent *event, gpointer summary)
{
  kh_network_summary_take (summary, event);
}

static void
test_case (gconstpointer data)
{
  const Case *expected = data;
  g_auto (KhNetworkSummary) summary = { 0 };
  g_autoptr (GError) error = NULL;
  g_autoptr (KhTrace) trace = kh_trace_from_lines (expected->lines, strlen (expected->lines), &error);

  g_assert_no_error (error);
  kh_network_summary_clear (&summary);
  kh_trace_foreach (trace, 0, G_MAXUINT, take, &summary);
  g_assert_cmpstr (summary.outside, ==, expected->outside);
  g_assert_cmpstr (summary.router, ==, expected->router);
  g_assert_cmpstr (summary.friend, ==, expected->friend);
}

static void
add_cases (const char *group, const Case *cases, gsize count)
{
  for (gsize i = 0; i < count; i++)
    {
      g_autofree char *path = g_strdup_printf ("/network-summary/%s/%s", group, cases[i].name);

      g_test_add_data_func (path, &cases[i], test_case);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  add_cases ("usual", usual, G_N_ELEMENTS (usual));
  add_cases ("hostile", hostile, G_N_ELEMENTS (hostile));
  return g_test_run ();
}
