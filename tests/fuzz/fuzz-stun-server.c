/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a client sends to the STUN server, it gets whole messages in return, and leaves nothing behind when it goes.
 *
 * The input is a byte for the client, then what it sends over loopback: 1: its port takes dials, 6: to which of the server's
 * four places, the rest: how many bytes at once, 0 for all. */
#include "fuzz.h"
#include "kh-stun-server.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#define DEADLINE_US (20 * G_TIME_SPAN_SECOND)
#define BACKLOG 16

/* Without the limits that would refuse all but the first inputs. */
static const KhDialBackLimits no_limits = {
  .dials = KH_DIAL_BACK_MAX_DIALS,
  .burst = G_MAXINT,
  .per_second = G_MAXINT,
  .address_burst = G_MAXINT,
  .address_per_minute = G_MAXINT,
  .cookie_ms = 1,
  .go_ms = 5000,
};

typedef struct
{
  int fd;
  int listener; /* -1 without one */
  GByteArray *got;
} Client;

static KhStunServer *
start_server (void)
{
  KhServerLog *log = kh_server_log_new (-1, FALSE, FALSE);
  KhStunServer *server = kh_stun_server_new (&(KhQuotaLimits){ .total = 100 }, log);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string ("127.0.0.1");
  g_autoptr (GInetAddress) alternate = g_inet_address_new_from_string ("127.0.0.2");
  g_autoptr (GError) error = NULL;

  kh_stun_server_set_dial_back (server, kh_dial_back_new (&no_limits, log));
  kh_stun_server_listen (server, address, alternate, 0, 0, &error);
  g_assert_no_error (error);
  return server;
}

/* All is in this process and on loopback: what was sent is there. */
static void
settle (void)
{
  while (g_main_context_iteration (NULL, FALSE))
    ;
}

static int
open_socket (const struct sockaddr_in *local)
{
  int fd = socket (AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int on = 1;

  g_assert_cmpint (fd, >=, 0);
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), ==, 0);
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on), ==, 0);
  g_assert_cmpint (setsockopt (fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), ==, 0);
  /* It ends with an RST, which leaves no port in TIME_WAIT. */
  g_assert_cmpint (setsockopt (fd, SOL_SOCKET, SO_LINGER, &(struct linger){ 1, 0 }, sizeof (struct linger)), ==, 0);
  g_assert_cmpint (bind (fd, (const struct sockaddr *) local, sizeof *local), ==, 0);
  return fd;
}

static void
client_start (Client *self, GInetSocketAddress *server, gboolean listens)
{
  struct sockaddr_in local = { .sin_family = AF_INET, .sin_addr.s_addr = htonl (INADDR_LOOPBACK) };
  struct sockaddr_in there;
  socklen_t length = sizeof local;

  g_assert_true (g_socket_address_to_native (G_SOCKET_ADDRESS (server), &there, sizeof there, NULL));
  self->got = g_byte_array_new ();
  self->fd = open_socket (&local);
  self->listener = -1;
  g_assert_cmpint (connect (self->fd, (struct sockaddr *) &there, sizeof there), ==, 0);
  if (listens)
    {
      g_assert_cmpint (getsockname (self->fd, (struct sockaddr *) &local, &length), ==, 0);
      self->listener = open_socket (&local);
      g_assert_cmpint (listen (self->listener, BACKLOG), ==, 0);
    }
}

static void
client_end (Client *self)
{
  close (self->fd);
  if (self->listener >= 0)
    close (self->listener);
  g_byte_array_unref (self->got);
}

static void
client_read (Client *self)
{
  guint8 bytes[4096];
  gssize length;

  while ((length = recv (self->fd, bytes, sizeof bytes, MSG_DONTWAIT)) > 0)
    g_byte_array_append (self->got, bytes, (guint) length);
}

static void
client_send (Client *self, const guint8 *data, gsize size, gsize piece)
{
  while (size > 0)
    {
      gssize sent = send (self->fd, data, MIN (size, piece), MSG_NOSIGNAL | MSG_DONTWAIT);

      if (sent <= 0)
        return; /* the server wants no more of it */
      data += sent;
      size -= (gsize) sent;
      settle ();
      client_read (self);
    }
}

static void
check_answers (const GByteArray *got)
{
  gsize at = 0;

  while (at < got->len)
    {
      gssize whole = kh_stun_message_length (got->data + at, got->len - at);
      g_autoptr (KhStunMessage) message = NULL;
      g_autoptr (GError) error = NULL;

      g_assert_true (whole >= KH_STUN_HEADER_BYTES && (gsize) whole <= got->len - at);
      message = kh_stun_message_from_bytes (got->data + at, (gsize) whole, &error);
      g_assert_no_error (error);
      g_assert_cmpint (message->klass, !=, KH_STUN_REQUEST);
      at += (gsize) whole;
    }
}

static void
wait_for_nobody (KhStunServer *server)
{
  gint64 deadline = g_get_monotonic_time () + DEADLINE_US;
  KhStunServerStatus status;

  do
    {
      settle ();
      kh_stun_server_get_status (server, &status);
      if (g_get_monotonic_time () > deadline)
        g_error ("%u clients and %" G_GUINT64_FORMAT " dials are left", status.clients, status.dial_back.dials);
    }
  while (status.clients > 0 || status.dial_back.dials > 0);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  static KhStunServer *server = NULL;
  g_autoptr (GPtrArray) places = NULL;
  Client client;

  if (size < 1)
    return 0;
  if (server == NULL)
    server = start_server ();

  places = kh_stun_server_get_addresses (server);
  client_start (&client, g_ptr_array_index (places, data[0] >> 1 & 3), data[0] & 1);
  settle ();
  client_send (&client, data + 1, size - 1, data[0] >> 3 != 0 ? data[0] >> 3 : size);
  check_answers (client.got);
  client_end (&client);
  wait_for_nobody (server);

  return 0;
}
