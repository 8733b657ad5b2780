/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "proxy.h"

typedef struct
{
  GIOStream *near_end;
  GIOStream *far_end;
} Pair;

struct _Proxy
{
  GSocketService *service;
  guint16 port;
  guint16 target;
  GPtrArray *pairs;
  GCancellable *cancellable;
  guint count;
};

static void
pair_free (Pair *pair)
{
  g_io_stream_close (pair->near_end, NULL, NULL);
  g_io_stream_close (pair->far_end, NULL, NULL);
  g_object_unref (pair->near_end);
  g_object_unref (pair->far_end);
  g_free (pair);
}

static void
on_spliced (GObject *stream, GAsyncResult *result, gpointer user_data)
{
  g_output_stream_splice_finish (G_OUTPUT_STREAM (stream), result, NULL);
}

static void
splice (Proxy *self, GIOStream *from, GIOStream *to)
{
  g_output_stream_splice_async (g_io_stream_get_output_stream (to), g_io_stream_get_input_stream (from),
                                G_OUTPUT_STREAM_SPLICE_CLOSE_TARGET, G_PRIORITY_DEFAULT, self->cancellable, on_spliced,
                                NULL);
}

static gboolean
on_incoming (GSocketService *service, GSocketConnection *connection, GObject *source, Proxy *self)
{
  g_autoptr (GSocketClient) client = g_socket_client_new ();
  GSocketConnection *onward = g_socket_client_connect_to_host (client, "127.0.0.1", self->target, NULL, NULL);
  Pair *pair;

  if (onward == NULL)
    return TRUE;

  self->count++;
  pair = g_new0 (Pair, 1);
  pair->near_end = G_IO_STREAM (g_object_ref (connection));
  pair->far_end = G_IO_STREAM (onward);
  g_ptr_array_add (self->pairs, pair);
  splice (self, pair->near_end, pair->far_end);
  splice (self, pair->far_end, pair->near_end);

  return TRUE;
}

Proxy *
proxy_new (guint16 target)
{
  Proxy *self = g_new0 (Proxy, 1);

  self->target = target;
  self->pairs = g_ptr_array_new_with_free_func ((GDestroyNotify) pair_free);
  self->cancellable = g_cancellable_new ();
  self->service = g_socket_service_new ();
  self->port = g_socket_listener_add_any_inet_port (G_SOCKET_LISTENER (self->service), NULL, NULL);
  g_signal_connect (self->service, "incoming", G_CALLBACK (on_incoming), self);

  return self;
}

/* All connections end at once; new ones are welcome. */
void
proxy_cut (Proxy *self)
{
  g_cancellable_cancel (self->cancellable);
  g_object_unref (self->cancellable);
  self->cancellable = g_cancellable_new ();
  while (g_main_context_iteration (NULL, FALSE))
    ;
  g_ptr_array_set_size (self->pairs, 0);
}

void
proxy_free (Proxy *self)
{
  proxy_cut (self);
  g_socket_service_stop (self->service);
  g_socket_listener_close (G_SOCKET_LISTENER (self->service));
  g_object_unref (self->service);
  g_object_unref (self->cancellable);
  g_ptr_array_unref (self->pairs);
  g_free (self);
}

guint16
proxy_get_port (Proxy *self)
{
  return self->port;
}

/* How many connections there were. */
guint
proxy_get_count (Proxy *self)
{
  return self->count;
}
