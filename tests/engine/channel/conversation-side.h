/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "channel-pair.h"
#include "kh-conversation.h"
#include "kh-error.h"

G_BEGIN_DECLS

#define WAIT 5000

/* One side and all it told. */
typedef struct
{
  KhConversation *conversation;
  GPtrArray *texts;
  guint64 last_received;
  guint64 last_delivered;
  gint64 last_sent;
  guint friend_finished;
  guint ended;
  GError *error;
  void (*react) (gpointer side, const char *what);
} Side;

Side      *side_new          (void);
void       side_free         (Side *side);
guint64    say               (Side *side, const char *text);
void       assert_heard      (Side *side, guint index, const char *text);
void       assert_ends_well  (Side *side);
void       assert_ends_badly (Side *side, KhError code);
void       attach_pair       (LineKind kind, Side *one, Side *other);
KhChannel *attach_hand       (LineKind kind, Side *side, Ear *ear);
guint      count_frames      (Ear *ear, const char *type, gint64 *number);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Side, side_free)

G_END_DECLS
