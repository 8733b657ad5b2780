/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-interfaces.h"
#include "kh-mapping.h"
#include "kh-offer.h"

G_BEGIN_DECLS

KhOffer *kh_introduction_make_offer (KhMapping *mapping, const KhInterfaces *interfaces, guint16 port,
                                     const char *your_address);

G_END_DECLS
