/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-noise.h"

#include "kh-error.h"
#include "kh-noise-private.h"

#include <sodium.h>
#include <string.h>

/* Noise_NNpsk0_25519_ChaChaPoly_SHA256, Noise Protocol Framework, revision 34.
 *
 *     new        h = ck = name; MixHash (prologue); MixKeyAndHash (psk)
 *     message 1  →  e: MixHash, MixKey           payload
 *     message 2  ←  e: MixHash, MixKey; ee       payload, Split
 *     from there on transport messages, each direction with its own key and counter
 *
 * The pattern begins with the psk on both sides, whoever writes first. So it is mixed when the object is made
 * and never kept. */

#define PROTOCOL_NAME "Noise_NNpsk0_25519_ChaChaPoly_SHA256"
#define KEY_BYTES 32
#define TAG_BYTES 16
#define DH_BYTES 32
#define REKEY_INTERVAL (G_GUINT64_CONSTANT (1) << 20)

G_STATIC_ASSERT (KEY_BYTES == crypto_aead_chacha20poly1305_ietf_KEYBYTES);
G_STATIC_ASSERT (TAG_BYTES == crypto_aead_chacha20poly1305_ietf_ABYTES);
G_STATIC_ASSERT (DH_BYTES == crypto_scalarmult_curve25519_BYTES);
G_STATIC_ASSERT (KH_NOISE_HASH_BYTES == crypto_hash_sha256_BYTES);
G_STATIC_ASSERT (KH_NOISE_HASH_BYTES == crypto_auth_hmacsha256_BYTES);

typedef enum
{
  STAGE_FIRST,
  STAGE_SECOND,
  STAGE_OPEN,
  STAGE_FAILED,
} Stage;

typedef struct
{
  guint8 key[KEY_BYTES];
  guint64 counter;
} Cipher;

struct _KhNoise
{
  gboolean initiator;
  Stage stage;
  guint64 rekey_interval;
  guint8 hash[KH_NOISE_HASH_BYTES];

  /* Wiped when the handshake is over, be it well or badly. */
  struct
  {
    guint8 chaining_key[KH_NOISE_HASH_BYTES];
    Cipher cipher;
    gboolean has_ephemeral;
    guint8 secret[DH_BYTES];
    guint8 public[DH_BYTES];
    guint8 shared[DH_BYTES];
  } handshake;

  Cipher sending;
  Cipher receiving;
};

static void
make_nonce (guint64 counter, guint8 *nonce)
{
  guint64 little_endian = GUINT64_TO_LE (counter);

  memset (nonce, 0, 4);
  memcpy (nonce + 4, &little_endian, sizeof little_endian);
}

static void
cipher_seal (Cipher *self, const guint8 *ad, gsize ad_length, const guint8 *plain, gsize length, guint8 *sealed)
{
  guint8 nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

  make_nonce (self->counter++, nonce);
  crypto_aead_chacha20poly1305_ietf_encrypt (sealed, NULL, plain, length, ad, ad_length, NULL, nonce, self->key);
}

static gboolean
cipher_open (Cipher *self, const guint8 *ad, gsize ad_length, const guint8 *sealed, gsize length, guint8 *plain)
{
  guint8 nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];

  make_nonce (self->counter++, nonce);
  return crypto_aead_chacha20poly1305_ietf_decrypt (plain, NULL, NULL, sealed, length, ad, ad_length, nonce,
                                                    self->key) == 0;
}

/* Noise section 11.3. The counter goes on: a nonce that is not used again under any key is the safer choice,
 * and the one the specification makes. */
static void
cipher_rekey (Cipher *self)
{
  static const guint8 zeros[KEY_BYTES] = { 0 };
  guint8 nonce[crypto_aead_chacha20poly1305_ietf_NPUBBYTES];
  guint8 sealed[KEY_BYTES + TAG_BYTES];

  make_nonce (G_MAXUINT64, nonce);
  crypto_aead_chacha20poly1305_ietf_encrypt (sealed, NULL, zeros, sizeof zeros, NULL, 0, NULL, nonce, self->key);
  memcpy (self->key, sealed, KEY_BYTES);
  sodium_memzero (sealed, sizeof sealed);
}

static void
rekey_when_due (KhNoise *self, Cipher *cipher)
{
  if (cipher->counter % self->rekey_interval == 0)
    cipher_rekey (cipher);
}

static void
hmac (const guint8 *key, const guint8 *data, gsize length, const guint8 *more, gsize more_length, guint8 *out)
{
  crypto_auth_hmacsha256_state state;

  crypto_auth_hmacsha256_init (&state, key, KH_NOISE_HASH_BYTES);
  crypto_auth_hmacsha256_update (&state, data, length);
  crypto_auth_hmacsha256_update (&state, more, more_length);
  crypto_auth_hmacsha256_final (&state, out);
  sodium_memzero (&state, sizeof state);
}

/* HKDF of Noise section 4.3, with two outputs or three (@third may be %NULL). An output may be where @key is.
 */
static void
hkdf (const guint8 *key, const guint8 *input, gsize length, guint8 *first, guint8 *second, guint8 *third)
{
  static const guint8 one = 1, two = 2, three = 3;
  guint8 temporary[KH_NOISE_HASH_BYTES];

  hmac (key, input, length, NULL, 0, temporary);
  hmac (temporary, &one, 1, NULL, 0, first);
  hmac (temporary, first, KH_NOISE_HASH_BYTES, &two, 1, second);
  if (third != NULL)
    hmac (temporary, second, KH_NOISE_HASH_BYTES, &three, 1, third);
  sodium_memzero (temporary, sizeof temporary);
}

static void
mix_hash (KhNoise *self, const guint8 *data, gsize length)
{
  crypto_hash_sha256_state state;

  crypto_hash_sha256_init (&state);
  crypto_hash_sha256_update (&state, self->hash, sizeof self->hash);
  crypto_hash_sha256_update (&state, data, length);
  crypto_hash_sha256_final (&state, self->hash);
}

static void
mix_key (KhNoise *self, const guint8 *input, gsize length)
{
  hkdf (self->handshake.chaining_key, input, length, self->handshake.chaining_key, self->handshake.cipher.key, NULL);
  self->handshake.cipher.counter = 0;
}

static void
mix_key_and_hash (KhNoise *self, const guint8 *input, gsize length)
{
  guint8 for_hash[KH_NOISE_HASH_BYTES];

  hkdf (self->handshake.chaining_key, input, length, self->handshake.chaining_key, for_hash,
        self->handshake.cipher.key);
  mix_hash (self, for_hash, sizeof for_hash);
  self->handshake.cipher.counter = 0;
  sodium_memzero (for_hash, sizeof for_hash);
}

static void
split (KhNoise *self)
{
  Cipher *first = self->initiator ? &self->sending : &self->receiving;
  Cipher *second = self->initiator ? &self->receiving : &self->sending;

  hkdf (self->handshake.chaining_key, NULL, 0, first->key, second->key, NULL);
  sodium_memzero (&self->handshake, sizeof self->handshake);
  self->stage = STAGE_OPEN;
}

static gboolean
fail (KhNoise *self, GError **error, const char *reason)
{
  sodium_memzero (&self->handshake, sizeof self->handshake);
  sodium_memzero (&self->sending, sizeof self->sending);
  sodium_memzero (&self->receiving, sizeof self->receiving);
  self->stage = STAGE_FAILED;
  g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, reason);

  return FALSE;
}

static void
choose_ephemeral (KhNoise *self)
{
  if (self->handshake.has_ephemeral)
    return;

  randombytes_buf (self->handshake.secret, DH_BYTES);
  crypto_scalarmult_curve25519_base (self->handshake.public, self->handshake.secret);
  self->handshake.has_ephemeral = TRUE;
}

/* Low-order points give an all-zero secret, which anybody could know; libsodium says so. */
static gboolean
agree (KhNoise *self, const guint8 *their_public)
{
  gboolean good;

  choose_ephemeral (self);
  good = crypto_scalarmult_curve25519 (self->handshake.shared, self->handshake.secret, their_public) == 0;
  sodium_memzero (self->handshake.secret, DH_BYTES);

  return good;
}

static void
mix_shared (KhNoise *self)
{
  mix_key (self, self->handshake.shared, DH_BYTES);
  sodium_memzero (self->handshake.shared, DH_BYTES);
}

static void
write_handshake (KhNoise *self, const guint8 *payload, gsize length, guint8 *message)
{
  guint8 *sealed = message + DH_BYTES;

  choose_ephemeral (self);
  memcpy (message, self->handshake.public, DH_BYTES);
  mix_hash (self, message, DH_BYTES);
  mix_key (self, message, DH_BYTES);
  if (self->stage == STAGE_SECOND)
    mix_shared (self);

  cipher_seal (&self->handshake.cipher, self->hash, sizeof self->hash, payload, length, sealed);
  mix_hash (self, sealed, length + TAG_BYTES);

  if (self->stage == STAGE_SECOND)
    split (self);
  else
    self->stage = STAGE_SECOND;
}

/* The answering side agrees on the secret here already: a low-order key is then refused before its payload
 * reaches anybody. It does so after opening the payload, so that a stranger costs no more than a few hashes.
 */
static gboolean
read_handshake (KhNoise *self, const guint8 *message, gsize length, guint8 *payload, GError **error)
{
  static const char no_secret[] = "The other side's key is one that nobody should use.";
  const guint8 *sealed = message + DH_BYTES;
  gsize sealed_length = length - DH_BYTES;

  mix_hash (self, message, DH_BYTES);
  mix_key (self, message, DH_BYTES);
  if (self->stage == STAGE_SECOND)
    {
      if (!agree (self, message))
        return fail (self, error, no_secret);
      mix_shared (self);
    }

  if (!cipher_open (&self->handshake.cipher, self->hash, sizeof self->hash, sealed, sealed_length, payload))
    return fail (self, error, "The first message does not open: whoever sent it does not hold our key.");
  mix_hash (self, sealed, sealed_length);

  if (self->stage == STAGE_FIRST && !agree (self, message))
    return fail (self, error, no_secret);

  if (self->stage == STAGE_SECOND)
    split (self);
  else
    self->stage = STAGE_SECOND;

  return TRUE;
}

static gboolean
read_transport (KhNoise *self, const guint8 *message, gsize length, guint8 *payload, GError **error)
{
  if (!cipher_open (&self->receiving, NULL, 0, message, length, payload))
    return fail (self, error, "A message does not open: it was changed, left out or repeated on its way.");
  rekey_when_due (self, &self->receiving);

  return TRUE;
}

/**
 * kh_noise_new:
 * @initiator: whether this side writes the first message
 * @psk: (array fixed-size=32): the shared key; not kept
 * @prologue: (array length=prologue_length) (nullable): what both sides must agree on beside the key
 * @prologue_length: bytes in @prologue
 *
 * One side of a Noise_NNpsk0_25519_ChaChaPoly_SHA256 session (Noise Protocol Framework, revision 34). Pure:
 * it does no input or output and keeps no time. The messages in order: the initiator's first, the responder's
 * second, then transport messages either way, rekeyed in each direction after every 2²⁰ of them.
 *
 * Returns: (transfer full): the session, free with kh_noise_free()
 */
KhNoise *
kh_noise_new (gboolean initiator, const guint8 *psk, const guint8 *prologue, gsize prologue_length)
{
  KhNoise *self;

  g_return_val_if_fail (psk != NULL, NULL);
  g_return_val_if_fail (prologue != NULL || prologue_length == 0, NULL);

  /* It also picks the fast ciphers for this processor; harmless when done before. */
  if (sodium_init () < 0)
    g_error ("libsodium finds no source of randomness");

  self = g_new0 (KhNoise, 1);
  self->initiator = !!initiator;
  self->stage = STAGE_FIRST;
  self->rekey_interval = REKEY_INTERVAL;

  crypto_hash_sha256 (self->hash, (const guint8 *) PROTOCOL_NAME, strlen (PROTOCOL_NAME));
  memcpy (self->handshake.chaining_key, self->hash, sizeof self->hash);
  mix_hash (self, prologue, prologue_length);
  mix_key_and_hash (self, psk, KH_NOISE_PSK_BYTES);

  return self;
}

/**
 * kh_noise_free:
 * @self: (transfer full): a session
 *
 * Frees the session; its keys are wiped.
 */
void
kh_noise_free (KhNoise *self)
{
  g_return_if_fail (self != NULL);

  sodium_memzero (self, sizeof *self);
  g_free (self);
}

/* The secret key of the handshake (32 bytes) instead of a random one. */
void
kh_noise_set_ephemeral (KhNoise *self, const guint8 *secret)
{
  g_return_if_fail (self != NULL && self->stage == STAGE_FIRST && secret != NULL);

  memcpy (self->handshake.secret, secret, DH_BYTES);
  crypto_scalarmult_curve25519_base (self->handshake.public, secret);
  self->handshake.has_ephemeral = TRUE;
}

/* A public key of no secret (32 bytes), as a friend with a bad program may send it. */
void
kh_noise_set_public (KhNoise *self, const guint8 *public_key)
{
  g_return_if_fail (self != NULL && kh_noise_may_write (self) && public_key != NULL);

  memcpy (self->handshake.public, public_key, DH_BYTES);
  self->handshake.has_ephemeral = TRUE;
}

/* Transport messages in one direction between two rekeys instead of 2²⁰. */
void
kh_noise_set_rekey_interval (KhNoise *self, guint64 messages)
{
  g_return_if_fail (self != NULL && self->stage == STAGE_FIRST && messages > 0);

  self->rekey_interval = messages;
}

/**
 * kh_noise_is_open:
 * @self: a session
 *
 * Returns: whether both handshake messages went through and transport messages may follow
 */
gboolean
kh_noise_is_open (KhNoise *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  return self->stage == STAGE_OPEN;
}

/**
 * kh_noise_may_write:
 * @self: a session
 *
 * Returns: whether it is this side's turn: %FALSE where kh_noise_write() would be a mistake, and after a
 * failure
 */
gboolean
kh_noise_may_write (KhNoise *self)
{
  g_return_val_if_fail (self != NULL, FALSE);

  switch (self->stage)
    {
    case STAGE_FIRST:
      return self->initiator;
    case STAGE_SECOND:
      return !self->initiator;
    case STAGE_OPEN:
      return TRUE;
    case STAGE_FAILED:
    default:
      return FALSE;
    }
}

/* In the handshake exactly one side writes and the other reads. */
static gboolean
may_read (KhNoise *self)
{
  return self->stage == STAGE_OPEN || (self->stage != STAGE_FAILED && !kh_noise_may_write (self));
}

/**
 * kh_noise_get_overhead:
 * @self: a session
 *
 * Returns: by how many bytes the next message is longer than its payload
 */
gsize
kh_noise_get_overhead (KhNoise *self)
{
  g_return_val_if_fail (self != NULL, 0);

  return self->stage == STAGE_FIRST || self->stage == STAGE_SECOND ? DH_BYTES + TAG_BYTES : TAG_BYTES;
}

/**
 * kh_noise_get_handshake_hash:
 * @self: a session
 *
 * The value that names this session, the same on both sides and on no other session (Noise section 11.2).
 *
 * Returns: (array fixed-size=32) (nullable) (transfer none): the hash, or %NULL before the session is open
 */
const guint8 *
kh_noise_get_handshake_hash (KhNoise *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->stage == STAGE_OPEN ? self->hash : NULL;
}

/**
 * kh_noise_write_to:
 * @self: a session whose turn it is
 * @payload: (array length=length) (nullable): what to send
 * @length: bytes in @payload, may be 0
 * @message: where the message goes: @length + kh_noise_get_overhead() bytes; must not overlap @payload
 * @error: return location
 *
 * Like kh_noise_write(), into memory of the caller.
 *
 * Returns: whether @message was written
 */
gboolean
kh_noise_write_to (KhNoise *self, const guint8 *payload, gsize length, guint8 *message, GError **error)
{
  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (payload != NULL || length == 0, FALSE);
  g_return_val_if_fail (self->stage == STAGE_FAILED || kh_noise_may_write (self), FALSE);

  if (self->stage == STAGE_FAILED)
    return fail (self, error, "The session has failed before.");

  if (length > KH_NOISE_MAX_MESSAGE - kh_noise_get_overhead (self))
    {
      g_set_error_literal (error, KH_ERROR, KH_ERROR_TOO_LARGE, "The message is too long: send it in parts.");
      return FALSE;
    }

  if (self->stage != STAGE_OPEN)
    {
      write_handshake (self, payload, length, message);
    }
  else
    {
      cipher_seal (&self->sending, NULL, 0, payload, length, message);
      rekey_when_due (self, &self->sending);
    }

  return TRUE;
}

/**
 * kh_noise_write:
 * @self: a session whose turn it is
 * @payload: (array length=length) (nullable): what to send
 * @length: bytes in @payload, may be 0
 * @error: return location
 *
 * Makes the next message. To write when it is not this side's turn is a mistake of the program.
 *
 * Returns: (transfer full): the message, or %NULL with %KH_ERROR_TOO_LARGE (the session is as it was) or with
 *   %KH_ERROR_PROTOCOL (the session has failed before)
 */
GBytes *
kh_noise_write (KhNoise *self, const guint8 *payload, gsize length, GError **error)
{
  g_autofree guint8 *message = NULL;
  gsize message_length;

  g_return_val_if_fail (self != NULL, NULL);

  message_length = MIN (length, KH_NOISE_MAX_MESSAGE) + kh_noise_get_overhead (self);
  message = g_malloc (message_length);
  if (!kh_noise_write_to (self, payload, length, message, error))
    return NULL;

  return g_bytes_new_take (g_steal_pointer (&message), message_length);
}

/**
 * kh_noise_read:
 * @self: a session
 * @message: (array length=length): what came, from anybody
 * @length: bytes in @message
 * @error: return location
 *
 * Opens the next message. After a message that does not open, comes out of turn, or has an impossible length,
 * the session has failed for good and its keys are wiped.
 *
 * Returns: (transfer full): the payload, or %NULL with %KH_ERROR_PROTOCOL
 */
GBytes *
kh_noise_read (KhNoise *self, const guint8 *message, gsize length, GError **error)
{
  g_autofree guint8 *payload = NULL;
  gsize payload_length;
  gboolean good;

  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (message != NULL || length == 0, NULL);

  if (!may_read (self))
    {
      fail (self, error, "A message came that nobody should have sent now.");
      return NULL;
    }
  if (length < kh_noise_get_overhead (self) || length > KH_NOISE_MAX_MESSAGE)
    {
      fail (self, error, "A message came whose length cannot be right.");
      return NULL;
    }

  payload_length = length - kh_noise_get_overhead (self);
  payload = g_malloc (payload_length + 1);
  if (self->stage == STAGE_OPEN)
    good = read_transport (self, message, length, payload, error);
  else
    good = read_handshake (self, message, length, payload, error);

  return good ? g_bytes_new_take (g_steal_pointer (&payload), payload_length) : NULL;
}
