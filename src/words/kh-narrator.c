/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-narrator.h"

#include "kh-json.h"
#include "kh-sentences.h"

#include <string.h>

/**
 * KhNarrator:
 *
 * Tells a person what happens in one session, event by event, without repeating itself. It knows no window and no
 * terminal.
 */
struct _KhNarrator
{
  char *outside;        /* what was last told of the mapping */
  gboolean stun_failed; /* that has been told */
};

/**
 * kh_narrator_new:
 *
 * Returns: (transfer full): a narrator that has told nothing yet
 */
KhNarrator *
kh_narrator_new (void)
{
  return g_new0 (KhNarrator, 1);
}

static gboolean
is_new_outside (KhNarrator *self, const char *outside)
{
  if (outside == NULL || g_strcmp0 (outside, self->outside) == 0)
    return FALSE;

  g_free (self->outside);
  self->outside = g_strdup (outside);
  return TRUE;
}

static gboolean
is_first_stun_failure (KhNarrator *self)
{
  gboolean first = !self->stun_failed;

  self->stun_failed = TRUE;
  return first;
}

/* Several servers say the same of the mapping, and say it again; and several may be out of reach. Once is enough for a
 * person; all of it is in the report. */
static gboolean
is_news (KhNarrator *self, KhEvent *event)
{
  const char *kind = kh_event_get_kind (event);

  if (strcmp (kind, "mapping.found") == 0)
    return is_new_outside (self, kh_json_get_string (kh_event_get_members (event), "outside"));
  if (strcmp (kind, "stun.failed") == 0)
    return is_first_stun_failure (self);
  return TRUE;
}

/**
 * kh_narrator_tell:
 * @event: the next event of the session
 *
 * Returns: (transfer full) (nullable): it in words, in the user's language as far as it is translated, one line that
 *   is safe to show; %NULL when it is no news for a person
 */
char *
kh_narrator_tell (KhNarrator *self, KhEvent *event)
{
  g_return_val_if_fail (self != NULL, NULL);
  g_return_val_if_fail (KH_IS_EVENT (event), NULL);

  return is_news (self, event) ? kh_sentence_for_event (event) : NULL;
}

void
kh_narrator_free (KhNarrator *self)
{
  g_free (self->outside);
  g_free (self);
}
