/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-server-name.h"

/* A name may have very many addresses; one of each family is all that is wanted. */
#define MAX_ADDRESSES 16

typedef struct
{
  KhServerAddresses found;
  guint seen;
} Resolving;

static void
resolving_free (gpointer data)
{
  Resolving *resolving = data;

  g_clear_object (&resolving->found.v4);
  g_clear_object (&resolving->found.v6);
  g_free (resolving);
}

static void
take (Resolving *resolving, GSocketAddress *address)
{
  GSocketFamily family = g_socket_address_get_family (address);
  GInetSocketAddress **place = family == G_SOCKET_FAMILY_IPV4 ? &resolving->found.v4 : &resolving->found.v6;

  resolving->seen++;
  if (G_IS_INET_SOCKET_ADDRESS (address) && *place == NULL)
    *place = g_object_ref (G_INET_SOCKET_ADDRESS (address));
}

static void
on_next (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Resolving *resolving = g_task_get_task_data (task);
  GError *error = NULL;
  g_autoptr (GSocketAddress) address =
      g_socket_address_enumerator_next_finish (G_SOCKET_ADDRESS_ENUMERATOR (source), result, &error);

  if (g_task_return_error_if_cancelled (task))
    {
      g_clear_error (&error);
      return;
    }
  if (address != NULL)
    take (resolving, address);
  if (address != NULL && resolving->seen < MAX_ADDRESSES &&
      (resolving->found.v4 == NULL || resolving->found.v6 == NULL))
    g_socket_address_enumerator_next_async (G_SOCKET_ADDRESS_ENUMERATOR (source), g_task_get_cancellable (task),
                                            on_next, g_object_ref (task));
  else if (resolving->seen > 0)
    {
      g_clear_error (&error);
      g_task_return_boolean (task, TRUE);
    }
  else if (error != NULL)
    g_task_return_error (task, error);
  else
    g_task_return_new_error (task, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the name has no address");
}

/**
 * kh_server_name_resolve_async:
 * @name: `HOST` or `HOST:PORT` of a STUN server; port 3478 where it has none
 * @cancellable: (nullable): ends it
 * @callback: called once
 * @user_data: for @callback
 */
void
kh_server_name_resolve_async (const char *name, GCancellable *cancellable, GAsyncReadyCallback callback,
                              gpointer user_data)
{
  GTask *task = g_task_new (NULL, cancellable, callback, user_data);
  g_autoptr (GSocketAddressEnumerator) addresses = NULL;
  g_autoptr (GSocketConnectable) address = NULL;
  GError *error = NULL;

  g_task_set_source_tag (task, kh_server_name_resolve_async);
  g_task_set_task_data (task, g_new0 (Resolving, 1), resolving_free);
  address = g_network_address_parse (name, KH_STUN_DEFAULT_PORT, &error);
  if (address == NULL)
    {
      g_task_return_error (task, error);
      g_object_unref (task);
      return;
    }

  addresses = g_socket_connectable_enumerate (address);
  g_socket_address_enumerator_next_async (addresses, cancellable, on_next, task);
}

/**
 * kh_server_name_resolve_finish:
 * @addresses: (out caller-allocates) (transfer full): at least one of them
 *
 * Returns: whether there is one; else a %G_IO_ERROR or %G_RESOLVER_ERROR
 */
gboolean
kh_server_name_resolve_finish (GAsyncResult *result, KhServerAddresses *addresses, GError **error)
{
  Resolving *resolving = g_task_get_task_data (G_TASK (result));

  if (!g_task_propagate_boolean (G_TASK (result), error))
    return FALSE;

  addresses->v4 = g_steal_pointer (&resolving->found.v4);
  addresses->v6 = g_steal_pointer (&resolving->found.v6);
  return TRUE;
}
