/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-body.h"
#include "kh-hkdf.h"
#include "kh-json.h"
#include "kh-test.h"
#include "kh-wormhole-private.h"

#include <string.h>

/* Four exchanges of the reference client with the reference server, played again with a wormhole of ours in the place
 * of each client. */

typedef struct
{
  const char *name;
  KhWormhole *wormhole;
  GHashTable *own_bodies;
  GString *theirs;
  GString *ours;
  GString *delivered;
  GString *events;
  GError *error;
  gboolean connected;
} Player;

typedef struct
{
  JsonObject *transcript;
  Player players[2];
  gint64 now;
  gboolean any_version;
} Play;

static const char *const event_names[] = { "code", "friend",    "verified", "message",
                                           "motd", "reconnect", "failed",   "closed" };

static void
player_init (Player *player, const char *name)
{
  player->name = name;
  player->own_bodies = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free);
  player->theirs = g_string_new (NULL);
  player->ours = g_string_new (NULL);
  player->delivered = g_string_new (NULL);
  player->events = g_string_new (NULL);
}

static void
player_clear (Player *player)
{
  kh_wormhole_free (player->wormhole);
  g_hash_table_unref (player->own_bodies);
  g_string_free (player->theirs, TRUE);
  g_string_free (player->ours, TRUE);
  g_string_free (player->delivered, TRUE);
  g_string_free (player->events, TRUE);
  g_clear_error (&player->error);
}

/* What matters of a message to the server. A ping is our own addition (5.5), sealed bodies differ by their nonce. */
static void
note (GString *notes, JsonObject *message)
{
  static const char *const members[] = { "appid", "side", "nameplate", "mailbox", "phase", "mood" };
  const char *type = kh_json_get_string (message, "type");
  const char *phase = kh_json_get_string (message, "phase");

  if (strcmp (type, "ping") == 0)
    return;

  g_string_append_printf (notes, "%s", type);
  for (gsize i = 0; i < G_N_ELEMENTS (members); i++)
    if (kh_json_get_string (message, members[i]) != NULL)
      g_string_append_printf (notes, " %s", kh_json_get_string (message, members[i]));
  if (g_strcmp0 (phase, "pake") == 0)
    g_string_append_printf (notes, " %s", kh_json_get_string (message, "body"));
  g_string_append_c (notes, '\n');
}

static void
collect (Player *player)
{
  JsonObject *message;
  KhWormholeEvent *event;

  while ((message = kh_wormhole_pop_message (player->wormhole)) != NULL)
    {
      g_assert_cmpuint (strlen (kh_json_get_string (message, "id")), ==, 4);
      if (strcmp (kh_json_get_string (message, "type"), "add") == 0)
        g_hash_table_insert (player->own_bodies, g_strdup (kh_json_get_string (message, "phase")),
                             g_strdup (kh_json_get_string (message, "body")));
      note (player->ours, message);
      json_object_unref (message);
    }

  while ((event = kh_wormhole_pop_event (player->wormhole)) != NULL)
    {
      g_string_append_printf (player->events, "%s ", event_names[event->kind]);
      if (event->kind == KH_WORMHOLE_MESSAGE)
        g_string_append_len (player->delivered, g_bytes_get_data (event->message, NULL),
                             g_bytes_get_size (event->message));
      if (event->kind == KH_WORMHOLE_FAILED)
        player->error = g_steal_pointer (&event->error);
      kh_wormhole_event_free (event);
    }
}

/* What the client sends first, from event @at on, of a type and a phase. */
static JsonObject *
find_sent (Play *play, Player *player, guint at, const char *type, const char *phase)
{
  JsonArray *events = json_object_get_array_member (play->transcript, "events");

  for (guint i = at; i < json_array_get_length (events); i++)
    {
      JsonObject *event = json_array_get_object_element (events, i);
      JsonObject *message = kh_json_get_object (event, "json");

      if (message != NULL && strcmp (kh_json_get_string (event, "client"), player->name) == 0 &&
          strcmp (kh_json_get_string (event, "dir"), "C->S") == 0 &&
          strcmp (kh_json_get_string (message, "type"), type) == 0 &&
          g_strcmp0 (kh_json_get_string (message, "phase"), phase) == 0)
        return message;
    }

  return NULL;
}

static guint8 *
get_scalar (Play *play, JsonObject *pake)
{
  JsonObject *scalars = json_object_get_object_member (play->transcript, "scalar_by_message");
  g_autoptr (GBytes) message = kh_body_decode_pake (kh_json_get_string (pake, "body"), NULL);
  g_autofree char *hex = kh_test_hex (g_bytes_get_data (message, NULL), g_bytes_get_size (message));
  g_autoptr (GBytes) scalar = kh_test_unhex (json_object_get_string_member (scalars, hex));

  return g_memdup2 (g_bytes_get_data (scalar, NULL), g_bytes_get_size (scalar));
}

/* Gives our wormhole the role, code, side and scalar of the client it stands for. */
static void
cast_player (Play *play, Player *player, guint at)
{
  gboolean inviter = find_sent (play, player, at, "allocate", NULL) != NULL;
  JsonObject *bind = find_sent (play, player, at, "bind", NULL);
  const char *code = json_object_get_string_member (play->transcript, "code");

  if (!inviter && json_object_has_member (play->transcript, "code_b"))
    code = json_object_get_string_member (play->transcript, "code_b");

  player->wormhole = inviter ? kh_wormhole_new_inviter ("server", 3, 3600 * KH_WORMHOLE_SECOND, play->now)
                             : kh_wormhole_new_joiner ("server", code, play->now);
  if (inviter)
    player->wormhole->fixed_code = g_strdup (code);
  g_strlcpy (player->wormhole->side, kh_json_get_string (bind, "side"), sizeof player->wormhole->side);
  player->wormhole->fixed_scalar = get_scalar (play, find_sent (play, player, at, "add", "pake"));
  player->wormhole->any_version = play->any_version;
}

static void
play_connection (Play *play, Player *player, const char *what, guint at)
{
  if (strcmp (what, "websocket open") == 0)
    {
      if (player->wormhole == NULL)
        cast_player (play, player, at);
      kh_wormhole_connected (player->wormhole, play->now);
      player->connected = TRUE;
      g_string_append (player->theirs, "connection\n");
      g_string_append (player->ours, "connection\n");
    }
  else if (g_str_has_prefix (what, "websocket closed") && player->connected)
    {
      player->connected = FALSE;
      kh_wormhole_disconnected (player->wormhole, play->now);
    }
}

/* Their application said something or ended: ours does the same. */
static void
play_application (Play *play, Player *player, JsonObject *message)
{
  const char *type = kh_json_get_string (message, "type");
  const char *phase = kh_json_get_string (message, "phase");

  note (player->theirs, message);

  if (strcmp (type, "add") == 0 && strcmp (phase, "0") == 0 && g_hash_table_lookup (player->own_bodies, "0") == NULL)
    {
      g_autoptr (GBytes) plaintext = NULL;

      g_assert_true (player->wormhole->has_key);
      plaintext = kh_body_open (player->wormhole->key, player->wormhole->side, phase,
                                kh_json_get_string (message, "body"), NULL);
      g_assert_nonnull (plaintext);
      g_assert_true (kh_wormhole_send (player->wormhole, plaintext));
    }
  else if (strcmp (type, "release") == 0 || strcmp (type, "close") == 0)
    {
      const char *mood = kh_json_get_string (message, "mood");

      if (!player->wormhole->release_wanted || (mood != NULL && strcmp (mood, "scary") != 0))
        kh_wormhole_close (player->wormhole, play->now);
    }
}

/* An echo comes with the body that we sent, as theirs had another nonce. */
static void
play_server (Play *play, Player *player, JsonObject *message)
{
  const char *phase = kh_json_get_string (message, "phase");
  g_autoptr (JsonObject) own = NULL;

  if (g_strcmp0 (kh_json_get_string (message, "side"), player->wormhole->side) == 0 &&
      g_hash_table_lookup (player->own_bodies, phase) != NULL)
    {
      own = kh_json_build ("type:s side:s phase:s body:s", "message", player->wormhole->side, phase,
                           g_hash_table_lookup (player->own_bodies, phase));
      message = own;
    }

  if (player->connected)
    kh_wormhole_receive (player->wormhole, message, play->now);
}

static void
play_through (Play *play, const char *name)
{
  g_autoptr (JsonObject) vectors = kh_test_load_json ("data/wormhole/vectors.json");
  JsonArray *events;

  play->transcript =
      json_object_ref (json_object_get_object_member (json_object_get_object_member (vectors, "transcripts"), name));
  player_init (&play->players[0], "A");
  player_init (&play->players[1], "B");

  events = json_object_get_array_member (play->transcript, "events");
  for (guint i = 0; i < json_array_get_length (events); i++)
    {
      JsonObject *event = json_array_get_object_element (events, i);
      Player *player = &play->players[strcmp (kh_json_get_string (event, "client"), "A") == 0 ? 0 : 1];
      const char *direction = kh_json_get_string (event, "dir");

      play->now += 1000;
      if (strcmp (direction, "--") == 0)
        play_connection (play, player, kh_json_get_string (event, "event"), i);
      else if (strcmp (direction, "C->S") == 0)
        play_application (play, player, json_object_get_object_member (event, "json"));
      else
        play_server (play, player, json_object_get_object_member (event, "json"));
      if (player->wormhole != NULL)
        collect (player);
    }

  for (guint i = 0; i < 2; i++)
    g_assert_cmpstr (play->players[i].ours->str, ==, play->players[i].theirs->str);
}

static void
play_end (Play *play)
{
  player_clear (&play->players[0]);
  player_clear (&play->players[1]);
  json_object_unref (play->transcript);
}

static void
check_key (Play *play)
{
  for (guint i = 0; i < 2; i++)
    {
      guint8 verifier[32];

      g_assert_true (kh_wormhole_derive (play->players[i].wormhole, "wormhole:verifier", verifier, sizeof verifier));
      kh_test_assert_hex (verifier, sizeof verifier, json_object_get_string_member (play->transcript, "verifier"));
      kh_test_assert_hex (play->players[i].wormhole->key, 32, json_object_get_string_member (play->transcript, "key"));
    }
}

static void
test_happy (void)
{
  Play play = { 0 };

  play_through (&play, "happy");
  check_key (&play);
  g_assert_cmpstr (play.players[0].events->str, ==, "code friend verified message closed ");
  g_assert_cmpstr (play.players[1].events->str, ==, "friend verified message closed ");
  g_assert_cmpstr (play.players[0].delivered->str, ==, "hello from B");
  g_assert_cmpstr (play.players[1].delivered->str, ==, "hello from A");
  play_end (&play);
}

static void
test_wrong_code (void)
{
  Play play = { 0 };

  play_through (&play, "wrong_code");
  g_assert_cmpstr (play.players[0].events->str, ==, "code friend failed closed ");
  g_assert_cmpstr (play.players[1].events->str, ==, "friend failed closed ");
  g_assert_error (play.players[0].error, KH_ERROR, KH_ERROR_BAD_CODE);
  g_assert_cmpstr (play.players[0].error->message, ==,
                   "Someone tried this code and got it wrong. It may have been a typing error by your friend, or "
                   "somebody guessing. The code is now void. Make a new one.");
  g_assert_error (play.players[1].error, KH_ERROR, KH_ERROR_BAD_CODE);
  g_assert_cmpstr (play.players[1].error->message, ==,
                   "The code does not match. Check it with your friend; they need to make a new one.");
  play_end (&play);
}

static void
test_reconnect (void)
{
  /* These two clients were no Knotholes. */
  Play play = { .any_version = TRUE };

  play_through (&play, "reconnect");
  check_key (&play);
  g_assert_cmpstr (play.players[0].events->str, ==, "code friend verified message closed ");
  g_assert_cmpstr (play.players[1].events->str, ==, "friend verified closed ");
  g_assert_cmpuint (play.players[0].delivered->len, >, 0);
  play_end (&play);
}

static void
test_lonely (void)
{
  Play play = { 0 };

  play_through (&play, "lonely");
  g_assert_cmpstr (play.players[0].events->str, ==, "code closed ");
  play_end (&play);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wormhole/transcript/happy", test_happy);
  g_test_add_func ("/wormhole/transcript/wrong-code", test_wrong_code);
  g_test_add_func ("/wormhole/transcript/reconnect", test_reconnect);
  g_test_add_func ("/wormhole/transcript/lonely", test_lonely);
  return g_test_run ();
}
