/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-code.h"

#include "kh-error.h"
#include "kh-mailbox.h"
#include "kh-text.h"
#include "kh-words.h"

#include <sodium.h>
#include <string.h>

/* Newer servers drop the connection for longer ones. */
#define MAX_NAMEPLATE_DIGITS 40

#define SCHEME "knothole:"

/* What of a stranger's word stands in a sentence. */
#define MAX_WORD_SHOWN 40

/* Marks the sentences for xgettext. An interface translates them: the engine speaks English. */
#define N_(text) (text)

static char *
refuse_word (KhCodeFault *fault, const char *sentence, const char *word, const char *meant)
{
  kh_code_fault_clear (fault);
  fault->sentence = sentence;
  fault->word = word != NULL ? kh_text_plain (word, MAX_WORD_SHOWN) : NULL;
  fault->meant = g_strdup (meant);

  return NULL;
}

static char *
refuse (KhCodeFault *fault, const char *sentence)
{
  return refuse_word (fault, sentence, NULL, NULL);
}

/**
 * kh_code_generate:
 * @nameplate: the number the meeting server gave
 * @words: how many words, from 1 to %KH_CODE_MAX_WORDS; 8 bits each
 *
 * Makes a code of random words (PROTOCOL section 2.1). It is plain ASCII.
 *
 * Returns: (transfer full): the code
 */
char *
kh_code_generate (const char *nameplate, guint words)
{
  guint8 bytes[KH_CODE_MAX_WORDS];
  GString *code;

  g_return_val_if_fail (kh_code_nameplate_is_valid (nameplate), NULL);
  g_return_val_if_fail (words >= 1 && words <= KH_CODE_MAX_WORDS, NULL);

  if (sodium_init () < 0)
    g_error ("libsodium does not start");
  randombytes_buf (bytes, sizeof bytes);

  code = g_string_new (nameplate);
  for (guint i = 0; i < words; i++)
    g_string_append_printf (code, "-%s", kh_words_get (kh_words_list_at (i), bytes[i]));
  sodium_memzero (bytes, sizeof bytes);

  return g_string_free (code, FALSE);
}

/**
 * kh_code_nameplate_is_valid:
 * @nameplate: (nullable): text from a person or a server
 *
 * Returns: whether it is 1 to 40 ASCII digits
 */
gboolean
kh_code_nameplate_is_valid (const char *nameplate)
{
  gsize digits;

  if (nameplate == NULL)
    return FALSE;

  digits = strspn (nameplate, "0123456789");
  return digits >= 1 && digits <= MAX_NAMEPLATE_DIGITS && nameplate[digits] == '\0';
}

/**
 * kh_code_get_nameplate:
 * @code: a code
 *
 * Returns: (transfer full): what stands before the first hyphen
 */
char *
kh_code_get_nameplate (const char *code)
{
  g_return_val_if_fail (code != NULL, NULL);

  return g_strndup (code, strcspn (code, "-"));
}

static gboolean
is_separator (gunichar c)
{
  GUnicodeType type = g_unichar_type (c);

  return c == '_' || type == G_UNICODE_SPACE_SEPARATOR || type == G_UNICODE_DASH_PUNCTUATION;
}

static const char *
skip_space (const char *text)
{
  while (g_unichar_isspace (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  return text;
}

/* The end of the text without the white space behind it. */
static const char *
find_end (const char *text)
{
  const char *end = text;

  for (const char *at = text; *at != '\0'; at = g_utf8_next_char (at))
    if (!g_unichar_isspace (g_utf8_get_char (at)))
      end = g_utf8_next_char (at);

  return end;
}

static char *
join_separators (const char *text, const char *end)
{
  GString *joined = g_string_new (NULL);

  for (const char *at = text; at < end; at = g_utf8_next_char (at))
    {
      gunichar c = g_utf8_get_char (at);

      if (!is_separator (c))
        g_string_append_unichar (joined, c);
      else if (joined->len == 0 || joined->str[joined->len - 1] != '-')
        g_string_append_c (joined, '-');
    }

  return g_string_free (joined, FALSE);
}

/**
 * kh_code_clean:
 * @typed: UTF-8 that a person typed or pasted
 *
 * Takes away what does not belong to a code (PROTOCOL section 2): white space around it; runs of spaces, `_` and
 * dashes become one hyphen; the words become lower case if all of them are in the word list, else the spelling is
 * kept, as another client's code may have capitals. The result is in NFC, but need not be a code.
 *
 * Returns: (transfer full): the cleaned text
 */
char *
kh_code_clean (const char *typed)
{
  g_autofree char *joined = NULL;
  g_auto (GStrv) words = NULL;
  const char *start;

  g_return_val_if_fail (typed != NULL && g_utf8_validate (typed, -1, NULL), NULL);

  start = skip_space (typed);
  joined = join_separators (start, find_end (start));
  words = g_strsplit (joined, "-", -1);
  if (words[0] != NULL && kh_words_all_listed (words + 1))
    return g_ascii_strdown (joined, -1);

  return g_utf8_normalize (joined, -1, G_NORMALIZE_NFC);
}

static gboolean
has_junk (const char *code)
{
  for (; *code != '\0'; code = g_utf8_next_char (code))
    switch (g_unichar_type (g_utf8_get_char (code)))
      {
      case G_UNICODE_CONTROL:
      case G_UNICODE_FORMAT:
      case G_UNICODE_LINE_SEPARATOR:
      case G_UNICODE_PARAGRAPH_SEPARATOR:
        return TRUE;
      default:
        break;
      }

  return FALSE;
}

static gboolean
any_word_listed (char **words)
{
  for (guint i = 0; words[i] != NULL; i++)
    if (kh_words_is_listed (words[i]))
      return TRUE;
  return FALSE;
}

/* How many letters may be wrong for a word still to be a mistyped one: in a short word anything is near. */
static guint
typing_errors (const char *word)
{
  glong length = g_utf8_strlen (word, -1);

  return length >= 6 ? 2 : length >= 4 ? 1 : 0;
}

/* A word that is in no list may be another client's own. One that is nearly in it, beside words that are, is a typing
 * error, and trying it would use up the friend's invite. */
static gboolean
check_spelling (char **words, KhCodeFault *fault)
{
  if (!any_word_listed (words))
    return TRUE;

  for (guint i = 0; words[i] != NULL; i++)
    {
      const char *meant = kh_words_is_listed (words[i])
                              ? NULL
                              : kh_words_nearest (kh_words_list_at (i), words[i], typing_errors (words[i]));

      if (meant != NULL)
        {
          /* Translators: {word} is what was typed, {meant} is an English word; both stay as they are. */
          refuse_word (fault, N_ ("“{word}” is not a word that codes use. Did you mean “{meant}”?"), words[i], meant);
          return FALSE;
        }
    }

  return TRUE;
}

/* Words from the lists in the wrong order: as many even words stand where odd ones belong as the other way round. When
 * the numbers differ somebody has made the code by hand from list words, which is legal. */
static gboolean
check_order (char **words, KhCodeFault *fault)
{
  int surplus = 0;
  const char *misplaced = NULL;

  if (!kh_words_all_listed (words))
    return TRUE;

  for (guint i = 0; words[i] != NULL; i++)
    if (!kh_words_contains (kh_words_list_at (i), words[i]))
      {
        surplus += i % 2 == 0 ? 1 : -1;
        if (misplaced == NULL)
          misplaced = words[i];
      }
  if (misplaced == NULL || surplus != 0)
    return TRUE;

  /* Translators: {word} is a word of the code and stays as it is. */
  refuse_word (fault,
               N_ ("The word “{word}” does not belong at this place: two words are swapped. Compare the code with your "
                   "friend's."),
               misplaced, NULL);
  return FALSE;
}

static gboolean
check_words (char **words, KhCodeFault *fault)
{
  if (words[0] == NULL)
    {
      refuse (fault, N_ ("The words of the code are missing. Type all of it, such as 7-crossover-bedlamp-customer."));
      return FALSE;
    }

  for (guint i = 0; words[i] != NULL; i++)
    if (*words[i] == '\0')
      {
        refuse (fault, N_ ("The code ends too soon: a word is missing. Type all of it."));
        return FALSE;
      }

  return check_spelling (words, fault) && check_order (words, fault);
}

static char *
parse_code (const char *typed, KhCodeFault *fault)
{
  g_autofree char *code = NULL;
  g_auto (GStrv) parts = NULL;

  if (strlen (typed) > KH_CODE_MAX_LENGTH || !g_utf8_validate (typed, -1, NULL))
    return refuse (fault, N_ ("This is too long for a code, or not a text. Check what you typed."));

  code = kh_code_clean (typed);
  if (has_junk (code))
    return refuse (fault, N_ ("The code holds characters that no code has, such as a line's end. Type it again."));

  parts = g_strsplit (code, "-", -1);
  if (!kh_code_nameplate_is_valid (parts[0]))
    return refuse (fault,
                   N_ ("A code starts with a number and goes on with words, such as 7-crossover-bedlamp-customer. "
                       "Check what you typed."));
  if (!check_words (parts + 1, fault))
    return NULL;

  return g_steal_pointer (&code);
}

/* The one parameter we know. Two of them would leave open where the friend waits. */
static gboolean
take_mailbox (const char *parameters, char **mailbox_url, KhCodeFault *fault)
{
  g_auto (GStrv) pairs = g_strsplit (parameters, "&", -1);
  g_autofree char *found = NULL;

  for (char **pair = pairs; *pair != NULL; pair++)
    {
      const char *value;

      if (!g_str_has_prefix (*pair, "mailbox="))
        continue;
      value = *pair + strlen ("mailbox=");
      if (found != NULL || (found = g_uri_unescape_string (value, NULL)) == NULL || !kh_mailbox_url_is_valid (found))
        {
          refuse (fault, N_ ("This link names a meeting server in a way Knothole cannot use. Ask your friend for the "
                             "code."));
          return FALSE;
        }
    }

  *mailbox_url = g_steal_pointer (&found);
  return TRUE;
}

static char *
parse_link (const char *link, char **mailbox_url, KhCodeFault *fault)
{
  g_autofree char *body = NULL;
  g_autofree char *typed = NULL;
  g_autofree char *url = NULL;
  g_autofree char *code = NULL;
  char *parameters;

  if (strlen (link) > KH_CODE_MAX_LINK_LENGTH)
    return refuse (fault, N_ ("This link is too long for an invite. Ask your friend for the code."));

  body = g_strndup (link + strlen (SCHEME), strcspn (link + strlen (SCHEME), "#"));
  parameters = strchr (body, '?');
  if (parameters != NULL)
    *parameters++ = '\0';

  typed = g_uri_unescape_string (body, NULL);
  if (typed == NULL)
    return refuse (fault, N_ ("This link is damaged. Ask your friend for the code."));
  if (parameters != NULL && !take_mailbox (parameters, &url, fault))
    return NULL;

  code = parse_code (typed, fault);
  if (code != NULL && mailbox_url != NULL)
    *mailbox_url = g_steal_pointer (&url);

  return g_steal_pointer (&code);
}

/**
 * kh_code_parse_explained:
 * @typed_or_link: what a person typed, or a `knothole:` link from anywhere
 * @mailbox_url: (out) (optional) (nullable) (transfer full): the meeting server that a link names, else %NULL
 * @fault: (inout): what is wrong; starts as `{ NULL }`, and what it held before is cleared
 *
 * Like kh_code_parse(), for an interface that says in its own language what is wrong.
 *
 * Returns: (transfer full): the cleaned code, or %NULL with @fault's sentence set
 */
char *
kh_code_parse_explained (const char *typed_or_link, char **mailbox_url, KhCodeFault *fault)
{
  const char *start;

  g_return_val_if_fail (typed_or_link != NULL, NULL);
  g_return_val_if_fail (fault != NULL, NULL);

  kh_code_fault_clear (fault);
  if (mailbox_url != NULL)
    *mailbox_url = NULL;

  start = typed_or_link + strspn (typed_or_link, " \t\r\n");
  if (g_ascii_strncasecmp (start, SCHEME, strlen (SCHEME)) == 0)
    return parse_link (start, mailbox_url, fault);

  return parse_code (typed_or_link, fault);
}

/**
 * kh_code_parse:
 * @typed_or_link: what a person typed, or a `knothole:` link from anywhere
 * @mailbox_url: (out) (optional) (nullable) (transfer full): the meeting server that a link names, else %NULL
 * @error: return location
 *
 * Cleans up a code and refuses it when it cannot be right: trying a mistyped code would use up an invite of somebody
 * else. Words that are in no list are legal, as other clients' codes may have them, unless they are nearly a word
 * of the list. Nothing but the code and the server is taken from a link.
 *
 * Returns: (transfer full): the cleaned code, or %NULL with %KH_ERROR_BAD_CODE and a sentence that says what to do
 */
char *
kh_code_parse (const char *typed_or_link, char **mailbox_url, GError **error)
{
  g_auto (KhCodeFault) fault = { NULL };
  g_autofree char *code = NULL;

  g_return_val_if_fail (typed_or_link != NULL, NULL);
  g_return_val_if_fail (error == NULL || *error == NULL, NULL);

  code = kh_code_parse_explained (typed_or_link, mailbox_url, &fault);
  if (code == NULL)
    {
      g_autofree char *sentence = kh_code_fault_fill (&fault, fault.sentence);

      g_set_error_literal (error, KH_ERROR, KH_ERROR_BAD_CODE, sentence);
    }

  return g_steal_pointer (&code);
}

/**
 * kh_code_complete:
 * @typed: the text in an entry, up to the cursor; a space counts as a hyphen
 * @words: how many words are expected, such as %KH_CODE_DEFAULT_WORDS
 *
 * Offers whole codes whose last word goes on from what was typed (PROTOCOL section 2.2). A hyphen follows where more
 * words are expected. Never asks a server.
 *
 * Returns: (transfer full) (array zero-terminated=1): at most 256 texts, none when @typed does not start with a
 *   number and a hyphen
 */
char **
kh_code_complete (const char *typed, guint words)
{
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  g_autofree char *clean = NULL;
  g_auto (GStrv) parts = NULL;
  g_auto (GStrv) endings = NULL;
  guint position;

  g_return_val_if_fail (typed != NULL, NULL);

  if (strlen (typed) > KH_CODE_MAX_LENGTH || !g_utf8_validate (typed, -1, NULL))
    return g_strv_builder_end (found);

  clean = join_separators (skip_space (typed), typed + strlen (typed));
  parts = g_strsplit (clean, "-", -1);
  if (g_strv_length (parts) < 2 || !kh_code_nameplate_is_valid (parts[0]))
    return g_strv_builder_end (found);

  position = g_strv_length (parts) - 2;
  endings = kh_words_complete (kh_words_list_at (position), parts[position + 1]);
  *strrchr (clean, '-') = '\0';
  for (char **ending = endings; *ending != NULL; ending++)
    {
      g_autofree char *text = g_strconcat (clean, "-", *ending, position + 1 < words ? "-" : "", NULL);

      g_strv_builder_add (found, text);
    }

  return g_strv_builder_end (found);
}

/**
 * kh_code_to_link:
 * @code: a code
 * @mailbox_url: (nullable): the meeting server, or %NULL for the built-in one
 *
 * Returns: (transfer full): `knothole:CODE` or `knothole:CODE?mailbox=URL`, percent-encoded
 */
char *
kh_code_to_link (const char *code, const char *mailbox_url)
{
  g_autofree char *escaped = NULL;
  g_autofree char *escaped_url = NULL;

  g_return_val_if_fail (code != NULL, NULL);

  escaped = g_uri_escape_string (code, NULL, FALSE);
  if (mailbox_url == NULL)
    return g_strconcat (SCHEME, escaped, NULL);

  escaped_url = g_uri_escape_string (mailbox_url, NULL, FALSE);
  return g_strconcat (SCHEME, escaped, "?mailbox=", escaped_url, NULL);
}
