/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define KH_TYPE_COMMAND (kh_command_get_type ())
G_DECLARE_FINAL_TYPE (KhCommand, kh_command, KH, COMMAND, GObject)

/**
 * KhCommandOutput:
 * @KH_COMMAND_SHARED: standard input and output are ours
 * @KH_COMMAND_PIPED: we hold the other ends
 * @KH_COMMAND_MUFFLED: the same, and its standard error goes nowhere
 * @KH_COMMAND_QUIET: nothing to read, and nobody reads; standard error is ours
 * @KH_COMMAND_MASTER: shared, and it may do in the laboratory what root may do on a machine: for shells
 */
typedef enum
{
  KH_COMMAND_SHARED,
  KH_COMMAND_PIPED,
  KH_COMMAND_MUFFLED,
  KH_COMMAND_QUIET,
  KH_COMMAND_MASTER,
} KhCommandOutput;

/* A laboratory's own, among all processes (nice); its programs have the usual one. */
#define KH_COMMAND_LAB_PRIORITY (-15)

KhCommand *kh_command_new         (int network, const char *const *argv, const char *const *environment,
                                   KhCommandOutput output, GError **error);
gboolean   kh_command_is_running  (KhCommand *self);
int        kh_command_get_status  (KhCommand *self);
int        kh_command_get_stdout  (KhCommand *self);
gboolean   kh_command_write       (KhCommand *self, const char *text);
void       kh_command_close_stdin (KhCommand *self);
void       kh_command_signal      (KhCommand *self, int number);
int        kh_command_get_pid     (KhCommand *self);

G_END_DECLS
