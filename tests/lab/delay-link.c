/* SPDX-License-Identifier: GPL-3.0-or-later */

/* A cable with a length: carries Ethernet frames between two interfaces of one network namespace, each a given time
 * later, in order. For tests where the kernel has no netem; needs no device node and no root outside the namespace.
 *
 *   delay-link IFACE IFACE MILLISECONDS
 *
 * Prints "ready" once it carries. Ends on SIGTERM, or when its standard input ends. */

#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 2048
#define QUEUE_MAX 4096

struct frame
{
  int64_t due;
  int to;
  size_t size;
  unsigned char bytes[FRAME_MAX];
};

static struct frame queue[QUEUE_MAX];
static unsigned int head, count;

static int64_t
now_us (void)
{
  struct timespec t;

  clock_gettime (CLOCK_MONOTONIC, &t);
  return t.tv_sec * INT64_C (1000000) + t.tv_nsec / 1000;
}

static int
open_interface (const char *name)
{
  struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons (ETH_P_ALL) };
  struct packet_mreq promiscuous = { .mr_type = PACKET_MR_PROMISC };
  int fd = socket (AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons (ETH_P_ALL));

  address.sll_ifindex = promiscuous.mr_ifindex = (int) if_nametoindex (name);
  if (fd < 0 || address.sll_ifindex == 0 || bind (fd, (struct sockaddr *) &address, sizeof address) != 0 ||
      setsockopt (fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &promiscuous, sizeof promiscuous) != 0)
    {
      fprintf (stderr, "delay-link: %s: %s\n", name, strerror (errno));
      exit (1);
    }
  return fd;
}

/* Takes in what has arrived. What the kernel shows us of our own sending is not ours to carry again. */
static void
take_in (int from, int to, int64_t delay)
{
  while (count < QUEUE_MAX)
    {
      struct frame *frame = &queue[(head + count) % QUEUE_MAX];
      struct sockaddr_ll sender;
      socklen_t size = sizeof sender;
      ssize_t got = recvfrom (from, frame->bytes, sizeof frame->bytes, 0, (struct sockaddr *) &sender, &size);

      if (got < 0)
        return;
      if (sender.sll_pkttype == PACKET_OUTGOING)
        continue;
      frame->size = (size_t) got;
      frame->to = to;
      frame->due = now_us () + delay;
      count++;
    }
}

static void
deliver_due (void)
{
  while (count > 0 && queue[head].due <= now_us ())
    {
      if (send (queue[head].to, queue[head].bytes, queue[head].size, 0) < 0 && errno != ENOBUFS && errno != ENETDOWN)
        fprintf (stderr, "delay-link: send: %s\n", strerror (errno));
      head = (head + 1) % QUEUE_MAX;
      count--;
    }
}

int
main (int argc, char **argv)
{
  struct pollfd polls[3] = { { .events = POLLIN }, { .events = POLLIN }, { .fd = STDIN_FILENO } };
  int64_t delay;

  if (argc != 4)
    {
      fputs ("delay-link IFACE IFACE MILLISECONDS\n", stderr);
      return 2;
    }

  polls[0].fd = open_interface (argv[1]);
  polls[1].fd = open_interface (argv[2]);
  delay = (int64_t) (atof (argv[3]) * 1000);
  puts ("ready");
  fflush (stdout);

  for (;;)
    {
      int64_t wait = count > 0 ? queue[head].due - now_us () : -1;
      struct timespec timeout = { wait / 1000000, wait % 1000000 * 1000 };

      if (count > 0 && wait <= 0)
        timeout = (struct timespec){ 0, 0 };
      if (ppoll (polls, 3, count > 0 ? &timeout : NULL, NULL) < 0 && errno != EINTR)
        return 1;
      if (polls[2].revents & (POLLHUP | POLLERR))
        return 0;
      take_in (polls[0].fd, polls[1].fd, delay);
      take_in (polls[1].fd, polls[0].fd, delay);
      deliver_due ();
    }
}
