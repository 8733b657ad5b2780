/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab.h"

G_BEGIN_DECLS

char **kh_shell_describe (KhLab *lab);

G_END_DECLS
