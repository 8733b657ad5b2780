/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"
#include "kh-json.h"
#include "kh-test.h"
#include "kh-trace.h"

#include <string.h>

static void
test_lines (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhTrace) again = NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (KhEvent) event = NULL;
  g_autofree char *lines = NULL;
  g_autofree char *lines_again = NULL;

  kh_trace_add (trace, "session.phase", "phase:s", "starting");
  kh_trace_add (trace, "attempt.start", "id:i move:s", 1, "dial");
  lines = kh_trace_to_lines (trace);
  again = kh_trace_from_lines (lines, strlen (lines), &error);
  g_assert_no_error (error);
  lines_again = kh_trace_to_lines (again);

  g_assert_cmpstr (lines, ==, lines_again);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (again)), ==, 2);
  event = g_list_model_get_item (G_LIST_MODEL (again), 1);
  g_assert_cmpstr (kh_event_get_kind (event), ==, "attempt.start");
  g_assert_cmpstr (kh_json_get_string (kh_event_get_members (event), "move"), ==, "dial");
}

/* A report is made to be shown. */
static void
test_no_code_in_lines (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autofree char *lines = NULL;

  kh_trace_add (trace, "invite.code", "code:s link:s", "7-secret", "knothole:7-secret");
  kh_trace_add (trace, "session.phase", "phase:s", "inviting");
  lines = kh_trace_to_lines (trace);
  g_assert_null (strstr (lines, "secret"));
  g_assert_nonnull (strstr (lines, "inviting"));
}

/* What strangers need not know, and what they need. */
static void
test_report (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhTrace) again = NULL;
  g_autofree char *report = NULL;
  JsonArray *candidates = json_array_new ();

  json_array_add_object_element (candidates, kh_json_build ("address:s port:i", "203.0.113.7", 4000));
  kh_trace_add (trace, "invite.code", "code:s link:s", "7-secret", "knothole:7-secret");
  kh_trace_add (trace, "offer.sent", "name:s candidates:a", "Anna", candidates);
  kh_trace_add (trace, "stun.failed", "server:s reason:s", "stun.example.org:3478", "no route to 198.51.100.9");
  kh_trace_add (trace, "attempt.start", "id:i local:s", 1, "192.168.1.2:4000");
  report = kh_trace_to_report (trace);

  g_assert_null (strstr (report, "secret"));
  g_assert_null (strstr (report, "Anna"));
  g_assert_null (strstr (report, "name"));
  g_assert_null (strstr (report, "113"));
  g_assert_nonnull (strstr (report, "\"203.0.x.x\""));
  g_assert_nonnull (strstr (report, "no route to 198.51.x.x"));
  g_assert_nonnull (strstr (report, "stun.example.org:3478"));
  g_assert_nonnull (strstr (report, "192.168.1.2:4000"));
  again = kh_trace_from_lines (report, strlen (report), NULL);
  g_assert_cmpuint (g_list_model_get_n_items (G_LIST_MODEL (again)), ==, 3);
}

static void
test_bounded (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhEvent) last = NULL;
  guint n;

  for (int i = 0; i <= 2 * KH_TRACE_MAX_EVENTS; i++)
    kh_trace_add (trace, "n", "i:i", i);

  n = g_list_model_get_n_items (G_LIST_MODEL (trace));
  g_assert_cmpuint (n, <=, KH_TRACE_MAX_EVENTS);
  last = g_list_model_get_item (G_LIST_MODEL (trace), n - 1);
  g_assert_cmpint (json_object_get_int_member (kh_event_get_members (last), "i"), ==, 2 * KH_TRACE_MAX_EVENTS);
}

static void
test_hostile_lines (void)
{
  static const char *const cases[] = {
    "x", "[]\n", "{}\n", "{\"t\":-1,\"type\":\"x\"}", "{\"t\":1,\"type\":2}", "{\"t\":\"1\",\"type\":\"x\"}"
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;

      g_assert_null (kh_trace_from_lines (cases[i], strlen (cases[i]), &error));
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/trace/lines", test_lines);
  g_test_add_func ("/trace/no-code-in-lines", test_no_code_in_lines);
  g_test_add_func ("/trace/report", test_report);
  g_test_add_func ("/trace/bounded", test_bounded);
  g_test_add_func ("/trace/hostile-lines", test_hostile_lines);
  return g_test_run ();
}
