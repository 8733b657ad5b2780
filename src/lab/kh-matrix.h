/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab-options.h"

G_BEGIN_DECLS

int kh_matrix (const KhLabOptions *options);

G_END_DECLS
