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
/* Ours, of the range that is open to experts' review and not given to anybody: see docs/protocol.md. */
#define KH_STUN_METHOD_DIAL_BACK 0x0d5

#define KH_STUN_COOKIE_BYTES 16

/**
 * KhDialKind:
 * @KH_DIAL_NONE: not named
 * @KH_DIAL_PORT: a dial from the address that the connection goes to, from a port that it does not go to
 * @KH_DIAL_ADDRESS: a dial from the server's other address
 * @KH_DIAL_CROSSING: a dial from a port that never answers, while the client dials that port: SYNs that cross
 * @KH_DIAL_BARE_SYN: the same, but the server takes no notice of the client's SYN, so that its own has to get through
 * @KH_DIAL_POKE: no dial: an indication on the connection that the cookie belongs to
 *
 * What a client asks the server to do. The values are those on the wire.
 */
typedef enum
{
  KH_DIAL_NONE,
  KH_DIAL_PORT,
  KH_DIAL_ADDRESS,
  KH_DIAL_CROSSING,
  KH_DIAL_BARE_SYN,
  KH_DIAL_POKE,
  KH_N_DIAL_KINDS
} KhDialKind;

/**
 * KhDialResult:
 * @KH_DIAL_UNKNOWN: not told
 * @KH_DIAL_CONNECTED: the connection came about
 * @KH_DIAL_REFUSED: an RST came back
 * @KH_DIAL_UNREACHABLE: an ICMP error came back
 * @KH_DIAL_SILENT: nothing came back while the server waited
 * @KH_DIAL_FAILED: the server could not try
 *
 * What came of it. The values are those on the wire.
 */
typedef enum
{
  KH_DIAL_UNKNOWN,
  KH_DIAL_CONNECTED,
  KH_DIAL_REFUSED,
  KH_DIAL_UNREACHABLE,
  KH_DIAL_SILENT,
  KH_DIAL_FAILED,
  KH_N_DIAL_RESULTS
} KhDialResult;

/**
 * KhStunMessage:
 * @klass: its class
 * @method: its method, %KH_STUN_METHOD_BINDING or %KH_STUN_METHOD_DIAL_BACK
 * @id: the transaction id
 * @mapped: (nullable): XOR-MAPPED-ADDRESS, else MAPPED-ADDRESS
 * @response_origin: (nullable): RESPONSE-ORIGIN (RFC 5780)
 * @other_address: (nullable): OTHER-ADDRESS (RFC 5780)
 * @software: (nullable): SOFTWARE; ours when it is %NULL in a message that is sent
 * @error_code: of ERROR-CODE, 300 to 699, 0 without one
 * @error_reason: (nullable): of ERROR-CODE
 * @has_cookie: whether @cookie is there
 * @cookie: names a mapping to the server that issued it
 * @dial_kind: what to do, %KH_DIAL_NONE without that attribute; a kind that is not known reads as %KH_N_DIAL_KINDS
 * @dial_result: what came of it; one that is not known reads as %KH_DIAL_UNKNOWN
 * @icmp_type: of an ICMP error
 * @icmp_code: of an ICMP error
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
  gboolean has_cookie;
  guint8 cookie[KH_STUN_COOKIE_BYTES];
  KhDialKind dial_kind;
  KhDialResult dial_result;
  guint8 icmp_type;
  guint8 icmp_code;
  guint16 unknown_required;
} KhStunMessage;

KhStunMessage *kh_stun_message_new         (KhStunClass klass, guint16 method, const guint8 *id);
void           kh_stun_message_free        (KhStunMessage *self);
GBytes        *kh_stun_message_to_bytes    (const KhStunMessage *self);
gssize         kh_stun_message_length      (const guint8 *bytes, gsize length);
KhStunMessage *kh_stun_message_from_bytes  (const guint8 *bytes, gsize length, GError **error);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhStunMessage, kh_stun_message_free)

G_END_DECLS
