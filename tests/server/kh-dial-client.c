/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-dial-client.h"

#include "kh-address.h"
#include "kh-server-process.h"

#include <string.h>
#include <sys/socket.h>

#define DEADLINE_MILLISECONDS 5000

KhDialServer *
kh_dial_server_new (const char *ip, const char *alternate, const KhDialBackLimits *limits)
{
  KhDialServer *self = g_new0 (KhDialServer, 1);
  g_autoptr (GInetAddress) address = g_inet_address_new_from_string (ip);
  g_autoptr (GInetAddress) other = alternate != NULL ? g_inet_address_new_from_string (alternate) : NULL;
  g_autoptr (GError) error = NULL;

  self->log = kh_server_log_new (-1, FALSE, FALSE);
  self->stun = kh_stun_server_new (&(KhQuotaLimits){ .total = 2000 }, self->log);
  kh_stun_server_set_dial_back (self->stun, kh_dial_back_new (limits, self->log));
  kh_stun_server_listen (self->stun, address, other, 0, 0, &error);
  g_assert_no_error (error);
  self->addresses = kh_stun_server_get_addresses (self->stun);

  return self;
}

guint
kh_dial_server_get_dials (KhDialServer *self)
{
  KhStunServerStatus status;

  kh_stun_server_get_status (self->stun, &status);
  return status.dial_back.dials;
}

void
kh_dial_server_free (KhDialServer *self)
{
  kh_stun_server_stop (self->stun);
  g_assert_cmpuint (kh_dial_server_get_dials (self), ==, 0);
  g_ptr_array_unref (self->addresses);
  g_assert_finalize_object (self->stun);
  kh_server_log_free (self->log);
  g_free (self);
}

GSocket *
kh_dial_test_bind (GInetSocketAddress *address)
{
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (g_socket_address_get_family (G_SOCKET_ADDRESS (address)), G_SOCKET_TYPE_STREAM,
                                  G_SOCKET_PROTOCOL_TCP, &error);
  struct sockaddr_storage native;

  g_assert_no_error (error);
  g_socket_set_timeout (socket, DEADLINE_MILLISECONDS / 1000);
  g_assert_true (g_socket_set_option (socket, SOL_SOCKET, SO_REUSEADDR, 1, NULL));
  g_assert_true (g_socket_set_option (socket, SOL_SOCKET, SO_REUSEPORT, 1, NULL));
  /* not g_socket_bind(), which would take SO_REUSEPORT away */
  g_assert_true (g_socket_address_to_native (G_SOCKET_ADDRESS (address), &native, sizeof native, NULL));
  g_assert_cmpint (bind (g_socket_get_fd (socket), (struct sockaddr *) &native,
                         g_socket_address_get_native_size (G_SOCKET_ADDRESS (address))),
                   ==, 0);

  return socket;
}

GSocket *
kh_dial_test_listen (GInetSocketAddress *address)
{
  GSocket *socket = kh_dial_test_bind (address);

  g_assert_cmpint (listen (g_socket_get_fd (socket), 64), ==, 0);
  g_socket_set_blocking (socket, FALSE);
  return socket;
}

/* Takes all connections that have come, and tells how many. */
guint
kh_dial_test_count (GSocket *listener)
{
  guint count = 0;

  while (TRUE)
    {
      g_autoptr (GSocket) connection = g_socket_accept (listener, NULL, NULL);

      if (connection == NULL)
        return count;
      count++;
    }
}

/* The server may be in this process, so the main loop runs until there is something. */
static void
wait_for_bytes (GSocket *socket)
{
  kh_test_wait_until ((g_socket_condition_check (socket, G_IO_IN) & G_IO_IN) != 0, DEADLINE_MILLISECONDS);
}

/* The twelve bytes, and the end. */
void
kh_dial_test_assert_token (GSocket *connection, const guint8 *id)
{
  guint8 token[KH_STUN_ID_BYTES];

  wait_for_bytes (connection);
  kh_test_socket_receive (connection, token, sizeof token);
  g_assert_cmpmem (token, sizeof token, id, KH_STUN_ID_BYTES);
  wait_for_bytes (connection);
  kh_test_socket_end (connection);
}

/* Takes the connection that the answer announced: from where it said, with the right bytes. */
void
kh_dial_test_assert_dialled (GSocket *listener, const KhStunMessage *answer)
{
  g_autoptr (GSocket) connection = NULL;
  g_autoptr (GSocketAddress) from = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
  wait_for_bytes (listener);
  connection = g_socket_accept (listener, NULL, &error);
  g_assert_no_error (error);
  from = g_socket_get_remote_address (connection, NULL);
  g_assert_true (kh_address_equal (from, G_SOCKET_ADDRESS (answer->response_origin)));
  kh_dial_test_assert_token (connection, answer->id);
  g_assert_cmpuint (kh_dial_test_count (listener), ==, 0);
}

KhDialClient *
kh_dial_client_new (GInetSocketAddress *server, const char *ip)
{
  KhDialClient *self = g_new0 (KhDialClient, 1);
  g_autoptr (GInetSocketAddress) any_port = kh_address_new (ip, 0);
  g_autoptr (KhStunMessage) request = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, NULL);
  g_autoptr (KhStunMessage) answer = NULL;
  g_autoptr (GError) error = NULL;

  self->socket = kh_dial_test_bind (any_port);
  g_socket_connect (self->socket, G_SOCKET_ADDRESS (server), NULL, &error);
  g_assert_no_error (error);
  self->local = G_INET_SOCKET_ADDRESS (g_socket_get_local_address (self->socket, NULL));

  kh_dial_client_send (self, request);
  answer = kh_dial_client_read (self);
  g_assert_true (kh_address_equal (G_SOCKET_ADDRESS (answer->mapped), G_SOCKET_ADDRESS (self->local)));
  g_assert_true (answer->has_cookie);
  memcpy (self->cookie, answer->cookie, sizeof self->cookie);

  return self;
}

void
kh_dial_client_free (KhDialClient *self)
{
  g_socket_close (self->socket, NULL);
  g_object_unref (self->socket);
  g_object_unref (self->local);
  g_free (self);
}

void
kh_dial_client_send (KhDialClient *self, KhStunMessage *message)
{
  g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (message);

  kh_test_socket_send (self->socket, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

KhStunMessage *
kh_dial_client_read (KhDialClient *self)
{
  guint8 bytes[KH_STUN_MAX_BYTES];
  g_autoptr (GError) error = NULL;
  KhStunMessage *message;
  gssize length;

  wait_for_bytes (self->socket);
  kh_test_socket_receive (self->socket, bytes, KH_STUN_HEADER_BYTES);
  length = kh_stun_message_length (bytes, KH_STUN_HEADER_BYTES);
  g_assert_cmpint (length, >=, KH_STUN_HEADER_BYTES);
  kh_test_socket_receive (self->socket, bytes + KH_STUN_HEADER_BYTES, length - KH_STUN_HEADER_BYTES);
  message = kh_stun_message_from_bytes (bytes, length, &error);
  g_assert_no_error (error);

  return message;
}

/* COOKIE may be NULL. Returns the answer, whatever it is. */
KhStunMessage *
kh_dial_client_ask (KhDialClient *self, KhDialKind kind, const guint8 *cookie)
{
  g_autoptr (KhStunMessage) request = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_DIAL_BACK, NULL);
  KhStunMessage *answer;

  request->dial_kind = kind;
  request->has_cookie = cookie != NULL;
  if (cookie != NULL)
    memcpy (request->cookie, cookie, sizeof request->cookie);
  kh_dial_client_send (self, request);
  answer = kh_dial_client_read (self);
  g_assert_cmphex (answer->method, ==, KH_STUN_METHOD_DIAL_BACK);
  g_assert_cmpmem (answer->id, KH_STUN_ID_BYTES, request->id, KH_STUN_ID_BYTES);

  return answer;
}

void
kh_dial_client_go (KhDialClient *self, const guint8 *id)
{
  g_autoptr (KhStunMessage) go = kh_stun_message_new (KH_STUN_INDICATION, KH_STUN_METHOD_DIAL_BACK, id);

  kh_dial_client_send (self, go);
}

void
kh_dial_client_assert_error (KhDialClient *self, KhDialKind kind, const guint8 *cookie, int code)
{
  g_autoptr (KhStunMessage) answer = kh_dial_client_ask (self, kind, cookie);

  g_assert_cmpint (answer->klass, ==, KH_STUN_ERROR);
  g_assert_cmpint (answer->error_code, ==, code);
}

void
kh_dial_client_assert_result (KhDialClient *self, const guint8 *id, KhDialResult result)
{
  g_autoptr (KhStunMessage) told = kh_dial_client_read (self);

  g_assert_cmpint (told->klass, ==, KH_STUN_INDICATION);
  g_assert_cmphex (told->method, ==, KH_STUN_METHOD_DIAL_BACK);
  g_assert_cmpmem (told->id, KH_STUN_ID_BYTES, id, KH_STUN_ID_BYTES);
  g_assert_cmpint (told->dial_result, ==, result);
}

/* The next thing that comes is the answer to a new Binding request, with the same cookie. */
void
kh_dial_client_assert_served (KhDialClient *self)
{
  g_autoptr (KhStunMessage) request = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, NULL);
  g_autoptr (KhStunMessage) answer = NULL;

  kh_dial_client_send (self, request);
  answer = kh_dial_client_read (self);
  g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
  g_assert_cmpmem (answer->id, KH_STUN_ID_BYTES, request->id, KH_STUN_ID_BYTES);
  g_assert_cmpmem (answer->cookie, KH_STUN_COOKIE_BYTES, self->cookie, KH_STUN_COOKIE_BYTES);
}
