/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/**
 * KhInterruptFunc:
 * @status: the exit status that tells of the signal: 128 + N
 *
 * The user has had enough. It may be called more than once.
 */
typedef void (*KhInterruptFunc) (int status, gpointer data);

typedef struct _KhInterrupt KhInterrupt;

KhInterrupt *kh_interrupt_new  (KhInterruptFunc func, gpointer data);
void         kh_interrupt_free (KhInterrupt *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhInterrupt, kh_interrupt_free)

G_END_DECLS
