/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-matrix-table.h"

#include <string.h>

static const char *const nats[] = { "open", "symmetric", NULL };

static void
test_results (void)
{
  g_autoptr (KhMatrixTable) table = kh_matrix_table_new (nats);

  g_assert_cmpstr (kh_matrix_table_get_result (table, 0, 0), ==, KH_MATRIX_NOT_TRIED);
  kh_matrix_table_add (table, 0, 0, "connected", NULL, "dial", 30);
  g_assert_cmpstr (kh_matrix_table_get_result (table, 0, 0), ==, "connected");
  kh_matrix_table_add (table, 0, 0, "no-path", NULL, NULL, -1);
  g_assert_cmpstr (kh_matrix_table_get_result (table, 0, 0), ==, "no-path");
  kh_matrix_table_add (table, 0, 0, "lost", "It broke off.", NULL, -1);
  kh_matrix_table_add (table, 0, 0, "protocol", "It said nonsense.", NULL, -1);
  g_assert_cmpstr (kh_matrix_table_get_result (table, 0, 0), ==, "lost");
  g_assert_false (kh_matrix_table_is_sound (table));
}

static void
test_median (void)
{
  g_autoptr (KhMatrixTable) table = kh_matrix_table_new (nats);
  const int times[] = { 900, 20, 100 };

  g_assert_cmpint (kh_matrix_table_get_median (table, 1, 0), ==, -1);
  for (gsize i = 0; i < G_N_ELEMENTS (times); i++)
    kh_matrix_table_add (table, 1, 0, "connected", NULL, "dial", times[i]);
  g_assert_cmpint (kh_matrix_table_get_median (table, 1, 0), ==, 100);
}

static void
fill (KhMatrixTable *table)
{
  kh_matrix_table_add (table, 0, 0, "connected", NULL, "lan", 1);
  kh_matrix_table_add (table, 0, 1, "connected", NULL, "dial", 160);
  kh_matrix_table_add (table, 1, 0, "connected", NULL, "dial", 170);
  kh_matrix_table_add (table, 1, 1, "no-path", NULL, NULL, -1);
}

static void
test_wide (void)
{
  g_autoptr (KhMatrixTable) table = kh_matrix_table_new (nats);
  g_autofree char *text = NULL;

  fill (table);
  g_assert_true (kh_matrix_table_is_sound (table));
  text = kh_matrix_table_format (table, 80);
  g_assert_true (g_str_has_prefix (text, "                     1         2\n"
                                         " 1 open          lan 1  dial 160\n"
                                         " 2 symmetric  dial 170         –\n"));
  g_assert_nonnull (strstr (text, "3 of 4 pairs connected."));
}

/* The kind of path that is usual goes without saying. */
static void
test_narrow (void)
{
  g_autoptr (KhMatrixTable) table = kh_matrix_table_new (nats);
  g_autofree char *text = NULL;

  fill (table);
  text = kh_matrix_table_format (table, 30);
  g_assert_true (g_str_has_prefix (text, "                  1    2\n"
                                         " 1 open       lan 1  160\n"
                                         " 2 symmetric    170    –\n"));
  g_assert_nonnull (strstr (text, "by dial unless"));
}

static void
test_remarks (void)
{
  g_autoptr (KhMatrixTable) table = kh_matrix_table_new (nats);
  g_autofree char *text = NULL;

  kh_matrix_table_add (table, 0, 0, "lost", "It broke off.", NULL, -1);
  kh_matrix_table_add (table, 0, 1, "connected", NULL, "dial", 160);
  kh_matrix_table_add (table, 0, 1, "no-path", NULL, NULL, -1);
  text = kh_matrix_table_format (table, 80);
  g_assert_nonnull (strstr (text, "open invites open: 0 of 1 rounds connected, lost: It broke off.\n"));
  g_assert_nonnull (strstr (text, "open invites symmetric: 1 of 2 rounds connected\n"));
  g_assert_nonnull (strstr (text, "  fails  1/2\n"));
  g_assert_nonnull (strstr (text, "?: not tried."));
}

static void
test_json (void)
{
  g_autoptr (KhMatrixTable) table = kh_matrix_table_new (nats);
  g_autofree char *text = NULL;

  kh_matrix_table_add (table, 0, 0, "connected", NULL, "dial", 160);
  text = kh_matrix_table_format_json (table);
  g_assert_true (g_str_has_prefix (
      text,
      "[\n{\"left\":\"open\",\"right\":\"open\",\"rounds\":1,\"connected\":1,\"result\":\"connected\",\"kind\":\"dial\","
      "\"median_ms\":160,\"sentence\":null},\n"));
  g_assert_true (g_str_has_suffix (text, "\"median_ms\":null,\"sentence\":null}\n]\n"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/lab/matrix-table/results", test_results);
  g_test_add_func ("/lab/matrix-table/median", test_median);
  g_test_add_func ("/lab/matrix-table/wide", test_wide);
  g_test_add_func ("/lab/matrix-table/narrow", test_narrow);
  g_test_add_func ("/lab/matrix-table/remarks", test_remarks);
  g_test_add_func ("/lab/matrix-table/json", test_json);

  return g_test_run ();
}
