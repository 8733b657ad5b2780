/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-role.h"
#include "kh-session.h"

G_BEGIN_DECLS

#define KH_TYPE_CONVERSATION_PAGE (kh_conversation_page_get_type ())
G_DECLARE_FINAL_TYPE (KhConversationPage, kh_conversation_page, KH, CONVERSATION_PAGE, AdwBin)

void     kh_conversation_page_set_session (KhConversationPage *self,
                                           KhSession          *session,
                                           KhRole              role);
gboolean kh_conversation_page_say         (KhConversationPage *self,
                                           const char         *text);

G_END_DECLS
