/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

#define KH_IGD_MAX_SERVICES 2

/**
 * KhIgdService:
 * @url: where it is asked
 * @type: its type, such as "urn:schemas-upnp-org:service:WANIPConnection:1"
 *
 * A connection to the internet that a UPnP router offers to be asked about.
 */
typedef struct
{
  char *url;
  char *type;
} KhIgdService;

char         *kh_igd_read_location    (const char *reply, gsize length, GInetAddress *sender);
guint         kh_igd_read_description (const char *text, gsize length, const char *url, GInetAddress *device,
                                       KhIgdService *services);
GInetAddress *kh_igd_read_external    (const char *text, gsize length);
char         *kh_igd_write_question   (const KhIgdService *service);
void          kh_igd_service_clear    (KhIgdService *self);

G_END_DECLS
