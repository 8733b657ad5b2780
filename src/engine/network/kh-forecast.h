/* SPDX-License-Identifier: GPL-3.0-or-later */
#pragma once

#include "kh-facts.h"

G_BEGIN_DECLS

/**
 * KhForecast:
 *
 * How likely two friends get a direct path, as far as the facts tell.
 */
typedef enum
{
  KH_FORECAST_IMPOSSIBLE,
  KH_FORECAST_UNLIKELY,
  KH_FORECAST_POSSIBLE,
  KH_FORECAST_LIKELY,
} KhForecast;

/**
 * KhFriendKind:
 * @KH_FRIEND_OPEN: no NAT and no firewall, or a full cone
 * @KH_FRIEND_HOME: a port-restricted router that keeps silent, as most homes have it
 * @KH_FRIEND_STRICT: a symmetric router with random ports, as many offices have it
 * @KH_FRIEND_MOBILE: the provider's NAT behind that of the home: port-restricted, ports at random in a block
 * @KH_FRIEND_IPV6: IPv6 behind a firewall; nothing is known of IPv4
 *
 * The friends that a forecast is made for before one is invited.
 */
typedef enum
{
  KH_FRIEND_OPEN,
  KH_FRIEND_HOME,
  KH_FRIEND_STRICT,
  KH_FRIEND_MOBILE,
  KH_FRIEND_IPV6,
  KH_N_FRIEND_KINDS
} KhFriendKind;

void        kh_forecast_friend (KhFriendKind kind, KhFacts *facts);
KhForecast  kh_forecast_dial   (const KhFacts *mine, const KhFacts *friends);
KhForecast  kh_forecast_dice   (const KhFacts *mine, const KhFacts *friends);
KhForecast  kh_forecast_facts  (const KhFacts *mine, const KhFacts *friends);
KhForecast  kh_forecast_for    (const KhFacts *mine, KhFriendKind kind);
const char *kh_forecast_name   (KhForecast forecast);

G_END_DECLS
