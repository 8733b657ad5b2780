/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-self-dial.h"

/* It never leaves this computer. */
#define PATIENCE_SECONDS 1

/**
 * kh_self_dial_choose:
 * @interfaces: all of ours
 * @inside: the address that is to be dialled
 *
 * Returns: (transfer full): another address of this computer of the same family, loopback where there is no other
 */
GInetAddress *
kh_self_dial_choose (const KhInterfaces *interfaces, GInetAddress *inside)
{
  g_autoptr (GPtrArray) own = kh_interfaces_get_lan (interfaces);

  for (guint i = 0; i < own->len; i++)
    {
      GInetAddress *address = g_ptr_array_index (own, i);

      if (g_inet_address_get_family (address) == g_inet_address_get_family (inside) &&
          !g_inet_address_equal (address, inside))
        return g_object_ref (address);
    }
  return g_inet_address_new_loopback (g_inet_address_get_family (inside));
}

/* Only an answer of a firewall, or none, is evidence; whatever else goes wrong is our own affair. */
static void
on_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  g_autoptr (GError) error = NULL;
  g_autoptr (GSocketConnection) connection = g_socket_client_connect_finish (G_SOCKET_CLIENT (source), result, &error);

  if (connection != NULL)
    {
      g_io_stream_close (G_IO_STREAM (connection), NULL, NULL);
      g_task_return_boolean (task, FALSE);
    }
  else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED) ||
           g_error_matches (error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT) ||
           g_error_matches (error, G_IO_ERROR, G_IO_ERROR_HOST_UNREACHABLE) ||
           g_error_matches (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    g_task_return_boolean (task, TRUE);
  else
    g_task_return_error (task, g_steal_pointer (&error));
}

/**
 * kh_self_dial_async:
 * @target: a probe that has asked
 * @from: another address of this computer
 * @cancellable: (nullable): ends it
 * @callback: called once, within two seconds
 * @user_data: for @callback
 *
 * Dials the probe's port from another address of this computer, from a port that the system chooses. What keeps even that out
 * is a firewall of this computer. The way does not lead over the network, and most firewalls let such packets pass, so that
 * getting in proves nothing.
 */
void
kh_self_dial_async (KhProbe *target, GInetAddress *from, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (target, cancellable, callback, user_data);
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  g_autoptr (GSocketAddress) local = g_inet_socket_address_new (from, 0);
  GInetSocketAddress *inside = kh_stun_client_get_local (kh_probe_get_client (target));
  GError *error = NULL;

  g_task_set_source_tag (task, kh_self_dial_async);
  if (!kh_probe_listen (target, &error))
    {
      g_task_return_error (task, error);
      return;
    }

  g_socket_client_set_enable_proxy (client, FALSE);
  g_socket_client_set_timeout (client, PATIENCE_SECONDS);
  g_socket_client_set_local_address (client, local);
  g_socket_client_connect_async (client, G_SOCKET_CONNECTABLE (inside), cancellable, on_dialled,
                                 g_steal_pointer (&task));
}

/**
 * kh_self_dial_finish:
 * @kept_out: (out): whether a firewall of this computer is in the way
 *
 * Returns: %FALSE with a %G_IO_ERROR when the dial could not be tried, or was cancelled
 */
gboolean
kh_self_dial_finish (KhProbe *target, GAsyncResult *result, gboolean *kept_out, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_return_val_if_fail (g_task_is_valid (result, target), FALSE);

  *kept_out = g_task_propagate_boolean (G_TASK (result), &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
