/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-ip.h"

G_BEGIN_DECLS

guint16  kh_get16             (const guint8 *bytes);
guint32  kh_get32             (const guint8 *bytes);
void     kh_put16             (guint8 *bytes, guint16 value);
void     kh_put32             (guint8 *bytes, guint32 value);

guint32  kh_checksum_add      (guint32 sum, const void *bytes, gsize length);
guint16  kh_checksum_finish   (guint32 sum);
guint32  kh_checksum_pseudo   (const KhIp *source, const KhIp *destination, guint8 protocol, gsize length);
void     kh_checksum_replace  (guint8 *checksum, const void *before, const void *after, gsize length);

G_END_DECLS
