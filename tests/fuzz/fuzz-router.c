/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever a device in this network says of itself, nobody but that device is asked next, and nothing of its words gets into
 * our headers.
 *
 * The input is a letter for what it answers, then the answer: [l]ocation (SSDP), [d]escription, [e]xternal address, [p]cp. */
#include "fuzz.h"
#include "kh-igd-text.h"
#include "kh-pcp.h"

#include <libsoup/soup.h>
#include <string.h>

#define DEVICE "192.168.1.1"
#define PAGE "http://" DEVICE ":5000/d.xml"
#define PCP_HEADER_BYTES 24

/* What is asked, and where, is what libsoup reads in it. */
static void
check_url (const char *url)
{
  g_autoptr (SoupMessage) message = soup_message_new (SOUP_METHOD_GET, url);
  g_autofree char *target = NULL;
  GUri *uri;

  if (message == NULL)
    return; /* it is not asked then */

  uri = soup_message_get_uri (message);
  g_assert_cmpstr (g_uri_get_scheme (uri), ==, "http");
  g_assert_cmpstr (g_uri_get_host (uri), ==, DEVICE);
  g_assert_null (g_uri_get_userinfo (uri));
  g_assert_cmpint (g_uri_get_port (uri), !=, 0);
  target = g_strconcat (g_uri_get_path (uri), g_uri_get_query (uri), NULL);
  g_assert_cmpuint (strcspn (target, " \r\n"), ==, strlen (target));
}

static void
check_location (const char *reply, gsize length, GInetAddress *device)
{
  g_autofree char *url = kh_igd_read_location (reply, length, device);

  if (url != NULL)
    check_url (url);
}

static void
check_service (const KhIgdService *service)
{
  g_autofree char *question = kh_igd_write_question (service);

  check_url (service->url);
  g_assert_cmpuint (strcspn (service->type, "\"<>&# \r\n"), ==, strlen (service->type));
  g_assert_nonnull (strstr (question, service->type));
}

static void
check_description (const char *text, gsize length, GInetAddress *device)
{
  KhIgdService services[KH_IGD_MAX_SERVICES] = { 0 };
  guint n = kh_igd_read_description (text, length, PAGE, device, services);

  g_assert_cmpuint (n, <=, KH_IGD_MAX_SERVICES);
  for (guint i = 0; i < n; i++)
    {
      check_service (&services[i]);
      kh_igd_service_clear (&services[i]);
    }
}

static void
check_external (const char *text, gsize length)
{
  g_autoptr (GInetAddress) address = kh_igd_read_external (text, length);

  g_assert_true (address == NULL || !g_inet_address_get_is_any (address));
}

static void
check_pcp (const guint8 *bytes, gsize length)
{
  KhPcpReply reply = kh_pcp_read_reply (bytes, length);

  if (reply == KH_PCP_ANSWER)
    g_assert_true (length >= PCP_HEADER_BYTES && bytes[0] == 2 && bytes[1] == 0x80 && bytes[3] != 1);
}

int
LLVMFuzzerTestOneInput (const guint8 *data, gsize size)
{
  g_autoptr (GInetAddress) device = g_inet_address_new_from_string (DEVICE);
  g_autofree guint8 *answer = NULL;

  if (size < 1)
    return 0;

  answer = g_memdup2 (data, size);
  switch (data[0])
    {
    case 'l':
      check_location ((const char *) answer + 1, size - 1, device);
      break;
    case 'd':
      check_description ((const char *) answer + 1, size - 1, device);
      break;
    case 'e':
      check_external ((const char *) answer + 1, size - 1);
      break;
    case 'p':
      check_pcp (answer + 1, size - 1);
      break;
    default:
      break;
    }

  return 0;
}
