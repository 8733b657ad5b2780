/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-spake2.h"

#include "kh-error.h"
#include "kh-hkdf.h"

#include <sodium.h>
#include <string.h>

#define ELEMENT_BYTES crypto_core_ed25519_BYTES
#define SIDE_SYMMETRIC 0x53
#define OKM_BYTES 48

/* Where the parts of the transcript begin (6.5, step 7). */
enum
{
  AT_PASSWORD = 0,
  AT_APPID = 32,
  AT_SMALLER = 64,
  AT_LARGER = 96,
  AT_SHARED = 128,
  TRANSCRIPT_BYTES = 160,
};

struct _KhSpake2
{
  gboolean finished;
  guint8 message[KH_SPAKE2_MESSAGE_BYTES];
  guint8 scalar[KH_SPAKE2_SCALAR_BYTES];
  guint8 blind[ELEMENT_BYTES];
  guint8 password_hash[crypto_hash_sha256_BYTES];
  guint8 appid_hash[crypto_hash_sha256_BYTES];
};

/* S, an element whose logarithm nobody knows. */
static const guint8 base_s[ELEMENT_BYTES] = {
  0x6f, 0x00, 0xda, 0xe8, 0x7c, 0x1b, 0xe1, 0xa7, 0x3b, 0x59, 0x22, 0xef, 0x43, 0x1c, 0xd8, 0xf5,
  0x78, 0x79, 0x56, 0x9c, 0x22, 0x2d, 0x22, 0xb1, 0xcd, 0x71, 0xe8, 0x54, 0x6a, 0xb8, 0xe6, 0xf1,
};

/* p = 2^255 - 19, little-endian. */
static const guint8 field_prime[ELEMENT_BYTES] = {
  0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
  0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f,
};

/* L - 1, little-endian. */
static const guint8 order_less_one[KH_SPAKE2_SCALAR_BYTES] = {
  0xec, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
  0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x10,
};

static const guint8 identity[ELEMENT_BYTES] = { 1 };

static gboolean
is_canonical (const guint8 *element)
{
  guint8 y[ELEMENT_BYTES];

  memcpy (y, element, sizeof y);
  y[ELEMENT_BYTES - 1] &= 0x7f;

  return sodium_compare (y, field_prime, sizeof y) < 0;
}

/* libsodium up to 1.0.20 takes points of order 2L for ones of order L (CVE-2025-69277). L - 1 is even, so for such
 * a point P the sum (L-1)P + P is the point of order 2, not the identity. */
static gboolean
has_prime_order (const guint8 *element)
{
  guint8 almost[ELEMENT_BYTES];
  guint8 sum[ELEMENT_BYTES];
  gboolean prime = crypto_scalarmult_ed25519_noclamp (almost, order_less_one, element) == 0 &&
                   crypto_core_ed25519_add (sum, almost, element) == 0 &&
                   sodium_memcmp (sum, identity, sizeof sum) == 0;

  sodium_memzero (almost, sizeof almost); /* of a secret element it is the negative */
  sodium_memzero (sum, sizeof sum);
  return prime;
}

/* Section 6.6, in its order. */
static gboolean
is_acceptable (const guint8 *element)
{
  return is_canonical (element) && crypto_core_ed25519_is_valid_point (element) == 1 && has_prime_order (element);
}

/* Section 6.3. The number is big-endian, libsodium's are little-endian. */
static void
password_to_scalar (const char *password, guint8 *scalar)
{
  guint8 okm[OKM_BYTES];
  guint8 wide[crypto_core_ed25519_NONREDUCEDSCALARBYTES] = { 0 };

  kh_hkdf ((const guint8 *) password, strlen (password), "SPAKE2 pw", strlen ("SPAKE2 pw"), okm, sizeof okm);
  for (guint i = 0; i < OKM_BYTES; i++)
    wide[i] = okm[OKM_BYTES - 1 - i];
  crypto_core_ed25519_scalar_reduce (scalar, wide);

  sodium_memzero (okm, sizeof okm);
  sodium_memzero (wide, sizeof wide);
}

/* Section 6.4. None of the calls can fail: the scalars are not zero but for a chance of 2^-252. */
static void
make_message (KhSpake2 *self, const char *password)
{
  guint8 w[KH_SPAKE2_SCALAR_BYTES];
  guint8 x_times_base[ELEMENT_BYTES];

  password_to_scalar (password, w);
  self->message[0] = SIDE_SYMMETRIC;
  if (crypto_scalarmult_ed25519_base_noclamp (x_times_base, self->scalar) != 0 ||
      crypto_scalarmult_ed25519_noclamp (self->blind, w, base_s) != 0 ||
      crypto_core_ed25519_add (self->message + 1, x_times_base, self->blind) != 0)
    g_error ("libsodium does not compute");

  sodium_memzero (w, sizeof w);
  sodium_memzero (x_times_base, sizeof x_times_base);
}

static void
hash_text (const char *text, guint8 *hash)
{
  crypto_hash_sha256 (hash, (const guint8 *) text, strlen (text));
}

/**
 * kh_spake2_new:
 * @code: the whole code, nameplate and hyphens included, in UTF-8
 * @appid: the application's name
 *
 * Starts a run with a random scalar. Both texts are brought to NFC.
 *
 * Returns: (transfer full): a new run
 */
KhSpake2 *
kh_spake2_new (const char *code, const char *appid)
{
  guint8 scalar[KH_SPAKE2_SCALAR_BYTES];
  KhSpake2 *self;

  if (sodium_init () < 0)
    g_error ("libsodium does not start");

  crypto_core_ed25519_scalar_random (scalar);
  self = kh_spake2_new_with_scalar (code, appid, scalar);
  sodium_memzero (scalar, sizeof scalar);

  return self;
}

/**
 * kh_spake2_new_with_scalar:
 * @code: the whole code
 * @appid: the application's name
 * @scalar: (array fixed-size=32): the secret scalar, little-endian, from 1 to L - 1
 *
 * For tests: a scalar must never be used twice.
 *
 * Returns: (transfer full): a new run
 */
KhSpake2 *
kh_spake2_new_with_scalar (const char *code, const char *appid, const guint8 *scalar)
{
  g_autofree char *password = NULL;
  g_autofree char *application = NULL;
  KhSpake2 *self;

  g_return_val_if_fail (code != NULL && g_utf8_validate (code, -1, NULL), NULL);
  g_return_val_if_fail (appid != NULL && g_utf8_validate (appid, -1, NULL), NULL);

  self = g_new0 (KhSpake2, 1);
  password = g_utf8_normalize (code, -1, G_NORMALIZE_NFC);
  application = g_utf8_normalize (appid, -1, G_NORMALIZE_NFC);

  memcpy (self->scalar, scalar, sizeof self->scalar);
  make_message (self, password);
  hash_text (password, self->password_hash);
  hash_text (application, self->appid_hash);
  sodium_memzero (password, strlen (password));

  return self;
}

/**
 * kh_spake2_get_message:
 *
 * Returns: (transfer none) (array fixed-size=33): what the friend has to get
 */
const guint8 *
kh_spake2_get_message (KhSpake2 *self)
{
  g_return_val_if_fail (self != NULL, NULL);

  return self->message;
}

static void
derive_key (KhSpake2 *self, const guint8 *theirs, const guint8 *shared, guint8 *key)
{
  const guint8 *ours = self->message + 1;
  gboolean ours_first = memcmp (ours, theirs, ELEMENT_BYTES) < 0;
  guint8 transcript[TRANSCRIPT_BYTES];

  memcpy (transcript + AT_PASSWORD, self->password_hash, 32);
  memcpy (transcript + AT_APPID, self->appid_hash, 32);
  memcpy (transcript + AT_SMALLER, ours_first ? ours : theirs, ELEMENT_BYTES);
  memcpy (transcript + AT_LARGER, ours_first ? theirs : ours, ELEMENT_BYTES);
  memcpy (transcript + AT_SHARED, shared, ELEMENT_BYTES);
  crypto_hash_sha256 (key, transcript, sizeof transcript);

  sodium_memzero (transcript, sizeof transcript);
}

/* Section 6.5, steps 1 to 6. */
static gboolean
compute_shared (KhSpake2 *self, const guint8 *message, gsize length, guint8 *shared)
{
  guint8 unblinded[ELEMENT_BYTES];
  gboolean computed;

  if (length != KH_SPAKE2_MESSAGE_BYTES || message[0] != SIDE_SYMMETRIC || !is_acceptable (message + 1) ||
      memcmp (message, self->message, KH_SPAKE2_MESSAGE_BYTES) == 0)
    return FALSE;

  computed = crypto_core_ed25519_sub (unblinded, message + 1, self->blind) == 0 && is_acceptable (unblinded) &&
             crypto_scalarmult_ed25519_noclamp (shared, self->scalar, unblinded) == 0;
  sodium_memzero (unblinded, sizeof unblinded);

  return computed;
}

static void
wipe (KhSpake2 *self)
{
  sodium_memzero (self->scalar, sizeof self->scalar);
  sodium_memzero (self->blind, sizeof self->blind);
  sodium_memzero (self->password_hash, sizeof self->password_hash);
}

/**
 * kh_spake2_finish:
 * @message: (array length=length): what the friend sent
 * @length: bytes in @message
 * @key: (out caller-allocates) (array fixed-size=32): where the session key goes; untouched on failure
 * @error: return location
 *
 * Ends the run (PROTOCOL section 6.5), whatever comes of it, and wipes its secrets: a second try with the same scalar
 * would give an attacker a second guess. Success does not prove the friend; a body that opens does.
 *
 * Returns: whether there is a key, else %FALSE with %KH_ERROR_PROTOCOL
 */
gboolean
kh_spake2_finish (KhSpake2 *self, const guint8 *message, gsize length, guint8 *key, GError **error)
{
  guint8 shared[ELEMENT_BYTES];
  gboolean accepted;

  g_return_val_if_fail (self != NULL, FALSE);
  g_return_val_if_fail (key != NULL, FALSE);

  accepted = !self->finished && compute_shared (self, message, length, shared);
  if (accepted)
    derive_key (self, message + 1, shared, key);
  else
    g_set_error_literal (error, KH_ERROR, KH_ERROR_PROTOCOL, "a key exchange message we refuse");

  self->finished = TRUE;
  wipe (self);
  sodium_memzero (shared, sizeof shared);

  return accepted;
}

void
kh_spake2_free (KhSpake2 *self)
{
  if (self == NULL)
    return;

  wipe (self);
  g_free (self);
}
