/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

/* A TCP proxy on loopback whose connections the test can cut. */

typedef struct _Proxy Proxy;

Proxy  *proxy_new       (guint16 target);
void    proxy_free      (Proxy *self);
guint16 proxy_get_port  (Proxy *self);
guint   proxy_get_count (Proxy *self);
void    proxy_cut       (Proxy *self);
