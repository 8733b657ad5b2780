/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-conversation.h"

G_BEGIN_DECLS

/* For tests alone, before kh_conversation_attach(): all in milliseconds. */
void kh_conversation_set_timing (KhConversation *self, guint ping, guint silence, guint farewell);

G_END_DECLS
