/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-check-result.h"

/**
 * kh_check_result_init:
 * @self: (out caller-allocates): of a check that has not begun
 */
void
kh_check_result_init (KhCheckResult *self)
{
  *self = (KhCheckResult){ KH_CHECK_STATE_NONE, .inside = NULL };
  kh_findings_init (&self->findings);
}

/**
 * kh_check_state_name:
 *
 * Returns: a word for programs
 */
const char *
kh_check_state_name (KhCheckState state)
{
  static const char *const names[] = { "none", "running", "done", "stopped", "no-server", "offline" };

  g_return_val_if_fail ((guint) state < G_N_ELEMENTS (names), "none");

  return names[state];
}
