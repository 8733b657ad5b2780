/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-dial-client.h"
#include "kh-server-process.h"

#include <string.h>

/* What an attacker tries, to make the server dial somebody who did not ask. Two victims: an address that never had to
 * do with the server, and a client behind the attacker's own address. Each listens where a dial would arrive. After
 * each try neither has got a connection, and the server serves both as before. */

#define REQUESTS 1000

typedef struct
{
  KhDialServer *server;
  KhDialClient *attacker;
  KhDialClient *victim;
  GSocket *victim_listener;
  GInetSocketAddress *bystander;
  GSocket *bystander_listener;
} Scene;

static void
scene_set_up (Scene *self, const KhDialBackLimits *limits)
{
  g_autoptr (GInetSocketAddress) any_port = kh_address_new ("127.0.0.3", 0);
  GInetSocketAddress *address;

  self->server = kh_dial_server_new ("127.0.0.1", "127.0.0.2", limits);
  address = g_ptr_array_index (self->server->addresses, 0);
  self->attacker = kh_dial_client_new (address, "127.0.0.1");
  self->victim = kh_dial_client_new (address, "127.0.0.1");
  self->victim_listener = kh_dial_test_listen (self->victim->local);
  self->bystander_listener = kh_dial_test_listen (any_port);
  self->bystander = G_INET_SOCKET_ADDRESS (g_socket_get_local_address (self->bystander_listener, NULL));
}

static void
assert_honest_is_served (Scene *self)
{
  g_autoptr (KhDialClient) honest = kh_dial_client_new (g_ptr_array_index (self->server->addresses, 0), "127.0.0.4");
  g_autoptr (GSocket) listener = kh_dial_test_listen (honest->local);
  g_autoptr (KhStunMessage) answer = kh_dial_client_ask (honest, KH_DIAL_ADDRESS, NULL);

  kh_dial_client_assert_result (honest, answer->id, KH_DIAL_CONNECTED);
  kh_dial_test_assert_dialled (listener, answer);
}

/* The attacker's connection ends first, and with it what it has begun; nothing that is left may dial. */
static void
scene_tear_down (Scene *self)
{
  g_clear_pointer (&self->attacker, kh_dial_client_free);
  kh_test_wait_until (kh_dial_server_get_dials (self->server) == 0, 10000);
  assert_honest_is_served (self);
  if (self->victim != NULL)
    kh_dial_client_assert_served (self->victim); /* and nothing else came on its connection */
  g_assert_cmpuint (kh_dial_test_count (self->victim_listener), ==, 0);
  g_assert_cmpuint (kh_dial_test_count (self->bystander_listener), ==, 0);

  g_clear_pointer (&self->victim, kh_dial_client_free);
  g_object_unref (self->victim_listener);
  g_object_unref (self->bystander_listener);
  g_object_unref (self->bystander);
  kh_dial_server_free (self->server);
}

static KhStunMessage *
make_request (KhDialKind kind, const guint8 *cookie)
{
  KhStunMessage *request = kh_stun_message_new (KH_STUN_REQUEST, KH_STUN_METHOD_DIAL_BACK, NULL);

  request->dial_kind = kind;
  request->has_cookie = cookie != NULL;
  if (cookie != NULL)
    memcpy (request->cookie, cookie, sizeof request->cookie);
  return request;
}

/* What the attacker gets is its own port dialled, if anything, where nobody listens. */
static void
assert_dials_attacker (Scene *self, KhStunMessage *request)
{
  g_autoptr (KhStunMessage) answer = NULL;

  kh_dial_client_send (self->attacker, request);
  answer = kh_dial_client_read (self->attacker);
  g_assert_cmpint (answer->klass, ==, KH_STUN_SUCCESS);
  kh_dial_client_assert_result (self->attacker, answer->id, KH_DIAL_REFUSED);
}

static void
name_mapped_address (Scene *self)
{
  g_autoptr (KhStunMessage) request = make_request (KH_DIAL_PORT, NULL);

  request->mapped = g_object_ref (self->bystander); /* goes as XOR-MAPPED-ADDRESS and as MAPPED-ADDRESS */
  assert_dials_attacker (self, request);
}

static void
name_response_origin (Scene *self)
{
  g_autoptr (KhStunMessage) request = make_request (KH_DIAL_PORT, NULL);

  request->response_origin = g_object_ref (self->victim->local);
  assert_dials_attacker (self, request);
}

static void
name_other_address (Scene *self)
{
  g_autoptr (KhStunMessage) request = make_request (KH_DIAL_ADDRESS, NULL);

  request->other_address = g_object_ref (self->victim->local);
  request->mapped = g_object_ref (self->victim->local);
  assert_dials_attacker (self, request);
}

static void
send_raw (KhDialClient *client, const char *hex)
{
  g_autoptr (GBytes) bytes = kh_test_unhex (hex);

  kh_test_socket_send (client->socket, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
}

#define REST "2112a442000102030405060708090a0b"
#define KIND_PORT "4d50000401000000"

/* Attributes of other protocols that name an address: MAPPED-ADDRESS alone, RESPONSE-ADDRESS and DESTINATION of old
 * STUN, XOR-PEER-ADDRESS of TURN, ALTERNATE-SERVER. Those that must be understood are told not to be. */
static void
name_by_other_attributes (Scene *self)
{
  static const struct
  {
    const char *attribute;
    gboolean refused;
  } cases[] = { { "0001", FALSE }, { "0002", TRUE }, { "0012", TRUE }, { "802b", FALSE }, { "8023", FALSE } };
  guint16 port = g_inet_socket_address_get_port (self->bystander);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (KhDialClient) client =
          kh_dial_client_new (g_ptr_array_index (self->server->addresses, 0), "127.0.0.1");
      g_autofree char *hex =
          g_strdup_printf ("02a50014" REST KIND_PORT "%s00080001%04x7f000003", cases[i].attribute, port);
      g_autoptr (KhStunMessage) answer = NULL;

      send_raw (client, hex);
      answer = kh_dial_client_read (client);
      g_assert_cmpint (answer->error_code, ==, cases[i].refused ? 420 : 0);
      if (!cases[i].refused)
        kh_dial_client_assert_result (client, answer->id, KH_DIAL_REFUSED);
    }
}

static void
guess_cookies (Scene *self)
{
  guint8 cookie[KH_STUN_COOKIE_BYTES] = { 0 };

  for (int i = 0; i < 40; i++)
    {
      kh_dial_client_assert_error (self->attacker, KH_DIAL_PORT + i % KH_DIAL_POKE, cookie, 403);
      for (gsize j = 0; j < sizeof cookie; j++)
        cookie[j] = g_random_int ();
    }
}

/* Of the victim's and of the attacker's own, in case that one is found by the other. */
static void
flip_bits_of_cookies (Scene *self)
{
  for (gsize bit = 0; bit < KH_STUN_COOKIE_BYTES * 8; bit++)
    {
      g_autoptr (KhDialClient) client =
          bit % 16 == 0 ? kh_dial_client_new (g_ptr_array_index (self->server->addresses, 0), "127.0.0.1") : NULL;
      guint8 cookie[KH_STUN_COOKIE_BYTES];

      if (client != NULL)
        {
          kh_dial_client_free (self->attacker); /* one connection may ask only so often */
          self->attacker = g_steal_pointer (&client);
        }
      memcpy (cookie, self->victim->cookie, sizeof cookie);
      cookie[bit / 8] ^= 1 << bit % 8;
      kh_dial_client_assert_error (self->attacker, KH_DIAL_PORT, cookie, 403);
      memcpy (cookie, self->attacker->cookie, sizeof cookie);
      cookie[bit / 8] ^= 1 << bit % 8;
      kh_dial_client_assert_error (self->attacker, KH_DIAL_POKE, cookie, 403);
    }
}

/* Whoever has recorded a client's request, cookie and all, has no second use of it. */
static void
replay_request (Scene *self)
{
  g_autoptr (KhDialClient) other = kh_dial_client_new (g_ptr_array_index (self->server->addresses, 0), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (other->local);
  g_autoptr (KhStunMessage) recorded = make_request (KH_DIAL_PORT, other->cookie);
  g_autoptr (KhStunMessage) granted = NULL;
  g_autoptr (KhStunMessage) again = NULL;

  kh_dial_client_send (other, recorded);
  granted = kh_dial_client_read (other);
  kh_dial_client_assert_result (other, granted->id, KH_DIAL_CONNECTED);
  kh_dial_test_assert_dialled (listener, granted);

  kh_dial_client_send (self->attacker, recorded);
  again = kh_dial_client_read (self->attacker);
  g_assert_cmpint (again->error_code, ==, 403);
  g_assert_cmpuint (kh_dial_test_count (listener), ==, 0);
}

static void
wrong_kinds (Scene *self)
{
  static const char *const requests[] = {
    "02a50008" REST "4d50000400000000",
    "02a50008" REST "4d50000406000000",
    "02a50008" REST "4d500004ff000000",
    "02a50008" REST "4d50000400010000",
    "02a50000" REST,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_autoptr (KhStunMessage) answer = NULL;

      send_raw (self->attacker, requests[i]);
      answer = kh_dial_client_read (self->attacker);
      g_assert_cmpint (answer->error_code, ==, 400);
    }
}

static void
go_without_request (Scene *self)
{
  g_autoptr (KhStunMessage) go = kh_stun_message_new (KH_STUN_INDICATION, KH_STUN_METHOD_DIAL_BACK, NULL);

  go->dial_kind = KH_DIAL_CROSSING;
  go->has_cookie = TRUE;
  memcpy (go->cookie, self->victim->cookie, sizeof go->cookie);
  go->mapped = g_object_ref (self->victim->local);
  kh_dial_client_send (self->attacker, go);
  kh_dial_client_assert_served (self->attacker);
  g_assert_cmpuint (kh_dial_server_get_dials (self->server), ==, 0);
}

static void
go_twice (Scene *self)
{
  g_autoptr (GSocket) listener = kh_dial_test_listen (self->attacker->local);
  g_autoptr (KhStunMessage) answer = kh_dial_client_ask (self->attacker, KH_DIAL_CROSSING, NULL);

  for (int i = 0; i < 20; i++)
    kh_dial_client_go (self->attacker, answer->id);
  kh_dial_client_assert_result (self->attacker, answer->id, KH_DIAL_CONNECTED);
  kh_dial_test_assert_dialled (listener, answer);
  kh_dial_client_assert_served (self->attacker);
  g_assert_cmpuint (kh_dial_test_count (listener), ==, 0);
}

/* Only the connection that asked may say go, be the transaction id known or not. */
static void
go_for_another (Scene *self)
{
  g_autoptr (KhStunMessage) waiting = kh_dial_client_ask (self->victim, KH_DIAL_CROSSING, NULL);

  kh_dial_client_go (self->attacker, waiting->id);
  kh_dial_client_assert_served (self->attacker);
  g_assert_cmpuint (kh_dial_server_get_dials (self->server), ==, 1);
  g_assert_cmpuint (kh_dial_test_count (self->victim_listener), ==, 0);
  kh_dial_client_assert_result (self->victim, waiting->id, KH_DIAL_FAILED); /* it never came */
}

static void
go_on_another_connection (Scene *self)
{
  g_autoptr (KhDialClient) second = kh_dial_client_new (g_ptr_array_index (self->server->addresses, 3), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (self->attacker->local);
  g_autoptr (KhStunMessage) waiting = kh_dial_client_ask (self->attacker, KH_DIAL_BARE_SYN, NULL);

  kh_dial_client_go (second, waiting->id);
  kh_dial_client_assert_served (second);
  g_assert_cmpuint (kh_dial_test_count (listener), ==, 0);
}

static void
poke_the_victim (Scene *self)
{
  guint8 cookie[KH_STUN_COOKIE_BYTES];

  memcpy (cookie, self->victim->cookie, sizeof cookie);
  cookie[15] ^= 0x80;
  kh_dial_client_assert_error (self->attacker, KH_DIAL_POKE, cookie, 403);
}

static void
ask_by_indication (Scene *self)
{
  for (int kind = KH_DIAL_PORT; kind < KH_N_DIAL_KINDS; kind++)
    {
      g_autoptr (KhStunMessage) request = make_request (kind, self->victim->cookie);

      request->klass = KH_STUN_INDICATION;
      kh_dial_client_send (self->attacker, request);
      kh_dial_client_assert_served (self->attacker);
      g_assert_cmpuint (kh_dial_server_get_dials (self->server), ==, 0);
    }
}

/* Answers are what a server sends. Who sends one is disconnected. */
static void
ask_by_answers (Scene *self)
{
  for (int klass = KH_STUN_SUCCESS; klass <= KH_STUN_ERROR; klass++)
    {
      g_autoptr (KhDialClient) client =
          kh_dial_client_new (g_ptr_array_index (self->server->addresses, 0), "127.0.0.1");
      g_autoptr (KhStunMessage) answer = make_request (KH_DIAL_PORT, self->victim->cookie);

      answer->klass = klass;
      kh_dial_client_send (client, answer);
      kh_test_wait_until ((g_socket_condition_check (client->socket, G_IO_IN) & G_IO_IN) != 0, 5000);
      kh_test_socket_end (client->socket);
    }
}

static void
break_attributes (Scene *self)
{
  static const char *const requests[] = {
    "02a50004" REST "4d500000",                 /* a kind of no bytes */
    "02a50008" REST "4d50000301000000",         /* of three */
    "02a5000c" REST "4d5000080100000000000000", /* of eight */
    "02a5000c" REST KIND_PORT "cd500000",       /* a cookie of no bytes */
    "02a5001c" REST KIND_PORT "cd50000f00000000000000000000000000000000",
    "02a50020" REST KIND_PORT "cd5000110000000000000000000000000000000000000000",
    "02a5000c" REST KIND_PORT "cd50ffff", /* longer than the message */
    "02a5fffc" REST KIND_PORT,            /* longer than any message */
    "02a50006" REST KIND_PORT,
  };

  for (gsize i = 0; i < G_N_ELEMENTS (requests); i++)
    {
      g_autoptr (KhDialClient) client =
          kh_dial_client_new (g_ptr_array_index (self->server->addresses, 0), "127.0.0.1");

      send_raw (client, requests[i]);
      kh_test_wait_until ((g_socket_condition_check (client->socket, G_IO_IN) & G_IO_IN) != 0, 5000);
      kh_test_socket_end (client->socket);
    }
}

/* An own cookie in front of a guessed one, and behind it. */
static void
two_cookies (Scene *self)
{
  static const char *const guessed = "00000000000000000000000000000000";
  g_autofree char *own = kh_test_hex (self->attacker->cookie, KH_STUN_COOKIE_BYTES);
  const char *const orders[][2] = { { own, guessed }, { guessed, own } };

  for (gsize i = 0; i < G_N_ELEMENTS (orders); i++)
    {
      g_autofree char *hex =
          g_strdup_printf ("02a50030" REST KIND_PORT "cd500010%scd500010%s", orders[i][0], orders[i][1]);
      g_autoptr (KhStunMessage) answer = NULL;

      send_raw (self->attacker, hex);
      answer = kh_dial_client_read (self->attacker);
      if (answer->klass == KH_STUN_SUCCESS)
        kh_dial_client_assert_result (self->attacker, answer->id, KH_DIAL_REFUSED); /* its own port */
      else
        g_assert_cmpint (answer->error_code, ==, 403);
    }
}

static void
run_try (gconstpointer data)
{
  void (*try_it) (Scene *) = data;
  KhDialBackLimits limits = kh_dial_back_limits;
  Scene scene = { 0 };

  limits.go_ms = 1000;
  scene_set_up (&scene, &limits);
  try_it (&scene);
  scene_tear_down (&scene);
}

/* The cookie was the victim's, and is known: it has expired, and somebody else has the port by now. */
static void
test_expired_cookie (void)
{
  KhDialBackLimits limits = kh_dial_back_limits;
  guint8 cookie[KH_STUN_COOKIE_BYTES];
  KhStunServerStatus status;
  Scene scene = { 0 };
  gint64 ended;

  limits.cookie_ms = 1;
  scene_set_up (&scene, &limits);
  memcpy (cookie, scene.victim->cookie, sizeof cookie);
  g_clear_pointer (&scene.victim, kh_dial_client_free);
  kh_test_wait_until ((kh_stun_server_get_status (scene.server->stun, &status), status.clients) == 1, 5000);
  ended = g_get_monotonic_time ();
  kh_test_wait_until (g_get_monotonic_time () - ended > 1000, 5000);
  for (int kind = KH_DIAL_PORT; kind < KH_N_DIAL_KINDS; kind++)
    kh_dial_client_assert_error (scene.attacker, kind, cookie, 403);
  scene_tear_down (&scene);
}

/* One connection: each kind once, whatever is asked; then it is closed for asking so much. */
static void
test_flood_on_one_connection (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", "127.0.0.2", NULL);
  g_autoptr (KhDialClient) client = kh_dial_client_new (g_ptr_array_index (server->addresses, 0), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (client->local);
  g_autoptr (GByteArray) flood = g_byte_array_new ();
  KhStunServerStatus status;

  for (int i = 0; i < REQUESTS; i++)
    {
      g_autoptr (KhStunMessage) request = make_request (KH_DIAL_PORT + i % KH_DIAL_ADDRESS, NULL);
      g_autoptr (GBytes) bytes = kh_stun_message_to_bytes (request);

      g_byte_array_append (flood, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    }
  kh_test_socket_send (client->socket, flood->data, flood->len);
  kh_test_wait_until ((kh_stun_server_get_status (server->stun, &status), status.clients) == 0, 10000);
  kh_test_wait_until (kh_dial_server_get_dials (server) == 0, 10000);
  g_assert_cmpuint (kh_dial_test_count (listener), <=, KH_DIAL_ADDRESS);
  g_assert_cmpuint (status.dial_back.requests, <=, 60);
}

/* Asks for all that one connection may ask, and tells how many connections its port has got of it. */
static guint
count_dials (KhDialServer *server, guint *requests)
{
  g_autoptr (KhDialClient) client = kh_dial_client_new (g_ptr_array_index (server->addresses, 0), "127.0.0.1");
  g_autoptr (GSocket) listener = kh_dial_test_listen (client->local);

  for (int kind = KH_DIAL_PORT; kind <= KH_DIAL_BARE_SYN; kind++)
    {
      g_autoptr (KhStunMessage) answer = kh_dial_client_ask (client, kind, NULL);

      (*requests)++;
      if (answer->klass == KH_STUN_ERROR)
        {
          g_assert_cmpint (answer->error_code, ==, 486);
          continue;
        }
      if (kind >= KH_DIAL_CROSSING)
        kh_dial_client_go (client, answer->id);
      kh_dial_client_assert_result (client, answer->id, KH_DIAL_CONNECTED);
    }

  return kh_dial_test_count (listener);
}

/* Hundreds of connections from one address: what arrives there is what the limit says, and others are served. */
static void
test_flood_on_many_connections (void)
{
  g_autoptr (KhDialServer) server = kh_dial_server_new ("127.0.0.1", "127.0.0.2", NULL);
  Scene others = { .server = server };
  gint64 begun = g_get_monotonic_time ();
  guint requests = 0;
  guint dials = 0;
  double allowed;

  while (requests < REQUESTS)
    dials += count_dials (server, &requests);
  allowed = 32 + (double) (g_get_monotonic_time () - begun) / G_USEC_PER_SEC * 16 / 60;
  g_test_message ("%u requests, %u dials, %.1f allowed", requests, dials, allowed);
  g_assert_cmpuint (dials, >=, 32);
  g_assert_cmpfloat (dials, <=, allowed);
  assert_honest_is_served (&others);
}

static guint
count_descriptors (KhServerProcess *server)
{
  g_autofree char *path = g_strdup_printf ("/proc/%s/fd", g_subprocess_get_identifier (server->process));
  g_autoptr (GDir) directory = g_dir_open (path, 0, NULL);
  guint count = 0;

  g_assert_nonnull (directory);
  while (g_dir_read_name (directory) != NULL)
    count++;
  return count;
}

/* Each time another way is left half done: no go, no close, no reading. */
static void
test_descriptors (void)
{
  g_autoptr (KhServerProcess) server = kh_server_process_new ("--alternate-address=127.0.0.2", NULL);
  GInetSocketAddress *address = g_ptr_array_index (server->stun, 0);
  KhDialClient *first = kh_dial_client_new (address, "127.0.0.1");
  guint before = count_descriptors (server);

  for (int i = 0; i < REQUESTS / 4; i++)
    {
      g_autofree char *ip = g_strdup_printf ("127.1.%d.1", i % 16);
      g_autoptr (KhDialClient) client = kh_dial_client_new (address, ip);
      g_autoptr (GSocket) listener = i % 2 == 0 ? kh_dial_test_listen (client->local) : NULL;

      for (int kind = KH_DIAL_PORT; kind <= KH_DIAL_BARE_SYN; kind++)
        {
          g_autoptr (KhStunMessage) request = make_request (kind, NULL);

          kh_dial_client_send (client, request);
          if (i % 3 == 0)
            kh_dial_client_go (client, request->id);
        }
      if (i % 5 != 0)
        g_clear_pointer (&(KhStunMessage *){ kh_dial_client_read (client) }, kh_stun_message_free);
    }
  kh_test_wait_until (count_descriptors (server) == before, 20000);
  kh_dial_client_assert_served (first);
  kh_dial_client_free (first);
  kh_test_wait_until (count_descriptors (server) == before - 1, 5000);
}

static const struct
{
  const char *name;
  void (*try_it) (Scene *);
} tries[] = {
  { "name-mapped-address", name_mapped_address },
  { "name-response-origin", name_response_origin },
  { "name-other-address", name_other_address },
  { "name-by-other-attributes", name_by_other_attributes },
  { "guess-cookies", guess_cookies },
  { "flip-bits-of-cookies", flip_bits_of_cookies },
  { "replay-request", replay_request },
  { "wrong-kinds", wrong_kinds },
  { "go-without-request", go_without_request },
  { "go-twice", go_twice },
  { "go-for-another", go_for_another },
  { "go-on-another-connection", go_on_another_connection },
  { "poke-the-victim", poke_the_victim },
  { "ask-by-indication", ask_by_indication },
  { "ask-by-answers", ask_by_answers },
  { "break-attributes", break_attributes },
  { "two-cookies", two_cookies },
};

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (tries); i++)
    {
      g_autofree char *path = g_strconcat ("/dial-attacks/", tries[i].name, NULL);

      g_test_add_data_func (path, tries[i].try_it, run_try);
    }
  g_test_add_func ("/dial-attacks/expired-cookie", test_expired_cookie);
  g_test_add_func ("/dial-attacks/flood-on-one-connection", test_flood_on_one_connection);
  g_test_add_func ("/dial-attacks/flood-on-many-connections", test_flood_on_many_connections);
  g_test_add_func ("/dial-attacks/descriptors", test_descriptors);
  return g_test_run ();
}
