/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"

G_BEGIN_DECLS

/**
 * KhRunProgram:
 * @host: where
 * @argv: (transfer full): what, with places to be filled in
 *
 * One of the commands of a run.
 */
typedef struct
{
  KhHostId host;
  char **argv;
} KhRunProgram;

GArray *kh_run_split (char **arguments, GError **error);
int     kh_run       (const KhLabOptions *options);

G_END_DECLS
