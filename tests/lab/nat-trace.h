/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "nat-backend.h"

G_BEGIN_DECLS

/**
 * NatTrace:
 *
 * What came out, in words. Outside ports that a router chose by chance get names in the order in which they appear, so
 * that traces of two routers can be compared.
 */
typedef struct _NatTrace NatTrace;

NatTrace *nat_trace_new        (void);
void      nat_trace_free       (NatTrace *self);
void      nat_trace_name_port  (NatTrace *self, KhProtocol protocol, guint16 port);
char     *nat_trace_describe   (NatTrace *self, const NatArrival *arrival);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (NatTrace, nat_trace_free)

G_END_DECLS
