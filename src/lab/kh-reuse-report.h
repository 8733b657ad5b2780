/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-reuse-trial.h"

G_BEGIN_DECLS

/**
 * KhReuseRow:
 * @nat: (nullable): the router, nothing where only the host counts
 * @what: what was tried
 * @found: what came of it
 * @error: (nullable): why nothing came of it
 */
typedef struct
{
  const char *nat;
  KhReuseCase what;
  KhReuseResult found;
  GError *error;
} KhReuseRow;

/**
 * KhAfterwards:
 * @KH_AFTERWARDS_SAME: the port is seen as before
 * @KH_AFTERWARDS_ANOTHER: it is seen as another port, also when nothing was closed
 * @KH_AFTERWARDS_LOST: it is seen as another port, and closing did that
 * @KH_AFTERWARDS_NOTHING: no connection came about
 *
 * What has become of a mapping.
 */
typedef enum
{
  KH_AFTERWARDS_SAME,
  KH_AFTERWARDS_ANOTHER,
  KH_AFTERWARDS_LOST,
  KH_AFTERWARDS_NOTHING,
} KhAfterwards;

KhAfterwards kh_reuse_row_get_afterwards (const KhReuseRow *self, const KhReuseRow *rows, gsize n_rows);
void         kh_reuse_report_print       (const KhReuseRow *rows, gsize n_rows);
void         kh_reuse_report_print_json  (const KhReuseRow *rows, gsize n_rows);

G_END_DECLS
