/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A category is a row of numbered text files, CATEGORY.N.log, of which the last is written to:
 * what any pager can read. Lines gather in memory until they are flushed, which is one write(2)
 * that only appends. When the file is full the next number begins and the oldest goes; when the
 * disk is full the oldest goes, too, and if that does not help the lines are dropped and counted.
 *
 * A line is whole when its newline is there. So a file that ends in the middle of one, because
 * the machine died or the disk was full, is cut after its last newline before it is written to
 * again, and a reader passes over what does not begin as a line does.
 *
 * Readers go backwards through the files in blocks. They remember where they are, not what they
 * have read, and end early when the file they come to has gone meanwhile.
 */
#include "cfgdb/logs/logstore.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"

#define PENDING_MAX (64u << 10)
#define BLOCK_SIZE (64u << 10)

static const char *const names[LOGSTORE_CATEGORIES] = {
	[LOGSTORE_TRAFFIC] = "traffic",
	[LOGSTORE_EVENT] = "event",
};

struct row {
	unsigned int first, last;    /* numbers of its files; last is written to */
	int fd;                      /* of that, or -1 */
	uint64_t size;               /* of that */
	struct str pending;
	uint64_t n_pending;          /* lines in it */
};

struct logstore {
	char *dir;
	uint64_t file_max, lost;
	struct row row[LOGSTORE_CATEGORIES];
};

/* ---- files ---- */

static char *file_path(const struct logstore *s, enum logstore_category c, unsigned int number) {
	return xasprintf("%s/%s.%u.log", s->dir, names[c], number);
}

/* The number in the name of a file of the category; false when it is none. */
static bool file_number(enum logstore_category c, const char *name, unsigned int *number) {
	size_t len = strlen(names[c]);
	int end = 0;

	return strncmp(name, names[c], len) == 0 && name[len] == '.' &&
	       isdigit((unsigned char)name[len + 1]) &&
	       sscanf(name + len, ".%9u.log%n", number, &end) == 1 && end > 0 &&
	       name[len + (size_t)end] == '\0';
}

/*
 * Find the last file and remove those that are too old; the first may be missing. 0 or the number
 * of a system error.
 */
static int row_scan(struct logstore *s, enum logstore_category c) {
	struct row *row = &s->row[c];
	const struct dirent *entry;
	DIR *dir;
	unsigned int number;

	if (mkdir(s->dir, 0700) != 0 && errno != EEXIST)
		return errno;
	dir = opendir(s->dir);
	if (!dir)
		return errno;
	row->last = 1;
	while ((entry = readdir(dir)) != NULL)
		if (file_number(c, entry->d_name, &number) && number > row->last)
			row->last = number;
	row->first = row->last < LOGSTORE_FILES ? 1 : row->last - LOGSTORE_FILES + 1;
	rewinddir(dir);
	while ((entry = readdir(dir)) != NULL)
		if (file_number(c, entry->d_name, &number) && number < row->first)
			unlinkat(dirfd(dir), entry->d_name, 0);
	closedir(dir);
	return 0;
}

static void row_drop_first(struct logstore *s, enum logstore_category c) {
	AUTO_FREE char *path = file_path(s, c, s->row[c].first++);

	unlink(path);
}

/* Bytes of a file up to the end of its last whole line. */
static uint64_t whole_lines(int fd, uint64_t size) {
	char block[4096];

	while (size > 0) {
		uint64_t from = size > sizeof(block) ? size - sizeof(block) : 0;
		ssize_t n = pread(fd, block, (size_t)(size - from), (off_t)from);
		const char *newline = n > 0 ? memrchr(block, '\n', (size_t)n) : NULL;

		if (newline)
			return from + (uint64_t)(newline - block) + 1;
		size = from;
	}
	return 0;
}

static void row_close(struct row *row) {
	if (row->fd >= 0)
		close(row->fd);
	row->fd = -1;
}

/* Open the file that is written to, unless it is open: 0 or the number of a system error. */
static int row_ready(struct logstore *s, enum logstore_category c) {
	struct row *row = &s->row[c];
	AUTO_FREE char *path = NULL;
	struct stat st;
	int bad = row->last ? 0 : row_scan(s, c);

	if (bad || row->fd >= 0)
		return bad;
	path = file_path(s, c, row->last);
	row->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (row->fd < 0 || fstat(row->fd, &st) != 0)
		return errno;
	row->size = whole_lines(row->fd, (uint64_t)st.st_size);
	if (row->size == (uint64_t)st.st_size || ftruncate(row->fd, (off_t)row->size) == 0)
		return 0;
	bad = errno;
	row_close(row);
	return bad;
}

/* Begin the next file; the oldest goes when there are too many. */
static void row_roll(struct logstore *s, enum logstore_category c) {
	struct row *row = &s->row[c];

	row_close(row);
	row->last++;
	while (row->last - row->first >= LOGSTORE_FILES)
		row_drop_first(s, c);
}

struct logstore *logstore_open(const char *dir, uint64_t file_max) {
	struct logstore *s = xcalloc(1, sizeof(*s));

	s->dir = xstrdup(dir);
	s->file_max = file_max;
	for (int c = 0; c < LOGSTORE_CATEGORIES; c++)
		s->row[c].fd = -1;
	return s;
}

struct logstore *logstore_close(struct logstore *s) {
	if (!s)
		return NULL;
	logstore_flush(s);
	for (int c = 0; c < LOGSTORE_CATEGORIES; c++) {
		row_close(&s->row[c]);
		str_done(&s->row[c].pending);
	}
	free(s->dir);
	free(s);
	return NULL;
}

void logstore_set_file_max(struct logstore *s, uint64_t file_max) {
	s->file_max = file_max;
}

/* ---- writing ---- */

/* Append what is pending, whole or not at all: 0 or the number of a system error. */
static int row_append(struct row *row) {
	const char *data = str_text(&row->pending);
	size_t done = 0;
	int bad = 0;

	while (done < row->pending.len && !bad) {
		ssize_t n = write(row->fd, data + done, row->pending.len - done);

		if (n > 0)
			done += (size_t)n;
		else if (n == 0 || errno != EINTR)
			bad = n == 0 ? EIO : errno;
	}
	if (!bad)
		row->size += done;
	else if (done > 0 && ftruncate(row->fd, (off_t)row->size) != 0)
		row_close(row); /* opening it again cuts it */
	return bad;
}

static void row_flush(struct logstore *s, enum logstore_category c) {
	struct row *row = &s->row[c];
	int bad = 0;

	if (row->n_pending == 0)
		return;
	if (row_ready(s, c) == 0 && row->size > 0 && row->size + row->pending.len > s->file_max)
		row_roll(s, c);
	do {
		if (bad)
			row_drop_first(s, c);
		bad = row_ready(s, c);
		if (!bad)
			bad = row_append(row);
	} while ((bad == ENOSPC || bad == EDQUOT) && row->first < row->last);
	if (bad)
		s->lost += row->n_pending;
	str_clear(&row->pending);
	row->n_pending = 0;
}

void logstore_add(struct logstore *s, enum logstore_category c, const char *line, size_t len) {
	struct row *row = &s->row[c];

	str_add_bytes(&row->pending, line, len < LOGTEXT_MAX ? len : LOGTEXT_MAX);
	str_add_char(&row->pending, '\n');
	row->n_pending++;
	if (row->pending.len >= PENDING_MAX)
		row_flush(s, c);
}

void logstore_flush(struct logstore *s) {
	for (int c = 0; c < LOGSTORE_CATEGORIES; c++)
		row_flush(s, (enum logstore_category)c);
}

uint64_t logstore_lost(struct logstore *s) {
	uint64_t lost = s->lost;

	s->lost = 0;
	return lost;
}

int logstore_delete(struct logstore *s, enum logstore_category c, struct err *err) {
	struct row *row = &s->row[c];
	int bad = row_ready(s, c);

	str_clear(&row->pending);
	row->n_pending = 0;
	if (!bad) {
		row_close(row);
		row->last++;
		while (row->first < row->last)
			row_drop_first(s, c);
		bad = row_ready(s, c);
	}
	return bad ? err_set(err, ERR_STORE, "%s: %s", s->dir, strerror(bad)) : 0;
}

/* ---- reading ---- */

/*
 * One file is open at a time; block holds its bytes from `at` on, of which `left` are to be read.
 */
struct logstore_reader {
	const struct logstore *store;
	enum logstore_category category;
	unsigned int first, number;  /* number: of the file that comes next, below first: none */
	int fd;
	uint64_t at;
	size_t left;
	uint64_t size, passed;
	char block[BLOCK_SIZE + LOGTEXT_MAX + 1];
};

static uint64_t size_of(const char *path) {
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

struct logstore_reader *logstore_read(struct logstore *s, enum logstore_category c) {
	struct logstore_reader *r = xcalloc(1, sizeof(*r));

	row_flush(s, c);
	row_ready(s, c);
	r->store = s;
	r->category = c;
	r->first = s->row[c].first;
	r->number = s->row[c].last;
	r->fd = -1;
	for (unsigned int i = r->first; i <= r->number; i++) {
		AUTO_FREE char *path = file_path(s, c, i);

		r->size += size_of(path);
	}
	return r;
}

struct logstore_reader *logstore_read_end(struct logstore_reader *r) {
	if (r && r->fd >= 0)
		close(r->fd);
	free(r);
	return NULL;
}

static bool reader_open(struct logstore_reader *r) {
	AUTO_FREE char *path = NULL;
	struct stat st;

	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
	r->left = 0;
	if (r->number < r->first)
		return false;
	path = file_path(r->store, r->category, r->number--);
	r->fd = open(path, O_RDONLY | O_CLOEXEC);
	if (r->fd < 0 || fstat(r->fd, &st) != 0)
		return false;
	r->at = (uint64_t)st.st_size;
	return true;
}

/* Load the block before what is left of the one in memory, which stays behind it. */
static bool reader_load(struct logstore_reader *r) {
	uint64_t end = r->at + r->left, from;
	ssize_t n;

	if (r->left > LOGTEXT_MAX) { /* longer than a line can be: it is none */
		r->passed += r->left;
		end = r->at;
	}
	from = r->at > BLOCK_SIZE ? r->at - BLOCK_SIZE : 0;
	n = pread(r->fd, r->block, (size_t)(end - from), (off_t)from);
	if (n != (ssize_t)(end - from))
		return false;
	r->at = from;
	r->left = (size_t)n;
	return true;
}

/*
 * The last line of what is left, which must hold its beginning; false when that is further up. *len
 * is 0 when it has no end.
 */
static bool reader_cut(struct logstore_reader *r, const char **line, size_t *len) {
	size_t whole = r->block[r->left - 1] == '\n', begin;
	const char *newline = memrchr(r->block, '\n', r->left - whole);

	if (!newline && r->at > 0)
		return false;
	begin = newline ? (size_t)(newline + 1 - r->block) : 0;
	*line = r->block + begin;
	*len = whole ? r->left - begin - 1 : 0;
	r->passed += r->left - begin;
	r->left = begin;
	return true;
}

static bool is_line(const char *line, size_t len) {
	static const char start[] = "date=";

	return len > strlen(start) && len <= LOGTEXT_MAX &&
	       memcmp(line, start, strlen(start)) == 0 && !memchr(line, '\0', len);
}

bool logstore_next(struct logstore_reader *r, const char **line, size_t *len) {
	for (;;) {
		if (r->fd < 0 || (r->at == 0 && r->left == 0)) {
			if (!reader_open(r))
				return false;
		} else if (r->left > 0 && reader_cut(r, line, len)) {
			if (is_line(*line, *len))
				return true;
		} else if (!reader_load(r)) {
			return false;
		}
	}
}

uint64_t logstore_size(const struct logstore_reader *r) {
	return r->size;
}

uint64_t logstore_passed(const struct logstore_reader *r) {
	return r->passed;
}
