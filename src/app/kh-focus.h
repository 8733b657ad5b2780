/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include <adwaita.h>

G_BEGIN_DECLS

void     kh_focus_skip_scroller (GtkWidget       *widget);
gboolean kh_focus_child         (GtkWidget       *widget,
                                 GtkDirectionType direction);

G_END_DECLS
