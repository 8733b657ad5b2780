/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake-server.h"

#include "kh-json.h"

#include <glib.h>
#include <string.h>

typedef struct
{
  char *id;
  GPtrArray *sides;
  GPtrArray *messages;
} Mailbox;

struct _FakeClient
{
  char *side;
  Mailbox *open;
  GQueue out;
};

struct _FakeServer
{
  GPtrArray *clients;
  GHashTable *nameplates;
  GHashTable *mailboxes;
  GHashTable *moods;
  guint next;
};

static void
mailbox_free (Mailbox *mailbox)
{
  g_free (mailbox->id);
  g_ptr_array_unref (mailbox->sides);
  g_ptr_array_unref (mailbox->messages);
  g_free (mailbox);
}

static void
client_free (FakeClient *client)
{
  g_free (client->side);
  g_queue_clear_full (&client->out, (GDestroyNotify) json_object_unref);
  g_free (client);
}

FakeServer *
fake_server_new (void)
{
  FakeServer *self = g_new0 (FakeServer, 1);

  self->clients = g_ptr_array_new_with_free_func ((GDestroyNotify) client_free);
  self->nameplates = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->mailboxes = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) mailbox_free);
  self->moods = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  self->next = 3;

  return self;
}

void
fake_server_free (FakeServer *self)
{
  g_ptr_array_unref (self->clients);
  g_hash_table_unref (self->nameplates);
  g_hash_table_unref (self->mailboxes);
  g_hash_table_unref (self->moods);
  g_free (self);
}

static void
answer (FakeClient *client, JsonObject *message)
{
  g_queue_push_tail (&client->out, message);
}

FakeClient *
fake_server_connect (FakeServer *self)
{
  FakeClient *client = g_new0 (FakeClient, 1);

  g_ptr_array_add (self->clients, client);
  answer (client, kh_json_build ("type:s welcome:o", "welcome", json_object_new ()));

  return client;
}

void
fake_server_disconnect (FakeServer *self, FakeClient *client)
{
  g_ptr_array_remove (self->clients, client);
}

/* Forgets everything, as after 16 minutes of silence. */
void
fake_server_prune (FakeServer *self)
{
  for (guint i = 0; i < self->clients->len; i++)
    ((FakeClient *) self->clients->pdata[i])->open = NULL;
  g_hash_table_remove_all (self->nameplates);
  g_hash_table_remove_all (self->mailboxes);
}

const char *
fake_server_get_mood (FakeServer *self, const char *side)
{
  return g_hash_table_lookup (self->moods, side);
}

JsonObject *
fake_client_pop (FakeClient *client)
{
  return g_queue_pop_head (&client->out);
}

static void
refuse (FakeClient *client, const char *why, JsonObject *message)
{
  answer (client, kh_json_build ("type:s error:s orig:o", "error", why, json_object_ref (message)));
}

/* NULL when this is the third side. */
static Mailbox *
enter_mailbox (FakeServer *self, const char *id, const char *side)
{
  Mailbox *mailbox = g_hash_table_lookup (self->mailboxes, id);

  if (mailbox == NULL)
    {
      mailbox = g_new0 (Mailbox, 1);
      mailbox->id = g_strdup (id);
      mailbox->sides = g_ptr_array_new_with_free_func (g_free);
      mailbox->messages = g_ptr_array_new_with_free_func ((GDestroyNotify) json_object_unref);
      g_hash_table_insert (self->mailboxes, mailbox->id, mailbox);
    }
  if (!g_ptr_array_find_with_equal_func (mailbox->sides, side, g_str_equal, NULL))
    g_ptr_array_add (mailbox->sides, g_strdup (side));

  return mailbox->sides->len <= 2 ? mailbox : NULL;
}

static void
allocate (FakeServer *self, FakeClient *client)
{
  g_autofree char *nameplate = g_strdup_printf ("%u", self->next++);

  g_hash_table_insert (self->nameplates, g_strdup (nameplate), g_strdup_printf ("mailbox%s", nameplate));
  answer (client, kh_json_build ("type:s nameplate:s", "allocated", nameplate));
}

static void
claim (FakeServer *self, FakeClient *client, JsonObject *message)
{
  const char *nameplate = kh_json_get_string (message, "nameplate");
  const char *id = g_hash_table_lookup (self->nameplates, nameplate);

  if (id == NULL)
    {
      g_hash_table_insert (self->nameplates, g_strdup (nameplate), g_strdup_printf ("mailbox%s", nameplate));
      id = g_hash_table_lookup (self->nameplates, nameplate);
    }
  if (enter_mailbox (self, id, client->side) == NULL)
    refuse (client, "crowded", message);
  else
    answer (client, kh_json_build ("type:s mailbox:s", "claimed", id));
}

static void
open_mailbox (FakeServer *self, FakeClient *client, JsonObject *message)
{
  Mailbox *mailbox = enter_mailbox (self, kh_json_get_string (message, "mailbox"), client->side);

  if (mailbox == NULL)
    {
      refuse (client, "crowded", message);
      return;
    }

  client->open = mailbox;
  for (guint i = 0; i < mailbox->messages->len; i++)
    answer (client, json_object_ref (mailbox->messages->pdata[i]));
}

static void
add (FakeServer *self, FakeClient *client, JsonObject *message)
{
  JsonObject *stored;

  if (client->open == NULL)
    {
      refuse (client, "must open mailbox before adding", message);
      return;
    }

  stored = kh_json_build ("type:s side:s phase:s body:s", "message", client->side,
                          kh_json_get_string (message, "phase"), kh_json_get_string (message, "body"));
  g_ptr_array_add (client->open->messages, stored);
  for (guint i = 0; i < self->clients->len; i++)
    {
      FakeClient *other = self->clients->pdata[i];

      if (other->open == client->open)
        answer (other, json_object_ref (stored));
    }
}

static void
close_mailbox (FakeServer *self, FakeClient *client, JsonObject *message)
{
  client->open = NULL;
  g_hash_table_insert (self->moods, g_strdup (client->side), g_strdup (kh_json_get_string (message, "mood")));
  answer (client, kh_json_build ("type:s", "closed"));
}

static void
take_bound (FakeServer *self, FakeClient *client, const char *type, JsonObject *message)
{
  if (g_str_equal (type, "allocate"))
    allocate (self, client);
  else if (g_str_equal (type, "claim"))
    claim (self, client, message);
  else if (g_str_equal (type, "open"))
    open_mailbox (self, client, message);
  else if (g_str_equal (type, "add"))
    add (self, client, message);
  else if (g_str_equal (type, "close"))
    close_mailbox (self, client, message);
  else if (g_str_equal (type, "release"))
    answer (client, kh_json_build ("type:s", "released"));
  else
    refuse (client, "unknown type", message);
}

/* Takes @message over. */
void
fake_server_take (FakeServer *self, FakeClient *client, JsonObject *message)
{
  const char *type = kh_json_get_string (message, "type");

  g_assert_nonnull (type);
  g_assert_nonnull (kh_json_get_string (message, "id"));
  answer (client, kh_json_build ("type:s id:s", "ack", kh_json_get_string (message, "id")));

  if (g_str_equal (type, "ping"))
    answer (client, kh_json_build ("type:s pong:i", "pong", 1));
  else if (g_str_equal (type, "bind"))
    {
      g_assert_null (client->side);
      client->side = g_strdup (kh_json_get_string (message, "side"));
    }
  else if (client->side == NULL)
    refuse (client, "must bind first", message);
  else
    take_bound (self, client, type, message);

  json_object_unref (message);
}
