/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-scout.h"

#include "kh-address.h"
#include "kh-cancel.h"
#include "kh-server-name.h"
#include "kh-settings.h"

/* How long a server that dials back may answer later than one that does not, and still be preferred. */
#define GRACE_MS 300

/**
 * KhScout:
 *
 * The first question of a network check: which server answers, and how does one port look from several places? It asks all
 * servers side by side from one fresh port, chooses the one that the other tests go to, then asks that one's other port and
 * other address (RFC 5780, section 4.3).
 */
struct _KhScout
{
  GObject parent_instance;

  KhPort *port;
  GPtrArray *places; /* of Place: the servers, then the chosen one's other port and address */
  GTask *task;
  GCancellable *cancellable;
  GSource *cancel_source;
  guint grace_id;
  struct Place_ *chosen;
  struct Place_ *other_port;
  struct Place_ *other_address;
};

typedef struct Place_
{
  char *name;
  KhStunClient *client;
  GInetSocketAddress *v6;
  gboolean busy;
} Place;

G_DEFINE_FINAL_TYPE (KhScout, kh_scout, G_TYPE_OBJECT)

enum
{
  SIGNAL_CHOSEN,
  N_SIGNALS
};

static guint signals[N_SIGNALS];

typedef struct
{
  KhScout *self;
  Place *place; /* owned by the array of the scout */
} Pending;

static Pending *
pending_new (KhScout *self, Place *place)
{
  Pending *pending = g_new (Pending, 1);

  pending->self = g_object_ref (self);
  pending->place = place;
  return pending;
}

static void
pending_free (Pending *pending)
{
  g_object_unref (pending->self);
  g_free (pending);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC (Pending, pending_free)

static void
place_free (gpointer data)
{
  Place *place = data;

  g_clear_object (&place->client);
  g_clear_object (&place->v6);
  g_free (place->name);
  g_free (place);
}

static void
kh_scout_dispose (GObject *object)
{
  KhScout *self = KH_SCOUT (object);

  kh_scout_close (self);
  g_clear_object (&self->port);

  G_OBJECT_CLASS (kh_scout_parent_class)->dispose (object);
}

static void
kh_scout_finalize (GObject *object)
{
  KhScout *self = KH_SCOUT (object);

  g_ptr_array_unref (self->places);
  g_object_unref (self->cancellable);

  G_OBJECT_CLASS (kh_scout_parent_class)->finalize (object);
}

static void
kh_scout_class_init (KhScoutClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_scout_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_scout_finalize;

  /**
   * KhScout::chosen:
   *
   * There is a server for the other tests: kh_scout_get_chosen().
   */
  signals[SIGNAL_CHOSEN] =
      g_signal_new ("chosen", G_TYPE_FROM_CLASS (klass), G_SIGNAL_RUN_LAST, 0, NULL, NULL, NULL, G_TYPE_NONE, 0);
}

static void
kh_scout_init (KhScout *self)
{
  self->places = g_ptr_array_new_with_free_func (place_free);
  self->cancellable = g_cancellable_new ();
}

static Place *
add_place (KhScout *self, const char *name)
{
  Place *place = g_new0 (Place, 1);

  place->name = g_strdup (name);
  g_ptr_array_add (self->places, place);
  return place;
}

/**
 * kh_scout_new:
 * @servers: (array zero-terminated=1): STUN servers over TCP, `HOST` or `HOST:PORT`
 * @error: return location
 *
 * Returns: (transfer full): a scout on a port of its own, or %NULL with %KH_ERROR_PORT
 */
KhScout *
kh_scout_new (const char *const *servers, GError **error)
{
  g_autoptr (KhPort) port = kh_port_new (0, error);
  KhScout *self;

  if (port == NULL)
    return NULL;

  self = g_object_new (KH_TYPE_SCOUT, NULL);
  self->port = g_steal_pointer (&port);
  for (gsize i = 0; servers[i] != NULL && i < KH_SETTINGS_MAX_STUN_SERVERS; i++)
    add_place (self, servers[i]);
  return self;
}

static gboolean
has_answered (const Place *place)
{
  return place != NULL && place->client != NULL && kh_stun_client_get_outside (place->client) != NULL;
}

static gboolean
is_busy (KhScout *self)
{
  for (guint i = 0; i < self->places->len; i++)
    if (((Place *) g_ptr_array_index (self->places, i))->busy)
      return TRUE;
  return FALSE;
}

static GInetAddress *
host_of (const Place *place)
{
  return g_inet_socket_address_get_address (kh_stun_client_get_server (place->client));
}

/* A server at another address than the chosen one, first its own other address. */
static Place *
find_elsewhere (KhScout *self)
{
  if (has_answered (self->other_address))
    return self->other_address;
  for (guint i = 0; self->chosen != NULL && i < self->places->len; i++)
    {
      Place *place = g_ptr_array_index (self->places, i);

      if (has_answered (place) && !g_inet_address_equal (host_of (place), host_of (self->chosen)))
        return place;
    }
  return NULL;
}

/* --- the end ------------------------------------------------------------------------------------------------ */

static void
finish (KhScout *self)
{
  g_autoptr (GTask) task = g_steal_pointer (&self->task);

  if (task == NULL)
    return;

  g_clear_handle_id (&self->grace_id, g_source_remove);
  kh_cancel_unwatch (&self->cancel_source);
  if (!g_task_return_error_if_cancelled (task))
    g_task_return_boolean (task, self->chosen != NULL);
}

/* With the chosen server's own other port and address there is nothing more to ask; else any other server helps. */
static void
finish_if_done (KhScout *self)
{
  gboolean own_done = self->other_port != NULL && !self->other_port->busy && !self->other_address->busy;

  if (self->chosen != NULL && own_done && find_elsewhere (self) != NULL)
    finish (self);
  else if (self->chosen != NULL && self->other_port == NULL && find_elsewhere (self) != NULL)
    finish (self);
  else if (!is_busy (self))
    finish (self);
}

/* --- asking ------------------------------------------------------------------------------------------------- */

static void maybe_choose (KhScout *self, gboolean impatient);

static void
on_asked (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  g_autoptr (GInetSocketAddress) outside = kh_stun_client_ask_finish (KH_STUN_CLIENT (source), result, NULL);

  if (g_cancellable_is_cancelled (pending->self->cancellable))
    return;

  pending->place->busy = FALSE;
  maybe_choose (pending->self, FALSE);
  finish_if_done (pending->self);
}

static void
ask (KhScout *self, Place *place, GInetSocketAddress *address)
{
  place->busy = TRUE;
  place->client = kh_stun_client_new (self->port, address);
  kh_stun_client_ask_async (place->client, on_asked, pending_new (self, place));
}

static Place *
ask_at (KhScout *self, GInetAddress *host, guint16 port)
{
  g_autoptr (GInetSocketAddress) address = G_INET_SOCKET_ADDRESS (g_inet_socket_address_new (host, port));
  g_autofree char *name = kh_address_to_text (G_SOCKET_ADDRESS (address));
  Place *place = add_place (self, name);

  ask (self, place, address);
  return place;
}

static void
ask_others (KhScout *self)
{
  GInetSocketAddress *server = kh_stun_client_get_server (self->chosen->client);
  GInetSocketAddress *other = kh_stun_client_get_other (self->chosen->client);
  guint16 port = g_inet_socket_address_get_port (server);

  if (other == NULL || !kh_address_is_neighbour (server, other))
    return;

  self->other_port = ask_at (self, g_inet_socket_address_get_address (server), g_inet_socket_address_get_port (other));
  self->other_address = ask_at (self, g_inet_socket_address_get_address (other), port);
}

static void
choose (KhScout *self, Place *place)
{
  g_clear_handle_id (&self->grace_id, g_source_remove);
  self->chosen = place;
  g_signal_emit (self, signals[SIGNAL_CHOSEN], 0);
  if (!g_cancellable_is_cancelled (self->cancellable))
    ask_others (self);
}

static gboolean
on_grace_over (gpointer user_data)
{
  g_autoptr (KhScout) self = g_object_ref (KH_SCOUT (user_data));

  self->grace_id = 0;
  maybe_choose (self, TRUE);
  finish_if_done (self);
  return G_SOURCE_REMOVE;
}

/* The first that dials back; when none of those that answer soon does, the first in the order of the list. */
static void
maybe_choose (KhScout *self, gboolean impatient)
{
  Place *first = NULL;

  if (self->chosen != NULL)
    return;
  for (guint i = 0; i < self->places->len; i++)
    {
      Place *place = g_ptr_array_index (self->places, i);

      if (!has_answered (place))
        continue;
      if (kh_stun_client_get_cookie (place->client) != NULL)
        {
          choose (self, place);
          return;
        }
      first = first != NULL ? first : place;
    }

  if (first != NULL && (impatient || !is_busy (self)))
    choose (self, first);
  else if (first != NULL && self->grace_id == 0)
    {
      self->grace_id = g_timeout_add (GRACE_MS, on_grace_over, self);
      g_source_set_name_by_id (self->grace_id, "kh-scout grace");
    }
}

static void
on_resolved (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (Pending) pending = user_data;
  KhScout *self = pending->self;
  KhServerAddresses addresses = { NULL, NULL };
  gboolean resolved = kh_server_name_resolve_finish (result, &addresses, NULL);

  if (g_cancellable_is_cancelled (self->cancellable))
    {
      g_clear_object (&addresses.v4);
      g_clear_object (&addresses.v6);
      return;
    }

  pending->place->busy = FALSE;
  pending->place->v6 = addresses.v6;
  if (resolved && addresses.v4 != NULL)
    ask (self, pending->place, addresses.v4);
  g_clear_object (&addresses.v4);
  maybe_choose (self, FALSE);
  finish_if_done (self);
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  g_autoptr (KhScout) self = g_object_ref (KH_SCOUT (user_data));

  kh_scout_close (self);
  return G_SOURCE_REMOVE;
}

/**
 * kh_scout_run_async:
 * @cancellable: (nullable): ends it
 * @callback: called once
 * @user_data: for @callback
 *
 * Asks. Its connections stay open until kh_scout_close().
 */
void
kh_scout_run_async (KhScout *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer user_data)
{
  guint n = self->places->len;

  g_return_if_fail (KH_IS_SCOUT (self) && self->task == NULL);

  self->task = g_task_new (self, cancellable, callback, user_data);
  g_task_set_source_tag (self->task, kh_scout_run_async);
  self->cancel_source = kh_cancel_watch (cancellable, on_cancelled, self);

  for (guint i = 0; i < n; i++)
    ((Place *) g_ptr_array_index (self->places, i))->busy = TRUE;
  for (guint i = 0; i < n; i++)
    {
      Place *place = g_ptr_array_index (self->places, i);

      kh_server_name_resolve_async (place->name, self->cancellable, on_resolved, pending_new (self, place));
    }
  if (n == 0)
    finish (self);
}

/**
 * kh_scout_run_finish:
 *
 * Returns: whether a server answered; else %FALSE, with %G_IO_ERROR_CANCELLED or without an error
 */
gboolean
kh_scout_run_finish (KhScout *self, GAsyncResult *result, GError **error)
{
  g_return_val_if_fail (g_task_is_valid (result, self), FALSE);

  return g_task_propagate_boolean (G_TASK (result), error);
}

/**
 * kh_scout_get_chosen:
 *
 * Returns: (transfer none) (nullable): the open connection to the server that was chosen
 */
KhStunClient *
kh_scout_get_chosen (KhScout *self)
{
  g_return_val_if_fail (KH_IS_SCOUT (self), NULL);

  return self->chosen != NULL ? self->chosen->client : NULL;
}

/**
 * kh_scout_get_elsewhere:
 *
 * Returns: (transfer none) (nullable): a STUN server at another address, or at least at another port, than the chosen one
 */
GInetSocketAddress *
kh_scout_get_elsewhere (KhScout *self)
{
  Place *place;

  g_return_val_if_fail (KH_IS_SCOUT (self), NULL);

  place = find_elsewhere (self);
  if (place == NULL && has_answered (self->other_port))
    place = self->other_port;
  return place != NULL ? kh_stun_client_get_server (place->client) : NULL;
}

/**
 * kh_scout_get_v6_server:
 *
 * Returns: (transfer none) (nullable): the first server that has an IPv6 address, by that
 */
GInetSocketAddress *
kh_scout_get_v6_server (KhScout *self)
{
  g_return_val_if_fail (KH_IS_SCOUT (self), NULL);

  for (guint i = 0; i < self->places->len; i++)
    {
      Place *place = g_ptr_array_index (self->places, i);

      if (place->v6 != NULL)
        return place->v6;
    }
  return NULL;
}

guint16
kh_scout_get_port (KhScout *self)
{
  g_return_val_if_fail (KH_IS_SCOUT (self), 0);

  return kh_port_get_number (self->port);
}

/**
 * kh_scout_see:
 * @sightings: (out caller-allocates) (transfer none): how the port looks from where somebody answered
 */
void
kh_scout_see (KhScout *self, KhSightings *sightings)
{
  Place *elsewhere = find_elsewhere (self);

  *sightings = (KhSightings){ NULL, NULL, NULL, NULL };
  if (self->chosen == NULL)
    return;
  sightings->local = kh_stun_client_get_local (self->chosen->client);
  sightings->first = kh_stun_client_get_outside (self->chosen->client);
  if (has_answered (self->other_port))
    sightings->other_port = kh_stun_client_get_outside (self->other_port->client);
  if (elsewhere != NULL)
    sightings->other_address = kh_stun_client_get_outside (elsewhere->client);
}

/**
 * kh_scout_close:
 *
 * Ends everything, for good; a run under way ends with what is there. Harmless when done twice.
 */
void
kh_scout_close (KhScout *self)
{
  g_return_if_fail (KH_IS_SCOUT (self));

  g_cancellable_cancel (self->cancellable);
  for (guint i = 0; i < self->places->len; i++)
    {
      Place *place = g_ptr_array_index (self->places, i);

      if (place->client != NULL)
        kh_stun_client_close (place->client);
    }
  finish (self);
}
