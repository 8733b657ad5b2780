/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-code.h"
#include "kh-test.h"
#include "side.h"
#include "ws-server.h"

#include <string.h>

static void
meet (Side *a, Side *b, WsServer *server)
{
  side_start_inviter (a, ws_server_get_url (server), 60);
  kh_test_wait_until (a->code_ready, 2000);
  side_start_joiner (b, ws_server_get_url (server), kh_rendezvous_get_code (a->rendezvous));
  side_send (b, "offer of b");
  kh_test_wait_until (a->verified && b->verified && a->delivered->len > 0, 2000);
}

static void
test_meeting (void)
{
  WsServer *server = ws_server_new_mailbox ();
  guint8 a_key[32];
  guint8 b_key[32];
  g_autofree char *lines = NULL;
  g_autofree char *code = NULL;
  Side a;
  Side b;

  meet (&a, &b, server);
  g_assert_cmpstr (a.delivered->str, ==, "offer of b");
  g_assert_false (b.code_ready);
  g_assert_cmpint (kh_rendezvous_get_role (a.rendezvous), ==, KH_ROLE_INVITER);
  kh_rendezvous_derive (a.rendezvous, "knothole channel v1", a_key, sizeof a_key);
  kh_rendezvous_derive (b.rendezvous, "knothole channel v1", b_key, sizeof b_key);
  g_assert_cmpmem (a_key, sizeof a_key, b_key, sizeof b_key);

  side_send (&a, "offer of a");
  kh_test_wait_until (b.delivered->len > 0, 2000);
  g_assert_cmpstr (b.delivered->str, ==, "offer of a");

  /* Neither code nor keys are in the trace, and of the server no more than its host. */
  lines = kh_trace_to_lines (a.trace);
  code = g_strdup (kh_rendezvous_get_code (a.rendezvous));
  g_assert_null (strstr (lines, strchr (code, '-')));
  g_assert_nonnull (strstr (lines, "\"server\":\"127.0.0.1\""));
  g_assert_cmpuint (side_count_events (&a, "mailbox.connecting"), ==, 1);
  g_assert_cmpuint (side_count_events (&a, "mailbox.connected"), ==, 1);

  side_close (&a);
  g_assert_cmpstr (ws_server_get_mood (server), ==, "happy");
  side_close (&b);
  side_close (&b);
  kh_test_wait_until (ws_server_get_open (server)->len == 0, 2000);
  side_clear (&a);
  side_clear (&b);
  ws_server_free (server);
}

static void
test_lonely (void)
{
  WsServer *server = ws_server_new_mailbox ();
  Side a;

  side_start_inviter (&a, ws_server_get_url (server), 60);
  kh_test_wait_until (a.code_ready, 2000);
  side_close (&a);
  g_assert_cmpstr (ws_server_get_mood (server), ==, "lonely");
  g_assert_no_error (a.error);
  side_clear (&a);
  ws_server_free (server);
}

/* A wrong guess voids the code, and the mailbox is closed though nobody asked for it. */
static void
test_wrong_code (void)
{
  WsServer *server = ws_server_new_mailbox ();
  g_autofree char *nameplate = NULL;
  g_autofree char *wrong = NULL;
  Side a;
  Side b;

  side_start_inviter (&a, ws_server_get_url (server), 60);
  kh_test_wait_until (a.code_ready, 2000);
  nameplate = kh_code_get_nameplate (kh_rendezvous_get_code (a.rendezvous));
  wrong = g_strconcat (nameplate, "-purple-sausages", NULL);
  side_start_joiner (&b, ws_server_get_url (server), wrong);
  kh_test_wait_until (a.error != NULL && b.error != NULL, 2000);
  side_assert_failed (&a, KH_ERROR_BAD_CODE, "Someone tried this code and got it wrong.");
  side_assert_failed (&b, KH_ERROR_BAD_CODE, "The code does not match.");
  kh_test_wait_until (ws_server_get_open (server)->len == 0, 2000);
  g_assert_cmpstr (ws_server_get_mood (server), ==, "scary");
  g_assert_false (a.verified);
  side_close (&a);
  side_clear (&a);
  side_clear (&b);
  ws_server_free (server);
}

static void
test_crowded (void)
{
  WsServer *server = ws_server_new_mailbox ();
  Side a;
  Side b;
  Side third;

  meet (&a, &b, server);
  side_start_joiner (&third, ws_server_get_url (server), kh_rendezvous_get_code (a.rendezvous));
  kh_test_wait_until (third.error != NULL, 2000);
  side_assert_failed (&third, KH_ERROR_CROWDED, "This code has been used already.");
  side_clear (&third);
  side_clear (&a);
  side_clear (&b);
  ws_server_free (server);
}

static void
test_bad_code (void)
{
  WsServer *server = ws_server_new_mailbox ();
  Side b;

  side_start_joiner (&b, ws_server_get_url (server), "3-crosover-clockwork");
  g_assert_null (b.error);
  kh_test_wait_until (b.error != NULL, 1000);
  side_assert_failed (&b, KH_ERROR_BAD_CODE, "Did you mean “crossover”?");
  side_close (&b);
  g_assert_cmpuint (ws_server_get_count (server), ==, 0);
  side_clear (&b);
  ws_server_free (server);
}

static void
test_bad_server_address (void)
{
  Side a;

  side_start_inviter (&a, "http://example.org/", 60);
  kh_test_wait_until (a.error != NULL, 1000);
  side_assert_failed (&a, KH_ERROR_SERVER_UNREACHABLE, "not the address of a meeting server");
  side_clear (&a);
}

static void
test_server_down (void)
{
  g_autofree char *url = ws_closed_port_url ();
  Side a;

  side_start_inviter (&a, url, 60);
  kh_test_wait_until (a.error != NULL, 2000);
  side_assert_failed (&a, KH_ERROR_SERVER_UNREACHABLE, "The meeting server 127.0.0.1 cannot be reached.");
  g_assert_cmpuint (side_count_events (&a, "mailbox.failed"), ==, 1);
  g_assert_cmpuint (side_count_events (&a, "mailbox.retry"), ==, 0);
  side_close (&a);
  side_clear (&a);
}

static void
say_text (WsServer *server, SoupWebsocketConnection *connection, gpointer text)
{
  ws_server_send (connection, text);
}

static char *
fill (const char *before, char c, gsize count, const char *after)
{
  g_autofree char *filler = g_strnfill (count, c);

  return g_strconcat (before, filler, after, NULL);
}

/* What a server may say instead of a welcome. */
static void
test_hostile_welcome (void)
{
  g_autofree char *deep = fill ("{\"a\":", '[', 100000, "");
  g_autofree char *huge = fill ("{\"type\":\"", 'x', 100 * 1000 * 1000, "\"}");
  const struct
  {
    const char *text;
    const char *sentence;
  } cases[] = {
    { "hello", "127.0.0.1 does not work as a meeting server" },
    { "[]", "127.0.0.1 does not work as a meeting server" },
    { deep, "127.0.0.1 does not work as a meeting server" },
    { huge, "127.0.0.1 does not work as a meeting server" },
    { "{\"type\": \"welcome\", \"welcome\": {\"error\": \"closed \\u0007today\"}}", "refuses: “closed today”" },
    { "{\"type\": \"welcome\", \"welcome\": {\"permission-required\": {\"hashcash\": {}}}}",
      "asks for something Knothole cannot give" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      WsServer *server = ws_server_new (say_text, (gpointer) cases[i].text);
      Side a;

      g_test_message ("%.60s", cases[i].text);
      side_start_inviter (&a, ws_server_get_url (server), 60);
      kh_test_wait_until (a.error != NULL, 5000);
      side_assert_failed (&a, KH_ERROR_SERVER_UNREACHABLE, cases[i].sentence);
      g_assert_false (a.code_ready);
      side_close (&a);
      side_clear (&a);
      ws_server_free (server);
    }
}

static void
say_motd (WsServer *server, SoupWebsocketConnection *connection, gpointer unused)
{
  ws_server_send (connection, "{\"type\": \"welcome\", \"welcome\": {\"motd\": \"hello\\u001b, you\", "
                              "\"your-address\": {\"ipv4\": \"192.0.2.7\"}}}");
}

static void
test_motd (void)
{
  WsServer *server = ws_server_new (say_motd, NULL);
  g_autofree char *lines = NULL;
  Side a;

  side_start_inviter (&a, ws_server_get_url (server), 60);
  kh_test_wait_until (side_count_events (&a, "mailbox.motd") == 1, 2000);
  lines = kh_trace_to_lines (a.trace);
  g_assert_nonnull (strstr (lines, "\"text\":\"hello, you\""));
  g_assert_cmpstr (kh_rendezvous_get_your_address (a.rendezvous), ==, "192.0.2.7");
  side_clear (&a);
  ws_server_free (server);
}

static gint64
get_retry_delay (Side *side)
{
  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (side->trace)); i++)
    {
      g_autoptr (KhEvent) event = g_list_model_get_item (G_LIST_MODEL (side->trace), i);

      if (strcmp (kh_event_get_kind (event), "mailbox.retry") == 0)
        return json_object_get_int_member (kh_event_get_members (event), "delay_ms");
    }

  return -1;
}

/* Cut while it waits, the invite comes back after a second or two and is still good. */
static void
test_reconnect (void)
{
  WsServer *server = ws_server_new_mailbox ();
  Side a;
  Side b;

  side_start_inviter (&a, ws_server_get_url (server), 60);
  kh_test_wait_until (a.code_ready, 2000);
  ws_server_cut (server);
  kh_test_wait_until (side_count_events (&a, "mailbox.lost") == 1, 2000);
  g_assert_cmpuint (side_count_events (&a, "mailbox.retry"), ==, 1);
  g_assert_cmpint (get_retry_delay (&a), >=, 1500);
  g_assert_cmpint (get_retry_delay (&a), <=, 2500);
  kh_test_wait_until (side_count_events (&a, "mailbox.connected") == 2, 4000);

  side_start_joiner (&b, ws_server_get_url (server), kh_rendezvous_get_code (a.rendezvous));
  kh_test_wait_until (a.verified && b.verified, 2000);
  g_assert_no_error (a.error);
  side_close (&a);
  side_clear (&a);
  side_clear (&b);
  ws_server_free (server);
}

static void
test_life (void)
{
  WsServer *server = ws_server_new_mailbox ();
  Side a;

  side_start_inviter (&a, ws_server_get_url (server), 1);
  kh_test_wait_until (a.error != NULL, 3000);
  side_assert_failed (&a, KH_ERROR_EXPIRED, "Nobody used this code in time");
  kh_test_wait_until (ws_server_get_open (server)->len == 0, 2000);
  g_assert_cmpstr (ws_server_get_mood (server), ==, "lonely");
  side_clear (&a);
  ws_server_free (server);
}

static void
test_close_cancelled (void)
{
  WsServer *server = ws_server_new_mailbox ();
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  Side a;
  Side b;

  meet (&a, &b, server);
  ws_server_cut (server);
  kh_test_wait_until (side_count_events (&a, "mailbox.lost") == 1, 2000);
  kh_rendezvous_close_async (a.rendezvous, cancellable, kh_test_store_result, &a.closed);
  kh_test_settle ();
  g_assert_null (a.closed);
  g_cancellable_cancel (cancellable);
  kh_test_wait_until (a.closed != NULL, 1000);
  g_assert_false (kh_rendezvous_close_finish (a.rendezvous, a.closed, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  side_clear (&a);
  side_clear (&b);
  ws_server_free (server);
}

static void
let_go (KhRendezvous *rendezvous, gpointer location)
{
  KhRendezvous **owner = location;

  g_clear_object (owner);
}

/* Gone in the middle of a signal, before the start, and while it connects. */
static void
test_dispose (void)
{
  WsServer *server = ws_server_new_mailbox ();
  g_autoptr (KhTrace) trace = kh_trace_new ();
  KhRendezvous *never_started = kh_rendezvous_new_inviter (trace, NULL, 3, 60);
  KhRendezvous *dropped = kh_rendezvous_new_inviter (trace, ws_server_get_url (server), 3, 60);
  GAsyncResult *closed = NULL;
  Side a;

  kh_rendezvous_close_async (never_started, NULL, kh_test_store_result, &closed);
  kh_test_wait_until (closed != NULL, 1000);
  g_clear_object (&closed);
  g_assert_finalize_object (never_started);

  g_signal_connect (dropped, "code-ready", G_CALLBACK (let_go), &dropped);
  kh_rendezvous_start (dropped);
  kh_test_wait_until (dropped == NULL, 2000);

  side_start_inviter (&a, ws_server_get_url (server), 60);
  side_clear (&a);
  kh_test_wait_until (ws_server_get_open (server)->len == 0, 2000);
  ws_server_free (server);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/rendezvous/meeting", test_meeting);
  g_test_add_func ("/rendezvous/lonely", test_lonely);
  g_test_add_func ("/rendezvous/wrong-code", test_wrong_code);
  g_test_add_func ("/rendezvous/crowded", test_crowded);
  g_test_add_func ("/rendezvous/bad-code", test_bad_code);
  g_test_add_func ("/rendezvous/bad-server-address", test_bad_server_address);
  g_test_add_func ("/rendezvous/server-down", test_server_down);
  g_test_add_func ("/rendezvous/hostile-welcome", test_hostile_welcome);
  g_test_add_func ("/rendezvous/motd", test_motd);
  g_test_add_func ("/rendezvous/reconnect", test_reconnect);
  g_test_add_func ("/rendezvous/life", test_life);
  g_test_add_func ("/rendezvous/close-cancelled", test_close_cancelled);
  g_test_add_func ("/rendezvous/dispose", test_dispose);
  return g_test_run ();
}
