/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define KH_SPAKE2_SCALAR_BYTES  32
#define KH_SPAKE2_MESSAGE_BYTES 33
#define KH_SPAKE2_KEY_BYTES     32

/**
 * KhSpake2:
 *
 * One run of the key exchange, symmetric SPAKE2 over Ed25519 (PROTOCOL section 6). It finishes once.
 */
typedef struct _KhSpake2 KhSpake2;

KhSpake2     *kh_spake2_new             (const char   *code,
                                         const char   *appid);
KhSpake2     *kh_spake2_new_with_scalar (const char   *code,
                                         const char   *appid,
                                         const guint8 *scalar);
const guint8 *kh_spake2_get_message     (KhSpake2     *self);
gboolean      kh_spake2_finish          (KhSpake2     *self,
                                         const guint8 *message,
                                         gsize         length,
                                         guint8       *key,
                                         GError      **error);
void          kh_spake2_free            (KhSpake2     *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhSpake2, kh_spake2_free)

G_END_DECLS
