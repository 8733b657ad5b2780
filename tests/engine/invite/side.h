/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-error.h"
#include "kh-rendezvous.h"

/* One of two friends, and all that its rendezvous said so far. */

typedef struct
{
  KhTrace *trace;
  KhRendezvous *rendezvous;
  gboolean code_ready;
  gboolean friend_arrived;
  gboolean verified;
  GString *delivered;
  GError *error;
  GAsyncResult *closed;
} Side;

void  side_start_inviter (Side *side, const char *url, guint life_seconds);
void  side_start_joiner  (Side *side, const char *url, const char *code);
void  side_send          (Side *side, const char *text);
guint side_count_events  (Side *side, const char *kind);
void  side_assert_failed (Side *side, KhError code, const char *sentence);
void  side_close         (Side *side);
void  side_clear         (Side *side);
