/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-command.h"
#include "kh-network.h"

G_BEGIN_DECLS

#define KH_TYPE_LAB (kh_lab_get_type ())
G_DECLARE_FINAL_TYPE (KhLab, kh_lab, KH, LAB, GObject)

KhLab                 *kh_lab_new              (const KhNetworkSettings *settings, GError **error);
gboolean               kh_lab_start_capture    (KhLab *self, const char *path, GError **error);
gboolean               kh_lab_stop_capture     (KhLab *self, GError **error);
const KhHostAddresses *kh_lab_get_addresses    (KhLab *self, KhHostId host);
int                    kh_lab_get_network      (KhLab *self, KhHostId host);
KhCommand             *kh_lab_start            (KhLab *self, KhHostId host, const char *const *argv, KhCommandOutput output, GError **error);
char                  *kh_lab_fill_in          (KhLab *self, const char *text);

G_END_DECLS
