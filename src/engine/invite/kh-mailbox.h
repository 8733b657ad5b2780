/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>
#include <json-glib/json-glib.h>

G_BEGIN_DECLS

/**
 * KH_MAILBOX_MAX_MESSAGE:
 *
 * The longest message taken from a meeting server, in bytes.
 */
#define KH_MAILBOX_MAX_MESSAGE 131072

#define KH_TYPE_MAILBOX (kh_mailbox_get_type ())
G_DECLARE_FINAL_TYPE (KhMailbox, kh_mailbox, KH, MAILBOX, GObject)

gboolean   kh_mailbox_url_is_valid (const char *url);
char      *kh_mailbox_url_get_host (const char *url);
gboolean   kh_mailbox_url_is_private (const char *url);

KhMailbox *kh_mailbox_new          (const char *url);
void       kh_mailbox_open         (KhMailbox  *self);
gboolean   kh_mailbox_send         (KhMailbox  *self,
                                    JsonObject *message);
void       kh_mailbox_close        (KhMailbox  *self);

G_END_DECLS
