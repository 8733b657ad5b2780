/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KH_SETTINGS_MAX_STUN_SERVERS:
 *
 * How many STUN servers are asked at most; those after them are left out.
 */
#define KH_SETTINGS_MAX_STUN_SERVERS 16

/**
 * KhSettings:
 * @mailbox_url: the meeting server
 * @stun_servers: (array zero-terminated=1): STUN servers over TCP, `HOST` or `HOST:PORT`
 * @port: the local port, 0 for any
 * @moves: the moves allowed, a bit mask of #KhMove
 * @timeout_seconds: to reach the friend once met
 * @wait_seconds: an invite's life
 * @words: in a new code, at least 1
 * @name: (nullable): what the friend sees us called
 *
 * How a session shall go about it.
 */
typedef struct
{
  char *mailbox_url;
  char **stun_servers;
  guint16 port;
  guint moves;
  guint timeout_seconds;
  guint wait_seconds;
  guint words;
  char *name;
} KhSettings;

KhSettings *kh_settings_new  (void);
KhSettings *kh_settings_copy (const KhSettings *self);
void        kh_settings_free (KhSettings *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhSettings, kh_settings_free)

G_END_DECLS
