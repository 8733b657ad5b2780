/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-mailbox-store.h"

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhMailboxTime:
 * @monotonic: microseconds of a clock that is never set, for all that is measured
 * @real: microseconds since 1970, for `server_tx` and `server_rx`
 */
typedef struct
{
  gint64 monotonic;
  gint64 real;
} KhMailboxTime;

/**
 * KhMailboxOutput:
 * @connection: for whom
 * @text: (nullable): a message, a #GRefString; %NULL to end the connection, of which the core knows nothing any more
 */
typedef struct
{
  guint64 connection;
  char *text;
} KhMailboxOutput;

typedef struct _KhMailboxCore KhMailboxCore;

extern const KhMailboxLimits kh_mailbox_default_limits;

KhMailboxCore *kh_mailbox_core_new         (const KhMailboxLimits *limits);
void           kh_mailbox_core_free        (KhMailboxCore *self);
void           kh_mailbox_core_connect     (KhMailboxCore *self, guint64 connection, GInetSocketAddress *address,
                                            const char *owner, KhMailboxTime now);
void           kh_mailbox_core_receive     (KhMailboxCore *self, guint64 connection, const char *text, gsize length,
                                            KhMailboxTime now);
gboolean       kh_mailbox_core_is_bound    (KhMailboxCore *self, guint64 connection);
void           kh_mailbox_core_disconnect  (KhMailboxCore *self, guint64 connection);
guint          kh_mailbox_core_prune       (KhMailboxCore *self, KhMailboxTime now);
GPtrArray     *kh_mailbox_core_take_output (KhMailboxCore *self);
guint          kh_mailbox_core_count       (KhMailboxCore *self, guint *nameplates, gsize *bytes);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhMailboxCore, kh_mailbox_core_free)

G_END_DECLS
