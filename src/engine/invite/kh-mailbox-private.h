/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-mailbox.h"

G_BEGIN_DECLS

/* For tests: other limits than those for people, set before kh_mailbox_open(). */
void     kh_mailbox_set_limits (KhMailbox *self, guint connect_ms, guint silence_ms, guint ping_seconds);

/* For tests: the socket of an open mailbox. */
GSocket *kh_mailbox_get_socket (KhMailbox *self);

G_END_DECLS
