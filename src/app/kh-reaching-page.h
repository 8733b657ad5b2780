/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-session.h"

G_BEGIN_DECLS

#define KH_TYPE_REACHING_PAGE (kh_reaching_page_get_type ())
G_DECLARE_FINAL_TYPE (KhReachingPage, kh_reaching_page, KH, REACHING_PAGE, AdwBin)

void kh_reaching_page_set_session (KhReachingPage *self, KhSession *session);

G_END_DECLS
