/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-packet.h"
#include "kh-tcp-track.h"

G_BEGIN_DECLS

typedef struct _KhNatMapping KhNatMapping;
typedef struct _KhNatSession KhNatSession;

/**
 * KhNatMapping:
 * @protocol: of what
 * @inside: whose it is
 * @scope: the remote endpoints it is for: port 0 for any port, all zeroes for anybody
 * @outside: how the world sees it
 * @forward: whether it is there for good (a port forward)
 * @sessions: the flows that use it, newest first
 * @next_inside: the next older one of the same inside endpoint and scope
 * @next_outside: the next older one of the same outside endpoint
 */
struct _KhNatMapping
{
  KhProtocol protocol;
  KhEndpoint inside;
  KhEndpoint scope;
  KhEndpoint outside;
  gboolean forward;
  KhNatSession *sessions;
  KhNatMapping *next_inside;
  KhNatMapping *next_outside;
};

/**
 * KhNatSession:
 * @mapping: which mapping it goes through
 * @remote: with whom
 * @from_outside: whether the remote side began it
 * @track: its state, for TCP
 * @answered: whether there was a packet from the side that did not begin it
 * @began: when it began, monotonic microseconds
 * @expires: when it is forgotten
 *
 * One flow; also the hole in the filter through which its answers come.
 */
struct _KhNatSession
{
  KhNatMapping *mapping;
  KhEndpoint remote;
  gboolean from_outside;
  KhTcpTrack track;
  gboolean answered;
  gint64 began;
  gint64 expires;
  KhNatSession *previous;
  KhNatSession *next;
};

typedef struct _KhNatTable KhNatTable;

KhNatTable   *kh_nat_table_new            (void);
void          kh_nat_table_free           (KhNatTable *self);
KhNatSession *kh_nat_table_find_inside    (KhNatTable *self, KhProtocol protocol, const KhEndpoint *inside,
                                           const KhEndpoint *remote, gint64 now);
KhNatSession *kh_nat_table_find_outside   (KhNatTable *self, KhProtocol protocol, const KhEndpoint *outside,
                                           const KhEndpoint *remote, gint64 now);
KhNatMapping *kh_nat_table_find_mappings  (KhNatTable *self, KhProtocol protocol, const KhEndpoint *inside,
                                           const KhEndpoint *scope);
KhNatMapping *kh_nat_table_find_port      (KhNatTable *self, KhProtocol protocol, const KhEndpoint *outside);
gboolean      kh_nat_table_knows_peer     (KhNatTable *self, const KhNatMapping *mapping, const KhEndpoint *remote);
KhNatMapping *kh_nat_table_add_mapping    (KhNatTable *self, KhProtocol protocol, const KhEndpoint *inside,
                                           const KhEndpoint *scope, const KhEndpoint *outside);
KhNatSession *kh_nat_table_add_session    (KhNatTable *self, KhNatMapping *mapping, const KhEndpoint *remote,
                                           gboolean from_outside);
void          kh_nat_table_remove_session (KhNatTable *self, KhNatSession *session);
void          kh_nat_table_sweep          (KhNatTable *self, gint64 now);
guint         kh_nat_table_count_mappings (KhNatTable *self);
guint         kh_nat_table_count_sessions (KhNatTable *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhNatTable, kh_nat_table_free)

G_END_DECLS
