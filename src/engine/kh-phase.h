/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib-object.h>

G_BEGIN_DECLS

/**
 * KhPhase:
 * @KH_PHASE_STARTING: reaching the meeting server
 * @KH_PHASE_INVITING: the code is live, the friend may come
 * @KH_PHASE_MEETING: both are at the meeting server, proving that they have the same code
 * @KH_PHASE_LOOKING: finding out about both networks and telling one another
 * @KH_PHASE_REACHING: dialling
 * @KH_PHASE_CONNECTED: there is a path, the friends can talk
 * @KH_PHASE_RESUMING: the path broke, another one is sought
 * @KH_PHASE_ENDED: ended well
 * @KH_PHASE_FAILED: ended, kh_session_get_error() tells why
 */
typedef enum
{
  KH_PHASE_STARTING,
  KH_PHASE_INVITING,
  KH_PHASE_MEETING,
  KH_PHASE_LOOKING,
  KH_PHASE_REACHING,
  KH_PHASE_CONNECTED,
  KH_PHASE_RESUMING,
  KH_PHASE_ENDED,
  KH_PHASE_FAILED,
} KhPhase;

#define KH_TYPE_PHASE (kh_phase_get_type ())
GType       kh_phase_get_type (void);
const char *kh_phase_name     (KhPhase phase);
gboolean    kh_phase_is_over  (KhPhase phase);

G_END_DECLS
