/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "fake-server.h"
#include "kh-body.h"
#include "kh-json.h"
#include "kh-test.h"
#include "kh-wormhole-private.h"

#include <string.h>

/* A wormhole's rules and limits, one by one, with a clock of the test's own. */

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

static const char *const event_names[] = { "code", "friend", "verified", "message", "motd", "reconnect", "failed",
                                           "closed" };

static void
end_init (End *end, KhWormhole *wormhole)
{
  memset (end, 0, sizeof *end);
  end->wormhole = wormhole;
  end->said = g_string_new (NULL);
  end->events = g_string_new (NULL);
  end->delivered = g_string_new (NULL);
}

static void
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
static gboolean
turn (World *world, End *end)
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

static void
settle (World *world)
{
  gboolean busy = TRUE;

  while (busy)
    {
      busy = turn (world, &world->a);
      busy |= world->b.wormhole != NULL && turn (world, &world->b);
    }
}

static void
connect_end (World *world, End *end)
{
  end->client = fake_server_connect (world->server);
  kh_wormhole_connected (end->wormhole, world->now);
}

/* What was on its way is lost. */
static void
cut (World *world, End *end)
{
  fake_server_disconnect (world->server, end->client);
  end->client = NULL;
  kh_wormhole_disconnected (end->wormhole, world->now);
}

/* Lets time pass in the steps that the deadlines ask for. */
static void
wait_seconds (World *world, guint seconds)
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
      settle (world);
    }
  world->now = until;
}

static void
world_init (World *world)
{
  memset (world, 0, sizeof *world);
  world->server = fake_server_new ();
  world->now = 1000 * KH_WORMHOLE_SECOND;
}

static void
start_inviter (World *world)
{
  end_init (&world->a, kh_wormhole_new_inviter ("example.org", 3, 3600 * KH_WORMHOLE_SECOND, world->now));
  world->a.wormhole->fixed_code = g_strdup (CODE);
  connect_end (world, &world->a);
  settle (world);
}

static void
start_joiner_as (World *world, End *end, const char *code)
{
  end_init (end, kh_wormhole_new_joiner ("example.org", code, world->now));
  connect_end (world, end);
  settle (world);
}

static void
start_both (World *world)
{
  world_init (world);
  start_inviter (world);
  start_joiner_as (world, &world->b, CODE);
}

static void
world_clear (World *world)
{
  end_clear (&world->a);
  if (world->b.wormhole != NULL)
    end_clear (&world->b);
  fake_server_free (world->server);
}

static void
send_text (End *end, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  g_assert_true (kh_wormhole_send (end->wormhole, bytes));
}

static void
receive_text (World *world, End *end, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (JsonObject) message = kh_json_parse_object (text, strlen (text), &error);

  g_assert_no_error (error);
  kh_wormhole_receive (end->wormhole, message, world->now);
  settle (world);
}

/* A message of the mailbox, of any side. */
static void
receive_message (World *world, End *end, const char *side, const char *phase, const char *body)
{
  g_autoptr (JsonObject) message =
      kh_json_build ("type:s side:s phase:s body:s", "message", side, phase, body);

  kh_wormhole_receive (end->wormhole, message, world->now);
  settle (world);
}

static void
receive_sealed (World *world, End *end, const char *phase, const char *plaintext)
{
  g_autoptr (GBytes) bytes = g_bytes_new (plaintext, strlen (plaintext));
  g_autofree char *body = kh_body_seal (end->wormhole->key, end->wormhole->peer_side, phase, bytes);

  receive_message (world, end, end->wormhole->peer_side, phase, body);
}

#define assert_failed(end, expected, sentence)                     \
  G_STMT_START                                                     \
  {                                                                \
    g_assert_error ((end)->error, KH_ERROR, (int) (expected));     \
    g_assert_nonnull (strstr ((end)->error->message, (sentence))); \
  }                                                                \
  G_STMT_END

static const char *
mood_of (World *world, End *end)
{
  return fake_server_get_mood (world->server, end->wormhole->side);
}

static void
test_meeting (void)
{
  World world;
  guint8 a_key[16];
  guint8 b_key[16];

  start_both (&world);
  g_assert_cmpstr (world.a.said->str, ==, "bind allocate claim open add:pake release add:version ");
  g_assert_cmpstr (world.b.said->str, ==, "bind claim open add:pake release add:version ");
  g_assert_cmpstr (world.a.events->str, ==, "code friend verified ");
  g_assert_cmpstr (world.b.events->str, ==, "friend verified ");
  g_assert_cmpstr (kh_wormhole_get_code (world.a.wormhole), ==, CODE);
  g_assert_true (kh_wormhole_derive (world.a.wormhole, "knothole channel v1", a_key, sizeof a_key));
  g_assert_true (kh_wormhole_derive (world.b.wormhole, "knothole channel v1", b_key, sizeof b_key));
  g_assert_cmpmem (a_key, sizeof a_key, b_key, sizeof b_key);

  send_text (&world.a, "one ");
  send_text (&world.a, "two");
  send_text (&world.b, "three");
  settle (&world);
  g_assert_cmpstr (world.b.delivered->str, ==, "one two");
  g_assert_cmpstr (world.a.delivered->str, ==, "three");

  kh_wormhole_close (world.a.wormhole, world.now);
  kh_wormhole_close (world.b.wormhole, world.now);
  settle (&world);
  g_assert_true (g_str_has_suffix (world.a.events->str, "closed "));
  g_assert_cmpstr (mood_of (&world, &world.a), ==, "happy");
  g_assert_cmpstr (mood_of (&world, &world.b), ==, "happy");
  g_assert_cmpint (kh_wormhole_get_deadline (world.a.wormhole), ==, KH_WORMHOLE_NEVER);
  world_clear (&world);
}

/* Only the joiner's first phase goes before the friend is verified. */
static void
test_first_phase (void)
{
  World world;

  world_init (&world);
  start_inviter (&world);
  send_text (&world.a, "offer of a");
  end_init (&world.b, kh_wormhole_new_joiner ("example.org", CODE, world.now));
  send_text (&world.b, "offer of b, ");
  send_text (&world.b, "more of b");
  connect_end (&world, &world.b);
  settle (&world);

  g_assert_cmpstr (world.b.said->str, ==, "bind claim open add:pake release add:version add:0 add:1 ");
  g_assert_nonnull (strstr (world.a.said->str, "add:version add:0 "));
  g_assert_cmpstr (world.a.delivered->str, ==, "offer of b, more of b");
  g_assert_cmpstr (world.b.delivered->str, ==, "offer of a");
  world_clear (&world);
}

static void
test_nothing_before_verified (void)
{
  World world;
  g_autofree char *body = NULL;
  g_autoptr (KhSpake2) stranger = kh_spake2_new (CODE, KH_WORMHOLE_APPID);

  world_init (&world);
  start_inviter (&world);
  send_text (&world.a, "secret");
  body = kh_body_encode_pake (kh_spake2_get_message (stranger), KH_SPAKE2_MESSAGE_BYTES);
  receive_message (&world, &world.a, "stranger", "pake", body);
  g_assert_true (g_str_has_suffix (world.a.said->str, "release add:version "));
  g_assert_cmpstr (world.a.events->str, ==, "code friend ");
  world_clear (&world);
}

static void
test_waits_for_welcome (void)
{
  World world;
  JsonObject *said;

  world_init (&world);
  end_init (&world.a, kh_wormhole_new_inviter ("example.org", 3, 3600 * KH_WORMHOLE_SECOND, world.now));
  kh_wormhole_connected (world.a.wormhole, world.now);
  said = kh_wormhole_pop_message (world.a.wormhole);
  g_assert_null (said);

  wait_seconds (&world, 9);
  g_assert_null (world.a.error);
  wait_seconds (&world, 1);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "example.org does not answer");
  g_assert_cmpstr (world.a.events->str, ==, "reconnect failed closed ");
  world_clear (&world);
}

static void
test_first_connection_fails (void)
{
  World world;

  world_init (&world);
  end_init (&world.a, kh_wormhole_new_joiner ("example.org", CODE, world.now));
  kh_wormhole_disconnected (world.a.wormhole, world.now);
  settle (&world);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "example.org cannot be reached");
  g_assert_cmpstr (world.a.events->str, ==, "failed closed ");
  world_clear (&world);
}

/* A server that welcomes us and then says nothing is left and tried again, but not for ever. */
static void
test_silent_server (void)
{
  World world;

  world_init (&world);
  end_init (&world.a, kh_wormhole_new_inviter ("example.org", 3, 3600 * KH_WORMHOLE_SECOND, world.now));
  kh_wormhole_connected (world.a.wormhole, world.now);
  receive_text (&world, &world.a, "{\"type\": \"welcome\", \"welcome\": {}}");
  wait_seconds (&world, 20);
  g_assert_cmpstr (world.a.events->str, ==, "reconnect ");
  wait_seconds (&world, 10);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "does not answer");
  world_clear (&world);
}

static void
test_welcome (void)
{
  static const struct
  {
    const char *welcome;
    const char *sentence;
  } cases[] = {
    { "{}", NULL },
    { "{\"permission-required\": null}", NULL },
    { "{\"permission-required\": {\"none\": {}, \"hashcash\": {}}}", NULL },
    { "{\"error\": 3, \"motd\": [], \"your-address\": 4, \"current_cli_version\": {}}", NULL },
    { "{\"permission-required\": {\"hashcash\": {\"bits\": 20}}}", "asks for something Knothole cannot give" },
    { "{\"permission-required\": []}", "asks for something Knothole cannot give" },
    { "{\"error\": \"go\\u001b[31m aw\\u202eay\\n\"}", "refuses: “go[31m away”" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;
      g_autofree char *text = g_strdup_printf ("{\"type\": \"welcome\", \"welcome\": %s}", cases[i].welcome);

      world_init (&world);
      end_init (&world.a, kh_wormhole_new_joiner ("example.org", CODE, world.now));
      kh_wormhole_connected (world.a.wormhole, world.now);
      receive_text (&world, &world.a, text);
      if (cases[i].sentence == NULL)
        g_assert_cmpstr (world.a.said->str, ==, "bind claim ");
      else
        {
          assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, cases[i].sentence);
          g_assert_cmpstr (world.a.said->str, ==, "");
          g_assert_cmpstr (world.a.events->str, ==, "failed closed ");
        }
      world_clear (&world);
    }
}

/* Refused when it comes back, an invite still closes its mailbox. */
static void
test_unwelcome_later (void)
{
  World world;

  world_init (&world);
  start_inviter (&world);
  cut (&world, &world.a);
  connect_end (&world, &world.a);
  json_object_unref (fake_client_pop (world.a.client));
  g_string_truncate (world.a.said, 0);
  receive_text (&world, &world.a, "{\"type\": \"welcome\", \"welcome\": {\"error\": \"no\"}}");
  g_assert_cmpstr (world.a.said->str, ==, "bind release close ");
  g_assert_cmpstr (mood_of (&world, &world.a), ==, "unwelcome");
  g_assert_cmpstr (world.a.events->str, ==, "code failed closed ");
  world_clear (&world);
}

static void
test_server_text (void)
{
  World world;
  g_autofree char *filler = g_strnfill (3000, 'x');
  g_autofree char *text = g_strdup_printf ("{\"type\": \"welcome\", \"welcome\": {\"motd\": \"%s\", "
                                           "\"your-address\": {\"ipv4\": \"192.0.2.7\", \"port\": 3}}}", filler);

  world_init (&world);
  end_init (&world.a, kh_wormhole_new_joiner ("example.org", CODE, world.now));
  kh_wormhole_connected (world.a.wormhole, world.now);
  receive_text (&world, &world.a, text);
  g_assert_cmpuint (strlen (world.a.text), ==, 500);
  g_assert_cmpstr (kh_wormhole_get_your_address (world.a.wormhole), ==, "192.0.2.7");
  world_clear (&world);
}

static void
test_your_address (void)
{
  static const struct
  {
    const char *seen;
    const char *address;
  } cases[] = {
    { "{\"ipv6\": \"2001:db8::7\"}", "2001:db8::7" }, { "{\"ipv4\": \"example.org\"}", NULL },
    { "{\"ipv4\": 5}", NULL },                         { "{}", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;
      g_autofree char *text =
          g_strdup_printf ("{\"type\": \"welcome\", \"welcome\": {\"your-address\": %s}}", cases[i].seen);

      world_init (&world);
      end_init (&world.a, kh_wormhole_new_joiner ("example.org", CODE, world.now));
      kh_wormhole_connected (world.a.wormhole, world.now);
      receive_text (&world, &world.a, text);
      g_assert_cmpstr (kh_wormhole_get_your_address (world.a.wormhole), ==, cases[i].address);
      world_clear (&world);
    }
}

/* None of these may crash or count as an answer. */
static void
test_malformed_messages (void)
{
  static const char *const cases[] = {
    "{}",
    "{\"type\": 3}",
    "{\"type\": \"unheard-of\"}",
    "{\"type\": \"welcome\"}",
    "{\"type\": \"claimed\"}",
    "{\"type\": \"allocated\", \"nameplate\": \"9\"}",
    "{\"type\": \"released\"}",
    "{\"type\": \"closed\"}",
    "{\"type\": \"pong\"}",
    "{\"type\": \"message\"}",
    "{\"type\": \"message\", \"side\": 3, \"phase\": 4, \"body\": null}",
    "{\"type\": \"message\", \"side\": \"x\", \"phase\": \"pake\"}",
    "{\"type\": \"message\", \"side\": \"x\", \"phase\": \"0\", \"body\": \"\"}",
    "{\"type\": \"nameplates\", \"nameplates\": []}",
  };
  World world;

  world_init (&world);
  start_inviter (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    receive_text (&world, &world.a, cases[i]);
  g_assert_cmpstr (world.a.events->str, ==, "code ");
  world_clear (&world);
}

static void
test_nonsense_answers (void)
{
  static const struct
  {
    gboolean inviter;
    const char *answer;
  } cases[] = {
    { TRUE, "{\"type\": \"allocated\"}" },
    { TRUE, "{\"type\": \"allocated\", \"nameplate\": 4}" },
    { TRUE, "{\"type\": \"allocated\", \"nameplate\": \"4-x\"}" },
    { TRUE, "{\"type\": \"allocated\", \"nameplate\": \"12345678901234567890123456789012345678901\"}" },
    { FALSE, "{\"type\": \"claimed\"}" },
    { FALSE, "{\"type\": \"claimed\", \"mailbox\": \"\"}" },
    { FALSE, "{\"type\": \"claimed\", \"mailbox\": {}}" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;

      world_init (&world);
      end_init (&world.a, cases[i].inviter
                              ? kh_wormhole_new_inviter ("example.org", 3, KH_WORMHOLE_SECOND * 3600, world.now)
                              : kh_wormhole_new_joiner ("example.org", CODE, world.now));
      kh_wormhole_connected (world.a.wormhole, world.now);
      receive_text (&world, &world.a, "{\"type\": \"welcome\", \"welcome\": {}}");
      receive_text (&world, &world.a, cases[i].answer);
      assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "makes no sense");
      world_clear (&world);
    }
}

static void
test_server_errors (void)
{
  static const struct
  {
    gboolean inviter;
    const char *error;
    KhError code;
    const char *sentence;
  } cases[] = {
    { TRUE, "crowded", KH_ERROR_CROWDED, "Somebody else has touched this invite. Make a new code." },
    { FALSE, "crowded", KH_ERROR_CROWDED,
      "This code has been used already. If that was not you, tell your friend." },
    { FALSE, "reclaimed", KH_ERROR_CROWDED, "This code has been used already." },
    { TRUE, "must bind first", KH_ERROR_SERVER_UNREACHABLE, "“must bind first”" },
    { FALSE, "\\u001b[2Junknown type", KH_ERROR_SERVER_UNREACHABLE, "“[2Junknown type”" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;
      End *end;
      g_autofree char *text =
          g_strdup_printf ("{\"type\": \"error\", \"error\": \"%s\", \"orig\": []}", cases[i].error);

      world_init (&world);
      start_inviter (&world);
      end = &world.a;
      if (!cases[i].inviter)
        {
          end_clear (end);
          start_joiner_as (&world, end, CODE);
        }
      receive_text (&world, end, text);
      assert_failed (end, cases[i].code, cases[i].sentence);
      g_assert_cmpstr (mood_of (&world, end), ==, "errory");
      g_assert_true (g_str_has_suffix (end->events->str, "failed closed "));
      world_clear (&world);
    }
}

static void
test_third_side (void)
{
  World world;
  End third;

  start_both (&world);
  start_joiner_as (&world, &third, CODE);
  while (turn (&world, &third))
    ;
  assert_failed (&third, KH_ERROR_CROWDED, "This code has been used already.");
  g_assert_cmpstr (third.said->str, ==, "bind claim release ");
  g_assert_cmpstr (third.events->str, ==, "failed closed ");

  cut (&world, &world.a);
  connect_end (&world, &world.a);
  settle (&world);
  assert_failed (&world.a, KH_ERROR_CROWDED, "Somebody else has touched this invite.");
  end_clear (&third);
  world_clear (&world);
}

static void
test_wrong_code (void)
{
  World world;

  world_init (&world);
  start_inviter (&world);
  start_joiner_as (&world, &world.b, "3-crossover-clockwork-yucatan");
  assert_failed (&world.a, KH_ERROR_BAD_CODE, "Someone tried this code and got it wrong.");
  assert_failed (&world.b, KH_ERROR_BAD_CODE, "The code does not match.");
  g_assert_cmpstr (mood_of (&world, &world.a), ==, "scary");
  g_assert_cmpstr (mood_of (&world, &world.b), ==, "scary");
  g_assert_cmpstr (world.a.events->str, ==, "code friend failed closed ");
  g_assert_cmpuint (world.a.delivered->len, ==, 0);
  world_clear (&world);
}

static void
test_bad_pakes (void)
{
  g_autoptr (JsonObject) vectors = kh_test_load_json ("data/wormhole/vectors.json");
  JsonArray *elements =
      json_object_get_array_member (json_object_get_object_member (vectors, "invalid_messages"), "cases");
  JsonArray *bodies = json_object_get_array_member (vectors, "pake_bodies_invalid");

  for (guint i = 0; i < json_array_get_length (elements) + json_array_get_length (bodies); i++)
    {
      World world;
      gboolean is_body = i >= json_array_get_length (elements);
      JsonObject *bad = is_body ? json_array_get_object_element (bodies, i - json_array_get_length (elements))
                                : json_array_get_object_element (elements, i);
      g_autofree char *body = NULL;

      /* A valid element of order L is only bad for the run that the vectors were made for. */
      if (g_str_equal (json_object_get_string_member (bad, "name"), "password-blind") ||
          g_str_equal (json_object_get_string_member (bad, "name"), "reflection"))
        continue;

      world_init (&world);
      start_inviter (&world);
      if (is_body)
        body = g_strdup (json_object_get_string_member (bad, "body"));
      else
        {
          g_autoptr (GBytes) message = kh_test_unhex (json_object_get_string_member (bad, "message"));

          body = kh_body_encode_pake (g_bytes_get_data (message, NULL), g_bytes_get_size (message));
        }
      receive_message (&world, &world.a, "stranger", "pake", body);
      assert_failed (&world.a, is_body ? KH_ERROR_PROTOCOL : KH_ERROR_BAD_CODE, "");
      g_assert_cmpstr (mood_of (&world, &world.a), ==, is_body ? "errory" : "scary");
      g_assert_cmpstr (world.a.events->str, ==, "code failed closed ");
      world_clear (&world);
    }
}

static void
test_reflection (void)
{
  World world;

  world_init (&world);
  start_inviter (&world);
  receive_message (&world, &world.a, "mirror", "pake", world.a.wormhole->pake_body);
  assert_failed (&world.a, KH_ERROR_BAD_CODE, "Someone tried this code");
  world_clear (&world);
}

static void
test_second_pake_is_ignored (void)
{
  World world;
  g_autofree char *body = NULL;
  g_autoptr (KhSpake2) again = kh_spake2_new (CODE, KH_WORMHOLE_APPID);

  start_both (&world);
  body = kh_body_encode_pake (kh_spake2_get_message (again), KH_SPAKE2_MESSAGE_BYTES);
  receive_message (&world, &world.a, world.a.wormhole->peer_side, "pake", body);
  receive_message (&world, &world.a, "third", "pake", body);
  receive_message (&world, &world.a, "third", "0", "00");
  g_assert_null (world.a.error);
  g_assert_cmpstr (world.a.events->str, ==, "code friend verified ");
  world_clear (&world);
}

/* Bodies may come before the pake they belong to. */
static void
test_early_bodies (void)
{
  World world;
  g_autoptr (KhSpake2) friend = kh_spake2_new (CODE, KH_WORMHOLE_APPID);
  g_autoptr (GBytes) pake = NULL;
  g_autoptr (GBytes) offer = g_bytes_new_static ("offer", 5);
  g_autofree char *pake_body = kh_body_encode_pake (kh_spake2_get_message (friend), KH_SPAKE2_MESSAGE_BYTES);
  g_autofree char *offer_body = NULL;
  guint8 key[KH_SPAKE2_KEY_BYTES];

  world_init (&world);
  start_inviter (&world);
  pake = kh_body_decode_pake (world.a.wormhole->pake_body, NULL);
  g_assert_true (kh_spake2_finish (friend, g_bytes_get_data (pake, NULL), g_bytes_get_size (pake), key, NULL));
  offer_body = kh_body_seal (key, "friend", "0", offer);

  receive_message (&world, &world.a, "other", "0", "0011");
  receive_message (&world, &world.a, "friend", "0", offer_body);
  for (guint i = 0; i < 100; i++)
    receive_message (&world, &world.a, "other", "0", "0011");
  g_assert_cmpuint (world.a.wormhole->early.length, ==, 16);
  receive_message (&world, &world.a, "friend", "pake", pake_body);

  g_assert_cmpstr (world.a.events->str, ==, "code friend verified message ");
  g_assert_cmpstr (world.a.delivered->str, ==, "offer");
  world_clear (&world);
}

static void
test_order_and_duplicates (void)
{
  World world;
  static const char *const names[] = { "2", "1", "2", "01", "0", "0", "+3", "3", "1", "unheard-of", "unheard-of", "4" };

  start_both (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    receive_sealed (&world, &world.a, names[i], names[i]);
  g_assert_cmpstr (world.a.delivered->str, ==, "01234");
  g_assert_null (world.a.error);

  for (guint i = 0; i < 1000; i++)
    {
      g_autofree char *name = g_strdup_printf ("name-%u", i);

      receive_sealed (&world, &world.a, name, "");
    }
  g_assert_cmpuint (g_hash_table_size (world.a.wormhole->seen), <=, 64);
  g_assert_null (world.a.error);
  world_clear (&world);
}

static void
test_too_many_held (void)
{
  World world;

  start_both (&world);
  for (guint i = 1; i <= 64; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i);

      receive_sealed (&world, &world.a, name, "x");
    }
  g_assert_null (world.a.error);
  receive_sealed (&world, &world.a, "0", "x");
  g_assert_cmpuint (world.a.delivered->len, ==, 65);

  for (guint i = 0; i < 65; i++)
    {
      g_autofree char *name = g_strdup_printf ("%u", i * 2 + 1000);

      receive_sealed (&world, &world.a, name, "x");
    }
  assert_failed (&world.a, KH_ERROR_PROTOCOL, "cannot be read");
  world_clear (&world);
}

static void
test_touched_body (void)
{
  World world;

  start_both (&world);
  receive_message (&world, &world.a, world.a.wormhole->peer_side, "0", "0011");
  assert_failed (&world.a, KH_ERROR_PROTOCOL, "not from your friend");
  g_assert_cmpstr (mood_of (&world, &world.a), ==, "scary");
  world_clear (&world);
}

/* The friend's version decides, whether it comes first or not. */
static void
test_versions (void)
{
  static const struct
  {
    const char *version;
    const char *sentence;
  } cases[] = {
    { "{\"app_versions\": {\"knothole-invite\": [1]}}", NULL },
    { "{\"app_versions\": {\"knothole-invite\": [\"x\", {}, 7, 1]}, \"can-dilate\": [\"1\"]}", NULL },
    { "{\"app_versions\": {\"knothole-invite\": [2, 3]}}", "needs a newer Knothole" },
    { "{\"app_versions\": {\"knothole-invite\": 1}}", "needs a newer Knothole" },
    { "{\"app_versions\": {}}", "needs a newer Knothole" },
    { "{}", "needs a newer Knothole" },
    { "[]", "cannot be read" },
    { "not JSON", "cannot be read" },
    { "{\"a\": [[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]}", "cannot be read" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;
      g_autoptr (KhSpake2) friend = kh_spake2_new (CODE, KH_WORMHOLE_APPID);
      g_autofree char *pake = kh_body_encode_pake (kh_spake2_get_message (friend), KH_SPAKE2_MESSAGE_BYTES);

      world_init (&world);
      start_inviter (&world);
      receive_message (&world, &world.a, "friend", "pake", pake);
      receive_sealed (&world, &world.a, "version", cases[i].version);
      if (cases[i].sentence == NULL)
        g_assert_cmpstr (world.a.events->str, ==, "code friend verified ");
      else
        {
          assert_failed (&world.a, KH_ERROR_PROTOCOL, cases[i].sentence);
          g_assert_cmpstr (world.a.events->str, ==, "code friend failed closed ");
          g_assert_cmpstr (mood_of (&world, &world.a), ==, "errory");
        }
      world_clear (&world);
    }
}

static void
test_reconnect (void)
{
  World world;

  start_both (&world);
  cut (&world, &world.a);
  send_text (&world.a, "sent while away, ");
  send_text (&world.b, "kept by the server");
  wait_seconds (&world, 2);
  g_string_truncate (world.a.said, 0);
  connect_end (&world, &world.a);
  settle (&world);
  g_assert_cmpstr (world.a.said->str, ==, "bind open ping add:0 ");
  g_assert_cmpstr (world.a.delivered->str, ==, "kept by the server");
  g_assert_cmpstr (world.b.delivered->str, ==, "sent while away, ");
  g_assert_null (world.a.error);
  world_clear (&world);
}

/* Whatever was said last is said again, message by message. */
static void
test_reconnect_table (void)
{
  static const struct
  {
    guint heard;
    const char *said;
  } cases[] = {
    { 1, "bind allocate claim open add:pake " }, /* bind's ack */
    { 2, "bind allocate claim open add:pake " }, /* allocate's ack */
    { 4, "bind claim open add:pake " },          /* allocated, claim's ack */
    { 6, "bind open add:pake " },                /* claimed, open's ack */
    { 7, "bind open add:pake " },                /* pake's ack */
    { 8, "bind open ping " },                    /* pake's echo */
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;

      world_init (&world);
      end_init (&world.a, kh_wormhole_new_inviter ("example.org", 3, 3600 * KH_WORMHOLE_SECOND, world.now));
      connect_end (&world, &world.a);
      for (guint heard = 0; heard <= cases[i].heard;)
        {
          JsonObject *said = kh_wormhole_pop_message (world.a.wormhole);
          JsonObject *answer;

          if (said != NULL)
            {
              fake_server_take (world.server, world.a.client, said);
              continue;
            }
          answer = fake_client_pop (world.a.client);
          kh_wormhole_receive (world.a.wormhole, answer, world.now);
          json_object_unref (answer);
          heard++;
        }
      cut (&world, &world.a);
      connect_end (&world, &world.a);
      settle (&world);
      g_assert_cmpstr (world.a.said->str, ==, cases[i].said);
      g_assert_cmpstr (world.a.events->str, ==, "code ");
      world_clear (&world);
    }
}

static void
test_forgotten_mailbox (void)
{
  static const struct
  {
    gboolean joiner;
    gboolean verified;
    KhError code;
    const char *sentence;
  } cases[] = {
    { FALSE, FALSE, KH_ERROR_EXPIRED, "Make a new one." },
    { TRUE, FALSE, KH_ERROR_EXPIRED, "Ask your friend for a new one." },
    { FALSE, TRUE, KH_ERROR_LOST, "has lost this meeting" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;
      End *end;

      world_init (&world);
      end = &world.a;
      if (cases[i].joiner)
        start_joiner_as (&world, end, CODE);
      else
        start_inviter (&world);
      if (cases[i].verified)
        start_joiner_as (&world, &world.b, CODE);
      cut (&world, end);
      fake_server_prune (world.server);
      connect_end (&world, end);
      settle (&world);
      assert_failed (end, cases[i].code, cases[i].sentence);
      g_assert_cmpstr (mood_of (&world, end), ==, "errory");
      world_clear (&world);
    }
}

static void
test_resets (void)
{
  World world;

  start_both (&world);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_null (world.a.error);
      send_text (&world.a, "too long for this server");
      kh_wormhole_disconnected (world.a.wormhole, world.now);
      fake_server_disconnect (world.server, world.a.client);
      world.a.client = NULL;
      if (i < 2)
        {
          JsonObject *welcome;

          settle (&world);
          connect_end (&world, &world.a);
          welcome = fake_client_pop (world.a.client);
          kh_wormhole_receive (world.a.wormhole, welcome, world.now);
          json_object_unref (welcome);
        }
    }
  settle (&world);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "breaks the connection whenever");
  world_clear (&world);
}

/* Tries that fail on the way do not count, they never showed the message to the server. */
static void
test_failed_tries_are_no_resets (void)
{
  World world;

  start_both (&world);
  cut (&world, &world.a);
  send_text (&world.a, "hello");
  for (guint i = 0; i < 20; i++)
    kh_wormhole_disconnected (world.a.wormhole, world.now);
  connect_end (&world, &world.a);
  settle (&world);
  g_assert_null (world.a.error);
  g_assert_cmpstr (world.b.delivered->str, ==, "hello");
  world_clear (&world);
}

static void
test_time_limits (void)
{
  static const struct
  {
    const char *name;
    gboolean joiner;
    gboolean cut;
    guint good;
    guint bad;
    KhError code;
    const char *sentence;
  } cases[] = {
    { "an inviter waits an hour", FALSE, FALSE, 3599, 2, KH_ERROR_EXPIRED, "Nobody used this code in time" },
    { "a joiner waits a minute", TRUE, FALSE, 59, 2, KH_ERROR_NOBODY_THERE, "Nobody is waiting at this code." },
    { "an inviter may be away 11 minutes", FALSE, TRUE, 659, 2, KH_ERROR_SERVER_UNREACHABLE, "was lost" },
    { "a joiner may be away 30 seconds", TRUE, TRUE, 29, 2, KH_ERROR_SERVER_UNREACHABLE, "was lost" },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;

      g_test_message ("%s", cases[i].name);
      world_init (&world);
      if (cases[i].joiner)
        start_joiner_as (&world, &world.a, CODE);
      else
        start_inviter (&world);
      if (cases[i].cut)
        cut (&world, &world.a);
      wait_seconds (&world, cases[i].good);
      g_assert_null (world.a.error);
      wait_seconds (&world, cases[i].bad);
      assert_failed (&world.a, cases[i].code, cases[i].sentence);
      g_assert_cmpstr (mood_of (&world, &world.a), ==, cases[i].cut ? NULL : "lonely");
      g_assert_true (g_str_has_suffix (world.a.events->str, "failed closed "));
      world_clear (&world);
    }
}

/* From the key on, the friend has a minute to prove itself. */
static void
test_verification_limit (void)
{
  World world;
  g_autoptr (KhSpake2) stranger = kh_spake2_new (CODE, KH_WORMHOLE_APPID);
  g_autofree char *pake = kh_body_encode_pake (kh_spake2_get_message (stranger), KH_SPAKE2_MESSAGE_BYTES);

  world_init (&world);
  start_inviter (&world);
  wait_seconds (&world, 3590);
  receive_message (&world, &world.a, "stranger", "pake", pake);
  wait_seconds (&world, 59);
  g_assert_null (world.a.error);
  wait_seconds (&world, 2);
  assert_failed (&world.a, KH_ERROR_NOBODY_THERE, "went away while the code was being checked");
  g_assert_cmpstr (mood_of (&world, &world.a), ==, "lonely");
  world_clear (&world);
}

static void
test_life_ends_while_away (void)
{
  World world;

  world_init (&world);
  start_inviter (&world);
  wait_seconds (&world, 3500);
  cut (&world, &world.a);
  wait_seconds (&world, 101);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "was lost");
  world_clear (&world);
}

/* Once verified, the server may be away for long. */
static void
test_away_when_verified (void)
{
  World world;

  start_both (&world);
  cut (&world, &world.a);
  cut (&world, &world.b);
  wait_seconds (&world, 7200);
  kh_wormhole_receive_junk (world.a.wormhole, world.now);
  settle (&world);
  g_assert_null (world.a.error);
  g_assert_null (world.b.error);
  connect_end (&world, &world.a);
  connect_end (&world, &world.b);
  send_text (&world.a, "still there?");
  settle (&world);
  g_assert_cmpstr (world.b.delivered->str, ==, "still there?");
  world_clear (&world);
}

static void
test_junk (void)
{
  World world;

  world_init (&world);
  start_inviter (&world);
  kh_wormhole_receive_junk (world.a.wormhole, world.now);
  settle (&world);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "example.org does not work as a meeting server");
  world_clear (&world);
}

static void
test_send_limits (void)
{
  World world;
  g_autoptr (GBytes) longest = g_bytes_new_take (g_malloc0 (KH_WORMHOLE_MAX_PLAINTEXT), KH_WORMHOLE_MAX_PLAINTEXT);
  g_autoptr (GBytes) too_long =
      g_bytes_new_take (g_malloc0 (KH_WORMHOLE_MAX_PLAINTEXT + 1), KH_WORMHOLE_MAX_PLAINTEXT + 1);
  g_autoptr (GBytes) small = g_bytes_new_static ("x", 1);

  start_both (&world);
  g_assert_true (kh_wormhole_send (world.a.wormhole, longest));
  g_assert_false (kh_wormhole_send (world.a.wormhole, too_long));
  settle (&world);
  g_assert_cmpuint (world.b.delivered->len, ==, KH_WORMHOLE_MAX_PLAINTEXT);

  cut (&world, &world.a);
  for (guint i = 0; i < KH_WORMHOLE_MAX_QUEUED; i++)
    g_assert_true (kh_wormhole_send (world.a.wormhole, small));
  g_assert_false (kh_wormhole_send (world.a.wormhole, small));

  kh_wormhole_close (world.b.wormhole, world.now);
  g_assert_false (kh_wormhole_send (world.b.wormhole, small));
  world_clear (&world);
}

/* The end, begun after each step: everything claimed is released, everything opened is closed, and it ends. */
static void
test_close_at_each_step (void)
{
  for (guint steps = 0; steps < 30; steps++)
    {
      World world;
      guint step = 0;

      world_init (&world);
      end_init (&world.a, kh_wormhole_new_inviter ("example.org", 3, 3600 * KH_WORMHOLE_SECOND, world.now));
      connect_end (&world, &world.a);
      while (step++ < steps && turn (&world, &world.a))
        ;
      kh_wormhole_close (world.a.wormhole, world.now);
      settle (&world);
      g_assert_true (g_str_has_suffix (world.a.events->str, "closed "));
      g_assert_cmpint (strstr (world.a.said->str, "allocate") != NULL, ==,
                       strstr (world.a.said->str, "release") != NULL);
      g_assert_cmpint (strstr (world.a.said->str, "open") != NULL || strstr (world.a.said->str, "claim") != NULL, ==,
                       strstr (world.a.said->str, "close") != NULL);
      world_clear (&world);
    }
}

static void
test_close_waits_for_last_words (void)
{
  World world;

  start_both (&world);
  cut (&world, &world.a);
  send_text (&world.a, "goodbye");
  kh_wormhole_close (world.a.wormhole, world.now);
  g_string_truncate (world.a.said, 0);
  wait_seconds (&world, 1);
  connect_end (&world, &world.a);
  settle (&world);
  g_assert_cmpstr (world.a.said->str, ==, "bind open ping add:0 close ");
  g_assert_cmpstr (world.b.delivered->str, ==, "goodbye");
  g_assert_cmpstr (mood_of (&world, &world.a), ==, "happy");
  world_clear (&world);
}

static void
test_close_in_five_seconds (void)
{
  World world;

  start_both (&world);
  cut (&world, &world.a);
  send_text (&world.a, "never heard");
  kh_wormhole_close (world.a.wormhole, world.now);
  settle (&world);
  wait_seconds (&world, 4);
  g_assert_null (strstr (world.a.events->str, "closed"));
  wait_seconds (&world, 1);
  g_assert_true (g_str_has_suffix (world.a.events->str, "closed "));

  kh_wormhole_close (world.b.wormhole, world.now);
  world.b.client = NULL;
  settle (&world);
  wait_seconds (&world, 5);
  g_assert_true (g_str_has_suffix (world.b.events->str, "closed "));
  world_clear (&world);
}

static void
test_close_refused (void)
{
  World world;

  world_init (&world);
  start_inviter (&world);
  kh_wormhole_close (world.a.wormhole, world.now);
  world.a.client = NULL;
  settle (&world);
  receive_text (&world, &world.a, "{\"type\": \"released\"}");
  receive_text (&world, &world.a, "{\"type\": \"error\", \"error\": \"crowded\", \"orig\": {\"type\": \"close\"}}");
  g_assert_null (world.a.error);
  g_assert_cmpstr (world.a.events->str, ==, "code closed ");
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wormhole/meeting", test_meeting);
  g_test_add_func ("/wormhole/first-phase", test_first_phase);
  g_test_add_func ("/wormhole/nothing-before-verified", test_nothing_before_verified);
  g_test_add_func ("/wormhole/server/waits-for-welcome", test_waits_for_welcome);
  g_test_add_func ("/wormhole/server/first-connection-fails", test_first_connection_fails);
  g_test_add_func ("/wormhole/server/silent", test_silent_server);
  g_test_add_func ("/wormhole/server/welcome", test_welcome);
  g_test_add_func ("/wormhole/server/unwelcome-later", test_unwelcome_later);
  g_test_add_func ("/wormhole/server/text", test_server_text);
  g_test_add_func ("/wormhole/server/your-address", test_your_address);
  g_test_add_func ("/wormhole/server/malformed", test_malformed_messages);
  g_test_add_func ("/wormhole/server/nonsense", test_nonsense_answers);
  g_test_add_func ("/wormhole/server/errors", test_server_errors);
  g_test_add_func ("/wormhole/server/junk", test_junk);
  g_test_add_func ("/wormhole/server/third-side", test_third_side);
  g_test_add_func ("/wormhole/peer/wrong-code", test_wrong_code);
  g_test_add_func ("/wormhole/peer/bad-pakes", test_bad_pakes);
  g_test_add_func ("/wormhole/peer/reflection", test_reflection);
  g_test_add_func ("/wormhole/peer/second-pake", test_second_pake_is_ignored);
  g_test_add_func ("/wormhole/peer/early-bodies", test_early_bodies);
  g_test_add_func ("/wormhole/peer/order-and-duplicates", test_order_and_duplicates);
  g_test_add_func ("/wormhole/peer/too-many-held", test_too_many_held);
  g_test_add_func ("/wormhole/peer/touched-body", test_touched_body);
  g_test_add_func ("/wormhole/peer/versions", test_versions);
  g_test_add_func ("/wormhole/reconnect/verified", test_reconnect);
  g_test_add_func ("/wormhole/reconnect/table", test_reconnect_table);
  g_test_add_func ("/wormhole/reconnect/forgotten-mailbox", test_forgotten_mailbox);
  g_test_add_func ("/wormhole/reconnect/resets", test_resets);
  g_test_add_func ("/wormhole/reconnect/failed-tries", test_failed_tries_are_no_resets);
  g_test_add_func ("/wormhole/time/limits", test_time_limits);
  g_test_add_func ("/wormhole/time/verification", test_verification_limit);
  g_test_add_func ("/wormhole/time/life-ends-while-away", test_life_ends_while_away);
  g_test_add_func ("/wormhole/time/away-when-verified", test_away_when_verified);
  g_test_add_func ("/wormhole/send-limits", test_send_limits);
  g_test_add_func ("/wormhole/close/each-step", test_close_at_each_step);
  g_test_add_func ("/wormhole/close/last-words", test_close_waits_for_last_words);
  g_test_add_func ("/wormhole/close/five-seconds", test_close_in_five_seconds);
  g_test_add_func ("/wormhole/close/refused", test_close_refused);
  return g_test_run ();
}
