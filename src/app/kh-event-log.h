/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-trace.h"

G_BEGIN_DECLS

#define KH_TYPE_EVENT_LOG (kh_event_log_get_type ())
G_DECLARE_FINAL_TYPE (KhEventLog, kh_event_log, KH, EVENT_LOG, AdwBin)

void kh_event_log_set_trace (KhEventLog *self, KhTrace *trace);

G_END_DECLS
