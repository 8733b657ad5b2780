/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-cancel.h"

/**
 * kh_cancel_watch:
 * @cancellable: (nullable): whose
 * @func: called from the main loop, never from within g_cancellable_cancel(), so that it may free what it likes
 * @user_data: for @func; not owned: it outlives the watch
 *
 * Returns: (transfer full) (nullable): for kh_cancel_unwatch(); %NULL without a @cancellable
 */
GSource *
kh_cancel_watch (GCancellable *cancellable, GCancellableSourceFunc func, gpointer user_data)
{
  GSource *source;

  if (cancellable == NULL)
    return NULL;

  source = g_cancellable_source_new (cancellable);
  g_source_set_callback (source, G_SOURCE_FUNC (func), user_data, NULL);
  g_source_attach (source, g_main_context_get_thread_default ());
  return source;
}

/**
 * kh_cancel_unwatch:
 * @source: (inout) (nullable): a watch, %NULL afterwards
 */
void
kh_cancel_unwatch (GSource **source)
{
  if (*source != NULL)
    g_source_destroy (*source);
  g_clear_pointer (source, g_source_unref);
}
