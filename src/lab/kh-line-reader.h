/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

G_BEGIN_DECLS

/* A text of 32 KiB fits in, however much of it JSON has to escape. */
#define KH_LINE_READER_MAX (256 * 1024)

#define KH_TYPE_LINE_READER (kh_line_reader_get_type ())
G_DECLARE_FINAL_TYPE (KhLineReader, kh_line_reader, KH, LINE_READER, GObject)

KhLineReader *kh_line_reader_new     (int fd);
gboolean      kh_line_reader_is_open (KhLineReader *self);

G_END_DECLS
