/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A daemon that takes connections and never answers: the shell's end of the control socket gives
 * up.
 */
#include "cfgdb/control/client.h"

#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

START_TEST(test_silence) {
	AUTO_FREE char *dir = fixture_dir();
	AUTO_FREE char *path = xasprintf("%s/ctl", dir);
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct err err = { 0 };

	ck_assert_uint_lt(strlen(path), sizeof(addr.sun_path));
	strcpy(addr.sun_path, path);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&addr, sizeof(addr)), 0);
	ck_assert_int_eq(listen(fd, 0), 0);
	ck_assert_ptr_null(client_open_within(path, 1, &err));
	ck_assert_int_eq(err.code, ERR_TIMEOUT);
	ck_assert_str_eq(err.text, "the configuration daemon does not answer: it takes too long");
	close(fd);
}
END_TEST

int main(void) {
	Suite *s = suite_create("client_wait");

	tcase_add_test(fixture_case(s, "client_wait"), test_silence);
	return fixture_run(s);
}
