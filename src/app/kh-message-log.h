/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-message.h"

G_BEGIN_DECLS

/**
 * KH_MESSAGE_LOG_MAX_MESSAGES, KH_MESSAGE_LOG_MAX_BYTES:
 *
 * How much of a conversation is kept: a friend may say more than this computer's memory holds.
 */
#define KH_MESSAGE_LOG_MAX_MESSAGES 20000
#define KH_MESSAGE_LOG_MAX_BYTES (32 * 1024 * 1024)

#define KH_TYPE_MESSAGE_LOG (kh_message_log_get_type ())
G_DECLARE_FINAL_TYPE (KhMessageLog, kh_message_log, KH, MESSAGE_LOG, GObject)

KhMessageLog *kh_message_log_new          (void);
GListModel   *kh_message_log_get_model    (KhMessageLog *self);
void          kh_message_log_add          (KhMessageLog *self,
                                           KhMessage    *message);
void          kh_message_log_deliver      (KhMessageLog *self,
                                           guint64       id);
void          kh_message_log_end          (KhMessageLog *self);
guint         kh_message_log_get_dropped  (KhMessageLog *self);

G_END_DECLS
