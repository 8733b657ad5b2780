/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-channel.h"

G_BEGIN_DECLS

typedef enum
{
  LINE_UNIX,
  LINE_TCP,
  LINE_PIPES,
} LineKind;

/* Who hears what a channel brings, and what shall happen then. */
typedef struct
{
  GPtrArray *frames;
  guint closed;
  GError *error;
  void (*on_frame) (KhChannel *channel, gpointer data);
  void (*on_closed) (KhChannel *channel, gpointer data);
  gpointer data;
} Ear;

extern const guint8 TEST_PSK[32];

void line_new          (LineKind kind, GIOStream **one, GIOStream **other);

Ear *ear_new           (void);
void ear_free          (Ear *ear);
void ear_listen        (Ear *ear, KhChannel *channel);
void ear_assert_frame  (Ear *ear, guint index, const char *text);

gboolean channel_say   (KhChannel *channel, const char *text);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Ear, ear_free)

void channel_pair_new  (LineKind kind, KhChannel **joiner, KhChannel **inviter);

G_END_DECLS
