/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-settings.h"

#include "kh-move.h"
#include "kh-rendezvous.h"

/* Public STUN servers that answer over TCP. They are asked side by side; one that is gone is no harm. */
static const char *const default_stun_servers[] = {
  "turn.cloudflare.com:3478", "stun.nextcloud.com:443",        "global.turn.twilio.com:3478",
  "stun.sipnet.com:3478",     "stun.voip.blackberry.com:3478", NULL,
};

/**
 * kh_settings_new:
 *
 * Returns: (transfer full): what holds when the user says nothing
 */
KhSettings *
kh_settings_new (void)
{
  KhSettings *self = g_new0 (KhSettings, 1);

  self->mailbox_url = g_strdup (KH_MAILBOX_DEFAULT_URL);
  self->stun_servers = g_strdupv ((char **) default_stun_servers);
  self->moves = KH_ALL_MOVES;
  self->timeout_seconds = 30;
  self->wait_seconds = 3600;
  self->words = 3;

  return self;
}

KhSettings *
kh_settings_copy (const KhSettings *self)
{
  KhSettings *copy = g_memdup2 (self, sizeof *self);

  copy->mailbox_url = g_strdup (self->mailbox_url);
  copy->stun_servers = g_strdupv (self->stun_servers);
  copy->name = g_strdup (self->name);

  return copy;
}

void
kh_settings_free (KhSettings *self)
{
  g_free (self->mailbox_url);
  g_strfreev (self->stun_servers);
  g_free (self->name);
  g_free (self);
}
