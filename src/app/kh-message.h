/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhMessageState:
 * @KH_MESSAGE_RECEIVED: the friend said it
 * @KH_MESSAGE_SENT: we said it
 * @KH_MESSAGE_DELIVERED: we said it, and the friend's computer has it
 * @KH_MESSAGE_UNDELIVERED: we said it, and the conversation ended before it arrived
 */
typedef enum
{
  KH_MESSAGE_RECEIVED,
  KH_MESSAGE_SENT,
  KH_MESSAGE_DELIVERED,
  KH_MESSAGE_UNDELIVERED,
} KhMessageState;

#define KH_TYPE_MESSAGE (kh_message_get_type ())
G_DECLARE_FINAL_TYPE (KhMessage, kh_message, KH, MESSAGE, GObject)

KhMessage     *kh_message_new       (KhMessageState  state,
                                     guint64         id,
                                     const char     *author,
                                     const char     *text);
KhMessageState kh_message_get_state (KhMessage      *self);
void           kh_message_set_state (KhMessage      *self,
                                     KhMessageState  state);
guint64        kh_message_get_id    (KhMessage      *self);
const char    *kh_message_get_text  (KhMessage      *self);
gboolean       kh_message_is_folded (KhMessage      *self);
void           kh_message_unfold    (KhMessage      *self);
char          *kh_message_dup_shown (KhMessage      *self);
char         **kh_message_dup_pieces (KhMessage      *self);
char          *kh_message_dup_note  (KhMessage      *self);
char          *kh_message_dup_label (KhMessage      *self);

G_END_DECLS
