/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <json-glib/json-glib.h>

/* A meeting server's mind without its sockets: the messages of PROTOCOL section 4 as the genuine one answers them. */

typedef struct _FakeServer FakeServer;
typedef struct _FakeClient FakeClient;

FakeServer *fake_server_new        (void);
void        fake_server_free       (FakeServer *self);
FakeClient *fake_server_connect    (FakeServer *self);
void        fake_server_disconnect (FakeServer *self,
                                    FakeClient *client);
void        fake_server_take       (FakeServer *self,
                                    FakeClient *client,
                                    JsonObject *message);
void        fake_server_prune      (FakeServer *self);
const char *fake_server_get_mood   (FakeServer *self,
                                    const char *side);
JsonObject *fake_client_pop        (FakeClient *client);
