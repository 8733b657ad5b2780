/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-nat-model.h"

G_BEGIN_DECLS

/* The addresses of the router under test; whoever it is, the hosts around it are those of nat-host.c. */
#define NAT_ROUTER_INSIDE "192.168.1.1"
#define NAT_ROUTER_OUTSIDE "203.0.113.2"
#define NAT_FIRST_INSIDE "192.168.1.2"

/**
 * NatArrival:
 * @side: where it came out
 *
 * A packet that the router under test let out.
 */
typedef struct
{
  KhNatSide side;
  gsize length;
  guint8 data[KH_PACKET_MAX];
} NatArrival;

/**
 * NatBackend:
 * @send: sends a packet from one side, and appends to @arrivals all that comes out of the router because of it, on both
 *   sides; the packet may be changed
 * @wait: lets time pass; likewise
 *
 * A router under test: the model, or the kernel's.
 */
typedef struct _NatBackend NatBackend;

struct _NatBackend
{
  void (*send) (NatBackend *self, KhNatSide from, guint8 *packet, gsize length, GArray *arrivals);
  void (*wait) (NatBackend *self, gint64 microseconds, GArray *arrivals);
  void (*free) (NatBackend *self);
};

static inline void
nat_backend_free (NatBackend *self)
{
  self->free (self);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NatBackend, nat_backend_free)

NatBackend *model_nat_new  (const KhNatSettings *settings, guint32 seed);
NatBackend *kernel_nat_new (const KhNatSettings *settings, GError **error);

G_END_DECLS
