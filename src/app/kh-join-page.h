/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define KH_TYPE_JOIN_PAGE (kh_join_page_get_type ())
G_DECLARE_FINAL_TYPE (KhJoinPage, kh_join_page, KH, JOIN_PAGE, AdwBin)

void kh_join_page_set_preferences (KhJoinPage *self,
                                   GSettings  *preferences);
void kh_join_page_fill            (KhJoinPage *self,
                                   const char *code_or_link);
void kh_join_page_set_own_code    (KhJoinPage *self,
                                   const char *code);

G_END_DECLS
