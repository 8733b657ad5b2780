/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-friend.h"
#include "kh-test-page.h"

#include "kh-invite-page.h"
#include "kh-qr-code.h"

#define CODE "7-crossover-bedlamp-customer"

typedef KhTestPage Fixture;

static void
set_up (Fixture *fixture, gconstpointer unused)
{
  kh_test_page_set_up (fixture, KH_TYPE_INVITE_PAGE);
  kh_invite_page_set_session (fixture->page, fixture->session);
}

static void
add_code (Fixture *fixture, const char *code, const char *link)
{
  kh_trace_add (kh_session_get_trace (fixture->session), "invite.code", "code:s link:s", code, link);
}

static void
test_asks (Fixture *fixture, gconstpointer unused)
{
  g_assert_true (kh_test_is_shown (fixture->page, "asking_box"));
  g_assert_false (kh_test_is_shown (fixture->page, "code_box"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "asking_label"), ==, "Asking the meeting server for a code…");
  g_assert_null (kh_invite_page_get_code (fixture->page));
  g_assert_null (kh_invite_page_get_link (fixture->page));
  kh_test_assert_narrow (fixture->page);
}

static void
test_code (Fixture *fixture, gconstpointer unused)
{
  add_code (fixture, CODE, "knothole:" CODE);
  g_assert_false (kh_test_is_shown (fixture->page, "asking_box"));
  g_assert_true (kh_test_is_shown (fixture->page, "code_box"));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "code_label"), ==, CODE);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "waiting_label"), ==, "Waiting for your friend…");
  g_assert_true (g_str_has_prefix (kh_test_text_of (fixture->page, "expiry_label"), "Valid until "));
  g_assert_true (kh_test_is_shown (fixture->page, "qr_code"));
  g_assert_cmpstr (kh_invite_page_get_code (fixture->page), ==, CODE);
  g_assert_cmpstr (kh_invite_page_get_link (fixture->page), ==, "knothole:" CODE);
  g_assert_true (gtk_label_get_selectable (GTK_LABEL (kh_test_find (fixture->page, "code_label"))));
  kh_test_assert_role (kh_test_find (fixture->page, "qr_code"), GTK_ACCESSIBLE_ROLE_IMG);
  kh_test_assert_name (kh_test_find (fixture->page, "qr_code"), "QR code of the invite link");
  kh_test_assert_narrow (fixture->page);
}

/* By the clock on the wall, and only the minute: the one who waits is not hunted by seconds. */
static void
test_expiry (Fixture *fixture, gconstpointer unused)
{
  g_autoptr (KhTestFriend) friend = kh_test_friend_new (NULL);
  g_autoptr (GDateTime) end = NULL;
  g_autofree char *expected = NULL;

  kh_invite_page_set_session (fixture->page, friend->session);
  kh_test_friend_invite (friend);
  end = g_date_time_new_from_unix_local (kh_session_get_expiry (friend->session) / G_USEC_PER_SEC);
  expected = g_date_time_format (end, "Valid until %H:%M, for one friend, while this window is open");
  g_assert_cmpstr (kh_test_text_of (fixture->page, "expiry_label"), ==, expected);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "code_label"), ==, kh_session_get_code (friend->session));
  kh_invite_page_set_session (fixture->page, NULL);
}

/* Whatever the meeting server is called, and however it goes with it. */
static void
test_server (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *label = g_strnfill (200, 'w');
  g_autofree char *url = g_strconcat ("wss://", label, ".example.org/v1", NULL);

  kh_trace_add (kh_session_get_trace (fixture->session), "mailbox.connecting", "server:s", url);
  kh_test_assert_narrow (fixture->page);
  add_code (fixture, CODE, "knothole:" CODE);
  kh_trace_add (kh_session_get_trace (fixture->session), "mailbox.connecting", "server:s", url);
  kh_test_assert_narrow (fixture->page);
  kh_trace_add (kh_session_get_trace (fixture->session), "mailbox.connected", "server:s", url);
  g_assert_cmpstr (kh_test_text_of (fixture->page, "waiting_label"), ==, "Waiting for your friend…");
}

static void
test_long_code (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *words = g_strnfill (400, 'w');
  g_autofree char *code = g_strconcat ("7-", words, NULL);
  g_autofree char *link = g_strconcat ("knothole:", code, NULL);

  add_code (fixture, code, link);
  g_assert_true (kh_test_is_shown (fixture->page, "qr_code"));
  kh_test_assert_narrow (fixture->page);
}

/* A link that no symbol holds is copied, not scanned. */
static void
test_link_too_long_for_a_symbol (Fixture *fixture, gconstpointer unused)
{
  g_autofree char *link = g_strnfill (4000, 'x');

  add_code (fixture, CODE, link);
  g_assert_false (kh_test_is_shown (fixture->page, "qr_code"));
  add_code (fixture, CODE, "knothole:" CODE);
  g_assert_true (kh_test_is_shown (fixture->page, "qr_code"));
}

static void
test_next_session (Fixture *fixture, gconstpointer unused)
{
  add_code (fixture, CODE, "knothole:" CODE);
  kh_invite_page_set_session (fixture->page, NULL);
  g_assert_null (kh_invite_page_get_code (fixture->page));
  g_assert_cmpstr (kh_test_text_of (fixture->page, "code_label"), ==, "");
  g_assert_true (kh_test_is_shown (fixture->page, "asking_box"));
  /* Nobody listens to the old one any more. */
  add_code (fixture, CODE, "knothole:" CODE);
  g_assert_null (kh_invite_page_get_code (fixture->page));
}

#define ADD(path, function) g_test_add ("/invite-page/" path, Fixture, NULL, set_up, function, kh_test_page_tear_down)

int
main (int argc, char **argv)
{
  kh_test_widgets_init (&argc, &argv);
  ADD ("asks", test_asks);
  ADD ("code", test_code);
  ADD ("expiry", test_expiry);
  ADD ("server", test_server);
  ADD ("long-code", test_long_code);
  ADD ("link-too-long-for-a-symbol", test_link_too_long_for_a_symbol);
  ADD ("next-session", test_next_session);
  return g_test_run ();
}
