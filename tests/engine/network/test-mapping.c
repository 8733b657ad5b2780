/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-address.h"
#include "kh-error.h"
#include "kh-json.h"
#include "kh-mapping.h"
#include "kh-stun-client.h"
#include "kh-stun.h"
#include "kh-test.h"

#include <string.h>

/* --- STUN servers with a character ---------------------------------------------------------------------------------- */

typedef enum
{
  HONEST,
  OTHER_ID,       /* answers another request only */
  LIES_LENGTH,    /* a header that announces more than it sends, and more than is allowed */
  LONG_ATTRIBUTE, /* an attribute that reaches beyond the message */
  JUNK,
  SILENT,
  CLOSES,
  NO_ADDRESS,
  REFUSES,
  PORT_ZERO,
} Manner;

typedef struct
{
  GSocketService *service;
  guint16 port;
  Manner manner;
  const char *outside; /* what it says instead of the truth */
  GInetSocketAddress *other;
  guint connections;
  guint requests;
  GPtrArray *streams;
} Server;

static GBytes *
make_answer (Server *server, const KhStunMessage *request, GSocketAddress *seen)
{
  g_autoptr (KhStunMessage) answer = kh_stun_message_new (KH_STUN_SUCCESS, KH_STUN_METHOD_BINDING, request->id);

  switch (server->manner)
    {
    case OTHER_ID:
      answer->id[0] ^= 1;
      break;
    case NO_ADDRESS:
      return kh_stun_message_to_bytes (answer);
    case REFUSES:
      answer->klass = KH_STUN_ERROR;
      answer->error_code = 401;
      answer->error_reason = g_strdup ("Unauthorized");
      return kh_stun_message_to_bytes (answer);
    case PORT_ZERO:
      answer->mapped = kh_address_new ("203.0.113.1", 0);
      return kh_stun_message_to_bytes (answer);
    default:
      break;
    }

  answer->mapped =
      server->outside != NULL ? kh_address_from_text (server->outside) : g_object_ref (G_INET_SOCKET_ADDRESS (seen));
  if (server->other != NULL)
    answer->other_address = g_object_ref (server->other);
  return kh_stun_message_to_bytes (answer);
}

typedef struct
{
  Server *server;
  GSocketConnection *connection;
  guint8 buffer[512];
  gsize filled;
} Client;

static void serve (Client *client);

static void
reply (Client *client, const KhStunMessage *request)
{
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (client->connection));
  g_autoptr (GSocketAddress) seen = g_socket_connection_get_remote_address (client->connection, NULL);
  g_autoptr (GBytes) answer = make_answer (client->server, request, seen);
  gsize length;
  g_autofree guint8 *bytes = g_memdup2 (g_bytes_get_data (answer, &length), g_bytes_get_size (answer));

  length = g_bytes_get_size (answer);
  if (client->server->manner == LIES_LENGTH)
    bytes[2] = 0xff;
  if (client->server->manner == LONG_ATTRIBUTE)
    bytes[22] = 0x7f;
  if (client->server->manner == JUNK)
    memset (bytes, 'x', length);
  g_assert_true (g_output_stream_write_all (output, bytes, length, NULL, NULL, NULL));
}

static void
client_free (Client *client)
{
  g_io_stream_close (G_IO_STREAM (client->connection), NULL, NULL);
  g_object_unref (client->connection);
  g_free (client);
}

static void
on_request (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Client *client = user_data;
  gssize got = g_input_stream_read_finish (G_INPUT_STREAM (source), result, NULL);
  g_autoptr (KhStunMessage) request = NULL;

  if (got <= 0)
    {
      client_free (client);
      return;
    }

  request = kh_stun_message_from_bytes (client->buffer, got, NULL);
  g_assert_nonnull (request);
  g_assert_cmpint (request->klass, ==, KH_STUN_REQUEST);
  client->server->requests++;
  if (client->server->manner == CLOSES)
    {
      client_free (client);
      return;
    }
  if (client->server->manner != SILENT)
    reply (client, request);
  serve (client);
}

static void
serve (Client *client)
{
  g_input_stream_read_async (g_io_stream_get_input_stream (G_IO_STREAM (client->connection)), client->buffer,
                             sizeof client->buffer, 0, NULL, on_request, client);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  Client *client = g_new0 (Client, 1);

  client->server = user_data;
  client->connection = g_object_ref (connection);
  client->server->connections++;
  g_ptr_array_add (client->server->streams, g_object_ref (connection));
  serve (client);
  return TRUE;
}

static void
server_start (Server *server, const char *ip, Manner manner)
{
  g_autoptr (GSocketAddress) wanted = G_SOCKET_ADDRESS (kh_address_new (ip, 0));
  g_autoptr (GSocketAddress) got = NULL;

  memset (server, 0, sizeof *server);
  server->manner = manner;
  server->streams = g_ptr_array_new_with_free_func (g_object_unref);
  server->service = g_socket_service_new ();
  g_assert_true (g_socket_listener_add_address (G_SOCKET_LISTENER (server->service), wanted, G_SOCKET_TYPE_STREAM,
                                                G_SOCKET_PROTOCOL_TCP, NULL, &got, NULL));
  server->port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (got));
  g_signal_connect (server->service, "incoming", G_CALLBACK (on_incoming), server);
}

static void
server_stop (Server *server)
{
  g_socket_service_stop (server->service);
  g_socket_listener_close (G_SOCKET_LISTENER (server->service));
  g_object_unref (server->service);
  g_ptr_array_unref (server->streams);
  g_clear_object (&server->other);
  kh_test_settle ();
}

static void
drop_all (Server *server)
{
  for (guint i = 0; i < server->streams->len; i++)
    g_socket_shutdown (g_socket_connection_get_socket (g_ptr_array_index (server->streams, i)), TRUE, TRUE, NULL);
  g_ptr_array_set_size (server->streams, 0);
}

/* --- one client ------------------------------------------------------------------------------------------------------- */

static GInetSocketAddress *
ask (KhStunClient *client, int milliseconds, GError **error)
{
  g_autoptr (GAsyncResult) result = NULL;

  kh_stun_client_ask_async (client, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, milliseconds);
  return kh_stun_client_ask_finish (client, result, error);
}

static void
test_honest (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (GInetSocketAddress) address = NULL;
  g_autoptr (GInetSocketAddress) outside = NULL;
  g_autoptr (GInetSocketAddress) again = NULL;
  KhStunClient *client;
  Server server;

  server_start (&server, "127.0.0.1", HONEST);
  address = kh_address_new ("127.0.0.1", server.port);
  client = kh_stun_client_new (port, address);
  outside = ask (client, 2000, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_inet_socket_address_get_port (outside), ==, kh_port_get_number (port));

  /* The connection stays, and is used again. */
  g_assert_true (kh_stun_client_is_open (client));
  again = ask (client, 2000, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (server.connections, ==, 1);
  g_assert_cmpuint (server.requests, ==, 2);
  g_assert_cmpint (kh_stun_client_get_rtt (client), >=, 0);

  kh_stun_client_close (client);
  kh_test_settle ();
  g_assert_finalize_object (client);
  server_stop (&server);
}

static void
test_bad_servers (void)
{
  static const struct
  {
    Manner manner;
    GQuark (*domain) (void);
    int code;
    const char *words;
  } cases[] = {
    { OTHER_ID, g_io_error_quark, G_IO_ERROR_TIMED_OUT, "did not answer" },
    { LIES_LENGTH, kh_error_quark, KH_ERROR_PROTOCOL, "does not speak STUN" },
    { LONG_ATTRIBUTE, kh_error_quark, KH_ERROR_PROTOCOL, "" },
    { JUNK, kh_error_quark, KH_ERROR_PROTOCOL, "does not speak STUN" },
    { SILENT, g_io_error_quark, G_IO_ERROR_TIMED_OUT, "did not answer" },
    { CLOSES, g_io_error_quark, G_IO_ERROR_CONNECTION_CLOSED, "closed" },
    { NO_ADDRESS, kh_error_quark, KH_ERROR_PROTOCOL, "no address" },
    { REFUSES, kh_error_quark, KH_ERROR_PROTOCOL, "401 Unauthorized" },
    { PORT_ZERO, kh_error_quark, KH_ERROR_PROTOCOL, "no address" },
  };
  g_autoptr (KhPort) port = kh_port_new (0, NULL);

  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GInetSocketAddress) address = NULL;
      g_autoptr (GError) error = NULL;
      KhStunClient *client;
      Server server;

      server_start (&server, "127.0.0.1", cases[i].manner);
      address = kh_address_new ("127.0.0.1", server.port);
      client = kh_stun_client_new (port, address);
      g_assert_null (ask (client, 8000, &error));
      g_assert_error (error, cases[i].domain (), cases[i].code);
      g_assert_nonnull (strstr (error->message, cases[i].words));
      g_assert_false (kh_stun_client_is_open (client));
      kh_test_settle ();
      g_assert_finalize_object (client);
      server_stop (&server);
    }
}

static void
test_closed_while_asking (void)
{
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (GInetSocketAddress) address = NULL;
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  KhStunClient *client;
  Server server;

  server_start (&server, "127.0.0.1", SILENT);
  address = kh_address_new ("127.0.0.1", server.port);
  client = kh_stun_client_new (port, address);
  kh_stun_client_ask_async (client, kh_test_store_result, &result);
  kh_test_wait_until (server.requests == 1, 2000);
  kh_stun_client_close (client);
  kh_test_wait_until (result != NULL, 1000);
  g_assert_null (kh_stun_client_ask_finish (client, result, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_clear_object (&result);
  kh_test_settle ();
  g_assert_finalize_object (client);
  server_stop (&server);
}

/* --- several servers -------------------------------------------------------------------------------------------------- */

static guint
count_events (KhTrace *trace, const char *kind)
{
  guint n = 0;

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (trace)); i++)
    {
      g_autoptr (KhEvent) event = g_list_model_get_item (G_LIST_MODEL (trace), i);

      n += g_str_equal (kh_event_get_kind (event), kind);
    }
  return n;
}

static KhMapping *
start_mapping (KhTrace *trace, KhPort *port, Server *servers, gsize n_servers, const char *const *ips)
{
  g_auto (GStrv) names = g_new0 (char *, n_servers + 1);
  KhMapping *mapping;

  for (gsize i = 0; i < n_servers; i++)
    names[i] = g_strdup_printf ("%s:%u", ips[i], servers[i].port);
  mapping = kh_mapping_new (trace, port, (const char *const *) names);
  kh_mapping_start (mapping);
  return mapping;
}

static void
end_mapping (KhMapping *mapping, Server *servers, gsize n_servers)
{
  kh_mapping_stop (mapping);
  kh_test_settle ();
  g_assert_finalize_object (mapping);
  for (gsize i = 0; i < n_servers; i++)
    server_stop (&servers[i]);
}

static const char *const ips[] = { "127.0.0.1", "127.0.0.2", "127.0.0.3" };

/* One that is silent and one that sends junk harm nobody; the two that answer agree. */
static void
test_side_by_side (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (GPtrArray) outside = NULL;
  const char *const four[] = { "127.0.0.1", "127.0.0.1", "127.0.0.1", "127.0.0.2" };
  KhFacts facts;
  KhMapping *mapping;
  Server servers[4];

  server_start (&servers[0], four[0], SILENT);
  server_start (&servers[1], four[1], JUNK);
  server_start (&servers[2], four[2], HONEST);
  server_start (&servers[3], four[3], HONEST);
  servers[2].outside = servers[3].outside = "203.0.113.5:777";
  mapping = start_mapping (trace, port, servers, 4, four);
  g_assert_false (kh_mapping_is_ready (mapping));
  kh_test_wait_until (count_events (trace, "mapping.found") == 2, 2000);

  g_assert_true (kh_mapping_is_ready (mapping));
  outside = kh_mapping_get_outside (mapping);
  g_assert_cmpuint (outside->len, ==, 1);
  g_assert_cmpint (kh_mapping_get_age (mapping), <, 2000);
  kh_facts_init (&facts);
  kh_mapping_observe (mapping, &facts);
  g_assert_true (kh_facts_is (&facts, KH_FACT_MAPPING, "endpoint-independent"));
  g_assert_true (kh_facts_is (&facts, KH_FACT_ALLOCATION, "unknown"));
  end_mapping (mapping, servers, 4);
}

static void
test_servers_differ (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (GPtrArray) outside = NULL;
  KhFacts facts;
  KhMapping *mapping;
  Server servers[2];

  for (int i = 0; i < 2; i++)
    server_start (&servers[i], ips[i], HONEST);
  servers[0].outside = "203.0.113.5:777";
  servers[1].outside = "203.0.113.5:778";
  mapping = start_mapping (trace, port, servers, 2, ips);
  kh_test_wait_until (count_events (trace, "mapping.found") == 2, 2000);
  outside = kh_mapping_get_outside (mapping);
  g_assert_cmpuint (outside->len, ==, 2);
  kh_facts_init (&facts);
  kh_mapping_observe (mapping, &facts);
  g_assert_true (kh_facts_is (&facts, KH_FACT_MAPPING, "unknown"));
  end_mapping (mapping, servers, 2);
}

static void
test_no_nat (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  KhFacts facts;
  KhMapping *mapping;
  Server server;

  server_start (&server, ips[0], HONEST);
  mapping = start_mapping (trace, port, &server, 1, ips);
  kh_test_wait_until (kh_mapping_is_ready (mapping), 2000);
  kh_facts_init (&facts);
  kh_mapping_observe (mapping, &facts);
  g_assert_true (kh_facts_is (&facts, KH_FACT_MAPPING, "none"));
  g_assert_true (kh_facts_is (&facts, KH_FACT_ALLOCATION, "preserving"));
  end_mapping (mapping, &server, 1);
}

/* One server that names its other address is as good as two; unless it points somewhere it has no business. */
static void
test_other_address (void)
{
  for (int hostile = 0; hostile < 2; hostile++)
    {
      g_autoptr (KhTrace) trace = kh_trace_new ();
      g_autoptr (KhPort) port = kh_port_new (0, NULL);
      KhMapping *mapping;
      Server servers[2];

      for (int i = 0; i < 2; i++)
        server_start (&servers[i], ips[i], HONEST);
      servers[0].other = hostile ? kh_address_new ("8.8.8.8", 53) : kh_address_new (ips[1], servers[1].port);
      mapping = start_mapping (trace, port, servers, 1, ips);
      kh_test_wait_until (count_events (trace, "mapping.found") == (hostile ? 1u : 2u), 2000);
      kh_test_settle ();
      g_assert_cmpuint (servers[1].requests, ==, hostile ? 0 : 1);
      end_mapping (mapping, servers, 2);
    }
}

/* Servers that see us where nobody can be seen. (Loopback itself is the truth here: the server is on this machine.) */
static void
test_lies (void)
{
  static const char *const lies[] = { "0.0.0.0:5", "224.0.0.1:5", "169.254.0.1:5" };

  for (gsize i = 0; i < G_N_ELEMENTS (lies); i++)
    {
      g_autoptr (KhTrace) trace = kh_trace_new ();
      g_autoptr (KhPort) port = kh_port_new (0, NULL);
      KhMapping *mapping;
      Server server;

      server_start (&server, ips[0], HONEST);
      server.outside = lies[i];
      mapping = start_mapping (trace, port, &server, 1, ips);
      kh_test_wait_until (count_events (trace, "stun.failed") == 1, 2000);
      g_assert_cmpuint (count_events (trace, "mapping.found"), ==, 0);
      end_mapping (mapping, &server, 1);
    }
}

static void
test_none_answers (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  g_autoptr (GPtrArray) outside = NULL;
  KhMapping *mapping;
  Server servers[2];

  server_start (&servers[0], ips[0], JUNK);
  server_start (&servers[1], ips[1], CLOSES);
  mapping = start_mapping (trace, port, servers, 2, ips);
  kh_test_wait_until (kh_mapping_is_ready (mapping), 2000);
  outside = kh_mapping_get_outside (mapping);
  g_assert_cmpuint (outside->len, ==, 0);
  g_assert_cmpint (kh_mapping_get_age (mapping), ==, -1);
  end_mapping (mapping, servers, 2);
}

static void
test_names_that_are_none (void)
{
  const char *const names[] = { "", ":", "host:port", "[::1", "127.0.0.1:99999", NULL };
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  KhMapping *mapping = kh_mapping_new (trace, port, names);

  kh_mapping_start (mapping);
  kh_test_wait_until (kh_mapping_is_ready (mapping), 5000);
  kh_mapping_stop (mapping);
  kh_test_settle ();
  g_assert_finalize_object (mapping);
}

/* A connection that the server closes is renewed at once; never more than two are kept. */
static void
test_renewal (void)
{
  g_autoptr (KhTrace) trace = kh_trace_new ();
  g_autoptr (KhPort) port = kh_port_new (0, NULL);
  KhMapping *mapping;
  Server servers[3];
  guint before;

  for (int i = 0; i < 3; i++)
    server_start (&servers[i], ips[i], HONEST);
  mapping = start_mapping (trace, port, servers, 3, ips);
  kh_test_wait_until (count_events (trace, "mapping.found") == 3, 2000);

  before = servers[0].requests + servers[1].requests + servers[2].requests;
  for (int i = 0; i < 3; i++)
    drop_all (&servers[i]);
  kh_test_wait_until (servers[0].requests + servers[1].requests + servers[2].requests > before, 2000);
  g_assert_cmpuint (count_events (trace, "stun.closed"), >=, 1);

  /* Asked again before an offer, on the connection that is there. */
  kh_test_wait_until (count_events (trace, "mapping.found") == 4, 2000);
  before = servers[0].connections + servers[1].connections + servers[2].connections;
  kh_mapping_refresh (mapping);
  kh_test_wait_until (count_events (trace, "mapping.found") == 5, 2000);
  g_assert_cmpuint (servers[0].connections + servers[1].connections + servers[2].connections, ==, before);
  end_mapping (mapping, servers, 3);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/stun-client/honest", test_honest);
  g_test_add_func ("/stun-client/bad-servers", test_bad_servers);
  g_test_add_func ("/stun-client/closed-while-asking", test_closed_while_asking);
  g_test_add_func ("/mapping/side-by-side", test_side_by_side);
  g_test_add_func ("/mapping/servers-differ", test_servers_differ);
  g_test_add_func ("/mapping/no-nat", test_no_nat);
  g_test_add_func ("/mapping/other-address", test_other_address);
  g_test_add_func ("/mapping/lies", test_lies);
  g_test_add_func ("/mapping/none-answers", test_none_answers);
  g_test_add_func ("/mapping/names-that-are-none", test_names_that_are_none);
  g_test_add_func ("/mapping/renewal", test_renewal);
  return g_test_run ();
}
