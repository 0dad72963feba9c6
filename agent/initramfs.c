/*
 * initramfs.c - see initramfs.h.
 */
#include "agent/initramfs.h"

#include "lib/buf.h"
#include "lib/file.h"
#include "lib/mem.h"

#include <archive.h>
#include <archive_entry.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

struct item {
	const char *name;
	mode_t mode;
	dev_t dev;
	const void *data;
	size_t len;
};

static enum err failed(struct archive *a, const char *path, struct why *w)
{
	const char *said = archive_error_string(a);

	return err_set(w, ERR_IO, "cannot write \"%s\": %s", path, said ? said : "no reason given");
}

static enum err add(struct archive *a, const struct item *item, int number, const char *path,
                    struct why *w)
{
	struct archive_entry *entry = archive_entry_new();
	enum err e = OK;

	archive_entry_set_pathname(entry, item->name);
	archive_entry_set_mode(entry, item->mode);
	archive_entry_set_size(entry, (int64_t)item->len);
	archive_entry_set_ino64(entry, number);
	archive_entry_set_nlink(entry, S_ISDIR(item->mode) ? 2 : 1);
	archive_entry_set_uid(entry, 0);
	archive_entry_set_gid(entry, 0);
	archive_entry_set_mtime(entry, 0, 0);
	if (S_ISCHR(item->mode)) {
		archive_entry_set_rdevmajor(entry, major(item->dev));
		archive_entry_set_rdevminor(entry, minor(item->dev));
	}
	if (archive_write_header(a, entry) != ARCHIVE_OK ||
	    (item->len && archive_write_data(a, item->data, item->len) != (la_ssize_t)item->len))
		e = failed(a, path, w);
	archive_entry_free(entry);
	return e;
}

enum err initramfs_write(const char *path, const char *init, const char *plan, size_t plan_len,
                         struct why *w)
{
	struct archive *a;
	struct buf binary;
	enum err e;
	size_t i;

	buf_init(&binary, INIT_MAX_BYTES);
	e = file_read(init, &binary, w);
	if (!e && (binary.len < 4 || memcmp(binary.data, "\177ELF", 4) != 0))
		e = err_set(w, ERR_INPUT, "\"%s\" is no program: it is to be the guest's init",
		            init);
	if (e) {
		buf_release(&binary);
		return e;
	}
	{
		const struct item items[] = {
		        {"dev", S_IFDIR | 0755, 0, NULL, 0},
		        {"dev/console", S_IFCHR | 0600, makedev(5, 1), NULL, 0},
		        {"proc", S_IFDIR | 0755, 0, NULL, 0},
		        {"sys", S_IFDIR | 0755, 0, NULL, 0},
		        {"tmp", S_IFDIR | 01777, 0, NULL, 0},
		        {"init", S_IFREG | 0755, 0, binary.data, binary.len},
		        {"plan", S_IFREG | 0644, 0, plan, plan_len},
		};

		a = archive_write_new();
		if (!a)
			err_bug("no memory for an archive");
		/* No padding to a tape's block: the kernel would read it as more. */
		if (archive_write_set_format_cpio_newc(a) != ARCHIVE_OK ||
		    archive_write_add_filter_none(a) != ARCHIVE_OK ||
		    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
		    archive_write_open_filename(a, path) != ARCHIVE_OK)
			e = failed(a, path, w);
		for (i = 0; i < ARRAY_SIZE(items) && !e; i++)
			e = add(a, &items[i], (int)i + 1, path, w);
		if (!e && archive_write_close(a) != ARCHIVE_OK)
			e = failed(a, path, w);
		archive_write_free(a);
	}
	buf_release(&binary);
	return e;
}
