/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-body.h"
#include "kh-test.h"
#include "world.h"

/* Broken connections and limits of time, with a clock of the test's own. */

static void
test_reconnect (void)
{
  World world;

  world_start_both (&world);
  world_cut (&world, &world.a);
  end_send (&world.a, "sent while away, ");
  end_send (&world.b, "kept by the server");
  world_wait (&world, 2);
  g_string_truncate (world.a.said, 0);
  world_connect (&world, &world.a);
  world_settle (&world);
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
      world_connect (&world, &world.a);
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
      world_cut (&world, &world.a);
      world_connect (&world, &world.a);
      world_settle (&world);
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
        world_start_joiner (&world, end, CODE);
      else
        world_start_inviter (&world);
      if (cases[i].verified)
        world_start_joiner (&world, &world.b, CODE);
      world_cut (&world, end);
      fake_server_prune (world.server);
      world_connect (&world, end);
      world_settle (&world);
      assert_failed (end, cases[i].code, cases[i].sentence);
      g_assert_cmpstr (world_get_mood (&world, end), ==, "errory");
      world_clear (&world);
    }
}

static void
test_resets (void)
{
  World world;

  world_start_both (&world);
  for (guint i = 0; i < 3; i++)
    {
      g_assert_null (world.a.error);
      end_send (&world.a, "too long for this server");
      kh_wormhole_disconnected (world.a.wormhole, world.now);
      fake_server_disconnect (world.server, world.a.client);
      world.a.client = NULL;
      if (i < 2)
        {
          JsonObject *welcome;

          world_settle (&world);
          world_connect (&world, &world.a);
          welcome = fake_client_pop (world.a.client);
          kh_wormhole_receive (world.a.wormhole, welcome, world.now);
          json_object_unref (welcome);
        }
    }
  world_settle (&world);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "breaks the connection whenever");
  world_clear (&world);
}

/* Tries that fail on the way do not count, they never showed the message to the server. */
static void
test_failed_tries_are_no_resets (void)
{
  World world;

  world_start_both (&world);
  world_cut (&world, &world.a);
  end_send (&world.a, "hello");
  for (guint i = 0; i < 20; i++)
    kh_wormhole_disconnected (world.a.wormhole, world.now);
  world_connect (&world, &world.a);
  world_settle (&world);
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
        world_start_joiner (&world, &world.a, CODE);
      else
        world_start_inviter (&world);
      if (cases[i].cut)
        world_cut (&world, &world.a);
      world_wait (&world, cases[i].good);
      g_assert_null (world.a.error);
      world_wait (&world, cases[i].bad);
      assert_failed (&world.a, cases[i].code, cases[i].sentence);
      g_assert_cmpstr (world_get_mood (&world, &world.a), ==, cases[i].cut ? NULL : "lonely");
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
  world_start_inviter (&world);
  world_wait (&world, 3590);
  world_receive_message (&world, &world.a, "stranger", "pake", pake);
  world_wait (&world, 59);
  g_assert_null (world.a.error);
  world_wait (&world, 2);
  assert_failed (&world.a, KH_ERROR_NOBODY_THERE, "went away while the code was being checked");
  g_assert_cmpstr (world_get_mood (&world, &world.a), ==, "lonely");
  world_clear (&world);
}

static void
test_life_ends_while_away (void)
{
  World world;

  world_init (&world);
  world_start_inviter (&world);
  world_wait (&world, 3500);
  world_cut (&world, &world.a);
  world_wait (&world, 101);
  assert_failed (&world.a, KH_ERROR_SERVER_UNREACHABLE, "was lost");
  world_clear (&world);
}

/* Once verified, the server may be away for long. */
static void
test_away_when_verified (void)
{
  World world;

  world_start_both (&world);
  world_cut (&world, &world.a);
  world_cut (&world, &world.b);
  world_wait (&world, 7200);
  kh_wormhole_receive_junk (world.a.wormhole, world.now);
  world_settle (&world);
  g_assert_null (world.a.error);
  g_assert_null (world.b.error);
  world_connect (&world, &world.a);
  world_connect (&world, &world.b);
  end_send (&world.a, "still there?");
  world_settle (&world);
  g_assert_cmpstr (world.b.delivered->str, ==, "still there?");
  world_clear (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/wormhole/reconnect/verified", test_reconnect);
  g_test_add_func ("/wormhole/reconnect/table", test_reconnect_table);
  g_test_add_func ("/wormhole/reconnect/forgotten-mailbox", test_forgotten_mailbox);
  g_test_add_func ("/wormhole/reconnect/resets", test_resets);
  g_test_add_func ("/wormhole/reconnect/failed-tries", test_failed_tries_are_no_resets);
  g_test_add_func ("/wormhole/time/limits", test_time_limits);
  g_test_add_func ("/wormhole/time/verification", test_verification_limit);
  g_test_add_func ("/wormhole/time/life-ends-while-away", test_life_ends_while_away);
  g_test_add_func ("/wormhole/time/away-when-verified", test_away_when_verified);
  return g_test_run ();
}
