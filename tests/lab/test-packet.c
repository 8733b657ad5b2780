/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-checksum.h"
#include "kh-packet-build.h"

#include <string.h>

static KhEndpoint
endpoint (const char *ip, guint16 port)
{
  return (KhEndpoint){ kh_ip_from_text (ip), port };
}

static void
parse (KhPacket *packet, guint8 *data, gsize length)
{
  const char *fault = NULL;

  if (!kh_packet_parse (packet, data, length, &fault))
    g_error ("%s", fault);
}

/* For both families: what is built is read again, translated, and still right, which parsing checks. */
static void
test_translate (gconstpointer data)
{
  gboolean ipv6 = GPOINTER_TO_INT (data);
  const KhEndpoint from = endpoint (ipv6 ? "2001:db8:2::2" : "192.168.2.2", 5000);
  const KhEndpoint to = endpoint (ipv6 ? "2001:db8:1::2" : "203.0.113.2", 80);
  const KhEndpoint other = endpoint (ipv6 ? "2001:db8:ffff::ffff" : "198.51.100.2", 65535);
  const KhTcpFields syn = {
    .flags = KH_TCP_SYN, .seq = 7, .window = 9, .window_scale = 6, .payload = "odd", .length = 3
  };
  guint8 room[KH_PACKET_MAX];
  KhPacket packet;

  parse (&packet, room, kh_packet_build_tcp (room, &from, &to, &syn));
  g_assert_true (kh_endpoint_equal (&packet.source, &from) && kh_endpoint_equal (&packet.destination, &to));
  g_assert_cmpint (packet.window_scale, ==, 6);
  g_assert_cmpuint (packet.payload, ==, 3);

  kh_packet_set_source (&packet, &other);
  kh_packet_set_destination (&packet, &from);
  kh_packet_decrement_ttl (&packet);
  parse (&packet, room, packet.length);
  g_assert_true (kh_endpoint_equal (&packet.source, &other) && kh_endpoint_equal (&packet.destination, &from));
  g_assert_cmpuint (packet.ttl, ==, 63);

  parse (&packet, room, kh_packet_build_udp (room, &from, &to, 9, "abc", 3));
  kh_packet_set_source (&packet, &other);
  parse (&packet, room, packet.length);
  g_assert_cmpuint (packet.protocol, ==, KH_PROTOCOL_UDP);
  g_assert_true (kh_endpoint_equal (&packet.source, &other));

  parse (&packet, room, kh_packet_build_echo (room, &from.ip, &to.ip, TRUE, 77, 1, 0));
  g_assert_cmpuint (packet.source.port, ==, 77);
  kh_packet_set_source (&packet, &other);
  parse (&packet, room, packet.length);
  g_assert_true (kh_endpoint_equal (&packet.source, &other));
}

/* An ICMP error is about the packet that it quotes; translating it changes the quote and keeps all checksums right. */
static void
test_error (gconstpointer data)
{
  gboolean ipv6 = GPOINTER_TO_INT (data);
  const KhEndpoint from = endpoint (ipv6 ? "2001:db8:2::2" : "198.51.100.2", 6000);
  const KhEndpoint to = endpoint (ipv6 ? "2001:db8:1::2" : "203.0.113.2", 80);
  const KhEndpoint inner = endpoint (ipv6 ? "2001:db8:9::9" : "192.168.2.2", 5000);
  const KhIp router = kh_ip_from_text (ipv6 ? "2001:db8:5::1" : "203.0.113.1");
  const KhTcpFields syn = { .flags = KH_TCP_SYN, .window_scale = -1 };
  guint8 room[KH_PACKET_MAX], error[KH_PACKET_MAX];
  KhPacket cause, packet;
  KhIp address;

  parse (&cause, room, kh_packet_build_tcp (room, &from, &to, &syn));
  parse (&packet, error, kh_packet_build_error (error, &router, KH_ICMP_TIME_EXCEEDED, &cause));
  g_assert_cmpint (packet.kind, ==, KH_PACKET_ERROR);
  g_assert_true (kh_endpoint_equal (&packet.source, &from) && kh_endpoint_equal (&packet.destination, &to));
  kh_packet_get_receiver (&packet, &address);
  g_assert_true (kh_ip_equal (&address, &from.ip));

  kh_packet_set_source (&packet, &inner);
  kh_packet_set_receiver (&packet, &inner.ip);
  parse (&packet, error, packet.length);
  g_assert_true (kh_endpoint_equal (&packet.source, &inner));
  kh_packet_get_receiver (&packet, &address);
  g_assert_true (kh_ip_equal (&address, &inner.ip));
  kh_packet_get_sender (&packet, &address);
  g_assert_true (kh_ip_equal (&address, &router));
  /* The quote is a right packet too. */
  parse (&cause, error + packet.quote, packet.length - packet.quote);
}

static void
test_rst (void)
{
  const KhEndpoint from = endpoint ("192.0.2.2", 6000), to = endpoint ("198.51.100.2", 5000);
  const KhTcpFields syn = { .flags = KH_TCP_SYN, .seq = 1000, .window_scale = -1, .payload = "xy", .length = 2 };
  const KhTcpFields ack = { .flags = KH_TCP_ACK, .seq = 5, .ack = 777 };
  guint8 room[KH_PACKET_MAX], answer[KH_PACKET_MAX];
  KhPacket cause, packet;

  parse (&cause, room, kh_packet_build_tcp (room, &from, &to, &syn));
  parse (&packet, answer, kh_packet_build_rst (answer, &cause));
  g_assert_cmpuint (packet.tcp_flags, ==, KH_TCP_RST | KH_TCP_ACK);
  g_assert_cmpuint (packet.ack, ==, 1003);
  g_assert_true (kh_endpoint_equal (&packet.destination, &from));

  parse (&cause, room, kh_packet_build_tcp (room, &from, &to, &ack));
  parse (&packet, answer, kh_packet_build_rst (answer, &cause));
  g_assert_cmpuint (packet.tcp_flags, ==, KH_TCP_RST);
  g_assert_cmpuint (packet.seq, ==, 777);
}

typedef struct
{
  const char *name;
  gsize offset;
  guint8 value;
  gsize length;
} Damage;

static const Damage damages[] = {
  { "version", 0, 0x25, 0 },       { "header length", 0, 0x44, 0 },  { "header beyond the packet", 0, 0x4f, 0 },
  { "fragment", 6, 0x20, 0 },      { "offset", 7, 0x01, 0 },         { "protocol", 9, 47, 0 },
  { "checksum", 20, 0xff, 0 },     { "data offset", 32, 0x10, 0 },   { "data offset beyond", 32, 0xf0, 0 },
  { "truncated IP", 0, 0x45, 19 }, { "truncated TCP", 0, 0x45, 39 }, { "nothing", 0, 0x45, 0 },
};

static guint16
sum_of (const guint8 *bytes, gsize length)
{
  return kh_checksum_finish (kh_checksum_add (0, bytes, length));
}

/* Each is refused, with the IP header's own checksum made right again, so that it is not for that. */
static void
test_damage (void)
{
  const KhEndpoint from = endpoint ("192.0.2.2", 6000), to = endpoint ("198.51.100.2", 5000);
  const KhTcpFields syn = { .flags = KH_TCP_SYN, .window_scale = -1 };

  for (gsize i = 0; i < G_N_ELEMENTS (damages); i++)
    {
      const Damage *damage = &damages[i];
      guint8 room[KH_PACKET_MAX];
      gsize length = kh_packet_build_tcp (room, &from, &to, &syn);
      const char *fault = NULL;
      KhPacket packet;
      guint16 checksum;

      room[damage->offset] = damage->value;
      memset (room + 10, 0, 2);
      checksum = sum_of (room, 20);
      memcpy (room + 10, &checksum, 2);
      if (damage->length > 0 || g_str_equal (damage->name, "nothing"))
        length = damage->length;
      if (kh_packet_parse (&packet, room, length, &fault))
        g_error ("%s is not noticed", damage->name);
      g_assert_nonnull (fault);
    }
}

static void
test_wrong_ip_checksum (void)
{
  const KhEndpoint from = endpoint ("192.0.2.2", 6000), to = endpoint ("198.51.100.2", 5000);
  guint8 room[KH_PACKET_MAX];
  gsize length = kh_packet_build_udp (room, &from, &to, 64, "", 0);
  const char *fault = NULL;
  KhPacket packet;

  room[8]--;
  g_assert_false (kh_packet_parse (&packet, room, length, &fault));
  g_assert_cmpstr (fault, ==, "wrong IP checksum");
}

/* RFC 1071 section 3 has this example; RFC 1624 section 4 has one for changing, where a naive way yields the other zero. */
static void
test_checksum (void)
{
  const guint8 bytes[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
  guint16 sum = sum_of (bytes, sizeof bytes);
  guint8 stored[2], checksum[2] = { 0xdd, 0x2f };
  const guint8 before[2] = { 0x55, 0x55 }, after[2] = { 0x32, 0x85 };

  memcpy (stored, &sum, 2);
  g_assert_cmpuint (kh_get16 (stored), ==, 0x220d);
  kh_checksum_replace (checksum, before, after, 2);
  g_assert_cmpuint (kh_get16 (checksum), ==, 0x0000);
}

static void
test_ip (void)
{
  KhIp ip = kh_ip_from_text ("198.51.100.255"), network = kh_ip_from_text ("198.51.100.0");
  KhIp six = kh_ip_from_text ("2001:db8:2::ff"), network6 = kh_ip_from_text ("2001:db8:2::");
  char text[KH_IP_TEXT_SIZE];
  g_autofree char *formatted = NULL;
  KhEndpoint end = { six, 80 };

  g_assert_true (kh_ip_is_within (&ip, &network, 24));
  g_assert_false (kh_ip_is_within (&ip, &network, 25));
  g_assert_true (kh_ip_is_within (&six, &network6, 64));
  g_assert_false (kh_ip_is_within (&ip, &network6, 64));
  ip = kh_ip_plus (&ip, 1);
  g_assert_cmpstr (kh_ip_to_text (&ip, text), ==, "198.51.101.0");
  g_assert_false (kh_ip_parse (&ip, "1.2.3"));
  formatted = kh_endpoint_format (&end);
  g_assert_cmpstr (formatted, ==, "[2001:db8:2::ff]:80");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_data_func ("/packet/translate/ipv4", GINT_TO_POINTER (FALSE), test_translate);
  g_test_add_data_func ("/packet/translate/ipv6", GINT_TO_POINTER (TRUE), test_translate);
  g_test_add_data_func ("/packet/error/ipv4", GINT_TO_POINTER (FALSE), test_error);
  g_test_add_data_func ("/packet/error/ipv6", GINT_TO_POINTER (TRUE), test_error);
  g_test_add_func ("/packet/rst", test_rst);
  g_test_add_func ("/packet/damage", test_damage);
  g_test_add_func ("/packet/wrong-ip-checksum", test_wrong_ip_checksum);
  g_test_add_func ("/packet/checksum", test_checksum);
  g_test_add_func ("/packet/ip", test_ip);

  return g_test_run ();
}
