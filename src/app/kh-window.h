/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

#define KH_TYPE_WINDOW (kh_window_get_type ())
G_DECLARE_FINAL_TYPE (KhWindow, kh_window, KH, WINDOW, AdwApplicationWindow)

KhWindow *kh_window_new           (GtkApplication *application,
                                   GSettings      *preferences);
void      kh_window_invite        (KhWindow       *self);
void      kh_window_join          (KhWindow       *self,
                                   const char     *code_or_link);
void      kh_window_enter_code    (KhWindow       *self,
                                   const char     *code_or_link);
void      kh_window_check_network (KhWindow       *self);
void      kh_window_leave         (KhWindow       *self);
void      kh_window_tell          (KhWindow       *self,
                                   const char     *sentence);

G_END_DECLS
