/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-role.h"
#include "kh-session.h"

G_BEGIN_DECLS

#define KH_TYPE_NOT_CONNECTED_PAGE (kh_not_connected_page_get_type ())
G_DECLARE_FINAL_TYPE (KhNotConnectedPage, kh_not_connected_page, KH, NOT_CONNECTED_PAGE, AdwBin)

void kh_not_connected_page_set_session (KhNotConnectedPage *self,
                                        KhSession          *session,
                                        KhRole              role);

G_END_DECLS
