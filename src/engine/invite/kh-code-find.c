/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-code.h"

#include "kh-mailbox.h"
#include "kh-text.h"
#include "kh-words.h"

#include <string.h>

/* How a code is found in what somebody pasted.
 *
 * A text is mostly words, and nearly any words after a number may be a code: "10-year-old" has the shape of one, and
 * trying it would use up a stranger's invite. So a bare code is taken out of a sentence only if all its words, two at
 * least, are in the lists; a link says itself what it is. Of two different ones neither is taken. What is left is
 * handed on whole, so that kh_code_parse() tells the person what is wrong. */

#define SCHEME "knothole:"

#define MAX_PASTED (4 * KH_CODE_MAX_LINK_LENGTH)

/* Fewer may be the beginning of a code that goes on in another way. */
#define LEAST_WORDS 2

/* The code or link that a text holds. */
typedef struct
{
  char *text;
  char *code;
  char *mailbox_url;
  char *mistyped; /* the first that is nearly a code: to be refused, with a better sentence than the whole text gets */
  gboolean several;
} Find;

static void
find_clear (Find *find)
{
  g_free (find->text);
  g_free (find->code);
  g_free (find->mailbox_url);
  g_free (find->mistyped);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Find, find_clear)

static gboolean
is_dash (gunichar c)
{
  return c == '_' || g_unichar_type (c) == G_UNICODE_DASH_PUNCTUATION;
}

static gboolean
is_of_a_word (gunichar c)
{
  return g_unichar_isalnum (c) || g_unichar_ismark (c);
}

/* Chinese and its like, which goes on from a code without a space. */
static gboolean
is_of_another_script (gunichar c)
{
  return g_unichar_type (c) == G_UNICODE_OTHER_LETTER;
}

/* What people and programs put around a code. Not what may end a link. */
static gboolean
is_wrapping (gunichar c)
{
  switch (g_unichar_type (c))
    {
    case G_UNICODE_SPACE_SEPARATOR:
    case G_UNICODE_INITIAL_PUNCTUATION:
    case G_UNICODE_FINAL_PUNCTUATION:
    case G_UNICODE_OPEN_PUNCTUATION:
    case G_UNICODE_CLOSE_PUNCTUATION:
      return TRUE;
    case G_UNICODE_OTHER_PUNCTUATION:
      return c > 0x7f || strchr ("\"'*.,;:!?", c) != NULL;
    default:
      return c == '<' || c == '>' || c == '`';
    }
}

/* Such a bracket belongs to an address, as in ws://[::1]. */
static gboolean
closes_inside (const char *start, const char *last)
{
  const char *opened = *last == ']' ? memrchr (start, '[', last - start) : NULL;

  return opened != NULL && memchr (opened, ']', last - opened) == NULL;
}

static const char *
trim_end (const char *start, const char *end)
{
  while (end > start && is_wrapping (g_utf8_get_char (g_utf8_prev_char (end))) && !closes_inside (start, end - 1))
    end = g_utf8_prev_char (end);
  return end;
}

static char *
trim (const char *text)
{
  while (*text != '\0' && is_wrapping (g_utf8_get_char (text)))
    text = g_utf8_next_char (text);
  return g_strndup (text, trim_end (text, text + strlen (text)) - text);
}

/* Breaks become spaces, but for one behind a hyphen: there a mail program has broken a code in two. */
static char *
join_lines (const char *pasted)
{
  g_autofree char *plain = kh_text_plain_lines (pasted, MAX_PASTED);
  GString *joined = g_string_new (NULL);

  for (const char *p = plain; *p != '\0';)
    {
      gsize space = strspn (p, " \n");
      gboolean broken = space > 0 && memchr (p, '\n', space) != NULL;

      if (broken && joined->len > 0 && joined->str[joined->len - 1] == '-')
        p += space;
      else if (broken)
        {
          g_string_append_c (joined, ' ');
          p += space;
        }
      else
        g_string_append_c (joined, *p++);
    }

  return g_string_free (joined, FALSE);
}

static gboolean
is_link (const char *text)
{
  return g_ascii_strncasecmp (text, SCHEME, strlen (SCHEME)) == 0;
}

static char **
words_of (const char *code)
{
  g_auto (GStrv) parts = g_strsplit (code, "-", -1);
  g_autoptr (GStrvBuilder) words = g_strv_builder_new ();

  for (guint i = 1; parts[0] != NULL && parts[i] != NULL; i++)
    g_strv_builder_add (words, parts[i]);
  return g_strv_builder_end (words);
}

/* Two different codes in one text: which is meant is not for us to guess. The same one twice is one, and its link tells
 * more. */
static void
note (Find *find, const char *text, const char *code, const char *mailbox_url)
{
  gboolean other_code = find->code != NULL && strcmp (find->code, code) != 0;
  gboolean other_server =
      find->mailbox_url != NULL && mailbox_url != NULL && strcmp (find->mailbox_url, mailbox_url) != 0;

  find->several |= other_code || other_server;
  if (find->several || (find->code != NULL && mailbox_url == NULL))
    return;

  g_free (find->text);
  find->text = g_strdup (text);
  g_free (find->code);
  find->code = g_strdup (code);
  g_free (find->mailbox_url);
  find->mailbox_url = g_strdup (mailbox_url);
}

/* The word that comes after a bare code would be its next one: then the code is not whole. */
static gboolean
goes_on (const char *rest, guint position)
{
  g_autofree char *word = NULL;
  gsize length;

  if (*rest != ' ')
    return FALSE;
  rest += strspn (rest, " ");
  for (length = 0; g_ascii_isalpha (rest[length]);)
    length++;
  word = g_strndup (rest, length);
  return kh_words_contains (kh_words_list_at (position), word);
}

static void
consider_code (Find *find, const char *text, const char *rest)
{
  g_autofree char *clean = kh_code_clean (text);
  g_auto (GStrv) words = words_of (clean);
  g_autofree char *code = g_strv_length (words) >= LEAST_WORDS ? kh_code_parse (text, NULL, NULL) : NULL;

  if (g_strv_length (words) < LEAST_WORDS || goes_on (rest, g_strv_length (words)))
    return;
  if (code != NULL && kh_words_all_listed (words))
    note (find, text, code, NULL);
  else if (code == NULL && find->mistyped == NULL)
    find->mistyped = g_strdup (text);
}

/* A number, and all that hangs on it by dashes. Returns where it ends. */
static const char *
take_code (Find *find, const char *start)
{
  const char *end = start;
  const char *cut;
  g_autofree char *text = NULL;

  while (is_of_a_word (g_utf8_get_char (end)) || is_dash (g_utf8_get_char (end)))
    end = g_utf8_next_char (end);
  for (cut = start; cut < end && !is_of_another_script (g_utf8_get_char (cut));)
    cut = g_utf8_next_char (cut);

  text = g_strndup (start, cut - start);
  consider_code (find, text, cut);
  return end;
}

static gboolean
is_of_a_link (char c)
{
  return g_ascii_isalnum (c) || (c != '\0' && strchr ("-._~:/?#[]@!$&+,;=%", c) != NULL);
}

static const char *
take_link (Find *find, const char *start)
{
  const char *end = start;
  gunichar next;
  g_autofree char *text = NULL;
  g_autofree char *code = NULL;
  g_autofree char *mailbox_url = NULL;
  g_auto (GStrv) words = NULL;

  while (is_of_a_link (*end))
    end++;
  next = g_utf8_get_char (end);
  text = g_strndup (start, trim_end (start, end) - start);
  code = kh_code_parse (text, &mailbox_url, NULL);
  words = words_of (code != NULL ? code : "");

  if (is_of_a_word (next) && !(is_of_another_script (next) && kh_words_all_listed (words)))
    return end;
  if (g_strv_length (words) >= LEAST_WORDS)
    note (find, text, code, mailbox_url);
  else if (code == NULL && find->mistyped == NULL)
    find->mistyped = g_strdup (text);
  return end;
}

static gboolean
may_start (gunichar before)
{
  return is_of_another_script (before) || !(is_of_a_word (before) || is_dash (before));
}

static void
scan (Find *find, const char *text)
{
  gunichar before = ' ';

  for (const char *p = text; *p != '\0';)
    {
      if (may_start (before) && is_link (p))
        p = take_link (find, p);
      else if (may_start (before) && g_ascii_isdigit (*p))
        p = take_code (find, p);
      else
        p = g_utf8_next_char (p);
      before = g_utf8_get_char (g_utf8_prev_char (p));
    }
}

/* Whether all of it is one code from the lists, so that there is nothing to be taken out. */
static gboolean
is_listed_code (const char *text)
{
  g_autofree char *code = kh_code_parse (text, NULL, NULL);
  g_auto (GStrv) words = words_of (code != NULL ? code : "");

  return code != NULL && kh_words_all_listed (words);
}

/* A link has no spaces: where it has some, they were put in on the way. */
static char *
pack_link (const char *link)
{
  g_auto (GStrv) parts = g_strsplit (link, " ", -1);

  return g_strjoinv (NULL, parts);
}

/**
 * kh_code_find:
 * @pasted: what a person typed, pasted or opened
 *
 * Finds the code or the link in it: a person pastes it with quotation marks, with a full stop, broken in two by a mail
 * program, or the whole sentence around it. Takes nothing that is not certainly a code, and of two different ones none.
 *
 * Returns: (transfer full): the code or link; else @pasted without what stands around it, for kh_code_parse() to tell
 *   what is wrong. Just @pasted when it is not UTF-8, or too long to be looked at.
 */
char *
kh_code_find (const char *pasted)
{
  g_auto (Find) find = { NULL };
  g_autofree char *joined = NULL;
  g_autofree char *whole = NULL;
  g_autofree char *packed = NULL;

  g_return_val_if_fail (pasted != NULL, NULL);

  if (strnlen (pasted, MAX_PASTED + 1) > MAX_PASTED || !g_utf8_validate (pasted, -1, NULL))
    return g_strdup (pasted);

  joined = join_lines (pasted);
  whole = trim (joined);
  if (!is_link (whole) && is_listed_code (whole))
    return g_steal_pointer (&whole);

  scan (&find, whole);
  if (find.code != NULL && !find.several)
    return g_steal_pointer (&find.text);

  packed = pack_link (whole);
  if (find.code == NULL && is_link (whole) && is_listed_code (packed))
    return g_steal_pointer (&packed);
  if (find.code == NULL && find.mistyped != NULL)
    return g_steal_pointer (&find.mistyped);
  return g_steal_pointer (&whole);
}
