/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-nat-pmp.h"

#include "kh-inquiry.h"

#include <errno.h>
#include <glib-unix.h>
#include <natpmp.h>
#include <string.h>
#include <sys/socket.h>

/* RFC 6886, sections 3.2 and 3.5. */
#define ANSWER_BYTES 12
#define REFUSAL_BYTES 8

/* libnatpmp waits for nothing by itself: it has a socket that does not block, connected to the router, and says when it
 * wants to send again. */
typedef struct
{
  KhInquiry inquiry;
  natpmp_t natpmp;
  gboolean is_open;
  guint again_id;
  gboolean spoken;
  GInetAddress *external;
} Ask;

static GTask *
take_task (Ask *ask)
{
  GTask *task = kh_inquiry_end (&ask->inquiry);

  g_clear_handle_id (&ask->again_id, g_source_remove);
  if (ask->is_open)
    closenatpmp (&ask->natpmp);
  ask->is_open = FALSE;
  return task;
}

static void
ask_free (gpointer data)
{
  Ask *ask = data;

  g_clear_object (&ask->external);
  g_free (ask);
}

/* The answer is what is in the state. */
static void
finish (Ask *ask)
{
  g_autoptr (GTask) task = take_task (ask);

  g_task_return_pointer (task, ask, ask_free);
}

static void
fail (Ask *ask)
{
  g_autoptr (GTask) task = take_task (ask);

  ask_free (ask);
  g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_FAILED, "the router cannot be asked by NAT-PMP");
}

/* libnatpmp does not look at the length of what it reads: an answer that is too short would be filled up with what its
 * stack holds. Returns whether the router has a port for it: looking takes note of an ICMP in libnatpmp's stead. */
static gboolean
drop_short (int fd)
{
  guint8 start[4];
  gssize length;

  while ((length = recv (fd, start, sizeof start, MSG_PEEK | MSG_TRUNC | MSG_DONTWAIT)) >= 0)
    {
      gboolean refuses = length >= REFUSAL_BYTES && (start[2] != 0 || start[3] != 0);

      if (length >= ANSWER_BYTES || refuses)
        return TRUE;
      recv (fd, start, sizeof start, MSG_DONTWAIT);
    }
  return errno != ECONNREFUSED;
}

static void
take_answer (Ask *ask, const natpmpresp_t *answer)
{
  ask->spoken = TRUE;
  ask->external =
      g_inet_address_new_from_bytes ((const guint8 *) &answer->pnu.publicaddress.addr, G_SOCKET_FAMILY_IPV4);
  if (g_inet_address_get_is_any (ask->external)) /* it has none */
    g_clear_object (&ask->external);
  finish (ask);
}

static void proceed (Ask *ask);

static gboolean
on_again (gpointer user_data)
{
  Ask *ask = user_data;

  ask->again_id = 0;
  proceed (ask);
  return G_SOURCE_REMOVE;
}

/* At least a millisecond: the clock of libnatpmp has finer parts than ours. */
static void
wait_and_repeat (Ask *ask)
{
  struct timeval wait = { 0 };

  g_clear_handle_id (&ask->again_id, g_source_remove);
  if (getnatpmprequesttimeout (&ask->natpmp, &wait) < 0)
    return;

  ask->again_id = g_timeout_add (MAX (0, wait.tv_sec) * 1000 + MAX (0, wait.tv_usec) / 1000 + 1, on_again, ask);
  g_source_set_name_by_id (ask->again_id, "kh-nat-pmp again");
}

/* Reads what has come, or sends again when it is time. */
static void
proceed (Ask *ask)
{
  natpmpresp_t answer = { 0 };
  int result;

  if (!drop_short (ask->natpmp.s))
    {
      finish (ask);
      return;
    }
  result = readnatpmpresponseorretry (&ask->natpmp, &answer);
  switch (result)
    {
    case 0:
      if (answer.type == NATPMP_RESPTYPE_PUBLICADDRESS)
        take_answer (ask, &answer);
      else
        finish (ask); /* an answer to what we never ask */
      break;
    case NATPMP_ERR_NOTAUTHORIZED:
    case NATPMP_ERR_NETWORKFAILURE:
    case NATPMP_ERR_OUTOFRESOURCES:
      ask->spoken = TRUE;
      finish (ask);
      break;
    case NATPMP_TRYAGAIN:
    case NATPMP_ERR_UNSUPPORTEDOPCODE: /* no answer at all */
      wait_and_repeat (ask);
      break;
    default: /* nobody listens there, or nobody who speaks it */
      finish (ask);
      break;
    }
}

static gboolean
on_heard (int fd, GIOCondition condition, gpointer user_data)
{
  proceed (user_data);
  /* When that was the end, the source has been destroyed, which counts more than this. */
  return G_SOURCE_CONTINUE;
}

static gboolean
on_over (gpointer user_data)
{
  finish (user_data);
  return G_SOURCE_REMOVE;
}

/**
 * kh_nat_pmp_ask_async:
 * @gateway: a router's IPv4 address
 * @patience_ms: how long to wait for it
 * @cancellable: (nullable): ends it at once
 * @callback: called once
 * @user_data: for @callback
 *
 * Asks the router for its outside address by NAT-PMP (RFC 6886, section 3.2), which opens nothing.
 */
void
kh_nat_pmp_ask_async (GInetAddress *gateway, guint patience_ms, GCancellable *cancellable, GAsyncReadyCallback callback,
                      gpointer user_data)
{
  Ask *ask;
  GTask *task;
  in_addr_t address;
  int result;

  g_return_if_fail (g_inet_address_get_family (gateway) == G_SOCKET_FAMILY_IPV4);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, kh_nat_pmp_ask_async);
  ask = g_new0 (Ask, 1);
  kh_inquiry_begin (&ask->inquiry, task, patience_ms, on_over, ask);

  memcpy (&address, g_inet_address_to_bytes (gateway), sizeof address);
  result = initnatpmp (&ask->natpmp, 1, address);
  /* It leaves its socket to us when that cannot be connected. */
  ask->is_open = result == 0 || result == NATPMP_ERR_CONNECTERR || result == NATPMP_ERR_FCNTLERROR;
  if (result != 0 || sendpublicaddressrequest (&ask->natpmp) < 0)
    {
      fail (ask);
      return;
    }
  kh_inquiry_watch (&ask->inquiry, g_unix_fd_source_new (ask->natpmp.s, G_IO_IN | G_IO_ERR), G_SOURCE_FUNC (on_heard));
  wait_and_repeat (ask);
}

/**
 * kh_nat_pmp_ask_finish:
 * @spoken: (out): whether the router speaks NAT-PMP; one that is silent does not
 * @external: (out) (transfer full) (nullable): its outside address, if it names one
 * @error: return location
 *
 * Returns: whether it could be asked; else a %G_IO_ERROR
 */
gboolean
kh_nat_pmp_ask_finish (GAsyncResult *result, gboolean *spoken, GInetAddress **external, GError **error)
{
  Ask *ask;

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  ask = g_task_propagate_pointer (G_TASK (result), error);
  if (ask == NULL)
    return FALSE;

  *spoken = ask->spoken;
  *external = g_steal_pointer (&ask->external);
  ask_free (ask);
  return TRUE;
}
