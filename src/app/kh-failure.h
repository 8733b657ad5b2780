/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-error.h"
#include "kh-role.h"

G_BEGIN_DECLS

/**
 * KhFailure:
 * @title: what happened, in a few words
 * @sentence: what it means, and what to do next
 * @try_again: whether the same may be tried again, with the same code
 * @preferences: whether something in the preferences may be the cause
 *
 * An error as people read it, translated.
 */
typedef struct
{
  const char *title;
  const char *sentence;
  gboolean try_again;
  gboolean preferences;
} KhFailure;

KhFailure kh_failure_for_error (KhError code, KhRole role);

G_END_DECLS
