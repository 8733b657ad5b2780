/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-hops.h"

#include "kh-address.h"
#include "kh-cancel.h"
#include "kh-icmp.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* Ports where nobody listens, as traceroute uses them: one for each hop. */
#define FIRST_PORT 33434
#define AGAIN_MS 300
#define ICMP_DEST_UNREACH 3
#define ICMP_TIME_EXCEEDED 11

/* How many NATs are ours (TRAVERSAL section 4): a datagram with a time to live of n dies at the n-th router, which says
 * so by ICMP. The kernel hands that to the socket that sent it (IP_RECVERR), so no rights are needed. TCP could not
 * tell: what a primer needs, IP_MINTTL, hides the ICMP.
 *
 * All hops are asked at once, those that stay silent once more: 16 datagrams at most. */

typedef struct
{
  GTask *task; /* a reference: what is under way keeps it */
  GSocketAddress *targets[KH_HOPS_MAX];
  GSocket *sockets[KH_HOPS_MAX];
  GSource *sources[KH_HOPS_MAX];
  GSource *cancelled;
  guint deadline_id;
  guint again_id;
  gboolean arrived; /* the server itself has answered */
  KhHops hops;
} Measure;

static void
clear_source (GSource **source)
{
  if (*source == NULL)
    return;
  g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}

static void
measure_free (Measure *measure)
{
  g_clear_handle_id (&measure->deadline_id, g_source_remove);
  g_clear_handle_id (&measure->again_id, g_source_remove);
  kh_cancel_unwatch (&measure->cancelled);
  for (int i = 0; i < KH_HOPS_MAX; i++)
    {
      clear_source (&measure->sources[i]);
      g_clear_object (&measure->sockets[i]);
      g_clear_object (&measure->targets[i]);
    }
  g_free (measure);
}

/* The one way a measurement ends. */
static void
finish (Measure *measure, GError *error)
{
  g_autoptr (GTask) task = measure->task;
  KhHops *hops = g_memdup2 (&measure->hops, sizeof measure->hops);

  measure_free (measure);
  if (error != NULL)
    {
      g_free (hops);
      g_task_return_error (task, error);
    }
  else
    g_task_return_pointer (task, hops, g_free);
}

typedef enum
{
  HOP_SILENT, /* or what tells nothing, such as a link-local address */
  HOP_PRIVATE,
  HOP_CARRIER,
  HOP_PUBLIC,
} HopKind;

static HopKind
kind_of (const char *router)
{
  g_autoptr (GInetAddress) address = *router != '\0' ? g_inet_address_new_from_string (router) : NULL;
  const guint8 *bytes;

  if (address == NULL || g_inet_address_get_family (address) != G_SOCKET_FAMILY_IPV4)
    return HOP_SILENT;

  bytes = g_inet_address_to_bytes (address);
  if (bytes[0] == 100 && (bytes[1] & 0xc0) == 64)
    return HOP_CARRIER;
  if (g_inet_address_get_is_site_local (address))
    return HOP_PRIVATE;
  return kh_address_is_global (address) ? HOP_PUBLIC : HOP_SILENT;
}

/* The first hop with a public address, KH_HOPS_MAX without one. */
static int
find_public (const KhHops *hops)
{
  int i = 0;

  while (i < KH_HOPS_MAX && kind_of (hops->routers[i]) != HOP_PUBLIC)
    i++;
  return i;
}

/**
 * kh_hops_judge:
 * @hops: what was measured
 * @depth: (out): hops to our outermost NAT: the last one before the internet with a private or shared address; 0 without a
 *   NAT, %KH_FACT_NUMBER_UNKNOWN where that cannot be told
 * @carrier: (out): whether one with a shared address (100.64.0.0/10) is among them; that none was seen means something
 *   only where @depth is known
 *
 * A provider that numbers its own routers privately, behind the outermost NAT, makes the depth too large; a primer then dies
 * further out than it needs to. A silent hop between the last private and the first public one could be a NAT or not.
 */
void
kh_hops_judge (const KhHops *hops, int *depth, gboolean *carrier)
{
  int public = find_public (hops);
  int last = 0;

  *carrier = FALSE;
  for (int i = 0; i < public; i++)
    {
      HopKind kind = kind_of (hops->routers[i]);

      if (kind != HOP_SILENT)
        last = i + 1;
      if (kind == HOP_CARRIER)
        *carrier = TRUE;
    }

  *depth = public < KH_HOPS_MAX && last == public ? last : KH_FACT_NUMBER_UNKNOWN;
}

/* Whether nothing that may still come could say more. */
static gboolean
is_complete (const Measure *measure)
{
  int public = find_public (&measure->hops);

  if (measure->arrived)
    return TRUE;
  for (int i = 0; i < public; i++)
    if (*measure->hops.routers[i] == '\0')
      return FALSE;
  return public < KH_HOPS_MAX;
}

/* Only the first answer for a hop counts. What is no answer of a router on the way does not. */
static void
take_error (Measure *measure, int hop, const KhIcmp *icmp)
{
  g_autoptr (GInetAddress) sender = NULL;
  GInetAddress *server = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (measure->targets[hop]));

  if (icmp->type != ICMP_TIME_EXCEEDED && icmp->type != ICMP_DEST_UNREACH)
    return;
  sender = g_inet_address_new_from_string (icmp->sender);
  if (sender == NULL)
    return;

  if (*measure->hops.routers[hop] == '\0')
    g_strlcpy (measure->hops.routers[hop], icmp->sender, KH_FACTS_ADDRESS_BYTES);
  if (g_inet_address_equal (sender, server))
    measure->arrived = TRUE;
}

/* A server that answers by a datagram has been reached as well. */
static void
drain (Measure *measure, int hop)
{
  int fd = g_socket_get_fd (measure->sockets[hop]);
  KhIcmp icmp;
  char byte;

  while (kh_icmp_read (fd, &icmp))
    take_error (measure, hop, &icmp);
  while (recv (fd, &byte, sizeof byte, MSG_DONTWAIT) >= 0)
    {
      GInetAddress *server = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (measure->targets[hop]));
      g_autofree char *text = g_inet_address_to_string (server);

      g_strlcpy (measure->hops.routers[hop], text, KH_FACTS_ADDRESS_BYTES);
      measure->arrived = TRUE;
    }
}

/* All of them each time: answers that came together are looked at together, whichever woke us. */
static gboolean
on_answer (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Measure *measure = user_data;

  for (int i = 0; i < KH_HOPS_MAX; i++)
    drain (measure, i);
  if (!is_complete (measure))
    return G_SOURCE_CONTINUE;

  finish (measure, NULL);
  return G_SOURCE_REMOVE;
}

static void
send_probe (Measure *measure, int hop)
{
  /* What cannot be sent is a hop that stays silent. An error of the socket may be an earlier answer: then it was not sent. */
  if (g_socket_send (measure->sockets[hop], "", 1, NULL, NULL) < 0)
    drain (measure, hop);
}

static gboolean
on_again (gpointer user_data)
{
  Measure *measure = user_data;
  int public = find_public (&measure->hops);

  measure->again_id = 0;
  for (int i = 0; i < public; i++)
    if (*measure->hops.routers[i] == '\0')
      send_probe (measure, i);
  return G_SOURCE_REMOVE;
}

static gboolean
on_deadline (gpointer user_data)
{
  Measure *measure = user_data;

  measure->deadline_id = 0;
  finish (measure, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  finish (user_data, g_error_new_literal (G_IO_ERROR, G_IO_ERROR_CANCELLED, "cancelled"));
  return G_SOURCE_REMOVE;
}

/* Returns whether there is a socket for that hop. */
static gboolean
open_socket (Measure *measure, GInetAddress *server, int hop, GError **error)
{
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);

  measure->sockets[hop] = socket;
  measure->targets[hop] = g_inet_socket_address_new (server, FIRST_PORT + hop);
  if (socket == NULL)
    return FALSE;

  g_socket_set_blocking (socket, FALSE);
  if (!g_socket_set_option (socket, IPPROTO_IP, IP_RECVERR, 1, error) ||
      !g_socket_set_option (socket, IPPROTO_IP, IP_TTL, hop + 1, error) ||
      !g_socket_connect (socket, measure->targets[hop], NULL, error))
    return FALSE;

  measure->sources[hop] = g_socket_create_source (socket, G_IO_IN | G_IO_ERR, NULL);
  g_source_set_callback (measure->sources[hop], G_SOURCE_FUNC (on_answer), measure, NULL);
  g_source_set_static_name (measure->sources[hop], "kh-hops answer");
  g_source_attach (measure->sources[hop], g_main_context_get_thread_default ());
  return TRUE;
}

/**
 * kh_hops_measure_async:
 * @server: an IPv4 address on the internet; datagrams for its ports 33434 to 33441 are sent towards it
 * @patience_ms: when to be content with what came; about a second
 * @cancellable: (nullable): ends it at once
 * @callback: called once
 * @user_data: for @callback
 *
 * Asks the first eight routers on the way to @server who they are. Ends as soon as the first one with a public address and
 * all before it have answered, or @server itself has.
 */
void
kh_hops_measure_async (GInetAddress *server, guint patience_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                       gpointer user_data)
{
  Measure *measure;
  GError *error = NULL;

  g_return_if_fail (G_IS_INET_ADDRESS (server));
  g_return_if_fail (g_inet_address_get_family (server) == G_SOCKET_FAMILY_IPV4);

  measure = g_new0 (Measure, 1);
  measure->task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (measure->task, kh_hops_measure_async);
  for (int i = 0; i < KH_HOPS_MAX; i++)
    if (!open_socket (measure, server, i, &error))
      {
        finish (measure, error);
        return;
      }

  for (int i = 0; i < KH_HOPS_MAX; i++)
    send_probe (measure, i);
  measure->again_id = g_timeout_add (AGAIN_MS, on_again, measure);
  g_source_set_name_by_id (measure->again_id, "kh-hops again");
  measure->deadline_id = g_timeout_add (patience_ms, on_deadline, measure);
  g_source_set_name_by_id (measure->deadline_id, "kh-hops deadline");
  measure->cancelled = kh_cancel_watch (cancellable, on_cancelled, measure);
}

/**
 * kh_hops_measure_finish:
 * @hops: (out caller-allocates): who answered
 * @error: return location
 *
 * Returns: whether it was measured, be it that nobody answered; else a %G_IO_ERROR, such as that there is no way to the
 *   server
 */
gboolean
kh_hops_measure_finish (GAsyncResult *result, KhHops *hops, GError **error)
{
  g_autofree KhHops *found = NULL;

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  found = g_task_propagate_pointer (G_TASK (result), error);
  if (found == NULL)
    return FALSE;

  *hops = *found;
  return TRUE;
}
