/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-nat-model.h"

G_BEGIN_DECLS

/**
 * NatHost:
 * @name: what sequences and traces call it
 * @side: of the router
 *
 * A host around the router under test, or the router itself.
 */
typedef struct
{
  const char *name;
  const char *address;
  KhNatSide side;
} NatHost;

const NatHost *nat_host_find    (const char *name, gsize length);
const NatHost *nat_host_find_ip (const KhIp *ip);
KhIp           nat_host_get_ip  (const NatHost *self);

G_END_DECLS
