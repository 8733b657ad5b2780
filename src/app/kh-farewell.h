/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <gio/gio.h>

#include "kh-session.h"

G_BEGIN_DECLS

void kh_farewell (GApplication *application, KhSession *session);

G_END_DECLS
