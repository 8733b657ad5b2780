/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-role.h"

G_BEGIN_DECLS

/**
 * KH_CHANNEL_MAX_FRAME:
 *
 * The longest payload of one frame in bytes: a Noise message is at most 65 535, and the first ones carry a key
 * (32) and a tag (16) besides.
 */
#define KH_CHANNEL_MAX_FRAME 65487

#define KH_TYPE_CHANNEL (kh_channel_get_type ())
G_DECLARE_FINAL_TYPE (KhChannel, kh_channel, KH, CHANNEL, GObject)

/**
 * KH_CHANNEL_MAX_QUEUED:
 *
 * How many bytes may wait to be written before kh_channel_send() refuses more.
 */
#define KH_CHANNEL_MAX_QUEUED (4 * 1024 * 1024)

/**
 * KhChannelFrameFunc:
 * @channel: the channel
 * @frame: the payload of the next frame
 * @user_data: what was given to kh_channel_set_handler()
 *
 * Called for each frame in order. It may set another handler, send, or close; the next frame goes to whoever is
 * the handler then.
 */
typedef void (*KhChannelFrameFunc) (KhChannel *channel, GBytes *frame, gpointer user_data);

/**
 * KhChannelClosedFunc:
 * @channel: the channel
 * @error: (nullable): %NULL when the friend shut down writing in order between two frames; %KH_ERROR_PROTOCOL when
 *   a message did not open or was malformed; another error of the stream else
 * @user_data: what was given to kh_channel_set_handler()
 *
 * Called once, when nothing more will be read. Not called after kh_channel_close().
 */
typedef void (*KhChannelClosedFunc) (KhChannel *channel, const GError *error, gpointer user_data);

KhChannel *kh_channel_new               (GIOStream           *stream,
                                         KhRole               role,
                                         const guint8        *psk,
                                         guint32              epoch);
void       kh_channel_set_handler       (KhChannel           *self,
                                         KhChannelFrameFunc   frame_func,
                                         KhChannelClosedFunc  closed_func,
                                         gpointer             user_data);
gboolean   kh_channel_send              (KhChannel           *self,
                                         GBytes              *payload);
gsize      kh_channel_get_queued        (KhChannel           *self);
GIOStream *kh_channel_get_stream        (KhChannel           *self);
GBytes    *kh_channel_get_first_message (KhChannel           *self);
gint64     kh_channel_get_last_heard    (KhChannel           *self);
void       kh_channel_shutdown          (KhChannel           *self);
void       kh_channel_close             (KhChannel           *self);

G_END_DECLS
