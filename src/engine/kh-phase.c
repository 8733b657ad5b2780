/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-phase.h"

G_DEFINE_ENUM_TYPE (KhPhase, kh_phase, G_DEFINE_ENUM_VALUE (KH_PHASE_STARTING, "starting"),
                    G_DEFINE_ENUM_VALUE (KH_PHASE_INVITING, "inviting"),
                    G_DEFINE_ENUM_VALUE (KH_PHASE_MEETING, "meeting"),
                    G_DEFINE_ENUM_VALUE (KH_PHASE_LOOKING, "looking"),
                    G_DEFINE_ENUM_VALUE (KH_PHASE_REACHING, "reaching"),
                    G_DEFINE_ENUM_VALUE (KH_PHASE_CONNECTED, "connected"),
                    G_DEFINE_ENUM_VALUE (KH_PHASE_RESUMING, "resuming"), G_DEFINE_ENUM_VALUE (KH_PHASE_ENDED, "ended"),
                    G_DEFINE_ENUM_VALUE (KH_PHASE_FAILED, "failed"))

/**
 * kh_phase_name:
 *
 * Returns: (transfer none): the phase's name in `session.phase`
 */
const char *
kh_phase_name (KhPhase phase)
{
  g_autoptr (GEnumClass) klass = g_type_class_ref (KH_TYPE_PHASE);

  return g_enum_get_value (klass, phase)->value_nick;
}

/**
 * kh_phase_is_over:
 *
 * Returns: whether nothing comes after it
 */
gboolean
kh_phase_is_over (KhPhase phase)
{
  return phase == KH_PHASE_ENDED || phase == KH_PHASE_FAILED;
}
