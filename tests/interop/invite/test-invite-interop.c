/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-code.h"
#include "kh-test.h"
#include "proxy.h"
#include "side.h"

#include <string.h>

/* Our rendezvous against the reference client, over the reference mailbox server, all of it on loopback. */

#define PYTHON "/usr/bin/python3"
#define IMPORTS "import wormhole, wormhole_mailbox_server, twisted"

/* A Python interpreter with Twisted takes its time to start on a busy machine. */
#define PATIENCE 15000

/* A child and the lines it has printed. */
typedef struct
{
  GSubprocess *process;
  GDataInputStream *output;
  GPtrArray *lines;
  gboolean ended;
} Child;

static Child server;
static guint16 server_port;
static char *server_url;

static void read_line (Child *child);

static void
on_line (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  Child *child = user_data;
  char *line = g_data_input_stream_read_line_finish_utf8 (G_DATA_INPUT_STREAM (stream), result, NULL, NULL);

  if (line == NULL)
    {
      child->ended = TRUE;
      return;
    }

  g_ptr_array_add (child->lines, line);
  read_line (child);
}

static void
read_line (Child *child)
{
  g_data_input_stream_read_line_async (child->output, G_PRIORITY_DEFAULT, NULL, on_line, child);
}

static void
child_start (Child *child, const char *const *argv)
{
  g_autoptr (GError) error = NULL;

  memset (child, 0, sizeof *child);
  child->process = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
  g_assert_no_error (error);
  child->output = g_data_input_stream_new (g_subprocess_get_stdout_pipe (child->process));
  child->lines = g_ptr_array_new_with_free_func (g_free);
  read_line (child);
}

static void
child_clear (Child *child)
{
  g_subprocess_force_exit (child->process);
  g_subprocess_wait (child->process, NULL, NULL);
  kh_test_wait_until (child->ended, PATIENCE);
  g_object_unref (child->output);
  g_object_unref (child->process);
  g_ptr_array_unref (child->lines);
}

/* What follows @word in the first line that starts with it. */
static const char *
find (Child *child, const char *word)
{
  for (guint i = 0; i < child->lines->len; i++)
    {
      const char *line = child->lines->pdata[i];

      if (g_str_has_prefix (line, word) && line[strlen (word)] == ' ')
        return line + strlen (word) + 1;
    }

  return NULL;
}

static const char *
expect (Child *child, const char *word)
{
  kh_test_wait_until (find (child, word) != NULL || child->ended, PATIENCE);
  g_assert_nonnull (find (child, word));

  return find (child, word);
}

static void
tell (Child *child, const char *order)
{
  g_autofree char *line = g_strconcat (order, "\n", NULL);
  GOutputStream *input = g_subprocess_get_stdin_pipe (child->process);

  g_assert_true (g_output_stream_write_all (input, line, strlen (line), NULL, NULL, NULL));
  g_assert_true (g_output_stream_flush (input, NULL, NULL));
}

static void
start_peer (Child *child, const char *role, const char *code)
{
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "interop", "invite", "peer.py", NULL);

  child_start (child, (const char *const[]){ PYTHON, script, server_url, role, code, NULL });
}

static const char *
find_port (void)
{
  for (guint i = 0; i < server.lines->len; i++)
    {
      const char *found = strstr (server.lines->pdata[i], "PrivacyEnhancedSite starting on ");

      if (found != NULL)
        return found + strlen ("PrivacyEnhancedSite starting on ");
    }

  return NULL;
}

/* The server says which port it took. */
static void
start_server (void)
{
  child_start (&server, (const char *const[]){ PYTHON, "-m", "twisted", "--log-format=text", "wormhole-mailbox",
                                               "--port=tcp:0:interface=127.0.0.1",
                                               "--channel-db=:memory:", "--usage-db=:memory:", NULL });
  kh_test_wait_until (find_port () != NULL || server.ended, PATIENCE);
  g_assert_nonnull (find_port ());
  server_port = atoi (find_port ());
  server_url = g_strdup_printf ("ws://127.0.0.1:%u/v1", server_port);
}

static void
assert_same_key (Side *side, Child *peer)
{
  guint8 bytes[32];

  kh_rendezvous_derive (side->rendezvous, "wormhole:verifier", bytes, sizeof bytes);
  kh_test_assert_hex (bytes, sizeof bytes, expect (peer, "verifier"));
  kh_rendezvous_derive (side->rendezvous, "knothole channel v1", bytes, sizeof bytes);
  kh_test_assert_hex (bytes, sizeof bytes, expect (peer, "key"));
  g_assert_cmpstr (expect (peer, "versions"), ==, "{\"knothole-invite\": [1]}");
}

/* Messages both ways, then both close, and the server answers: nobody has to run into the five seconds. */
static void
talk_and_close (Side *side, Child *peer)
{
  gint64 start;

  assert_same_key (side, peer);
  side_send (side, "hello from Knothole");
  tell (peer, "send hello from Python");
  kh_test_wait_until (side->delivered->len > 0, PATIENCE);
  g_assert_cmpstr (side->delivered->str, ==, "hello from Python");
  g_assert_cmpstr (expect (peer, "message"), ==, "hello from Knothole");

  tell (peer, "close");
  g_assert_cmpstr (expect (peer, "closed"), ==, "happy");
  start = g_get_monotonic_time ();
  side_close (side);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 3 * G_USEC_PER_SEC);
  g_assert_no_error (side->error);
}

static void
test_inviter (void)
{
  Child peer;
  Side side;

  side_start_inviter (&side, server_url, 60);
  kh_test_wait_until (side.code_ready, PATIENCE);
  start_peer (&peer, "join", kh_rendezvous_get_code (side.rendezvous));
  kh_test_wait_until (side.verified, PATIENCE);
  talk_and_close (&side, &peer);
  child_clear (&peer);
  side_clear (&side);
}

static void
test_joiner (void)
{
  Child peer;
  Side side;

  start_peer (&peer, "invite", NULL);
  side_start_joiner (&side, server_url, expect (&peer, "code"));
  kh_test_wait_until (side.verified, PATIENCE);
  talk_and_close (&side, &peer);
  child_clear (&peer);
  side_clear (&side);
}

/* The joiner's first message goes before it is verified; the reference client takes it all the same. */
static void
test_first_message (void)
{
  Child peer;
  Side side;

  start_peer (&peer, "invite", NULL);
  side_start_joiner (&side, server_url, expect (&peer, "code"));
  side_send (&side, "the offer");
  g_assert_cmpstr (expect (&peer, "message"), ==, "the offer");
  side_close (&side);
  child_clear (&peer);
  side_clear (&side);
}

/* Cut while the invite waits, and again with a message on its way. */
static void
test_cut (void)
{
  Proxy *proxy = proxy_new (server_port);
  g_autofree char *url = g_strdup_printf ("ws://127.0.0.1:%u/v1", proxy_get_port (proxy));
  Child peer;
  Side side;

  side_start_inviter (&side, url, 60);
  kh_test_wait_until (side.code_ready, PATIENCE);
  proxy_cut (proxy);
  kh_test_wait_until (side_count_events (&side, "mailbox.lost") == 1, PATIENCE);
  start_peer (&peer, "join", kh_rendezvous_get_code (side.rendezvous));
  kh_test_wait_until (side.verified, PATIENCE);
  g_assert_cmpuint (proxy_get_count (proxy), ==, 2);

  tell (&peer, "send one");
  kh_test_wait_until (side.delivered->len > 0, PATIENCE);
  proxy_cut (proxy);
  side_send (&side, "sent into the dark");
  tell (&peer, "send , two");
  kh_test_wait_until (strcmp (side.delivered->str, "one, two") == 0, PATIENCE);
  g_assert_cmpstr (expect (&peer, "message"), ==, "sent into the dark");
  g_assert_cmpuint (proxy_get_count (proxy), ==, 3);
  g_assert_no_error (side.error);

  side_close (&side);
  child_clear (&peer);
  side_clear (&side);
  proxy_free (proxy);
}

static char *
other_words (const char *code)
{
  g_autofree char *nameplate = kh_code_get_nameplate (code);

  return g_strconcat (nameplate, "-purple-sausages", NULL);
}

static void
test_wrong_code (void)
{
  g_autofree char *wrong = NULL;
  Child inviting;
  Child joining;
  Side inviter;
  Side joiner;

  side_start_inviter (&inviter, server_url, 60);
  kh_test_wait_until (inviter.code_ready, PATIENCE);
  wrong = other_words (kh_rendezvous_get_code (inviter.rendezvous));
  start_peer (&joining, "join", wrong);
  kh_test_wait_until (inviter.error != NULL, PATIENCE);
  side_assert_failed (&inviter, KH_ERROR_BAD_CODE, "Someone tried this code and got it wrong.");
  g_assert_cmpstr (expect (&joining, "error"), ==, "WrongPasswordError");

  g_free (wrong);
  start_peer (&inviting, "invite", NULL);
  wrong = other_words (expect (&inviting, "code"));
  side_start_joiner (&joiner, server_url, wrong);
  kh_test_wait_until (joiner.error != NULL, PATIENCE);
  side_assert_failed (&joiner, KH_ERROR_BAD_CODE, "The code does not match.");
  g_assert_cmpstr (expect (&inviting, "error"), ==, "WrongPasswordError");

  side_close (&inviter);
  side_close (&joiner);
  child_clear (&joining);
  child_clear (&inviting);
  side_clear (&inviter);
  side_clear (&joiner);
}

/* Two of ours, and a third that comes too late. */
static void
test_crowded (void)
{
  Side a;
  Side b;
  Side third;

  side_start_inviter (&a, server_url, 60);
  kh_test_wait_until (a.code_ready, PATIENCE);
  side_start_joiner (&b, server_url, kh_rendezvous_get_code (a.rendezvous));
  side_start_joiner (&third, server_url, kh_rendezvous_get_code (a.rendezvous));
  kh_test_wait_until ((a.verified && b.verified && third.error != NULL) || b.error != NULL, PATIENCE);
  if (third.error != NULL)
    side_assert_failed (&third, KH_ERROR_CROWDED, "This code has been used already.");

  side_close (&a);
  side_close (&b);
  side_close (&third);
  side_clear (&a);
  side_clear (&b);
  side_clear (&third);
}

static void
test_lonely (void)
{
  gint64 start;
  Side side;

  side_start_inviter (&side, server_url, 60);
  kh_test_wait_until (side.code_ready, PATIENCE);
  start = g_get_monotonic_time ();
  side_close (&side);
  g_assert_cmpint (g_get_monotonic_time () - start, <, 3 * G_USEC_PER_SEC);
  side_clear (&side);
}

static gboolean
packages_are_there (void)
{
  const char *const argv[] = { PYTHON, "-c", IMPORTS, NULL };
  g_autoptr (GSubprocess) process = g_subprocess_newv (argv, G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL);

  return process != NULL && g_subprocess_wait_check (process, NULL, NULL);
}

int
main (int argc, char **argv)
{
  int status;

  g_test_init (&argc, &argv, NULL);
  if (!packages_are_there ())
    {
      g_print ("1..0 # SKIP magic-wormhole and python3-magic-wormhole-mailbox-server are missing from " PYTHON "\n");
      return 0;
    }

  start_server ();
  g_test_add_func ("/interop/invite/inviter", test_inviter);
  g_test_add_func ("/interop/invite/joiner", test_joiner);
  g_test_add_func ("/interop/invite/first-message", test_first_message);
  g_test_add_func ("/interop/invite/cut", test_cut);
  g_test_add_func ("/interop/invite/wrong-code", test_wrong_code);
  g_test_add_func ("/interop/invite/crowded", test_crowded);
  g_test_add_func ("/interop/invite/lonely", test_lonely);
  status = g_test_run ();
  child_clear (&server);
  g_free (server_url);

  return status;
}
