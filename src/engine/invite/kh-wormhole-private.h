/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-error.h"
#include "kh-spake2.h"
#include "kh-wormhole.h"

G_BEGIN_DECLS

#define KH_WORMHOLE_SECOND G_GINT64_CONSTANT (1000000)

#define KH_WORMHOLE_HAPPY     "happy"
#define KH_WORMHOLE_LONELY    "lonely"
#define KH_WORMHOLE_SCARY     "scary"
#define KH_WORMHOLE_ERRORY    "errory"
#define KH_WORMHOLE_UNWELCOME "unwelcome"

typedef enum
{
  LINK_DOWN,
  LINK_UP,
  LINK_BOUND,
} KhWormholeLink;

/* A phase of ours that the server has not echoed yet. */
typedef struct
{
  char *phase;
  char *body;
  guint resets;
} KhWormholeItem;

/* What was said on the connection of now; a new one knows nothing of it. */
typedef struct
{
  gboolean allocating;
  gboolean claiming;
  gboolean opened;
  gboolean live;
  gboolean released;
  gboolean closed;
} KhWormholeHere;

struct _KhWormhole
{
  KhRole role;
  char *server;
  guint words;
  gint64 now;

  /* The code's run (PROTOCOL 5.1). */
  char side[11];
  char *code;
  char *nameplate;
  char *mailbox;
  KhSpake2 *spake2;
  char *pake_body;
  gboolean has_key;
  guint8 key[KH_SPAKE2_KEY_BYTES];
  gboolean verified;

  /* Ours, on the way to the friend. */
  GQueue outbox;
  GQueue waiting;
  guint next_out;

  /* The friend's. */
  char *peer_side;
  GQueue early;
  GHashTable *seen;
  GHashTable *held;
  guint next_in;

  /* The server. */
  KhWormholeLink link;
  KhWormholeHere here;
  gboolean ever_welcome;
  gboolean ever_live;
  gboolean claim_tried;
  gboolean release_wanted;
  gboolean released;
  gboolean mailbox_closed;
  char *your_address;
  char *motd;

  /* The end. */
  gboolean ending;
  gboolean ended;
  const char *mood;

  /* Deadlines; KH_WORMHOLE_NEVER when not running. */
  gint64 answer_by;
  gint64 life_until;
  gint64 away_since;
  gint64 friend_by;
  gint64 verified_by;
  gint64 drained_by;
  gint64 closed_by;

  GQueue messages;
  GQueue events;

  /* For tests. */
  char *fixed_code;
  guint8 *fixed_scalar;
  gboolean any_version;
};

/* kh-wormhole.c */
KhWormholeEvent *kh_wormhole_emit          (KhWormhole          *self,
                                            KhWormholeEventKind  kind);
void             kh_wormhole_fail          (KhWormhole          *self,
                                            const char          *mood,
                                            KhError              code,
                                            const char          *format,
                                            ...) G_GNUC_PRINTF (4, 5);
void             kh_wormhole_advance_end   (KhWormhole          *self);

/* kh-wormhole-server.c */
void             kh_wormhole_say           (KhWormhole          *self,
                                            JsonObject          *message);
void             kh_wormhole_add           (KhWormhole          *self,
                                            const char          *phase,
                                            const char          *body);
void             kh_wormhole_say_release   (KhWormhole          *self);
void             kh_wormhole_item_free     (KhWormholeItem      *item);

/* kh-wormhole-peer.c */
void             kh_wormhole_start_pake    (KhWormhole          *self);
void             kh_wormhole_take_message  (KhWormhole          *self,
                                            JsonObject          *message);
void             kh_wormhole_add_numbered  (KhWormhole          *self,
                                            GBytes              *plaintext);

G_END_DECLS
