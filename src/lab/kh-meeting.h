/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-lab.h"

#include <json-glib/json-glib.h>

G_BEGIN_DECLS

#define KH_N_FRIENDS 2

/**
 * KhMeetingSettings:
 * @bindir: (nullable): where knothole-cli is
 * @timeout: seconds to reach the friend
 * @names: (nullable): what the friends are called, the left one first
 */
typedef struct
{
  const char *bindir;
  int timeout;
  const char *names[KH_N_FRIENDS];
} KhMeetingSettings;

#define KH_TYPE_MEETING (kh_meeting_get_type ())
G_DECLARE_FINAL_TYPE (KhMeeting, kh_meeting, KH, MEETING, GObject)

KhMeeting *kh_meeting_new        (KhLab *lab, const KhMeetingSettings *settings, GError **error);
void       kh_meeting_run_async  (KhMeeting *self, GCancellable *cancellable, GAsyncReadyCallback callback, gpointer data);
gboolean   kh_meeting_run_finish (KhMeeting *self, GAsyncResult *result, GError **error);
void       kh_meeting_say        (KhMeeting *self, KhHostId who, const char *text);
void       kh_meeting_goodbye    (KhMeeting *self, KhHostId who);
int        kh_meeting_get_status (KhMeeting *self, KhHostId who);

G_END_DECLS
