/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-body.h"
#include "kh-test.h"
#include "world.h"

/* A wormhole's rules, one by one: meeting, the server's part, the end. */

static void
test_meeting (void)
{
  World world;
  guint8 a_key[16];
  guint8 b_key[16];

  world_start_both (&world);
  g_assert_cmpstr (world.a.said->str, ==, "bind allocate claim open add:pake release add:version ");
  g_assert_cmpstr (world.b.said->str, ==, "bind claim open add:pake release add:version ");
  g_assert_cmpstr (world.a.events->str, ==, "code friend verified ");
  g_assert_cmpstr (world.b.events->str, ==, "friend verified ");
  g_assert_cmpstr (kh_wormhole_get_code (world.a.wormhole), ==, CODE);
  g_assert_true (kh_wormhole_derive (world.a.wormhole, "knothole channel v1", a_key, sizeof a_key));
  g_assert_true (kh_wormhole_derive (world.b.wormhole, "knothole channel v1", b_key, sizeof b_key));
  g_assert_cmpmem (a_key, sizeof a_key, b_key, sizeof b_key);

  end_send (&world.a, "one ");
  end_send (&world.a, "two");
  end_send (&world.b, "three");
  world_settle (&world);
  g_assert_cmpstr (world.b.delivered->str, ==, "one two");
  g_assert_cmpstr (world.a.delivered->str, ==, "three");

  kh_wormhole_close (world.a.wormhole, world.now);
  kh_wormhole_close (world.b.wormhole, world.now);
  world_settle (&world);
  g_assert_true (g_str_has_suffix (world.a.events->str, "closed "));
  g_assert_cmpstr (world_get_mood (&world, &world.a), ==, "happy");
  g_assert_cmpstr (world_get_mood (&world, &world.b), ==, "happy");
  g_assert_cmpint (kh_wormhole_get_deadline (world.a.wormhole), ==, KH_WORMHOLE_NEVER);
  world_clear (&world);
}

/* Only the joiner's first phase goes before the friend is verified. */
static void
test_first_phase (void)
{
  World world;

  world_init (&world);
  world_start_inviter (&world);
  end_send (&world.a, "offer of a");
  end_init (&world.b, kh_wormhole_new_joiner ("example.org", CODE, world.now));
  end_send (&world.b, "offer of b, ");
  end_send (&world.b, "more of b");
  world_connect (&world, &world.b);
  world_settle (&world);

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
  world_start_inviter (&world);
  end_send (&world.a, "secret");
  body = kh_body_encode_pake (kh_spake2_get_message (stranger), KH_SPAKE2_MESSAGE_BYTES);
  world_receive_message (&world, &world.a, "stranger", "pake", body);
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

  world_wait (&world, 9);
  g_assert_null (world.a.error);
  world_wait (&world, 1);
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
  world_settle (&world);
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
  world_receive_text (&world, &world.a, "{\"type\": \"welcome\", \"welcome\": {}}");
  world_wait (&world, 20);
  g_assert_cmpstr (world.a.events->str, ==, "reconnect ");
  world_wait (&world, 10);
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
      world_receive_text (&world, &world.a, text);
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
  world_start_inviter (&world);
  world_cut (&world, &world.a);
  world_connect (&world, &world.a);
  json_object_unref (fake_client_pop (world.a.client));
  g_string_truncate (world.a.said, 0);
  world_receive_text (&world, &world.a, "{\"type\": \"welcome\", \"welcome\": {\"error\": \"no\"}}");
  g_assert_cmpstr (world.a.said->str, ==, "bind release close ");
  g_assert_cmpstr (world_get_mood (&world, &world.a), ==, "unwelcome");
  g_assert_cmpstr (world.a.events->str, ==, "code failed closed ");
  world_clear (&world);
}

static void
test_server_text (void)
{
  World world;
  g_autofree char *filler = g_strnfill (3000, 'x');
  g_autofree char *text = g_strdup_printf ("{\"type\": \"welcome\", \"welcome\": {\"motd\": \"%s\", "
                                           "\"your-address\": {\"ipv4\": \"192.0.2.7\", \"port\": 3}}}",
                                           filler);

  world_init (&world);
  end_init (&world.a, kh_wormhole_new_joiner ("example.org", CODE, world.now));
  kh_wormhole_connected (world.a.wormhole, world.now);
  world_receive_text (&world, &world.a, text);
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
    { "{\"ipv6\": \"2001:db8::7\"}", "2001:db8::7" },
    { "{\"ipv4\": \"example.org\"}", NULL },
    { "{\"ipv4\": 5}", NULL },
    { "{}", NULL },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      World world;
      g_autofree char *text =
          g_strdup_printf ("{\"type\": \"welcome\", \"welcome\": {\"your-address\": %s}}", cases[i].seen);

      world_init (&world);
      end_init (&world.a, kh_wormhole_new_joiner ("example.org", CODE, world.now));
      kh_wormhole_connected (world.a.wormhole, world.now);
      world_receive_text (&world, &world.a, text);
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
  world_start_inviter (&world);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    world_receive_text (&world, &world.a, cases[i]);
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
      world_receive_text (&world, &world.a, "{\"type\": \"welcome\", \"welcome\": {}}");
      world_receive_text (&world, &world.a, cases[i].answer);
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
    { FALSE, "crowded", KH_ERROR_CROWDED, "This code has been used already. If that was not you, tell your friend." },
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
      world_start_inviter (&world);
      end = &world.a;
      if (!cases[i].inviter)
        {
          end_clear (end);
          world_start_joiner (&world, end, CODE);
        }
      world_receive_text (&world, end, text);
      assert_failed (end, cases[i].code, cases[i].sentence);
      g_assert_cmpstr (world_get_mood (&world, end), ==, "errory");
      g_assert_true (g_str_has_suffix (end->events->str, "failed closed "));
      world_clear (&world);
    }
}

static void
test_third_side (void)
{
  World world;
  End third;

  world_start_both (&world);
  world_start_joiner (&world, &third, CODE);
  while (world_turn (&world, &third))
    ;
  assert_failed (&third, KH_ERROR_CROWDED, "This code has been used already.");
  g_assert_cmpstr (third.said->str, ==, "bind claim release ");
  g_assert_cmpstr (third.events->str, ==, "failed closed ");

  world_cut (&world, &world.a);
  world_connect (&world, &world.a);
  world_settle (&world);
  assert_failed (&world.a, KH_ERROR_CROWDED, "Somebody else has touched this invite.");
  end_clear (&third);
  world_clear (&world);
}

static void
test_junk (void)
{
  World world;

  world_init (&world);
  world_start_inviter (&world);
  kh_wormhole_receive_junk (world.a.wormhole, world.now);
  world_settle (&world);
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

  world_start_both (&world);
  g_assert_true (kh_wormhole_send (world.a.wormhole, longest));
  g_assert_false (kh_wormhole_send (world.a.wormhole, too_long));
  world_settle (&world);
  g_assert_cmpuint (world.b.delivered->len, ==, KH_WORMHOLE_MAX_PLAINTEXT);

  world_cut (&world, &world.a);
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
      world_connect (&world, &world.a);
      while (step++ < steps && world_turn (&world, &world.a))
        ;
      kh_wormhole_close (world.a.wormhole, world.now);
      world_settle (&world);
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

  world_start_both (&world);
  world_cut (&world, &world.a);
  end_send (&world.a, "goodbye");
  kh_wormhole_close (world.a.wormhole, world.now);
  g_string_truncate (world.a.said, 0);
  world_wait (&world, 1);
  world_connect (&world, &world.a);
  world_settle (&world);
  g_assert_cmpstr (world.a.said->str, ==, "bind open ping add:0 close ");
  g_assert_cmpstr (world.b.delivered->str, ==, "goodbye");
  g_assert_cmpstr (world_get_mood (&world, &world.a), ==, "happy");
  world_clear (&world);
}

static void
test_close_in_five_seconds (void)
{
  World world;

  world_start_both (&world);
  world_cut (&world, &world.a);
  end_send (&world.a, "never heard");
  kh_wormhole_close (world.a.wormhole, world.now);
  world_settle (&world);
  world_wait (&world, 4);
  g_assert_null (strstr (world.a.events->str, "closed"));
  world_wait (&world, 1);
  g_assert_true (g_str_has_suffix (world.a.events->str, "closed "));

  kh_wormhole_close (world.b.wormhole, world.now);
  world.b.client = NULL;
  world_settle (&world);
  world_wait (&world, 5);
  g_assert_true (g_str_has_suffix (world.b.events->str, "closed "));
  world_clear (&world);
}

static void
test_close_refused (void)
{
  World world;

  world_init (&world);
  world_start_inviter (&world);
  kh_wormhole_close (world.a.wormhole, world.now);
  world.a.client = NULL;
  world_settle (&world);
  world_receive_text (&world, &world.a, "{\"type\": \"released\"}");
  world_receive_text (&world, &world.a,
                      "{\"type\": \"error\", \"error\": \"crowded\", \"orig\": {\"type\": \"close\"}}");
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
  g_test_add_func ("/wormhole/send-limits", test_send_limits);
  g_test_add_func ("/wormhole/close/each-step", test_close_at_each_step);
  g_test_add_func ("/wormhole/close/last-words", test_close_waits_for_last_words);
  g_test_add_func ("/wormhole/close/five-seconds", test_close_in_five_seconds);
  g_test_add_func ("/wormhole/close/refused", test_close_refused);
  return g_test_run ();
}
