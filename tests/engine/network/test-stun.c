/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-error.h"
#include "kh-stun.h"
#include "kh-test.h"

#include <string.h>

#define ID "b7e7a701bc34d686fa87dfae"

/* RFC 5769, sections 2.1 to 2.3: a request and two answers. */
static const char *const rfc5769_request =
    "000100582112a442" ID "802200105354554e207465737420636c69656e74" /* SOFTWARE */
    "002400046e0001ff80290008932ff9b151263b36"                       /* PRIORITY, ICE-CONTROLLED */
    "000600096576746a3a68367659202020"                               /* USERNAME, padded with spaces */
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf";
static const char *const rfc5769_ipv4 = "0101003c2112a442" ID "8022000b7465737420766563746f7220"
                                        "002000080001a147e112a643"
                                        "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
                                        "80280004c07d4c96";
static const char *const rfc5769_ipv6 = "010100482112a442" ID "8022000b7465737420766563746f7220"
                                        "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
                                        "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
                                        "80280004c8fb0b4c";

static KhStunMessage *
decode (GBytes *bytes, GError **error)
{
  gsize length;
  const guint8 *data = g_bytes_get_data (bytes, &length);

  return kh_stun_message_from_bytes (data, length, error);
}

static KhStunMessage *
decode_hex (const char *hex)
{
  g_autoptr (GBytes) bytes = kh_test_unhex (hex);
  g_autoptr (GError) error = NULL;
  KhStunMessage *message = decode (bytes, &error);

  g_assert_no_error (error);
  return message;
}

static void
assert_address (GInetSocketAddress *address, const char *expected)
{
  g_autofree char *text = address != NULL ? kh_address_to_text (G_SOCKET_ADDRESS (address)) : NULL;

  g_assert_cmpstr (text, ==, expected);
}

static void
test_rfc5769 (void)
{
  g_autoptr (KhStunMessage) request = decode_hex (rfc5769_request);
  g_autoptr (KhStunMessage) ipv4 = decode_hex (rfc5769_ipv4);
  g_autoptr (KhStunMessage) ipv6 = decode_hex (rfc5769_ipv6);

  g_assert_cmpint (request->klass, ==, KH_STUN_REQUEST);
  g_assert_cmpint (request->method, ==, KH_STUN_METHOD_BINDING);
  g_assert_cmpstr (request->software, ==, "STUN test client");
  g_assert_cmphex (request->unknown_required, ==, 0x0024);
  kh_test_assert_hex (request->id, sizeof request->id, ID);

  g_assert_cmpint (ipv4->klass, ==, KH_STUN_SUCCESS);
  g_assert_cmpstr (ipv4->software, ==, "test vector");
  g_assert_cmphex (ipv4->unknown_required, ==, 0);
  assert_address (ipv4->mapped, "192.0.2.1:32853");
  assert_address (ipv6->mapped, "[2001:db8:1234:5678:11:2233:4455:6677]:32853");
}

static void
test_round_trips (void)
{
  static const char *const addresses[] = { "192.0.2.7:1", "[2001:db8::1]:65535" };

  for (gsize i = 0; i < G_N_ELEMENTS (addresses); i++)
    {
      g_autoptr (KhStunMessage) sent = kh_stun_message_new (KH_STUN_SUCCESS, KH_STUN_METHOD_BINDING, NULL);
      g_autoptr (KhStunMessage) got = NULL;
      g_autoptr (GBytes) bytes = NULL;

      sent->mapped = kh_address_from_text (addresses[i]);
      sent->response_origin = kh_address_from_text ("198.51.100.1:3478");
      sent->other_address = kh_address_from_text ("198.51.100.2:3479");
      bytes = kh_stun_message_to_bytes (sent);
      got = decode (bytes, NULL);

      g_assert_nonnull (got);
      g_assert_cmpint (got->klass, ==, KH_STUN_SUCCESS);
      g_assert_cmpmem (got->id, KH_STUN_ID_BYTES, sent->id, KH_STUN_ID_BYTES);
      assert_address (got->mapped, addresses[i]);
      assert_address (got->response_origin, "198.51.100.1:3478");
      assert_address (got->other_address, "198.51.100.2:3479");
      g_assert_cmpstr (got->software, ==, "knothole");
    }
}

static void
test_error_round_trip (void)
{
  g_autoptr (KhStunMessage) sent = kh_stun_message_new (KH_STUN_ERROR, KH_STUN_METHOD_BINDING, NULL);
  g_autoptr (KhStunMessage) got = NULL;
  g_autoptr (GBytes) bytes = NULL;

  sent->error_code = 420;
  sent->error_reason = g_strdup ("Unknown attribute");
  sent->unknown_required = 0x0003;
  bytes = kh_stun_message_to_bytes (sent);
  got = decode (bytes, NULL);

  g_assert_cmpint (got->klass, ==, KH_STUN_ERROR);
  g_assert_cmpint (got->error_code, ==, 420);
  g_assert_cmpstr (got->error_reason, ==, "Unknown attribute");
  g_assert_cmphex (got->unknown_required, ==, 0);
}

static void
test_every_class_and_method (void)
{
  for (int klass = KH_STUN_REQUEST; klass <= KH_STUN_ERROR; klass++)
    for (guint16 method = 0; method <= 0xfff; method += 7)
      {
        g_autoptr (KhStunMessage) sent = kh_stun_message_new (klass, method, NULL);
        g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (sent);
        g_autoptr (KhStunMessage) got = decode (bytes, NULL);

        g_assert_cmpint (got->klass, ==, klass);
        g_assert_cmpint (got->method, ==, method);
      }
}

static void
test_ids_are_fresh (void)
{
  g_autoptr (KhStunMessage) a = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, NULL);
  g_autoptr (KhStunMessage) b = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, NULL);

  g_assert_true (memcmp (a->id, b->id, KH_STUN_ID_BYTES) != 0);
}

/* What others write is bounded and one line: it goes into reports. */
static void
test_texts (void)
{
  g_autoptr (KhStunMessage) sent = kh_stun_message_new (KH_STUN_ERROR, KH_STUN_METHOD_BINDING, NULL);
  g_autoptr (KhStunMessage) got = NULL;
  g_autoptr (GBytes) bytes = NULL;
  GString *longest = g_string_new (NULL);

  for (int i = 0; i < 1000; i++)
    g_string_append (longest, "你");
  sent->software = g_string_free (longest, FALSE);
  sent->error_code = 400;
  sent->error_reason = g_strdup ("a\nb\033[31m\xff");
  bytes = kh_stun_message_to_bytes (sent);
  g_assert_cmpuint (g_bytes_get_size (bytes), <=, KH_STUN_MAX_BYTES);
  got = decode (bytes, NULL);

  g_assert_cmpint (g_utf8_strlen (got->software, -1), ==, 127);
  g_assert_cmpstr (got->error_reason, ==, "a b[31m\xef\xbf\xbd");
}

#define HEAD(length) "0101" length "2112a442" ID

static void
test_accepted (void)
{
  static const struct
  {
    const char *hex;
    const char *mapped;
    guint16 unknown;
  } cases[] = {
    { HEAD ("0000"), NULL, 0 },
    { HEAD ("000c") "0001000800010050c0000201", "192.0.2.1:80", 0 },
    /* the masked form counts, before the plain one or behind it */
    { HEAD ("0018") "0001000800010050c6336401"
                    "002000080001a147e112a643",
      "192.0.2.1:32853", 0 },
    { HEAD ("0018") "002000080001a147e112a643"
                    "0001000800010050c6336401",
      "192.0.2.1:32853", 0 },
    /* of a repeated one the first */
    { HEAD ("0018") "0001000800010050c0000201"
                    "0001000800010050c6336401",
      "192.0.2.1:80", 0 },
    /* unknown ones: which may be passed over, and the first which may not */
    { HEAD ("0004") "ffff0000", NULL, 0 },
    { HEAD ("0008") "7fff0000"
                    "00030000",
      NULL, 0x7fff },
    /* behind MESSAGE-INTEGRITY nothing counts but FINGERPRINT */
    { HEAD ("0024") "0008001400000000000000000000000000000000000000000001000800010050c0000201", NULL, 0 },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhStunMessage) message = decode_hex (cases[i].hex);

      assert_address (message->mapped, cases[i].mapped);
      g_assert_cmphex (message->unknown_required, ==, cases[i].unknown);
    }
}

#define COOKIE "000102030405060708090a0b0c0d0e0f"

/* A dial request as docs/protocol.md has it, byte for byte, up to FINGERPRINT. */
static void
test_dial_request (void)
{
  static const char *const expected = "02a500302112a442" ID "4d50000403000000"
                                      "cd500010" COOKIE "802200086b6e6f74686f6c65";
  g_autoptr (GBytes) id = kh_test_unhex (ID);
  g_autoptr (GBytes) cookie = kh_test_unhex (COOKIE);
  g_autoptr (KhStunMessage) sent =
      kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_DIAL_BACK, g_bytes_get_data (id, NULL));
  g_autoptr (KhStunMessage) got = NULL;
  g_autoptr (GBytes) bytes = NULL;

  sent->dial_kind = KH_DIAL_CROSSING;
  sent->has_cookie = TRUE;
  memcpy (sent->cookie, g_bytes_get_data (cookie, NULL), sizeof sent->cookie);
  bytes = kh_stun_message_to_bytes (sent);
  kh_test_assert_hex (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes) - 8, expected);

  got = decode (bytes, NULL);
  g_assert_cmpint (got->klass, ==, KH_STUN_REQUEST);
  g_assert_cmphex (got->method, ==, KH_STUN_METHOD_DIAL_BACK);
  g_assert_cmpint (got->dial_kind, ==, KH_DIAL_CROSSING);
  g_assert_true (got->has_cookie);
  kh_test_assert_hex (got->cookie, sizeof got->cookie, COOKIE);
  g_assert_cmpint (got->dial_result, ==, KH_DIAL_UNKNOWN);
  g_assert_cmphex (got->unknown_required, ==, 0);
}

static void
test_dial_round_trips (void)
{
  for (int kind = KH_DIAL_NONE; kind < KH_N_DIAL_KINDS; kind++)
    for (int result = KH_DIAL_UNKNOWN; result < KH_N_DIAL_RESULTS; result++)
      {
        g_autoptr (KhStunMessage) sent = kh_stun_message_new (KH_STUN_INDICATION, KH_STUN_METHOD_DIAL_BACK, NULL);
        g_autoptr (KhStunMessage) got = NULL;
        g_autoptr (GBytes) bytes = NULL;

        sent->dial_kind = kind;
        sent->dial_result = result;
        sent->icmp_type = result == KH_DIAL_UNREACHABLE ? 3 : 0;
        sent->icmp_code = result == KH_DIAL_UNREACHABLE ? 13 : 0;
        bytes = kh_stun_message_to_bytes (sent);
        got = decode (bytes, NULL);

        g_assert_cmpint (got->dial_kind, ==, kind);
        g_assert_cmpint (got->dial_result, ==, result);
        g_assert_cmpint (got->icmp_type, ==, sent->icmp_type);
        g_assert_cmpint (got->icmp_code, ==, sent->icmp_code);
        g_assert_false (got->has_cookie);
      }
}

/* What a later version may say is known to be unknown, and a required attribute that is known is not "unknown". */
static void
test_dial_unknown (void)
{
  static const struct
  {
    const char *hex;
    KhDialKind kind;
    KhDialResult result;
  } cases[] = {
    { HEAD ("0008") "4d50000400000000", KH_N_DIAL_KINDS, KH_DIAL_UNKNOWN },
    { HEAD ("0008") "4d50000406000000", KH_N_DIAL_KINDS, KH_DIAL_UNKNOWN },
    { HEAD ("0008") "4d500004ff000000", KH_N_DIAL_KINDS, KH_DIAL_UNKNOWN },
    { HEAD ("0008") "4d50000405ffffff", KH_DIAL_POKE, KH_DIAL_UNKNOWN },
    { HEAD ("0008") "cd51000400000000", KH_DIAL_NONE, KH_DIAL_UNKNOWN },
    { HEAD ("0008") "cd51000406000000", KH_DIAL_NONE, KH_DIAL_UNKNOWN },
    { HEAD ("0008") "cd510004ff000000", KH_DIAL_NONE, KH_DIAL_UNKNOWN },
    { HEAD ("0008") "cd510004030b00ff", KH_DIAL_NONE, KH_DIAL_UNREACHABLE },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhStunMessage) message = decode_hex (cases[i].hex);

      g_assert_cmpint (message->dial_kind, ==, cases[i].kind);
      g_assert_cmpint (message->dial_result, ==, cases[i].result);
      g_assert_cmphex (message->unknown_required, ==, 0);
    }
}

static void
test_malformed (void)
{
  static const char *const cases[] = {
    "",
    "0101",
    HEAD ("0004"),      /* more announced than there is */
    HEAD ("0000") "00", /* more there than announced */
    "41010000"
    "2112a442" ID, /* the first two bits */
    "01010000"
    "2112a443" ID,                                                    /* the cookie */
    HEAD ("0003") "000000",                                           /* not in fours */
    HEAD ("0004") "00010008",                                         /* attribute past the end */
    HEAD ("0008") "8022000500000000",                                 /* its padding past the end */
    HEAD ("0004") "8022ffff",                                         /* a length of 65535 */
    HEAD ("0004") "00010000",                                         /* no address in the address */
    HEAD ("000c") "0001000800020050c0000201",                         /* 4 bytes called IPv6 */
    HEAD ("000c") "0001000800030050c0000201",                         /* a family that is none */
    HEAD ("0010") "0020000b00010050c000020100000000",                 /* an odd length */
    HEAD ("0018") "0001001400010050c0000201000000000000000000000000", /* 16 bytes called IPv4 */
    HEAD ("0008") "0009000200000000",                                 /* an error code cut short */
    HEAD ("0008") "0009000400000200",                                 /* class 2 is no error */
    HEAD ("0008") "0009000400000464",                                 /* number 100 */
    HEAD ("0008") "000a000100030000",                                 /* half an attribute type */
    HEAD ("0008") "8028000400000000",                                 /* a wrong fingerprint */
    HEAD ("0004") "80280000",                                         /* an empty one */
    HEAD ("0004") "4d500000",                                         /* no kind of dial */
    HEAD ("0008") "4d50000301000000",                                 /* three bytes of one */
    HEAD ("000c") "4d5000080100000000000000",                         /* eight */
    HEAD ("0004") "cd500000",                                         /* no cookie */
    HEAD ("0014") "cd50000f" COOKIE,                                  /* a short one */
    HEAD ("0018") "cd500011" COOKIE "00000000",                       /* a long one */
    HEAD ("0004") "cd510000",                                         /* no result */
    HEAD ("0008") "cd51000301000000",                                 /* three bytes of one */
    HEAD ("000c") "cd5100050100000000000000",                         /* five */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = kh_test_unhex (cases[i]);
      g_autoptr (GError) error = NULL;
      KhStunMessage *message = decode (bytes, &error);

      if (message != NULL)
        g_error ("accepted: %s", cases[i]);
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
    }
}

static void
test_after_fingerprint (void)
{
  g_autoptr (KhStunMessage) sent = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_BINDING, NULL);
  g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (sent);
  g_autoptr (GByteArray) longer = g_byte_array_new ();

  g_byte_array_append (longer, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_byte_array_append (longer, (const guint8 *) "\xff\xff\0\0", 4);
  longer->data[3] += 4;
  g_assert_null (kh_stun_message_from_bytes (longer->data, longer->len, NULL));
}

static void
test_too_many_attributes (void)
{
  for (int count = 64; count <= 65; count++)
    {
      g_autofree guint8 *bytes = g_malloc0 (KH_STUN_HEADER_BYTES + count * 4);
      g_autoptr (GBytes) head = kh_test_unhex (HEAD ("0000"));
      g_autoptr (KhStunMessage) message = NULL;

      memcpy (bytes, g_bytes_get_data (head, NULL), KH_STUN_HEADER_BYTES);
      bytes[2] = count * 4 >> 8;
      bytes[3] = count * 4 & 0xff;
      memset (bytes + KH_STUN_HEADER_BYTES, 0, count * 4);
      for (int i = 0; i < count; i++)
        bytes[KH_STUN_HEADER_BYTES + i * 4] = 0xff;
      message = kh_stun_message_from_bytes (bytes, KH_STUN_HEADER_BYTES + count * 4, NULL);
      g_assert_cmpint (message != NULL, ==, count == 64);
    }
}

static void
test_length (void)
{
  static const struct
  {
    const char *hex;
    gssize expected;
  } cases[] = {
    { "", 0 },
    { "00", 0 },
    { "000100", 0 },
    { "00010000", 20 },
    { "00010008"
      "2112a4",
      28 },
    { "00010008"
      "2112a442",
      28 },
    { "00010008"
      "2112a443",
      -1 },
    { "40", -1 },
    { "80010000", -1 },
    { "00010002", -1 },
    { "000107ec", KH_STUN_MAX_BYTES },
    { "000107f0", -1 },
    { "0001fffc", -1 },
    { "474554202f", -1 }, /* "GET /" */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GBytes) bytes = kh_test_unhex (cases[i].hex);
      gsize length;
      const guint8 *data = g_bytes_get_data (bytes, &length);

      g_assert_cmpint (kh_stun_message_length (data, length), ==, cases[i].expected);
    }
}

/* Each copy has a length of its own, so that a read past its end is seen. */
static void
test_truncations (void)
{
  static const char *const samples[] = { rfc5769_request, rfc5769_ipv4, rfc5769_ipv6 };

  for (gsize i = 0; i < G_N_ELEMENTS (samples); i++)
    {
      g_autoptr (GBytes) whole = kh_test_unhex (samples[i]);

      for (gsize length = 0; length < g_bytes_get_size (whole); length++)
        {
          g_autofree guint8 *cut = g_memdup2 (g_bytes_get_data (whole, NULL), length);

          g_assert_null (kh_stun_message_from_bytes (cut, length, NULL));
          if (length < KH_STUN_HEADER_BYTES)
            continue;
          /* The same, with a header that agrees: may be a message without FINGERPRINT, must not crash. */
          cut[2] = (length - KH_STUN_HEADER_BYTES) >> 8;
          cut[3] = (length - KH_STUN_HEADER_BYTES) & 0xff;
          g_clear_pointer (&(KhStunMessage *){ kh_stun_message_from_bytes (cut, length, NULL) }, kh_stun_message_free);
        }
    }
}

/* FINGERPRINT finds every flipped bit but those that hide FINGERPRINT itself: in its type, and where the
 * length of the attribute before it swallows it. */
static void
test_bit_flips (void)
{
  g_autoptr (GBytes) whole = kh_test_unhex (rfc5769_ipv4);
  gsize length = g_bytes_get_size (whole);
  gsize fingerprint_at = length - 8;
  gsize integrity_at = fingerprint_at - 24;

  for (gsize bit = 0; bit < length * 8; bit++)
    {
      g_autofree guint8 *flipped = g_memdup2 (g_bytes_get_data (whole, NULL), length);
      g_autoptr (KhStunMessage) message = NULL;
      gsize byte = bit / 8;

      flipped[byte] ^= 1 << bit % 8;
      message = kh_stun_message_from_bytes (flipped, length, NULL);
      if (message != NULL && byte / 2 != fingerprint_at / 2 && byte / 2 != integrity_at / 2 + 1)
        g_error ("not found: bit %zu of byte %zu", bit % 8, byte);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stun/rfc5769", test_rfc5769);
  g_test_add_func ("/stun/round-trips", test_round_trips);
  g_test_add_func ("/stun/error-round-trip", test_error_round_trip);
  g_test_add_func ("/stun/every-class-and-method", test_every_class_and_method);
  g_test_add_func ("/stun/ids-are-fresh", test_ids_are_fresh);
  g_test_add_func ("/stun/texts", test_texts);
  g_test_add_func ("/stun/accepted", test_accepted);
  g_test_add_func ("/stun/dial-request", test_dial_request);
  g_test_add_func ("/stun/dial-round-trips", test_dial_round_trips);
  g_test_add_func ("/stun/dial-unknown", test_dial_unknown);
  g_test_add_func ("/stun/malformed", test_malformed);
  g_test_add_func ("/stun/after-fingerprint", test_after_fingerprint);
  g_test_add_func ("/stun/too-many-attributes", test_too_many_attributes);
  g_test_add_func ("/stun/length", test_length);
  g_test_add_func ("/stun/truncations", test_truncations);
  g_test_add_func ("/stun/bit-flips", test_bit_flips);
  return g_test_run ();
}
