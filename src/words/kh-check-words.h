/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-check-result.h"

G_BEGIN_DECLS

gboolean    kh_words_check_is_judged (const KhCheckResult *result);
const char *kh_words_check_headline  (const KhCheckResult *result);
const char *kh_words_check_advice    (const KhCheckResult *result);
char       *kh_words_check_caption   (const KhCheckResult *result);
char       *kh_words_check_status    (const KhCheckResult *result);
const char *kh_words_check_nat_type  (const KhCheckResult *result);
char       *kh_words_check_mapping   (const KhCheckResult *result);
char       *kh_words_report          (const KhCheckResult *result,
                                      gboolean             whole_addresses);

G_END_DECLS
