/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-test-friend.h"

static void
on_received (KhSession *session, guint64 id, const char *text, gint64 sent, KhTestFriend *self)
{
  g_ptr_array_add (self->heard, g_strdup (text));
}

/* Name may be NULL. */
KhTestFriend *
kh_test_friend_new (const char *name)
{
  KhTestFriend *self = g_new0 (KhTestFriend, 1);

  self->server = kh_server_process_new (NULL, NULL);
  self->stun = g_socket_connectable_to_string (g_ptr_array_index (self->server->stun, 0));
  self->heard = g_ptr_array_new_with_free_func (g_free);
  self->settings = kh_settings_new ();
  g_free (self->settings->mailbox_url);
  self->settings->mailbox_url = g_strdup (self->server->url);
  g_strfreev (self->settings->stun_servers);
  self->settings->stun_servers = g_strsplit (self->stun, "|", -1);
  self->settings->name = g_strdup (name);
  self->session = kh_session_new (self->settings);
  g_signal_connect (self->session, "message-received", G_CALLBACK (on_received), self);

  return self;
}

static gboolean
is_at (KhSession *session, KhPhase phase, gint64 deadline)
{
  if (kh_session_get_phase (session) != phase && g_get_monotonic_time () > deadline)
    {
      g_autofree char *lines = kh_trace_to_lines (kh_session_get_trace (session));

      g_printerr ("This session does not come to the phase %s:\n%s", kh_phase_name (phase), lines);
    }
  return kh_session_get_phase (session) == phase;
}

void
kh_test_wait_phase (KhSession *session, KhPhase phase)
{
  gint64 deadline = g_get_monotonic_time () + kh_test_patience (KH_TEST_WAIT) - 100 * 1000;

  kh_test_wait_until (is_at (session, phase, deadline), KH_TEST_WAIT);
}

/* The friend makes a code; it is there when this returns. */
void
kh_test_friend_invite (KhTestFriend *self)
{
  kh_session_invite (self->session);
  kh_test_wait_phase (self->session, KH_PHASE_INVITING);
}

static gboolean
has_heard (KhTestFriend *self, const char *text)
{
  return g_ptr_array_find_with_equal_func (self->heard, text, g_str_equal, NULL);
}

void
kh_test_friend_hears (KhTestFriend *self, const char *text)
{
  kh_test_wait_until (has_heard (self, text), KH_TEST_WAIT);
}

/* Closes a session and proves that nobody else holds it. */
void
kh_test_close (KhSession *session)
{
  g_autoptr (GAsyncResult) result = NULL;

  kh_session_close_async (session, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, KH_TEST_WAIT);
  g_assert_true (kh_session_close_finish (session, result, NULL));
  g_clear_object (&result);
  kh_test_settle ();
  g_assert_finalize_object (session);
}

/* The friend says goodbye and is gone. */
void
kh_test_friend_leave (KhTestFriend *self)
{
  g_signal_handlers_disconnect_by_data (self->session, self);
  kh_test_close (g_steal_pointer (&self->session));
}

/* The friend is gone without a goodbye, as when a program is killed. */
void
kh_test_friend_vanish (KhTestFriend *self)
{
  g_signal_handlers_disconnect_by_data (self->session, self);
  g_object_run_dispose (G_OBJECT (self->session));
  g_clear_object (&self->session);
}

void
kh_test_friend_free (KhTestFriend *self)
{
  if (self->session != NULL)
    kh_test_friend_leave (self);
  kh_server_process_free (self->server);
  kh_settings_free (self->settings);
  g_ptr_array_unref (self->heard);
  g_free (self->stun);
  g_free (self);
}
