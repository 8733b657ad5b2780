/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-message-log.h"

G_BEGIN_DECLS

#define KH_TYPE_MESSAGE_VIEW (kh_message_view_get_type ())
G_DECLARE_FINAL_TYPE (KhMessageView, kh_message_view, KH, MESSAGE_VIEW, AdwBin)

void          kh_message_view_clear   (KhMessageView *self);
void          kh_message_view_add     (KhMessageView *self,
                                       KhMessage     *message);
KhMessageLog *kh_message_view_get_log (KhMessageView *self);

G_END_DECLS
