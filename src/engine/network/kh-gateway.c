/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-gateway.h"

#include "kh-igd.h"
#include "kh-nat-pmp.h"
#include "kh-pcp.h"

/* Each of the three ends by itself, in time and when it is cancelled; so do we with the last of them. */
typedef struct
{
  GTask *task;
  guint pending;
  guint answered; /* of them, how many could ask at all */
  GError *error;  /* the first */
  KhRouterFacts facts;
  GInetAddress *by_nat_pmp;
  GInetAddress *by_upnp;
} Ask;

static void
name_external (KhRouterFacts *facts, GInetAddress *address)
{
  g_autofree char *text = address != NULL ? g_inet_address_to_string (address) : NULL;

  if (text != NULL)
    g_strlcpy (facts->external, text, sizeof facts->external);
}

/* NAT-PMP is the simpler of the two, and what it says comes from the router itself. */
static void
finish (Ask *ask)
{
  g_autoptr (GTask) task = ask->task;

  ask->facts.asked = TRUE;
  name_external (&ask->facts, ask->by_nat_pmp != NULL ? ask->by_nat_pmp : ask->by_upnp);
  if (ask->answered > 0)
    g_task_return_pointer (task, g_memdup2 (&ask->facts, sizeof ask->facts), g_free);
  else
    g_task_return_error (task, g_steal_pointer (&ask->error));

  g_clear_object (&ask->by_nat_pmp);
  g_clear_object (&ask->by_upnp);
  g_clear_error (&ask->error);
  g_free (ask);
}

static void
take (Ask *ask, gboolean asked, gboolean spoken, KhRouterProtocols protocol, GError *error)
{
  if (asked)
    ask->answered++;
  if (asked && spoken)
    ask->facts.protocols |= protocol;
  if (ask->error == NULL)
    ask->error = error;
  else
    g_clear_error (&error);

  if (--ask->pending == 0)
    finish (ask);
}

static void
on_pcp (GObject *source, GAsyncResult *result, gpointer user_data)
{
  gboolean spoken = FALSE;
  GError *error = NULL;
  gboolean asked = kh_pcp_ask_finish (result, &spoken, &error);

  take (user_data, asked, spoken, KH_ROUTER_PCP, error);
}

static void
on_nat_pmp (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Ask *ask = user_data;
  gboolean spoken = FALSE;
  GError *error = NULL;
  gboolean asked = kh_nat_pmp_ask_finish (result, &spoken, &ask->by_nat_pmp, &error);

  take (ask, asked, spoken, KH_ROUTER_NAT_PMP, error);
}

static void
on_igd (GObject *source, GAsyncResult *result, gpointer user_data)
{
  Ask *ask = user_data;
  gboolean spoken = FALSE;
  GError *error = NULL;
  gboolean asked = kh_igd_ask_finish (result, &spoken, &ask->by_upnp, &error);

  take (ask, asked, spoken, KH_ROUTER_UPNP, error);
}

/**
 * kh_gateway_ask_async:
 * @gateway: the router's IPv4 address
 * @local: our own IPv4 address in its network
 * @patience_ms: how long to wait for answers; about 2000, since UPnP routers may take a second
 * @cancellable: (nullable): ends it at once
 * @callback: called once
 * @user_data: for @callback
 *
 * Asks the router which protocols for port mappings it speaks, and what its outside address is. Nothing is opened. UPnP,
 * NAT-PMP and PCP are tried side by side; it ends when all have answered.
 */
void
kh_gateway_ask_async (GInetAddress *gateway, GInetAddress *local, guint patience_ms, GCancellable *cancellable,
                      GAsyncReadyCallback callback, gpointer user_data)
{
  Ask *ask;

  g_return_if_fail (G_IS_INET_ADDRESS (gateway) && g_inet_address_get_family (gateway) == G_SOCKET_FAMILY_IPV4);
  g_return_if_fail (G_IS_INET_ADDRESS (local) && g_inet_address_get_family (local) == G_SOCKET_FAMILY_IPV4);

  ask = g_new0 (Ask, 1);
  ask->task = g_task_new (NULL, cancellable, callback, user_data);
  g_task_set_source_tag (ask->task, kh_gateway_ask_async);
  ask->pending = 3;
  kh_igd_ask_async (gateway, local, patience_ms, cancellable, on_igd, ask);
  kh_nat_pmp_ask_async (gateway, patience_ms, cancellable, on_nat_pmp, ask);
  kh_pcp_ask_async (gateway, local, patience_ms, cancellable, on_pcp, ask);
}

/**
 * kh_gateway_ask_finish:
 * @facts: (out caller-allocates): what the router says of itself
 * @error: return location
 *
 * Returns: whether it was asked, be it that it speaks none of them; else a %G_IO_ERROR: nothing could be sent
 */
gboolean
kh_gateway_ask_finish (GAsyncResult *result, KhRouterFacts *facts, GError **error)
{
  g_autofree KhRouterFacts *found = NULL;

  g_return_val_if_fail (g_task_is_valid (result, NULL), FALSE);

  found = g_task_propagate_pointer (G_TASK (result), error);
  if (found == NULL)
    return FALSE;

  *facts = *found;
  return TRUE;
}
