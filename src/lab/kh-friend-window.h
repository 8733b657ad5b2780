/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-friend-home.h"
#include "kh-lab.h"

G_BEGIN_DECLS

#define KH_TYPE_FRIEND_WINDOW (kh_friend_window_get_type ())
G_DECLARE_FINAL_TYPE (KhFriendWindow, kh_friend_window, KH, FRIEND_WINDOW, GObject)

KhFriendWindow *kh_friend_window_new         (KhLab *lab, KhHostId host);
void            kh_friend_window_open_async  (KhFriendWindow *self, const KhFriendHome *home, GAsyncReadyCallback callback,
                                              gpointer data);
gboolean        kh_friend_window_open_finish (KhFriendWindow *self, GAsyncResult *result, GError **error);
void            kh_friend_window_activate    (KhFriendWindow *self, const char *action, const char *parameter);
const char     *kh_friend_window_get_phase   (KhFriendWindow *self);
const char     *kh_friend_window_get_code    (KhFriendWindow *self);
gboolean        kh_friend_window_is_open     (KhFriendWindow *self);
int             kh_friend_window_get_pid     (KhFriendWindow *self);
void            kh_friend_window_close       (KhFriendWindow *self, gboolean now);

G_END_DECLS
