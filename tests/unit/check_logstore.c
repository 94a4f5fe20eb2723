/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log on disk: read back newest first, over files and restarts; never larger than it may be;
 * with torn ends, foreign bytes and a full disk.
 */
#include "cfgdb/logs/logstore.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#define LARGE (1u << 20)

static char *dir;

static struct logstore *opened(uint64_t file_max) {
	return logstore_open(dir, file_max);
}

static void setup(void) {
	AUTO_FREE char *base = fixture_dir();

	dir = xasprintf("%s/log", base);
}

static void teardown(void) {
	free(dir);
}

/* Line number i, of a length that varies. */
static char *line_of(unsigned int i) {
	return xasprintf("date=2026-11-22 n=%u pad=\"%.*s\"", i, (int)(i * 7 % 40),
			 "........................................");
}

static void add(struct logstore *s, enum logstore_category c, unsigned int from, unsigned int to) {
	for (unsigned int i = from; i < to; i++) {
		AUTO_FREE char *line = line_of(i);

		logstore_add(s, c, line, strlen(line));
	}
}

/* How many lines are there, which must be those before `end`, newest first. */
static unsigned int count(struct logstore *s, enum logstore_category c, unsigned int end) {
	struct logstore_reader *r = logstore_read(s, c);
	unsigned int n = 0;
	const char *line;
	size_t len;

	for (; logstore_next(r, &line, &len); n++) {
		AUTO_FREE char *wanted = line_of(end - 1 - n);

		ck_assert_msg(len == strlen(wanted) && memcmp(line, wanted, len) == 0,
			      "line %u is \"%.*s\", not \"%s\"", n, (int)len, line, wanted);
	}
	ck_assert_uint_eq(logstore_passed(r), logstore_size(r));
	logstore_read_end(r);
	return n;
}

static char *file(const char *name) {
	return xasprintf("%s/%s", dir, name);
}

static void put(const char *name, const char *data, size_t n) {
	AUTO_FREE char *path = file(name);
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, n), (ssize_t)n);
	close(fd);
}

static uint64_t size_of(const char *name) {
	AUTO_FREE char *path = file(name);
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* Files and bytes in the directory. */
static unsigned int n_files(uint64_t *bytes) {
	DIR *d = opendir(dir);
	const struct dirent *e;
	unsigned int n = 0;

	*bytes = 0;
	while ((e = readdir(d)) != NULL)
		if (e->d_name[0] != '.') {
			*bytes += size_of(e->d_name);
			n++;
		}
	closedir(d);
	return n;
}

/* ---- tests ---- */

START_TEST(test_newest_first) {
	struct logstore *s = opened(LARGE);

	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 0), 0);
	add(s, LOGSTORE_TRAFFIC, 0, 3);
	add(s, LOGSTORE_EVENT, 100, 101);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 3), 3);
	ck_assert_uint_eq(count(s, LOGSTORE_EVENT, 101), 1);
	ck_assert_uint_eq(logstore_lost(s), 0);
	logstore_close(s);
}
END_TEST

/* More than a block of the reader, and more than is gathered before writing. */
START_TEST(test_many) {
	struct logstore *s = opened(64 * LARGE);

	add(s, LOGSTORE_TRAFFIC, 0, 20000);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 20000), 20000);
	ck_assert_uint_gt(size_of("traffic.1.log"), 512 << 10);
	logstore_close(s);
}
END_TEST

START_TEST(test_restart) {
	struct logstore *s = opened(LARGE);

	add(s, LOGSTORE_TRAFFIC, 0, 10);
	logstore_close(s);
	s = opened(LARGE);
	add(s, LOGSTORE_TRAFFIC, 10, 20);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 20), 20);
	logstore_close(s);
}
END_TEST

/* Over the room of a file the next begins; there are never more than LOGSTORE_FILES. */
START_TEST(test_rotation) {
	const uint64_t file_max = 2000;
	struct logstore *s = opened(file_max);
	unsigned int n = 0, seen;
	uint64_t bytes;

	for (; n < 1000; n++) {
		add(s, LOGSTORE_TRAFFIC, n, n + 1);
		logstore_flush(s);
		ck_assert_uint_le(n_files(&bytes), LOGSTORE_FILES + 1); /* and the one of events */
		ck_assert_uint_le(bytes, LOGSTORE_FILES * file_max);
	}
	seen = count(s, LOGSTORE_TRAFFIC, n);
	ck_assert_uint_gt(seen, (LOGSTORE_FILES - 1) * file_max / 80);
	logstore_close(s);
	s = opened(file_max);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, n), seen);
	logstore_close(s);
}
END_TEST

/* Smaller from now on: files that are too large go as others do. */
START_TEST(test_new_size) {
	struct logstore *s = opened(LARGE);
	uint64_t bytes;

	add(s, LOGSTORE_TRAFFIC, 0, 5000);
	logstore_flush(s);
	logstore_set_file_max(s, 1000);
	for (unsigned int n = 5000; n < 5200; n++) {
		add(s, LOGSTORE_TRAFFIC, n, n + 1);
		logstore_flush(s);
	}
	n_files(&bytes);
	ck_assert_uint_le(bytes, LOGSTORE_FILES * 1000);
	logstore_close(s);
}
END_TEST

/* A reader goes on where it was while lines are added, and ends where files have gone. */
START_TEST(test_read_while_written) {
	struct logstore *s = opened(1000);
	struct logstore_reader *r;
	const char *line;
	size_t len;
	unsigned int n = 0;

	for (unsigned int i = 0; i < 60; i++) {
		add(s, LOGSTORE_TRAFFIC, i, i + 1);
		logstore_flush(s);
	}
	r = logstore_read(s, LOGSTORE_TRAFFIC);
	ck_assert(logstore_next(r, &line, &len));
	ck_assert_ptr_nonnull(memmem(line, len, "n=59 ", 5));
	for (unsigned int i = 60; i < 200; i++) {
		add(s, LOGSTORE_TRAFFIC, i, i + 1);
		logstore_flush(s);
	}
	while (logstore_next(r, &line, &len))
		n++;
	ck_assert_uint_gt(n, 3);
	ck_assert_uint_lt(n, 59);
	logstore_read_end(r);
	logstore_close(s);
}
END_TEST

static const char *const torn[] = {
	"date=2026-11-22 n=5 half of a li",
	"d",
	"\0\0\0\0\0\0\0\0",
};

/* The machine died while it wrote: what is no whole line is gone, what comes next is whole. */
START_TEST(test_torn) {
	struct logstore *s = opened(LARGE);
	uint64_t size;

	add(s, LOGSTORE_TRAFFIC, 0, 5);
	logstore_close(s);
	size = size_of("traffic.1.log");
	put("traffic.1.log", torn[_i], _i == 2 ? 8 : strlen(torn[_i]));
	s = opened(LARGE);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 5), 5);
	ck_assert_uint_eq(size_of("traffic.1.log"), size);
	add(s, LOGSTORE_TRAFFIC, 5, 6);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 6), 6);
	logstore_close(s);
}
END_TEST

/* A torn end without any newline, longer than a block. */
START_TEST(test_torn_whole) {
	AUTO_FREE char *zeros = xcalloc(1, 100000);
	struct logstore *s;

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	put("traffic.1.log", zeros, 100000);
	s = opened(LARGE);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 0), 0);
	ck_assert_uint_eq(size_of("traffic.1.log"), 0);
	logstore_close(s);
}
END_TEST

/* What is no line is passed over, wherever it stands, and however long it is. */
START_TEST(test_foreign_bytes) {
	AUTO_FREE char *junk = xcalloc(1, 300000);
	struct logstore *s = opened(LARGE);

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	memset(junk, 'x', 299999);
	junk[299999] = '\n';
	put("traffic.1.log", "\n\nhello\ndate=\n", 14);
	put("traffic.1.log", "date=2026 \0 n=1\n", 16);
	add(s, LOGSTORE_TRAFFIC, 0, 2);
	logstore_flush(s);
	put("traffic.1.log", junk, 300000);
	put("traffic.1.log", "date=", 5);
	put("traffic.1.log", junk, 300000);
	logstore_close(s);
	s = opened(4 * LARGE);
	add(s, LOGSTORE_TRAFFIC, 2, 3);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 3), 3);
	logstore_close(s);
}
END_TEST

START_TEST(test_foreign_files) {
	struct logstore *s;
	uint64_t bytes;

	ck_assert_int_eq(mkdir(dir, 0700), 0);
	put("traffic.999999.log", "date=2026-11-22 n=0 pad=\"\"\n", 27);
	put("traffic.3.log", "date=old\n", 9);
	put("traffic.log", "a", 1);
	put("traffic.1.log.gz", "a", 1);
	put("traffic.-1.log", "a", 1);
	s = opened(LARGE);
	add(s, LOGSTORE_TRAFFIC, 1, 2);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 2), 2);
	ck_assert_uint_eq(size_of("traffic.3.log"), 0); /* too old */
	ck_assert_uint_eq(n_files(&bytes), 4);
	logstore_close(s);
}
END_TEST

START_TEST(test_long_line) {
	AUTO_FREE char *text = xcalloc(1, 3 * LOGTEXT_MAX);
	struct logstore *s = opened(LARGE);
	struct logstore_reader *r;
	const char *line;
	size_t len;

	memset(text, 'x', 3 * LOGTEXT_MAX);
	memcpy(text, "date=", 5);
	logstore_add(s, LOGSTORE_TRAFFIC, text, 3 * LOGTEXT_MAX);
	r = logstore_read(s, LOGSTORE_TRAFFIC);
	ck_assert(logstore_next(r, &line, &len));
	ck_assert_uint_eq(len, LOGTEXT_MAX);
	ck_assert(!logstore_next(r, &line, &len));
	logstore_read_end(r);
	logstore_close(s);
}
END_TEST

START_TEST(test_delete) {
	struct logstore *s = opened(1000);
	struct err err = { 0 };
	uint64_t bytes;

	for (unsigned int i = 0; i < 100; i++) {
		add(s, LOGSTORE_TRAFFIC, i, i + 1);
		logstore_flush(s);
	}
	add(s, LOGSTORE_TRAFFIC, 100, 101);
	add(s, LOGSTORE_EVENT, 0, 1);
	ck_assert_msg(logstore_delete(s, LOGSTORE_TRAFFIC, &err) == 0, "%s", err.text);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 0), 0);
	ck_assert_uint_eq(count(s, LOGSTORE_EVENT, 1), 1);
	ck_assert_uint_eq(n_files(&bytes), 2);
	add(s, LOGSTORE_TRAFFIC, 0, 4);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 4), 4);
	logstore_close(s);
}
END_TEST

/* Without a directory lines are lost and counted, up to when there is one. */
START_TEST(test_no_directory) {
	AUTO_FREE char *above = xstrdup(dir);
	struct logstore *s;
	struct err err = { 0 };

	*strrchr(above, '/') = '\0';
	ck_assert_int_eq(rmdir(above), 0);
	s = opened(LARGE);
	add(s, LOGSTORE_TRAFFIC, 0, 3);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 0), 0);
	ck_assert_uint_eq(logstore_lost(s), 3);
	ck_assert_int_eq(logstore_delete(s, LOGSTORE_TRAFFIC, &err), ERR_STORE);
	ck_assert_int_eq(mkdir(above, 0700), 0);
	add(s, LOGSTORE_TRAFFIC, 0, 2);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, 2), 2);
	ck_assert_uint_eq(logstore_lost(s), 0);
	logstore_close(s);
}
END_TEST

/* ---- a full disk ---- */

/* A file system of 160 KB for dir, in a mount namespace of our own. */
static void small_disk(void) {
	ck_assert_msg(unshare(CLONE_NEWNS) == 0, "this test needs root");
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mkdir(dir, 0700), 0);
	ck_assert_int_eq(mount("none", dir, "tmpfs", 0, "size=160k"), 0);
}

/* The oldest lines make room, and nothing is lost. */
START_TEST(test_full_disk) {
	struct logstore *s;
	unsigned int n = 0;

	small_disk();
	s = opened(50000);
	for (; n < 10000; n++) {
		add(s, LOGSTORE_TRAFFIC, n, n + 1);
		if (n % 16 == 0)
			logstore_flush(s);
	}
	ck_assert_uint_eq(logstore_lost(s), 0);
	ck_assert_uint_gt(count(s, LOGSTORE_TRAFFIC, n), 500);
	logstore_close(s);
}
END_TEST

/*
 * Others fill the disk: lines are lost and counted, none is torn, and it goes on when there is
 * room.
 */
START_TEST(test_disk_full_of_others) {
	AUTO_FREE char *junk = xcalloc(1, 4096);
	AUTO_FREE char *path = NULL;
	struct logstore *s;
	unsigned int n = 0, lost;
	int fd;

	small_disk();
	s = opened(LARGE);
	path = file("other");
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	add(s, LOGSTORE_TRAFFIC, n, n + 3);
	n += 3;
	logstore_flush(s);
	while (write(fd, junk, 4096) == 4096)
		;
	close(fd);
	while (logstore_lost(s) == 0 && n < 10000) {
		add(s, LOGSTORE_TRAFFIC, n, n + 10);
		logstore_flush(s);
		n += 10;
	}
	ck_assert_uint_lt(n, 10000);
	n -= 10;
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, n), n);
	add(s, LOGSTORE_TRAFFIC, 0, 100);
	logstore_flush(s);
	lost = (unsigned int)logstore_lost(s);
	ck_assert_uint_eq(lost, 100);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, n), n);
	unlink(path);
	add(s, LOGSTORE_TRAFFIC, n, n + 1);
	ck_assert_uint_eq(count(s, LOGSTORE_TRAFFIC, n + 1), n + 1);
	ck_assert_uint_eq(logstore_lost(s), 0);
	logstore_close(s);
}
END_TEST

static Suite *logstore_suite(void) {
	Suite *s = suite_create("logstore");
	TCase *t = fixture_case(s, "logstore");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_newest_first);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_restart);
	tcase_add_test(t, test_rotation);
	tcase_add_test(t, test_new_size);
	tcase_add_test(t, test_read_while_written);
	tcase_add_loop_test(t, test_torn, 0, ARRAY_LEN(torn));
	tcase_add_test(t, test_torn_whole);
	tcase_add_test(t, test_foreign_bytes);
	tcase_add_test(t, test_foreign_files);
	tcase_add_test(t, test_long_line);
	tcase_add_test(t, test_delete);
	tcase_add_test(t, test_no_directory);
	tcase_add_test(t, test_full_disk);
	tcase_add_test(t, test_disk_full_of_others);
	return s;
}

int main(void) {
	return fixture_run(logstore_suite());
}
