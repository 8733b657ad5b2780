/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define KH_MAILBOX_MAX_SIDES 2

/**
 * KhMailboxLimits:
 * @max_nameplates: nameplates at once, over all applications
 * @max_mailboxes: mailboxes at once, over all applications
 * @max_messages: stored messages in one mailbox
 * @max_subscribers: connections that have one mailbox open at once
 * @max_message_bytes: bytes of a client's message
 * @max_relayed_bytes: bytes of an added message as the others get it
 * @max_mailbox_bytes: memory for the messages of one mailbox
 * @max_total_bytes: memory for the messages of all
 * @max_nameplates_per_owner: nameplates that one owner has made, and so
 * @max_mailboxes_per_owner: mailboxes, and
 * @max_bytes_per_owner: memory for the messages it has added, in whatever mailboxes
 * @max_name_bytes: bytes of a side, a phase, a mailbox's or a message's id
 * @message_burst: messages a connection may send at once, and
 * @messages_per_second: how many it may send again each second; a long one counts as several
 * @expire_seconds: how long a mailbox lives that nobody has open or touches
 * @allow_list: whether `list` tells the nameplates
 */
typedef struct
{
  guint max_nameplates;
  guint max_mailboxes;
  guint max_messages;
  guint max_subscribers;
  gsize max_message_bytes;
  gsize max_relayed_bytes;
  gsize max_mailbox_bytes;
  gsize max_total_bytes;
  guint max_nameplates_per_owner;
  guint max_mailboxes_per_owner;
  gsize max_bytes_per_owner;
  gsize max_name_bytes;
  guint message_burst;
  guint messages_per_second;
  guint expire_seconds;
  gboolean allow_list;
} KhMailboxLimits;

typedef enum
{
  KH_MAILBOX_OK,
  KH_MAILBOX_CROWDED,
  KH_MAILBOX_RECLAIMED,
  KH_MAILBOX_FULL,
  KH_MAILBOX_OWNER_FULL,
} KhMailboxResult;

/**
 * KhMailboxParty:
 * @side: whose turn it is, in the application @appid
 * @owner: (nullable): a #GRefString: who answers for what it makes here, usually an address; %NULL for one without
 *   limits of its own
 */
typedef struct
{
  char *appid;
  char *side;
  char *owner;
} KhMailboxParty;

/**
 * KhMailboxMessage:
 * @side: who sent it
 * @owner: (nullable): a #GRefString: whose share it takes
 * @id: (nullable): the sender's `id` for it
 * @received: when, in microseconds since 1970
 * @bytes: how long it is as the others get it, which is never less than what is kept here
 */
typedef struct
{
  char *side;
  char *owner;
  char *phase;
  char *body;
  JsonNode *id;
  gint64 received;
  gsize bytes;
} KhMailboxMessage;

typedef struct _KhMailbox KhMailbox;
typedef struct _KhMailboxStore KhMailboxStore;

KhMailboxStore *kh_mailbox_store_new       (const KhMailboxLimits *limits);
void            kh_mailbox_store_free      (KhMailboxStore *self);
KhMailboxResult kh_mailbox_store_allocate  (KhMailboxStore *self, const KhMailboxParty *party, gint64 now,
                                            char **nameplate);
KhMailboxResult kh_mailbox_store_claim     (KhMailboxStore *self, const KhMailboxParty *party, const char *nameplate,
                                            gint64 now, const char **mailbox_id);
void            kh_mailbox_store_release   (KhMailboxStore *self, const KhMailboxParty *party, const char *nameplate);
GPtrArray      *kh_mailbox_store_list      (KhMailboxStore *self, const char *appid);
KhMailboxResult kh_mailbox_store_open      (KhMailboxStore *self, const KhMailboxParty *party, const char *mailbox_id,
                                            gint64 now, KhMailbox **mailbox);
void            kh_mailbox_store_remove    (KhMailboxStore *self, KhMailbox *mailbox);
KhMailboxResult kh_mailbox_store_add       (KhMailboxStore *self, KhMailbox *mailbox, KhMailboxMessage *message,
                                            gint64 now);
guint           kh_mailbox_store_prune     (KhMailboxStore *self, gint64 now);
guint           kh_mailbox_store_count     (KhMailboxStore *self, guint *nameplates, gsize *bytes);

gboolean        kh_mailbox_leave           (KhMailbox *self, const char *side);
GPtrArray      *kh_mailbox_get_messages    (KhMailbox *self);
GArray         *kh_mailbox_get_subscribers (KhMailbox *self);
void            kh_mailbox_subscribe       (KhMailbox *self, guint64 connection);
void            kh_mailbox_unsubscribe     (KhMailbox *self, guint64 connection);

void kh_mailbox_message_free (KhMailboxMessage *message);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhMailboxStore, kh_mailbox_store_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhMailboxMessage, kh_mailbox_message_free)

G_END_DECLS
