/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

void kh_fact_row_set (AdwActionRow *row, const char *value);

G_END_DECLS
