/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "nat-backend.h"
#include "nat-sequence.h"

G_BEGIN_DECLS

char **nat_play (const NatSequence *sequence, NatBackend *backend);

G_END_DECLS
