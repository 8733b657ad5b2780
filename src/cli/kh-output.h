/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

typedef struct _KhOutput KhOutput;

/**
 * KhOutputBrokenFunc:
 *
 * Called once when nobody reads any more, or when a reader has stood still for too long.
 */
typedef void (*KhOutputBrokenFunc) (gpointer user_data);

KhOutput *kh_output_new   (int fd, KhOutputBrokenFunc broken, gpointer user_data);
void      kh_output_line  (KhOutput *self, const char *line);
void      kh_output_flush (KhOutput *self, int patience_ms);
void      kh_output_free  (KhOutput *self);

G_END_DECLS
