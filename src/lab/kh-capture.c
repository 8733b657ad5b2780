/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "kh-capture.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* pcapng (draft-ietf-opsawg-pcapng), in this machine's byte order, times in microseconds. */
#define BLOCK_SECTION 0x0a0d0d0a
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 6
#define BYTE_ORDER_MAGIC 0x1a2b3c4d
#define LINKTYPE_RAW 101 /* IPv4 or IPv6, as its first byte says */
#define OPTION_COMMENT 1
#define OPTION_NAME 2
#define OPTION_FLAGS 2
#define OPTION_APPLICATION 4
#define FLAG_INBOUND 1
#define FLAG_OUTBOUND 2

struct _KhCapture
{
  FILE *file;
  char *path;
  gboolean failed;
  int reason;
};

static void
put32 (GByteArray *block, guint32 value)
{
  g_byte_array_append (block, (const guint8 *) &value, sizeof value);
}

static void
put_padded (GByteArray *block, const void *data, gsize length)
{
  static const guint8 padding[4];

  g_byte_array_append (block, data, (guint) length);
  g_byte_array_append (block, padding, (4 - length % 4) % 4);
}

static void
put_option (GByteArray *block, guint16 code, const void *data, gsize length)
{
  const guint16 header[2] = { code, (guint16) length };

  g_byte_array_append (block, (const guint8 *) header, sizeof header);
  put_padded (block, data, length);
}

/* A full disk is told once, at the end. */
static void
write_block (KhCapture *self, guint32 type, GByteArray *body)
{
  guint32 length = body->len + 12;
  const guint32 head[2] = { type, length };

  if (self->failed)
    return;
  self->failed = fwrite (head, sizeof head, 1, self->file) != 1 ||
                 (body->len > 0 && fwrite (body->data, body->len, 1, self->file) != 1) ||
                 fwrite (&length, sizeof length, 1, self->file) != 1;
  self->reason = errno;
}

/**
 * kh_capture_new:
 * @path: a file to make
 * @error: return location
 *
 * Returns: (transfer full) (nullable): a capture file that Wireshark reads
 */
KhCapture *
kh_capture_new (const char *path, GError **error)
{
  static const char application[] = "knothole-lab " KH_VERSION;
  g_autoptr (GByteArray) body = g_byte_array_new ();
  FILE *file = fopen (path, "we");
  KhCapture *self;

  if (file == NULL)
    {
      g_set_error (error, G_IO_ERROR, g_io_error_from_errno (errno), "%s cannot be written: %s", path,
                   g_strerror (errno));
      return NULL;
    }

  self = g_new0 (KhCapture, 1);
  self->file = file;
  self->path = g_strdup (path);
  put32 (body, BYTE_ORDER_MAGIC);
  put32 (body, 1); /* version 1.0 */
  put32 (body, G_MAXUINT32);
  put32 (body, G_MAXUINT32); /* a section of unknown length */
  put_option (body, OPTION_APPLICATION, application, strlen (application));
  put32 (body, 0);
  write_block (self, BLOCK_SECTION, body);

  return self;
}

void
kh_capture_free (KhCapture *self)
{
  if (self->file != NULL)
    fclose (self->file);
  g_free (self->path);
  g_free (self);
}

/**
 * kh_capture_add_interface:
 * @self: a capture
 * @name: what Wireshark shows
 *
 * Adds an interface; the first one is number 0.
 */
void
kh_capture_add_interface (KhCapture *self, const char *name)
{
  g_autoptr (GByteArray) body = g_byte_array_new ();

  put32 (body, LINKTYPE_RAW);
  put32 (body, 0); /* packets are whole */
  put_option (body, OPTION_NAME, name, strlen (name));
  put32 (body, 0);
  write_block (self, BLOCK_INTERFACE, body);
}

/**
 * kh_capture_write:
 * @self: a capture
 * @interface: number of the interface
 * @up: whether the packet went towards the internet
 * @packet: the packet
 * @length: its bytes
 * @time: microseconds since 1970
 * @comment: (nullable): what became of it
 */
void
kh_capture_write (KhCapture *self, guint interface, gboolean up, const guint8 *packet, gsize length, gint64 time,
                  const char *comment)
{
  g_autoptr (GByteArray) body = g_byte_array_sized_new ((guint) length + 128);
  guint32 flags = up ? FLAG_OUTBOUND : FLAG_INBOUND;

  put32 (body, interface);
  put32 (body, (guint32) (time >> 32));
  put32 (body, (guint32) time);
  put32 (body, (guint32) length);
  put32 (body, (guint32) length);
  put_padded (body, packet, length);
  if (comment != NULL)
    put_option (body, OPTION_COMMENT, comment, strlen (comment));
  put_option (body, OPTION_FLAGS, &flags, sizeof flags);
  put32 (body, 0);
  write_block (self, BLOCK_PACKET, body);
}

/**
 * kh_capture_close:
 * @self: a capture
 * @error: return location
 *
 * Returns: whether everything could be written
 */
gboolean
kh_capture_close (KhCapture *self, GError **error)
{
  FILE *file = g_steal_pointer (&self->file);

  if (fclose (file) != 0 && !self->failed)
    {
      self->failed = TRUE;
      self->reason = errno;
    }
  if (!self->failed)
    return TRUE;

  g_set_error (error, G_IO_ERROR, g_io_error_from_errno (self->reason), "%s is not complete: %s", self->path,
               g_strerror (self->reason));
  return FALSE;
}
