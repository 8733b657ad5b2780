/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-gateway.h"
#include "kh-hops.h"
#include "kh-interfaces.h"

#include <stdio.h>

/* ask-gateway SERVER: what the router says of itself, and how deep the NATs before SERVER are, as one line of JSON. Where
 * there is no router, it is not asked. */

#define PATIENCE_MS 2000

typedef struct
{
  KhFacts facts;
  KhHops hops;
  gboolean carrier;
  guint pending;
  gint64 begin;
  gint64 router_ms;
  gint64 hops_ms;
} Found;

static gint64
elapsed_ms (Found *found)
{
  return (g_get_monotonic_time () - found->begin) / 1000;
}

static void
on_gateway (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Found *found = user_data;
  g_autoptr (GError) error = NULL;

  if (!kh_gateway_ask_finish (result, &found->facts.router, &error))
    g_printerr ("%s\n", error->message);
  found->router_ms = elapsed_ms (found);
  found->pending--;
}

static void
on_hops (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Found *found = user_data;
  g_autoptr (GError) error = NULL;

  if (kh_hops_measure_finish (result, &found->hops, &error))
    kh_hops_judge (&found->hops, &found->facts.numbers[KH_FACT_NAT_DEPTH], &found->carrier);
  else
    g_printerr ("%s\n", error->message);
  found->hops_ms = elapsed_ms (found);
  found->pending--;
}

/* By which of our addresses the way to the server begins. No packet is sent for that. */
static GInetAddress *
find_local (GInetAddress *server)
{
  g_autoptr (GSocket) socket = g_socket_new (G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, NULL);
  g_autoptr (GSocketAddress) there = g_inet_socket_address_new (server, 9);
  g_autoptr (GSocketAddress) here = NULL;

  if (!g_socket_connect (socket, there, NULL, NULL))
    return NULL;

  here = g_socket_get_local_address (socket, NULL);
  return g_object_ref (g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (here)));
}

static void
print (Found *found)
{
  g_autoptr (JsonNode) node = json_node_new (JSON_NODE_OBJECT);
  JsonObject *object = kh_facts_to_json (&found->facts);
  JsonArray *hops = json_array_new ();
  g_autofree char *text = NULL;

  for (int i = 0; i < KH_HOPS_MAX; i++)
    json_array_add_string_element (hops, found->hops.routers[i]);
  json_object_set_array_member (object, "hops", hops);
  json_object_set_boolean_member (object, "carrier", found->carrier);
  json_object_set_int_member (object, "router_ms", found->router_ms);
  json_object_set_int_member (object, "hops_ms", found->hops_ms);
  json_node_take_object (node, object);
  text = json_to_string (node, FALSE);
  puts (text);
}

int
main (int argc, char **argv)
{
  g_autoptr (KhInterfaces) interfaces = kh_interfaces_new_read ();
  g_autoptr (GInetAddress) server = argc == 2 ? g_inet_address_new_from_string (argv[1]) : NULL;
  g_autoptr (GInetAddress) local = server != NULL ? find_local (server) : NULL;
  GInetAddress *gateway = kh_interfaces_get_gateway (interfaces);
  Found found = { .begin = g_get_monotonic_time () };

  if (local == NULL)
    {
      g_printerr ("ask-gateway SERVER, an address to which there is a way\n");
      return 2;
    }

  kh_facts_init (&found.facts);
  if (gateway != NULL)
    {
      found.pending++;
      kh_gateway_ask_async (gateway, local, PATIENCE_MS, NULL, on_gateway, &found);
    }
  found.pending++;
  kh_hops_measure_async (server, PATIENCE_MS, NULL, on_hops, &found);
  while (found.pending > 0)
    g_main_context_iteration (NULL, TRUE);
  print (&found);

  return 0;
}
