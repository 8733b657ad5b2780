/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "nat-host.h"

#include "kh-packet-build.h"

G_BEGIN_DECLS

/**
 * NatEnd:
 * @host: whose
 * @port: 0 for none; an ICMP query's identifier
 * @viewer: by whom @host is known under the outside port that is meant, when it is not the other end of the packet
 * @straight: the inside address itself is meant, though the packet comes from outside
 *
 * One end of a packet, as a script writes it: `a:5000`, `a:5000@s:80`, `=a:5000`.
 */
typedef struct
{
  const NatHost *host;
  guint16 port;
  const NatHost *viewer;
  guint16 viewer_port;
  gboolean straight;
} NatEnd;

typedef enum
{
  NAT_STEP_WAIT,
  NAT_STEP_TCP,
  NAT_STEP_UDP,
  NAT_STEP_PING,
  NAT_STEP_PONG,
  NAT_STEP_ERROR,
} NatStepKind;

typedef enum
{
  NAT_FAULT_NONE,
  NAT_FAULT_CHECKSUM,
  NAT_FAULT_SHORT,
  NAT_FAULT_FRAGMENT,
} NatFault;

/**
 * NatStep:
 * @text: the line it stands in
 * @error: for an ICMP error, and then what it quotes: a packet of @quoted from @quoted_source to @quoted_destination
 * @tcp: TCP's fields; of it, ttl and length are for all kinds
 */
typedef struct
{
  char *text;
  NatStepKind kind;
  gint64 microseconds;
  NatEnd source;
  NatEnd destination;
  KhTcpFields tcp;
  NatFault fault;
  KhIcmpError error;
  NatStepKind quoted;
  NatEnd quoted_source;
  NatEnd quoted_destination;
} NatStep;

/**
 * NatSequence:
 * @name: what it tests
 * @options: settings that differ from the profile's, as `key=value`
 * @steps: (element-type NatStep): what happens
 */
typedef struct
{
  char *name;
  char **options;
  GArray *steps;
} NatSequence;

void     nat_sequences_load         (GPtrArray *sequences, const char *path);
void     nat_sequence_free          (NatSequence *self);
gboolean nat_sequence_apply_options (const NatSequence *self, KhNatSettings *settings);

G_END_DECLS
