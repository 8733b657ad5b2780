/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-stage.h"

#include "kh-interrupt.h"

#include <signal.h>
#include <stdio.h>

/**
 * KhStage:
 *
 * A laboratory with its servers, for as long as something is played in it: what all commands with friends in them share. It is
 * to be run in namespaces of its own (kh_keeper_run()): with these end the servers.
 */
struct _KhStage
{
  const KhLabOptions *options;
  KhLab *lab;
  GPtrArray *servers;
  GCancellable *cancellable;
  GMainLoop *loop;
  KhStagePlay play;
  gpointer data;
  int status;
  GError *error;
};

static void
on_server_ended (KhCommand *server, gpointer data)
{
  fprintf (stderr, "A server of the laboratory has ended by itself, with exit status %d.\n",
           kh_command_get_status (server));
}

static void
on_servers_ready (GObject *source, GAsyncResult *result, gpointer data)
{
  KhStage *self = data;

  if (!kh_servers_start_finish (result, &self->servers, &self->error))
    {
      kh_stage_end (self, 1);
      return;
    }

  for (guint i = 0; i < self->servers->len; i++)
    g_signal_connect (g_ptr_array_index (self->servers, i), "ended", G_CALLBACK (on_server_ended), self);
  self->play (self, self->data);
}

static void
on_interrupt (int status, gpointer data)
{
  KhStage *self = data;

  self->status = status;
  g_cancellable_cancel (self->cancellable);
}

static gboolean
open_lab (KhStage *self, GError **error)
{
  self->lab = kh_lab_new (&self->options->network, error);

  return self->lab != NULL &&
         (self->options->pcap == NULL || kh_lab_start_capture (self->lab, self->options->pcap, error));
}

static void
run_loop (KhStage *self)
{
  g_autoptr (KhInterrupt) interrupt = kh_interrupt_new (on_interrupt, self);

  /* Who ends while something is written to it shall not end us. */
  signal (SIGPIPE, SIG_IGN);
  self->loop = g_main_loop_new (NULL, FALSE);
  kh_servers_start_async (self->lab, self->options->server, self->options->bindir, self->cancellable, on_servers_ready,
                          self);
  g_main_loop_run (self->loop);

  g_clear_pointer (&self->loop, g_main_loop_unref);
}

static void
kh_stage_clear (KhStage *self)
{
  g_clear_pointer (&self->servers, g_ptr_array_unref);
  g_clear_object (&self->lab);
  g_clear_object (&self->cancellable);
}

/**
 * kh_stage_run:
 * @options: what to build
 * @play: what to do in it
 * @data: for @play
 * @error: return location: the laboratory or its servers could not be had
 *
 * Returns: the exit status: 130 or 143 after SIGINT or SIGTERM, else that of kh_stage_end(); -1 on error
 */
int
kh_stage_run (const KhLabOptions *options, KhStagePlay play, gpointer data, GError **error)
{
  KhStage self = { .options = options, .play = play, .data = data, .status = -1 };

  self.cancellable = g_cancellable_new ();
  if (open_lab (&self, &self.error))
    {
      run_loop (&self);
      if (!kh_lab_stop_capture (self.lab, self.error == NULL ? &self.error : NULL))
        self.status = -1;
    }
  kh_stage_clear (&self);
  /* Servers that were stopped before they listened have not failed. */
  if (self.error != NULL && self.status < 128)
    {
      g_propagate_error (error, self.error);
      return -1;
    }
  g_clear_error (&self.error);

  return self.status;
}

KhLab *
kh_stage_get_lab (KhStage *self)
{
  return self->lab;
}

/**
 * kh_stage_get_cancellable:
 *
 * Returns: (transfer none): cancelled when the user wants an end
 */
GCancellable *
kh_stage_get_cancellable (KhStage *self)
{
  return self->cancellable;
}

/**
 * kh_stage_end:
 * @self: a stage
 * @status: the exit status, unless a signal has set one
 *
 * Ends the play.
 */
void
kh_stage_end (KhStage *self, int status)
{
  if (self->status < 0)
    self->status = status;
  g_main_loop_quit (self->loop);
}
