/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A process that holds secrets: it dies without a core file, and nobody can look into it. */
#include "cfgdb/base/nocore.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

/* The status of a child that locks itself, if it shall, and is killed as by a wild pointer. */
static int crashed(bool locked) {
	struct rlimit limit = { 0 };
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		getrlimit(RLIMIT_CORE, &limit);
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit(RLIMIT_CORE, &limit) != 0 || (locked && nocore(NULL) != 0) ||
		    (prctl(PR_GET_DUMPABLE) == 0) != locked)
			_exit(1);
		getrlimit(RLIMIT_CORE, &limit);
		if (locked && limit.rlim_max != 0)
			_exit(2);
		signal(SIGSEGV, SIG_DFL);
		raise(SIGSEGV);
		_exit(3);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

START_TEST(test_crash) {
	AUTO_FREE char *dir = fixture_dir();
	int status;

	ck_assert_int_eq(chdir(dir), 0); /* where a core file would be */
	status = crashed(true);
	ck_assert(WIFSIGNALED(status));
	ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
	ck_assert(!WCOREDUMP(status));
	ck_assert(WIFSIGNALED(crashed(false)));
	ck_assert_int_eq(chdir("/"), 0);
}
END_TEST

int main(void) {
	Suite *s = suite_create("nocore");
	TCase *t = fixture_case(s, "nocore");

	tcase_add_test(t, test_crash);
	return fixture_run(s);
}
