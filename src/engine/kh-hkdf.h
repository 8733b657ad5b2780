/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

void kh_hkdf (const guint8 *key, gsize key_length, const void *info, gsize info_length, guint8 *out, gsize out_length);

G_END_DECLS
