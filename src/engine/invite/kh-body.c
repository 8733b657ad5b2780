/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-body.h"

#include "kh-error.h"
#include "kh-hkdf.h"
#include "kh-json.h"

#include <sodium.h>
#include <string.h>

#define PURPOSE "wormhole:phase:"
#define PURPOSE_BYTES (strlen (PURPOSE))
#define HASH_BYTES crypto_hash_sha256_BYTES

/* A `pake` body holds 66 digits and a few letters. */
#define MAX_PAKE_BODY 4096

static char *
to_hex (const guint8 *bytes, gsize length)
{
  gsize room = length * 2 + 1;
  char *hex = g_malloc (room);

  return sodium_bin2hex (hex, room, bytes, length);
}

/* All of the text has to be hex digits, in pairs. */
static GBytes *
from_hex (const char *hex)
{
  gsize digits = strlen (hex);
  g_autofree guint8 *bytes = g_malloc (digits / 2 + 1);
  gsize length;

  if (digits % 2 != 0 || sodium_hex2bin (bytes, digits / 2, hex, digits, NULL, &length, NULL) != 0 ||
      length != digits / 2)
    return NULL;

  return g_bytes_new_take (g_steal_pointer (&bytes), length);
}

static void
hash_text (const char *text, guint8 *hash)
{
  crypto_hash_sha256 (hash, (const guint8 *) text, strlen (text));
}

/**
 * kh_body_phase_key:
 * @session_key: (array fixed-size=32): the key of the run
 * @side: the sender's side
 * @phase: the phase's name
 * @key: (out caller-allocates) (array fixed-size=32): where the key goes
 *
 * The key of one body (PROTOCOL section 7.1). Side and phase are in it, so a body that somebody relabels does not open.
 */
void
kh_body_phase_key (const guint8 *session_key, const char *side, const char *phase, guint8 *key)
{
  guint8 purpose[sizeof PURPOSE - 1 + 2 * HASH_BYTES];

  memcpy (purpose, PURPOSE, PURPOSE_BYTES);
  hash_text (side, purpose + PURPOSE_BYTES);
  hash_text (phase, purpose + PURPOSE_BYTES + HASH_BYTES);
  kh_hkdf (session_key, KH_BODY_KEY_BYTES, purpose, sizeof purpose, key, KH_BODY_KEY_BYTES);
}

/**
 * kh_body_seal_with_nonce:
 * @nonce: (array fixed-size=24): the nonce, never used twice with one key
 *
 * kh_body_seal() with a nonce of the caller's, for tests.
 *
 * Returns: (transfer full): the body in hex
 */
char *
kh_body_seal_with_nonce (const guint8 *session_key, const char *side, const char *phase, GBytes *plaintext,
                         const guint8 *nonce)
{
  gsize length;
  const guint8 *plain = g_bytes_get_data (plaintext, &length);
  gsize size = KH_BODY_NONCE_BYTES + crypto_secretbox_MACBYTES + length;
  g_autofree guint8 *body = g_malloc (size);
  guint8 key[KH_BODY_KEY_BYTES];

  memcpy (body, nonce, KH_BODY_NONCE_BYTES);
  kh_body_phase_key (session_key, side, phase, key);
  crypto_secretbox_easy (body + KH_BODY_NONCE_BYTES, plain, length, nonce, key);
  sodium_memzero (key, sizeof key);

  return to_hex (body, size);
}

/**
 * kh_body_seal:
 * @session_key: (array fixed-size=32): the key of the run
 * @side: our side
 * @phase: the phase's name
 * @plaintext: what the friend is to read
 *
 * Seals a body with a random nonce (PROTOCOL section 7.3).
 *
 * Returns: (transfer full): the body in hex
 */
char *
kh_body_seal (const guint8 *session_key, const char *side, const char *phase, GBytes *plaintext)
{
  guint8 nonce[KH_BODY_NONCE_BYTES];

  randombytes_buf (nonce, sizeof nonce);
  return kh_body_seal_with_nonce (session_key, side, phase, plaintext, nonce);
}

static GBytes *
open_box (const guint8 *key, const guint8 *body, gsize length)
{
  const guint8 *box = body + KH_BODY_NONCE_BYTES;
  gsize box_length = length - KH_BODY_NONCE_BYTES;
  gsize plain_length = box_length - crypto_secretbox_MACBYTES;
  g_autofree guint8 *plain = g_malloc (plain_length + 1);

  if (crypto_secretbox_open_easy (plain, box, box_length, body, key) != 0)
    return NULL;

  return g_bytes_new_take (g_steal_pointer (&plain), plain_length);
}

/**
 * kh_body_open:
 * @session_key: (array fixed-size=32): the key of the run
 * @side: the side the message came from
 * @phase: the phase the message has
 * @body: the body, text from the network
 * @error: return location
 *
 * Returns: (transfer full): the plaintext, or %NULL with %KH_ERROR_BAD_CODE: the other one does not know the code, or
 *   somebody touched the body
 */
GBytes *
kh_body_open (const guint8 *session_key, const char *side, const char *phase, const char *body, GError **error)
{
  g_autoptr (GBytes) sealed = from_hex (body);
  guint8 key[KH_BODY_KEY_BYTES];
  GBytes *plain = NULL;

  if (sealed != NULL && g_bytes_get_size (sealed) >= KH_BODY_NONCE_BYTES + crypto_secretbox_MACBYTES)
    {
      kh_body_phase_key (session_key, side, phase, key);
      plain = open_box (key, g_bytes_get_data (sealed, NULL), g_bytes_get_size (sealed));
      sodium_memzero (key, sizeof key);
    }

  if (plain == NULL)
    g_set_error_literal (error, KH_ERROR, KH_ERROR_BAD_CODE, "a body that does not open");

  return plain;
}

/**
 * kh_body_encode_pake:
 * @message: (array length=length): our key exchange message
 * @length: bytes in @message
 *
 * Returns: (transfer full): the body of phase `pake`, hex of JSON that holds hex (PROTOCOL section 6.4)
 */
char *
kh_body_encode_pake (const guint8 *message, gsize length)
{
  g_autofree char *hex = to_hex (message, length);
  g_autofree char *json = g_strdup_printf ("{\"pake_v1\": \"%s\"}", hex);

  return to_hex ((const guint8 *) json, strlen (json));
}

/**
 * kh_body_decode_pake:
 * @body: the body of the friend's `pake`, text from the network
 * @error: return location
 *
 * Returns: (transfer full): the key exchange message, of any length, or %NULL with %KH_ERROR_PROTOCOL
 */
GBytes *
kh_body_decode_pake (const char *body, GError **error)
{
  g_autoptr (GBytes) json = strlen (body) <= MAX_PAKE_BODY ? from_hex (body) : NULL;
  g_autoptr (JsonObject) object = NULL;
  GBytes *message = NULL;
  const char *hex;

  if (json != NULL)
    object = kh_json_parse_bytes (json, MAX_PAKE_BODY, NULL);
  if (object != NULL && (hex = kh_json_get_string (object, "pake_v1")) != NULL)
    message = from_hex (hex);
  if (message == NULL)
    g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "a malformed key exchange body");

  return message;
}
