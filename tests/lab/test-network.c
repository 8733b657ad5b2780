/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A whole internet without I/O: packets go in at one host and come out at another, in the time that was asked for. */
#include "kh-network.h"
#include "kh-packet-build.h"

#include <string.h>

#define MS G_TIME_SPAN_MILLISECOND

typedef struct
{
  KhNetwork *network;
  gint64 now;
  guint arrived;
  KhHostId host;
  KhPacket packet;
  guint8 data[KH_PACKET_MAX];
  GString *comments;
} World;

static void
on_deliver (gpointer data, KhHostId host, const guint8 *packet, gsize length)
{
  World *world = data;
  const char *fault = NULL;

  world->arrived++;
  world->host = host;
  memcpy (world->data, packet, length);
  if (!kh_packet_parse (&world->packet, world->data, length, &fault))
    g_error ("delivered: %s", fault);
}

static void
on_record (gpointer data, guint wire, gboolean up, const guint8 *packet, gsize length, gint64 now, const char *comment)
{
  World *world = data;

  g_string_append_printf (world->comments, "%s %s: %s\n", kh_network_get_wire_name (world->network, wire),
                          up ? "up" : "down", comment != NULL ? comment : "–");
}

static void
open_world (World *world, const char *left, const char *right, const char *delay)
{
  KhNetworkSettings settings = { .expired = TRUE, .seed = 5, .same_home = g_str_equal (right, "same") };
  g_autoptr (GError) error = NULL;

  memset (world, 0, sizeof *world);
  if (delay != NULL)
    {
      kh_link_settings_set (&settings.left.up, &settings.left.down, "delay", delay, &error);
      kh_link_settings_set (&settings.right.up, &settings.right.down, "delay", delay, &error);
    }
  kh_home_parse (&settings.left, left, &error);
  if (!settings.same_home)
    kh_home_parse (&settings.right, right, &error);
  g_assert_no_error (error);
  world->network = kh_network_new (&settings, on_deliver, world);
  world->comments = g_string_new (NULL);
  kh_network_set_record (world->network, on_record, world);
}

static void
close_world (World *world)
{
  kh_network_free (world->network);
  g_string_free (world->comments, TRUE);
}

/* Lets time pass until nothing is under way. */
static void
run (World *world)
{
  while (kh_network_get_next (world->network) != G_MAXINT64)
    {
      world->now = MAX (world->now, kh_network_get_next (world->network));
      kh_network_advance (world->network, world->now);
    }
}

static KhEndpoint
at (World *world, KhHostId host, guint16 port)
{
  return (KhEndpoint){ kh_network_get_addresses (world->network, host)->own, port };
}

static KhEndpoint
seen (World *world, KhHostId host, guint16 port)
{
  return (KhEndpoint){ kh_network_get_addresses (world->network, host)->outside, port };
}

/* Sends one TCP packet and tells where it came out: a host's name, "nowhere". */
static const char *
send_tcp (World *world, KhHostId from, guint16 port, KhEndpoint to, const KhTcpFields *fields)
{
  static const char *const names[] = { "left", "right", "server" };
  guint8 room[KH_PACKET_MAX];
  KhEndpoint source = at (world, from, port);
  guint before = world->arrived;

  kh_network_send (world->network, from, room, kh_packet_build_tcp (room, &source, &to, fields), world->now);
  run (world);

  return world->arrived == before ? "nowhere" : names[world->host];
}

static const char *
send_syn (World *world, KhHostId from, guint16 port, KhEndpoint to)
{
  const KhTcpFields syn = { .flags = KH_TCP_SYN, .seq = 1000, .window = 9000, .window_scale = -1 };

  return send_tcp (world, from, port, to, &syn);
}

static const char *
send_ttl (World *world, KhHostId from, guint16 port, KhEndpoint to, guint8 ttl)
{
  const KhTcpFields syn = { .flags = KH_TCP_SYN, .seq = 1000, .window = 9000, .window_scale = -1, .ttl = ttl };

  return send_tcp (world, from, port, to, &syn);
}

/* 20 ms on each access link: 20 ms to the server, 40 ms to each other, one way. */
static void
test_delay (void)
{
  World world;

  open_world (&world, "port-restricted", "port-restricted", "20");
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, at (&world, KH_HOST_SERVER, 80)), ==, "server");
  g_assert_cmpint (world.now, ==, 20 * MS);
  world.now = 1000 * MS;
  send_syn (&world, KH_HOST_RIGHT, 6000, seen (&world, KH_HOST_LEFT, 5000));
  world.now = 2000 * MS;
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, seen (&world, KH_HOST_RIGHT, 6000)), ==, "right");
  g_assert_cmpint (world.now, ==, 2040 * MS);
  close_world (&world);

  open_world (&world, "port-restricted,delay=30/5", "open", NULL);
  send_syn (&world, KH_HOST_LEFT, 5000, at (&world, KH_HOST_RIGHT, 80));
  g_assert_cmpint (world.now, ==, 30 * MS);
  close_world (&world);
}

/* Two friends behind port-restricted routers: the first dial dies, the second goes through, and so does its answer. */
static void
test_punch (void)
{
  const KhTcpFields answer = {
    .flags = KH_TCP_SYN | KH_TCP_ACK, .seq = 1000, .ack = 1001, .window = 9000, .window_scale = -1
  };
  World world;

  open_world (&world, "port-restricted", "port-restricted", NULL);
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, seen (&world, KH_HOST_RIGHT, 6000)), ==, "nowhere");
  g_assert_nonnull (
      strstr (world.comments->str, "right access down: right router drops: a stranger: there is no such mapping\n"));
  g_assert_cmpstr (send_syn (&world, KH_HOST_RIGHT, 6000, seen (&world, KH_HOST_LEFT, 5000)), ==, "left");
  g_assert_cmpstr (send_tcp (&world, KH_HOST_LEFT, 5000, seen (&world, KH_HOST_RIGHT, 6000), &answer), ==, "right");
  close_world (&world);
}

/* A refusal, and ICMP, come back to who dialled, as from where it was dialled. */
static void
test_refused (void)
{
  World world;
  KhEndpoint target;

  open_world (&world, "port-restricted", "port-restricted-rst", NULL);
  target = seen (&world, KH_HOST_RIGHT, 6000);
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, target), ==, "left");
  g_assert_true (world.packet.tcp_flags & KH_TCP_RST);
  g_assert_cmpuint (world.packet.ack, ==, 1001);
  g_assert_true (kh_endpoint_equal (&world.packet.source, &target));
  close_world (&world);

  open_world (&world, "port-restricted", "icmp-reject", NULL);
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, target), ==, "left");
  g_assert_cmpint (world.packet.kind, ==, KH_PACKET_ERROR);
  g_assert_cmpuint (world.packet.source.port, ==, 5000);
  g_assert_true (kh_endpoint_equal (&world.packet.destination, &target));
  close_world (&world);
}

/* Who tells that a packet's life was over: the home router, the internet's two, the friend's router. */
static void
test_ttl (void)
{
  static const char *const hops[] = { "192.168.2.1", "198.51.100.1", "192.0.2.1", "192.0.2.2" };
  World world;
  char text[KH_IP_TEXT_SIZE];
  KhIp sender;

  open_world (&world, "port-restricted", "port-restricted,forward=80", NULL);
  for (guint8 ttl = 1; ttl <= 4; ttl++)
    {
      g_assert_cmpstr (send_ttl (&world, KH_HOST_LEFT, 5000 + ttl, seen (&world, KH_HOST_RIGHT, 80), ttl), ==, "left");
      g_assert_cmpint (world.packet.kind, ==, KH_PACKET_ERROR);
      kh_packet_get_sender (&world.packet, &sender);
      g_assert_cmpstr (kh_ip_to_text (&sender, text), ==, hops[ttl - 1]);
      g_assert_cmpuint (world.packet.source.port, ==, 5000 + ttl);
    }
  g_assert_cmpstr (send_ttl (&world, KH_HOST_LEFT, 5005, seen (&world, KH_HOST_RIGHT, 80), 5), ==, "right");
  g_assert_cmpuint (world.packet.ttl, ==, 1);
  close_world (&world);

  open_world (&world, "port-restricted,expired=silent", "port-restricted", NULL);
  g_assert_cmpstr (send_ttl (&world, KH_HOST_LEFT, 5001, seen (&world, KH_HOST_RIGHT, 80), 1), ==, "nowhere");
  close_world (&world);
}

static void
test_carrier (void)
{
  World world;
  char text[KH_IP_TEXT_SIZE];
  KhIp sender;

  open_world (&world, "cgn", "open", NULL);
  g_assert_cmpuint (kh_network_get_n_wires (world.network), ==, 6);
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, at (&world, KH_HOST_RIGHT, 80)), ==, "right");
  g_assert_cmpstr (kh_ip_to_text (&world.packet.source.ip, text), ==, "198.51.100.2");
  g_assert_cmpstr (send_ttl (&world, KH_HOST_LEFT, 5001, at (&world, KH_HOST_RIGHT, 80), 2), ==, "left");
  kh_packet_get_sender (&world.packet, &sender);
  g_assert_cmpstr (kh_ip_to_text (&sender, text), ==, "100.64.2.1");
  close_world (&world);
}

static void
test_same_home (void)
{
  World world;

  open_world (&world, "full-cone", "same", "20");
  /* Over the LAN, at once. */
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, at (&world, KH_HOST_RIGHT, 80)), ==, "right");
  g_assert_cmpint (world.now, ==, 0);
  g_assert_cmpuint (world.packet.ttl, ==, 64);
  /* By the outside address, by way of the router, which does not take it to the internet. */
  g_assert_cmpstr (send_syn (&world, KH_HOST_RIGHT, 6000, at (&world, KH_HOST_SERVER, 80)), ==, "server");
  world.now = 1000 * MS;
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, seen (&world, KH_HOST_RIGHT, 6000)), ==, "right");
  g_assert_cmpint (world.now, ==, 1000 * MS);
  g_assert_cmpuint (world.packet.destination.port, ==, 6000);
  close_world (&world);

  /* A neighbour whose filter refuses: the refusal finds back. */
  open_world (&world, "port-restricted-rst,hairpin=yes", "same", NULL);
  send_syn (&world, KH_HOST_RIGHT, 6000, at (&world, KH_HOST_SERVER, 80));
  g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, seen (&world, KH_HOST_RIGHT, 6000)), ==, "left");
  g_assert_true (world.packet.tcp_flags & KH_TCP_RST);
  g_assert_cmpuint (world.packet.destination.port, ==, 5000);
  close_world (&world);
}

/* Nobody there: told by the internet. */
static void
test_unreachable (void)
{
  const KhEndpoint nowhere[] = { { kh_ip_from_text ("10.1.1.1"), 80 }, { kh_ip_from_text ("192.0.2.77"), 80 } };
  World world;

  open_world (&world, "port-restricted", "port-restricted", NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (nowhere); i++)
    {
      g_assert_cmpstr (send_syn (&world, KH_HOST_LEFT, 5000, nowhere[i]), ==, "left");
      g_assert_cmpint (world.packet.kind, ==, KH_PACKET_ERROR);
    }
  close_world (&world);
}

static void
test_ipv6 (void)
{
  World world;
  KhTcpFields syn = { .flags = KH_TCP_SYN, .seq = 1, .window = 9000, .window_scale = -1 };
  guint8 room[KH_PACKET_MAX];
  KhEndpoint left, right;

  open_world (&world, "linux,ipv6=firewall", "linux,ipv6=firewall", "20");
  left = (KhEndpoint){ kh_network_get_addresses (world.network, KH_HOST_LEFT)->own6, 5000 };
  right = (KhEndpoint){ kh_network_get_addresses (world.network, KH_HOST_RIGHT)->own6, 6000 };
  kh_network_send (world.network, KH_HOST_LEFT, room, kh_packet_build_tcp (room, &left, &right, &syn), 0);
  run (&world);
  g_assert_cmpuint (world.arrived, ==, 0);
  kh_network_send (world.network, KH_HOST_RIGHT, room, kh_packet_build_tcp (room, &right, &left, &syn), world.now);
  run (&world);
  g_assert_cmpuint (world.arrived, ==, 1);
  g_assert_true (kh_endpoint_equal (&world.packet.source, &right));
  close_world (&world);
}

/* What was lost on a link, or was no packet at all, is written down as well. */
static void
test_record (void)
{
  World world;
  guint8 junk[40] = { 0x45, 1, 2, 3 };

  open_world (&world, "linux,loss=100/0", "linux", NULL);
  send_syn (&world, KH_HOST_LEFT, 5000, at (&world, KH_HOST_SERVER, 80));
  kh_network_send (world.network, KH_HOST_LEFT, junk, sizeof junk, 0);
  g_assert_cmpstr (world.comments->str, ==,
                   "left lan up: left router forwards: new mapping\nleft access up: lost on the link\n"
                   "left lan up: left router drops: wrong IP checksum\n");
  close_world (&world);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/network/delay", test_delay);
  g_test_add_func ("/network/punch", test_punch);
  g_test_add_func ("/network/refused", test_refused);
  g_test_add_func ("/network/ttl", test_ttl);
  g_test_add_func ("/network/carrier", test_carrier);
  g_test_add_func ("/network/same-home", test_same_home);
  g_test_add_func ("/network/unreachable", test_unreachable);
  g_test_add_func ("/network/ipv6", test_ipv6);
  g_test_add_func ("/network/record", test_record);

  return g_test_run ();
}
