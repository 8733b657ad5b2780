/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-noise.h"

G_BEGIN_DECLS

/* For tests alone. */
void kh_noise_set_ephemeral      (KhNoise *self, const guint8 *secret);
void kh_noise_set_public         (KhNoise *self, const guint8 *public_key);
void kh_noise_set_rekey_interval (KhNoise *self, guint64 messages);

G_END_DECLS
