/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-hkdf.h"
#include "kh-test.h"

/* RFC 5869, appendix A.3: SHA-256 with neither salt nor info, 42 bytes. */
static void
test_rfc_5869 (void)
{
  g_autoptr (GBytes) key = kh_test_unhex ("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
  guint8 out[42];

  kh_hkdf (g_bytes_get_data (key, NULL), g_bytes_get_size (key), "", 0, out, sizeof out);

  kh_test_assert_hex (out, sizeof out,
                      "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hkdf/rfc-5869", test_rfc_5869);
  return g_test_run ();
}
