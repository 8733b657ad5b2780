/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhRole:
 * @KH_ROLE_INVITER: made the code; answers first messages, nominates the path
 * @KH_ROLE_JOINER: uses the code; sends the first message on every socket, whoever dialled
 */
typedef enum
{
  KH_ROLE_INVITER,
  KH_ROLE_JOINER,
} KhRole;

G_END_DECLS
