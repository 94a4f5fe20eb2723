/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No shell and no words of the administrator but as single arguments; the language is C, so that
 * what is printed can be read. Ctrl-C at the terminal reaches the program, too, and ends it, while
 * this one only stops its output.
 *
 * Most programs keep lines that go to a pipe until there are many. What is followed is given a
 * terminal, so that each comes when it is printed; the others are not, as some colour what they
 * write to one.
 */
#include "cli/program.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"

#define STATUS_MISSING 127
#define STATUS_SIGNAL 128

/* In the child: never returns. */
static void program_exec(const char *const argv[], int fd) {
	int null = open("/dev/null", O_RDONLY);

	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(fd, STDOUT_FILENO) < 0 ||
	    dup2(fd, STDERR_FILENO) < 0)
		_exit(STATUS_MISSING);
	signal(SIGINT, SIG_DFL);
	signal(SIGPIPE, SIG_DFL);
	setenv("LC_ALL", "C", 1);
	execvp(argv[0], (char *const *)argv);
	_exit(STATUS_MISSING);
}

static int program_wait(pid_t pid) {
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return STATUS_SIGNAL;
	return WIFEXITED(status) ? WEXITSTATUS(status) : STATUS_SIGNAL;
}

/* The read end is closed here. */
static void program_read(int fd, void (*each)(void *arg, const char *line), void *arg) {
	FILE *in = fdopen(fd, "r");
	char line[PROGRAM_LINE_MAX];

	if (!in) {
		close(fd);
		return;
	}
	for (;;) {
		if (fgets(line, sizeof(line), in)) {
			line[strcspn(line, "\n")] = '\0';
			each(arg, line);
		} else if (ferror(in) && errno == EINTR) {
			clearerr(in);
		} else {
			break;
		}
	}
	fclose(in);
}

static int program_fork(struct shell *sh, const char *const argv[], const int fds[2],
			void (*each)(void *arg, const char *line), void *arg, int *status,
			struct err *err) {
	pid_t pid;

	out_flush(sh->out);
	pid = fork();
	if (pid == 0)
		program_exec(argv, fds[1]);
	close(fds[1]);
	if (pid < 0) {
		close(fds[0]);
		return err_set(err, ERR_FILE, "%s cannot be run: %s", argv[0], strerror(errno));
	}
	program_read(fds[0], each, arg);
	*status = program_wait(pid);
	if (*status == STATUS_MISSING)
		return err_set(err, ERR_FILE, "%s is not installed", argv[0]);
	return 0;
}

int program_run(struct shell *sh, const char *const argv[],
		void (*each)(void *arg, const char *line), void *arg, int *status,
		struct err *err) {
	int fds[2];

	if (pipe2(fds, O_CLOEXEC) < 0)
		return err_set(err, ERR_FILE, "%s cannot be run: %s", argv[0], strerror(errno));
	return program_fork(sh, argv, fds, each, arg, status, err);
}

/* The program's end of the terminal, which changes nothing of what is written; -1: none. */
static int terminal_end(int master) {
	struct termios settings;
	char name[64];
	int fd;

	if (grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, name, sizeof(name)) != 0)
		return -1;
	fd = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (fd >= 0 && tcgetattr(fd, &settings) == 0) {
		settings.c_oflag &= ~(tcflag_t)OPOST;
		if (tcsetattr(fd, TCSANOW, &settings) == 0)
			return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

int program_follow(struct shell *sh, const char *const argv[],
		   void (*each)(void *arg, const char *line), void *arg, int *status,
		   struct err *err) {
	int fds[2] = { posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC), -1 };

	if (fds[0] >= 0)
		fds[1] = terminal_end(fds[0]);
	if (fds[1] >= 0)
		return program_fork(sh, argv, fds, each, arg, status, err);
	if (fds[0] >= 0)
		close(fds[0]);
	return program_run(sh, argv, each, arg, status, err);
}

bool program_host_is_sane(const char *host) {
	if (!*host || *host == '-' || strlen(host) > PROGRAM_HOST_MAX)
		return false;
	for (; *host; host++)
		if (!isalnum((unsigned char)*host) && !strchr(".-_", *host))
			return false;
	return true;
}

/* ---- what systemd refuses ---- */

static bool is_there(const char *root, const char *path) {
	AUTO_FREE char *full = xasprintf("%s%s", root, path);

	return access(full, F_OK) == 0;
}

const char *program_lacks(const char *root, bool is_root) {
	if (!is_there(root, "/run/dbus/system_bus_socket"))
		return "dbus does not run here: without it systemd cannot be asked";
	if (!is_root && !is_there(root, "/usr/share/dbus-1/system-services/"
					"org.freedesktop.PolicyKit1.service"))
		return "polkitd is not installed: without it systemd lets root alone do this";
	return NULL;
}

int program_denied(const char *what, const char *how, const char *said, struct err *err) {
	const char *lacks = program_lacks("", geteuid() == 0);

	return err_set(err, ERR_PERMISSION, "%s %s: %s%s%s", what, how, said, lacks ? "\n" : "",
		       lacks ? lacks : "");
}
