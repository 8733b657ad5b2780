/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "side.h"

#include "kh-code.h"
#include "kh-test.h"

#include <string.h>

static void
on_code_ready (KhRendezvous *rendezvous, Side *side)
{
  g_assert_null (side->error);
  side->code_ready = TRUE;
}

static void
on_friend_arrived (KhRendezvous *rendezvous, Side *side)
{
  g_assert_null (side->error);
  side->friend_arrived = TRUE;
}

static void
on_verified (KhRendezvous *rendezvous, Side *side)
{
  g_assert_null (side->error);
  g_assert_true (side->friend_arrived);
  side->verified = TRUE;
}

static void
on_message (KhRendezvous *rendezvous, GBytes *message, Side *side)
{
  g_assert_true (side->verified);
  g_string_append_len (side->delivered, g_bytes_get_data (message, NULL), g_bytes_get_size (message));
}

static void
on_failed (KhRendezvous *rendezvous, GError *error, Side *side)
{
  g_assert_null (side->error);
  side->error = g_error_copy (error);
}

static void
side_init (Side *side, KhRendezvous *rendezvous, KhTrace *trace)
{
  memset (side, 0, sizeof *side);
  side->trace = trace;
  side->rendezvous = rendezvous;
  side->delivered = g_string_new (NULL);
  g_signal_connect (rendezvous, "code-ready", G_CALLBACK (on_code_ready), side);
  g_signal_connect (rendezvous, "friend-arrived", G_CALLBACK (on_friend_arrived), side);
  g_signal_connect (rendezvous, "verified", G_CALLBACK (on_verified), side);
  g_signal_connect (rendezvous, "message", G_CALLBACK (on_message), side);
  g_signal_connect (rendezvous, "failed", G_CALLBACK (on_failed), side);
}

void
side_start_inviter (Side *side, const char *url, guint life_seconds)
{
  KhTrace *trace = kh_trace_new ();

  side_init (side, kh_rendezvous_new_inviter (trace, url, KH_CODE_DEFAULT_WORDS, life_seconds), trace);
  kh_rendezvous_start (side->rendezvous);
}

void
side_start_joiner (Side *side, const char *url, const char *code)
{
  KhTrace *trace = kh_trace_new ();

  side_init (side, kh_rendezvous_new_joiner (trace, url, code), trace);
  kh_rendezvous_start (side->rendezvous);
}

void
side_close (Side *side)
{
  g_autoptr (GError) error = NULL;

  kh_rendezvous_close_async (side->rendezvous, NULL, kh_test_store_result, &side->closed);
  kh_test_wait_until (side->closed != NULL, 6000);
  kh_rendezvous_close_finish (side->rendezvous, side->closed, &error);
  g_assert_no_error (error);
  g_clear_object (&side->closed);
}

void
side_clear (Side *side)
{
  g_clear_object (&side->closed);
  g_assert_finalize_object (side->rendezvous);
  kh_test_wait_until (G_OBJECT (side->trace)->ref_count == 1, 1000);
  g_assert_finalize_object (side->trace);
  g_string_free (side->delivered, TRUE);
  g_clear_error (&side->error);
  kh_test_settle ();
}

void
side_send (Side *side, const char *text)
{
  g_autoptr (GBytes) bytes = g_bytes_new (text, strlen (text));

  g_assert_true (kh_rendezvous_send (side->rendezvous, bytes));
}

guint
side_count_events (Side *side, const char *kind)
{
  guint count = 0;

  for (guint i = 0; i < g_list_model_get_n_items (G_LIST_MODEL (side->trace)); i++)
    {
      g_autoptr (KhEvent) event = g_list_model_get_item (G_LIST_MODEL (side->trace), i);

      count += strcmp (kh_event_get_kind (event), kind) == 0;
    }

  return count;
}

void
side_assert_failed (Side *side, KhError code, const char *sentence)
{
  g_assert_error (side->error, KH_ERROR, (int) code);
  if (strstr (side->error->message, sentence) == NULL)
    g_error ("“%s” is not in “%s”", sentence, side->error->message);
}
