/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-knock.h"

#include "kh-address.h"
#include "kh-cancel.h"

#include <string.h>

/* A server waits 1.5 s for an answer before it says "silent". What takes longer than this has gone wrong. */
#define PATIENCE_MS 4000

/* A server that says "connected" has sent its token right before. */
#define GRACE_MS 1000

/* One request, from its sending to its end. The task stands for it: whoever has a call pending holds a reference to that. */
typedef struct
{
  GTask *task; /* of which this is the data; the reference that end() drops */
  KhProbe *target;
  KhStunClient *control;
  KhDialKind kind;
  guint8 id[KH_STUN_ID_BYTES];
  GCancellable *dialling;
  GSource *cancel_source;
  guint deadline_id;
  guint dial_id;
  GInetSocketAddress *origin;
} Ask;

static void
stop (Ask *ask)
{
  g_clear_handle_id (&ask->deadline_id, g_source_remove);
  g_clear_handle_id (&ask->dial_id, g_source_remove);
  g_cancellable_cancel (ask->dialling);
  g_signal_handlers_disconnect_by_data (ask->target, ask);
  g_signal_handlers_disconnect_by_data (ask->control, ask);
  kh_cancel_unwatch (&ask->cancel_source);
}

static void
ask_free (gpointer data)
{
  Ask *ask = data;

  g_clear_object (&ask->dialling);
  g_clear_object (&ask->origin);
  g_object_unref (ask->target);
  g_object_unref (ask->control);
  g_free (ask);
}

/* The one way it ends. */
static void
end (Ask *ask, KhReason reason, KhDialResult result)
{
  g_autoptr (GTask) task = g_steal_pointer (&ask->task);
  KhDialOutcome *outcome;

  if (task == NULL)
    return;

  stop (ask);
  outcome = g_new (KhDialOutcome, 1);
  outcome->reason = reason;
  outcome->result = result;
  g_task_return_pointer (task, outcome, g_free);
}

static gboolean
on_deadline (gpointer user_data)
{
  Ask *ask = user_data;

  ask->deadline_id = 0;
  end (ask, KH_REASON_SERVER_SILENT, KH_DIAL_UNKNOWN);
  return G_SOURCE_REMOVE;
}

static gboolean
on_nothing_came (gpointer user_data)
{
  Ask *ask = user_data;

  ask->deadline_id = 0;
  end (ask, KH_REASON_CONTRADICTION, KH_DIAL_UNKNOWN);
  return G_SOURCE_REMOVE;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  Ask *ask = user_data;
  g_autoptr (GTask) task = g_steal_pointer (&ask->task);

  stop (ask);
  g_task_return_error_if_cancelled (task);
  return G_SOURCE_REMOVE;
}

/* Whether it came from where that kind of dial has to come from. A server behind a NAT of its own may not even know. */
static gboolean
comes_from_there (Ask *ask, GInetSocketAddress *remote)
{
  GInetSocketAddress *server = kh_stun_client_get_server (kh_probe_get_client (ask->target));
  gboolean same =
      g_inet_address_equal (g_inet_socket_address_get_address (remote), g_inet_socket_address_get_address (server));

  switch (ask->kind)
    {
    case KH_DIAL_ADDRESS:
      return !same;
    case KH_DIAL_PORT:
      return same && g_inet_socket_address_get_port (remote) != g_inet_socket_address_get_port (server);
    case KH_DIAL_CROSSING:
    case KH_DIAL_BARE_SYN:
      return ask->origin != NULL && kh_address_equal (G_SOCKET_ADDRESS (ask->origin), G_SOCKET_ADDRESS (remote));
    case KH_DIAL_NONE:
    case KH_DIAL_POKE:
    case KH_N_DIAL_KINDS:
    default:
      return FALSE;
    }
}

/* The connection itself, whoever dialled: better than anything the server may say. */
static void
on_witnessed (KhProbe *target, const guint8 *token, GInetSocketAddress *remote, gpointer user_data)
{
  Ask *ask = user_data;

  if (memcmp (token, ask->id, sizeof ask->id) != 0)
    return;
  if (comes_from_there (ask, remote))
    end (ask, KH_REASON_KNOWN, KH_DIAL_CONNECTED);
  else
    end (ask, KH_REASON_CONTRADICTION, KH_DIAL_UNKNOWN);
}

static void
on_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Ask *ask = g_task_get_task_data (task);
  g_autoptr (GSocketConnection) connection = kh_port_connect_finish (KH_PORT (source), result, NULL);

  if (connection != NULL && ask->task != NULL)
    kh_probe_read_token (ask->target, connection);
}

static void
dial (Ask *ask)
{
  kh_port_connect_async (kh_probe_get_port (ask->target), ask->origin, KH_CONNECT_INTERNET, 0, ask->dialling, on_dialled,
                         g_object_ref (ask->task));
}

static gboolean
on_time_to_dial (gpointer user_data)
{
  Ask *ask = user_data;

  ask->dial_id = 0;
  dial (ask);
  return G_SOURCE_REMOVE;
}

static gboolean
send (Ask *ask, KhStunClass klass)
{
  g_autoptr (KhStunMessage) message = kh_stun_message_new (klass, KH_STUN_METHOD_DIAL_BACK, ask->id);
  KhStunClient *own = kh_probe_get_client (ask->target);

  if (klass == KH_STUN_REQUEST)
    {
      message->dial_kind = ask->kind;
      message->has_cookie = ask->control != own;
      if (message->has_cookie)
        memcpy (message->cookie, kh_stun_client_get_cookie (own), sizeof message->cookie);
    }
  return kh_stun_client_send (ask->control, message);
}

/* A bare SYN comes after ours has opened the hole. SYNs that cross: the server's leaves when "go" arrives, ours must arrive
 * there a little later. */
static void
go (Ask *ask)
{
  if (ask->kind == KH_DIAL_BARE_SYN)
    {
      dial (ask);
      send (ask, KH_STUN_INDICATION);
      return;
    }

  send (ask, KH_STUN_INDICATION);
  ask->dial_id = g_timeout_add (MAX (0, kh_stun_client_get_rtt (ask->control)) / 4, on_time_to_dial, ask);
  g_source_set_name_by_id (ask->dial_id, "kh-knock crossing");
}

/* The server may have us dial itself, nobody else. */
static gboolean
is_at_server (Ask *ask, GInetSocketAddress *origin)
{
  GInetSocketAddress *server = kh_stun_client_get_server (kh_probe_get_client (ask->target));

  return origin != NULL && g_inet_socket_address_get_port (origin) != 0 &&
         g_inet_address_equal (g_inet_socket_address_get_address (origin), g_inet_socket_address_get_address (server));
}

static void
take_success (Ask *ask, const KhStunMessage *message)
{
  if (ask->origin != NULL || (ask->kind != KH_DIAL_CROSSING && ask->kind != KH_DIAL_BARE_SYN))
    return;
  if (!is_at_server (ask, message->response_origin))
    {
      end (ask, KH_REASON_CONTRADICTION, KH_DIAL_UNKNOWN);
      return;
    }

  ask->origin = g_object_ref (message->response_origin);
  go (ask);
}

static KhReason
reason_of_error (int code)
{
  switch (code)
    {
    case 405:
      return KH_REASON_ONE_ADDRESS;
    case 403:
    case 486:
    case 508:
      return KH_REASON_SERVER_LIMIT;
    default:
      return KH_REASON_NO_DIAL_BACK;
    }
}

static void
take_result (Ask *ask, const KhStunMessage *message)
{
  switch (message->dial_result)
    {
    case KH_DIAL_CONNECTED:
      g_clear_handle_id (&ask->deadline_id, g_source_remove);
      ask->deadline_id = g_timeout_add (GRACE_MS, on_nothing_came, ask);
      g_source_set_name_by_id (ask->deadline_id, "kh-knock grace");
      break;
    case KH_DIAL_REFUSED:
    case KH_DIAL_UNREACHABLE:
    case KH_DIAL_SILENT:
      end (ask, KH_REASON_KNOWN, message->dial_result);
      break;
    case KH_DIAL_UNKNOWN:
    case KH_DIAL_FAILED:
    case KH_N_DIAL_RESULTS:
    default:
      end (ask, KH_REASON_SERVER_SILENT, KH_DIAL_UNKNOWN);
    }
}

static void
on_message (KhStunClient *control, const KhStunMessage *message, gpointer user_data)
{
  Ask *ask = user_data;

  if (memcmp (message->id, ask->id, sizeof ask->id) != 0)
    return;

  switch (message->klass)
    {
    case KH_STUN_ERROR:
      end (ask, reason_of_error (message->error_code), KH_DIAL_UNKNOWN);
      break;
    case KH_STUN_SUCCESS:
      take_success (ask, message);
      break;
    case KH_STUN_INDICATION:
      take_result (ask, message);
      break;
    case KH_STUN_REQUEST:
    default:
      break;
    }
}

static void
on_control_closed (KhStunClient *control, gpointer user_data)
{
  end (user_data, KH_REASON_SERVER_SILENT, KH_DIAL_UNKNOWN);
}

static void
watch (Ask *ask)
{
  GCancellable *cancellable = g_task_get_cancellable (ask->task);

  g_signal_connect (ask->target, "witnessed", G_CALLBACK (on_witnessed), ask);
  g_signal_connect (ask->control, "message", G_CALLBACK (on_message), ask);
  g_signal_connect (ask->control, "closed", G_CALLBACK (on_control_closed), ask);
  ask->deadline_id = g_timeout_add (PATIENCE_MS, on_deadline, ask);
  g_source_set_name_by_id (ask->deadline_id, "kh-knock deadline");
  ask->cancel_source = kh_cancel_watch (cancellable, on_cancelled, ask);
}

/**
 * kh_knock_async:
 * @target: whose mapping is to be dialled; its connection may have ended when it has asked before
 * @control: an open connection to the same server, that of @target or another's
 * @kind: how; not %KH_DIAL_POKE
 * @cancellable: (nullable): ends it
 * @callback: called once, within six seconds
 * @user_data: for @callback
 *
 * Lets the server knock: it dials us. "Connected" is believed only when the connection is seen here, with the server's token on it.
 */
void
kh_knock_async (KhProbe *target, KhStunClient *control, KhDialKind kind, GCancellable *cancellable,
                GAsyncReadyCallback callback, gpointer user_data)
{
  GTask *task = g_task_new (target, cancellable, callback, user_data);
  Ask *ask = g_new0 (Ask, 1);
  g_autoptr (KhStunMessage) unique = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_DIAL_BACK, NULL);

  g_task_set_source_tag (task, kh_knock_async);
  g_task_set_task_data (task, ask, ask_free);
  ask->task = task;
  ask->target = g_object_ref (target);
  ask->control = g_object_ref (control);
  ask->kind = kind;
  ask->dialling = g_cancellable_new ();
  memcpy (ask->id, unique->id, sizeof ask->id);

  watch (ask);
  if (control != kh_probe_get_client (target) && kh_stun_client_get_cookie (kh_probe_get_client (target)) == NULL)
    end (ask, KH_REASON_NO_DIAL_BACK, KH_DIAL_UNKNOWN);
  else if (!kh_probe_listen (target, NULL))
    end (ask, KH_REASON_LOCAL, KH_DIAL_UNKNOWN);
  else if (!send (ask, KH_STUN_REQUEST))
    end (ask, KH_REASON_SERVER_SILENT, KH_DIAL_UNKNOWN);
}

/**
 * kh_knock_finish:
 * @outcome: (out caller-allocates): what came of it
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED only
 */
gboolean
kh_knock_finish (KhProbe *target, GAsyncResult *result, KhDialOutcome *outcome, GError **error)
{
  g_autofree KhDialOutcome *found = NULL;

  g_return_val_if_fail (g_task_is_valid (result, target), FALSE);

  found = g_task_propagate_pointer (G_TASK (result), error);
  if (found != NULL)
    *outcome = *found;
  return found != NULL;
}
