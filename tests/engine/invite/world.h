/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "fake-server.h"
#include "kh-wormhole-private.h"

#include <string.h>

/* Two wormholes, a meeting server and a clock, all of them in the test's hands. */

#define CODE "3-crossover-clockwork-crossover"

typedef struct
{
  KhWormhole *wormhole;
  FakeClient *client;
  GString *said;
  GString *events;
  GString *delivered;
  char *text;
  GError *error;
} End;

typedef struct
{
  FakeServer *server;
  gint64 now;
  End a;
  End b;
} World;

#define assert_failed(end, expected, sentence)                     \
  G_STMT_START                                                     \
  {                                                                \
    g_assert_error ((end)->error, KH_ERROR, (int) (expected));     \
    g_assert_nonnull (strstr ((end)->error->message, (sentence))); \
  }                                                                \
  G_STMT_END

void        end_init              (End *end, KhWormhole *wormhole);
void        end_clear             (End *end);
gboolean    world_turn            (World *world, End *end);
void        world_settle          (World *world);
void        world_connect         (World *world, End *end);
void        world_cut             (World *world, End *end);
void        world_wait            (World *world, guint seconds);
void        world_init            (World *world);
void        world_start_inviter   (World *world);
void        world_start_joiner    (World *world, End *end, const char *code);
void        world_start_both      (World *world);
void        world_clear           (World *world);
void        end_send              (End *end, const char *text);
void        world_receive_text    (World *world, End *end, const char *text);
void        world_receive_message (World *world, End *end, const char *side, const char *phase, const char *body);
void        world_receive_sealed  (World *world, End *end, const char *phase, const char *plaintext);
const char *world_get_mood        (World *world, End *end);
