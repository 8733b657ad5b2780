/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-way.h"

#include "kh-interfaces.h"

#include <errno.h>
#include <gio/gnetworking.h>
#include <sys/socket.h>
#include <unistd.h>

/**
 * kh_way_find_local:
 * @remote: somebody to reach
 * @error: return location
 *
 * The address from which packets to @remote would leave, as the routing table has it. Sends nothing: connect() on a datagram
 * socket only looks up the route.
 *
 * Returns: (transfer full): the address, or %NULL with a %G_IO_ERROR such as %G_IO_ERROR_NETWORK_UNREACHABLE
 */
GInetAddress *
kh_way_find_local (GInetSocketAddress *remote, GError **error)
{
  struct sockaddr_storage native;
  socklen_t size = sizeof native;
  g_autoptr (GSocketAddress) found = NULL;
  int fd, code;

  if (!g_socket_address_to_native (G_SOCKET_ADDRESS (remote), &native, sizeof native, error))
    return NULL;

  fd = socket (native.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0 ||
      connect (fd, (struct sockaddr *) &native, g_socket_address_get_native_size (G_SOCKET_ADDRESS (remote))) != 0 ||
      getsockname (fd, (struct sockaddr *) &native, &size) != 0)
    {
      code = errno;
      if (fd >= 0)
        close (fd);
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (code), "route: %s", g_strerror (code));
      return NULL;
    }

  close (fd);
  found = g_socket_address_new_from_native (&native, size);
  return g_object_ref (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (found)));
}

/**
 * kh_way_describe:
 * @remote: somebody to reach
 *
 * Returns: (transfer full) (nullable): what kh_interfaces_describe_way() says of the way there as it is now, %NULL when there
 *   is none
 */
char *
kh_way_describe (GInetSocketAddress *remote)
{
  g_autoptr (GInetAddress) local = kh_way_find_local (remote, NULL);
  g_autoptr (KhInterfaces) interfaces = NULL;

  if (local == NULL)
    return NULL;

  interfaces = kh_interfaces_new_read ();
  return kh_interfaces_describe_way (interfaces, local);
}
