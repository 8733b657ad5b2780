/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-interrupt.h"

#include <glib-unix.h>
#include <signal.h>

struct _KhInterrupt
{
  KhInterruptFunc func;
  gpointer data;
  guint sources[3];
};

static gboolean
on_interrupted (gpointer data)
{
  KhInterrupt *self = data;

  self->func (128 + SIGINT, self->data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_terminated (gpointer data)
{
  KhInterrupt *self = data;

  self->func (128 + SIGTERM, self->data);
  return G_SOURCE_CONTINUE;
}

static gboolean
on_hung_up (gpointer data)
{
  KhInterrupt *self = data;

  self->func (128 + SIGHUP, self->data);
  return G_SOURCE_CONTINUE;
}

/**
 * kh_interrupt_new:
 * @func: called from the main context when somebody wants an end: by Ctrl+C, by SIGTERM, by closing the terminal
 * @data: for @func
 *
 * Returns: (transfer full): what watches for it, until it is freed
 */
KhInterrupt *
kh_interrupt_new (KhInterruptFunc func, gpointer data)
{
  KhInterrupt *self = g_new0 (KhInterrupt, 1);

  self->func = func;
  self->data = data;
  self->sources[0] = g_unix_signal_add (SIGINT, on_interrupted, self);
  self->sources[1] = g_unix_signal_add (SIGTERM, on_terminated, self);
  self->sources[2] = g_unix_signal_add (SIGHUP, on_hung_up, self);

  return self;
}

void
kh_interrupt_free (KhInterrupt *self)
{
  for (gsize i = 0; i < G_N_ELEMENTS (self->sources); i++)
    g_source_remove (self->sources[i]);
  g_free (self);
}
