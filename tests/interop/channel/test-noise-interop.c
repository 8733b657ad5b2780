/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-channel.h"
#include "kh-error.h"
#include "kh-test.h"

#include <string.h>

/* Our channel against another implementation of Noise, python3-dissononce, over loopback TCP. */

#define PYTHON "/usr/bin/python3"
#define WAIT 15000
#define EPOCH 3
#define HELLO "hello from knothole"
#define THEIR_HELLO "hello from dissononce"

static const guint8 PSK[32] = "our common key of 32 bytes ....";
static const guint8 OTHER_PSK[32] = "not our common key, 32 bytes ..";

typedef struct
{
  GSubprocess *peer;
  GAsyncResult *exited;
  KhChannel *channel;
  GPtrArray *frames;
  gboolean closed;
  GError *error;
} Live;

static void
frame_cb (KhChannel *channel, GBytes *frame, gpointer user_data)
{
  Live *live = user_data;

  g_ptr_array_add (live->frames, g_bytes_ref (frame));
}

static void
closed_cb (KhChannel *channel, const GError *error, gpointer user_data)
{
  Live *live = user_data;

  live->closed = TRUE;
  live->error = error != NULL ? g_error_copy (error) : NULL;
}

static GSocketConnection *
accept_one (GSocketListener *listener)
{
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  GSocketConnection *connection;

  g_socket_listener_accept_async (listener, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, WAIT);
  connection = g_socket_listener_accept_finish (listener, result, NULL, &error);
  g_assert_no_error (error);

  return connection;
}

/* Starts the peer as @their_role and waits for it to connect. */
static Live *
live_new (KhRole our_role, const guint8 *their_psk, guint32 their_epoch)
{
  Live *live = g_new0 (Live, 1);
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "interop", "channel", "noise-peer.py", NULL);
  g_autoptr (GSocketListener) listener = g_socket_listener_new ();
  g_autoptr (GError) error = NULL;
  guint16 port = g_socket_listener_add_any_inet_port (listener, NULL, &error);
  g_autofree char *port_text = g_strdup_printf ("%u", port);
  g_autofree char *psk_text = kh_test_hex (their_psk, 32);
  g_autofree char *epoch_text = g_strdup_printf ("%u", their_epoch);
  const char *role = our_role == KH_ROLE_JOINER ? "responder" : "initiator";
  g_autoptr (GSocketConnection) connection = NULL;

  g_assert_no_error (error);
  live->peer =
      g_subprocess_new (G_SUBPROCESS_FLAGS_NONE, &error, PYTHON, script, role, port_text, psk_text, epoch_text, NULL);
  g_assert_no_error (error);
  g_subprocess_wait_async (live->peer, NULL, kh_test_store_result, &live->exited);

  connection = accept_one (listener);
  live->frames = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  live->channel = kh_channel_new (G_IO_STREAM (connection), our_role, PSK, EPOCH);
  kh_channel_set_handler (live->channel, frame_cb, closed_cb, live);

  return live;
}

/* Ends the line and asserts how the peer took it. */
static void
live_free (Live *live, int exit_status)
{
  g_assert_finalize_object (live->channel);
  kh_test_wait_until (live->exited != NULL, WAIT);
  g_assert_true (g_subprocess_wait_finish (live->peer, live->exited, NULL));
  g_assert_true (g_subprocess_get_if_exited (live->peer));
  g_assert_cmpint (g_subprocess_get_exit_status (live->peer), ==, exit_status);

  g_object_unref (live->exited);
  g_object_unref (live->peer);
  g_ptr_array_unref (live->frames);
  g_clear_error (&live->error);
  g_free (live);
}

static void
say (Live *live, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));

  g_assert_true (kh_channel_send (live->channel, bytes));
}

static void
wait_for_hello (Live *live)
{
  gsize length;
  const void *data;

  kh_test_wait_until (live->frames->len == 1, WAIT);
  data = g_bytes_get_data (g_ptr_array_index (live->frames, 0), &length);
  g_assert_cmpmem (data, length, THEIR_HELLO, strlen (THEIR_HELLO));
  g_ptr_array_set_size (live->frames, 0);
}

static gsize
length_of_frame (guint index)
{
  return index == 0 ? 0 : index == 1 ? KH_CHANNEL_MAX_FRAME : (index * 7919) % 5000;
}

static GBytes *
frame_of (guint index, gboolean reversed)
{
  gsize length = length_of_frame (index);
  guint8 *data = g_malloc (length + 1);

  for (gsize i = 0; i < length; i++)
    data[reversed ? length - 1 - i : i] = i + index;

  return g_bytes_new_take (data, length);
}

/* Frames of all lengths there, and reversed back again. */
static void
exchange (Live *live)
{
  const guint count = 300;

  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GBytes) frame = frame_of (i, FALSE);

      g_assert_true (kh_channel_send (live->channel, frame));
    }

  kh_test_wait_until (live->frames->len == count || live->closed, WAIT);
  g_assert_no_error (live->error);
  for (guint i = 0; i < count; i++)
    {
      g_autoptr (GBytes) expected = frame_of (i, TRUE);

      g_assert_true (g_bytes_equal (g_ptr_array_index (live->frames, i), expected));
    }

  kh_channel_shutdown (live->channel);
  kh_test_wait_until (live->closed, WAIT);
  g_assert_no_error (live->error);
}

static void
test_initiator (void)
{
  Live *live = live_new (KH_ROLE_INVITER, PSK, EPOCH);

  wait_for_hello (live);
  say (live, HELLO);
  exchange (live);
  live_free (live, 0);
}

static void
test_responder (void)
{
  Live *live = live_new (KH_ROLE_JOINER, PSK, EPOCH);

  say (live, HELLO);
  wait_for_hello (live);
  exchange (live);
  live_free (live, 0);
}

/* An initiator with another key or epoch is refused and gets no byte. */
static void
test_stranger_initiates (gconstpointer wrong_psk)
{
  Live *live =
      wrong_psk != NULL ? live_new (KH_ROLE_INVITER, OTHER_PSK, EPOCH) : live_new (KH_ROLE_INVITER, PSK, EPOCH + 1);

  kh_test_wait_until (live->closed, WAIT);
  g_assert_error (live->error, KH_ERROR, KH_ERROR_PROTOCOL);
  g_assert_cmpuint (live->frames->len, ==, 0);
  live_free (live, 4);
}

/* A responder with another key cannot open our first message. */
static void
test_stranger_responds (gconstpointer wrong_psk)
{
  Live *live =
      wrong_psk != NULL ? live_new (KH_ROLE_JOINER, OTHER_PSK, EPOCH) : live_new (KH_ROLE_JOINER, PSK, EPOCH + 1);

  say (live, HELLO);
  kh_test_wait_until (live->closed, WAIT);
  g_assert_cmpuint (live->frames->len, ==, 0);
  live_free (live, 3);
}

static gboolean
have_dissononce (void)
{
  g_autoptr (GSubprocess) probe =
      g_subprocess_new (G_SUBPROCESS_FLAGS_STDERR_SILENCE, NULL, PYTHON, "-c", "import dissononce, cryptography", NULL);

  return probe != NULL && g_subprocess_wait_check (probe, NULL, NULL);
}

static void
test_missing (void)
{
  g_test_skip ("python3-dissononce is not installed");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!have_dissononce ())
    {
      g_test_add_func ("/noise-interop/missing", test_missing);
      return g_test_run ();
    }

  g_test_add_func ("/noise-interop/initiator", test_initiator);
  g_test_add_func ("/noise-interop/responder", test_responder);
  g_test_add_data_func ("/noise-interop/stranger-initiates/psk", "psk", test_stranger_initiates);
  g_test_add_data_func ("/noise-interop/stranger-initiates/epoch", NULL, test_stranger_initiates);
  g_test_add_data_func ("/noise-interop/stranger-responds/psk", "psk", test_stranger_responds);
  g_test_add_data_func ("/noise-interop/stranger-responds/epoch", NULL, test_stranger_responds);
  return g_test_run ();
}
