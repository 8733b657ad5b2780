/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <libsoup/soup.h>

/* A WebSocket server on loopback, in the test's own main loop, whose every connection the test scripts. */

typedef struct _WsServer WsServer;

typedef void (*WsOpened) (WsServer *server, SoupWebsocketConnection *connection, gpointer user_data);

WsServer   *ws_server_new         (WsOpened opened, gpointer user_data);
WsServer   *ws_server_new_mailbox (void);
void        ws_server_free        (WsServer *self);
const char *ws_server_get_url     (WsServer *self);
guint       ws_server_get_count   (WsServer *self);
GPtrArray  *ws_server_get_open    (WsServer *self);
void        ws_server_cut         (WsServer *self);
const char *ws_server_get_mood    (WsServer *self);
void        ws_server_send        (SoupWebsocketConnection *connection, const char *text);
void        ws_server_write_raw   (SoupWebsocketConnection *connection, GBytes *bytes);
char       *ws_closed_port_url    (void);
