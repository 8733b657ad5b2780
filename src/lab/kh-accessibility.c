/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-accessibility.h"

/* For a service that may have to start first. */
#define PATIENCE_MS 3000

static void
on_answered (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GVariant) answer = g_dbus_connection_call_finish (G_DBUS_CONNECTION (source), result, NULL);
  char *address = NULL;

  if (answer != NULL)
    g_variant_get (answer, "(s)", &address);
  g_task_return_pointer (task, address, g_free);
}

static void
on_connected (GObject *source, GAsyncResult *result, gpointer data)
{
  g_autoptr (GTask) task = data;
  g_autoptr (GDBusConnection) connection = g_dbus_connection_new_for_address_finish (result, NULL);
  GCancellable *cancellable = g_task_get_cancellable (task);

  if (connection == NULL)
    g_task_return_pointer (task, NULL, NULL);
  else
    g_dbus_connection_call (connection, "org.a11y.Bus", "/org/a11y/bus", "org.a11y.Bus", "GetAddress", NULL,
                            G_VARIANT_TYPE ("(s)"), G_DBUS_CALL_FLAGS_NONE, PATIENCE_MS, cancellable, on_answered,
                            g_steal_pointer (&task));
}

/* GLib would start a bus where there is none; that is not wanted. */
static char *
find_session_bus (void)
{
  const char *address = g_getenv ("DBUS_SESSION_BUS_ADDRESS");
  const char *folder = g_getenv ("XDG_RUNTIME_DIR");
  g_autofree char *path = NULL;

  if (address != NULL && *address != '\0')
    return g_strdup (address);
  /* Not g_get_user_runtime_dir(), which makes a folder where there is none. */
  if (folder == NULL)
    return NULL;
  path = g_build_filename (folder, "bus", NULL);

  return g_file_test (path, G_FILE_TEST_EXISTS) ? g_strconcat ("unix:path=", path, NULL) : NULL;
}

/**
 * kh_accessibility_find_async:
 * @cancellable: (nullable): cancels
 * @callback: called when it is known
 * @data: for @callback
 *
 * Looks for the bus by which screen readers see windows: those on a session bus of their own would not find it by themselves.
 */
void
kh_accessibility_find_async (GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data)
{
  g_autoptr (GTask) task = g_task_new (NULL, cancellable, callback, data);
  g_autofree char *address = find_session_bus ();

  g_task_set_source_tag (task, kh_accessibility_find_async);
  g_task_set_check_cancellable (task, FALSE);
  if (address == NULL)
    g_task_return_pointer (task, NULL, NULL);
  else
    g_dbus_connection_new_for_address (
        address, G_DBUS_CONNECTION_FLAGS_AUTHENTICATION_CLIENT | G_DBUS_CONNECTION_FLAGS_MESSAGE_BUS_CONNECTION, NULL,
        cancellable, on_connected, g_steal_pointer (&task));
}

/**
 * kh_accessibility_find_finish:
 * @result: a result
 *
 * Returns: (transfer full) (nullable): its address; %NULL where there is none
 */
char *
kh_accessibility_find_finish (GAsyncResult *result)
{
  return g_task_propagate_pointer (G_TASK (result), NULL);
}
