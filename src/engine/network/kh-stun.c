/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-stun.h"

#include "kh-error.h"
#include "kh-text.h"

#include <sodium.h>
#include <string.h>

#define MAGIC_COOKIE 0x2112a442u
#define FINGERPRINT_XOR 0x5354554eu
#define ATTRIBUTE_HEADER_BYTES 4
#define MAX_ATTRIBUTES 64
/* RFC 8489 section 14.14: "less than 128 characters". */
#define MAX_TEXT_CHARACTERS 127
#define OUR_SOFTWARE "knothole"

typedef enum
{
  MAPPED_ADDRESS = 0x0001,
  USERNAME = 0x0006,
  MESSAGE_INTEGRITY = 0x0008,
  ERROR_CODE = 0x0009,
  UNKNOWN_ATTRIBUTES = 0x000a,
  REALM = 0x0014,
  NONCE = 0x0015,
  MESSAGE_INTEGRITY_SHA256 = 0x001c,
  XOR_MAPPED_ADDRESS = 0x0020,
  DIAL_KIND = 0x4d50,
  SOFTWARE = 0x8022,
  FINGERPRINT = 0x8028,
  RESPONSE_ORIGIN = 0x802b,
  OTHER_ADDRESS = 0x802c,
  DIAL_COOKIE = 0xcd50,
  DIAL_RESULT = 0xcd51,
} Attribute;

static guint16
read16 (const guint8 *bytes)
{
  return bytes[0] << 8 | bytes[1];
}

static guint32
read32 (const guint8 *bytes)
{
  return (guint32) read16 (bytes) << 16 | read16 (bytes + 2);
}

static void
write16 (guint8 *bytes, guint16 value)
{
  bytes[0] = value >> 8;
  bytes[1] = value & 0xff;
}

static void
write32 (guint8 *bytes, guint32 value)
{
  write16 (bytes, value >> 16);
  write16 (bytes + 2, value & 0xffff);
}

/* The CRC-32 of ITU V.42, bit by bit: a message is short, and there are few of them. */
static guint32
crc32 (const guint8 *bytes, gsize length)
{
  guint32 crc = 0xffffffffu;

  for (gsize i = 0; i < length; i++)
    {
      crc ^= bytes[i];
      for (int bit = 0; bit < 8; bit++)
        crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }

  return ~crc;
}

/**
 * kh_stun_message_new:
 * @klass: its class
 * @method: its method
 * @id: (nullable) (array fixed-size=12): the transaction id, of the request when this answers one; %NULL for
 *   a new, random one
 *
 * Returns: (transfer full): a message with nothing else in it
 */
KhStunMessage *
kh_stun_message_new (KhStunClass klass, guint16 method, const guint8 *id)
{
  KhStunMessage *self = g_new0 (KhStunMessage, 1);

  self->klass = klass;
  self->method = method;
  if (id != NULL)
    memcpy (self->id, id, KH_STUN_ID_BYTES);
  else
    randombytes_buf (self->id, KH_STUN_ID_BYTES);

  return self;
}

void
kh_stun_message_free (KhStunMessage *self)
{
  g_clear_object (&self->mapped);
  g_clear_object (&self->response_origin);
  g_clear_object (&self->other_address);
  g_free (self->software);
  g_free (self->error_reason);
  g_free (self);
}

/* The two bits of the class lie among the twelve of the method (RFC 8489, figure 3). */
static guint16
join_type (KhStunClass klass, guint16 method)
{
  return (method & 0x000f) | (klass & 1) << 4 | (method & 0x0070) << 1 | (klass & 2) << 7 | (method & 0x0f80) << 2;
}

static void
split_type (guint16 type, KhStunClass *klass, guint16 *method)
{
  *klass = (type >> 4 & 1) | (type >> 7 & 2);
  *method = (type & 0x000f) | (type >> 1 & 0x0070) | (type >> 2 & 0x0f80);
}

static void
append_attribute (GByteArray *out, Attribute type, const guint8 *value, gsize length)
{
  static const guint8 padding[3] = { 0 };
  guint8 header[ATTRIBUTE_HEADER_BYTES];

  write16 (header, type);
  write16 (header + 2, length);
  g_byte_array_append (out, header, sizeof header);
  g_byte_array_append (out, value, length);
  g_byte_array_append (out, padding, -length & 3);
}

/* What XOR-MAPPED-ADDRESS is masked with: the cookie, then the transaction id (RFC 8489, section 14.2). */
static void
xor_address (guint8 *value, gsize length, const guint8 *id)
{
  guint8 mask[4 + KH_STUN_ID_BYTES];

  write32 (mask, MAGIC_COOKIE);
  memcpy (mask + 4, id, KH_STUN_ID_BYTES);
  value[2] ^= mask[0];
  value[3] ^= mask[1];
  for (gsize i = 4; i < length; i++)
    value[i] ^= mask[i - 4];
}

static void
append_address (GByteArray *out, Attribute type, GInetSocketAddress *address, const guint8 *id)
{
  GInetAddress *ip;
  gsize ip_bytes;
  guint8 value[20] = { 0 };

  if (address == NULL)
    return;

  ip = g_inet_socket_address_get_address (address);
  ip_bytes = g_inet_address_get_native_size (ip);
  value[1] = ip_bytes == 4 ? 1 : 2;
  write16 (value + 2, g_inet_socket_address_get_port (address));
  memcpy (value + 4, g_inet_address_to_bytes (ip), ip_bytes);
  if (type == XOR_MAPPED_ADDRESS)
    xor_address (value, 4 + ip_bytes, id);
  append_attribute (out, type, value, 4 + ip_bytes);
}

static void
append_text (GByteArray *out, Attribute type, const char *text)
{
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  const char *end = g_utf8_offset_to_pointer (valid, MIN (g_utf8_strlen (valid, -1), MAX_TEXT_CHARACTERS));

  append_attribute (out, type, (const guint8 *) valid, end - valid);
}

static void
append_error (GByteArray *out, const KhStunMessage *self)
{
  g_autoptr (GByteArray) value = g_byte_array_new ();
  g_autofree char *reason = g_utf8_make_valid (self->error_reason != NULL ? self->error_reason : "", -1);
  const char *end = g_utf8_offset_to_pointer (reason, MIN (g_utf8_strlen (reason, -1), MAX_TEXT_CHARACTERS));
  const guint8 head[4] = { 0, 0, self->error_code / 100, self->error_code % 100 };

  g_byte_array_append (value, head, sizeof head);
  g_byte_array_append (value, (const guint8 *) reason, end - reason);
  append_attribute (out, ERROR_CODE, value->data, value->len);

  if (self->unknown_required != 0)
    {
      guint8 unknown[2];

      write16 (unknown, self->unknown_required);
      append_attribute (out, UNKNOWN_ATTRIBUTES, unknown, sizeof unknown);
    }
}

/* Our own attributes: docs/protocol.md has their layout. */
static void
append_dial (GByteArray *out, const KhStunMessage *self)
{
  const guint8 kind[4] = { self->dial_kind };
  const guint8 result[4] = { self->dial_result, self->icmp_type, self->icmp_code };

  if (self->dial_kind != KH_DIAL_NONE)
    append_attribute (out, DIAL_KIND, kind, sizeof kind);
  if (self->has_cookie)
    append_attribute (out, DIAL_COOKIE, self->cookie, sizeof self->cookie);
  if (self->dial_result != KH_DIAL_UNKNOWN)
    append_attribute (out, DIAL_RESULT, result, sizeof result);
}

/* FINGERPRINT covers all before it, with a header length that counts it already (RFC 8489, section 14.7). */
static void
append_fingerprint (GByteArray *out)
{
  guint8 value[4];

  write16 (out->data + 2, out->len - KH_STUN_HEADER_BYTES + ATTRIBUTE_HEADER_BYTES + sizeof value);
  write32 (value, crc32 (out->data, out->len) ^ FINGERPRINT_XOR);
  append_attribute (out, FINGERPRINT, value, sizeof value);
}

/**
 * kh_stun_message_to_bytes:
 * @self: a message
 *
 * Encodes a message (RFC 8489, section 5): the members that are set, SOFTWARE ("knothole" unless it is set)
 * and FINGERPRINT. The mapped address goes both masked and plain, for clients of RFC 3489. In an error,
 * `unknown_required` becomes UNKNOWN-ATTRIBUTES.
 *
 * Returns: (transfer full): at most %KH_STUN_MAX_BYTES bytes
 */
GBytes *
kh_stun_message_to_bytes (const KhStunMessage *self)
{
  GByteArray *out = g_byte_array_new ();
  guint8 header[KH_STUN_HEADER_BYTES] = { 0 };

  g_return_val_if_fail (self != NULL, NULL);

  write16 (header, join_type (self->klass, self->method));
  write32 (header + 4, MAGIC_COOKIE);
  memcpy (header + 8, self->id, KH_STUN_ID_BYTES);
  g_byte_array_append (out, header, sizeof header);

  append_address (out, XOR_MAPPED_ADDRESS, self->mapped, self->id);
  append_address (out, MAPPED_ADDRESS, self->mapped, self->id);
  append_address (out, RESPONSE_ORIGIN, self->response_origin, self->id);
  append_address (out, OTHER_ADDRESS, self->other_address, self->id);
  if (self->error_code != 0)
    append_error (out, self);
  append_dial (out, self);
  append_text (out, SOFTWARE, self->software != NULL ? self->software : OUR_SOFTWARE);
  append_fingerprint (out);

  return g_byte_array_free_to_bytes (out);
}

/**
 * kh_stun_message_length:
 * @bytes: (array length=length): what a TCP stream has given so far, from a message's start
 * @length: bytes in @bytes
 *
 * Finds where the message that starts here ends (RFC 8489, section 6.2.2). As much of the header as is there
 * is checked, so that a stream which is not STUN is known by its first bytes.
 *
 * Returns: the whole message's length in bytes, which may be more than @length; 0 when that many bytes do not
 *   tell yet; -1 when this cannot be STUN or is longer than %KH_STUN_MAX_BYTES
 */
gssize
kh_stun_message_length (const guint8 *bytes, gsize length)
{
  gsize total;

  if (length >= 1 && (bytes[0] & 0xc0) != 0)
    return -1;
  if (length < 4)
    return 0;

  total = KH_STUN_HEADER_BYTES + read16 (bytes + 2);
  if (total % 4 != 0 || total > KH_STUN_MAX_BYTES)
    return -1;
  if (length >= 8 && read32 (bytes + 4) != MAGIC_COOKIE)
    return -1;

  return total;
}

static GInetSocketAddress *
decode_address (const guint8 *value, gsize length, const guint8 *xor_id)
{
  g_autoptr (GInetAddress) ip = NULL;
  guint8 plain[20];

  if (!(length == 8 && value[1] == 1) && !(length == 20 && value[1] == 2))
    return NULL;

  memcpy (plain, value, length);
  if (xor_id != NULL)
    xor_address (plain, length, xor_id);
  ip = g_inet_address_new_from_bytes (plain + 4, length == 8 ? G_SOCKET_FAMILY_IPV4 : G_SOCKET_FAMILY_IPV6);
  return G_INET_SOCKET_ADDRESS (g_inet_socket_address_new (ip, read16 (plain + 2)));
}

/* Text of the other side ends up in logs and reports. */
static char *
decode_text (const guint8 *value, gsize length)
{
  g_autofree char *text = g_strndup ((const char *) value, length);

  return kh_text_plain (text, MAX_TEXT_CHARACTERS);
}

static gboolean
take_address (GInetSocketAddress **place, const guint8 *value, gsize length, const guint8 *xor_id)
{
  g_autoptr (GInetSocketAddress) address = decode_address (value, length, xor_id);

  if (address == NULL)
    return FALSE;
  /* RFC 8489, section 14: of a repeated attribute only the first counts. */
  if (*place == NULL)
    *place = g_steal_pointer (&address);
  return TRUE;
}

static gboolean
take_error (KhStunMessage *self, const guint8 *value, gsize length)
{
  if (length < 4 || (value[2] & 7) < 3 || (value[2] & 7) > 6 || value[3] > 99)
    return FALSE;

  if (self->error_code == 0)
    {
      self->error_code = (value[2] & 7) * 100 + value[3];
      self->error_reason = decode_text (value + 4, length - 4);
    }
  return TRUE;
}

static gboolean
take_dial_kind (KhStunMessage *self, const guint8 *value, gsize length)
{
  if (length != 4)
    return FALSE;

  self->dial_kind = value[0] != 0 ? MIN (value[0], KH_N_DIAL_KINDS) : KH_N_DIAL_KINDS;
  return TRUE;
}

static gboolean
take_dial_result (KhStunMessage *self, const guint8 *value, gsize length)
{
  if (length != 4)
    return FALSE;

  self->dial_result = value[0] < KH_N_DIAL_RESULTS ? value[0] : KH_DIAL_UNKNOWN;
  self->icmp_type = value[1];
  self->icmp_code = value[2];
  return TRUE;
}

static gboolean
take_cookie (KhStunMessage *self, const guint8 *value, gsize length)
{
  if (length != KH_STUN_COOKIE_BYTES)
    return FALSE;

  self->has_cookie = TRUE;
  memcpy (self->cookie, value, KH_STUN_COOKIE_BYTES);
  return TRUE;
}

/* What one pass over the attributes gathers. Of the two forms of the mapped address the masked one counts,
 * whichever comes first. */
typedef struct
{
  KhStunMessage *message;
  const guint8 *bytes;
  GInetSocketAddress *plain_mapped;
  gboolean sealed;   /* MESSAGE-INTEGRITY came: only FINGERPRINT counts from there on */
  gboolean finished; /* FINGERPRINT came: nothing may follow */
} Reading;

static gboolean
take_fingerprint (Reading *reading, const guint8 *value, gsize length)
{
  gsize before = value - ATTRIBUTE_HEADER_BYTES - reading->bytes;

  reading->finished = TRUE;
  return length == 4 && read32 (value) == (crc32 (reading->bytes, before) ^ FINGERPRINT_XOR);
}

static gboolean
take_attribute (Reading *reading, guint16 type, const guint8 *value, gsize length)
{
  KhStunMessage *self = reading->message;

  if (reading->finished)
    return FALSE;
  if (type == FINGERPRINT)
    return take_fingerprint (reading, value, length);
  if (reading->sealed)
    return TRUE;

  switch (type)
    {
    case XOR_MAPPED_ADDRESS:
      return take_address (&self->mapped, value, length, self->id);
    case MAPPED_ADDRESS:
      return take_address (&reading->plain_mapped, value, length, NULL);
    case RESPONSE_ORIGIN:
      return take_address (&self->response_origin, value, length, NULL);
    case OTHER_ADDRESS:
      return take_address (&self->other_address, value, length, NULL);
    case ERROR_CODE:
      return take_error (self, value, length);
    case SOFTWARE:
      if (self->software == NULL)
        self->software = decode_text (value, length);
      return TRUE;
    case DIAL_KIND:
      return take_dial_kind (self, value, length);
    case DIAL_COOKIE:
      return take_cookie (self, value, length);
    case DIAL_RESULT:
      return take_dial_result (self, value, length);
    case UNKNOWN_ATTRIBUTES:
      return length % 2 == 0;
    case MESSAGE_INTEGRITY:
    case MESSAGE_INTEGRITY_SHA256:
      reading->sealed = TRUE;
      return TRUE;
    case USERNAME:
    case REALM:
    case NONCE:
      return TRUE;
    default:
      if (type < 0x8000 && self->unknown_required == 0)
        self->unknown_required = type;
      return TRUE;
    }
}

static gboolean
take_attributes (Reading *reading, gsize total)
{
  gsize at = KH_STUN_HEADER_BYTES;

  for (int count = 0; at < total; count++)
    {
      gsize length;

      if (count == MAX_ATTRIBUTES || total - at < ATTRIBUTE_HEADER_BYTES)
        return FALSE;
      length = read16 (reading->bytes + at + 2);
      if (((length + 3) & ~(gsize) 3) > total - at - ATTRIBUTE_HEADER_BYTES)
        return FALSE;
      if (!take_attribute (reading, read16 (reading->bytes + at), reading->bytes + at + ATTRIBUTE_HEADER_BYTES, length))
        return FALSE;
      at += ATTRIBUTE_HEADER_BYTES + ((length + 3) & ~(gsize) 3);
    }

  return TRUE;
}

/**
 * kh_stun_message_from_bytes:
 * @bytes: (array length=length): exactly one message
 * @length: bytes in @bytes
 * @error: return location
 *
 * Decodes a message (RFC 8489, sections 5 and 14; RFC 5780, section 7). Every length is checked, and
 * FINGERPRINT where there is one. Credentials (USERNAME, MESSAGE-INTEGRITY) are read over: nothing is decided
 * by them. A required attribute that this codec does not know is no error, but told in `unknown_required`.
 *
 * Returns: (transfer full): the message, or %NULL with %KH_ERROR_PROTOCOL
 */
KhStunMessage *
kh_stun_message_from_bytes (const guint8 *bytes, gsize length, GError **error)
{
  g_autoptr (KhStunMessage) self = NULL;
  Reading reading = { .bytes = bytes };
  gboolean ok;

  if (length < KH_STUN_HEADER_BYTES || kh_stun_message_length (bytes, length) != (gssize) length)
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "not a STUN message");
      return NULL;
    }

  self = kh_stun_message_new (KH_STUN_REQUEST, 0, bytes + 8);
  split_type (read16 (bytes), &self->klass, &self->method);
  reading.message = self;
  ok = take_attributes (&reading, length);
  if (self->mapped == NULL)
    self->mapped = g_steal_pointer (&reading.plain_mapped);
  g_clear_object (&reading.plain_mapped);
  if (!ok)
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "a STUN message with broken attributes");
      return NULL;
    }

  return g_steal_pointer (&self);
}
