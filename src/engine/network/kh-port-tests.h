/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-findings.h"
#include "kh-scout.h"

G_BEGIN_DECLS

#define KH_TYPE_PORT_TESTS (kh_port_tests_get_type ())
G_DECLARE_FINAL_TYPE (KhPortTests, kh_port_tests, KH, PORT_TESTS, GObject)

KhPortTests   *kh_port_tests_new         (KhScout       *scout,
                                          gboolean       quick);
void           kh_port_tests_start       (KhPortTests   *self);
void           kh_port_tests_set_mapping (KhPortTests   *self,
                                          const KhFacts *facts,
                                          KhReason       reason);
const KhFacts *kh_port_tests_get_facts   (KhPortTests   *self);
KhReason       kh_port_tests_get_reason  (KhPortTests   *self,
                                          KhFinding      finding);
void           kh_port_tests_close       (KhPortTests   *self);

G_END_DECLS
