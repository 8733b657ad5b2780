/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

#include "kh-findings.h"

G_BEGIN_DECLS

#define KH_TYPE_FINDING_ROW (kh_finding_row_get_type ())
G_DECLARE_FINAL_TYPE (KhFindingRow, kh_finding_row, KH, FINDING_ROW, AdwExpanderRow)

GtkWidget *kh_finding_row_new      (KhFinding         finding);
void       kh_finding_row_show     (KhFindingRow     *self,
                                    const KhFindings *findings);
void       kh_finding_row_set_note (KhFindingRow     *self,
                                    const char       *note);

G_END_DECLS
