/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define KH_TYPE_MESSAGE_ENTRY (kh_message_entry_get_type ())
G_DECLARE_FINAL_TYPE (KhMessageEntry, kh_message_entry, KH, MESSAGE_ENTRY, AdwBin)

char *kh_message_entry_dup_text (KhMessageEntry *self);
void  kh_message_entry_set_text (KhMessageEntry *self,
                                 const char     *text);

G_END_DECLS
