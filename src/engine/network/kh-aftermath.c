/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-aftermath.h"

#include "kh-address.h"
#include "kh-cancel.h"

/* What is left of a mapping after its connection ended. First, where the filter would let it in, the server dials the old
 * mapping: that is the only proof that it lives where ports are preserved. Then the same local port dials somebody else. */
typedef struct
{
  KhProbe *closed;
  KhStunClient *again;
  gboolean preserving;
  KhReason doubt; /* why nobody could see whether the old mapping lives */
  GSource *cancel_source;
} Aftermath;

typedef struct
{
  KhReason reason;
  const char *word;
} Result;

static void
aftermath_free (gpointer data)
{
  Aftermath *aftermath = data;

  kh_cancel_unwatch (&aftermath->cancel_source);
  kh_stun_client_close (aftermath->again);
  g_object_unref (aftermath->again);
  g_object_unref (aftermath->closed);
  g_free (aftermath);
}

static void
finish (GTask *task, KhReason reason, const char *word)
{
  Result *result = g_new (Result, 1);

  result->reason = reason;
  result->word = word;
  if (!g_task_return_error_if_cancelled (task))
    g_task_return_pointer (task, result, g_free);
  else
    g_free (result);
}

static void
on_dialled_again (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Aftermath *aftermath = g_task_get_task_data (task);
  g_autoptr (GInetSocketAddress) now = kh_stun_client_ask_finish (KH_STUN_CLIENT (source), result, NULL);
  GInetSocketAddress *before = kh_probe_get_outside (aftermath->closed);

  if (now == NULL)
    finish (task, KH_REASON_SERVER_SILENT, NULL);
  else if (!kh_address_equal (G_SOCKET_ADDRESS (now), G_SOCKET_ADDRESS (before)))
    finish (task, KH_REASON_KNOWN, "lost");
  else if (aftermath->preserving && aftermath->doubt != KH_REASON_KNOWN)
    finish (task, aftermath->doubt, NULL);
  else
    finish (task, KH_REASON_KNOWN, aftermath->preserving ? "same-port" : "kept");
}

/* Which ends its question, and so all of this. */
static gboolean
on_cancelled (GCancellable *cancellable, gpointer user_data)
{
  kh_stun_client_close (user_data);
  return G_SOURCE_REMOVE;
}

static void
dial_again (GTask *task)
{
  Aftermath *aftermath = g_task_get_task_data (task);

  aftermath->cancel_source = kh_cancel_watch (g_task_get_cancellable (task), on_cancelled, aftermath->again);
  kh_stun_client_ask_async (aftermath->again, on_dialled_again, g_object_ref (task));
}

static void
on_dialled_back (GObject *source, GAsyncResult *result, gpointer user_data)
{
  g_autoptr (GTask) task = user_data;
  Aftermath *aftermath = g_task_get_task_data (task);
  KhDialOutcome outcome;

  if (!kh_knock_finish (KH_PROBE (source), result, &outcome, NULL))
    finish (task, KH_REASON_STOPPED, NULL);
  else if (outcome.reason == KH_REASON_KNOWN && outcome.result == KH_DIAL_CONNECTED)
    finish (task, KH_REASON_KNOWN, "kept");
  else
    {
      /* The old mapping did not let in whom it would have: the same port again is a new mapping. */
      aftermath->preserving |= outcome.reason == KH_REASON_KNOWN;
      aftermath->doubt = outcome.reason;
      dial_again (task);
    }
}

/**
 * kh_aftermath_async:
 * @closed: a probe whose connection has been ended, by FIN or RST
 * @way: how to find out; copied
 * @cancellable: (nullable): ends it
 * @callback: called once, within eleven seconds
 * @user_data: for @callback
 */
void
kh_aftermath_async (KhProbe *closed, const KhAftermathWay *way, GCancellable *cancellable, GAsyncReadyCallback callback,
                    gpointer user_data)
{
  g_autoptr (GTask) task = g_task_new (closed, cancellable, callback, user_data);
  Aftermath *aftermath = g_new0 (Aftermath, 1);

  g_task_set_source_tag (task, kh_aftermath_async);
  g_task_set_task_data (task, aftermath, aftermath_free);
  aftermath->closed = g_object_ref (closed);
  aftermath->again = kh_stun_client_new (kh_probe_get_port (closed), way->elsewhere);
  aftermath->preserving = way->preserving;
  aftermath->doubt = way->doubt;

  if (way->lets_in)
    kh_knock_async (closed, way->control, KH_DIAL_PORT, cancellable, on_dialled_back, g_object_ref (task));
  else
    dial_again (task);
}

/**
 * kh_aftermath_finish:
 * @reason: (out): %KH_REASON_KNOWN, or why not
 * @word: (out) (nullable): of %KH_FACT_AFTER_FIN and %KH_FACT_AFTER_RST
 *
 * Returns: %FALSE with %G_IO_ERROR_CANCELLED only
 */
gboolean
kh_aftermath_finish (KhProbe *closed, GAsyncResult *result, KhReason *reason, const char **word, GError **error)
{
  g_autofree Result *found = NULL;

  g_return_val_if_fail (g_task_is_valid (result, closed), FALSE);

  found = g_task_propagate_pointer (G_TASK (result), error);
  if (found == NULL)
    return FALSE;
  *reason = found->reason;
  *word = found->word;
  return TRUE;
}
