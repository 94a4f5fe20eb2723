/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file is replaced by renaming a new one over it that is on the disk already: whoever reads it,
 * also after a crash, reads the old text or the new one.
 */
#include "cfgdb/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"

int file_read(const char *path, size_t max, struct str *out, struct err *err) {
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), saved;
	char chunk[4096];
	size_t sum = 0;
	ssize_t n = 0;

	if (fd < 0)
		return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_STORE, "%s: %s", path,
			       strerror(errno));
	while (sum <= max && (n = read(fd, chunk, sizeof(chunk))) > 0) {
		sum += (size_t)n;
		str_add_bytes(out, chunk, (size_t)n);
	}
	saved = errno;
	close(fd);
	if (n < 0)
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(saved));
	return sum <= max ? 0 : err_set(err, ERR_STORE, "%s: longer than %zu bytes", path, max);
}

int file_replace(const char *path, const char *text, size_t len, struct err *err) {
	AUTO_FREE char *temporary = xasprintf("%s.new", path);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	bool ok;

	if (fd < 0)
		return err_set(err, ERR_STORE, "%s: %s", temporary, strerror(errno));
	ok = write(fd, text, len) == (ssize_t)len && fsync(fd) == 0;
	if (close(fd) != 0 || !ok || rename(temporary, path) != 0)
		return err_set(err, ERR_STORE, "%s: %s", path, strerror(errno));
	return 0;
}
