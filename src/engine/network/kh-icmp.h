/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhIcmp:
 * @type: of the ICMP message, or of the ICMPv6 message
 * @code: of the same
 * @sender: the address of the router that sent it
 */
typedef struct
{
  guint8 type;
  guint8 code;
  char sender[46];
} KhIcmp;

gboolean kh_icmp_read     (int fd, KhIcmp *icmp);
char    *kh_icmp_describe (int fd);

G_END_DECLS
