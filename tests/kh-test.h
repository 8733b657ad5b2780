/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/* Runs the main loop until a condition holds; fails the test, naming the condition, when it does not within
 * MILLISECONDS (times KH_TEST_PATIENCE where everything is slow). Never a sleep: the loop turns as soon as something
 * happens. */
#define kh_test_wait_until(condition, milliseconds)                                       \
  G_STMT_START                                                                            \
  {                                                                                       \
    gint64 kh_deadline = g_get_monotonic_time () + kh_test_patience (milliseconds);        \
    guint kh_tick = g_timeout_add (10, kh_test_tick, NULL);                               \
    while (!(condition) && g_get_monotonic_time () < kh_deadline)                         \
      g_main_context_iteration (NULL, TRUE);                                              \
    g_source_remove (kh_tick);                                                            \
    if (!(condition))                                                                     \
      g_error ("%s:%d: not within %d ms: %s", __FILE__, __LINE__, (int) (milliseconds), #condition); \
  }                                                                                       \
  G_STMT_END

gint64      kh_test_patience     (gint64 milliseconds);
gboolean    kh_test_tick         (gpointer unused);
void        kh_test_store_result (GObject *source, GAsyncResult *result, gpointer location);
JsonObject *kh_test_load_json    (const char *path_below_tests);
GBytes     *kh_test_unhex        (const char *hex);
char       *kh_test_hex          (const void *data, gsize length);
void        kh_test_assert_hex   (const void *data, gsize length, const char *expected);
void        kh_test_settle       (void);

G_END_DECLS
