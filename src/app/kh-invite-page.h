/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-session.h"

G_BEGIN_DECLS

#define KH_TYPE_INVITE_PAGE (kh_invite_page_get_type ())
G_DECLARE_FINAL_TYPE (KhInvitePage, kh_invite_page, KH, INVITE_PAGE, AdwBin)

void        kh_invite_page_set_session (KhInvitePage *self,
                                        KhSession    *session);
const char *kh_invite_page_get_code    (KhInvitePage *self);
const char *kh_invite_page_get_link    (KhInvitePage *self);

G_END_DECLS
