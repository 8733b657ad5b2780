/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-test.h"

G_BEGIN_DECLS

/* A knothole-server that runs for a test, with --json and free ports. */
typedef struct
{
  GSubprocess *process;
  GDataInputStream *output;
  GPtrArray *stun; /* GInetSocketAddress, in the order of the event */
  char *url;
  guint16 mailbox_port;
} KhServerProcess;

KhServerProcess *kh_server_process_new   (const char *first_option, ...) G_GNUC_NULL_TERMINATED;
JsonObject      *kh_server_process_event (KhServerProcess *self, const char *type);
int              kh_server_process_stop  (KhServerProcess *self, int signal);
void             kh_server_process_free  (KhServerProcess *self);
int              kh_server_process_run   (const char *const *options, const char *const *environment, char **output,
                                          char **errors);

/* A client's socket on loopback, for tests to which the bytes matter. Blocking, with a deadline for each
 * call. */
GSocket *kh_test_socket         (guint16 port);
GSocket *kh_test_socket_to      (GInetSocketAddress *address);
void     kh_test_socket_send    (GSocket *socket, const void *bytes, gsize length);
void     kh_test_socket_receive (GSocket *socket, void *bytes, gsize length);
char    *kh_test_socket_text    (GSocket *socket);
void     kh_test_socket_end     (GSocket *socket);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhServerProcess, kh_server_process_free)

G_END_DECLS
