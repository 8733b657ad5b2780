/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-network.h"
#include "kh-servers.h"

G_BEGIN_DECLS

/**
 * KhLabCommand:
 *
 * What the program is to do.
 */
typedef enum
{
  KH_LAB_RUN,
  KH_LAB_SHELL,
  KH_LAB_MEET,
  KH_LAB_DEMO,
  KH_LAB_MATRIX,
  KH_LAB_EXPERIMENT,
  KH_LAB_NATS,
  KH_LAB_HELP,
  KH_LAB_VERSION,
} KhLabCommand;

/**
 * KhLabOptions:
 * @command: what to do
 * @left: the left host's routers, as given
 * @right: the right one's
 * @network: both, understood
 * @server: what runs on the server
 * @bindir: (nullable): where Knothole's programs are
 * @pcap: (nullable): a capture file to write
 * @nats: (nullable): routers for the matrix and the experiment, all by default
 * @rounds: how often each pair is tried
 * @jobs: how many laboratories at once
 * @timeout: seconds that friends have to reach each other
 * @json: results as JSON
 * @text: a demo in the terminal, display or not
 * @once: a demo that ends by itself
 * @handed_on: options that the matrix hands on to each of its laboratories
 * @arguments: what follows the command
 */
typedef struct
{
  KhLabCommand command;
  char *left;
  char *right;
  KhNetworkSettings network;
  KhServerKind server;
  char *bindir;
  char *pcap;
  char **nats;
  int rounds;
  int jobs;
  int timeout;
  gboolean json;
  gboolean text;
  gboolean once;
  char **handed_on;
  char **arguments;
  char *help;
} KhLabOptions;

KhLabOptions *kh_lab_options_parse (char **arguments, GError **error);
void          kh_lab_options_free  (KhLabOptions *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhLabOptions, kh_lab_options_free)

G_END_DECLS
