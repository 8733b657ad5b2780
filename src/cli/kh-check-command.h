/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-options.h"
#include "kh-output.h"
#include "kh-trace.h"

G_BEGIN_DECLS

int kh_check_command_run (const KhOptions *options, KhTrace *trace, KhOutput *output, KhOutput *errors);

G_END_DECLS
