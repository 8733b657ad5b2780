/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-knock.h"

G_BEGIN_DECLS

/**
 * KhAftermathWay:
 * @elsewhere: somebody else to dial: a STUN server at another address, or at least another port
 * @control: an open connection to the server that dials back
 * @lets_in: whether the filter lets in dials from other ports of that server, so that it can tell whether the mapping lives
 * @doubt: %KH_REASON_KNOWN, or why that is not known
 * @preserving: whether outside ports are, or may be, the inside ones, so that the same one again proves nothing
 */
typedef struct
{
  GInetSocketAddress *elsewhere;
  KhStunClient *control;
  gboolean lets_in;
  KhReason doubt;
  gboolean preserving;
} KhAftermathWay;

void     kh_aftermath_async  (KhProbe              *closed,
                              const KhAftermathWay *way,
                              GCancellable         *cancellable,
                              GAsyncReadyCallback   callback,
                              gpointer              user_data);
gboolean kh_aftermath_finish (KhProbe              *closed,
                              GAsyncResult         *result,
                              KhReason             *reason,
                              const char          **word,
                              GError              **error);

G_END_DECLS
