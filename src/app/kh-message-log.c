/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-message-log.h"

#include <string.h>

/**
 * KhMessageLog:
 *
 * What was said, oldest first, in bounded room.
 */
struct _KhMessageLog
{
  GObject parent_instance;

  GListStore *store;
  GHashTable *unacked; /* id → KhMessage of ours that is on its way */
  gsize bytes;
  guint dropped;
};

G_DEFINE_FINAL_TYPE (KhMessageLog, kh_message_log, G_TYPE_OBJECT)

static void
kh_message_log_finalize (GObject *object)
{
  KhMessageLog *self = KH_MESSAGE_LOG (object);

  g_clear_object (&self->store);
  g_clear_pointer (&self->unacked, g_hash_table_unref);

  G_OBJECT_CLASS (kh_message_log_parent_class)->finalize (object);
}

static void
kh_message_log_class_init (KhMessageLogClass *klass)
{
  G_OBJECT_CLASS (klass)->finalize = kh_message_log_finalize;
}

static void
kh_message_log_init (KhMessageLog *self)
{
  self->store = g_list_store_new (KH_TYPE_MESSAGE);
  self->unacked = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, g_object_unref);
}

KhMessageLog *
kh_message_log_new (void)
{
  return g_object_new (KH_TYPE_MESSAGE_LOG, NULL);
}

/**
 * kh_message_log_get_model:
 *
 * Returns: (transfer none): the messages
 */
GListModel *
kh_message_log_get_model (KhMessageLog *self)
{
  g_return_val_if_fail (KH_IS_MESSAGE_LOG (self), NULL);

  return G_LIST_MODEL (self->store);
}

static guint
count (KhMessageLog *self)
{
  return g_list_model_get_n_items (G_LIST_MODEL (self->store));
}

static void
drop_oldest (KhMessageLog *self)
{
  g_autoptr (KhMessage) oldest = g_list_model_get_item (G_LIST_MODEL (self->store), 0);

  self->bytes -= strlen (kh_message_get_text (oldest));
  self->dropped++;
  g_list_store_remove (self->store, 0);
}

/**
 * kh_message_log_add:
 * @message: the newest message
 *
 * Adds a message. When there is no room the oldest give way.
 */
void
kh_message_log_add (KhMessageLog *self, KhMessage *message)
{
  g_return_if_fail (KH_IS_MESSAGE_LOG (self) && KH_IS_MESSAGE (message));

  self->bytes += strlen (kh_message_get_text (message));
  g_list_store_append (self->store, message);
  if (kh_message_get_state (message) == KH_MESSAGE_SENT)
    {
      guint64 id = kh_message_get_id (message);

      g_hash_table_insert (self->unacked, g_memdup2 (&id, sizeof id), g_object_ref (message));
    }

  while (count (self) > 1 && (count (self) > KH_MESSAGE_LOG_MAX_MESSAGES || self->bytes > KH_MESSAGE_LOG_MAX_BYTES))
    drop_oldest (self);
}

/**
 * kh_message_log_deliver:
 * @id: a message of ours
 *
 * The friend's computer has it.
 */
void
kh_message_log_deliver (KhMessageLog *self, guint64 id)
{
  KhMessage *message;

  g_return_if_fail (KH_IS_MESSAGE_LOG (self));

  message = g_hash_table_lookup (self->unacked, &id);
  if (message == NULL)
    return;

  kh_message_set_state (message, KH_MESSAGE_DELIVERED);
  g_hash_table_remove (self->unacked, &id);
}

/**
 * kh_message_log_end:
 *
 * The conversation is over: what is on its way will not arrive.
 */
void
kh_message_log_end (KhMessageLog *self)
{
  GHashTableIter iter;
  gpointer message;

  g_return_if_fail (KH_IS_MESSAGE_LOG (self));

  g_hash_table_iter_init (&iter, self->unacked);
  while (g_hash_table_iter_next (&iter, NULL, &message))
    kh_message_set_state (message, KH_MESSAGE_UNDELIVERED);
  g_hash_table_remove_all (self->unacked);
}

/**
 * kh_message_log_get_dropped:
 *
 * Returns: how many of the oldest messages have given way
 */
guint
kh_message_log_get_dropped (KhMessageLog *self)
{
  g_return_val_if_fail (KH_IS_MESSAGE_LOG (self), 0);

  return self->dropped;
}
