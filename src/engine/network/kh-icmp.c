/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-icmp.h"

#include <arpa/inet.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

static const struct sock_extended_err *
find_error (struct msghdr *message)
{
  for (struct cmsghdr *part = CMSG_FIRSTHDR (message); part != NULL; part = CMSG_NXTHDR (message, part))
    {
      gboolean is_error = (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_RECVERR) ||
                          (part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_RECVERR);
      const struct sock_extended_err *found = (const struct sock_extended_err *) CMSG_DATA (part);

      if (is_error && (found->ee_origin == SO_EE_ORIGIN_ICMP || found->ee_origin == SO_EE_ORIGIN_ICMP6))
        return found;
    }

  return NULL;
}

static void
name_sender (const struct sock_extended_err *found, char *text, gsize size)
{
  const struct sockaddr *sender = SO_EE_OFFENDER (found);

  *text = '\0';
  if (sender->sa_family == AF_INET)
    inet_ntop (AF_INET, &((const struct sockaddr_in *) sender)->sin_addr, text, size);
  else if (sender->sa_family == AF_INET6)
    inet_ntop (AF_INET6, &((const struct sockaddr_in6 *) sender)->sin6_addr, text, size);
}

/**
 * kh_icmp_read:
 * @fd: a socket that has IP_RECVERR set
 * @icmp: (out caller-allocates): the next ICMP error in its queue
 *
 * To be called after SO_ERROR was read: taking from the queue clears that.
 *
 * Returns: whether there was one
 */
gboolean
kh_icmp_read (int fd, KhIcmp *icmp)
{
  char control[512];
  char payload[64];
  struct iovec vector = { payload, sizeof payload };
  const struct sock_extended_err *found = NULL;

  /* What this computer itself has to say, without an ICMP, is queued as well. */
  while (found == NULL)
    {
      struct msghdr message = {
        .msg_iov = &vector, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control
      };

      if (fd < 0 || recvmsg (fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
        return FALSE;
      found = find_error (&message);
    }

  icmp->type = found->ee_type;
  icmp->code = found->ee_code;
  name_sender (found, icmp->sender, sizeof icmp->sender);
  return TRUE;
}

/**
 * kh_icmp_describe:
 * @fd: a socket that has IP_RECVERR set and whose connect() failed
 *
 * Tells an ICMP message from an RST, which the error number alone does not (law 13): an RST leaves nothing in the
 * socket's error queue, an ICMP its type, its code and the address of the router that sent it.
 *
 * Returns: (transfer full) (nullable): for example "ICMP 3/13 from 203.0.113.1", or %NULL when there was none
 */
char *
kh_icmp_describe (int fd)
{
  KhIcmp icmp;

  if (!kh_icmp_read (fd, &icmp))
    return NULL;

  return g_strdup_printf ("ICMP %u/%u from %s", icmp.type, icmp.code,
                          *icmp.sender != '\0' ? icmp.sender : "an unknown router");
}
