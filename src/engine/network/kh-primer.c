/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-primer.h"

#include <gio/gnetworking.h>

/* A SYN that dies on the way makes a router say so by ICMP, and that would end the dial (EHOSTUNREACH). The ICMP quotes the
 * SYN with the little time to live that it had left: the kernel takes no notice of what quotes less than this, and of segments
 * that come in with less, which those of the internet never do. [With it 14 of 14 primed pairs connected, without it none.] */
#define LEAST_INCOMING 8

/* The kernel sends the SYN again after 1, 2, 3 s and so on (Linux before 6.5: after 1, 3, 7 s), with the time to live of that moment. It
 * is lowered around these moments only: in between the answer to the friend's SYN has to get all the way to him. A single primer
 * is lowered once more, for a friend who is slow; then a SYN that arrives is the better try: where a router lets none in, only we
 * can begin. A door has to stay open for as long as the friend throws dice. [Doors that were lowered once: 2 of 100 pairs without a
 * path where both routers refuse strangers.] */
#define RESENDS 1
#define LASTING_RESENDS 10
#define BEFORE_MS 50
#define AFTER_MS 250

struct _KhPrimer
{
  int fd;
  GSocketFamily family;
  int hops;
  guint resends;
  guint step; /* even: at full length, odd: lowered */
  guint timer_id;
};

/* -1 is as usual. */
static void
set_hops (KhPrimer *self, int hops)
{
  if (self->family == G_SOCKET_FAMILY_IPV6)
    setsockopt (self->fd, IPPROTO_IPV6, IPV6_UNICAST_HOPS, &hops, sizeof hops);
  else
    setsockopt (self->fd, IPPROTO_IP, IP_TTL, &hops, sizeof hops);
}

static void
set_least_incoming (KhPrimer *self, int hops)
{
  if (self->family == G_SOCKET_FAMILY_IPV6)
    setsockopt (self->fd, IPPROTO_IPV6, IPV6_MINHOPCOUNT, &hops, sizeof hops);
  else
    setsockopt (self->fd, IPPROTO_IP, IP_MINTTL, &hops, sizeof hops);
}

/**
 * kh_primer_new:
 * @fd: a socket that has not connected yet; it has to outlive the primer
 * @family: IPv4 or IPv6
 * @hops: how far its SYN shall come: one further than our outermost NAT
 * @lasting: whether that holds for all its SYNs, or only for the first ones
 *
 * Returns: (transfer full): what keeps that so, as long as it lives
 */
KhPrimer *
kh_primer_new (int fd, GSocketFamily family, guint hops, gboolean lasting)
{
  KhPrimer *self = g_new0 (KhPrimer, 1);

  self->fd = fd;
  self->family = family;
  self->hops = hops;
  self->resends = lasting ? LASTING_RESENDS : RESENDS;
  set_least_incoming (self, LEAST_INCOMING);
  set_hops (self, self->hops);
  return self;
}

static void schedule (KhPrimer *self);

static gboolean
on_time (gpointer user_data)
{
  KhPrimer *self = user_data;

  self->timer_id = 0;
  self->step++;
  set_hops (self, self->step % 2 == 1 ? self->hops : -1);
  if (self->step < 2 * self->resends)
    schedule (self);
  return G_SOURCE_REMOVE;
}

static void
schedule (KhPrimer *self)
{
  gboolean lowered = self->step % 2 == 1;
  guint until_next = 1000 - BEFORE_MS - (self->step > 0 ? AFTER_MS : 0);

  self->timer_id = g_timeout_add (lowered ? BEFORE_MS + AFTER_MS : until_next, on_time, self);
  g_source_set_name_by_id (self->timer_id, "kh-primer hops");
}

/**
 * kh_primer_sent:
 *
 * To be called when connect() has sent the SYN: from now on other segments go all the way.
 */
void
kh_primer_sent (KhPrimer *self)
{
  set_hops (self, -1);
  schedule (self);
}

/**
 * kh_primer_free:
 *
 * Makes the socket one like others.
 */
void
kh_primer_free (KhPrimer *self)
{
  g_clear_handle_id (&self->timer_id, g_source_remove);
  set_hops (self, -1);
  set_least_incoming (self, 0);
  g_free (self);
}
