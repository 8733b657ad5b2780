/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"

G_BEGIN_DECLS

gboolean kh_experiment_check (const KhLabOptions *options, GError **error);
int      kh_experiment       (const KhLabOptions *options);

G_END_DECLS
