/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Nobody reads the terminal while a command runs: what is typed waits there. So a clock looks once
 * a second whether more of it waits than before. When none has come for too long, what a Ctrl-C
 * would end is ended, in the same way: a capture, a program of the system, a page that is shown, a
 * write to a terminal whose output somebody has stopped.
 *
 * The seconds are counted, not taken from a clock that somebody may set.
 */
#include "cli/idle.h"

#include <errno.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <termios.h>
#include <unistd.h>

static volatile sig_atomic_t limit, left;
static volatile sig_atomic_t waiting;    /* bytes at the terminal when it was looked at last */

static int bytes_waiting(void) {
	int n = 0;

	return ioctl(STDIN_FILENO, FIONREAD, &n) == 0 ? n : 0;
}

static void interrupt(void) {
	(void)tcflow(STDOUT_FILENO, TCOON);
	(void)kill(0, SIGINT);
}

static void on_second(int sig) {
	int saved = errno, n = bytes_waiting();

	(void)sig;
	if (n != waiting)
		left = limit;
	else if (left > 0 && --left == 0)
		interrupt();
	waiting = n;
	errno = saved;
}

static void set_clock(int seconds) {
	const struct itimerval every = { { .tv_sec = seconds }, { .tv_sec = seconds } };

	(void)setitimer(ITIMER_REAL, &every, NULL);
}

void idle_begin(unsigned int seconds) {
	struct sigaction sa = { .sa_handler = on_second, .sa_flags = SA_RESTART };

	limit = left = (sig_atomic_t)seconds;
	if (seconds == 0)
		return;
	waiting = bytes_waiting();
	sigemptyset(&sa.sa_mask);
	sigaction(SIGALRM, &sa, NULL);
	set_clock(1);
}

void idle_touch(void) {
	if (left > 0)
		left = limit;
}

bool idle_end(void) {
	if (limit == 0)
		return false;
	set_clock(0);
	return left == 0;
}
