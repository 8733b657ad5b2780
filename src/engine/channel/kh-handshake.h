/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhHandshakeKind:
 * @KH_HANDSHAKE_FIRST: joiner, first Noise message: which attempt and move this socket belongs to
 * @KH_HANDSHAKE_NOMINATE: inviter: this socket shall be the path, under this number
 * @KH_HANDSHAKE_HOLD: inviter: this socket is good, another one is ahead of it
 * @KH_HANDSHAKE_ACCEPT: joiner: takes the nomination of this number
 * @KH_HANDSHAKE_CONFIRM: inviter: the path is agreed
 *
 * What the two sides say to one another on a socket until they agree on one (DESIGN: race and handshake).
 */
typedef enum
{
  KH_HANDSHAKE_FIRST,
  KH_HANDSHAKE_NOMINATE,
  KH_HANDSHAKE_HOLD,
  KH_HANDSHAKE_ACCEPT,
  KH_HANDSHAKE_CONFIRM,
} KhHandshakeKind;

/**
 * KhHandshake:
 * @kind: what is said
 * @number: the attempt for %KH_HANDSHAKE_FIRST, else the nomination's number (0 for hold)
 * @move: for %KH_HANDSHAKE_FIRST the move's name, else empty
 */
typedef struct
{
  KhHandshakeKind kind;
  guint32 number;
  char move[16];
} KhHandshake;

GBytes  *kh_handshake_to_bytes   (const KhHandshake *self);
gboolean kh_handshake_from_bytes (GBytes *bytes, KhHandshake *self, GError **error);

G_END_DECLS
