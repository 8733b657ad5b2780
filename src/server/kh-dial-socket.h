/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhDialSocketKind:
 * @KH_DIAL_SOCKET_PLAIN: to dial from a port of its own
 * @KH_DIAL_SOCKET_SILENT: takes SYNs to its port and throws them away: they are neither answered nor refused
 * @KH_DIAL_SOCKET_CROSSING: to dial from a silent socket's port
 * @KH_DIAL_SOCKET_BARE_SYN: the same, but it does not see SYNs without ACK, so no simultaneous open comes of them
 */
typedef enum
{
  KH_DIAL_SOCKET_PLAIN,
  KH_DIAL_SOCKET_SILENT,
  KH_DIAL_SOCKET_CROSSING,
  KH_DIAL_SOCKET_BARE_SYN,
} KhDialSocketKind;

int                 kh_dial_socket_open      (KhDialSocketKind kind, GInetSocketAddress *address, guint16 port);
GInetSocketAddress *kh_dial_socket_get_local (int fd);

G_END_DECLS
