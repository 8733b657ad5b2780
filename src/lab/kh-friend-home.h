/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhFriendHome:
 * @folder: a folder to be made
 * @program: the path of knothole
 * @name: what the friend is called
 * @mailbox: URL of the meeting server
 * @stun: a STUN server
 * @accessibility: (nullable): address of the bus for screen readers
 * @width: of the window
 * @height: of the window
 *
 * What a window has of its own: a home, settings, a session bus.
 */
typedef struct
{
  const char *folder;
  const char *program;
  const char *name;
  const char *mailbox;
  const char *stun;
  const char *accessibility;
  int width;
  int height;
} KhFriendHome;

gboolean kh_friend_home_make             (const KhFriendHome *self, GError **error);
char    *kh_friend_home_get_bus_config   (const KhFriendHome *self);
char   **kh_friend_home_make_environment (const KhFriendHome *self);

G_END_DECLS
