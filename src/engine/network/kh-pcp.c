/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-pcp.h"

#include "kh-inquiry.h"

#include <string.h>

/* RFC 6887, sections 7 and 14.1. */
#define PCP_PORT 5351
#define PCP_VERSION 2
#define OPCODE_ANNOUNCE 0
#define RESPONSE 0x80
#define HEADER_BYTES 24
#define MAX_BYTES 1100
#define RESULT_UNSUPPORTED_VERSION 1

/**
 * kh_pcp_read_reply:
 * @bytes: (array length=length): a datagram that came from the router's port
 * @length: its length
 *
 * A router that refuses what was asked speaks PCP all the same, unless what it refuses is the version. ANNOUNCE carries no
 * nonce: that the socket takes datagrams only from the router's port, at a port that nobody else knows, has to do.
 *
 * Returns: what it is
 */
KhPcpReply
kh_pcp_read_reply (const guint8 *bytes, gsize length)
{
  if (length >= 4 && (bytes[1] & RESPONSE) && (bytes[0] != PCP_VERSION || bytes[3] == RESULT_UNSUPPORTED_VERSION))
    return KH_PCP_REFUSAL;
  if (length >= HEADER_BYTES && length <= MAX_BYTES && length % 4 == 0 && bytes[0] == PCP_VERSION &&
      bytes[1] == (RESPONSE | OPCODE_ANNOUNCE))
    return KH_PCP_ANSWER;
  return KH_PCP_NO_REPLY;
}

typedef struct
{
  KhInquiry inquiry;
  GSocket *socket;
  guint8 request[HEADER_BYTES];
} Ask;

static GTask *
take_task (Ask *ask)
{
  GTask *task = kh_inquiry_end (&ask->inquiry);

  g_clear_object (&ask->socket);
  g_free (ask);
  return task;
}

static void
finish (Ask *ask, gboolean spoken)
{
  g_autoptr (GTask) task = take_task (ask);

  g_task_return_boolean (task, spoken);
}

static void
fail (Ask *ask, GError *error)
{
  g_autoptr (GTask) task = take_task (ask);

  g_task_return_error (task, error);
}

static gboolean
on_heard (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Ask *ask = user_data;
  guint8 bytes[MAX_BYTES + 1];
  g_autoptr (GError) error = NULL;
  gssize got = g_socket_receive (socket, (char *) bytes, sizeof bytes, NULL, &error);
  KhPcpReply reply;

  if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
    return G_SOURCE_CONTINUE;

  /* An error: nobody listens there. */
  reply = got >= 0 ? kh_pcp_read_reply (bytes, got) : KH_PCP_REFUSAL;
  if (reply == KH_PCP_NO_REPLY)
    return G_SOURCE_CONTINUE;

  finish (ask, reply == KH_PCP_ANSWER);
  return G_SOURCE_REMOVE;
}

/* What cannot be sent now may be sent the next time, or the error comes in as an answer. */
static gboolean
send_request (gpointer user_data)
{
  Ask *ask = user_data;

  g_socket_send (ask->socket, (const char *) ask->request, sizeof ask->request, NULL, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_over (gpointer user_data)
{
  finish (user_data, FALSE);
  return G_SOURCE_REMOVE;
}

/* The client's address goes along, IPv4 as ::ffff:a.b.c.d. All else of the header is 0. */
static void
fill_request (Ask *ask, GInetAddress *local)
{
  ask->request[0] = PCP_VERSION;
  ask->request[1] = OPCODE_ANNOUNCE;
  memset (ask->request + 18, 0xff, 2);
  memcpy (ask->request + 20, g_inet_address_to_bytes (local), 4);
}

static gboolean
open_socket (Ask *ask, GInetAddress *gateway, GInetAddress *local, GError **error)
{
  g_autoptr (GSocketAddress) there = g_inet_socket_address_new (gateway, PCP_PORT);

  ask->socket = kh_inquiry_socket (&ask->inquiry, local, on_heard, error);
  return ask->socket != NULL && g_socket_connect (ask->socket, there, NULL, error);
}

/**
 * kh_pcp_ask_async:
 * @gateway: a router's IPv4 address
 * @local: our own IPv4 address in its network
 * @patience_ms: how long to wait for it
 * @cancellable: (nullable): ends it at once
 * @callback: called once
 * @user_data: for @callback
 *
 * Asks whether the router speaks the Port Control Protocol (RFC 6887), by ANNOUNCE, which opens nothing.
 */
void
kh_pcp_ask_async (GInetAddress *gateway, GInetAddress *local, guint patience_ms, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
  Ask *ask;
  GTask *task;
  GError *error = NULL;

  g_return_if_fail (g_inet_address_get_family (gateway) == G_SOCKET_FAMILY_IPV4);
  g_return_if_fail (g_inet_address_get_family (local) == G_SOCKET_FAMILY_IPV4);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, kh_pcp_ask_async);
  ask = g_new0 (Ask, 1);
  kh_inquiry_begin (&ask->inquiry, task, patience_ms, on_over, ask);
  fill_request (ask, local);
  if (open_socket (ask, gateway, local, &error))
    kh_inquiry_repeat (&ask->inquiry, send_request);
  else
    fail (ask, error);
}

/**
 * kh_pcp_ask_finish:
 * @spoken: (out): whether it does; one that is silent does not
 * @error: return location
 *
 * Returns: whether it could be asked; else a %G_IO_ERROR
 */
gboolean
kh_pcp_ask_finish (GAsyncResult *result, gboolean *spoken, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  *spoken = g_task_propagate_boolean (G_TASK (result), &failure);
  if (failure == NULL)
    return TRUE;

  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
