/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define KH_TYPE_HOME_PAGE (kh_home_page_get_type ())
G_DECLARE_FINAL_TYPE (KhHomePage, kh_home_page, KH, HOME_PAGE, AdwBin)

G_END_DECLS
