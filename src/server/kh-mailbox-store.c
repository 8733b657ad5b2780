/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-mailbox-store.h"

#include <sodium.h>
#include <string.h>

/* Nameplates and mailboxes, in memory.
 *
 * A nameplate points to a mailbox that was made for it, and never outlives it. Both know at most two sides,
 * for good: a third is refused and leaves no trace, so that a stranger who tries a number cannot lock the two
 * inside out.
 *
 * Whoever makes something here answers for it with a share: nobody alone can fill the store. A mailbox and a
 * nameplate count for who made them, a message for who added it, until they go.
 *
 * Keys join the application and the name, with the former's length in front: no pair of names makes another's
 * key. */

/* What a stored message costs beside its text, about. */
#define MESSAGE_OVERHEAD_BYTES 256

typedef struct
{
  char *name;
  gboolean active; /* claims the nameplate, or has the mailbox open */
} Side;

typedef struct
{
  Side side[KH_MAILBOX_MAX_SIDES];
  guint count;
} Sides;

/* What one owner has in the store. */
typedef struct
{
  guint nameplates;
  guint mailboxes;
  gsize bytes;
} Share;

typedef struct
{
  char *key;
  char *owner;
  char *appid;
  const char *name; /* within the key */
  KhMailbox *mailbox;
  Sides sides;
} Nameplate;

struct _KhMailbox
{
  char *key;
  char *owner;
  const char *id; /* within the key */
  Nameplate *nameplate;
  Sides sides;
  GPtrArray *messages;
  gsize bytes;
  GArray *subscribers;
  gint64 updated;
};

struct _KhMailboxStore
{
  KhMailboxLimits limits;
  GHashTable *nameplates;
  GHashTable *mailboxes;
  GHashTable *shares; /* owner → Share, of those who have something here */
  gsize bytes;
};

static char *
make_key (const char *appid, const char *name)
{
  return g_strdup_printf ("%zu:%s:%s", strlen (appid), appid, name);
}

/* Returns whether the owner's share allows it; if so, give_back() is owed. */
static gboolean
borrow (KhMailboxStore *self, char *owner, Share more)
{
  const KhMailboxLimits *limits = &self->limits;
  Share *share;
  Share sum;

  if (owner == NULL)
    return TRUE;

  share = g_hash_table_lookup (self->shares, owner);
  sum = share != NULL ? *share : (Share){ 0 };
  sum.nameplates += more.nameplates;
  sum.mailboxes += more.mailboxes;
  sum.bytes += more.bytes;
  if (sum.nameplates > limits->max_nameplates_per_owner || sum.mailboxes > limits->max_mailboxes_per_owner ||
      sum.bytes > limits->max_bytes_per_owner)
    return FALSE;

  if (share == NULL)
    {
      share = g_new (Share, 1);
      g_hash_table_insert (self->shares, g_ref_string_acquire (owner), share);
    }
  *share = sum;
  return TRUE;
}

static void
give_back (KhMailboxStore *self, const char *owner, Share less)
{
  Share *share;

  if (owner == NULL)
    return;

  share = g_hash_table_lookup (self->shares, owner);
  share->nameplates -= less.nameplates;
  share->mailboxes -= less.mailboxes;
  share->bytes -= less.bytes;
  if (share->nameplates == 0 && share->mailboxes == 0 && share->bytes == 0)
    g_hash_table_remove (self->shares, owner);
}

static char *
copy_owner (char *owner)
{
  return owner != NULL ? g_ref_string_acquire (owner) : NULL;
}

static Side *
find_side (Sides *sides, const char *name)
{
  for (guint i = 0; i < sides->count; i++)
    if (g_str_equal (sides->side[i].name, name))
      return &sides->side[i];

  return NULL;
}

static gboolean
has_room_for (Sides *sides, const char *name)
{
  return sides->count < KH_MAILBOX_MAX_SIDES || find_side (sides, name) != NULL;
}

/* A side that is known keeps its state: a mailbox that was closed and is opened again counts as closed, as it
 * does for the original server. */
static void
enter_side (Sides *sides, const char *name)
{
  if (find_side (sides, name) != NULL)
    return;

  g_assert (sides->count < KH_MAILBOX_MAX_SIDES);
  sides->side[sides->count++] = (Side){ g_strdup (name), TRUE };
}

/* Returns whether this was the last active side. */
static gboolean
leave_side (Sides *sides, const char *name)
{
  Side *side = find_side (sides, name);

  if (side == NULL)
    return FALSE;

  side->active = FALSE;
  for (guint i = 0; i < sides->count; i++)
    if (sides->side[i].active)
      return FALSE;

  return TRUE;
}

static void
clear_sides (Sides *sides)
{
  while (sides->count > 0)
    g_free (sides->side[--sides->count].name);
}

void
kh_mailbox_message_free (KhMailboxMessage *message)
{
  g_free (message->side);
  g_clear_pointer (&message->owner, g_ref_string_release);
  g_free (message->phase);
  g_free (message->body);
  g_clear_pointer (&message->id, json_node_unref);
  g_free (message);
}

static void
nameplate_free (gpointer data)
{
  Nameplate *self = data;

  clear_sides (&self->sides);
  g_clear_pointer (&self->owner, g_ref_string_release);
  g_free (self->appid);
  g_free (self->key);
  g_free (self);
}

static void
mailbox_free (gpointer data)
{
  KhMailbox *self = data;

  clear_sides (&self->sides);
  g_ptr_array_unref (self->messages);
  g_array_unref (self->subscribers);
  g_clear_pointer (&self->owner, g_ref_string_release);
  g_free (self->key);
  g_free (self);
}

/**
 * kh_mailbox_store_new:
 * @limits: copied
 *
 * Returns: (transfer full): an empty store
 */
KhMailboxStore *
kh_mailbox_store_new (const KhMailboxLimits *limits)
{
  KhMailboxStore *self = g_new0 (KhMailboxStore, 1);

  self->limits = *limits;
  self->nameplates = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, nameplate_free);
  self->mailboxes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, mailbox_free);
  self->shares = g_hash_table_new_full (g_str_hash, g_str_equal, (GDestroyNotify) g_ref_string_release, g_free);

  return self;
}

void
kh_mailbox_store_free (KhMailboxStore *self)
{
  g_hash_table_unref (self->nameplates);
  g_hash_table_unref (self->mailboxes);
  g_hash_table_unref (self->shares);
  g_free (self);
}

static void
remove_nameplate (KhMailboxStore *self, Nameplate *nameplate)
{
  nameplate->mailbox->nameplate = NULL;
  give_back (self, nameplate->owner, (Share){ .nameplates = 1 });
  g_hash_table_remove (self->nameplates, nameplate->key);
}

static gsize
message_cost (const KhMailboxMessage *message)
{
  return MESSAGE_OVERHEAD_BYTES + message->bytes;
}

static void
forget_mailbox (KhMailboxStore *self, KhMailbox *mailbox)
{
  if (mailbox->nameplate != NULL)
    remove_nameplate (self, mailbox->nameplate);
  for (guint i = 0; i < mailbox->messages->len; i++)
    {
      const KhMailboxMessage *message = g_ptr_array_index (mailbox->messages, i);

      give_back (self, message->owner, (Share){ .bytes = message_cost (message) });
    }
  give_back (self, mailbox->owner, (Share){ .mailboxes = 1 });
  self->bytes -= mailbox->bytes;
}

static KhMailboxResult
create_mailbox (KhMailboxStore *self, const KhMailboxParty *party, const char *id, KhMailbox **created)
{
  KhMailbox *mailbox;

  if (g_hash_table_size (self->mailboxes) >= self->limits.max_mailboxes)
    return KH_MAILBOX_FULL;
  if (!borrow (self, party->owner, (Share){ .mailboxes = 1 }))
    return KH_MAILBOX_OWNER_FULL;

  mailbox = g_new0 (KhMailbox, 1);
  mailbox->key = make_key (party->appid, id);
  mailbox->owner = copy_owner (party->owner);
  mailbox->id = mailbox->key + strlen (mailbox->key) - strlen (id);
  mailbox->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) kh_mailbox_message_free);
  mailbox->subscribers = g_array_new (FALSE, FALSE, sizeof (guint64));
  g_hash_table_insert (self->mailboxes, mailbox->key, mailbox);

  *created = mailbox;
  return KH_MAILBOX_OK;
}

/* 64 random bits in base32, as clients know them: nobody guesses a mailbox. */
static void
make_mailbox_id (char id[14])
{
  static const char alphabet[] = "abcdefghijklmnopqrstuvwxyz234567";
  guint64 random;

  randombytes_buf (&random, sizeof random);
  for (int i = 0; i < 13; i++, random >>= 5)
    id[i] = alphabet[random & 31];
  id[13] = '\0';
}

static Nameplate *
find_nameplate (KhMailboxStore *self, const char *appid, const char *name)
{
  g_autofree char *key = make_key (appid, name);

  return g_hash_table_lookup (self->nameplates, key);
}

static Nameplate *
insert_nameplate (KhMailboxStore *self, const KhMailboxParty *party, const char *name, KhMailbox *mailbox)
{
  Nameplate *nameplate = g_new0 (Nameplate, 1);

  nameplate->key = make_key (party->appid, name);
  nameplate->name = nameplate->key + strlen (nameplate->key) - strlen (name);
  nameplate->owner = copy_owner (party->owner);
  nameplate->appid = g_strdup (party->appid);
  nameplate->mailbox = mailbox;
  mailbox->nameplate = nameplate;
  g_hash_table_insert (self->nameplates, nameplate->key, nameplate);

  return nameplate;
}

static KhMailboxResult
create_nameplate (KhMailboxStore *self, const KhMailboxParty *party, const char *name, Nameplate **created)
{
  KhMailboxResult result;
  KhMailbox *mailbox;
  char id[14];

  if (g_hash_table_size (self->nameplates) >= self->limits.max_nameplates)
    return KH_MAILBOX_FULL;
  if (!borrow (self, party->owner, (Share){ .nameplates = 1 }))
    return KH_MAILBOX_OWNER_FULL;

  make_mailbox_id (id);
  result = create_mailbox (self, party, id, &mailbox);
  if (result == KH_MAILBOX_OK)
    *created = insert_nameplate (self, party, name, mailbox);
  else
    give_back (self, party->owner, (Share){ .nameplates = 1 });
  return result;
}

/**
 * kh_mailbox_store_claim:
 * @self: a store
 * @party: who claims it, and opens its mailbox with that
 * @nameplate: a nameplate's name; made, with a mailbox, if it is free
 * @now: monotonic time in microseconds
 * @mailbox_id: (out) (transfer none): the mailbox's id, valid as long as the mailbox
 *
 * Claims a nameplate. Claiming again changes nothing, but after a release it is refused.
 *
 * Returns: %KH_MAILBOX_OK, or %KH_MAILBOX_CROWDED, %KH_MAILBOX_RECLAIMED, %KH_MAILBOX_FULL,
 * %KH_MAILBOX_OWNER_FULL
 */
KhMailboxResult
kh_mailbox_store_claim (KhMailboxStore *self, const KhMailboxParty *party, const char *nameplate, gint64 now,
                        const char **mailbox_id)
{
  Nameplate *found = find_nameplate (self, party->appid, nameplate);
  KhMailboxResult result = KH_MAILBOX_OK;
  Side *known;

  if (found == NULL)
    result = create_nameplate (self, party, nameplate, &found);
  if (result != KH_MAILBOX_OK)
    return result;

  known = find_side (&found->sides, party->side);
  if (known != NULL && !known->active)
    return KH_MAILBOX_RECLAIMED;
  if (!has_room_for (&found->sides, party->side) || !has_room_for (&found->mailbox->sides, party->side))
    return KH_MAILBOX_CROWDED;

  enter_side (&found->sides, party->side);
  enter_side (&found->mailbox->sides, party->side);
  found->mailbox->updated = now;
  *mailbox_id = found->mailbox->id;
  return KH_MAILBOX_OK;
}

/* Names the @index-th number within [@low, @high] that is free, or counts the free ones and returns %NULL. */
static char *
nth_free (KhMailboxStore *self, const char *appid, int low, int high, guint index, guint *count)
{
  *count = 0;
  for (int number = low; number <= high; number++)
    {
      g_autofree char *name = g_strdup_printf ("%d", number);

      if (find_nameplate (self, appid, name) == NULL && (*count)++ == index)
        return g_steal_pointer (&name);
    }

  return NULL;
}

static char *
choose_nameplate (KhMailboxStore *self, const char *appid)
{
  guint count;

  for (int low = 1; low < 1000; low *= 10)
    {
      nth_free (self, appid, low, low * 10 - 1, G_MAXUINT, &count);
      if (count > 0)
        return nth_free (self, appid, low, low * 10 - 1, randombytes_uniform (count), &count);
    }

  for (int tries = 0; tries < 1000; tries++)
    {
      g_autofree char *name = g_strdup_printf ("%u", 1000 + randombytes_uniform (999000));

      if (find_nameplate (self, appid, name) == NULL)
        return g_steal_pointer (&name);
    }

  return NULL;
}

/**
 * kh_mailbox_store_allocate:
 * @self: a store
 * @party: who claims the nameplate
 * @now: monotonic time in microseconds
 * @nameplate: (out): the nameplate's name
 *
 * Claims a free nameplate: any of 1 to 9, if none is left of 10 to 99, then of 100 to 999, then a longer one.
 *
 * Returns: %KH_MAILBOX_OK, %KH_MAILBOX_FULL or %KH_MAILBOX_OWNER_FULL
 */
KhMailboxResult
kh_mailbox_store_allocate (KhMailboxStore *self, const KhMailboxParty *party, gint64 now, char **nameplate)
{
  g_autofree char *name = choose_nameplate (self, party->appid);
  const char *mailbox_id;
  KhMailboxResult result;

  if (name == NULL)
    return KH_MAILBOX_FULL;

  result = kh_mailbox_store_claim (self, party, name, now, &mailbox_id);
  if (result == KH_MAILBOX_OK)
    *nameplate = g_steal_pointer (&name);
  return result;
}

/**
 * kh_mailbox_store_release:
 *
 * Takes back a side's claim. The nameplate goes when nobody claims it any more; the mailbox stays. Releasing
 * what one does not claim changes nothing.
 */
void
kh_mailbox_store_release (KhMailboxStore *self, const KhMailboxParty *party, const char *nameplate)
{
  Nameplate *found = find_nameplate (self, party->appid, nameplate);

  if (found != NULL && leave_side (&found->sides, party->side))
    remove_nameplate (self, found);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(const char *const *) a, *(const char *const *) b);
}

/**
 * kh_mailbox_store_list:
 *
 * Returns: (transfer full) (element-type utf8): the application's nameplates, sorted as texts; none unless
 *   the limits allow it
 */
GPtrArray *
kh_mailbox_store_list (KhMailboxStore *self, const char *appid)
{
  GPtrArray *names = g_ptr_array_new_with_free_func (g_free);
  GHashTableIter iter;
  Nameplate *nameplate;

  if (!self->limits.allow_list)
    return names;

  g_hash_table_iter_init (&iter, self->nameplates);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &nameplate))
    if (g_str_equal (nameplate->appid, appid))
      g_ptr_array_add (names, g_strdup (nameplate->name));
  g_ptr_array_sort (names, compare_names);

  return names;
}

/**
 * kh_mailbox_store_open:
 * @self: a store
 * @party: who opens it
 * @mailbox_id: any id; the mailbox is made if there is none
 * @now: monotonic time in microseconds
 * @mailbox: (out) (transfer none): the mailbox
 *
 * Opens a mailbox. Opening again is allowed, also after closing.
 *
 * Returns: %KH_MAILBOX_OK, %KH_MAILBOX_CROWDED, %KH_MAILBOX_FULL or %KH_MAILBOX_OWNER_FULL
 */
KhMailboxResult
kh_mailbox_store_open (KhMailboxStore *self, const KhMailboxParty *party, const char *mailbox_id, gint64 now,
                       KhMailbox **mailbox)
{
  g_autofree char *key = make_key (party->appid, mailbox_id);
  KhMailbox *found = g_hash_table_lookup (self->mailboxes, key);
  KhMailboxResult result = KH_MAILBOX_OK;

  if (found == NULL)
    result = create_mailbox (self, party, mailbox_id, &found);
  if (result != KH_MAILBOX_OK)
    return result;
  if (!has_room_for (&found->sides, party->side))
    return KH_MAILBOX_CROWDED;

  enter_side (&found->sides, party->side);
  found->updated = now;
  *mailbox = found;
  return KH_MAILBOX_OK;
}

/**
 * kh_mailbox_leave:
 * @self: a mailbox
 * @side: who closes it
 *
 * Closes a mailbox for one side.
 *
 * Returns: whether all its sides have closed it now: then it is to be removed
 */
gboolean
kh_mailbox_leave (KhMailbox *self, const char *side)
{
  return leave_side (&self->sides, side);
}

/**
 * kh_mailbox_store_remove:
 * @self: a store
 * @mailbox: (transfer none): a mailbox; gone after this
 *
 * Removes a mailbox with its messages, and its nameplate even where it is still claimed.
 */
void
kh_mailbox_store_remove (KhMailboxStore *self, KhMailbox *mailbox)
{
  forget_mailbox (self, mailbox);
  g_hash_table_remove (self->mailboxes, mailbox->key);
}

/**
 * kh_mailbox_store_add:
 * @self: a store
 * @mailbox: a mailbox
 * @message: (transfer full): a message; freed when it is not stored
 * @now: monotonic time in microseconds
 *
 * Returns: %KH_MAILBOX_OK, %KH_MAILBOX_FULL when this mailbox or the store has no room for it, or
 *   %KH_MAILBOX_OWNER_FULL
 */
KhMailboxResult
kh_mailbox_store_add (KhMailboxStore *self, KhMailbox *mailbox, KhMailboxMessage *message, gint64 now)
{
  gsize bytes = message_cost (message);
  KhMailboxResult result = KH_MAILBOX_OK;

  if (mailbox->messages->len >= self->limits.max_messages || mailbox->bytes + bytes > self->limits.max_mailbox_bytes ||
      self->bytes + bytes > self->limits.max_total_bytes)
    result = KH_MAILBOX_FULL;
  else if (!borrow (self, message->owner, (Share){ .bytes = bytes }))
    result = KH_MAILBOX_OWNER_FULL;
  if (result != KH_MAILBOX_OK)
    {
      kh_mailbox_message_free (message);
      return result;
    }

  mailbox->bytes += bytes;
  self->bytes += bytes;
  mailbox->updated = now;
  g_ptr_array_add (mailbox->messages, message);
  return KH_MAILBOX_OK;
}

/**
 * kh_mailbox_store_prune:
 * @self: a store
 * @now: monotonic time in microseconds
 *
 * Removes the mailboxes that nobody has subscribed to or touched for `expire_seconds`, with their nameplates.
 * Meant to be called every few minutes: a subscription counts as activity at the time of this call.
 *
 * Returns: how many mailboxes are gone
 */
guint
kh_mailbox_store_prune (KhMailboxStore *self, gint64 now)
{
  gint64 oldest = now - (gint64) self->limits.expire_seconds * G_USEC_PER_SEC;
  GHashTableIter iter;
  KhMailbox *mailbox;
  guint count = 0;

  g_hash_table_iter_init (&iter, self->mailboxes);
  while (g_hash_table_iter_next (&iter, NULL, (gpointer *) &mailbox))
    {
      if (mailbox->subscribers->len > 0)
        mailbox->updated = now;
      if (mailbox->updated > oldest)
        continue;

      forget_mailbox (self, mailbox);
      g_hash_table_iter_remove (&iter);
      count++;
    }

  return count;
}

/**
 * kh_mailbox_store_count:
 * @self: a store
 * @nameplates: (out): how many nameplates there are
 * @bytes: (out): memory for their messages
 *
 * Returns: how many mailboxes there are
 */
guint
kh_mailbox_store_count (KhMailboxStore *self, guint *nameplates, gsize *bytes)
{
  *nameplates = g_hash_table_size (self->nameplates);
  *bytes = self->bytes;
  return g_hash_table_size (self->mailboxes);
}

/**
 * kh_mailbox_get_messages:
 *
 * Returns: (transfer none) (element-type KhMailboxMessage): what was added, oldest first
 */
GPtrArray *
kh_mailbox_get_messages (KhMailbox *self)
{
  return self->messages;
}

/**
 * kh_mailbox_get_subscribers:
 *
 * Returns: (transfer none) (element-type guint64): the connections that have it open, in the order they came
 */
GArray *
kh_mailbox_get_subscribers (KhMailbox *self)
{
  return self->subscribers;
}

void
kh_mailbox_subscribe (KhMailbox *self, guint64 connection)
{
  g_array_append_val (self->subscribers, connection);
}

void
kh_mailbox_unsubscribe (KhMailbox *self, guint64 connection)
{
  for (guint i = 0; i < self->subscribers->len; i++)
    if (g_array_index (self->subscribers, guint64, i) == connection)
      {
        g_array_remove_index (self->subscribers, i);
        return;
      }
}
