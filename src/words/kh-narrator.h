/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-trace.h"

G_BEGIN_DECLS

typedef struct _KhNarrator KhNarrator;

KhNarrator *kh_narrator_new  (void);
char       *kh_narrator_tell (KhNarrator *self,
                              KhEvent    *event);
void        kh_narrator_free (KhNarrator *self);

G_DEFINE_AUTOPTR_CLEANUP_FUNC (KhNarrator, kh_narrator_free)

G_END_DECLS
