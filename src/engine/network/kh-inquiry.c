/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-inquiry.h"

/* As RFC 6886, section 3.1, has it: each wait is twice the last. */
#define FIRST_WAIT_MS 250

static void
end_source (GSource *source)
{
  g_source_destroy (source);
  g_source_unref (source);
}

/**
 * kh_inquiry_begin:
 * @self: (out caller-allocates): what begins
 * @task: (transfer full): what it returns with
 * @patience_ms: how long to wait for answers
 * @over: called once, when that has passed or as soon as the task's cancellable is cancelled; it has to end @self
 * @data: for @over, and for what is called later
 *
 * A task that was cancelled says so whatever it is returned with: @over need not know which of the two it was.
 */
void
kh_inquiry_begin (KhInquiry *self, GTask *task, guint patience_ms, GSourceFunc over, gpointer data)
{
  GCancellable *cancellable = g_task_get_cancellable (task);

  self->task = task;
  self->data = data;
  self->delay_ms = FIRST_WAIT_MS;
  self->listening = g_ptr_array_new_with_free_func ((GDestroyNotify) end_source);
  self->over = g_timeout_source_new (patience_ms);
  g_source_set_callback (self->over, over, data, NULL);
  g_source_set_static_name (self->over, "kh-inquiry deadline");
  if (cancellable != NULL)
    {
      g_autoptr (GSource) cancelled = g_cancellable_source_new (cancellable);

      g_source_set_dummy_callback (cancelled);
      g_source_add_child_source (self->over, cancelled);
    }
  g_source_attach (self->over, g_task_get_context (task));
}

/**
 * kh_inquiry_watch:
 * @source: (transfer full): where answers come in
 * @heard: (scope notified): called with each, with the data of the inquiry; of the type that @source wants
 */
void
kh_inquiry_watch (KhInquiry *self, GSource *source, GSourceFunc heard)
{
  g_source_set_callback (source, heard, self->data, NULL);
  g_source_set_static_name (source, "kh-inquiry answer");
  g_source_attach (source, g_task_get_context (self->task));
  g_ptr_array_add (self->listening, source);
}

/**
 * kh_inquiry_socket:
 * @local: the address to ask from
 * @heard: (scope notified): called when something has come in
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a socket for datagrams from a port of its own
 */
GSocket *
kh_inquiry_socket (KhInquiry *self, GInetAddress *local, GSocketSourceFunc heard, GError **error)
{
  g_autoptr (GSocket) socket =
      g_socket_new (g_inet_address_get_family (local), G_SOCKET_TYPE_DATAGRAM, G_SOCKET_PROTOCOL_UDP, error);
  g_autoptr (GSocketAddress) here = g_inet_socket_address_new (local, 0);

  if (socket == NULL || !g_socket_bind (socket, here, FALSE, error))
    return NULL;

  g_socket_set_blocking (socket, FALSE);
  kh_inquiry_watch (self, g_socket_create_source (socket, G_IO_IN, NULL), G_SOURCE_FUNC (heard));
  return g_steal_pointer (&socket);
}

static void wait_and_repeat (KhInquiry *self);

static gboolean
on_again (gpointer user_data)
{
  KhInquiry *self = user_data;

  g_clear_pointer (&self->again, g_source_unref);
  wait_and_repeat (self);
  /* Last: it may end us. */
  self->send (self->data);
  return G_SOURCE_REMOVE;
}

static void
wait_and_repeat (KhInquiry *self)
{
  self->again = g_timeout_source_new (self->delay_ms);
  self->delay_ms *= 2;
  g_source_set_callback (self->again, on_again, self, NULL);
  g_source_set_static_name (self->again, "kh-inquiry again");
  g_source_attach (self->again, g_task_get_context (self->task));
}

/**
 * kh_inquiry_repeat:
 * @send: (scope notified): sends the question; what it returns does not count
 *
 * Has it sent now, after 250 ms, and so on, each time after twice as long.
 */
void
kh_inquiry_repeat (KhInquiry *self, GSourceFunc send)
{
  self->send = send;
  wait_and_repeat (self);
  send (self->data);
}

/**
 * kh_inquiry_end:
 *
 * Nothing is called any more. The state may be freed.
 *
 * Returns: (transfer full): the task, to be returned with
 */
GTask *
kh_inquiry_end (KhInquiry *self)
{
  g_clear_pointer (&self->over, end_source);
  g_clear_pointer (&self->again, end_source);
  g_clear_pointer (&self->listening, g_ptr_array_unref);
  return g_steal_pointer (&self->task);
}
