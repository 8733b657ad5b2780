/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-session.h"

#include "kh-error.h"
#include "kh-server-process.h"

#define WAIT 20000
#define DAY (G_GINT64_CONSTANT (86400) * G_USEC_PER_SEC)

/* Two sessions at a server of their own, with one STUN server on this machine. */
typedef struct
{
  KhServerProcess *server;
  KhSettings *settings;
  KhSession *inviter;
  KhSession *joiner;
} Pair;

static void
pair_set_up (Pair *pair, gconstpointer unused)
{
  g_autofree char *stun = NULL;

  pair->server = kh_server_process_new (NULL, NULL);
  stun = g_socket_connectable_to_string (g_ptr_array_index (pair->server->stun, 0));
  pair->settings = kh_settings_new ();
  g_free (pair->settings->mailbox_url);
  pair->settings->mailbox_url = g_strdup (pair->server->url);
  g_strfreev (pair->settings->stun_servers);
  pair->settings->stun_servers = g_strsplit (stun, "|", -1);
  pair->settings->wait_seconds = DAY / G_USEC_PER_SEC;
  pair->inviter = kh_session_new (pair->settings);
  pair->joiner = kh_session_new (pair->settings);
}

static void
close_session (KhSession *session)
{
  g_autoptr (GAsyncResult) result = NULL;

  kh_session_close_async (session, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, WAIT);
  g_assert_true (kh_session_close_finish (session, result, NULL));
  g_clear_object (&result);
  kh_test_settle ();
  g_assert_finalize_object (session);
}

static void
pair_tear_down (Pair *pair, gconstpointer unused)
{
  close_session (pair->inviter);
  close_session (pair->joiner);
  kh_settings_free (pair->settings);
  kh_server_process_free (pair->server);
}

static void
connect_pair (Pair *pair)
{
  kh_session_invite (pair->inviter);
  kh_test_wait_until (kh_session_get_code (pair->inviter) != NULL, WAIT);
  kh_session_join (pair->joiner, kh_session_get_code (pair->inviter));
  kh_test_wait_until (kh_session_get_phase (pair->inviter) == KH_PHASE_CONNECTED, WAIT);
  kh_test_wait_until (kh_session_get_phase (pair->joiner) == KH_PHASE_CONNECTED, WAIT);
}

static void
count_notify (GObject *object, GParamSpec *pspec, gpointer user_data)
{
  (*(guint *) user_data)++;
}

static void
test_delay (Pair *pair, gconstpointer unused)
{
  guint told = 0;
  int delay;

  g_signal_connect (pair->inviter, "notify::delay", G_CALLBACK (count_notify), &told);
  g_object_get (pair->inviter, "delay", &delay, NULL);
  g_assert_cmpint (delay, ==, -1);
  connect_pair (pair);
  kh_test_wait_until (told == 1, WAIT);
  g_object_get (pair->inviter, "delay", &delay, NULL);
  g_assert_cmpint (delay, >=, 0);
  g_assert_cmpint (delay, ==, kh_session_get_delay (pair->inviter));
}

static void
test_expiry (Pair *pair, gconstpointer unused)
{
  gint64 before = g_get_real_time ();

  g_assert_cmpint (kh_session_get_expiry (pair->inviter), ==, 0);
  kh_session_invite (pair->inviter);
  g_assert_cmpint (kh_session_get_expiry (pair->inviter), >=, before + DAY);
  g_assert_cmpint (kh_session_get_expiry (pair->inviter), <=, g_get_real_time () + DAY);
  kh_session_join (pair->joiner, "7-crossover-bedlamp-customer");
  g_assert_cmpint (kh_session_get_expiry (pair->joiner), ==, 0);
}

/* In microseconds this is a multiple of 2^32. */
static void
test_long_life (Pair *pair, gconstpointer unused)
{
  close_session (pair->inviter);
  pair->settings->wait_seconds = 1 << 26;
  pair->inviter = kh_session_new (pair->settings);
  connect_pair (pair);
}

/* Asked before a click, and obeyed after it. */
static void
test_may_follow (void)
{
  static const struct
  {
    const char *url;
    gboolean may;
  } cases[] = {
    { NULL, TRUE },
    { "wss://example.org/v1", TRUE },
    { "ws://127.0.0.1:4000/v1", TRUE },
    { "ws://localhost/v1", TRUE },
    { "ws://own.example.org/v1", TRUE },
    { "ws://own.example.org/v2", FALSE },
    { "ws://192.0.2.1/v1", FALSE },
    { "nonsense", FALSE },
  };
  g_autoptr (KhSettings) settings = kh_settings_new ();

  g_free (settings->mailbox_url);
  settings->mailbox_url = g_strdup ("ws://own.example.org/v1");
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    g_assert_cmpint (kh_session_may_follow (settings, cases[i].url), ==, cases[i].may);
}

static void
test_does_not_follow (void)
{
  g_autoptr (KhSettings) settings = kh_settings_new ();
  KhSession *session = kh_session_new (settings);

  kh_session_join (session, "knothole:7-crossover-bedlamp-customer?mailbox=ws%3A%2F%2F192.0.2.1%2Fv1");
  g_assert_cmpint (kh_session_get_phase (session), ==, KH_PHASE_FAILED);
  g_assert_error (kh_session_get_error (session), KH_ERROR, KH_ERROR_BAD_CODE);
  g_assert_finalize_object (session);
}

#define ADD(path, function) g_test_add (path, Pair, NULL, pair_set_up, function, pair_tear_down)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD ("/session/delay", test_delay);
  ADD ("/session/expiry", test_expiry);
  ADD ("/session/long-life", test_long_life);
  g_test_add_func ("/session/may-follow", test_may_follow);
  g_test_add_func ("/session/does-not-follow", test_does_not_follow);
  return g_test_run ();
}
