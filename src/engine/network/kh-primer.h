/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhPrimer:
 *
 * The time to live of one socket that dials only to open the holes of our own routers.
 */
typedef struct _KhPrimer KhPrimer;

KhPrimer *kh_primer_new  (int           fd,
                          GSocketFamily family,
                          guint         hops,
                          gboolean      lasting);
void      kh_primer_sent (KhPrimer     *self);
void      kh_primer_free (KhPrimer     *self);

G_END_DECLS
