/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-igd.h"

#include "kh-address.h"
#include "kh-igd-text.h"
#include "kh-inquiry.h"
#include "kh-interfaces.h"

#include <libsoup/soup.h>
#include <netinet/in.h>

#define SSDP_GROUP "239.255.255.250"
#define SSDP_PORT 1900
#define SSDP_HOPS 2
#define MAX_REPLY_BYTES 2048
/* A description is some 5 to 20 KiB. */
#define MAX_PAGE_BYTES (128 * 1024)
/* Others are not to take all the places before the router has answered. */
#define MAX_DEVICES 8
#define MAX_OTHER_DEVICES 4

/* From a search to an address takes three steps: a datagram to everybody and to the router, to which devices answer where
 * their description is (SSDP); the description; the question for the address.
 *
 * miniupnpc reads the description, no more. Its own search takes at least a second, four where nobody answers, in a thread
 * that cannot be stopped, and does not tell who answered. Its HTTP keeps whatever a device sends, for as long as it sends
 * (420 MiB in 3 s), and UPNP_GetValidIGD() asks wherever a description says, before anybody could look at the place [each
 * measured with 2.2.4]. */

typedef struct
{
  grefcount references; /* the question's own, one for each device that is being asked */
  KhInquiry inquiry;
  gboolean is_over;
  GInetAddress *gateway;
  GInetAddress *local;
  KhInterfaces *interfaces;
  GSocket *socket;
  SoupSession *session;
  GCancellable *stop;
  GHashTable *locations; /* that have been asked */
  gboolean spoken;
  GInetAddress *external;
} Ask;

/* One that answered the search. */
typedef struct
{
  Ask *ask;
  GInetAddress *address;
  char *url;
  KhIgdService services[KH_IGD_MAX_SERVICES];
  guint n_services;
  guint next; /* of them */
  SoupMessage *message;
  char *page;
} Device;

static void
ask_unref (Ask *ask)
{
  if (!g_ref_count_dec (&ask->references))
    return;

  kh_interfaces_free (ask->interfaces);
  g_clear_object (&ask->gateway);
  g_clear_object (&ask->local);
  g_clear_object (&ask->socket);
  g_clear_object (&ask->session);
  g_clear_object (&ask->stop);
  g_clear_pointer (&ask->locations, g_hash_table_unref);
  g_clear_object (&ask->external);
  g_free (ask);
}

static void
device_free (Device *device)
{
  for (guint i = 0; i < device->n_services; i++)
    kh_igd_service_clear (&device->services[i]);
  g_clear_object (&device->message);
  g_clear_object (&device->address);
  g_free (device->page);
  g_free (device->url);
  ask_unref (device->ask);
  g_free (device);
}

/* The one way it ends. The answer is what is in the state; what is under way comes back as cancelled and finds that it is
 * over. */
static void
finish (Ask *ask, GError *error)
{
  g_autoptr (GTask) task = kh_inquiry_end (&ask->inquiry);

  ask->is_over = TRUE;
  g_cancellable_cancel (ask->stop);
  soup_session_abort (ask->session);
  g_clear_object (&ask->socket);

  if (error != NULL)
    {
      ask_unref (ask);
      g_task_return_error (task, error);
    }
  else
    g_task_return_pointer (task, ask, (GDestroyNotify) ask_unref);
}

static void ask_next (Device *device);

static void
take_page (Device *device, gsize length)
{
  if (device->n_services > 0)
    device->ask->external = kh_igd_read_external (device->page, length);
  else
    device->n_services = kh_igd_read_description (device->page, length, device->url, device->address, device->services);
}

static void
on_page (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Device *device = user_data;
  gsize length = 0;
  gboolean whole = g_input_stream_read_all_finish (G_INPUT_STREAM (source), result, &length, NULL);

  if (device->ask->is_over)
    {
      device_free (device);
      return;
    }

  /* One that fills the whole room would have gone on. */
  if (whole && length < MAX_PAGE_BYTES && soup_message_get_status (device->message) == SOUP_STATUS_OK)
    take_page (device, length);
  ask_next (device);
}

static void
on_answered (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Device *device = user_data;
  g_autoptr (GInputStream) stream = soup_session_send_finish (SOUP_SESSION (source), result, NULL);

  if (device->ask->is_over)
    device_free (device);
  else if (stream == NULL)
    ask_next (device);
  else
    {
      if (device->page == NULL)
        device->page = g_malloc (MAX_PAGE_BYTES);
      g_input_stream_read_all_async (stream, device->page, MAX_PAGE_BYTES, G_PRIORITY_DEFAULT, device->ask->stop,
                                     on_page, device);
    }
}

static void
send_message (Device *device, SoupMessage *message)
{
  g_set_object (&device->message, message);
  soup_message_add_flags (message, SOUP_MESSAGE_NO_REDIRECT | SOUP_MESSAGE_NEW_CONNECTION);
  soup_message_headers_replace (soup_message_get_request_headers (message), "Connection", "close");
  soup_session_send_async (device->ask->session, message, G_PRIORITY_DEFAULT, device->ask->stop, on_answered, device);
}

static void
ask_external (Device *device, const KhIgdService *service)
{
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_POST, service->url);
  g_autofree char *action = g_strdup_printf ("\"%s#GetExternalIPAddress\"", service->type);
  char *question = kh_igd_write_question (service);
  g_autoptr (GBytes) body = g_bytes_new_take (question, strlen (question));

  soup_message_headers_replace (soup_message_get_request_headers (message), "SOAPAction", action);
  soup_message_set_request_body_from_bytes (message, "text/xml; charset=\"utf-8\"", body);
  send_message (device, message);
}

/* A device that is a router is asked about one connection after the other until one has an address. With that the question
 * is answered, and also when the gateway itself has none; another router without one tells nothing. */
static void
ask_next (Device *device)
{
  Ask *ask = device->ask;
  gboolean is_gateway = g_inet_address_equal (device->address, ask->gateway);

  if (device->n_services > 0 && (is_gateway || ask->external != NULL))
    ask->spoken = TRUE;

  /* Whatever else is in this home has no say in what the router's address is. */
  if (is_gateway && ask->external == NULL && device->next < device->n_services)
    {
      ask_external (device, &device->services[device->next++]);
      return;
    }

  device_free (device);
  if (ask->spoken)
    finish (ask, NULL);
}

static void
ask_device (Ask *ask, GInetAddress *address, const char *url)
{
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_GET, url);
  guint places = g_inet_address_equal (address, ask->gateway) ? MAX_DEVICES : MAX_OTHER_DEVICES;
  Device *device;

  if (message == NULL || g_hash_table_size (ask->locations) >= places ||
      !g_hash_table_add (ask->locations, g_strdup (url)))
    return;

  device = g_new0 (Device, 1);
  g_ref_count_inc (&ask->references);
  device->ask = ask;
  device->address = g_object_ref (address);
  device->url = g_strdup (url);
  send_message (device, message);
}

/* The router, or something private on the same link: a device on the internet has no say in this. */
static gboolean
is_near (Ask *ask, GInetAddress *address)
{
  return g_inet_address_equal (address, ask->gateway) ||
         (g_inet_address_get_is_site_local (address) && kh_interfaces_is_on_link (ask->interfaces, address));
}

static gboolean
on_heard (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Ask *ask = user_data;
  char reply[MAX_REPLY_BYTES];
  g_autoptr (GSocketAddress) from = NULL;
  gssize got = g_socket_receive_from (socket, &from, reply, sizeof reply, NULL, NULL);
  GInetAddress *sender;
  g_autofree char *url = NULL;

  if (got <= 0 || !G_IS_INET_SOCKET_ADDRESS (from))
    return G_SOURCE_CONTINUE;

  sender = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (from));
  url = is_near (ask, sender) ? kh_igd_read_location (reply, got, sender) : NULL;
  if (url != NULL)
    ask_device (ask, sender, url);
  return G_SOURCE_CONTINUE;
}

static void
send_search (Ask *ask, const char *to, const char *what)
{
  g_autoptr (GSocketAddress) there = G_SOCKET_ADDRESS (kh_address_new (to, SSDP_PORT));
  g_autofree char *search = g_strdup_printf ("M-SEARCH * HTTP/1.1\r\n"
                                             "HOST: %s:%d\r\n"
                                             "ST: %s\r\n"
                                             "MAN: \"ssdp:discover\"\r\n"
                                             "MX: 1\r\n"
                                             "\r\n",
                                             to, SSDP_PORT, what);

  /* What cannot be sent now may be sent the next time. */
  g_socket_send_to (ask->socket, there, search, strlen (search), NULL, NULL);
}

/* Newer routers answer for the first version as well (UPnP Device Architecture 2.0, section 1.3.2). */
static gboolean
send_searches (gpointer user_data)
{
  static const char *const wanted[] = { "urn:schemas-upnp-org:device:InternetGatewayDevice:1",
                                        "urn:schemas-upnp-org:service:WANIPConnection:1",
                                        "urn:schemas-upnp-org:service:WANPPPConnection:1" };
  Ask *ask = user_data;
  g_autofree char *gateway = g_inet_address_to_string (ask->gateway);

  for (gsize i = 0; i < G_N_ELEMENTS (wanted); i++)
    send_search (ask, SSDP_GROUP, wanted[i]);
  send_search (ask, gateway, wanted[0]);
  send_search (ask, gateway, "upnp:rootdevice");
  return G_SOURCE_REMOVE;
}

static gboolean
on_over (gpointer user_data)
{
  finish (user_data, NULL);
  return G_SOURCE_REMOVE;
}

static gboolean
open_socket (Ask *ask, GError **error)
{
  struct in_addr interface;

  ask->socket = kh_inquiry_socket (&ask->inquiry, ask->local, on_heard, error);
  if (ask->socket == NULL)
    return FALSE;

  memcpy (&interface, g_inet_address_to_bytes (ask->local), sizeof interface);
  if (setsockopt (g_socket_get_fd (ask->socket), IPPROTO_IP, IP_MULTICAST_IF, &interface, sizeof interface) != 0)
    {
      g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_FAILED, "devices in this network cannot be searched for");
      return FALSE;
    }
  g_socket_set_multicast_ttl (ask->socket, SSDP_HOPS);
  return TRUE;
}

/* No proxy knows the home's own router, and nothing is unpacked that could be larger than it looks. */
static SoupSession *
new_session (GInetAddress *local)
{
  g_autoptr (GSocketAddress) here = g_inet_socket_address_new (local, 0);
  SoupSession *session = soup_session_new_with_options ("local-address", here, "proxy-resolver", NULL, "timeout", 0,
                                                        "max-conns-per-host", MAX_DEVICES, NULL);

  soup_session_remove_feature_by_type (session, SOUP_TYPE_CONTENT_DECODER);
  return session;
}

/**
 * kh_igd_ask_async:
 * @gateway: a router's IPv4 address
 * @local: our own IPv4 address in its network
 * @patience_ms: how long to wait; routers may take a second before they answer
 * @cancellable: (nullable): ends it at once
 * @callback: called once
 * @user_data: for @callback
 *
 * Looks for a UPnP Internet Gateway Device: the router, or another device on the same link. It is asked for the outside
 * address, and nothing is opened.
 */
void
kh_igd_ask_async (GInetAddress *gateway, GInetAddress *local, guint patience_ms, GCancellable *cancellable,
                  GAsyncReadyCallback callback, gpointer user_data)
{
  Ask *ask;
  GTask *task;
  GError *error = NULL;

  g_return_if_fail (g_inet_address_get_family (gateway) == G_SOCKET_FAMILY_IPV4);
  g_return_if_fail (g_inet_address_get_family (local) == G_SOCKET_FAMILY_IPV4);

  task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (task, kh_igd_ask_async);
  ask = g_new0 (Ask, 1);
  g_ref_count_init (&ask->references);
  ask->gateway = g_object_ref (gateway);
  ask->local = g_object_ref (local);
  ask->interfaces = kh_interfaces_new_read ();
  ask->session = new_session (local);
  ask->stop = g_cancellable_new ();
  ask->locations = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  kh_inquiry_begin (&ask->inquiry, task, patience_ms, on_over, ask);
  if (open_socket (ask, &error))
    kh_inquiry_repeat (&ask->inquiry, send_searches);
  else
    finish (ask, error);
}

/**
 * kh_igd_ask_finish:
 * @spoken: (out): whether there is one
 * @external: (out) (transfer full) (nullable): its outside address, if it names one
 * @error: return location
 *
 * Returns: whether it could be looked for; else a %G_IO_ERROR
 */
gboolean
kh_igd_ask_finish (GAsyncResult *result, gboolean *spoken, GInetAddress **external, GError **error)
{
  Ask *ask;

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  ask = g_task_propagate_pointer (G_TASK (result), error);
  if (ask == NULL)
    return FALSE;

  *spoken = ask->spoken;
  *external = g_steal_pointer (&ask->external);
  ask_unref (ask);
  return TRUE;
}
