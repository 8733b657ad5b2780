/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-findings.h"

G_BEGIN_DECLS

/**
 * KhCheckState:
 * @KH_CHECK_STATE_NONE: nothing has been checked
 * @KH_CHECK_STATE_RUNNING: a check runs
 * @KH_CHECK_STATE_DONE: it is over
 * @KH_CHECK_STATE_STOPPED: it was stopped before its end
 * @KH_CHECK_STATE_NO_SERVER: no server answered
 * @KH_CHECK_STATE_OFFLINE: no server answered, and there is no network either
 */
typedef enum
{
  KH_CHECK_STATE_NONE,
  KH_CHECK_STATE_RUNNING,
  KH_CHECK_STATE_DONE,
  KH_CHECK_STATE_STOPPED,
  KH_CHECK_STATE_NO_SERVER,
  KH_CHECK_STATE_OFFLINE,
} KhCheckState;

/**
 * KhCheckResult:
 * @state: how far the check is
 * @findings: what it has found by now
 * @inside: (nullable): the address that a server was asked from
 * @outside: (nullable): as that server saw it
 * @servers: (array zero-terminated=1) (nullable): who is asked
 * @began: (nullable): when
 *
 * All that there is to show of a network check. It owns nothing, and is good until the check goes on.
 */
typedef struct
{
  KhCheckState state;
  KhFindings findings;
  GInetSocketAddress *inside;
  GInetSocketAddress *outside;
  const char *const *servers;
  GDateTime *began;
} KhCheckResult;

void        kh_check_result_init (KhCheckResult *self);
const char *kh_check_state_name  (KhCheckState   state);

G_END_DECLS
