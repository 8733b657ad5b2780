/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-role.h"
#include "kh-trace.h"

G_BEGIN_DECLS

/**
 * KH_MAILBOX_DEFAULT_URL:
 *
 * The public meeting server that is used when none is named.
 */
#define KH_MAILBOX_DEFAULT_URL "wss://relay.magic-wormhole.io/v1"

/**
 * KH_RENDEZVOUS_MAX_MESSAGE:
 *
 * The longest message to the friend, in bytes.
 */
#define KH_RENDEZVOUS_MAX_MESSAGE 32768

#define KH_TYPE_RENDEZVOUS (kh_rendezvous_get_type ())
G_DECLARE_FINAL_TYPE (KhRendezvous, kh_rendezvous, KH, RENDEZVOUS, GObject)

KhRendezvous *kh_rendezvous_new_inviter      (KhTrace             *trace,
                                              const char          *mailbox_url,
                                              guint                words,
                                              guint                life_seconds);
KhRendezvous *kh_rendezvous_new_joiner       (KhTrace             *trace,
                                              const char          *mailbox_url,
                                              const char          *code);
void          kh_rendezvous_start            (KhRendezvous        *self);
KhRole        kh_rendezvous_get_role         (KhRendezvous        *self);
const char   *kh_rendezvous_get_code         (KhRendezvous        *self);
const char   *kh_rendezvous_get_your_address (KhRendezvous        *self);
void          kh_rendezvous_derive           (KhRendezvous        *self,
                                              const char          *purpose,
                                              guint8              *out,
                                              gsize                out_length);
gboolean      kh_rendezvous_send             (KhRendezvous        *self,
                                              GBytes              *plaintext);
void          kh_rendezvous_close_async      (KhRendezvous        *self,
                                              GCancellable        *cancellable,
                                              GAsyncReadyCallback  callback,
                                              gpointer             user_data);
gboolean      kh_rendezvous_close_finish     (KhRendezvous        *self,
                                              GAsyncResult        *result,
                                              GError             **error);

G_END_DECLS
