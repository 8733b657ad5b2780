/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-words.h"

#include <string.h>

/* The PGP word list in lower case, index = byte value. No word is in both lists. */
static const char *const even_words[KH_WORDS_COUNT] = {
  "aardvark",  "absurd",    "accrue",    "acme",      "adrift",    "adult",     "afflict",   "ahead",     "aimless",
  "algol",     "allow",     "alone",     "ammo",      "ancient",   "apple",     "artist",    "assume",    "athens",
  "atlas",     "aztec",     "baboon",    "backfield", "backward",  "banjo",     "beaming",   "bedlamp",   "beehive",
  "beeswax",   "befriend",  "belfast",   "berserk",   "billiard",  "bison",     "blackjack", "blockade",  "blowtorch",
  "bluebird",  "bombast",   "bookshelf", "brackish",  "breadline", "breakup",   "brickyard", "briefcase", "burbank",
  "button",    "buzzard",   "cement",    "chairlift", "chatter",   "checkup",   "chisel",    "choking",   "chopper",
  "christmas", "clamshell", "classic",   "classroom", "cleanup",   "clockwork", "cobra",     "commence",  "concert",
  "cowbell",   "crackdown", "cranky",    "crowfoot",  "crucial",   "crumpled",  "crusade",   "cubic",     "dashboard",
  "deadbolt",  "deckhand",  "dogsled",   "dragnet",   "drainage",  "dreadful",  "drifter",   "dropper",   "drumbeat",
  "drunken",   "dupont",    "dwelling",  "eating",    "edict",     "egghead",   "eightball", "endorse",   "endow",
  "enlist",    "erase",     "escape",    "exceed",    "eyeglass",  "eyetooth",  "facial",    "fallout",   "flagpole",
  "flatfoot",  "flytrap",   "fracture",  "framework", "freedom",   "frighten",  "gazelle",   "geiger",    "glitter",
  "glucose",   "goggles",   "goldfish",  "gremlin",   "guidance",  "hamlet",    "highchair", "hockey",    "indoors",
  "indulge",   "inverse",   "involve",   "island",    "jawbone",   "keyboard",  "kickoff",   "kiwi",      "klaxon",
  "locale",    "lockup",    "merit",     "minnow",    "miser",     "mohawk",    "mural",     "music",     "necklace",
  "neptune",   "newborn",   "nightbird", "oakland",   "obtuse",    "offload",   "optic",     "orca",      "payday",
  "peachy",    "pheasant",  "physique",  "playhouse", "pluto",     "preclude",  "prefer",    "preshrunk", "printer",
  "prowler",   "pupil",     "puppy",     "python",    "quadrant",  "quiver",    "quota",     "ragtime",   "ratchet",
  "rebirth",   "reform",    "regain",    "reindeer",  "rematch",   "repay",     "retouch",   "revenge",   "reward",
  "rhythm",    "ribcage",   "ringbolt",  "robust",    "rocker",    "ruffled",   "sailboat",  "sawdust",   "scallion",
  "scenic",    "scorecard", "scotland",  "seabird",   "select",    "sentence",  "shadow",    "shamrock",  "showgirl",
  "skullcap",  "skydive",   "slingshot", "slowdown",  "snapline",  "snapshot",  "snowcap",   "snowslide", "solo",
  "southward", "soybean",   "spaniel",   "spearhead", "spellbind", "spheroid",  "spigot",    "spindle",   "spyglass",
  "stagehand", "stagnate",  "stairway",  "standard",  "stapler",   "steamship", "sterling",  "stockman",  "stopwatch",
  "stormy",    "sugar",     "surmount",  "suspense",  "sweatband", "swelter",   "tactics",   "talon",     "tapeworm",
  "tempest",   "tiger",     "tissue",    "tonic",     "topmost",   "tracker",   "transit",   "trauma",    "treadmill",
  "trojan",    "trouble",   "tumor",     "tunnel",    "tycoon",    "uncut",     "unearth",   "unwind",    "uproot",
  "upset",     "upshot",    "vapor",     "village",   "virus",     "vulcan",    "waffle",    "wallet",    "watchword",
  "wayside",   "willow",    "woodlark",  "zulu",
};

static const char *const odd_words[KH_WORDS_COUNT] = {
  "adroitness",  "adviser",    "aftermath",   "aggregate",  "alkali",      "almighty",    "amulet",      "amusement",
  "antenna",     "applicant",  "apollo",      "armistice",  "article",     "asteroid",    "atlantic",    "atmosphere",
  "autopsy",     "babylon",    "backwater",   "barbecue",   "belowground", "bifocals",    "bodyguard",   "bookseller",
  "borderline",  "bottomless", "bradbury",    "bravado",    "brazilian",   "breakaway",   "burlington",  "businessman",
  "butterfat",   "camelot",    "candidate",   "cannonball", "capricorn",   "caravan",     "caretaker",   "celebrate",
  "cellulose",   "certify",    "chambermaid", "cherokee",   "chicago",     "clergyman",   "coherence",   "combustion",
  "commando",    "company",    "component",   "concurrent", "confidence",  "conformist",  "congregate",  "consensus",
  "consulting",  "corporate",  "corrosion",   "councilman", "crossover",   "crucifix",    "cumbersome",  "customer",
  "dakota",      "decadence",  "december",    "decimal",    "designing",   "detector",    "detergent",   "determine",
  "dictator",    "dinosaur",   "direction",   "disable",    "disbelief",   "disruptive",  "distortion",  "document",
  "embezzle",    "enchanting", "enrollment",  "enterprise", "equation",    "equipment",   "escapade",    "eskimo",
  "everyday",    "examine",    "existence",   "exodus",     "fascinate",   "filament",    "finicky",     "forever",
  "fortitude",   "frequency",  "gadgetry",    "galveston",  "getaway",     "glossary",    "gossamer",    "graduate",
  "gravity",     "guitarist",  "hamburger",   "hamilton",   "handiwork",   "hazardous",   "headwaters",  "hemisphere",
  "hesitate",    "hideaway",   "holiness",    "hurricane",  "hydraulic",   "impartial",   "impetus",     "inception",
  "indigo",      "inertia",    "infancy",     "inferno",    "informant",   "insincere",   "insurgent",   "integrate",
  "intention",   "inventive",  "istanbul",    "jamaica",    "jupiter",     "leprosy",     "letterhead",  "liberty",
  "maritime",    "matchmaker", "maverick",    "medusa",     "megaton",     "microscope",  "microwave",   "midsummer",
  "millionaire", "miracle",    "misnomer",    "molasses",   "molecule",    "montana",     "monument",    "mosquito",
  "narrative",   "nebula",     "newsletter",  "norwegian",  "october",     "ohio",        "onlooker",    "opulent",
  "orlando",     "outfielder", "pacific",     "pandemic",   "pandora",     "paperweight", "paragon",     "paragraph",
  "paramount",   "passenger",  "pedigree",    "pegasus",    "penetrate",   "perceptive",  "performance", "pharmacy",
  "phonetic",    "photograph", "pioneer",     "pocketful",  "politeness",  "positive",    "potato",      "processor",
  "provincial",  "proximate",  "puberty",     "publisher",  "pyramid",     "quantity",    "racketeer",   "rebellion",
  "recipe",      "recover",    "repellent",   "replica",    "reproduce",   "resistor",    "responsive",  "retraction",
  "retrieval",   "retrospect", "revenue",     "revival",    "revolver",    "sandalwood",  "sardonic",    "saturday",
  "savagery",    "scavenger",  "sensation",   "sociable",   "souvenir",    "specialist",  "speculate",   "stethoscope",
  "stupendous",  "supportive", "surrender",   "suspicious", "sympathy",    "tambourine",  "telephone",   "therapist",
  "tobacco",     "tolerance",  "tomorrow",    "torpedo",    "tradition",   "travesty",    "trombonist",  "truncated",
  "typewriter",  "ultimate",   "undaunted",   "underfoot",  "unicorn",     "unify",       "universe",    "unravel",
  "upcoming",    "vacancy",    "vagabond",    "vertigo",    "virginia",    "visitor",     "vocalist",    "voyager",
  "warranty",    "waterloo",   "whimsical",   "wichita",    "wilmington",  "wyoming",     "yesteryear",  "yucatan",
};

/* The longest word a person may have meant by another: the lists' longest has 11 letters. */
#define LONGEST_TYPED 16

static const char *const *
words_of (KhWordList list)
{
  return list == KH_WORDS_ODD ? odd_words : even_words;
}

/**
 * kh_words_list_at:
 * @position: index of a word in a code, 0 for the first one
 *
 * Returns: the list that word is taken from: a code starts with an odd word
 */
KhWordList
kh_words_list_at (guint position)
{
  return position % 2 == 0 ? KH_WORDS_ODD : KH_WORDS_EVEN;
}

/**
 * kh_words_get:
 * @list: which list
 * @byte: which word
 *
 * Returns: (transfer none): the word that stands for @byte
 */
const char *
kh_words_get (KhWordList list, guint8 byte)
{
  return words_of (list)[byte];
}

/**
 * kh_words_contains:
 * @list: which list
 * @word: a word in any case
 *
 * Returns: whether @word is in @list
 */
gboolean
kh_words_contains (KhWordList list, const char *word)
{
  const char *const *words = words_of (list);

  g_return_val_if_fail (word != NULL, FALSE);

  for (guint i = 0; i < KH_WORDS_COUNT; i++)
    if (g_ascii_strcasecmp (words[i], word) == 0)
      return TRUE;

  return FALSE;
}

/**
 * kh_words_is_listed:
 * @word: a word in any case
 *
 * Returns: whether @word is in one of the lists
 */
gboolean
kh_words_is_listed (const char *word)
{
  return kh_words_contains (KH_WORDS_ODD, word) || kh_words_contains (KH_WORDS_EVEN, word);
}

/**
 * kh_words_all_listed:
 * @words: (array zero-terminated=1): words in any case
 *
 * Returns: whether each of them is in one of the lists
 */
gboolean
kh_words_all_listed (char **words)
{
  for (; *words != NULL; words++)
    if (!kh_words_is_listed (*words))
      return FALSE;

  return TRUE;
}

/**
 * kh_words_complete:
 * @list: which list
 * @prefix: the letters typed so far, in any case
 *
 * Returns: (transfer full) (array zero-terminated=1): the words of @list that start with @prefix, in the list's order
 */
char **
kh_words_complete (KhWordList list, const char *prefix)
{
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  const char *const *words = words_of (list);
  gsize length;

  g_return_val_if_fail (prefix != NULL, NULL);

  length = strlen (prefix);
  for (guint i = 0; i < KH_WORDS_COUNT; i++)
    if (g_ascii_strncasecmp (words[i], prefix, length) == 0)
      g_strv_builder_add (found, words[i]);

  return g_strv_builder_end (found);
}

/* Levenshtein's distance: how many letters were left out, put in or replaced. */
static guint
edit_distance (const gunichar *typed, glong length, const char *word)
{
  guint row[LONGEST_TYPED + 1];

  for (glong i = 0; i <= length; i++)
    row[i] = i;

  for (guint j = 0; word[j] != '\0'; j++)
    {
      guint diagonal = row[0];

      row[0] = j + 1;
      for (glong i = 1; i <= length; i++)
        {
          guint replaced = diagonal + (typed[i - 1] != (gunichar) word[j]);

          diagonal = row[i];
          row[i] = MIN (replaced, MIN (row[i], row[i - 1]) + 1);
        }
    }

  return row[length];
}

/**
 * kh_words_nearest:
 * @list: which list
 * @word: UTF-8 that a person typed
 * @most: how many letters may be wrong
 *
 * Returns: (nullable) (transfer none): the word of @list that differs least from @word, at most by @most letters
 */
const char *
kh_words_nearest (KhWordList list, const char *word, guint most)
{
  const char *const *words = words_of (list);
  g_autofree char *lower = NULL;
  g_autofree gunichar *typed = NULL;
  const char *nearest = NULL;
  guint best = most + 1;
  glong length;

  g_return_val_if_fail (word != NULL, NULL);

  lower = g_utf8_strdown (word, -1);
  typed = g_utf8_to_ucs4_fast (lower, -1, &length);
  if (length > LONGEST_TYPED)
    return NULL;

  for (guint i = 0; i < KH_WORDS_COUNT; i++)
    {
      guint distance = edit_distance (typed, length, words[i]);

      if (distance < best)
        {
          best = distance;
          nearest = words[i];
        }
    }

  return nearest;
}
