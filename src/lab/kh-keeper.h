/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhKeeperWork:
 *
 * What is done inside.
 *
 * Returns: an exit status
 */
typedef int (*KhKeeperWork) (gpointer data);

int kh_keeper_run (KhKeeperWork work, gpointer data, GError **error);

G_END_DECLS
