/* SPDX-License-Identifier: GPL-3.0-or-later */
#define G_LOG_DOMAIN "kh-listener"

#include "kh-listener.h"

#include "kh-address.h"
#include "kh-error.h"

#define BACKLOG 256
/* Connections taken in one turn of the main loop, so that a flood of them does not starve those who are in.
 */
#define MAX_ACCEPTS_PER_TURN 64
/* Without a descriptor or memory left accept() fails while the queue stays readable. */
#define PAUSE_MILLISECONDS 200

typedef struct
{
  KhListener *listener; /* unowned: outlives its doors */
  GSocket *socket;
  GSource *source;
  guint place;
} Door;

struct _KhListener
{
  GObject parent_instance;

  KhQuota *quota;
  KhListenerAccept accept;
  KhListenerAccept refuse;
  guint max_refusing;
  guint refusing;
  gpointer user_data;
  GPtrArray *doors;
  guint pause_id;
  guint64 refused;
};

G_DEFINE_FINAL_TYPE (KhListener, kh_listener, G_TYPE_OBJECT)

static void
door_close (Door *door)
{
  if (door->source == NULL)
    return;

  g_source_destroy (door->source);
  g_clear_pointer (&door->source, g_source_unref);
}

static void
door_free (gpointer data)
{
  Door *door = data;

  door_close (door);
  g_socket_close (door->socket, NULL);
  g_object_unref (door->socket);
  g_free (door);
}

static void
kh_listener_dispose (GObject *object)
{
  kh_listener_stop (KH_LISTENER (object));

  G_OBJECT_CLASS (kh_listener_parent_class)->dispose (object);
}

static void
kh_listener_finalize (GObject *object)
{
  KhListener *self = KH_LISTENER (object);

  g_ptr_array_unref (self->doors);
  kh_quota_free (self->quota);

  G_OBJECT_CLASS (kh_listener_parent_class)->finalize (object);
}

static void
kh_listener_class_init (KhListenerClass *klass)
{
  G_OBJECT_CLASS (klass)->dispose = kh_listener_dispose;
  G_OBJECT_CLASS (klass)->finalize = kh_listener_finalize;
}

static void
kh_listener_init (KhListener *self)
{
  self->doors = g_ptr_array_new_with_free_func (door_free);
}

/* What a connection owes when it is finalized: to the quota, or, without an address, to the count of those
 * that are being refused. */
typedef struct
{
  KhListener *listener;
  GInetAddress *address;
} Debt;

static void
pay (gpointer data, GObject *connection)
{
  Debt *debt = data;

  if (debt->address != NULL)
    kh_quota_leave (debt->listener->quota, debt->address);
  else
    debt->listener->refusing--;
  g_clear_object (&debt->address);
  g_object_unref (debt->listener);
  g_free (debt);
}

static void
hand_over (Door *door, GSocket *socket, GInetAddress *address, KhListenerAccept receiver)
{
  g_autoptr (GSocketConnection) connection = g_socket_connection_factory_create_connection (socket);
  Debt *debt = g_new (Debt, 1);

  debt->listener = g_object_ref (door->listener);
  debt->address = address != NULL ? g_object_ref (address) : NULL;
  g_object_weak_ref (G_OBJECT (connection), pay, debt);
  receiver (connection, door->place, door->listener->user_data);
}

static void
refuse (Door *door, GSocket *socket, KhQuotaResult reason)
{
  KhListener *self = door->listener;

  self->refused++;
  if (reason != KH_QUOTA_ADDRESS || self->refusing >= self->max_refusing)
    return;

  self->refusing++;
  hand_over (door, socket, NULL, self->refuse);
}

static void
admit (Door *door, GSocket *socket)
{
  KhListener *self = door->listener;
  g_autoptr (GSocketAddress) remote = g_socket_get_remote_address (socket, NULL);
  GInetAddress *address;
  KhQuotaResult result;

  if (!G_IS_INET_SOCKET_ADDRESS (remote))
    return;

  address = g_inet_socket_address_get_address (G_INET_SOCKET_ADDRESS (remote));
  result = kh_quota_enter (self->quota, address, g_get_monotonic_time ());
  if (result == KH_QUOTA_OK)
    hand_over (door, socket, address, self->accept);
  else
    refuse (door, socket, result);
}

static gboolean on_connection (GSocket *socket, GIOCondition condition, gpointer user_data);

static void
door_open (Door *door)
{
  if (door->source != NULL)
    return;

  door->source = g_socket_create_source (door->socket, G_IO_IN, NULL);
  g_source_set_callback (door->source, G_SOURCE_FUNC (on_connection), door, NULL);
  g_source_attach (door->source, g_main_context_get_thread_default ());
}

static gboolean
on_pause_over (gpointer user_data)
{
  KhListener *self = user_data;

  self->pause_id = 0;
  for (guint i = 0; i < self->doors->len; i++)
    door_open (g_ptr_array_index (self->doors, i));

  return G_SOURCE_REMOVE;
}

/* Whatever the error was: trying again at once would take all the processor's time. A client that is gone
 * before it is accepted (ECONNABORTED) is no such error: Linux reports it only with the client's address,
 * which is not asked for. */
static void
pause_door (Door *door)
{
  KhListener *self = door->listener;

  door_close (door);
  if (self->pause_id == 0)
    self->pause_id = g_timeout_add (PAUSE_MILLISECONDS, on_pause_over, self);
}

static gboolean
on_connection (GSocket *socket, GIOCondition condition, gpointer user_data)
{
  Door *door = user_data;
  g_autoptr (KhListener) self = g_object_ref (door->listener);

  for (int i = 0; i < MAX_ACCEPTS_PER_TURN && door->source != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GSocket) accepted = g_socket_accept (socket, NULL, &error);

      if (accepted != NULL)
        admit (door, accepted);
      else if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK))
        break;
      else
        pause_door (door);
    }

  return G_SOURCE_CONTINUE;
}

/**
 * kh_listener_new:
 * @limits: how many connections, in all and per address; copied
 * @accept: called for each new one
 * @user_data: for @accept
 *
 * Returns: (transfer full): a listener without a port; kh_listener_add() gives it some
 */
KhListener *
kh_listener_new (const KhQuotaLimits *limits, KhListenerAccept accept, gpointer user_data)
{
  KhListener *self = g_object_new (KH_TYPE_LISTENER, NULL);

  self->quota = kh_quota_new (limits);
  self->accept = accept;
  self->user_data = user_data;

  return self;
}

static void
explain (GError **error, const GError *cause, GInetAddress *ip, guint16 port)
{
  g_autofree char *host = g_inet_address_to_string (ip);

  if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_ADDRESS_IN_USE))
    g_set_error (error, KH_ERROR, KH_ERROR_PORT,
                 "Port %u of %s is in use by another program. Stop that program, or choose another port.", port, host);
  else if (g_error_matches (cause, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    g_set_error (error, KH_ERROR, KH_ERROR_PORT,
                 "Port %u of %s may not be used by this user. Choose a port from 1024 up.", port, host);
  else
    g_set_error (error, KH_ERROR, KH_ERROR_PORT,
                 "%s is not an address of this computer. Choose one that \"ip address\" shows.", host);
}

/**
 * kh_listener_add:
 * @self: a listener
 * @address: an address of this computer, or the one that means all of them
 * @port: a port, 0 for any free one
 * @place: what tells this port from the listener's others
 * @error: return location
 *
 * Listens on one more port.
 *
 * Returns: (transfer full): where it listens, or %NULL with %KH_ERROR_PORT and a sentence that says what to
 *   do
 */
GInetSocketAddress *
kh_listener_add (KhListener *self, GInetAddress *address, guint16 port, guint place, GError **error)
{
  g_autoptr (GSocketAddress) wanted = g_inet_socket_address_new (address, port);
  g_autoptr (GSocket) socket = NULL;
  g_autoptr (GError) cause = NULL;
  Door *door;

  g_return_val_if_fail (KH_IS_LISTENER (self), NULL);

  socket = g_socket_new (g_inet_address_get_family (address), G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, &cause);
  if (socket != NULL)
    {
      g_socket_set_blocking (socket, FALSE);
      g_socket_set_listen_backlog (socket, BACKLOG);
    }
  if (socket == NULL || !g_socket_bind (socket, wanted, TRUE, &cause) || !g_socket_listen (socket, &cause))
    {
      explain (error, cause, address, port);
      return NULL;
    }

  door = g_new0 (Door, 1);
  door->listener = self;
  door->socket = g_steal_pointer (&socket);
  door->place = place;
  g_ptr_array_add (self->doors, door);
  door_open (door);

  return G_INET_SOCKET_ADDRESS (g_socket_get_local_address (door->socket, NULL));
}

/**
 * kh_listener_set_refuse:
 * @self: a listener
 * @refuse_one: called for a connection of which its address has too many: to tell it so, and close it soon
 * @max: how many of them there may be at once; all others are just closed
 *
 * They count in no limit but @max.
 */
void
kh_listener_set_refuse (KhListener *self, KhListenerAccept refuse_one, guint max)
{
  g_return_if_fail (KH_IS_LISTENER (self));

  self->refuse = refuse_one;
  self->max_refusing = max;
}

/**
 * kh_listener_stop:
 * @self: a listener
 *
 * Closes its ports. Connections that were accepted stay.
 */
void
kh_listener_stop (KhListener *self)
{
  g_return_if_fail (KH_IS_LISTENER (self));

  g_clear_handle_id (&self->pause_id, g_source_remove);
  g_ptr_array_set_size (self->doors, 0);
}

/**
 * kh_listener_get_count:
 *
 * Returns: connections that are open now
 */
guint
kh_listener_get_count (KhListener *self)
{
  return kh_quota_get_count (self->quota);
}

/**
 * kh_listener_get_refused:
 *
 * Returns: connections that the limits have refused so far
 */
guint64
kh_listener_get_refused (KhListener *self)
{
  return self->refused;
}
