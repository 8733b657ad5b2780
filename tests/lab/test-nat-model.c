/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The model as tables: a router, packets, and what becomes of each.
 *
 * A step is "FROM>TO FLAGS[:SEQ[:ACK]]", "FROM>TO udp", "FROM>TO ttl" (a SYN with nothing left), or "wait SECONDS". From
 * outside, "f>a/s" is sent to the outside endpoint by which a was seen when it last spoke to s. */
#include "kh-home.h"
#include "kh-nat-model.h"
#include "kh-packet-build.h"

#include <string.h>

#define MAX_STEPS 12
#define N_NAMES 10

typedef struct
{
  const char *step;
  const char *expected;
} Step;

typedef struct
{
  const char *name;
  const char *router;
  Step steps[MAX_STEPS];
} Case;

/* What is expected of a step:
 *   preserved, other       goes out; by the inside port, or by another one
 *   same:X, differs:X      goes out; by the same or another endpoint than what was last sent to X
 *   plus:N:X               goes out; by a port N above that
 *   in                     comes in
 *   turned                 comes back to the inside
 *   silent, rst, icmp, expired, local */
static const Case cases[] = {
  { "endpoint-independent: one mapping for everybody",
    "port-restricted",
    { { "a>s", "preserved" }, { "a>t", "same:s" }, { "a>u", "same:s" }, { "A>s", "preserved" } } },
  { "address-dependent: another mapping for another address",
    "port-restricted,mapping=adm,ports=random",
    { { "a>s", "other" }, { "a>t", "same:s" }, { "a>u", "differs:s" }, { "a>s", "same:s" } } },
  { "address-and-port-dependent: another mapping for another port",
    "symmetric",
    { { "a>s", "other" }, { "a>t", "differs:s" }, { "a>u", "differs:t" }, { "a>s", "same:s" } } },
  { "no mapping: addresses pass as they are", "firewall", { { "a>s", "preserved" }, { "s>a/s SA:9:1001", "in" } } },

  { "endpoint-independent filtering: anybody comes in",
    "full-cone",
    { { "a>s", "preserved" }, { "f>a/s", "in" }, { "g>a/s", "in" }, { "f>a/s A:1001:5", "silent" } } },
  { "address-dependent filtering: any port of whom we sent to",
    "restricted-cone",
    { { "a>s", "preserved" }, { "t>a/s", "in" }, { "u>a/s", "silent" }, { "a>f", "same:s" }, { "g>a/s", "in" } } },
  { "address-and-port-dependent filtering: only whom we sent to",
    "port-restricted",
    { { "a>s", "preserved" },
      { "t>a/s", "silent" },
      { "u>a/s", "silent" },
      { "f>a/s", "silent" },
      { "a>f", "same:s" },
      { "f>a/s", "in" },
      { "g>a/s", "silent" } } },
  { "a firewall without translation filters alike",
    "firewall",
    { { "a>s", "preserved" }, { "f>a/s", "silent" }, { "a>f", "preserved" }, { "f>a/s", "in" } } },
  { "an open host is reached by anybody, unasked",
    "open",
    { { "f>a", "in" }, { "f>a A:7:7", "in" }, { "a>f", "preserved" } } },
  { "who has a flow already does not get another one by another mapping",
    "symmetric,filtering=eif",
    { { "a>s", "other" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "a>t", "differs:s" },
      { "s>a/t S:9", "silent" },
      { "u>a/t S:9", "in" },
      { "a>s A:1001:2001", "same:s" } } },
  { "nobody comes in through a mapping that is not there",
    "full-cone",
    { { "f>a", "silent" }, { "a>s", "preserved" }, { "f>a", "in" } } },

  { "a stranger's SYN is answered by RST",
    "port-restricted-rst",
    { { "f>a", "rst" },
      { "a>s", "preserved" },
      { "f>a/s", "rst" },
      { "f>a/s R:5", "silent" },
      { "f>a/s SA:5:6", "silent" } } },
  { "a stranger's SYN is answered by ICMP",
    "icmp-reject",
    { { "a>s", "preserved" }, { "f>a/s", "icmp" }, { "f>a/s udp", "icmp" } } },
  { "a hole that is refused stays closed for others",
    "symmetric-rst",
    { { "a>s", "other" }, { "f>a/s", "rst" }, { "a>f", "differs:s" }, { "f>a/f", "in" } } },
  { "no bare SYN passes an open hole, its answer does",
    "no-bare-syn",
    { { "a>f", "preserved" }, { "f>a/f", "silent" }, { "f>a/f SA:2000:1001", "in" } } },

  { "preserving: the next port on a collision",
    "port-restricted,ports=preserving:next",
    { { "a>s", "preserved" }, { "b>s", "plus:1:s/a" }, { "b>t", "plus:1:s/a" } } },
  { "preserving: a random port on a collision", "port-restricted", { { "a>s", "preserved" }, { "b>s", "other" } } },
  { "overloading: the same port, for another remote endpoint",
    "linux",
    { { "a>s", "preserved" }, { "b>t", "preserved" }, { "s>a/s SA:9:1001", "in" }, { "b>s", "other" } } },
  { "sequential: by steps of one",
    "symmetric-sequential",
    { { "a>s", "other" }, { "a>t", "plus:1:s" }, { "a>u", "plus:2:s" }, { "A>s", "plus:3:s/a" } } },
  { "sequential: by another step", "symmetric,ports=sequential:-4", { { "a>s", "other" }, { "a>t", "plus:-4:s" } } },
  { "sequential: a step that leaves out half of the ports does not run dry by half",
    "symmetric,ports=sequential:2,ports=random:5000-5003,ports=sequential:2",
    { { "a>s", NULL }, { "a>t", NULL }, { "a>u", NULL }, { "a>f", NULL }, { "a>g", "silent" } } },
  { "block: all ports of a customer are near each other",
    "symmetric-block",
    { { "a>s", "other" }, { "a>t", "near:512:s" }, { "a>u", "near:512:s" }, { "A>u", "near:512:s/a" } } },
  { "a forwarded port lets everybody in",
    "port-restricted,forward=5000",
    { { "f>a", "in" }, { "a>s", "preserved" }, { "g>a", "in" } } },
  { "the limit for mappings",
    "symmetric,limit=2",
    { { "a>s", "other" },
      { "a>t", "other" },
      { "a>u", "silent" },
      { "a>t", "same:t" },
      { "wait 121", NULL },
      { "a>u", "other" } } },

  { "hairpin: by the outside endpoint to a neighbour",
    "full-cone",
    { { "a>s", "preserved" }, { "b>s", "other" }, { "a>b/s", "turned" } } },
  { "hairpin: the filter holds at home as well",
    "port-restricted,hairpin=yes",
    { { "a>s", "preserved" }, { "b>s", "other" }, { "a>b/s", "silent" }, { "b>a/s", "turned" } } },
  { "no hairpin: the router itself refuses", "port-restricted", { { "b>s", "preserved" }, { "a>b/s", "rst" } } },

  { "a SYN without an answer is forgotten",
    "port-restricted",
    { { "a>f", "preserved" }, { "wait 119", NULL }, { "f>a/f", "in" }, { "wait 121", NULL }, { "f>a/f", "silent" } } },
  { "an RST that answers our SYN closes the hole at once",
    "port-restricted",
    { { "a>f", "preserved" }, { "f>a/f RA:0:1001", "in" }, { "f>a/f", "silent" } } },
  { "an RST leaves an established connection its lifetime",
    "full-cone,rst=10",
    { { "a>s", "preserved" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "a>s RA:1001:2001", "same:s" },
      { "wait 9", NULL },
      { "f>a/s", "in" },
      { "wait 61", NULL },
      { "g>a/s", "in" },
      { "wait 121", NULL },
      { "g>a/s", "silent" } } },
  { "forgets at RST",
    "fin-forgets",
    { { "a>s", "other" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "a>s RA:1001:2001", "same:s" },
      { "s>a/s A:2001:1001", "silent" },
      { "a>t", "differs:s" } } },
  { "a closed connection keeps its mapping for a while",
    "port-restricted,ports=random,fin=120",
    { { "a>s", "other" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "a>s FA:1001:2001", "same:s" },
      { "s>a/s FA:2001:1002", "in" },
      { "a>s A:1002:2002", "same:s" },
      { "wait 119", NULL },
      { "a>t", "same:s" } } },
  { "and forgets it then",
    "port-restricted,ports=random,fin=120",
    { { "a>s", "other" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "a>s FA:1001:2001", "same:s" },
      { "s>a/s FA:2001:1002", "in" },
      { "a>s A:1002:2002", "same:s" },
      { "wait 121", NULL },
      { "a>t", "differs:s" } } },
  { "forgets at the last ACK",
    "fin-forgets",
    { { "a>s", "other" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "a>s FA:1001:2001", "same:s" },
      { "s>a/s FA:2001:1002", "in" },
      { "a>s A:1002:2002", "same:s" },
      { "a>t", "differs:s" } } },
  { "an idle connection is forgotten",
    "port-restricted,idle=60",
    { { "a>s", "preserved" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "wait 59", NULL },
      { "s>a/s A:2001:1001", "in" },
      { "wait 61", NULL },
      { "s>a/s A:2001:1001", "silent" } } },

  { "strict: a number beyond the window does not pass",
    "port-restricted",
    { { "a>s", "preserved" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "s>a/s A:500000:1001", "silent" } } },
  { "liberal: it does",
    "port-restricted,tracking=liberal",
    { { "a>s", "preserved" },
      { "s>a/s SA:2000:1001", "in" },
      { "a>s A:1001:2001", "same:s" },
      { "s>a/s A:500000:1001", "in" } } },
  { "a new number after the friend's SYN has passed is thrown away (law 5)",
    "port-restricted",
    { { "a>f", "preserved" },
      { "f>a/f S:2000", "in" },
      { "a>f SA:1000:2001", "preserved" },
      { "a>f S:300000", "preserved" },
      { "a>f A:300001:2001", "silent" } } },

  { "nothing left to live: no mapping is made", "full-cone", { { "a>s ttl", "expired" }, { "f>a", "silent" } } },
  { "nothing left to live, from outside", "full-cone", { { "a>s", "preserved" }, { "f>a/s ttl", "expired" } } },
  { "UDP: a mapping, an answer, a stranger",
    "port-restricted",
    { { "a>s udp", "preserved" },
      { "s>a/s udp", "in" },
      { "f>a/s udp", "silent" },
      { "wait 121", NULL },
      { "s>a/s udp", "silent" } } },
  { "UDP and TCP have ports of their own",
    "port-restricted",
    { { "a>s udp", "preserved" }, { "s>a/s", "silent" }, { "b>s", "preserved" } } },
  { "what cannot begin a connection makes no mapping",
    "full-cone",
    { { "a>s F:5:5", "silent" }, { "a>s R:5", "silent" }, { "a>s SA:5:5", "silent" }, { "f>a", "silent" } } },
  { "a pool: one customer keeps to one address",
    "symmetric,addresses=4",
    { { "a>s", "other" }, { "a>t", "address:s" }, { "a>u", "address:s" }, { "A>u", "address:s/a" } } },
};

/* Everybody in the tables. a, A and b are inside; s and t, f and g differ in their port alone. */
static const struct
{
  const char *name;
  const char *ip;
  guint16 port;
} people[N_NAMES] = {
  { "a", "192.168.2.2", 5000 }, { "A", "192.168.2.2", 5001 }, { "b", "192.168.2.3", 5000 }, { "s", "203.0.113.2", 80 },
  { "t", "203.0.113.2", 81 },   { "u", "203.0.113.3", 80 },   { "f", "192.0.2.2", 6000 },   { "g", "192.0.2.2", 6001 },
};

#define OUTSIDE "198.51.100.2"

typedef struct
{
  KhNatModel *model;
  gboolean translated;
  gint64 now;
  KhEndpoint seen[N_NAMES][N_NAMES];
  guint8 room[KH_PACKET_MAX];
} World;

static guint
find_person (char name)
{
  for (guint i = 0; i < N_NAMES && people[i].name != NULL; i++)
    if (people[i].name[0] == name)
      return i;
  g_error ("nobody is called %c", name);
}

static KhEndpoint
get_endpoint (guint person)
{
  return (KhEndpoint){ kh_ip_from_text (people[person].ip), people[person].port };
}

static gboolean
is_inside (guint person)
{
  return person < 3;
}

/* Where somebody is seen from outside: as last told, or where a preserved port would be. */
static KhEndpoint
get_outside (World *world, const char *to)
{
  guint person = find_person (to[0]);
  KhEndpoint endpoint = get_endpoint (person);

  if (to[1] == '/')
    return world->seen[person][find_person (to[2])];
  if (world->translated)
    endpoint.ip = kh_ip_from_text (OUTSIDE);

  return endpoint;
}

static void
read_tcp (const char *words, KhTcpFields *fields)
{
  g_auto (GStrv) parts = g_strsplit (words, ":", 3);
  static const struct
  {
    char letter;
    KhTcpFlags flag;
  } letters[] = { { 'S', KH_TCP_SYN }, { 'A', KH_TCP_ACK }, { 'F', KH_TCP_FIN }, { 'R', KH_TCP_RST } };

  for (gsize i = 0; i < G_N_ELEMENTS (letters); i++)
    if (strchr (parts[0], letters[i].letter) != NULL)
      fields->flags |= letters[i].flag;
  fields->seq = parts[1] != NULL ? (guint32) g_ascii_strtoull (parts[1], NULL, 10) : 1000;
  if (parts[1] != NULL && parts[2] != NULL)
    fields->ack = (guint32) g_ascii_strtoull (parts[2], NULL, 10);
}

static gsize
build (World *world, const KhEndpoint *from, const KhEndpoint *to, const char *what)
{
  KhTcpFields fields = { .window = 8000, .window_scale = -1 };

  if (g_str_equal (what, "udp"))
    return kh_packet_build_udp (world->room, from, to, 64, "x", 1);
  if (g_str_equal (what, "ttl"))
    fields.ttl = 1;
  read_tcp (g_str_equal (what, "ttl") ? "S" : what, &fields);

  return kh_packet_build_tcp (world->room, from, to, &fields);
}

/* Whether what went out fits; @ref is the endpoint by which it is measured. */
static gboolean
fits_endpoint (const char *expected, const KhEndpoint *out, const KhEndpoint *ref, guint16 inside_port)
{
  int step = out->port - ref->port;

  if (g_str_equal (expected, "preserved"))
    return out->port == inside_port;
  if (g_str_equal (expected, "other"))
    return out->port != inside_port;
  if (g_str_has_prefix (expected, "same:"))
    return kh_endpoint_equal (out, ref);
  if (g_str_has_prefix (expected, "differs:"))
    return !kh_endpoint_equal (out, ref);
  if (g_str_has_prefix (expected, "address:"))
    return kh_ip_equal (&out->ip, &ref->ip) && out->port != ref->port;
  if (g_str_has_prefix (expected, "plus:"))
    return step == (int) g_ascii_strtoll (expected + 5, NULL, 10);
  if (g_str_has_prefix (expected, "near:"))
    return step != 0 && ABS (step) < (int) g_ascii_strtoll (expected + 5, NULL, 10);

  return FALSE;
}

/* "same:s" is about what the sender sent to s, "same:s/a" about what a sent to s. */
static KhEndpoint
get_reference (World *world, const char *expected, guint sender)
{
  const char *colon = strrchr (expected, ':');
  guint remote;

  if (colon == NULL)
    return (KhEndpoint){ 0 };
  remote = find_person (colon[1]);
  if (colon[2] == '/')
    sender = find_person (colon[3]);

  return world->seen[sender][remote];
}

static const char *
name_result (const KhNatResult *result, KhNatSide from)
{
  static const char *const names[] = {
    [KH_NAT_DROP] = "silent",     [KH_NAT_ANSWER_RST] = "rst", [KH_NAT_ANSWER_PROHIBITED] = "icmp",
    [KH_NAT_EXPIRED] = "expired", [KH_NAT_LOCAL] = "local",
  };

  if (result->action != KH_NAT_FORWARD)
    return names[result->action];
  if (result->to == KH_NAT_INSIDE)
    return from == KH_NAT_INSIDE ? "turned" : "in";

  return "out";
}

static void
send_one (World *world, const Step *step)
{
  g_auto (GStrv) words = g_strsplit (step->step, " ", 2);
  const char *to = strchr (words[0], '>') + 1;
  guint sender = find_person (words[0][0]);
  guint receiver = find_person (to[0]);
  KhNatSide from = is_inside (sender) ? KH_NAT_INSIDE : KH_NAT_OUTSIDE;
  KhEndpoint source = get_endpoint (sender);
  KhEndpoint target = is_inside (receiver) ? get_outside (world, to) : get_endpoint (receiver);
  gsize length = build (world, &source, &target, words[1] != NULL ? words[1] : "S");
  KhPacket packet;
  const char *fault = NULL, *name;
  KhNatResult result;

  if (!kh_packet_parse (&packet, world->room, length, &fault))
    g_error ("%s: %s", step->step, fault);
  result = kh_nat_model_translate (world->model, from, &packet, world->now);
  name = name_result (&result, from);
  if (step->expected == NULL)
    {
      g_assert_cmpstr (name, ==, "out");
      world->seen[sender][receiver] = packet.source;
      return;
    }
  g_test_message ("%s: %s (%s), port %u", step->step, name, result.verdict, packet.source.port);
  /* Whatever was done to it, it is a right packet still. */
  if (!kh_packet_parse (&packet, world->room, length, &fault))
    g_error ("%s: afterwards %s", step->step, fault);

  if (!g_str_equal (name, "out"))
    {
      g_assert_cmpstr (name, ==, step->expected);
      if (result.action == KH_NAT_FORWARD)
        g_assert_true (is_inside (receiver) && packet.destination.port == people[receiver].port);
      return;
    }
  KhEndpoint reference = get_reference (world, step->expected, sender);
  if (!fits_endpoint (step->expected, &packet.source, &reference, people[sender].port))
    g_error ("%s: goes out by port %u, expected %s", step->step, packet.source.port, step->expected);
  world->seen[sender][receiver] = packet.source;
}

static void
test_case (gconstpointer data)
{
  const Case *item = data;
  KhIp outside = kh_ip_from_text (OUTSIDE), first = kh_ip_from_text (people[0].ip);

  /* Random ports are not to make the difference. */
  for (guint32 seed = 0; seed < 20; seed++)
    {
      World world = { .now = 1 };
      KhHome home = { 0 };
      g_autoptr (GError) error = NULL;

      kh_home_parse (&home, item->router, &error);
      g_assert_no_error (error);
      world.translated = home.routers[0].mapping != KH_NAT_NONE;
      world.model = kh_nat_model_new (&home.routers[0], &outside, &first, seed);
      for (const Step *step = item->steps; step < item->steps + MAX_STEPS && step->step != NULL; step++)
        if (g_str_has_prefix (step->step, "wait "))
          world.now += g_ascii_strtoll (step->step + 5, NULL, 10) * G_TIME_SPAN_SECOND;
        else
          send_one (&world, step);
      kh_nat_model_free (world.model);
    }
}

/* Nothing is left of flows that have expired. */
static void
test_memory (void)
{
  KhHome home = { 0 };
  World world = { .now = 1, .translated = TRUE };
  KhIp outside = kh_ip_from_text (OUTSIDE);
  KhEndpoint a = get_endpoint (0), s = get_endpoint (3);

  kh_home_parse (&home, "symmetric", NULL);
  world.model = kh_nat_model_new (&home.routers[0], &outside, &outside, 1);
  for (guint i = 0; i < 3000; i++)
    {
      KhPacket packet;
      const char *fault;

      a.port = (guint16) (10000 + i);
      g_assert_true (kh_packet_parse (&packet, world.room, build (&world, &a, &s, "S"), &fault));
      kh_nat_model_translate (world.model, KH_NAT_INSIDE, &packet, world.now);
    }
  g_assert_cmpuint (kh_nat_model_get_mappings (world.model, world.now), ==, 3000);
  g_assert_cmpuint (kh_nat_model_get_mappings (world.model, world.now + 121 * G_TIME_SPAN_SECOND), ==, 0);
  kh_nat_model_free (world.model);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *path = g_strdup_printf ("/nat-model/%s: %s", cases[i].router, cases[i].name);

      for (char *at = path + 11; *at != '\0'; at++)
        if (*at == '/')
          *at = '|';
      g_test_add_data_func (path, &cases[i], test_case);
    }
  g_test_add_func ("/nat-model/memory", test_memory);

  return g_test_run ();
}
