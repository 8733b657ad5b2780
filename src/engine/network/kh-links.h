/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhLink:
 * @known: whether the kernel has said anything of it
 * @tunnel: whether it is a VPN's
 * @changes: how often its carrier has come or gone: a cable pulled and put into another socket counts twice
 *
 * What the kernel says of an interface.
 */
typedef struct
{
  gboolean known;
  gboolean tunnel;
  guint32 changes;
} KhLink;

GHashTable *kh_links_read      (void);
gboolean    kh_links_is_tunnel (guint       type,
                                const char *kind);

G_END_DECLS
