/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KH_NOISE_MAX_MESSAGE:
 *
 * The longest Noise message in bytes (Noise section 3).
 */
#define KH_NOISE_MAX_MESSAGE 65535

/**
 * KH_NOISE_PSK_BYTES:
 *
 * Bytes of the shared key that both sides bring along.
 */
#define KH_NOISE_PSK_BYTES 32

/**
 * KH_NOISE_HASH_BYTES:
 *
 * Bytes of the handshake hash.
 */
#define KH_NOISE_HASH_BYTES 32

typedef struct _KhNoise KhNoise;

KhNoise      *kh_noise_new                (gboolean       initiator,
                                           const guint8  *psk,
                                           const guint8  *prologue,
                                           gsize          prologue_length);
void          kh_noise_free               (KhNoise       *self);
gboolean      kh_noise_is_open            (KhNoise       *self);
gboolean      kh_noise_may_write          (KhNoise       *self);
gsize         kh_noise_get_overhead       (KhNoise       *self);
const guint8 *kh_noise_get_handshake_hash (KhNoise       *self);
gboolean      kh_noise_write_to           (KhNoise       *self,
                                           const guint8  *payload,
                                           gsize          length,
                                           guint8        *message,
                                           GError       **error);
GBytes       *kh_noise_write              (KhNoise       *self,
                                           const guint8  *payload,
                                           gsize          length,
                                           GError       **error);
GBytes       *kh_noise_read               (KhNoise       *self,
                                           const guint8  *message,
                                           gsize          length,
                                           GError       **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhNoise, kh_noise_free)

G_END_DECLS
