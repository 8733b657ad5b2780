/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a server or a client sends as STUN, the codec tells what it is, or refuses it; and what it has read it can send
 * again.
 *
 * The input is a message, as it is and with its header mended. */
#include "fuzz.h"
#include "kh-error.h"
#include "kh-stun.h"

#include <string.h>

#define MAX_CHARACTERS 127
#define FINGERPRINT_BYTES 8

/* A stream comes in pieces: what is said of its first bytes must not be taken back, except that it is no STUN at all. */
static void
check_length (const guint8 *data, gsize size)
{
  gssize whole = kh_stun_message_length (data, size);

  g_assert_true (whole == -1 || whole == 0 || (whole >= KH_STUN_HEADER_BYTES && whole <= KH_STUN_MAX_BYTES));
  for (gsize i = 0; i < MIN (size, KH_STUN_HEADER_BYTES); i++)
    {
      gssize sooner = kh_stun_message_length (data, i);

      g_assert_true (sooner == 0 || sooner == whole || (sooner > 0 && whole == -1));
    }
}

static void
check_text (const char *text)
{
  if (text == NULL)
    return;

  g_assert_true (g_utf8_validate (text, -1, NULL));
  g_assert_cmpint (g_utf8_strlen (text, -1), <=, MAX_CHARACTERS);
  for (const char *p = text; *p != '\0'; p = g_utf8_next_char (p))
    g_assert_false (g_unichar_iscntrl (g_utf8_get_char (p)));
}

static void
assert_same_address (GInetSocketAddress *a, GInetSocketAddress *b)
{
  g_assert_true ((a == NULL) == (b == NULL));
  if (a == NULL)
    return;

  g_assert_cmpuint (g_inet_socket_address_get_port (a), ==, g_inet_socket_address_get_port (b));
  g_assert_true (g_inet_address_equal (g_inet_socket_address_get_address (a), g_inet_socket_address_get_address (b)));
}

static void
assert_same (const KhStunMessage *a, const KhStunMessage *b)
{
  g_assert_cmpint (a->klass, ==, b->klass);
  g_assert_cmpint (a->method, ==, b->method);
  g_assert_cmpmem (a->id, KH_STUN_ID_BYTES, b->id, KH_STUN_ID_BYTES);
  assert_same_address (a->mapped, b->mapped);
  assert_same_address (a->response_origin, b->response_origin);
  assert_same_address (a->other_address, b->other_address);
  g_assert_cmpstr (a->software != NULL ? a->software : "knothole", ==, b->software);
  g_assert_cmpint (a->error_code, ==, b->error_code);
  g_assert_cmpstr (a->error_reason, ==, b->error_reason);
  g_assert_cmpint (a->has_cookie, ==, b->has_cookie);
  g_assert_cmpmem (a->cookie, KH_STUN_COOKIE_BYTES, b->cookie, KH_STUN_COOKIE_BYTES);
  g_assert_cmpint (a->dial_kind, ==, b->dial_kind);
  g_assert_cmpint (a->dial_result, ==, b->dial_result);
  if (a->dial_result != KH_DIAL_UNKNOWN)
    {
      g_assert_cmpint (a->icmp_type, ==, b->icmp_type);
      g_assert_cmpint (a->icmp_code, ==, b->icmp_code);
    }
}

static void
check_round_trip (const KhStunMessage *message)
{
  g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (message);
  g_autoptr (KhStunMessage) again = NULL;
  g_autoptr (GError) error = NULL;

  g_assert_cmpuint (g_bytes_get_size (bytes), <=, KH_STUN_MAX_BYTES);
  again = kh_stun_message_from_bytes (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), &error);
  g_assert_no_error (error);
  assert_same (message, again);
}

static void
check (const guint8 *data, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhStunMessage) message = NULL;

  check_length (data, size);
  message = kh_stun_message_from_bytes (data, size, &error);
  if (message == NULL)
    {
      g_assert_error (error, KH_ERROR, KH_ERROR_PROTOCOL);
      return;
    }

  g_assert_no_error (error);
  g_assert_cmpint (kh_stun_message_length (data, size), ==, size);
  check_text (message->software);
  check_text (message->error_reason);
  check_round_trip (message);
}

/* A header in order, and no FINGERPRINT, which junk never has right. */
static gsize
mend (guint8 *message, gsize size)
{
  static const guint8 fingerprint[] = { 0x80, 0x28, 0x00, 0x04 };

  size = size / 4 * 4;
  if (size >= KH_STUN_HEADER_BYTES + FINGERPRINT_BYTES &&
      memcmp (message + size - FINGERPRINT_BYTES, fingerprint, sizeof fingerprint) == 0)
    size -= FINGERPRINT_BYTES;
  message[0] &= 0x3f;
  message[2] = (guint8) ((size - KH_STUN_HEADER_BYTES) >> 8);
  message[3] = (guint8) (size - KH_STUN_HEADER_BYTES);
  memcpy (message + 4, "\x21\x12\xa4\x42", 4);
  return size;
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  check (data, size);
  if (size >= KH_STUN_HEADER_BYTES && size <= KH_STUN_MAX_BYTES)
    {
      g_autofree guint8 *message = g_memdup2 (data, size);

      check (message, mend (message, size));
    }

  return 0;
}
