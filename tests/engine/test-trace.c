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
  g_test_add_func ("/trace/bounded", test_bounded);
  g_test_add_func ("/trace/hostile-lines", test_hostile_lines);
  return g_test_run ();
}
