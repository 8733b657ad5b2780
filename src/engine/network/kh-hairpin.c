/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-hairpin.h"

#include "kh-cancel.h"

#include <sodium.h>
#include <string.h>

/* The way leads to the outermost router and back, which may be the provider's; the SYN is re-sent after a second. */
#define PATIENCE_MS 1500

/* Both dial: a router that turns packets back may filter them as it does others', so that each has to open its hole. */
typedef struct
{
  GTask *task; /* until it is over */
  KhProbe *probes[2];
  guint8 tokens[2][KH_STUN_ID_BYTES]; /* what each of them says: whoever only echoes is not the other */
  GCancellable *dialling;
  GSource *cancel_source;
  guint deadline_id;
} Hairpin;

static void
hairpin_free (gpointer data)
{
  Hairpin *hairpin = data;

  g_object_unref (hairpin->dialling);
  for (int i = 0; i < 2; i++)
    g_object_unref (hairpin->probes[i]);
  g_free (hairpin);
}

static GTask *
take_task (Hairpin *hairpin)
{
  g_clear_handle_id (&hairpin->deadline_id, g_source_remove);
  g_cancellable_cancel (hairpin->dialling);
  kh_cancel_unwatch (&hairpin->cancel_source);
  for (int i = 0; i < 2; i++)
    g_signal_handlers_disconnect_by_data (hairpin->probes[i], hairpin);
  return g_steal_pointer (&hairpin->task);
}

static void
fail (Hairpin *hairpin, GError *error)
{
  g_autoptr (GTask) task = take_task (hairpin);

  g_task_return_error (task, error);
}

static void
end (Hairpin *hairpin, gboolean connects)
{
  g_autoptr (GTask) task = hairpin->task != NULL ? take_task (hairpin) : NULL;

  if (task == NULL)
    return;
  if (!g_task_return_error_if_cancelled (task))
    g_task_return_boolean (task, connects);
}

static gboolean
on_deadline (gpointer user_data)
{
  Hairpin *hairpin = user_data;

  hairpin->deadline_id = 0;
  end (hairpin, FALSE);
  return G_SOURCE_REMOVE;
}

static guint
index_of (Hairpin *hairpin, KhProbe *probe)
{
  return probe == hairpin->probes[0] ? 0 : 1;
}

static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  end (user_data, FALSE);
  return G_SOURCE_REMOVE;
}

static void
on_dialled (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Hairpin *hairpin = g_task_get_task_data (task);
  g_autoptr (GSocketConnection) connection = kh_port_connect_finish (KH_PORT (source), result, NULL);
  guint i = KH_PORT (source) == kh_probe_get_port (hairpin->probes[0]) ? 0 : 1;

  if (connection == NULL || hairpin->task == NULL)
    return;

  /* Where both SYNs cross, both ends have dialled: whoever reads the other's token first has proven it. */
  kh_probe_read_token (hairpin->probes[i], connection);
  g_pollable_output_stream_write_nonblocking (
      G_POLLABLE_OUTPUT_STREAM (g_io_stream_get_output_stream (G_IO_STREAM (connection))), hairpin->tokens[i],
      sizeof hairpin->tokens[i], NULL, NULL);
}

static void
on_witnessed (KhProbe *probe, const guint8 *token, GInetSocketAddress *remote, gpointer user_data)
{
  Hairpin *hairpin = user_data;

  if (memcmp (token, hairpin->tokens[1 - index_of (hairpin, probe)], sizeof hairpin->tokens[0]) == 0)
    end (hairpin, TRUE);
}

/**
 * kh_hairpin_async:
 * @one: a probe whose mapping is known
 * @other: another
 * @cancellable: (nullable): ends it
 * @callback: called once, within two seconds
 * @user_data: for @callback
 *
 * Lets two ports of this computer dial each other's outside address (RFC 5382, REQ-8). Whoever connects to such a port from
 * elsewhere, and whoever else is found at such an address, is no hairpin: each says something of its own, and only the other one's
 * word counts.
 */
void
kh_hairpin_async (KhProbe *one, KhProbe *other, GCancellable *cancellable, GAsyncReadyCallback callback,
                  gpointer user_data)
{
  GTask *task = g_task_new (one, cancellable, callback, user_data);
  Hairpin *hairpin = g_new0 (Hairpin, 1);
  GError *error = NULL;

  g_return_if_fail (kh_probe_get_outside (one) != NULL && kh_probe_get_outside (other) != NULL);

  g_task_set_source_tag (task, kh_hairpin_async);
  g_task_set_task_data (task, hairpin, hairpin_free);
  hairpin->task = task;
  hairpin->probes[0] = g_object_ref (one);
  hairpin->probes[1] = g_object_ref (other);
  hairpin->dialling = g_cancellable_new ();
  randombytes_buf (hairpin->tokens, sizeof hairpin->tokens);
  hairpin->deadline_id = g_timeout_add (PATIENCE_MS, on_deadline, hairpin);
  g_source_set_name_by_id (hairpin->deadline_id, "kh-hairpin deadline");
  hairpin->cancel_source = kh_cancel_watch (cancellable, on_cancelled, hairpin);

  if (!kh_probe_listen (one, &error) || !kh_probe_listen (other, &error))
    {
      fail (hairpin, error);
      return;
    }
  for (int i = 0; i < 2; i++)
    {
      g_signal_connect (hairpin->probes[i], "witnessed", G_CALLBACK (on_witnessed), hairpin);
      kh_port_connect_async (kh_probe_get_port (hairpin->probes[i]), kh_probe_get_outside (hairpin->probes[1 - i]),
                             KH_CONNECT_INTERNET, 0, hairpin->dialling, on_dialled, g_object_ref (task));
    }
}

/**
 * kh_hairpin_finish:
 * @connects: (out): whether they reached each other
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED, or with what kept it from being tried
 */
gboolean
kh_hairpin_finish (KhProbe *one, GAsyncResult *result, gboolean *connects, GError **error)
{
  g_autoptr (GError) failure = NULL;

  g_return_val_if_fail (g_task_is_valid (result, one), FALSE);

  *connects = g_task_propagate_boolean (G_TASK (result), &failure);
  if (failure == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}
