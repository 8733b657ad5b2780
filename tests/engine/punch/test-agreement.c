/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-agreement.h"
#include "kh-test.h"

#include <string.h>

#define SOCKETS 4

/* Two agreements with a network between them: each socket is a pair of queues, time is a number. */
typedef struct
{
  KhAgreement *sides[2]; /* by KhRole */
  GQueue to[2][SOCKETS + 1];
  gboolean alive[SOCKETS + 1];
  gboolean connected[SOCKETS + 1];
  gboolean known[2][SOCKETS + 1]; /* the side has added it and not removed it */
  guint selected[2];
  guint agreed[2];
  guint refused;
  gint64 now;
} World;

static World *
world_new (void)
{
  World *world = g_new0 (World, 1);

  world->sides[KH_ROLE_INVITER] = kh_agreement_new (KH_ROLE_INVITER);
  world->sides[KH_ROLE_JOINER] = kh_agreement_new (KH_ROLE_JOINER);
  for (int side = 0; side < 2; side++)
    for (int s = 1; s <= SOCKETS; s++)
      g_queue_init (&world->to[side][s]);
  world->now = 1;
  return world;
}

static void
world_free (World *world)
{
  for (int side = 0; side < 2; side++)
    {
      kh_agreement_free (world->sides[side]);
      for (int s = 1; s <= SOCKETS; s++)
        g_queue_clear_full (&world->to[side][s], g_free);
    }
  g_free (world);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (World, world_free)

static void
carry_out (World *world, KhRole side)
{
  KhAgreementAction action;

  while (kh_agreement_next_action (world->sides[side], &action))
    switch (action.step)
      {
      case KH_AGREEMENT_SEND:
        if (world->alive[action.socket])
          g_queue_push_tail (&world->to[!side][action.socket], g_memdup2 (&action.message, sizeof action.message));
        break;
      case KH_AGREEMENT_SELECTED:
        world->selected[side] = action.socket;
        break;
      case KH_AGREEMENT_AGREED:
        g_assert_cmpuint (world->agreed[side], ==, 0);
        world->agreed[side] = action.socket;
        break;
      case KH_AGREEMENT_REFUSE:
        world->refused++;
        break;
      default:
        g_assert_not_reached ();
      }
}

/* The joiner's first message is on its way as soon as the socket is connected. */
static void
connect_socket (World *world, guint s)
{
  KhHandshake first = { .kind = KH_HANDSHAKE_FIRST, .number = s };

  world->alive[s] = world->connected[s] = TRUE;
  world->known[KH_ROLE_JOINER][s] = TRUE;
  kh_agreement_add (world->sides[KH_ROLE_JOINER], s, 0, world->now);
  g_queue_push_tail (&world->to[KH_ROLE_INVITER][s], g_memdup2 (&first, sizeof first));
  carry_out (world, KH_ROLE_JOINER);
}

static void
deliver (World *world, KhRole side, guint s)
{
  g_autofree KhHandshake *message = g_queue_pop_head (&world->to[side][s]);

  if (message->kind == KH_HANDSHAKE_FIRST)
    {
      world->known[side][s] = TRUE;
      kh_agreement_add (world->sides[side], s, 40000, world->now);
    }
  else if (world->known[side][s])
    kh_agreement_hear (world->sides[side], s, message, world->now);
  carry_out (world, side);
}

static void
notice_death (World *world, KhRole side, guint s)
{
  world->known[side][s] = FALSE;
  kh_agreement_remove (world->sides[side], s, world->now);
  carry_out (world, side);
}

/* What is on its way is lost; each side notices in its own time. */
static void
cut (World *world, guint s)
{
  world->alive[s] = FALSE;
  for (int side = 0; side < 2; side++)
    g_queue_clear_full (&world->to[side][s], g_free);
}

static gboolean
deliver_any (World *world)
{
  for (int side = 0; side < 2; side++)
    for (guint s = 1; s <= SOCKETS; s++)
      if (!g_queue_is_empty (&world->to[side][s]))
        {
          deliver (world, side, s);
          return TRUE;
        }
  return FALSE;
}

static void
run_dry (World *world)
{
  while (deliver_any (world))
    ;
}

static void
assert_both_agree_on (World *world, guint s)
{
  for (int side = 0; side < 2; side++)
    {
      g_assert_cmpuint (world->agreed[side], ==, s);
      g_assert_cmpuint (world->selected[side], ==, s);
    }
  g_assert_cmpuint (world->refused, ==, 0);
}

static void
test_first_wins (void)
{
  g_autoptr (World) world = world_new ();

  connect_socket (world, 2);
  connect_socket (world, 1);
  run_dry (world);

  assert_both_agree_on (world, 1); /* delivered first */
}

static void
test_nominated_dies (void)
{
  g_autoptr (World) world = world_new ();

  connect_socket (world, 1);
  connect_socket (world, 2);
  deliver (world, KH_ROLE_INVITER, 1); /* nominate 1 */
  deliver (world, KH_ROLE_INVITER, 2); /* hold */
  deliver (world, KH_ROLE_JOINER, 1);  /* accept 1 is on its way */
  g_assert_cmpuint (world->selected[KH_ROLE_JOINER], ==, 1);
  cut (world, 1);
  notice_death (world, KH_ROLE_INVITER, 1);
  notice_death (world, KH_ROLE_JOINER, 1);
  run_dry (world);

  assert_both_agree_on (world, 2);
}

static void
test_overdue (void)
{
  g_autoptr (World) world = world_new ();

  connect_socket (world, 1);
  connect_socket (world, 2);
  deliver (world, KH_ROLE_INVITER, 1);
  deliver (world, KH_ROLE_INVITER, 2);
  g_assert_cmpint (kh_agreement_get_deadline (world->sides[KH_ROLE_INVITER]), ==, world->now + G_USEC_PER_SEC / 2);

  /* A moment early nothing happens; in time the other one is nominated. */
  world->now += G_USEC_PER_SEC / 2 - 1;
  kh_agreement_tick (world->sides[KH_ROLE_INVITER], world->now);
  carry_out (world, KH_ROLE_INVITER);
  g_assert_cmpuint (g_queue_get_length (&world->to[KH_ROLE_JOINER][2]), ==, 1);
  world->now += 1;
  kh_agreement_tick (world->sides[KH_ROLE_INVITER], world->now);
  carry_out (world, KH_ROLE_INVITER);

  /* The late `accept 1` crosses `nominate 2`. */
  run_dry (world);
  assert_both_agree_on (world, 2);
}

static void
test_overdue_alone (void)
{
  g_autoptr (World) world = world_new ();

  connect_socket (world, 1);
  deliver (world, KH_ROLE_INVITER, 1);
  world->now += 10 * G_USEC_PER_SEC;
  kh_agreement_tick (world->sides[KH_ROLE_INVITER], world->now);
  carry_out (world, KH_ROLE_INVITER);
  g_assert_cmpint (kh_agreement_get_deadline (world->sides[KH_ROLE_INVITER]), ==, -1);
  run_dry (world);

  assert_both_agree_on (world, 1);
}

static void
test_slow_socket_gets_three_round_trips (void)
{
  g_autoptr (KhAgreement) agreement = kh_agreement_new (KH_ROLE_INVITER);

  kh_agreement_add (agreement, 1, 600000, 1000);
  g_assert_cmpint (kh_agreement_get_deadline (agreement), ==, 1000 + 3 * 600000);
}

/* What a peer that knows the code but not the rules may say. */
static void
test_refuses (void)
{
  static const struct
  {
    KhRole role;
    KhHandshake message;
  } cases[] = {
    { KH_ROLE_INVITER, { .kind = KH_HANDSHAKE_FIRST } },
    { KH_ROLE_INVITER, { .kind = KH_HANDSHAKE_NOMINATE, .number = 1 } },
    { KH_ROLE_INVITER, { .kind = KH_HANDSHAKE_HOLD } },
    { KH_ROLE_INVITER, { .kind = KH_HANDSHAKE_CONFIRM, .number = 1 } },
    { KH_ROLE_INVITER, { .kind = KH_HANDSHAKE_ACCEPT, .number = 2 } },
    { KH_ROLE_JOINER, { .kind = KH_HANDSHAKE_FIRST } },
    { KH_ROLE_JOINER, { .kind = KH_HANDSHAKE_ACCEPT, .number = 1 } },
    { KH_ROLE_JOINER, { .kind = KH_HANDSHAKE_CONFIRM, .number = 1 } },
  };

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhAgreement) agreement = kh_agreement_new (cases[i].role);
      KhAgreementAction action;
      gboolean refused = FALSE;

      kh_agreement_add (agreement, 1, 0, 1);
      kh_agreement_hear (agreement, 1, &cases[i].message, 1);
      while (kh_agreement_next_action (agreement, &action))
        {
          refused |= action.step == KH_AGREEMENT_REFUSE;
          g_assert_cmpint (action.step, !=, KH_AGREEMENT_AGREED);
        }
      g_assert_true (refused);
    }
}

/* --- every order ------------------------------------------------------------------------------------------------ */

static void
random_step (World *world, GRand *rand, guint *cuts_left)
{
  guint s = g_rand_int_range (rand, 1, SOCKETS + 1);
  KhRole side = g_rand_boolean (rand);

  switch (g_rand_int_range (rand, 0, 12))
    {
    case 0:
      if (!world->connected[s])
        connect_socket (world, s);
      break;
    case 1:
      if (world->alive[s] && *cuts_left > 0)
        {
          cut (world, s);
          (*cuts_left)--;
        }
      break;
    case 2:
      if (world->connected[s] && !world->alive[s] && world->known[side][s])
        notice_death (world, side, s);
      break;
    case 3:
      world->now += g_rand_int_range (rand, 1, G_USEC_PER_SEC);
      kh_agreement_tick (world->sides[KH_ROLE_INVITER], world->now);
      carry_out (world, KH_ROLE_INVITER);
      break;
    default:
      if (!g_queue_is_empty (&world->to[side][s]))
        deliver (world, side, s);
    }
}

/* From here on the network behaves: what is dead is noticed, what was said arrives, one more socket comes. */
static void
let_it_end (World *world)
{
  gboolean fresh = FALSE;

  for (guint s = 1; s <= SOCKETS; s++)
    {
      for (int side = 0; side < 2; side++)
        if (world->connected[s] && !world->alive[s] && world->known[side][s])
          notice_death (world, side, s);
      if (!world->connected[s] && !fresh)
        {
          connect_socket (world, s);
          fresh = TRUE;
        }
    }

  for (int round = 0; round < 20; round++)
    {
      run_dry (world);
      world->now += G_USEC_PER_SEC;
      kh_agreement_tick (world->sides[KH_ROLE_INVITER], world->now);
      carry_out (world, KH_ROLE_INVITER);
    }
}

static gboolean
any_alive (World *world)
{
  for (guint s = 1; s <= SOCKETS; s++)
    if (world->alive[s])
      return TRUE;
  return FALSE;
}

/* Whatever the order of connecting, arriving, dying and time passing: never two different choices; and both choose
 * unless the chosen socket itself was cut after the inviter had confirmed it. */
static void
test_every_order (void)
{
  guint agreed = 0;
  guint lost_with_the_path = 0;

  for (guint32 seed = 0; seed < 100000; seed++)
    {
      g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
      g_autoptr (World) world = world_new ();
      guint cuts_left = g_rand_int_range (rand, 0, SOCKETS);

      for (int step = 0; step < 60; step++)
        random_step (world, rand, &cuts_left);
      let_it_end (world);

      if (world->agreed[KH_ROLE_JOINER] != 0)
        g_assert_cmpuint (world->agreed[KH_ROLE_JOINER], ==, world->agreed[KH_ROLE_INVITER]);
      g_assert_cmpuint (world->refused, ==, 0);

      if (world->agreed[KH_ROLE_INVITER] != 0 && !world->alive[world->agreed[KH_ROLE_INVITER]])
        lost_with_the_path++;
      else if (any_alive (world))
        {
          g_assert_cmpuint (world->agreed[KH_ROLE_JOINER], !=, 0);
          assert_both_agree_on (world, world->agreed[KH_ROLE_INVITER]);
          agreed++;
        }
    }

  g_test_message ("%u runs agreed, in %u the path was cut after it was confirmed", agreed, lost_with_the_path);
  g_assert_cmpuint (agreed, >, 50000);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/agreement/first-wins", test_first_wins);
  g_test_add_func ("/agreement/nominated-dies", test_nominated_dies);
  g_test_add_func ("/agreement/overdue", test_overdue);
  g_test_add_func ("/agreement/overdue-alone", test_overdue_alone);
  g_test_add_func ("/agreement/slow-socket", test_slow_socket_gets_three_round_trips);
  g_test_add_func ("/agreement/refuses", test_refuses);
  g_test_add_func ("/agreement/every-order", test_every_order);
  return g_test_run ();
}
