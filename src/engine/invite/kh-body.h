/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define KH_BODY_KEY_BYTES   32
#define KH_BODY_NONCE_BYTES 24

void    kh_body_phase_key       (const guint8  *session_key,
                                 const char    *side,
                                 const char    *phase,
                                 guint8        *key);
char   *kh_body_seal            (const guint8  *session_key,
                                 const char    *side,
                                 const char    *phase,
                                 GBytes        *plaintext);
char   *kh_body_seal_with_nonce (const guint8  *session_key,
                                 const char    *side,
                                 const char    *phase,
                                 GBytes        *plaintext,
                                 const guint8  *nonce);
GBytes *kh_body_open            (const guint8  *session_key,
                                 const char    *side,
                                 const char    *phase,
                                 const char    *body,
                                 GError       **error);
char   *kh_body_encode_pake     (const guint8  *message,
                                 gsize          length);
GBytes *kh_body_decode_pake     (const char    *body,
                                 GError       **error);

G_END_DECLS
