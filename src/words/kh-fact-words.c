/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-fact-words.h"

#include <glib/gi18n-lib.h>

/* What a network check has found, in words: a few for a row, and a whole sentence on what it means for reaching a friend. */

/* What the RFCs call it, and where; then what it is for people. */
static const struct
{
  const char *title;
  const char *term;
  const char *reference;
} findings[KH_N_FINDINGS] = {
  /* Translators: what follows are titles of rows, and after each the term of the standards for the same thing. This: for whom
     the port that a router shows outside is the same. */
  [KH_FINDING_MAPPING] = { N_ ("Outside Port"), N_ ("Mapping behaviour"), "RFC 5780 4.3, RFC 5382 REQ-1" },
  /* Translators: which senders a router lets in */
  [KH_FINDING_FILTERING] = { N_ ("Who Gets In"), N_ ("Filtering behaviour"), "RFC 5780 4.4, RFC 5382 REQ-3" },
  [KH_FINDING_ALLOCATION] = { N_ ("Choice of Ports"), N_ ("Port assignment"), "RFC 4787 4.2, RFC 5382 REQ-7" },
  [KH_FINDING_STRANGER] = { N_ ("Unexpected Connections"), N_ ("Unsolicited inbound SYN"), "RFC 5382 REQ-4" },
  [KH_FINDING_SIMULTANEOUS_OPEN] = { N_ ("Both Connect at Once"), N_ ("Simultaneous open"), "RFC 5382 REQ-2" },
  [KH_FINDING_BARE_SYN] = { N_ ("Entry Through an Open Hole"), N_ ("Inbound SYN on a mapping"), "RFC 5382 4.3" },
  [KH_FINDING_HAIRPIN] = { N_ ("Own Address From Inside"), N_ ("Hairpinning"), "RFC 5382 REQ-8" },
  [KH_FINDING_AFTER_FIN] = { N_ ("Port After Closing"), N_ ("Session closed by FIN"), "RFC 5382 5, RFC 7857 2" },
  [KH_FINDING_AFTER_RST] = { N_ ("Port After a Reset"), N_ ("Session closed by RST"), "RFC 5382 5, RFC 7857 2" },
  [KH_FINDING_IDLE] = { N_ ("Life of a Silent Connection"), N_ ("Established idle-timeout"), "RFC 5382 REQ-5" },
  [KH_FINDING_NAT_DEPTH] = { N_ ("Distance of the NAT"), N_ ("Hops, by expiring TTL"), "RFC 792" },
  [KH_FINDING_DOUBLE_NAT] = { N_ ("Several NATs in a Row"), N_ ("Nested NAT, NAT444"), "RFC 7021" },
  [KH_FINDING_CARRIER_NAT] = { N_ ("NAT of the Provider"), N_ ("Carrier-grade NAT"), "RFC 6888, RFC 6598" },
  [KH_FINDING_ROUTER] = { N_ ("Automatic Port Opening"), N_ ("UPnP IGD, NAT-PMP, PCP"), "RFC 6886, RFC 6887" },
  [KH_FINDING_IPV6] = { N_ ("IPv6"), N_ ("Internet Protocol, version 6"), "RFC 8200" },
  [KH_FINDING_IPV6_INBOUND] = { N_ ("Incoming IPv6"), N_ ("Simple security of gateways"), "RFC 6092" },
  [KH_FINDING_VPN] = { N_ ("VPN"), N_ ("Virtual private network"), "RFC 2764" },
  [KH_FINDING_HOST_FIREWALL] = { N_ ("Firewall of This Computer"), N_ ("Host firewall"), "RFC 2979" },
};

/* The findings that are one fact with a word. Where that says whether there is something it has no value of its own. */
static const struct
{
  KhFinding finding;
  KhFact fact;
  const char *word;
  const char *value;
  const char *sentence;
} words[] = {
  { KH_FINDING_MAPPING, KH_FACT_MAPPING, "endpoint-independent", N_ ("Same for everybody"),
    N_ ("Your router shows the same outside port to everybody, so a friend can connect to the one that a server saw.") },
  { KH_FINDING_MAPPING, KH_FACT_MAPPING, "address-dependent", N_ ("Another for each address"),
    N_ ("Your router shows another outside port to each address, so a friend cannot know which one to connect to.") },
  { KH_FINDING_MAPPING, KH_FACT_MAPPING, "address-and-port-dependent", N_ ("Another for each destination"),
    N_ ("Your router shows another outside port to each destination, so a friend cannot know which one to connect to.") },
  { KH_FINDING_MAPPING, KH_FACT_MAPPING, "none", N_ ("No NAT"),
    N_ ("This computer has an address of the internet itself, so a friend can connect to it as it is.") },

  { KH_FINDING_FILTERING, KH_FACT_FILTERING, "endpoint-independent", N_ ("Anybody"),
    N_ ("Once a port is open anybody may connect to it, so even a friend behind a strict router gets in.") },
  { KH_FINDING_FILTERING, KH_FACT_FILTERING, "address-dependent", N_ ("Addresses you connected to"),
    N_ ("Only addresses that you have connected to get in, from any port, so both friends have to connect.") },
  { KH_FINDING_FILTERING, KH_FACT_FILTERING, "address-and-port-dependent", N_ ("Addresses and ports you connected to"),
    N_ ("Only the very addresses and ports that you have connected to get in, so both friends have to connect, and their ports have "
        "to be known.") },
  { KH_FINDING_FILTERING, KH_FACT_FILTERING, "none", N_ ("Anybody"),
    N_ ("Nothing keeps connections out, so every friend gets in.") },

  { KH_FINDING_ALLOCATION, KH_FACT_ALLOCATION, "preserving", N_ ("Same as inside"),
    N_ ("Your router takes the port of this computer as the outside port, so it is known beforehand.") },
  { KH_FINDING_ALLOCATION, KH_FACT_ALLOCATION, "sequential", N_ ("One after the other"),
    N_ ("Your router counts its outside ports up, so a friend can try the next ones.") },
  { KH_FINDING_ALLOCATION, KH_FACT_ALLOCATION, "block", N_ ("From a small block"),
    N_ ("Your router takes its outside ports at random from a small block, so a friend can try them in a moment.") },
  { KH_FINDING_ALLOCATION, KH_FACT_ALLOCATION, "random", N_ ("At random"),
    N_ ("Your router takes its outside ports at random, so a friend has to try many until one fits.") },

  { KH_FINDING_STRANGER, KH_FACT_STRANGER, "silent", N_ ("Silence"),
    N_ ("A connection that is not expected gets no answer, so a friend who connects too early just waits until your own attempt opens the hole.") },
  { KH_FINDING_STRANGER, KH_FACT_STRANGER, "rst", N_ ("Refusal (RST)"),
    N_ ("A connection that is not expected is refused, so a friend who connects too early has to try again.") },
  { KH_FINDING_STRANGER, KH_FACT_STRANGER, "icmp", N_ ("Refusal (ICMP)"),
    N_ ("A connection that is not expected is rejected by a notice, which ends it, so it takes some luck that both friends connect "
        "at the right moment.") },
  { KH_FINDING_STRANGER, KH_FACT_STRANGER, "open", N_ ("Let in"),
    N_ ("A connection that is not expected comes through to this computer, so every friend gets in.") },

  { KH_FINDING_SIMULTANEOUS_OPEN, KH_FACT_SIMULTANEOUS_OPEN, "yes", N_ ("Works"),
    N_ ("Two attempts that cross on the way become one connection, as hole punching needs it.") },
  { KH_FINDING_SIMULTANEOUS_OPEN, KH_FACT_SIMULTANEOUS_OPEN, "no", N_ ("Does not work"),
    N_ ("Two attempts that cross on the way do not become a connection, so one of them has to come in by a hole that is open already.") },

  { KH_FINDING_BARE_SYN, KH_FACT_BARE_SYN, "yes", N_ ("Let in"),
    N_ ("A friend's connection comes in by a hole that your own attempt has opened, as hole punching needs it.") },
  { KH_FINDING_BARE_SYN, KH_FACT_BARE_SYN, "no", N_ ("Dropped"),
    N_ ("A friend's connection is dropped even where your own attempt has opened a hole, so yours has to arrive at the friend's.") },

  { KH_FINDING_HAIRPIN, KH_FACT_HAIRPIN, "yes", N_ ("Works"),
    N_ ("Two computers behind your router reach each other by their outside addresses, so friends in one network meet that way as "
        "well.") },
  { KH_FINDING_HAIRPIN, KH_FACT_HAIRPIN, "no", N_ ("Does not work"),
    N_ ("Two computers behind your router do not reach each other by their outside addresses, so friends in one network meet by "
        "the local ones.") },

  { KH_FINDING_AFTER_FIN, KH_FACT_AFTER_FIN, "kept", N_ ("Is kept"),
    N_ ("After a connection was closed its mapping lives on, with the same outside port.") },
  { KH_FINDING_AFTER_FIN, KH_FACT_AFTER_FIN, "same-port", N_ ("Same port again"),
    N_ ("After a connection was closed the next one has the same outside port, so a friend can go on trying it.") },
  { KH_FINDING_AFTER_FIN, KH_FACT_AFTER_FIN, "lost", N_ ("Lost"),
    N_ ("After a connection was closed its outside port is lost, so one to a server has to stay open until the friend is reached.") },

  { KH_FINDING_AFTER_RST, KH_FACT_AFTER_RST, "kept", N_ ("Is kept"),
    N_ ("After a connection was reset its mapping lives on, with the same outside port.") },
  { KH_FINDING_AFTER_RST, KH_FACT_AFTER_RST, "same-port", N_ ("Same port again"),
    N_ ("After a connection was reset the next one has the same outside port, so a friend can go on trying it.") },
  { KH_FINDING_AFTER_RST, KH_FACT_AFTER_RST, "lost", N_ ("Lost"),
    N_ ("After a connection was reset its outside port is lost, so a refusal on the way costs the hole.") },

  { KH_FINDING_DOUBLE_NAT, KH_FACT_DOUBLE_NAT, "yes", NULL,
    N_ ("More than one NAT is in the way; a hole has to be punched through all of them, and a port that your router opens on "
        "request is not enough.") },
  { KH_FINDING_DOUBLE_NAT, KH_FACT_DOUBLE_NAT, "no", NULL,
    N_ ("There is no second NAT in the way, so what your own router does is all that counts.") },

  { KH_FINDING_CARRIER_NAT, KH_FACT_CARRIER_NAT, "yes", NULL,
    N_ ("Your provider shares one address among many customers, so a friend gets in by a punched hole or by IPv6 only.") },
  { KH_FINDING_CARRIER_NAT, KH_FACT_CARRIER_NAT, "no", NULL,
    N_ ("Nothing shows a NAT of your provider, so the outside address seems to be yours alone.") },

  { KH_FINDING_IPV6, KH_FACT_IPV6, "yes", NULL,
    N_ ("You reach the internet by IPv6, so a friend who has it as well is reached without any NAT.") },
  { KH_FINDING_IPV6, KH_FACT_IPV6, "no", NULL,
    N_ ("You do not reach the internet by IPv6, so friends are reached by IPv4 only.") },

  { KH_FINDING_IPV6_INBOUND, KH_FACT_IPV6_INBOUND, "yes", N_ ("Let in"),
    N_ ("Anybody may connect to you by IPv6, so a friend who has it gets in at once.") },
  { KH_FINDING_IPV6_INBOUND, KH_FACT_IPV6_INBOUND, "no", N_ ("Kept out"),
    N_ ("A firewall keeps unexpected connections out by IPv6, so both friends have to connect.") },

  { KH_FINDING_VPN, KH_FACT_VPN, "yes", NULL,
    N_ ("Your way to the internet leads through a VPN, so all of this is about the VPN's network; without it a friend may be "
        "easier to reach.") },
  { KH_FINDING_VPN, KH_FACT_VPN, "no", NULL,
    N_ ("Your way to the internet leads through no VPN, so all of this is about your own network.") },

  { KH_FINDING_HOST_FIREWALL, KH_FACT_HOST_FIREWALL, "yes", N_ ("Keeps connections out"),
    N_ ("A firewall on this computer keeps connections out, so only your own attempt can lead to a friend; to let Knothole through would "
        "help.") },
  { KH_FINDING_HOST_FIREWALL, KH_FACT_HOST_FIREWALL, "no", N_ ("Lets connections in"),
    N_ ("No firewall on this computer keeps connections out, so a friend's connection that gets this far arrives.") },
};

/**
 * kh_words_finding_title:
 *
 * Returns: what it is about, short and plain
 */
const char *
kh_words_finding_title (KhFinding finding)
{
  g_return_val_if_fail (finding < KH_N_FINDINGS, "");

  return _ (findings[finding].title);
}

/**
 * kh_words_finding_reference:
 *
 * Returns: which standards define it, such as "RFC 5382 REQ-1": numbers of sections and of requirements
 */
const char *
kh_words_finding_reference (KhFinding finding)
{
  g_return_val_if_fail (finding < KH_N_FINDINGS, "");

  return findings[finding].reference;
}

/**
 * kh_words_finding_term:
 *
 * Returns: (transfer full): what the standards call it, and where
 */
char *
kh_words_finding_term (KhFinding finding)
{
  g_return_val_if_fail (finding < KH_N_FINDINGS, NULL);

  /* Translators: %1$s is a technical term, %2$s the documents that define it, such as "RFC 5382 REQ-1" */
  return g_strdup_printf (_ ("%1$s: %2$s"), _ (findings[finding].term), findings[finding].reference);
}

/* --- findings that are more than a word ------------------------------------------------------------------------- */

static int
number_of (const KhFindings *self, KhFactNumber number)
{
  return self->facts.numbers[number];
}

static gboolean
knows_number (const KhFindings *self, KhFactNumber number)
{
  return number_of (self, number) != KH_FACT_NUMBER_UNKNOWN;
}

/* Whether there is one: IPv6, a provider's NAT. */
static const char *
presence (gboolean is_there)
{
  /* Translators: that there is one, such as IPv6, a VPN or another NAT */
  return is_there ? C_ ("there is one", "Yes")
                  /* Translators: that there is none, such as IPv6, a VPN or another NAT */
                  : C_ ("there is one", "No");
}

static char *
idle_value (int seconds)
{
  if (seconds < 60)
    /* Translators: s is the unit for seconds */
    return g_strdup_printf (_ ("At least %d s"), seconds);
  return g_strdup_printf (ngettext ("At least %d minute", "At least %d minutes", seconds / 60), seconds / 60);
}

static char *
idle_sentence (int seconds)
{
  if (seconds < 60)
    /* Translators: s is the unit for seconds */
    return g_strdup_printf (_ ("A connection without a word was still there after %d s."), seconds);
  return g_strdup_printf (
      ngettext ("A connection without a word was still there after %d minute; Knothole speaks more often than "
                "that.",
                "A connection without a word was still there after %d minutes; Knothole speaks more often than "
                "that.",
                seconds / 60),
      seconds / 60);
}

static char *
depth_value (int hops)
{
  if (hops == 0)
    return g_strdup (_ ("No NAT"));
  /* Translators: a hop is the way from one router to the next */
  return g_strdup_printf (ngettext ("%d hop", "%d hops", hops), hops);
}

static char *
depth_sentence (int hops)
{
  if (hops == 0)
    return g_strdup (_ ("No NAT was found on the way to the internet, so nothing has to be punched but firewalls."));
  return g_strdup_printf (
      ngettext ("The outermost NAT is %d hop away; a packet that opens a hole has to get that far.",
                "The outermost NAT is %d hops away; a packet that opens a hole has to get that far.", hops),
      hops);
}

static char *
router_value (const KhRouterFacts *router)
{
  static const struct
  {
    KhRouterProtocols protocol;
    const char *name;
  } protocols[] = { { KH_ROUTER_UPNP, "UPnP" }, { KH_ROUTER_NAT_PMP, "NAT-PMP" }, { KH_ROUTER_PCP, "PCP" } };
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  g_auto (GStrv) list = NULL;

  for (gsize i = 0; i < G_N_ELEMENTS (protocols); i++)
    if (router->protocols & protocols[i].protocol)
      g_strv_builder_add (names, protocols[i].name);
  list = g_strv_builder_end (names);
  return list[0] != NULL ? g_strjoinv (", ", list) : g_strdup (presence (FALSE));
}

static char *
router_sentence (const KhRouterFacts *router)
{
  g_autofree char *protocols = router_value (router);

  if (router->protocols == KH_ROUTER_NONE)
    return g_strdup (
        _ ("Your router does not open ports on request; where it could, its settings call it UPnP or NAT-PMP."));
  if (*router->external == '\0')
    /* Translators: %s are protocols, such as "UPnP, NAT-PMP" */
    return g_strdup_printf (_ ("Your router opens ports on request by %s, but does not tell its outside address."),
                            protocols);
  /* Translators: %1$s are protocols, such as "UPnP, NAT-PMP", %2$s an address */
  return g_strdup_printf (_ ("Your router opens ports on request by %1$s, and says that its outside address is %2$s."),
                          protocols, router->external);
}

/* What came of the ports is told where it says more than the word. */
static char *
allocation_value (const KhFindings *self)
{
  int low = number_of (self, KH_FACT_PORT_LOW);
  int high = number_of (self, KH_FACT_PORT_HIGH);

  if (kh_facts_is (&self->facts, KH_FACT_ALLOCATION, "sequential") && knows_number (self, KH_FACT_DELTA))
    /* Translators: ports are chosen one after the other; %+d is by how much the next one differs, such as +1 or -2 */
    return g_strdup_printf (_ ("One after the other (%+d)"), number_of (self, KH_FACT_DELTA));
  if (kh_facts_is (&self->facts, KH_FACT_ALLOCATION, "block") && low > 0 && high > 0)
    /* Translators: ports are chosen from a block; %1$d is the lowest that was seen, %2$d the highest */
    return g_strdup_printf (_ ("From a block (%1$d–%2$d)"), low, high);
  return NULL;
}

/* --- findings in words ------------------------------------------------------------------------------------------ */

static int
find_word (const KhFindings *self, KhFinding finding)
{
  for (gsize i = 0; i < G_N_ELEMENTS (words); i++)
    if (words[i].finding == finding && kh_facts_is (&self->facts, words[i].fact, words[i].word))
      return i;
  return -1;
}

static char *
word_value (int word)
{
  return g_strdup (words[word].value != NULL ? _ (words[word].value)
                                             : presence (g_str_equal (words[word].word, "yes")));
}

/* Where there is no NAT there is no router to speak of. */
static const char *
sentence_without_nat (const KhFindings *self, KhFinding finding)
{
  if (!kh_facts_is (&self->facts, KH_FACT_MAPPING, "none"))
    return NULL;
  if (finding == KH_FINDING_ALLOCATION && kh_facts_is (&self->facts, KH_FACT_ALLOCATION, "preserving"))
    return _ ("Your port is the same outside.");
  if (finding == KH_FINDING_DOUBLE_NAT && kh_facts_is (&self->facts, KH_FACT_DOUBLE_NAT, "no"))
    return _ ("There is no NAT in the way.");
  if (finding == KH_FINDING_ROUTER && self->facts.router.protocols == KH_ROUTER_NONE)
    return _ ("Nothing here opens ports on request, and without a NAT nothing has to.");
  return NULL;
}

/**
 * kh_words_finding_is_known:
 *
 * Returns: whether there is something to tell, other than why there is not
 */
gboolean
kh_words_finding_is_known (const KhFindings *self, KhFinding finding)
{
  g_return_val_if_fail (finding < KH_N_FINDINGS, FALSE);

  if (finding == KH_FINDING_IDLE)
    return knows_number (self, KH_FACT_IDLE_SECONDS);
  if (finding == KH_FINDING_NAT_DEPTH)
    return knows_number (self, KH_FACT_NAT_DEPTH);
  if (finding == KH_FINDING_ROUTER)
    return self->facts.router.asked;
  return find_word (self, finding) >= 0;
}

/**
 * kh_words_finding_value:
 *
 * Returns: (transfer full): what was found, in a few words; "Checking…" while it is looked at
 */
char *
kh_words_finding_value (const KhFindings *self, KhFinding finding)
{
  char *value = NULL;

  g_return_val_if_fail (finding < KH_N_FINDINGS, NULL);

  if (!kh_words_finding_is_known (self, finding))
    return g_strdup (kh_words_reason_value (self->reasons[finding]));
  if (finding == KH_FINDING_IDLE)
    return idle_value (number_of (self, KH_FACT_IDLE_SECONDS));
  if (finding == KH_FINDING_NAT_DEPTH)
    return depth_value (number_of (self, KH_FACT_NAT_DEPTH));
  if (finding == KH_FINDING_ROUTER)
    return router_value (&self->facts.router);
  if (finding == KH_FINDING_ALLOCATION)
    value = allocation_value (self);
  return value != NULL ? value : word_value (find_word (self, finding));
}

/**
 * kh_words_finding_sentence:
 *
 * Returns: (transfer full): what was found and what it means for reaching a friend; or why it is not known, and what would help
 */
char *
kh_words_finding_sentence (const KhFindings *self, KhFinding finding)
{
  const char *without_nat;

  g_return_val_if_fail (finding < KH_N_FINDINGS, NULL);

  if (!kh_words_finding_is_known (self, finding))
    return g_strdup (kh_words_reason_sentence (self->reasons[finding], &self->facts));
  without_nat = sentence_without_nat (self, finding);
  if (without_nat != NULL)
    return g_strdup (without_nat);
  if (finding == KH_FINDING_IDLE)
    return idle_sentence (number_of (self, KH_FACT_IDLE_SECONDS));
  if (finding == KH_FINDING_NAT_DEPTH)
    return depth_sentence (number_of (self, KH_FACT_NAT_DEPTH));
  if (finding == KH_FINDING_ROUTER)
    return router_sentence (&self->facts.router);
  return g_strdup (_ (words[find_word (self, finding)].sentence));
}
