/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-error.h"

G_DEFINE_QUARK (kh - error - quark, kh_error)

/**
 * kh_error_code_name:
 * @code: an error code
 *
 * The code's name in the public interface, as `session.failed` carries it.
 *
 * Returns: (transfer none): a static string such as "no-path"
 */
const char *
kh_error_code_name (KhError code)
{
  static const char *const names[] = {
    [KH_ERROR_NO_PATH] = "no-path", [KH_ERROR_BAD_CODE] = "bad-code",
    [KH_ERROR_CROWDED] = "crowded", [KH_ERROR_NOBODY_THERE] = "nobody-there",
    [KH_ERROR_EXPIRED] = "expired", [KH_ERROR_SERVER_UNREACHABLE] = "server-unreachable",
    [KH_ERROR_LOST] = "lost",       [KH_ERROR_PROTOCOL] = "protocol",
    [KH_ERROR_PORT] = "port",       [KH_ERROR_TOO_LARGE] = "too-large",
  };

  g_return_val_if_fail ((gsize) code < G_N_ELEMENTS (names), "protocol");

  return names[code];
}
