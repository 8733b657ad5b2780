/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check-words.h"

#include "kh-address.h"
#include "kh-fact-words.h"
#include "kh-test.h"

#include <string.h>

#define EIM "endpoint-independent"
#define APDM "address-and-port-dependent"

static const char *const servers[] = { "one.example.org", "two.example.org:443", NULL };

/* A check that has found something, and has asked. */
static void
fill (KhCheckResult *result, KhCheckState state)
{
  KhFindings *findings = &result->findings;

  kh_check_result_init (result);
  result->state = state;
  result->servers = servers;
  kh_facts_set (&findings->facts, KH_FACT_MAPPING, EIM);
  kh_facts_set (&findings->facts, KH_FACT_FILTERING, APDM);
  kh_facts_set (&findings->facts, KH_FACT_ALLOCATION, "preserving");
  findings->facts.router = (KhRouterFacts){ TRUE, KH_ROUTER_UPNP | KH_ROUTER_NAT_PMP | KH_ROUTER_PCP, "198.51.100.2" };
  for (int i = 0; i < KH_N_FINDINGS; i++)
    findings->reasons[i] = kh_words_finding_is_known (findings, i) ? KH_REASON_KNOWN : KH_REASON_NO_DIAL_BACK;
}

/* One that has found nothing. */
static void
fill_empty (KhCheckResult *result, KhCheckState state, KhReason reason)
{
  kh_check_result_init (result);
  result->state = state;
  result->servers = servers;
  for (int i = 0; i < KH_N_FINDINGS; i++)
    result->findings.reasons[i] = reason;
}

/* --- the head ----------------------------------------------------------------------------------------------------- */

static void
assert_head (const KhCheckResult *result, const char *headline, const char *caption, const char *status)
{
  g_autofree char *asked = kh_words_check_caption (result);
  g_autofree char *spoken = kh_words_check_status (result);

  g_assert_cmpstr (kh_words_check_headline (result), ==, headline);
  g_assert_cmpstr (asked, ==, caption);
  g_assert_cmpstr (spoken, ==, status);
}

static void
test_head (void)
{
  static const char reachable[] = "Friends can reach you directly on almost every network";
  KhCheckResult result;

  fill (&result, KH_CHECK_STATE_DONE);
  assert_head (&result, reachable, "Asked one.example.org, two.example.org:443",
               "The network check is done: Port-restricted cone");
  fill (&result, KH_CHECK_STATE_STOPPED);
  assert_head (&result, reachable, "Stopped before the end. Asked one.example.org, two.example.org:443",
               "The network check was stopped before the end: Port-restricted cone");
  fill_empty (&result, KH_CHECK_STATE_STOPPED, KH_REASON_STOPPED);
  assert_head (&result, "The check was stopped", "Stopped before the end. Asked one.example.org, two.example.org:443",
               "The network check was stopped before the end: Not known");
  fill_empty (&result, KH_CHECK_STATE_DONE, KH_REASON_SERVER_SILENT);
  assert_head (&result, "Your network could not be identified", "Asked one.example.org, two.example.org:443",
               "The network check is done: Not known");
  fill_empty (&result, KH_CHECK_STATE_NO_SERVER, KH_REASON_NO_SERVER);
  assert_head (&result, "No server answered", "Asked one.example.org, two.example.org:443", "No server answered");
  g_assert_nonnull (strstr (kh_words_check_advice (&result), "preferences"));
  fill_empty (&result, KH_CHECK_STATE_OFFLINE, KH_REASON_OFFLINE);
  assert_head (&result, "You are not connected to a network", "", "You are not connected to a network");
  g_assert_cmpstr (kh_words_check_advice (&result), ==, "The check starts when you are connected.");
}

/* Neither type nor verdict is told while it may still turn out to be another. */
static void
test_running (void)
{
  KhCheckResult result;
  g_autofree char *caption = NULL;

  fill (&result, KH_CHECK_STATE_RUNNING);
  result.findings.reasons[KH_FINDING_FILTERING] = KH_REASON_NOT_YET;
  result.findings.reasons[KH_FINDING_VPN] = KH_REASON_NOT_YET;
  g_assert_false (kh_words_check_is_judged (&result));
  g_assert_cmpstr (kh_words_check_nat_type (&result), ==, "Checking…");
  caption = kh_words_check_caption (&result);
  g_assert_cmpstr (caption, ==, "Asking one.example.org, two.example.org:443. 15 of 17 tests done");
  result.findings.reasons[KH_FINDING_FILTERING] = KH_REASON_KNOWN;
  g_assert_true (kh_words_check_is_judged (&result));
  g_assert_cmpstr (kh_words_check_nat_type (&result), ==, "Port-restricted cone");
}

/* --- the report --------------------------------------------------------------------------------------------------- */

static int
columns_of (const char *line)
{
  int columns = 0;

  for (const char *p = line; *p != '\0'; p = g_utf8_next_char (p))
    columns += g_unichar_iswide (g_utf8_get_char (p)) ? 2 : 1;
  return columns;
}

static void
assert_table (const char *report)
{
  g_auto (GStrv) lines = g_strsplit (report, "\n", -1);

  g_test_message ("%s", report);
  for (char **line = lines; *line != NULL; line++)
    {
      g_assert_cmpint (columns_of (*line), <=, 80);
      g_assert_false (g_str_has_suffix (*line, " "));
    }
  g_assert_true (g_str_has_suffix (report, "\n"));
}

static void
test_report (void)
{
  g_autoptr (GInetSocketAddress) inside = kh_address_new ("192.168.2.2", 41234);
  g_autoptr (GInetSocketAddress) outside = kh_address_new ("198.51.100.2", 41234);
  g_autoptr (GTimeZone) zone = g_time_zone_new_offset (2 * 60 * 60);
  g_autoptr (GDateTime) began = g_date_time_new (zone, 2026, 3, 7, 9, 5, 42);
  KhCheckResult result;
  g_autofree char *whole = NULL;
  g_autofree char *shortened = NULL;

  fill (&result, KH_CHECK_STATE_DONE);
  result.inside = inside;
  result.outside = outside;
  result.began = began;
  whole = kh_words_report (&result, TRUE);
  shortened = kh_words_report (&result, FALSE);

  assert_table (whole);
  assert_table (shortened);
  g_assert_nonnull (strstr (whole, "192.168.2.2:41234 → 198.51.100.2:41234"));
  g_assert_nonnull (strstr (shortened, "192.168.2.2:41234 → 198.51.x.x:41234"));
  g_assert_null (strstr (shortened, "198.51.100.2"));
  g_assert_nonnull (strstr (shortened, "\n2026-03-07 09:05+02:00\nAsked one.example.org, two.example.org:443\n"));
  g_assert_nonnull (strstr (whole, "  NAT Type                    Port-restricted cone\n"));
  g_assert_nonnull (strstr (whole, "  Choice of Ports             Same as inside        RFC 4787 4.2"));
  g_assert_nonnull (strstr (whole, "  A Strict Router (Symmetric NAT)   Likely\n"));
  for (int i = 0; i < KH_N_FINDINGS; i++)
    g_assert_nonnull (strstr (whole, kh_words_finding_title (i)));
}

static void
assert_headed (KhCheckState state, KhReason reason, const char *headline)
{
  KhCheckResult result;
  g_autofree char *report = NULL;

  fill_empty (&result, state, reason);
  report = kh_words_report (&result, FALSE);
  assert_table (report);
  g_assert_nonnull (strstr (report, headline));
  g_assert_nonnull (strstr (report, "  Public Mapping              Not known\n"));
  g_assert_null (strstr (report, "With a friend"));
}

static void
test_report_of_nothing (void)
{
  assert_headed (KH_CHECK_STATE_STOPPED, KH_REASON_STOPPED, "\nThe check was stopped\n");
  assert_headed (KH_CHECK_STATE_NO_SERVER, KH_REASON_NO_SERVER, "\nNo server answered\n");
  assert_headed (KH_CHECK_STATE_OFFLINE, KH_REASON_OFFLINE, "\nYou are not connected to a network\n");
  assert_headed (KH_CHECK_STATE_DONE, KH_REASON_LOCAL, "\nYour network could not be identified\n");
}

/* A reason is told once, after the titles of all rows that it is one for. */
static void
test_report_reasons (void)
{
  KhCheckResult result;
  g_autofree char *report = NULL;

  fill (&result, KH_CHECK_STATE_DONE);
  for (int i = 0; i < KH_N_FINDINGS; i++)
    result.findings.reasons[i] = KH_REASON_KNOWN;
  result.findings.reasons[KH_FINDING_HOST_FIREWALL] = KH_REASON_KEPT_OUT;
  result.findings.reasons[KH_FINDING_AFTER_FIN] = KH_REASON_ONE_ADDRESS;
  result.findings.reasons[KH_FINDING_AFTER_RST] = KH_REASON_ONE_ADDRESS;
  result.findings.reasons[KH_FINDING_IDLE] = KH_REASON_NOT_ASKED;
  report = kh_words_report (&result, FALSE);
  g_assert_nonnull (strstr (report, "\n  Port After Closing, Port After a Reset: The server has one address only"));
  g_assert_nonnull (strstr (report, "\n  Firewall of This Computer: Your router lets no stranger through"));
  g_assert_null (strstr (report, "\n  Life of a Silent Connection:"));
}

static void
test_report_with_long_addresses (void)
{
  g_autoptr (GInetSocketAddress) inside = kh_address_new ("fd00:1111:2222:3333:4444:5555:6666:7777", 65535);
  g_autoptr (GInetSocketAddress) outside = kh_address_new ("2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", 65535);
  KhCheckResult result;
  g_autofree char *whole = NULL;

  fill (&result, KH_CHECK_STATE_DONE);
  result.inside = inside;
  result.outside = outside;
  whole = kh_words_report (&result, TRUE);
  assert_table (whole);
  g_assert_nonnull (strstr (whole, "[2001:db8:ffff:ffff:ffff:ffff:ffff:ffff]:65535"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/check-words/head", test_head);
  g_test_add_func ("/check-words/running", test_running);
  g_test_add_func ("/check-words/report", test_report);
  g_test_add_func ("/check-words/report-of-nothing", test_report_of_nothing);
  g_test_add_func ("/check-words/report-reasons", test_report_reasons);
  g_test_add_func ("/check-words/report-with-long-addresses", test_report_with_long_addresses);
  return g_test_run ();
}
