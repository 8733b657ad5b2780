/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/**
 * KhInterfaces:
 *
 * A picture of this computer's network interfaces: their names and addresses with the prefix that is on the same link,
 * and the default gateways. A value: it does not change after it was made.
 */
typedef struct _KhInterfaces KhInterfaces;

KhInterfaces *kh_interfaces_new          (void);
KhInterfaces *kh_interfaces_new_read     (void);
void          kh_interfaces_free         (KhInterfaces *self);
void          kh_interfaces_add          (KhInterfaces *self, const char *address_and_prefix);
void          kh_interfaces_add_to       (KhInterfaces *self, const char *name, gboolean tunnel,
                                          const char *address_and_prefix);
void          kh_interfaces_add_gateway  (KhInterfaces *self, const char *address);

GPtrArray    *kh_interfaces_get_lan      (const KhInterfaces *self);
GPtrArray    *kh_interfaces_get_ipv6     (const KhInterfaces *self);
GInetAddress *kh_interfaces_get_gateway  (const KhInterfaces *self);
const char   *kh_interfaces_get_name     (const KhInterfaces *self, GInetAddress *local);
char         *kh_interfaces_describe_way (const KhInterfaces *self, GInetAddress *local);
gboolean      kh_interfaces_is_own       (const KhInterfaces *self, GInetAddress *address);
gboolean      kh_interfaces_is_on_link   (const KhInterfaces *self, GInetAddress *address);
gboolean      kh_interfaces_share_link   (const KhInterfaces *self, GInetAddress *local, GInetAddress *other);
gboolean      kh_interfaces_has_ipv6     (const KhInterfaces *self);
gboolean      kh_interfaces_knows_link   (const KhInterfaces *self, GInetAddress *local);
gboolean      kh_interfaces_is_gateway   (const KhInterfaces *self, GInetAddress *address);
gboolean      kh_interfaces_is_tunnel    (const KhInterfaces *self, GInetAddress *local);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhInterfaces, kh_interfaces_free)

G_END_DECLS
