/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-surroundings.h"

#include "kh-knock.h"
#include "kh-gateway.h"
#include "kh-hops.h"
#include "kh-interfaces.h"
#include "kh-probe.h"
#include "kh-way.h"

/* Routers on the way answer at once or never. */
#define HOPS_PATIENCE_MS 1000
/* UPnP devices may take a second before they answer (UPnP device architecture, MX). */
#define GATEWAY_PATIENCE_MS 2500

/**
 * KhSurroundings:
 *
 * What a network check sees beside TCP on IPv4: the routers on the way, what the own router says of itself, whether the way
 * leads through a tunnel, and IPv6. All of it only asks.
 */
struct _KhSurroundings
{
  GObject parent_instance;

  KhFacts facts;
  KhReason reasons[KH_N_FINDINGS];
  KhInterfaces *interfaces;
  KhProbe *v6;
  GCancellable *cancellable;
};

G_DEFINE_FINAL_TYPE (KhSurroundings, kh_surroundings, G_TYPE_OBJECT)

enum
{
  SIGNAL_FOUND,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

static void
kh_surroundings_dispose (GObject *object)
{
  KhSurroundings *self = KH_SURROUNDINGS (object);

  kh_surroundings_close (self);
  g_clear_object (&self->v6);

  G_OBJECT_CLASS (kh_surroundings_parent_class)->dispose (object);
}

static void
kh_surroundings_finalize (GObject *object)
{
  KhSurroundings *self = KH_SURROUNDINGS (object);

  g_object_unref (self->cancellable);
  kh_interfaces_free (self->interfaces);

  G_OBJECT_CLASS (kh_surroundings_parent_class)->finalize (object);
}

static void
kh_surroundings_class_init (KhSurroundingsClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_surroundings_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_surroundings_finalize;

  /**
   * KhSurroundings::found:
   * @finding: a #KhFinding that is over
   */
  signals[SIGNAL_FOUND] = g_signal_new ("found", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL,
                                        G_TYPE_NONE, 1, G_TYPE_UINT);
}

static void
kh_surroundings_init (KhSurroundings *self)
{
  kh_facts_init (&self->facts);
  self->interfaces = kh_interfaces_new_read ();
  self->cancellable = g_cancellable_new ();
}

KhSurroundings *
kh_surroundings_new (void)
{
  return g_object_new (KH_TYPE_SURROUNDINGS, NULL);
}

static void
found (KhSurroundings *self, KhFinding finding, KhReason reason)
{
  self->reasons[finding] = reason;
  g_signal_emit (self, signals[SIGNAL_FOUND], 0, finding);
}

static void
found_word (KhSurroundings *self, KhFinding finding, KhFact fact, const char *word)
{
  kh_facts_set (&self->facts, fact, word);
  found (self, finding, KH_REASON_KNOWN);
}

static void
on_hops (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhSurroundings) self = user_data;
  KhHops hops;
  gboolean carrier = FALSE;

  if (!kh_hops_measure_finish (result, &hops, NULL))
    {
      if (!g_cancellable_is_cancelled (self->cancellable))
        found (self, KH_FINDING_NAT_DEPTH, KH_REASON_LOCAL);
      return;
    }

  kh_hops_judge (&hops, &self->facts.numbers[KH_FACT_NAT_DEPTH], &carrier);
  if (carrier)
    kh_facts_set (&self->facts, KH_FACT_CARRIER_NAT, "yes");
  found (self, KH_FINDING_NAT_DEPTH,
         self->facts.numbers[KH_FACT_NAT_DEPTH] != KH_FACT_NUMBER_UNKNOWN ? KH_REASON_KNOWN : KH_REASON_NO_ICMP);
}

static void
on_gateway (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhSurroundings) self = user_data;
  gboolean asked = kh_gateway_ask_finish (result, &self->facts.router, NULL);

  if (!g_cancellable_is_cancelled (self->cancellable))
    found (self, KH_FINDING_ROUTER, asked ? KH_REASON_KNOWN : KH_REASON_LOCAL);
}

static void
ask_gateway (KhSurroundings *self, GInetAddress *local)
{
  GInetAddress *gateway = kh_interfaces_get_gateway (self->interfaces);

  /* A server on this computer itself is not reached through a router; and a router of another network than the one that the way
   * leads through, as beside a VPN, would not answer us. */
  if (gateway == NULL || g_inet_address_get_is_loopback (local) ||
      !kh_interfaces_share_link (self->interfaces, local, gateway))
    found (self, KH_FINDING_ROUTER, KH_REASON_NO_GATEWAY);
  else
    kh_gateway_ask_async (gateway, local, GATEWAY_PATIENCE_MS, self->cancellable, on_gateway, g_object_ref (self));
}

/**
 * kh_surroundings_look:
 * @chosen: (nullable): a connection to the server that was chosen; %NULL when none answered
 *
 * Looks at everything that the way to the server tells.
 */
void
kh_surroundings_look (KhSurroundings *self, KhStunClient *chosen)
{
  g_autoptr (KhSurroundings) alive = g_object_ref (self); /* whoever is told may let go of it */
  GInetAddress *server, *local;

  g_return_if_fail (KH_IS_SURROUNDINGS (self));

  if (chosen == NULL)
    {
      found (self, KH_FINDING_NAT_DEPTH, KH_REASON_NO_SERVER);
      found (self, KH_FINDING_ROUTER, KH_REASON_NO_SERVER);
      found (self, KH_FINDING_VPN, KH_REASON_NO_SERVER);
      return;
    }

  server = g_inet_socket_address_get_address (kh_stun_client_get_server (chosen));
  local = g_inet_socket_address_get_address (kh_stun_client_get_local (chosen));
  kh_hops_measure_async (server, HOPS_PATIENCE_MS, self->cancellable, on_hops, g_object_ref (self));
  ask_gateway (self, local);
  if (kh_interfaces_knows_link (self->interfaces, local))
    found_word (self, KH_FINDING_VPN, KH_FACT_VPN, kh_interfaces_is_tunnel (self->interfaces, local) ? "yes" : "no");
  else
    found (self, KH_FINDING_VPN, KH_REASON_LOCAL);
}

/* --- IPv6 --------------------------------------------------------------------------------------------------- */

static void
on_v6_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhSurroundings) self = user_data;
  KhDialOutcome outcome;

  if (!kh_knock_finish (KH_PROBE (source), result, &outcome, NULL))
    return;
  if (outcome.reason != KH_REASON_KNOWN)
    found (self, KH_FINDING_IPV6_INBOUND, outcome.reason);
  else
    found_word (self, KH_FINDING_IPV6_INBOUND, KH_FACT_IPV6_INBOUND,
                outcome.result == KH_DIAL_CONNECTED ? "yes" : "no");
}

static void
on_v6_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (KhSurroundings) self = user_data;
  KhProbe *probe = KH_PROBE (source);
  gboolean answered = kh_probe_ask_finish (probe, result, NULL);

  if (g_cancellable_is_cancelled (self->cancellable))
    return;
  if (!answered) /* which may be for want of the server alone */
    {
      found (self, KH_FINDING_IPV6, KH_REASON_SERVER_SILENT);
      found (self, KH_FINDING_IPV6_INBOUND, KH_REASON_SERVER_SILENT);
      return;
    }
  found_word (self, KH_FINDING_IPV6, KH_FACT_IPV6, "yes");
  if (kh_stun_client_get_cookie (kh_probe_get_client (probe)) != NULL)
    kh_knock_async (probe, kh_probe_get_client (probe), KH_DIAL_PORT, self->cancellable, on_v6_dialled,
                    g_object_ref (self));
  else
    found (self, KH_FINDING_IPV6_INBOUND, KH_REASON_NO_DIAL_BACK);
}

/* An address that is not global may have a translator behind it, as VPNs have; only without any way there is surely none. */
static gboolean
may_have_v6 (KhSurroundings *self, GInetSocketAddress *server)
{
  g_autoptr (GInetAddress) local = server != NULL ? kh_way_find_local (server, NULL) : NULL;

  return server != NULL ? local != NULL : kh_interfaces_has_ipv6 (self->interfaces);
}

/**
 * kh_surroundings_look_v6:
 * @server: (nullable): a STUN server's IPv6 address
 *
 * Looks whether there is IPv6, and whether strangers may begin a connection by it.
 */
void
kh_surroundings_look_v6 (KhSurroundings *self, GInetSocketAddress *server)
{
  g_autoptr (KhSurroundings) alive = g_object_ref (self);
  g_return_if_fail (KH_IS_SURROUNDINGS (self));

  if (!may_have_v6 (self, server))
    {
      found_word (self, KH_FINDING_IPV6, KH_FACT_IPV6, "no");
      found (self, KH_FINDING_IPV6_INBOUND, KH_REASON_NO_IPV6);
      return;
    }
  if (server != NULL)
    self->v6 = kh_probe_new (server, NULL);
  if (self->v6 != NULL)
    kh_probe_ask_async (self->v6, on_v6_asked, g_object_ref (self));
  else
    {
      found (self, KH_FINDING_IPV6, server == NULL ? KH_REASON_NO_IPV6_SERVER : KH_REASON_LOCAL);
      found (self, KH_FINDING_IPV6_INBOUND, server == NULL ? KH_REASON_NO_IPV6_SERVER : KH_REASON_LOCAL);
    }
}

/**
 * kh_surroundings_close:
 *
 * Ends everything, for good. Harmless when done twice.
 */
void
kh_surroundings_close (KhSurroundings *self)
{
  g_return_if_fail (KH_IS_SURROUNDINGS (self));

  g_cancellable_cancel (self->cancellable);
  if (self->v6 != NULL)
    kh_probe_close (self->v6);
}

/**
 * kh_surroundings_get_facts:
 *
 * Returns: (transfer none): what is known
 */
const KhFacts *
kh_surroundings_get_facts (KhSurroundings *self)
{
  return &self->facts;
}

/**
 * kh_surroundings_get_reason:
 *
 * Returns: why @finding, which is over, is not known
 */
KhReason
kh_surroundings_get_reason (KhSurroundings *self, KhFinding finding)
{
  return self->reasons[finding];
}
