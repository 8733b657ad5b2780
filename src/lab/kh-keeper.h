/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* A folder that is empty inside, and whose files are gone with the rest: it is there on every machine. */
#define KH_KEEPER_FOLDER "/dev/shm"

/**
 * KhKeeperWork:
 *
 * What is done inside.
 *
 * Returns: an exit status
 */
typedef int (*KhKeeperWork) (gpointer data);

void     kh_keeper_run        (KhKeeperWork work, gpointer data, GError **error);
gboolean kh_keeper_has_folder (void);

G_END_DECLS
