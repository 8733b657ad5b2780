/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-settings.h"

G_BEGIN_DECLS

/**
 * KhCommand:
 *
 * What the first word of the command line asks for.
 */
typedef enum
{
  KH_COMMAND_INVITE,
  KH_COMMAND_JOIN,
  KH_COMMAND_CHECK,
} KhCommand;

/**
 * KhOptions:
 * @command: what to do
 * @argument: (nullable): the code or link of `join`
 * @settings: how
 * @json: whether standard output is JSON lines
 * @report: (nullable): a file for the trace
 * @extended: whether `check` also finds out how long an idle mapping lives
 * @full_addresses: whether `check` prints addresses of the internet in full
 */
typedef struct
{
  KhCommand command;
  char *argument;
  KhSettings *settings;
  gboolean json;
  char *report;
  gboolean extended;
  gboolean full_addresses;
} KhOptions;

KhOptions *kh_options_parse (int argc, char **argv, GError **error);
void       kh_options_free  (KhOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhOptions, kh_options_free)

G_END_DECLS
