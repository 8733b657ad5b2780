/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KH_STUN_HEADER_BYTES:
 *
 * A STUN header's length; over TCP it also tells how many bytes follow (RFC 8489, sections 5 and 6.2.2).
 */
#define KH_STUN_HEADER_BYTES 20
#define KH_STUN_MAX_BYTES 2048
#define KH_STUN_ID_BYTES 12

/**
 * KhStunClass:
 *
 * The class of a message (RFC 8489, section 5).
 */
typedef enum
{
  KH_STUN_REQUEST = 0,
  KH_STUN_INDICATION = 1,
  KH_STUN_SUCCESS = 2,
  KH_STUN_ERROR = 3,
} KhStunClass;

#define KH_STUN_METHOD_BINDING 0x001

/**
 * KhStunMessage:
 * @klass: its class
 * @method: its method, %KH_STUN_METHOD_BINDING
 * @id: the transaction id
 * @mapped: (nullable): XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS
 * @response_origin: (nullable): RESPONSE-ORIGIN (RFC 5780)
 * @other_address: (nullable): OTHER-ADDRESS (RFC 5780)
 * @software: (nullable): SOFTWARE; ours when it is %NULL in a message that is sent
 * @error_code: of ERROR-CODE, 300 to 699, 0 without one
 * @error_reason: (nullable): of ERROR-CODE
 * @unknown_required: the first attribute that must be understood and is not, 0 if there is none; in an error that
 *   is sent, what the request had
 *
 * Texts that came from outside are at most 127 characters without control characters.
 */
typedef struct
{
  KhStunClass klass;
  guint16 method;
  guint8 id[KH_STUN_ID_BYTES];
  GInetSocketAddress *mapped;
  GInetSocketAddress *response_origin;
  GInetSocketAddress *other_address;
  char *software;
  int error_code;
  char *error_reason;
  guint16 unknown_required;
} KhStunMessage;

KhStunMessage *kh_stun_message_new         (KhStunClass klass, guint16 method, const guint8 *id);
void           kh_stun_message_free        (KhStunMessage *self);
GBytes        *kh_stun_message_to_bytes    (const KhStunMessage *self);
gssize         kh_stun_message_length      (const guint8 *bytes, gsize length);
KhStunMessage *kh_stun_message_from_bytes  (const guint8 *bytes, gsize length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhStunMessage, kh_stun_message_free)

G_END_DECLS
