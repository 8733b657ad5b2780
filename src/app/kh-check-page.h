/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-checker.h"

G_BEGIN_DECLS

#define KH_TYPE_CHECK_PAGE (kh_check_page_get_type ())
G_DECLARE_FINAL_TYPE (KhCheckPage, kh_check_page, KH, CHECK_PAGE, AdwBin)

void kh_check_page_set_checker (KhCheckPage         *self,
                                KhChecker           *checker);
void kh_check_page_show        (KhCheckPage         *self,
                                const KhCheckResult *result);
void kh_check_page_show_long   (KhCheckPage         *self,
                                gboolean             running);

G_END_DECLS
