/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-home.h"
#include "kh-ip.h"

G_BEGIN_DECLS

/**
 * KhHostId:
 *
 * The hosts of a laboratory.
 */
typedef enum
{
  KH_HOST_LEFT,
  KH_HOST_RIGHT,
  KH_HOST_SERVER,
} KhHostId;

#define KH_N_HOSTS (KH_HOST_SERVER + 1)

/**
 * KhNetworkSettings:
 * @left: how the left host is connected
 * @right: how the right one is; unused with @same_home
 * @same_home: the right host is behind the left one's router
 * @expired: whether the internet's own routers send ICMP time exceeded
 * @seed: where everything random comes from
 */
typedef struct
{
  KhHome left;
  KhHome right;
  gboolean same_home;
  gboolean expired;
  guint32 seed;
} KhNetworkSettings;

/**
 * KhHostAddresses:
 * @own: the host's address
 * @second: its second one, for the server alone; else zero
 * @gateway: its router
 * @own6: its address of IPv6, zero without
 * @gateway6: its router's
 * @outside: how the internet sees it: its own address where nothing is translated
 */
typedef struct
{
  KhIp own;
  KhIp second;
  KhIp gateway;
  KhIp own6;
  KhIp gateway6;
  KhIp outside;
} KhHostAddresses;

/**
 * KhNetworkDeliver:
 * @host: who gets it
 * @packet: an IP packet
 * @length: its bytes
 */
typedef void (*KhNetworkDeliver) (gpointer data, KhHostId host, const guint8 *packet, gsize length);

/**
 * KhNetworkRecord:
 * @wire: number of the wire that the packet was on
 * @up: whether it went towards the internet
 * @packet: as it was on that wire
 * @length: its bytes
 * @now: monotonic microseconds
 * @comment: (nullable): what the router at the end of the wire made of it
 */
typedef void (*KhNetworkRecord) (gpointer data, guint wire, gboolean up, const guint8 *packet, gsize length, gint64 now,
                                 const char *comment);

typedef struct _KhNetwork KhNetwork;

KhNetwork             *kh_network_new           (const KhNetworkSettings *settings, KhNetworkDeliver deliver, gpointer data);
void                   kh_network_free          (KhNetwork *self);
const KhHostAddresses *kh_network_get_addresses (KhNetwork *self, KhHostId host);
guint                  kh_network_get_n_wires   (KhNetwork *self);
const char            *kh_network_get_wire_name (KhNetwork *self, guint wire);
void                   kh_network_set_record    (KhNetwork *self, KhNetworkRecord record, gpointer data);
void                   kh_network_send          (KhNetwork *self, KhHostId from, guint8 *packet, gsize length, gint64 now);
gint64                 kh_network_get_next      (KhNetwork *self);
void                   kh_network_advance       (KhNetwork *self, gint64 now);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhNetwork, kh_network_free)

G_END_DECLS
