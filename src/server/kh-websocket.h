/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

#define KH_WEBSOCKET_MAX_HEAD_BYTES 8192
#define KH_WEBSOCKET_MAX_CONTROL_BYTES 125

typedef enum
{
  KH_WEBSOCKET_CONTINUATION = 0x0,
  KH_WEBSOCKET_TEXT = 0x1,
  KH_WEBSOCKET_BINARY = 0x2,
  KH_WEBSOCKET_CLOSE = 0x8,
  KH_WEBSOCKET_PING = 0x9,
  KH_WEBSOCKET_PONG = 0xa,
} KhWebsocketOpcode;

/* Close codes, RFC 6455 section 7.4.1. */
#define KH_WEBSOCKET_GOING_AWAY 1001
#define KH_WEBSOCKET_PROTOCOL_ERROR 1002
#define KH_WEBSOCKET_POLICY 1008
#define KH_WEBSOCKET_TOO_LARGE 1009

/**
 * KhWebsocketFrame:
 * @opcode: its kind
 * @final: whether it ends its message
 * @payload: its bytes, still masked, within what was parsed
 * @length: bytes in @payload
 * @mask: what kh_websocket_frame_append_to() undoes
 */
typedef struct
{
  KhWebsocketOpcode opcode;
  gboolean final;
  const guint8 *payload;
  gsize length;
  guint8 mask[4];
} KhWebsocketFrame;

gssize  kh_websocket_head_length     (const guint8 *bytes, gsize length);
guint   kh_websocket_answer_head     (const guint8 *head, gsize length, const char *path, char **answer);
char   *kh_websocket_refuse_head     (guint status, const char *sentence);
gssize  kh_websocket_frame_parse     (const guint8 *bytes, gsize length, gsize max_payload, KhWebsocketFrame *frame,
                                      guint *close_code);
void    kh_websocket_frame_append_to (const KhWebsocketFrame *frame, GByteArray *out);
GBytes *kh_websocket_frame_build     (KhWebsocketOpcode opcode, const void *payload, gsize length);
GBytes *kh_websocket_close_build     (guint code, const char *reason);

G_END_DECLS
