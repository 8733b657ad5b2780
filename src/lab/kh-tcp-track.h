/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-packet.h"

G_BEGIN_DECLS

/**
 * KhTcpState:
 *
 * What a router takes a connection's state for: that of the side which sent the first SYN, as Linux names it.
 */
typedef enum
{
  KH_TCP_NONE,
  KH_TCP_SYN_SENT,
  KH_TCP_SYN_RECEIVED,
  KH_TCP_ESTABLISHED,
  KH_TCP_FIN_WAIT,
  KH_TCP_CLOSE_WAIT,
  KH_TCP_LAST_ACK,
  KH_TCP_TIME_WAIT,
  KH_TCP_CLOSED,
  KH_TCP_SYN_CROSSED,
} KhTcpState;

#define KH_TCP_N_STATES (KH_TCP_SYN_CROSSED + 1)

/**
 * KhTcpDirection:
 *
 * Seen from the one whose packet made the router remember this connection.
 */
typedef enum
{
  KH_TCP_ORIGINAL,
  KH_TCP_REPLY,
} KhTcpDirection;

/**
 * KhTcpVerdict:
 * @KH_TCP_PASS: it belongs to the connection
 * @KH_TCP_IGNORE: it may pass, but does not prolong the connection's life: what it says is not believed, or not new
 * @KH_TCP_INVALID: it does not belong to it
 * @KH_TCP_REOPEN: a new connection begins where an old one ended
 * @KH_TCP_FORGET: it may pass, and nothing is left of the connection
 */
typedef enum
{
  KH_TCP_PASS,
  KH_TCP_IGNORE,
  KH_TCP_INVALID,
  KH_TCP_REOPEN,
  KH_TCP_FORGET,
} KhTcpVerdict;

/* What one side has sent, and may send, by its own packets and by the other's acknowledgements. */
typedef struct
{
  guint32 end;
  guint32 max_end;
  guint32 max_window;
  guint32 max_ack;
  guint8 scale;
  gboolean offers_scale;
  gboolean acked;
  gboolean liberal;
  gboolean closed_first;
} KhTcpSide;

/**
 * KhTcpTrack:
 *
 * A connection as a router on the way sees it. Zeroed memory is one of which nothing was seen yet.
 */
typedef struct
{
  KhTcpState state;
  KhTcpSide sides[2];
  gboolean crossed;   /* SYNs have crossed */
  gboolean answered;  /* there was a packet in the other direction */
  gboolean assured;   /* it was established, both ways */
  gboolean challenge; /* a SYN came late, and its answer ends nothing */
  guint8 last_event;
  KhTcpDirection last_direction;
  /* Of the last plain ACK, or of the last packet that was not believed. */
  guint32 last_ack;
  guint32 last_end;
  guint16 last_window;
  int last_scale;
} KhTcpTrack;

KhTcpVerdict kh_tcp_track_take (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, gboolean strict);

G_END_DECLS
