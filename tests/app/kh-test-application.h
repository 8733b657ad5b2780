/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-application.h"
#include "kh-test-friend.h"
#include "kh-test-widgets.h"
#include "kh-window.h"

G_BEGIN_DECLS

typedef void (*KhTestBody) (KhApplication *application, KhWindow *window);

void kh_test_application_add (const char *path, KhTestBody body);
GSettings *kh_test_use_server (KhTestFriend *friend);
gboolean kh_test_window_shows (KhWindow *window, const char *page);
GtkWidget *kh_test_window_page (KhWindow *window, const char *page);
void kh_test_activate (KhWindow *window, const char *action, const char *value);
gboolean kh_test_is_enabled (KhWindow *window, const char *action);
char *kh_test_state (KhWindow *window, const char *action);
gboolean kh_test_state_is (KhWindow *window, const char *action, const char *value);
KhSession *kh_test_last_session (void);
guint kh_test_count_sessions (void);
guint kh_test_count_windows (GType type);
GtkWindow *kh_test_get_window (GType type);

void kh_test_assert_page (KhWindow *window, const char *page);
void kh_test_invite (KhWindow *window);
void kh_test_join (KhWindow *window, KhTestFriend *friend);
void kh_test_talk (KhWindow *window, KhTestFriend *friend);
void kh_test_close_for_good (KhWindow *window);

#define kh_test_wait_page(window, page) kh_test_wait_until (kh_test_window_shows (window, page), KH_TEST_WAIT)

#define kh_test_assert_state(window, action, value)                                                                    \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autofree char *kh_state = kh_test_state (window, action);                                                        \
    g_assert_cmpstr (kh_state, ==, value);                                                                             \
  }                                                                                                                    \
  G_STMT_END

G_END_DECLS
