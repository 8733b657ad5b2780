/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "nat-trace.h"

#include "nat-host.h"

#include <string.h>

#define FIRST_ORDINARY_PORT 1024
#define UDP_HEADER 8

struct _NatTrace
{
  GHashTable *ports; /* port → its name */
};

NatTrace *
nat_trace_new (void)
{
  NatTrace *self = g_new0 (NatTrace, 1);

  self->ports = g_hash_table_new_full (NULL, NULL, NULL, g_free);

  return self;
}

void
nat_trace_free (NatTrace *self)
{
  g_hash_table_unref (self->ports);
  g_free (self);
}

/**
 * nat_trace_name_port:
 * @protocol: whose it is
 * @port: an outside port that is not the inside one
 *
 * Gives it a name, unless it has one. Low ports are a kind of their own; identifiers of ICMP are all alike.
 */
void
nat_trace_name_port (NatTrace *self, KhProtocol protocol, guint16 port)
{
  guint number = g_hash_table_size (self->ports) + 1;
  gboolean low = protocol != KH_PROTOCOL_ICMP && port < FIRST_ORDINARY_PORT;

  if (!g_hash_table_contains (self->ports, GUINT_TO_POINTER (port)))
    g_hash_table_insert (self->ports, GUINT_TO_POINTER (port),
                         g_strdup_printf (low ? "low-port-%u" : "port-%u", number));
}

static void
append_end (NatTrace *self, GString *text, const KhEndpoint *end)
{
  const NatHost *host = nat_host_find_ip (&end->ip);
  gboolean outside = host != NULL && g_str_equal (host->name, "out");
  const char *name = outside ? g_hash_table_lookup (self->ports, GUINT_TO_POINTER (end->port)) : NULL;
  char address[KH_IP_TEXT_SIZE];

  g_string_append (text, host != NULL ? host->name : kh_ip_to_text (&end->ip, address));
  if (name != NULL)
    g_string_append_printf (text, ":%s", name);
  else if (end->port != 0)
    g_string_append_printf (text, ":%u", end->port);
}

static void
append_ends (NatTrace *self, GString *text, const KhEndpoint *source, const KhEndpoint *destination)
{
  append_end (self, text, source);
  g_string_append (text, " > ");
  append_end (self, text, destination);
}

static void
append_flags (GString *text, guint8 flags)
{
  static const char *const names[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };
  const char *before = " ";

  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    if (flags & 1 << i)
      {
        g_string_append_printf (text, "%s%s", before, names[i]);
        before = "+";
      }
  if (flags == 0)
    g_string_append (text, " NULL");
}

static void
append_tcp (GString *text, const KhPacket *packet)
{
  append_flags (text, packet->data[packet->transport + 13]);
  g_string_append_printf (text, " seq=%u ack=%u win=%u data=%u", packet->seq, packet->ack, packet->window,
                          (guint) packet->payload);
  if (packet->tcp_flags & KH_TCP_SYN && packet->window_scale >= 0)
    g_string_append_printf (text, " wscale=%d", packet->window_scale);
}

static void
append_flow (NatTrace *self, GString *text, const KhPacket *packet)
{
  append_ends (self, text, &packet->source, &packet->destination);
  if (packet->protocol == KH_PROTOCOL_TCP)
    append_tcp (text, packet);
  else if (packet->protocol == KH_PROTOCOL_UDP)
    g_string_append_printf (text, " UDP data=%u", (guint) (packet->length - packet->transport - UDP_HEADER));
  else
    g_string_append (text, packet->echo_request ? " PING" : " PONG");
}

static void
append_error (NatTrace *self, GString *text, const KhPacket *packet)
{
  const guint8 *icmp = packet->data + packet->transport;
  KhEndpoint sender = { 0 };
  KhEndpoint receiver = { 0 };

  kh_packet_get_sender (packet, &sender.ip);
  kh_packet_get_receiver (packet, &receiver.ip);
  append_ends (self, text, &sender, &receiver);
  g_string_append_printf (text, " ICMP %u/%u about %s ", icmp[0], icmp[1],
                          packet->protocol == KH_PROTOCOL_TCP   ? "TCP"
                          : packet->protocol == KH_PROTOCOL_UDP ? "UDP"
                                                                : "PING");
  append_ends (self, text, &packet->source, &packet->destination);
}

/**
 * nat_trace_describe:
 * @arrival: what came out
 *
 * Returns: (transfer full): all of it that two routers should agree upon
 */
char *
nat_trace_describe (NatTrace *self, const NatArrival *arrival)
{
  GString *text = g_string_new (arrival->side == KH_NAT_INSIDE ? "inside: " : "outside: ");
  NatArrival copy = *arrival;
  const char *fault;
  KhPacket packet;

  if (!kh_packet_parse (&packet, copy.data, copy.length, &fault))
    g_string_append_printf (text, "%u bytes, %s", (guint) copy.length, fault);
  else
    {
      if (packet.kind == KH_PACKET_ERROR)
        append_error (self, text, &packet);
      else
        append_flow (self, text, &packet);
      g_string_append_printf (text, " ttl=%u", packet.ttl);
    }

  return g_string_free (text, FALSE);
}
