/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhFrameKind:
 * @KH_FRAME_OTHER: a type we have no use for, or do not know: to be ignored
 * @KH_FRAME_TEXT: a message: number, text, sent
 * @KH_FRAME_ACK: the message of this number, and all before it, have arrived
 * @KH_FRAME_PING: to be answered by a pong of the same number
 * @KH_FRAME_PONG: the answer
 * @KH_FRAME_BYE: nothing more to say
 *
 * What the frames of a conversation say (DESIGN: conversation).
 */
typedef enum
{
  KH_FRAME_OTHER,
  KH_FRAME_TEXT,
  KH_FRAME_ACK,
  KH_FRAME_PING,
  KH_FRAME_PONG,
  KH_FRAME_BYE,
} KhFrameKind;

/**
 * KhFrame:
 * @kind: what is said
 * @number: the id of a text or ack, the number of a ping or pong, from 1 to 2⁵³ - 1
 * @text: (nullable): the text, valid UTF-8
 * @sent: when the text was written by the sender's clock, in milliseconds since 1970
 */
typedef struct
{
  KhFrameKind kind;
  guint64 number;
  char *text;
  gint64 sent;
} KhFrame;

GBytes  *kh_frame_to_bytes   (const KhFrame *self);
gboolean kh_frame_from_bytes (GBytes *bytes, KhFrame *self, GError **error);
void     kh_frame_clear      (KhFrame *self);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (KhFrame, kh_frame_clear)

G_END_DECLS
