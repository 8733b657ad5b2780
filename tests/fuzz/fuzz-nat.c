/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever hosts send, the network neither crashes nor hands out a packet that is not in order.
 *
 * The input is a row of records: one byte of what to do, two of length, then a packet. */
#include "fuzz.h"
#include "kh-checksum.h"
#include "kh-network.h"
#include "kh-packet.h"

#include <string.h>

/* A mended packet gets past the checksums, which junk hardly ever has right. */
#define MEND 0x10
#define ADVANCE 0x20
#define MAX_RECORDS 64

static const char *const routers[] = { "full-cone,delay=5,rate=1,jitter=2", "symmetric-rst", "cgn", "icmp-reject,ipv6=firewall",
                                       "linux,limit=3", "open" };

static void
on_deliver (gpointer unused, KhHostId host, const guint8 *data, gsize length)
{
  guint8 room[KH_PACKET_MAX];
  KhPacket packet;
  const char *fault;

  memcpy (room, data, length);
  if (!kh_packet_parse (&packet, room, length, &fault))
    g_error ("a packet that is not in order is delivered: %s", fault);
}

/* Where the checksum of a protocol stands. */
static gsize
find_checksum (guint8 protocol)
{
  return protocol == KH_PROTOCOL_TCP ? 16 : protocol == KH_PROTOCOL_UDP ? 6 : 2;
}

static void
mend_transport (guint8 *transport, gsize length, guint8 protocol, guint32 sum)
{
  gsize place = find_checksum (protocol);
  guint16 checksum;

  if (length < place + 2)
    return;
  if (protocol == KH_PROTOCOL_UDP)
    kh_put16 (transport + 4, (guint16) length);
  memset (transport + place, 0, 2);
  checksum = kh_checksum_finish (kh_checksum_add (sum, transport, length));
  memcpy (transport + place, &checksum, 2);
}

static void
mend6 (guint8 *packet, gsize length)
{
  KhIp from, to;

  if (length < 60)
    return;
  kh_put16 (packet + 4, (guint16) (length - 40));
  from = kh_ip_from_bytes (packet + 8, 16);
  to = kh_ip_from_bytes (packet + 24, 16);
  mend_transport (packet + 40, length - 40, packet[6], kh_checksum_pseudo (&from, &to, packet[6], length - 40));
}

static void
mend (guint8 *packet, gsize length)
{
  gsize header;
  guint16 sum;
  KhIp from, to;

  if (length > 0 && packet[0] >> 4 == 6)
    mend6 (packet, length);
  if (length < 20 || packet[0] >> 4 != 4)
    return;
  header = MAX (20, (packet[0] & 15) * 4);
  if (length < header + 20)
    return;
  packet[0] = (guint8) (0x40 | header / 4);
  kh_put16 (packet + 2, (guint16) length);
  packet[6] = packet[7] = packet[10] = packet[11] = 0;
  sum = kh_checksum_finish (kh_checksum_add (0, packet, header));
  memcpy (packet + 10, &sum, 2);

  from = kh_ip_from_bytes (packet + 12, 4);
  to = kh_ip_from_bytes (packet + 16, 4);
  mend_transport (packet + header, length - header, packet[9],
                  packet[9] == KH_PROTOCOL_ICMP ? 0 : kh_checksum_pseudo (&from, &to, packet[9], length - header));
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  KhNetworkSettings settings = { .expired = TRUE, .seed = 1 };
  g_autoptr (KhNetwork) network = NULL;
  gint64 now = 1;
  guint8 room[KH_PACKET_MAX];

  if (size < 1)
    return 0;
  settings.same_home = data[0] & 0x80;
  kh_home_parse (&settings.left, routers[data[0] % 6], NULL);
  kh_home_parse (&settings.right, routers[data[0] / 6 % 6], NULL);
  network = kh_network_new (&settings, on_deliver, NULL);
  data++, size--;

  for (guint i = 0; i < MAX_RECORDS && size >= 3; i++)
    {
      guint8 what = data[0];
      gsize length = MIN (MIN (size - 3, (gsize) kh_get16 (data + 1)), sizeof room);

      memcpy (room, data + 3, length);
      data += 3 + length;
      size -= 3 + length;
      if (what & MEND)
        mend (room, length);
      if (what & ADVANCE)
        now += G_TIME_SPAN_MINUTE;
      kh_network_send (network, what % KH_N_HOSTS, room, length, now);
      kh_network_advance (network, now);
    }

  return 0;
}
