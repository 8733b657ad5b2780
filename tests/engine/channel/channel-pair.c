/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "channel-pair.h"

#include "kh-test.h"

#include <fcntl.h>
#include <gio/gunixinputstream.h>
#include <gio/gunixoutputstream.h>
#include <glib-unix.h>
#include <string.h>
#include <sys/socket.h>

const guint8 TEST_PSK[32] = "our common key of 32 bytes ....";

static GIOStream *
stream_of_socket (GSocket *socket)
{
  GSocketConnection *connection = g_socket_connection_factory_create_connection (socket);

  g_object_unref (socket);
  return G_IO_STREAM (connection);
}

static void
unix_line (GIOStream **one, GIOStream **other)
{
  int fds[2];

  g_assert_no_errno (socketpair (AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds));
  *one = stream_of_socket (g_socket_new_from_fd (fds[0], NULL));
  *other = stream_of_socket (g_socket_new_from_fd (fds[1], NULL));
}

static void
tcp_line (GIOStream **one, GIOStream **other)
{
  g_autoptr (GInetAddress) loopback = g_inet_address_new_loopback (G_SOCKET_FAMILY_IPV4);
  g_autoptr (GSocketAddress) any = g_inet_socket_address_new (loopback, 0);
  g_autoptr (GSocket) listener = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  GSocket *dialler = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL);
  g_autoptr (GSocketAddress) address = NULL;

  g_assert_true (g_socket_bind (listener, any, TRUE, NULL));
  g_assert_true (g_socket_listen (listener, NULL));
  address = g_socket_get_local_address (listener, NULL);
  g_assert_true (g_socket_connect (dialler, address, NULL, NULL));
  *one = stream_of_socket (dialler);
  *other = stream_of_socket (g_socket_accept (listener, NULL, NULL));
}

static GIOStream *
stream_of_pipes (int from, int to)
{
  g_autoptr (GInputStream) input = g_unix_input_stream_new (from, TRUE);
  g_autoptr (GOutputStream) output = g_unix_output_stream_new (to, TRUE);

  /* GIO's stream would wait in write(2) for a full pipe. */
  g_assert_true (g_unix_set_fd_nonblocking (to, TRUE, NULL));

  return g_simple_io_stream_new (input, output);
}

static void
pipe_line (GIOStream **one, GIOStream **other)
{
  int there[2], back[2];

  g_assert_true (g_unix_open_pipe (there, FD_CLOEXEC, NULL));
  g_assert_true (g_unix_open_pipe (back, FD_CLOEXEC, NULL));
  *one = stream_of_pipes (back[0], there[1]);
  *other = stream_of_pipes (there[0], back[1]);
}

/* The two ends of one connected line. */
void
line_new (LineKind kind, GIOStream **one, GIOStream **other)
{
  if (kind == LINE_UNIX)
    unix_line (one, other);
  else if (kind == LINE_TCP)
    tcp_line (one, other);
  else
    pipe_line (one, other);
}

Ear *
ear_new (void)
{
  Ear *ear = g_new0 (Ear, 1);

  ear->frames = g_ptr_array_new_with_free_func ((GDestroyNotify) g_bytes_unref);
  return ear;
}

void
ear_free (Ear *ear)
{
  g_ptr_array_unref (ear->frames);
  g_clear_error (&ear->error);
  g_free (ear);
}

static void
frame_cb (KhChannel *channel, GBytes *frame, gpointer user_data)
{
  Ear *ear = user_data;

  g_assert_cmpuint (ear->closed, ==, 0);
  g_ptr_array_add (ear->frames, g_bytes_ref (frame));
  if (ear->on_frame != NULL)
    ear->on_frame (channel, ear->data);
}

static void
closed_cb (KhChannel *channel, const GError *error, gpointer user_data)
{
  Ear *ear = user_data;

  g_assert_cmpuint (ear->closed++, ==, 0);
  if (error != NULL)
    ear->error = g_error_copy (error);
  if (ear->on_closed != NULL)
    ear->on_closed (channel, ear->data);
}

void
ear_listen (Ear *ear, KhChannel *channel)
{
  kh_channel_set_handler (channel, frame_cb, closed_cb, ear);
}

void
ear_assert_frame (Ear *ear, guint index, const char *text)
{
  gsize length;
  const void *data;

  g_assert_cmpuint (index, <, ear->frames->len);
  data = g_bytes_get_data (g_ptr_array_index (ear->frames, index), &length);
  g_assert_cmpmem (data, length, text, strlen (text));
}

gboolean
channel_say (KhChannel *channel, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  return kh_channel_send (channel, bytes);
}

/* Two channels on one line, the first frame of each gone through, no handlers. */
void
channel_pair_new (LineKind kind, KhChannel **joiner, KhChannel **inviter)
{
  g_autoptr (GIOStream) one = NULL;
  g_autoptr (GIOStream) other = NULL;
  g_autoptr (Ear) joiner_ear = ear_new ();
  g_autoptr (Ear) inviter_ear = ear_new ();

  line_new (kind, &one, &other);
  *joiner = kh_channel_new (one, KH_ROLE_JOINER, TEST_PSK, 0);
  *inviter = kh_channel_new (other, KH_ROLE_INVITER, TEST_PSK, 0);
  ear_listen (joiner_ear, *joiner);
  ear_listen (inviter_ear, *inviter);

  g_assert_true (channel_say (*joiner, "first"));
  kh_test_wait_until (inviter_ear->frames->len == 1, 2000);
  g_assert_true (channel_say (*inviter, "second"));
  kh_test_wait_until (joiner_ear->frames->len == 1, 2000);

  kh_channel_set_handler (*joiner, NULL, NULL, NULL);
  kh_channel_set_handler (*inviter, NULL, NULL, NULL);
}
