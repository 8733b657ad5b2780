/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhIcmp:
 * @type: its type
 * @code: its code
 * @sender: which router sent it, as text; empty when that is not known
 *
 * An ICMP error that something we sent has caused.
 */
typedef struct
{
  guint type;
  guint code;
  char sender[46];
} KhIcmp;

gboolean kh_icmp_read     (int fd, KhIcmp *icmp);
char    *kh_icmp_describe (int fd);

G_END_DECLS
