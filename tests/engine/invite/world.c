/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "world.h"

#include "kh-body.h"
#include "kh-json.h"

static const char *const event_names[] = { "code", "friend",    "verified", "message",
                                           "motd", "reconnect", "failed",   "closed" };

void
end_init (End *end, KhWormhole *wormhole)
{
  memset (end, 0, sizeof *end);
  end->wormhole = wormhole;
  end->said = g_string_new (NULL);
  end->events = g_string_new (NULL);
  end->delivered = g_string_new (NULL);
}

void
end_clear (End *end)
{
  kh_wormhole_free (end->wormhole);
  g_string_free (end->said, TRUE);
  g_string_free (end->events, TRUE);
  g_string_free (end->delivered, TRUE);
  g_free (end->text);
  g_clear_error (&end->error);
}

static void
note_event (World *world, End *end, KhWormholeEvent *event)
{
  g_string_append_printf (end->events, "%s ", event_names[event->kind]);

  switch (event->kind)
    {
    case KH_WORMHOLE_MESSAGE:
      g_string_append_len (end->delivered, g_bytes_get_data (event->message, NULL), g_bytes_get_size (event->message));
      break;
    case KH_WORMHOLE_MOTD:
      end->text = g_steal_pointer (&event->text);
      break;
    case KH_WORMHOLE_FAILED:
      end->error = g_steal_pointer (&event->error);
      break;
    case KH_WORMHOLE_RECONNECT:
    case KH_WORMHOLE_CLOSED:
      if (end->client != NULL)
        fake_server_disconnect (world->server, end->client);
      end->client = NULL;
      break;
    case KH_WORMHOLE_CODE_READY:
    case KH_WORMHOLE_FRIEND_ARRIVED:
    case KH_WORMHOLE_VERIFIED:
      break;
    }
  kh_wormhole_event_free (event);
}

static void
note_said (End *end, JsonObject *message)
{
  const char *type = kh_json_get_string (message, "type");
  const char *phase = kh_json_get_string (message, "phase");

  g_string_append_printf (end->said, phase != NULL ? "%s:%s " : "%s ", type, phase);
}

/* One message each way; whether anything was to be done. */
gboolean
world_turn (World *world, End *end)
{
  KhWormholeEvent *event = kh_wormhole_pop_event (end->wormhole);
  JsonObject *message;

  if (event != NULL)
    {
      note_event (world, end, event);
      return TRUE;
    }

  message = kh_wormhole_pop_message (end->wormhole);
  if (message != NULL)
    {
      note_said (end, message);
      if (end->client != NULL)
        fake_server_take (world->server, end->client, message);
      else
        json_object_unref (message);
      return TRUE;
    }

  message = end->client != NULL ? fake_client_pop (end->client) : NULL;
  if (message == NULL)
    return FALSE;
  kh_wormhole_receive (end->wormhole, message, world->now);
  json_object_unref (message);
  return TRUE;
}

void
world_settle (World *world)
{
  gboolean busy = TRUE;

  while (busy)
    {
      busy = world_turn (world, &world->a);
      busy |= world->b.wormhole != NULL && world_turn (world, &world->b);
    }
}

void
world_connect (World *world, End *end)
{
  end->client = fake_server_connect (world->server);
  kh_wormhole_connected (end->wormhole, world->now);
}

/* What was on its way is lost. */
void
world_cut (World *world, End *end)
{
  fake_server_disconnect (world->server, end->client);
  end->client = NULL;
  kh_wormhole_disconnected (end->wormhole, world->now);
}

/* Lets time pass in the steps that the deadlines ask for. */
void
world_wait (World *world, guint seconds)
{
  gint64 until = world->now + seconds * KH_WORMHOLE_SECOND;

  for (;;)
    {
      gint64 next = kh_wormhole_get_deadline (world->a.wormhole);

      if (world->b.wormhole != NULL)
        next = MIN (next, kh_wormhole_get_deadline (world->b.wormhole));
      if (next > until)
        break;
      g_assert_cmpint (next, >, world->now);
      world->now = next;
      kh_wormhole_tick (world->a.wormhole, world->now);
      if (world->b.wormhole != NULL)
        kh_wormhole_tick (world->b.wormhole, world->now);
      world_settle (world);
    }
  world->now = until;
}

void
world_init (World *world)
{
  memset (world, 0, sizeof *world);
  world->server = fake_server_new ();
  world->now = 1000 * KH_WORMHOLE_SECOND;
}

void
world_start_inviter (World *world)
{
  end_init (&world->a, kh_wormhole_new_inviter ("example.org", 3, 3600 * KH_WORMHOLE_SECOND, world->now));
  world->a.wormhole->fixed_code = g_strdup (CODE);
  world_connect (world, &world->a);
  world_settle (world);
}

void
world_start_joiner (World *world, End *end, const char *code)
{
  end_init (end, kh_wormhole_new_joiner ("example.org", code, world->now));
  world_connect (world, end);
  world_settle (world);
}

void
world_start_both (World *world)
{
  world_init (world);
  world_start_inviter (world);
  world_start_joiner (world, &world->b, CODE);
}

void
world_clear (World *world)
{
  end_clear (&world->a);
  if (world->b.wormhole != NULL)
    end_clear (&world->b);
  fake_server_free (world->server);
}

void
end_send (End *end, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  g_assert_true (kh_wormhole_send (end->wormhole, bytes));
}

void
world_receive_text (World *world, End *end, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) message = kh_json_parse_object (text, strlen (text), &error);

  g_assert_no_error (error);
  kh_wormhole_receive (end->wormhole, message, world->now);
  world_settle (world);
}

/* A message of the mailbox, of any side. */
void
world_receive_message (World *world, End *end, const char *side, const char *phase, const char *body)
{
  g_autoptr (JsonObject) message = kh_json_build ("type:s side:s phase:s body:s", "message", side, phase, body);

  kh_wormhole_receive (end->wormhole, message, world->now);
  world_settle (world);
}

void
world_receive_sealed (World *world, End *end, const char *phase, const char *plaintext)
{
  g_autoptr (GBytes) bytes = g_bytes_new (plaintext, strlen (plaintext));
  g_autofree char *body = kh_body_seal (end->wormhole->key, end->wormhole->peer_side, phase, bytes);

  world_receive_message (world, end, end->wormhole->peer_side, phase, body);
}

const char *
world_get_mood (World *world, End *end)
{
  return fake_server_get_mood (world->server, end->wormhole->side);
}
