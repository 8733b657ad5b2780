/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-gateway.h"
#include "kh-igd-text.h"
#include "kh-test.h"

#include <string.h>
#include <unistd.h>

#define PCP_GOOD "028000000000000000000001000000000000000000000000"
#define NAT_PMP_GOOD "0080000000000001cb007107" /* 203.0.113.7 */
/* How one says so that speaks the other only. */
#define PCP_NO "0080000100000001"
#define NAT_PMP_NO "028000010000000000000001000000000000000000000000"
#define WAN "urn:schemas-upnp-org:service:WANIPConnection:1"

typedef enum
{
  IGD_NONE,
  IGD_RIGHT,
  IGD_LOCATED_ELSEWHERE,
  IGD_ASKED_ELSEWHERE,
  IGD_BASED_ELSEWHERE,
  IGD_REDIRECTS,
  IGD_ENDLESS,
  IGD_ENDLESS_HEADERS,
  IGD_ENDLESS_ANSWER,
  IGD_SLOW,
  IGD_SLOW_ANSWER,
} Igd;

typedef struct
{
  const char *name;
  const char *pcp; /* what it answers, in hexadecimal digits */
  const char *nat_pmp;
  Igd igd;
  const char *upnp; /* the address that it names */
  int expected;
  const char *external;
  guint deaf;        /* to so many datagrams of each kind at first */
  gboolean stranger; /* answers come from another port */
  gboolean closed;   /* there is no port for NAT-PMP and PCP */
} Case;

/* A router at an address of this machine's own, 127.x.y.z: nothing else is there, so its ports are free. */
typedef struct
{
  const Case *is;
  GInetAddress *address;
  GSocket *control;
  GSocket *search;
  GSocket *stranger;
  GSource *sources[2];
  GSocketService *web;
  guint16 web_port;
  GSocketService *elsewhere;
  guint16 elsewhere_port;
  int n_elsewhere; /* atomic */
  guint heard[3];
} Router;

static GSocket *
open_port (GInetAddress *address, guint16 port)
{
  g_autoptr (GSocketAddress) here = g_inet_socket_address_new (address, port);
  g_autoptr (GError) error = NULL;
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, &error);

  g_assert_no_error (error);
  g_socket_bind (socket, here, FALSE, &error);
  g_assert_no_error (error);
  return socket;
}

static void
answer (Router *router, GSocket *socket, GSocketAddress *to, const void *data, gsize length)
{
  g_socket_send_to (router->is->stranger ? router->stranger : socket, to, data, length, NULL, NULL);
}

static gboolean
on_control (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Router *router = user_data;
  g_autoptr (GSocketAddress) from = NULL;
  guint8 request[64];
  gssize got = g_socket_receive_from (socket, &from, (char *) request, sizeof request, NULL, NULL);
  gboolean is_pcp = got > 0 && request[0] == 2;
  const char *hex = is_pcp ? router->is->pcp : router->is->nat_pmp;

  /* Nothing but questions: ANNOUNCE, and the request for the address. */
  g_assert_cmpint (got, ==, is_pcp ? 24 : 2);
  g_assert_cmpint (request[1], ==, 0);
  if (router->heard[is_pcp]++ >= router->is->deaf && hex != NULL)
    {
      g_autoptr (GBytes) bytes = kh_test_unhex (hex);

      answer (router, socket, from, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
    }
  return G_SOURCE_CONTINUE;
}

static char *
url_of (Router *router, gboolean elsewhere, const char *path)
{
  g_autofree char *host = g_inet_address_to_string (router->address);

  return elsewhere ? g_strdup_printf ("http://127.0.0.1:%u%s", router->elsewhere_port, path)
                   : g_strdup_printf ("http://%s:%u%s", host, router->web_port, path);
}

static gboolean
on_search (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Router *router = user_data;
  g_autoptr (GSocketAddress) from = NULL;
  char request[1024];
  gssize got = g_socket_receive_from (socket, &from, request, sizeof request, NULL, NULL);
  g_autofree char *url = url_of (router, router->is->igd == IGD_LOCATED_ELSEWHERE, "/desc.xml");
  g_autofree char *reply = g_strdup_printf ("HTTP/1.1 200 OK\r\nST: upnp:rootdevice\r\nLocation: %s\r\n\r\n", url);

  g_assert_true (got > 0 && g_str_has_prefix (request, "M-SEARCH * HTTP/1.1\r\n"));
  if (router->heard[2]++ >= router->is->deaf && router->is->igd != IGD_NONE)
    answer (router, socket, from, reply, strlen (reply));
  return G_SOURCE_CONTINUE;
}

static char *
describe (const char *base, const char *control)
{
  return g_strdup_printf ("<?xml version=\"1.0\"?><root xmlns=\"urn:schemas-upnp-org:device-1-0\"><URLBase>%s</URLBase>"
                          "<device><deviceType>urn:schemas-upnp-org:device:InternetGatewayDevice:1</deviceType>"
                          "<serviceList><service><serviceType>" WAN "</serviceType>"
                          "<controlURL>%s</controlURL><eventSubURL>/e</eventSubURL><SCPDURL>/s</SCPDURL>"
                          "</service></serviceList></device></root>",
                          base, control);
}

static void
write_text (GOutputStream *output, const char *text)
{
  g_output_stream_write_all (output, text, strlen (text), NULL, NULL, NULL);
}

static void
write_page (GOutputStream *output, const char *page)
{
  g_autofree char *text = g_strdup_printf ("HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %zu\r\n"
                                           "Connection: close\r\n\r\n%s",
                                           strlen (page), page);

  write_text (output, text);
}

/* Until the other end has had enough. */
static void
write_for_ever (GOutputStream *output, const char *begin)
{
  static char block[65536];

  memset (block, 'x', sizeof block);
  write_text (output, begin);
  while (g_output_stream_write_all (output, block, sizeof block, NULL, NULL, NULL))
    ;
}

static void
wait_for_end (GInputStream *input)
{
  char byte;

  while (g_input_stream_read (input, &byte, 1, NULL, NULL) > 0)
    ;
}

static void
serve_description (Router *router, GInputStream *input, GOutputStream *output)
{
  Igd igd = router->is->igd;
  g_autofree char *foreign = url_of (router, TRUE, "/control");
  g_autofree char *page =
      describe (igd == IGD_BASED_ELSEWHERE ? foreign : "", igd == IGD_ASKED_ELSEWHERE ? foreign : "/control");
  g_autofree char *redirection =
      g_strdup_printf ("HTTP/1.1 302 Found\r\nLocation: %s\r\nContent-Length: 0\r\n\r\n", foreign);

  if (igd == IGD_REDIRECTS)
    write_text (output, redirection);
  else if (igd == IGD_ENDLESS)
    write_for_ever (output, "HTTP/1.1 200 OK\r\n\r\n<root>");
  else if (igd == IGD_ENDLESS_HEADERS)
    write_for_ever (output, "HTTP/1.1 200 OK\r\nX: ");
  else if (igd == IGD_SLOW)
    wait_for_end (input);
  else
    write_page (output, page);
}

static void
serve_answer (Router *router, GInputStream *input, GOutputStream *output)
{
  g_autofree char *page =
      g_strdup_printf ("<s:Envelope><s:Body><u:GetExternalIPAddressResponse xmlns:u=\"" WAN "\">"
                       "<NewExternalIPAddress>%s</NewExternalIPAddress></u:GetExternalIPAddressResponse>"
                       "</s:Body></s:Envelope>",
                       router->is->upnp);

  if (router->is->igd == IGD_ENDLESS_ANSWER)
    write_for_ever (output, "HTTP/1.1 200 OK\r\n\r\n<NewExternalIPAddress>1.2.3.4</NewExternalIPAddress>");
  else if (router->is->igd == IGD_SLOW_ANSWER)
    wait_for_end (input);
  else
    write_page (output, page);
}

static gboolean
on_web (GThreadedSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  Router *router = user_data;
  GInputStream *input = g_io_stream_get_input_stream (G_IO_STREAM (connection));
  GOutputStream *output = g_io_stream_get_output_stream (G_IO_STREAM (connection));
  char request[4096] = "";
  gsize length = 0;
  gssize got = 1;

  /* The question is all that may be asked: whatever else it was would be in its name. */
  while (got > 0 && length < sizeof request - 1 && strstr (request, "\r\n\r\n") == NULL)
    {
      got = g_input_stream_read (input, request + length, sizeof request - 1 - length, NULL, NULL);
      length += MAX (0, got);
    }
  if (g_str_has_prefix (request, "GET /desc.xml "))
    serve_description (router, input, output);
  else if (g_str_has_prefix (request, "POST /control ") && strstr (request, WAN "#GetExternalIPAddress\"") != NULL)
    serve_answer (router, input, output);
  else
    g_error ("asked what is not to be asked: %s", request);
  return TRUE;
}

static gboolean
on_elsewhere (GThreadedSocketService *service, GSocketConnection *connection, GObject *source, gpointer user_data)
{
  g_atomic_int_inc (&((Router *) user_data)->n_elsewhere);
  return TRUE;
}

static GSocketService *
serve (GInetAddress *address, gpointer handler, Router *router, guint16 *port)
{
  GSocketService *service = g_threaded_socket_service_new (10);
  g_autoptr (GSocketAddress) here = g_inet_socket_address_new (address, 0);
  g_autoptr (GSocketAddress) bound = NULL;
  g_autoptr (GError) error = NULL;

  g_socket_listener_add_address (G_SOCKET_LISTENER (service), here, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, NULL,
                                 &bound, &error);
  g_assert_no_error (error);
  *port = g_inet_socket_address_get_port (G_INET_SOCKET_ADDRESS (bound));
  g_signal_connect (service, "run", G_CALLBACK (handler), router);
  return service;
}

static GSource *
listen_to (GSocket *socket, GSocketSourceFunc heard, Router *router)
{
  GSource *source = g_socket_create_source (socket, G_IO_IN, NULL);

  g_source_set_callback (source, G_SOURCE_FUNC (heard), router, NULL);
  g_source_attach (source, NULL);
  return source;
}

static Router *
router_new (const Case *is)
{
  Router *router = g_new0 (Router, 1);
  guint32 pid = getpid ();
  guint8 bytes[] = { 127, 1 + (pid >> 14) % 250, (pid >> 7) % 128, 2 + pid % 128 };
  g_autoptr (GInetAddress) other = g_inet_address_new_from_string ("127.0.0.1");

  router->is = is;
  router->address = g_inet_address_new_from_bytes (bytes, G_SOCKET_FAMILY_IPV4);
  router->control = open_port (router->address, is->closed ? 0 : 5351);
  router->search = open_port (router->address, 1900);
  router->stranger = open_port (other, 0);
  router->sources[0] = listen_to (router->control, on_control, router);
  router->sources[1] = listen_to (router->search, on_search, router);
  router->web = serve (router->address, on_web, router, &router->web_port);
  router->elsewhere = serve (other, on_elsewhere, router, &router->elsewhere_port);
  return router;
}

static void
router_free (Router *router)
{
  for (gsize i = 0; i < G_N_ELEMENTS (router->sources); i++)
    {
      g_source_destroy (router->sources[i]);
      g_source_unref (router->sources[i]);
    }
  g_socket_service_stop (router->web);
  g_socket_service_stop (router->elsewhere);
  kh_test_settle ();
  g_socket_listener_close (G_SOCKET_LISTENER (router->web));
  g_socket_listener_close (G_SOCKET_LISTENER (router->elsewhere));
  g_object_unref (router->web);
  g_object_unref (router->elsewhere);
  g_object_unref (router->control);
  g_object_unref (router->search);
  g_object_unref (router->stranger);
  g_object_unref (router->address);
  g_free (router);
}

#define ALL (KH_ROUTER_PCP | KH_ROUTER_NAT_PMP | KH_ROUTER_UPNP)
#define WITH_NAT_PMP (KH_ROUTER_NAT_PMP | KH_ROUTER_UPNP)

static const Case cases[] = {
  { "silent", NULL, NULL, IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "all", PCP_GOOD, NAT_PMP_GOOD, IGD_RIGHT, "203.0.113.7", ALL, "203.0.113.7" },
  { "disagree", PCP_GOOD, NAT_PMP_GOOD, IGD_RIGHT, "198.51.100.9", ALL, "203.0.113.7" },
  { "slow to hear", PCP_GOOD, NAT_PMP_GOOD, IGD_RIGHT, "203.0.113.7", ALL, "203.0.113.7", 2 },
  { "a stranger answers", PCP_GOOD, NAT_PMP_GOOD, IGD_RIGHT, "203.0.113.7", KH_ROUTER_NONE, "", 0, TRUE },

  { "pcp refuses", "0280000c0000000000000001000000000000000000000000", NAT_PMP_NO, IGD_RIGHT, "203.0.113.7",
    KH_ROUTER_PCP | KH_ROUTER_UPNP, "203.0.113.7" },
  { "pcp short", "0280000000000000000000010000000000000000", NULL, IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "pcp odd", PCP_GOOD "00", NULL, IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "pcp other opcode", "028100000000000000000001000000000000000000000000", NULL, IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "pcp echo", "020000000000000000000000000000000000ffff7f000001", NULL, IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "pcp other version", "038000010000000000000001000000000000000000000000", NULL, IGD_NONE, NULL, KH_ROUTER_NONE, "" },

  { "nat-pmp", PCP_NO, NAT_PMP_GOOD, IGD_RIGHT, "0.0.0.0", WITH_NAT_PMP, "203.0.113.7" },
  { "nat-pmp refuses", PCP_NO, "0080000200000001", IGD_RIGHT, "0.0.0.0", WITH_NAT_PMP, "" },
  { "nat-pmp no address", PCP_NO, "008000000000000100000000", IGD_RIGHT, "0.0.0.0", WITH_NAT_PMP, "" },
  { "nat-pmp short", PCP_NO, "00800000", IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "nat-pmp one byte less", PCP_NO, "0080000000000001cb0071", IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "nat-pmp empty", PCP_NO, "", IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "nat-pmp echo", PCP_NO, "0000", IGD_NONE, NULL, KH_ROUTER_NONE, "" },
  { "nat-pmp a mapping", PCP_NO, "00820000000000010050005000000e10", IGD_NONE, NULL, KH_ROUTER_NONE, "" },

  { "upnp", PCP_NO, NAT_PMP_NO, IGD_RIGHT, "203.0.113.7", KH_ROUTER_UPNP, "203.0.113.7" },
  { "upnp only", NULL, NULL, IGD_RIGHT, "203.0.113.7", KH_ROUTER_UPNP, "203.0.113.7", 0, FALSE, TRUE },
  { "upnp no address", PCP_NO, NAT_PMP_NO, IGD_RIGHT, "0.0.0.0", KH_ROUTER_UPNP, "" },
  { "upnp empty address", PCP_NO, NAT_PMP_NO, IGD_RIGHT, "", KH_ROUTER_UPNP, "" },
  { "upnp bad address", PCP_NO, NAT_PMP_NO, IGD_RIGHT, "203.0.113.7; reboot", KH_ROUTER_UPNP, "" },
  { "upnp located elsewhere", NULL, NULL, IGD_LOCATED_ELSEWHERE, "203.0.113.7", KH_ROUTER_NONE, "" },
  { "upnp asked elsewhere", NULL, NULL, IGD_ASKED_ELSEWHERE, "203.0.113.7", KH_ROUTER_NONE, "" },
  { "upnp based elsewhere", NULL, NULL, IGD_BASED_ELSEWHERE, "203.0.113.7", KH_ROUTER_NONE, "" },
  { "upnp redirects", NULL, NULL, IGD_REDIRECTS, "203.0.113.7", KH_ROUTER_NONE, "" },
  { "upnp endless", NULL, NULL, IGD_ENDLESS, "203.0.113.7", KH_ROUTER_NONE, "" },
  { "upnp endless headers", NULL, NULL, IGD_ENDLESS_HEADERS, "203.0.113.7", KH_ROUTER_NONE, "" },
  { "upnp endless answer", PCP_NO, NAT_PMP_NO, IGD_ENDLESS_ANSWER, "203.0.113.7", KH_ROUTER_UPNP, "" },
  { "upnp slow", NULL, NULL, IGD_SLOW, "203.0.113.7", KH_ROUTER_NONE, "" },
};

static void
test_case (gconstpointer data)
{
  const Case *is = data;
  Router *router = router_new (is);
  g_autoptr (GInetAddress) local = g_inet_address_new_from_string ("127.0.0.1");
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  KhRouterFacts facts = { 0 };
  /* Where each protocol is known to be spoken or not, it does not wait: this would be too long. */
  guint patience = is->expected & KH_ROUTER_UPNP ? 60000 : 250;

  kh_gateway_ask_async (router->address, local, patience, NULL, kh_test_store_result, &result);
  kh_test_wait_until (result != NULL, 10000);
  kh_gateway_ask_finish (result, &facts, &error);
  g_assert_no_error (error);
  g_assert_true (facts.asked);
  g_assert_cmpint (facts.protocols, ==, is->expected);
  g_assert_cmpstr (facts.external, ==, is->external);
  g_assert_cmpint (g_atomic_int_get (&router->n_elsewhere), ==, 0);

  kh_test_settle ();
  router_free (router);
}

/* A router that is asked for its address and says nothing more. */
static void
test_cancel (void)
{
  static const Case slow = { "slow", NULL, NULL, IGD_SLOW_ANSWER, "", KH_ROUTER_NONE, "" };
  Router *router = router_new (&slow);
  g_autoptr (GInetAddress) local = g_inet_address_new_from_string ("127.0.0.1");
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GAsyncResult) result = NULL;
  g_autoptr (GError) error = NULL;
  KhRouterFacts facts;

  kh_gateway_ask_async (router->address, local, 60000, cancellable, kh_test_store_result, &result);
  kh_test_wait_until (router->heard[2] > 1, 5000);
  g_assert_null (result);
  g_cancellable_cancel (cancellable);
  kh_test_wait_until (result != NULL, 5000);
  g_assert_false (kh_gateway_ask_finish (result, &facts, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);

  kh_test_settle ();
  router_free (router);
}

static void
test_location (void)
{
  static const struct
  {
    const char *reply;
    const char *url;
  } replies[] = {
    { "HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1:5000/d.xml\r\n\r\n", "http://192.168.1.1:5000/d.xml" },
    { "HTTP/1.1 200 OK\nlocation:http://192.168.1.1/d.xml\n\n", "http://192.168.1.1/d.xml" },
    { "HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.2/d.xml\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1@192.168.1.2/\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: http://user@192.168.1.1/\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: http://router/\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1.example.org/\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: https://192.168.1.1/\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: file:///etc/passwd\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: /d.xml\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1:0/\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION: http://192.168.1.1:99999/\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\nLOCATION:\r\n\r\n", NULL },
    { "HTTP/1.1 200 OK\r\n\r\n", NULL },
    { "HTTP/1.1 404 Not Found\r\nLOCATION: http://192.168.1.1/\r\n\r\n", NULL },
    { "NOTIFY * HTTP/1.1\r\nLOCATION: http://192.168.1.1/\r\n\r\n", NULL },
    { "", NULL },
  };
  g_autoptr (GInetAddress) sender = g_inet_address_new_from_string ("192.168.1.1");

  for (gsize i = 0; i < G_N_ELEMENTS (replies); i++)
    {
      g_autofree char *url = kh_igd_read_location (replies[i].reply, strlen (replies[i].reply), sender);

      g_assert_cmpstr (url, ==, replies[i].url);
    }
}

static guint
count_services (const char *text, gsize length)
{
  g_autoptr (GInetAddress) device = g_inet_address_new_from_string ("192.168.1.1");
  KhIgdService services[KH_IGD_MAX_SERVICES] = { 0 };
  guint n = kh_igd_read_description (text, length, "http://192.168.1.1:5000/d.xml", device, services);

  for (guint i = 0; i < n; i++)
    {
      g_assert_true (g_str_has_prefix (services[i].url, "http://192.168.1.1"));
      kh_igd_service_clear (&services[i]);
    }
  return n;
}

/* A description that is cut off anywhere, or has any one byte changed, is read or not; nothing else happens. */
static void
test_description (void)
{
  g_autofree char *good = describe ("", "/control");
  g_autofree char *header = describe ("", "/control");
  char *type = strstr (header, WAN);
  gsize length = strlen (good);

  g_assert_cmpuint (count_services (good, length), ==, 1);
  memcpy (type + strlen (WAN) - 3, "\r\n:", 3);
  g_assert_cmpuint (count_services (header, length), ==, 0);
  for (gsize i = 0; i < length; i++)
    {
      g_autofree char *start = g_memdup2 (good, MAX (i, 1));
      g_autofree char *changed = g_strdup (good);

      g_assert_cmpuint (count_services (start, i), <=, 1);
      for (const char *p = "<>\"'/ \xff"; *p != '\0'; p++)
        {
          changed[i] = *p;
          g_assert_cmpuint (count_services (changed, length), <=, KH_IGD_MAX_SERVICES);
        }
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/gateway/ask/%s", cases[i].name);

      g_strdelimit (path, " ", '-');
      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/gateway/cancel", test_cancel);
  g_test_add_func ("/gateway/location", test_location);
  g_test_add_func ("/gateway/description", test_description);
  return g_test_run ();
}
