/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gtk/gtk.h>

#include "kh-message.h"

G_BEGIN_DECLS

#define KH_TYPE_MESSAGE_ROW (kh_message_row_get_type ())
G_DECLARE_FINAL_TYPE (KhMessageRow, kh_message_row, KH, MESSAGE_ROW, GtkWidget)

GtkWidget *kh_message_row_new         (void);
void       kh_message_row_set_message (KhMessageRow *self,
                                       KhMessage    *message);

G_END_DECLS
