/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-ip.h"

G_BEGIN_DECLS

/**
 * KhReuse:
 * @KH_REUSE_NOTHING: neither option
 * @KH_REUSE_ADDRESS: SO_REUSEADDR
 * @KH_REUSE_PORT: SO_REUSEPORT
 *
 * What a socket asks for before it is bound.
 */
typedef enum
{
  KH_REUSE_NOTHING = 0,
  KH_REUSE_ADDRESS = 1 << 0,
  KH_REUSE_PORT = 1 << 1,
} KhReuse;

#define KH_REUSE_BOTH (KH_REUSE_ADDRESS | KH_REUSE_PORT)

/**
 * KhLabSocketState:
 * @KH_LAB_SOCKET_NONE: there is none
 * @KH_LAB_SOCKET_BOUND: it has its port
 * @KH_LAB_SOCKET_LISTENING: it can be connected to
 * @KH_LAB_SOCKET_DIALLING: its SYN is on the way
 * @KH_LAB_SOCKET_CONNECTED: the handshake is done, for this side
 * @KH_LAB_SOCKET_HEARD: the other side's byte has come as well
 * @KH_LAB_SOCKET_ENDED: the other side has closed
 * @KH_LAB_SOCKET_FAILED: it came to nothing
 */
typedef enum
{
  KH_LAB_SOCKET_NONE,
  KH_LAB_SOCKET_BOUND,
  KH_LAB_SOCKET_LISTENING,
  KH_LAB_SOCKET_DIALLING,
  KH_LAB_SOCKET_CONNECTED,
  KH_LAB_SOCKET_HEARD,
  KH_LAB_SOCKET_ENDED,
  KH_LAB_SOCKET_FAILED,
} KhLabSocketState;

/**
 * KhLabSocket:
 * @fd: -1 for none
 * @state: how far it has come
 * @reason: why it failed, an errno
 * @icmp: whether an ICMP error was the reason, rather than an RST
 * @icmp_type: its type
 * @icmp_code: its code
 *
 * One TCP socket on a host of a laboratory. When it is connected it says one byte and waits for the other side's: a handshake
 * alone does not prove that a router lets data through.
 */
typedef struct
{
  int fd;
  KhLabSocketState state;
  int reason;
  gboolean icmp;
  guint8 icmp_type;
  guint8 icmp_code;
} KhLabSocket;

/**
 * KhOutcome:
 * @KH_OUTCOME_NONE: it was not tried
 * @KH_OUTCOME_CONNECTED: connected, and data came through
 * @KH_OUTCOME_SILENCE: nothing came back
 * @KH_OUTCOME_REFUSED: an RST came back
 * @KH_OUTCOME_ICMP: an ICMP error came back
 * @KH_OUTCOME_FAILED: it did not even leave our own host
 */
typedef enum
{
  KH_OUTCOME_NONE,
  KH_OUTCOME_CONNECTED,
  KH_OUTCOME_SILENCE,
  KH_OUTCOME_REFUSED,
  KH_OUTCOME_ICMP,
  KH_OUTCOME_FAILED,
} KhOutcome;

/**
 * KhDialResult:
 * @outcome: what became of a dial
 * @reason: the errno with which it ended, 0 without
 * @icmp_type: of the ICMP error
 * @icmp_code: of the ICMP error
 */
typedef struct
{
  KhOutcome outcome;
  int reason;
  guint8 icmp_type;
  guint8 icmp_code;
} KhDialResult;

void         kh_lab_socket_open       (KhLabSocket *self, int network, KhReuse reuse, guint16 port);
void         kh_lab_socket_listen     (KhLabSocket *self);
void         kh_lab_socket_dial       (KhLabSocket *self, const KhEndpoint *to);
GIOCondition kh_lab_socket_accept     (KhLabSocket *self, KhLabSocket *listener);
GIOCondition kh_lab_socket_look       (KhLabSocket *self);
void         kh_lab_socket_end        (KhLabSocket *self);
gboolean     kh_lab_socket_is_over    (KhLabSocket *self);
KhEndpoint   kh_lab_socket_get_remote (KhLabSocket *self);
KhDialResult kh_lab_socket_judge      (const KhLabSocket *self);
void         kh_lab_socket_close      (KhLabSocket *self);
const char  *kh_lab_socket_reason     (int reason);

G_END_DECLS
