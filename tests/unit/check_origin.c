/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where users come from, in what systems write about them, and not in what users can. */
#include "cfgdb/origin.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

static char *root;

static void setup(void) {
	static const char *const folders[] = { "proc", "proc/7", "run", "run/systemd",
					       "run/systemd/sessions" };

	root = fixture_dir();
	for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
		AUTO_FREE char *path = xasprintf("%s/%s", root, folders[i]);

		ck_assert_int_eq(mkdir(path, 0700), 0);
	}
}

static void teardown(void) {
	free(root);
}

static void put(const char *name, const char *text) {
	AUTO_FREE char *path = xasprintf("%s/%s", root, name);
	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static void check(const char *want) {
	char got[ORIGIN_MAX];

	origin_of(root, 7, got);
	ck_assert_str_eq(got, want);
}

START_TEST(test_session) {
	check("");
	put("proc/7/cgroup", "0::/user.slice/user-1000.slice/session-12.scope\n");
	check("");
	put("run/systemd/sessions/12", "# comment\nUID=1000\nREMOTE=1\nREMOTE_HOST=203.0.113.7\n"
				       "SERVICE=sshd\n");
	check("203.0.113.7");
	put("run/systemd/sessions/12", "UID=1000\nREMOTE=1\nREMOTE_HOST=2001:db8::1\n");
	check("2001:db8::1");
	put("run/systemd/sessions/12", "UID=1000\nREMOTE=0\nTTY=tty1\n");
	check("");
}
END_TEST

/* A user can make groups of such names below his own. */
START_TEST(test_forged) {
	put("run/systemd/sessions/12", "UID=0\nREMOTE_HOST=203.0.113.7\n");
	put("proc/7/cgroup", "0::/user.slice/user-1000.slice/user@1000.service/session-12.scope\n");
	check("");
	put("proc/7/cgroup", "0::/session-12.scope\n");
	check("");
	put("proc/7/cgroup", "0::/user.slice/user-1000.slice/session-../../x.scope\n");
	check("");
	put("proc/7/cgroup", "0::/user.slice/user-1000.slice/session-12.scope\n");
	put("run/systemd/sessions/12",
	    "UID=0\nREMOTE_HOST=aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n");
	check("");
	put("run/systemd/sessions/12", "UID=0\nREMOTE_HOST=a b)\n");
	check("a");
}
END_TEST

int main(void) {
	Suite *s = suite_create("origin");
	TCase *t = fixture_case(s, "origin");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_session);
	tcase_add_test(t, test_forged);
	return fixture_run(s);
}
