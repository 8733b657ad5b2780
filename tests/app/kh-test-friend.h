/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-server-process.h"
#include "kh-session.h"

G_BEGIN_DECLS

/* A server of the test's own, and a friend who uses it: a real session. */
typedef struct
{
  KhServerProcess *server;
  char *stun;
  KhSettings *settings;
  KhSession *session;
  GPtrArray *heard;
} KhTestFriend;

KhTestFriend *kh_test_friend_new (const char *name);
void kh_test_friend_invite (KhTestFriend *self);
void kh_test_friend_hears (KhTestFriend *self, const char *text);
void kh_test_friend_leave (KhTestFriend *self);
void kh_test_friend_vanish (KhTestFriend *self);
void kh_test_friend_free (KhTestFriend *self);
void kh_test_close (KhSession *session);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhTestFriend, kh_test_friend_free)

#define KH_TEST_WAIT 20000

/* Waits for a phase; a session that does not come to it is asked what it did. */
void kh_test_wait_phase (KhSession *session, KhPhase phase);

G_END_DECLS
