/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define KH_NAMESPACE_ERROR (kh_namespace_error_quark ())

/**
 * KhNamespaceError:
 * @KH_NAMESPACE_ERROR_FORBIDDEN: this system lets us make no namespaces; the message says why and what would help
 * @KH_NAMESPACE_ERROR_FAILED: something else went wrong
 */
typedef enum
{
  KH_NAMESPACE_ERROR_FORBIDDEN,
  KH_NAMESPACE_ERROR_FAILED,
} KhNamespaceError;

GQuark   kh_namespace_error_quark (void);
gboolean kh_namespace_leave_host  (gboolean processes, GError **error);
int      kh_namespace_new_network (GError **error);
int      kh_namespace_open        (void);
gboolean kh_namespace_enter       (int network, GError **error);
int      kh_namespace_socket      (int network, int family, int type, int protocol, GError **error);
gboolean kh_namespace_ip          (int network, int other, const char *commands, GError **error);
gboolean kh_namespace_set         (int network, const char *sysctl, const char *value, GError **error);

G_END_DECLS
