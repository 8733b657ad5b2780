/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-hkdf.h"

#include <sodium.h>
#include <string.h>

#define HASH_BYTES crypto_auth_hmacsha256_BYTES

/**
 * kh_hkdf:
 * @key: (array length=key_length): input keying material
 * @key_length: bytes in @key
 * @info: (array length=info_length) (element-type guint8): what the output is for
 * @info_length: bytes in @info
 * @out: (array length=out_length): where the output goes
 * @out_length: bytes wanted, at most 255 × 32
 *
 * HKDF with SHA-256 and no salt (RFC 5869). libsodium 1.0.18 has the HMAC but not the HKDF.
 */
void
kh_hkdf (const guint8 *key, gsize key_length, const void *info, gsize info_length, guint8 *out, gsize out_length)
{
  static const guint8 no_salt[HASH_BYTES] = { 0 };
  crypto_auth_hmacsha256_state state;
  guint8 prk[HASH_BYTES];
  guint8 block[HASH_BYTES];
  gsize done = 0;

  g_return_if_fail (out_length <= 255 * HASH_BYTES);

  crypto_auth_hmacsha256_init (&state, no_salt, sizeof no_salt);
  crypto_auth_hmacsha256_update (&state, key, key_length);
  crypto_auth_hmacsha256_final (&state, prk);

  for (guint8 n = 1; done < out_length; n++)
    {
      gsize take = MIN (sizeof block, out_length - done);

      crypto_auth_hmacsha256_init (&state, prk, sizeof prk);
      if (n > 1)
        crypto_auth_hmacsha256_update (&state, block, sizeof block);
      crypto_auth_hmacsha256_update (&state, info, info_length);
      crypto_auth_hmacsha256_update (&state, &n, 1);
      crypto_auth_hmacsha256_final (&state, block);
      memcpy (out + done, block, take);
      done += take;
    }

  sodium_memzero (prk, sizeof prk);
  sodium_memzero (block, sizeof block);
  sodium_memzero (&state, sizeof state);
}
