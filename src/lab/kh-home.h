/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-link.h"
#include "kh-nat-settings.h"

G_BEGIN_DECLS

#define KH_HOME_MAX_ROUTERS 3

/**
 * KhHome:
 * @routers: from the host outwards
 * @n_routers: how many
 * @up: the access link, towards the internet
 * @down: from there
 *
 * How a host is connected: through one router, or through a row of them (a carrier's NAT behind the one at home).
 */
typedef struct
{
  KhNatSettings routers[KH_HOME_MAX_ROUTERS];
  guint n_routers;
  KhLinkSettings up;
  KhLinkSettings down;
} KhHome;

/**
 * KhProfile:
 * @name: what people call such a router
 * @is: its settings, or a row of other profiles, in the words of the command line
 * @summary: one sentence on what it is
 */
typedef struct
{
  const char *name;
  const char *is;
  const char *summary;
} KhProfile;

const KhProfile *kh_profile_get_all    (gsize *n_profiles);
gboolean         kh_home_parse         (KhHome *self, const char *text, GError **error);
gboolean         kh_link_settings_set  (KhLinkSettings *up, KhLinkSettings *down, const char *key, const char *value, GError **error);

G_END_DECLS
