/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-mailbox-core.h"
#include "kh-quota.h"

G_BEGIN_DECLS

/* What the core and its calls share, and nobody else sees. */

typedef struct
{
  guint64 id;
  KhMailboxParty party; /* its appid and side are set by bind, %NULL before */
  KhBucket rate;

  gboolean did_allocate;
  gboolean did_claim;
  gboolean did_release;
  gboolean did_close;
  char *nameplate;    /* of claim */
  char *mailbox_id;   /* of open */
  KhMailbox *mailbox; /* while it is open here */
} KhMailboxConnection;

struct _KhMailboxCore
{
  KhMailboxLimits limits;
  KhMailboxStore *store;
  GHashTable *connections;
  GPtrArray *output;
};

/* One message in work. */
typedef struct
{
  KhMailboxCore *core;
  KhMailboxConnection *connection;
  JsonObject *message;
  KhMailboxTime now;
} KhMailboxCall;

/* How a message was taken: an error's text goes to the client, DROP ends the connection without a word. */
typedef const char *KhMailboxOutcome;

#define KH_MAILBOX_DONE NULL
extern const char KH_MAILBOX_DROP[];

KhMailboxOutcome kh_mailbox_call_take        (KhMailboxCall *call);
void             kh_mailbox_call_answer      (KhMailboxCall *call, JsonObject *object);
void             kh_mailbox_core_put         (KhMailboxCore *self, guint64 connection, char *text);
void             kh_mailbox_core_drop        (KhMailboxCore *self, guint64 connection);
char            *kh_mailbox_core_finish_text (JsonObject *object, KhMailboxTime now);

G_END_DECLS
