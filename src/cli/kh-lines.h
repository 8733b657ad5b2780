/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

typedef struct _KhLines KhLines;

/**
 * KhLinesFunc:
 * @line: a line without its end, valid UTF-8; %NULL at the end of input
 * @user_data: what was given to kh_lines_new()
 */
typedef void (*KhLinesFunc) (const char *line, gpointer user_data);

KhLines *kh_lines_new    (int fd, gsize max_line, KhLinesFunc func, gpointer user_data);
void     kh_lines_pause  (KhLines *self);
void     kh_lines_resume (KhLines *self);
void     kh_lines_free   (KhLines *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhLines, kh_lines_free)

G_END_DECLS
