/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-nat-settings.h"
#include "kh-nat-table.h"

G_BEGIN_DECLS

typedef struct _KhNatPortChooser KhNatPortChooser;

KhNatPortChooser *kh_nat_port_chooser_new    (const KhNatSettings *settings, const KhIp *outside, guint32 seed);
void              kh_nat_port_chooser_free   (KhNatPortChooser *self);
gboolean          kh_nat_port_chooser_choose (KhNatPortChooser *self, KhNatTable *table, KhProtocol protocol,
                                              const KhEndpoint *inside, const KhEndpoint *remote, gint64 now,
                                              KhEndpoint *outside);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhNatPortChooser, kh_nat_port_chooser_free)

G_END_DECLS
