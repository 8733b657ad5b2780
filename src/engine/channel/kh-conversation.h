/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-channel.h"

G_BEGIN_DECLS

/**
 * KH_CONVERSATION_MAX_TEXT:
 *
 * The longest text of one message, in bytes of UTF-8.
 */
#define KH_CONVERSATION_MAX_TEXT (32 * 1024)

#define KH_TYPE_CONVERSATION (kh_conversation_get_type ())
G_DECLARE_FINAL_TYPE (KhConversation, kh_conversation, KH, CONVERSATION, GObject)

KhConversation *kh_conversation_new         (void);
void            kh_conversation_attach      (KhConversation  *self,
                                             KhChannel       *channel);
guint64         kh_conversation_say         (KhConversation  *self,
                                             const char      *text,
                                             GError         **error);
guint           kh_conversation_get_unacked (KhConversation  *self);
gint            kh_conversation_get_delay   (KhConversation  *self);
void            kh_conversation_finish      (KhConversation  *self);
void            kh_conversation_leave       (KhConversation  *self);

G_END_DECLS
