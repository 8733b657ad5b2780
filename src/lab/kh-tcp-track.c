/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-tcp-track.h"

/* How a router follows a connection that is not its own. The states and what moves them are those of Linux' connection
 * tracking; the limits for sequence numbers are those of Guido van Rooij, "Real Stateful TCP Packet Filtering in IP Filter"
 * (2001), which Linux follows as well. The differential test holds this file to the kernel. */

typedef enum
{
  EVENT_SYN,
  EVENT_SYN_ACK,
  EVENT_FIN,
  EVENT_ACK,
  EVENT_RST,
  N_EVENTS,
  EVENT_NONE = N_EVENTS,
} Event;

/* What else can become of a packet than a next state. */
enum
{
  INVALID = KH_TCP_N_STATES,
  IGNORED,
};

/* Short names for the tables alone. */
#define sent KH_TCP_SYN_SENT
#define rcvd KH_TCP_SYN_RECEIVED
#define estb KH_TCP_ESTABLISHED
#define finw KH_TCP_FIN_WAIT
#define clsw KH_TCP_CLOSE_WAIT
#define last KH_TCP_LAST_ACK
#define timw KH_TCP_TIME_WAIT
#define clsd KH_TCP_CLOSED
#define crsd KH_TCP_SYN_CROSSED
#define ____ INVALID
#define ignr IGNORED

/* A row is what the connection was, a column what comes: SYN, SYN-ACK, FIN, ACK, RST. */
static const guint8 next_states[2][KH_TCP_N_STATES][N_EVENTS] = {
  [KH_TCP_ORIGINAL] = {
    [KH_TCP_NONE]         = { sent, ____, ____, estb, ____ },
    [KH_TCP_SYN_SENT]     = { sent, ____, ____, ____, clsd },
    [KH_TCP_SYN_RECEIVED] = { ignr, rcvd, finw, estb, clsd },
    [KH_TCP_ESTABLISHED]  = { ignr, ____, finw, estb, clsd },
    [KH_TCP_FIN_WAIT]     = { ignr, ____, last, clsw, clsd },
    [KH_TCP_CLOSE_WAIT]   = { ignr, ____, last, clsw, clsd },
    [KH_TCP_LAST_ACK]     = { ignr, ____, last, timw, clsd },
    [KH_TCP_TIME_WAIT]    = { sent, ____, timw, timw, clsd },
    [KH_TCP_CLOSED]       = { sent, ____, clsd, clsd, clsd },
    [KH_TCP_SYN_CROSSED]  = { crsd, rcvd, ____, ____, clsd },
  },
  [KH_TCP_REPLY] = {
    [KH_TCP_NONE]         = { ____, ____, ____, ____, ____ },
    [KH_TCP_SYN_SENT]     = { crsd, rcvd, ____, ignr, clsd },
    [KH_TCP_SYN_RECEIVED] = { ____, ignr, finw, rcvd, clsd },
    [KH_TCP_ESTABLISHED]  = { ____, ignr, finw, estb, clsd },
    [KH_TCP_FIN_WAIT]     = { ____, ignr, last, clsw, clsd },
    [KH_TCP_CLOSE_WAIT]   = { ____, ignr, last, clsw, clsd },
    [KH_TCP_LAST_ACK]     = { ____, ignr, last, timw, clsd },
    [KH_TCP_TIME_WAIT]    = { sent, ignr, timw, timw, clsd },
    [KH_TCP_CLOSED]       = { ____, ignr, clsd, clsd, clsd },
    [KH_TCP_SYN_CROSSED]  = { crsd, rcvd, ____, ignr, clsd },
  },
};

#undef sent
#undef rcvd
#undef estb
#undef finw
#undef clsw
#undef last
#undef timw
#undef clsd
#undef crsd
#undef ____
#undef ignr

/* An acknowledgement may be this far behind at least, whatever windows were seen. */
#define MIN_ACK_WINDOW 66000

/* A segment's numbers as they are compared. */
typedef struct
{
  guint32 seq;
  guint32 end;
  guint32 ack;
  guint32 window;
} Segment;

static gboolean
is_before (guint32 a, guint32 b)
{
  return (gint32) (a - b) < 0;
}

static gboolean
is_after (guint32 a, guint32 b)
{
  return is_before (b, a);
}

static Event
get_event (const KhPacket *packet)
{
  switch (packet->tcp_flags & ~KH_TCP_PSH)
    {
    case KH_TCP_SYN:
    case KH_TCP_SYN | KH_TCP_URG:
      return EVENT_SYN;
    case KH_TCP_SYN | KH_TCP_ACK:
      return EVENT_SYN_ACK;
    case KH_TCP_FIN | KH_TCP_ACK:
    case KH_TCP_FIN | KH_TCP_ACK | KH_TCP_URG:
      return EVENT_FIN;
    case KH_TCP_ACK:
    case KH_TCP_ACK | KH_TCP_URG:
      return EVENT_ACK;
    case KH_TCP_RST:
    case KH_TCP_RST | KH_TCP_ACK:
      return EVENT_RST;
    default:
      return EVENT_NONE;
    }
}

static Segment
get_segment (const KhPacket *packet)
{
  guint flags = packet->tcp_flags;
  Segment segment = { .seq = packet->seq, .ack = packet->ack, .window = packet->window };

  segment.end = packet->seq + (guint32) packet->payload + ((flags & KH_TCP_SYN) != 0) + ((flags & KH_TCP_FIN) != 0);

  return segment;
}

/* A side begins with its SYN. Windows are scaled only where both sides' SYNs offer it (RFC 7323 section 2.2). */
static void
begin_side (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, const Segment *segment)
{
  KhTcpSide *sender = &self->sides[direction];
  KhTcpSide *receiver = &self->sides[!direction];

  sender->end = sender->max_end = segment->end;
  sender->max_window = MAX (segment->window, 1);
  sender->offers_scale = packet->window_scale >= 0;
  sender->scale = sender->offers_scale ? (guint8) packet->window_scale : 0;
  sender->acked = sender->closed_first = FALSE;
  if (direction == KH_TCP_REPLY && !(sender->offers_scale && receiver->offers_scale))
    sender->scale = receiver->scale = 0;
}

/* A connection that was there before we looked. */
static void
pick_up_side (KhTcpTrack *self, KhTcpDirection direction, const Segment *segment)
{
  KhTcpSide *sender = &self->sides[direction];
  KhTcpSide *receiver = &self->sides[!direction];

  sender->end = segment->end;
  sender->max_window = MAX (segment->window << sender->scale, 1);
  sender->max_end = segment->end + sender->max_window;
  if (receiver->max_window == 0)
    receiver->end = receiver->max_end = segment->ack;
  else if (segment->ack == receiver->end + 1)
    receiver->end++; /* the answer to a keep-alive */
}

static void
begin (KhTcpTrack *self, const KhPacket *packet, Event event)
{
  Segment segment = get_segment (packet);

  if (event == EVENT_SYN)
    {
      begin_side (self, KH_TCP_ORIGINAL, packet, &segment);
      return;
    }

  /* Nothing is known of the other side yet, and nobody knows the windows' scale: so nothing is held against them. */
  pick_up_side (self, KH_TCP_ORIGINAL, &segment);
  self->sides[KH_TCP_REPLY] = (KhTcpSide){ .liberal = TRUE };
  self->sides[KH_TCP_ORIGINAL].liberal = TRUE;
}

static void
remember_numbers (KhTcpTrack *self, const KhPacket *packet)
{
  self->last_ack = packet->ack;
  self->last_end = get_segment (packet).end;
  self->last_window = packet->window;
}

/* What a segment within the limits tells about both sides. */
static void
learn (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, const Segment *segment)
{
  KhTcpSide *sender = &self->sides[direction];
  KhTcpSide *receiver = &self->sides[!direction];
  guint32 window = segment->window << (packet->tcp_flags & KH_TCP_SYN ? 0 : sender->scale);

  sender->max_window = MAX (sender->max_window, window);
  if (is_after (segment->end, sender->end))
    sender->end = segment->end;
  if (packet->tcp_flags & KH_TCP_ACK && (!sender->acked || is_after (segment->ack, sender->max_ack)))
    {
      sender->max_ack = segment->ack;
      sender->acked = TRUE;
    }
  if (receiver->max_window != 0 && is_after (segment->end, sender->max_end))
    receiver->max_window += segment->end - sender->max_end;
  if (is_after (segment->ack + window, receiver->max_end - 1))
    receiver->max_end = segment->ack + window + (window == 0);
  if (get_event (packet) == EVENT_ACK)
    remember_numbers (self, packet);
}

static KhTcpVerdict
check_limits (KhTcpTrack *self, KhTcpDirection direction, const Segment *segment)
{
  KhTcpSide *sender = &self->sides[direction];
  KhTcpSide *receiver = &self->sides[!direction];
  gboolean in_window = receiver->max_window == 0 || is_after (segment->end, sender->end - receiver->max_window - 1);
  gboolean ack_in_window = is_after (segment->ack, receiver->end - MAX (sender->max_window, MIN_ACK_WINDOW) - 1);

  if (!is_before (segment->seq, sender->max_end + 1))
    {
      guint32 beyond = segment->end - sender->max_end + 1;

      if (!in_window || !ack_in_window || beyond > receiver->max_window || !is_before (segment->ack, receiver->end + 1))
        return KH_TCP_INVALID;
      /* Somebody sends a little more than the window: it may be acknowledged all the same. */
      sender->end = segment->end;
      return KH_TCP_IGNORE;
    }
  if (!is_before (segment->ack, receiver->end + 1))
    return KH_TCP_INVALID;

  return in_window && ack_in_window ? KH_TCP_PASS : KH_TCP_IGNORE;
}

/* Another SYN, before the connection was there. */
static gboolean
may_begin_anew (const KhTcpTrack *self, const KhPacket *packet)
{
  return packet->tcp_flags & KH_TCP_SYN && (self->state == KH_TCP_SYN_SENT || self->state == KH_TCP_SYN_RECEIVED);
}

static KhTcpVerdict
check_window (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, gboolean strict)
{
  KhTcpSide *sender = &self->sides[direction];
  KhTcpSide *receiver = &self->sides[!direction];
  Segment segment = get_segment (packet);
  guint flags = packet->tcp_flags;
  KhTcpVerdict verdict;

  if (sender->max_window == 0)
    {
      if ((flags & KH_TCP_SYN) == 0)
        pick_up_side (self, direction, &segment);
      else
        {
          begin_side (self, direction, packet, &segment);
          if ((flags & KH_TCP_ACK) == 0)
            return KH_TCP_PASS; /* SYNs cross: there is nothing to compare yet */
        }
    }
  else if (may_begin_anew (self, packet) && is_after (segment.end, sender->end))
    {
      begin_side (self, direction, packet, &segment);
      if (direction == KH_TCP_REPLY && (flags & KH_TCP_ACK) == 0)
        return KH_TCP_PASS;
    }

  /* What acknowledges nothing is in order as far as acknowledgements go. */
  if ((flags & KH_TCP_ACK) == 0 || (flags & KH_TCP_RST && segment.ack == 0))
    segment.ack = receiver->end;
  if (flags & KH_TCP_RST && segment.seq == 0 && self->state == KH_TCP_SYN_SENT)
    segment.seq = segment.end = sender->end; /* a refusal counts from 0 (RFC 9293 section 3.5.2) */

  verdict = check_limits (self, direction, &segment);
  if (verdict == KH_TCP_PASS)
    learn (self, direction, packet, &segment);

  return strict && !sender->liberal ? verdict : KH_TCP_PASS;
}

/* A packet that does not fit, but may be the sign that we, not the two, are wrong about the connection: it passes, and the
 * answer to it will tell. */
static KhTcpVerdict
ignore (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, Event event)
{
  guint32 ack = self->last_ack;

  remember_numbers (self, packet);
  /* Only what answers our SYN with an old ACK makes the sender refuse it by that number (RFC 9293 section 3.10.7.3). */
  if (event != EVENT_ACK || self->state != KH_TCP_SYN_SENT)
    self->last_ack = ack;
  self->last_event = event;
  self->last_direction = direction;
  if (event == EVENT_SYN && direction == KH_TCP_ORIGINAL)
    {
      self->last_scale = packet->window_scale;
      self->crossed = FALSE;
      /* A SYN to an established connection is answered by an ACK (RFC 5961 section 4), which is no end of anything. */
      self->challenge = self->state == KH_TCP_LAST_ACK;
    }

  return KH_TCP_IGNORE;
}

/* A SYN-ACK acknowledges a SYN that we had let pass in disbelief: both agree, so we begin where they are. */
static void
catch_up (KhTcpTrack *self)
{
  KhTcpSide *opener = &self->sides[self->last_direction];
  KhTcpSide *other = &self->sides[!self->last_direction];

  *opener = (KhTcpSide){ .end = self->last_end, .max_end = self->last_end, .max_window = MAX (self->last_window, 1) };
  opener->offers_scale = self->last_scale >= 0;
  opener->scale = opener->offers_scale ? (guint8) self->last_scale : 0;
  *other = (KhTcpSide){ .liberal = other->liberal };
}

/* Whether an RST may pass at all, and if so, whether it is exact enough to end an established connection (RFC 5961
 * section 3): else its receiver asks back, and the connection has to be there for the answer. */
static gboolean
judge_reset (const KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, gboolean strict,
             KhTcpState *next)
{
  const KhTcpSide *receiver = &self->sides[!direction];
  gboolean established = self->state == KH_TCP_ESTABLISHED && self->assured;

  if (!strict || !receiver->acked || self->last_event == EVENT_SYN || (packet->seq == 0 && !established))
    return TRUE;
  if (is_before (packet->seq, receiver->max_ack))
    return FALSE;

  if (established && packet->seq != receiver->max_ack &&
      (self->last_event != EVENT_ACK || self->last_direction != direction || packet->seq != self->last_end))
    *next = self->state;
  return TRUE;
}

/* A reset that answers a SYN or ACK which we let pass in disbelief. */
static gboolean
resets_what_was_ignored (const KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet)
{
  gboolean after_syn = self->answered && self->last_event == EVENT_SYN && self->last_direction != direction;
  gboolean after_ack = !self->assured && self->last_event == EVENT_ACK;

  return (after_syn || after_ack) && packet->ack == self->last_end;
}

/* Our SYN was answered by an ACK of something else, and what is refused is that ACK. */
static gboolean
resets_old_ack (const KhTcpTrack *self, const KhPacket *packet)
{
  return self->state == KH_TCP_SYN_SENT && self->last_event == EVENT_ACK && self->last_direction == KH_TCP_REPLY &&
         packet->seq == self->last_ack;
}

static KhTcpVerdict
settle (KhTcpTrack *self, KhTcpDirection direction, Event event, KhTcpState next)
{
  KhTcpState before = self->state;

  self->last_event = event;
  self->last_direction = direction;
  self->state = next;
  if (next == KH_TCP_FIN_WAIT && before != KH_TCP_FIN_WAIT)
    self->sides[direction].closed_first = TRUE;
  if (next == KH_TCP_ESTABLISHED && (before == KH_TCP_SYN_RECEIVED || before == KH_TCP_ESTABLISHED) && self->answered)
    self->assured = TRUE;

  /* When a refusal comes before any answer, there was no connection. */
  if (event == EVENT_RST && !self->answered)
    return KH_TCP_FORGET;
  /* A SYN that nobody answers does not live longer for being repeated. */
  return before == KH_TCP_SYN_SENT && next == KH_TCP_SYN_SENT && !self->answered ? KH_TCP_IGNORE : KH_TCP_PASS;
}

/* An end that does not fit is not believed, but what comes next is seen in its light. */
static void
note_invalid (KhTcpTrack *self, KhTcpDirection direction, Event event)
{
  gboolean other_ended =
      self->last_direction != direction && (self->last_event == EVENT_FIN || self->last_event == EVENT_RST);

  if (!self->assured || (event != EVENT_RST && event != EVENT_FIN) || other_ended)
    return;
  self->last_event = event;
  self->last_direction = direction;
}

static KhTcpVerdict
check_and_settle (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, Event event, KhTcpState next,
                  gboolean strict)
{
  KhTcpVerdict verdict = check_window (self, direction, packet, strict);

  if (verdict == KH_TCP_INVALID)
    note_invalid (self, direction, event);

  return verdict == KH_TCP_PASS ? settle (self, direction, event, next) : verdict;
}

static gboolean
may_reopen (const KhTcpTrack *self, KhTcpDirection direction)
{
  return self->sides[0].closed_first || self->sides[1].closed_first ||
         (self->last_direction == direction && self->last_event == EVENT_RST);
}

static gboolean
is_awaited_syn_ack (const KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, Event event)
{
  return event == EVENT_SYN_ACK && self->last_event == EVENT_SYN && self->last_direction != direction &&
         packet->ack == self->last_end;
}

static gboolean
is_challenge_ack (const KhTcpTrack *self, KhTcpDirection direction, Event event)
{
  return self->challenge && self->state == KH_TCP_LAST_ACK && event == EVENT_ACK && self->last_direction != direction &&
         self->last_event == EVENT_SYN;
}

static gboolean
is_closing (const KhTcpTrack *self)
{
  return self->state >= KH_TCP_FIN_WAIT && self->state <= KH_TCP_CLOSED;
}

static KhTcpVerdict
take_reset (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, gboolean strict)
{
  KhTcpState next = KH_TCP_CLOSED;

  if (is_closing (self))
    return settle (self, direction, EVENT_RST, next);
  if (!judge_reset (self, direction, packet, strict, &next))
    return KH_TCP_INVALID;
  if (next == KH_TCP_CLOSED && (resets_what_was_ignored (self, direction, packet) || resets_old_ack (self, packet)))
    return settle (self, direction, EVENT_RST, next);

  return check_and_settle (self, direction, packet, EVENT_RST, next, strict);
}

static KhTcpVerdict
follow (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, gboolean strict)
{
  Event event = get_event (packet);
  guint next = event == EVENT_NONE ? INVALID : next_states[direction][self->state][event];

  if (next == INVALID)
    return strict || self->state == KH_TCP_NONE ? KH_TCP_INVALID : KH_TCP_IGNORE;
  if (self->state == KH_TCP_NONE)
    begin (self, packet, event);
  else if (next == KH_TCP_SYN_SENT && self->state != KH_TCP_SYN_SENT)
    return may_reopen (self, direction) ? KH_TCP_REOPEN : ignore (self, direction, packet, event);

  if (event == EVENT_RST)
    return take_reset (self, direction, packet, strict);
  if (is_challenge_ack (self, direction, event))
    {
      self->challenge = FALSE;
      return KH_TCP_IGNORE;
    }
  if (next == IGNORED)
    {
      if (!is_awaited_syn_ack (self, direction, packet, event))
        return ignore (self, direction, packet, event);
      catch_up (self);
      next = KH_TCP_SYN_RECEIVED;
    }

  if (next == KH_TCP_SYN_CROSSED)
    self->crossed = TRUE;
  else if (next == KH_TCP_SYN_RECEIVED && direction == KH_TCP_REPLY && event == EVENT_ACK && self->crossed)
    next = KH_TCP_ESTABLISHED;

  return check_and_settle (self, direction, packet, event, next, strict);
}

/**
 * kh_tcp_track_take:
 * @self: a connection
 * @direction: which way the packet goes
 * @packet: a TCP packet
 * @strict: whether numbers and states have to fit as they have to on Linux
 *
 * Follows a connection by one packet more.
 *
 * Returns: what is to become of the packet
 */
KhTcpVerdict
kh_tcp_track_take (KhTcpTrack *self, KhTcpDirection direction, const KhPacket *packet, gboolean strict)
{
  KhTcpVerdict verdict = follow (self, direction, packet, strict);

  if (direction == KH_TCP_REPLY && verdict != KH_TCP_INVALID)
    self->answered = TRUE;

  return verdict;
}
