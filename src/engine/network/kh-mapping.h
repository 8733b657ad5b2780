/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-facts.h"
#include "kh-port.h"
#include "kh-trace.h"

G_BEGIN_DECLS

#define KH_TYPE_MAPPING (kh_mapping_get_type ())
G_DECLARE_FINAL_TYPE (KhMapping, kh_mapping, KH, MAPPING, GObject)

KhMapping *kh_mapping_new         (KhTrace           *trace,
                                   KhPort            *port,
                                   const char *const *servers);
void       kh_mapping_start       (KhMapping         *self);
void       kh_mapping_stop        (KhMapping         *self);
void       kh_mapping_refresh     (KhMapping         *self);
gboolean   kh_mapping_is_complete (KhMapping *self);
gboolean   kh_mapping_is_ready    (KhMapping         *self);
GPtrArray *kh_mapping_get_outside (KhMapping         *self);
gint64     kh_mapping_get_age     (KhMapping         *self);
void       kh_mapping_observe     (KhMapping         *self,
                                   KhFacts           *facts);

G_END_DECLS
