/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "kh-igd-text.h"

#include <miniupnpc/miniupnpc.h>
#include <string.h>

#define MAX_URL_BYTES 512
#define SERVICE_PREFIX "urn:schemas-upnp-org:service:WAN"

/* Whether that is a page of this device itself. A device that sends us elsewhere wants us to ask somebody whom it may not be
 * able to ask itself: nobody but the device is ever asked for its page. */
static gboolean
is_page_of (const char *url, GInetAddress *device)
{
  g_autoptr (GUri) uri = strlen (url) <= MAX_URL_BYTES ? g_uri_parse (url, G_URI_FLAGS_NONE, NULL) : NULL;
  g_autoptr (GInetAddress) host = NULL;

  if (uri == NULL || g_strcmp0 (g_uri_get_scheme (uri), "http") != 0 || g_uri_get_userinfo (uri) != NULL ||
      g_uri_get_host (uri) == NULL || g_uri_get_port (uri) == 0)
    return FALSE;

  host = g_inet_address_new_from_string (g_uri_get_host (uri));
  return host != NULL && g_inet_address_equal (host, device);
}

/**
 * kh_igd_read_location:
 * @reply: a datagram in answer to a search
 * @length: its length
 * @sender: who sent it
 *
 * Returns: (transfer full) (nullable): where the sender's description is, if the sender says that it has one itself
 */
char *
kh_igd_read_location (const char *reply, gsize length, GInetAddress *sender)
{
  g_autofree char *text = g_strndup (reply, length);
  g_auto (GStrv) lines = g_strsplit (text, "\n", 64);

  if (!g_str_has_prefix (text, "HTTP/1.") || strstr (lines[0], " 200") == NULL)
    return NULL;

  for (char **line = lines + 1; *line != NULL; line++)
    if (g_ascii_strncasecmp (*line, "location:", 9) == 0)
      {
        char *url = g_strstrip (*line + 9);

        return is_page_of (url, sender) ? g_strdup (url) : NULL;
      }
  return NULL;
}

/* What goes into a header of ours. */
static gboolean
is_service_type (const char *type)
{
  for (const char *p = type; *p != '\0'; p++)
    if (!g_ascii_isalnum (*p) && strchr (":-.", *p) == NULL)
      return FALSE;
  return g_str_has_prefix (type, SERVICE_PREFIX "IPConnection:") ||
         g_str_has_prefix (type, SERVICE_PREFIX "PPPConnection:");
}

/* GetUPNPUrls() knows the first service only. */
static gboolean
read_service (struct IGDdatas *data, const char *url, GInetAddress *device, KhIgdService *service)
{
  struct UPNPUrls urls = { 0 };
  gboolean good = FALSE;

  if (*data->first.controlurl == '\0' || !is_service_type (data->first.servicetype))
    return FALSE;

  GetUPNPUrls (&urls, data, url, 0);
  if (urls.controlURL != NULL && is_page_of (urls.controlURL, device))
    {
      service->url = g_strdup (urls.controlURL);
      service->type = g_strdup (data->first.servicetype);
      good = TRUE;
    }
  FreeUPNPUrls (&urls);

  return good;
}

/**
 * kh_igd_read_description:
 * @text: the description of a UPnP device
 * @length: its length
 * @url: where it is from
 * @device: who sent it
 * @services: (out caller-allocates) (array fixed-size=2): gets the connections to the internet that the device itself is
 *   to be asked about
 *
 * Returns: how many there are: none, if that is no router
 */
guint
kh_igd_read_description (const char *text, gsize length, const char *url, GInetAddress *device, KhIgdService *services)
{
  g_autofree struct IGDdatas *data = g_new0 (struct IGDdatas, 1);
  /* miniupnpc looks at the byte behind a text that is cut off [2.2.4, valgrind]. */
  g_autofree char *ended = g_strndup (text, length);
  guint n = 0;

  parserootdesc (ended, (int) length, data);
  n += read_service (data, url, device, &services[n]);
  data->first = data->second;
  n += read_service (data, url, device, &services[n]);

  return n;
}

/**
 * kh_igd_read_external:
 * @text: an answer to GetExternalIPAddress
 * @length: its length
 *
 * Returns: (transfer full) (nullable): the address, if there is one; a router without one says 0.0.0.0 or nothing
 */
GInetAddress *
kh_igd_read_external (const char *text, gsize length)
{
  g_autofree char *owned = g_strndup (text, length);
  char *start = strstr (owned, "<NewExternalIPAddress");
  char *end;
  g_autoptr (GInetAddress) address = NULL;

  start = start != NULL ? strchr (start, '>') : NULL;
  end = start != NULL ? strchr (start, '<') : NULL;
  if (end == NULL)
    return NULL;

  *end = '\0';
  address = g_inet_address_new_from_string (g_strstrip (start + 1));
  if (address == NULL || g_inet_address_get_is_any (address))
    return NULL;
  return g_steal_pointer (&address);
}

/**
 * kh_igd_write_question:
 *
 * Returns: (transfer full): the body of a request for the outside address
 */
char *
kh_igd_write_question (const KhIgdService *service)
{
  return g_strdup_printf ("<?xml version=\"1.0\"?>\r\n"
                          "<s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\""
                          " s:encodingStyle=\"http://schemas.xmlsoap.org/soap/encoding/\">"
                          "<s:Body><u:GetExternalIPAddress xmlns:u=\"%s\"></u:GetExternalIPAddress></s:Body>"
                          "</s:Envelope>\r\n",
                          service->type);
}

void
kh_igd_service_clear (KhIgdService *self)
{
  g_clear_pointer (&self->url, g_free);
  g_clear_pointer (&self->type, g_free);
}
