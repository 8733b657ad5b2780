/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-findings.h"
#include "kh-forecast.h"

#include <gio/gio.h>

G_BEGIN_DECLS

const char *kh_words_nat_type          (const KhFacts *facts);
const char *kh_words_verdict           (const KhFacts *facts);
const char *kh_words_finding_title     (KhFinding finding);
const char *kh_words_finding_reference (KhFinding finding);
char       *kh_words_finding_term      (KhFinding finding);
gboolean    kh_words_finding_is_known  (const KhFindings *self, KhFinding finding);
char       *kh_words_finding_value     (const KhFindings *self, KhFinding finding);
char       *kh_words_finding_sentence  (const KhFindings *self, KhFinding finding);
const char *kh_words_friend            (KhFriendKind kind);
const char *kh_words_forecast_value    (KhForecast forecast);
const char *kh_words_forecast          (KhFriendKind kind, const KhFacts *mine);
const char *kh_words_reason_value      (KhReason reason);
const char *kh_words_reason_sentence   (KhReason reason, const KhFacts *facts);

G_END_DECLS
