/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A list of system calls that are allowed; all others kill the process, so that code which somebody
 * has brought into it finds no way to run a program, to watch or stop other processes, or to reach
 * parts of the kernel that the daemon has no business with. The filter covers every thread, also
 * those that run already, and nothing can take it off.
 *
 * Here is what any program of ours needs, in groups by the reason; confine_lists.c has the rest.
 * Where a call opens more than one door, rows of limits say which: the filter sees numbers only, so
 * what is behind a pointer (paths, addresses) is not for it to judge.
 */
#include "cfgdb/base/confine.h"

#include "cfgdb/base/mem.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAMESPACES                                                                                \
	(CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWUSER |            \
	 CLONE_NEWPID | CLONE_NEWNET)

static const char *const common_calls[] = {
	/* The heap, and memory that a thread or a mapped file takes. */
	"brk munmap mremap madvise",
	/* Threads, and how they wait for each other and end. */
	"futex futex_time64 set_robust_list rseq membarrier sched_yield sched_getaffinity exit",
	/* The end, and what a signal brings with it. */
	"exit_group rt_sigaction rt_sigprocmask rt_sigreturn sigreturn sigaction sigprocmask "
	"sigaltstack restart_syscall",
	/* Who and where we are. */
	"getpid gettid getppid getuid getuid32 geteuid geteuid32 getgid getgid32 getegid getegid32 "
	"getresuid getresuid32 getresgid getresgid32 getgroups getgroups32 uname sysinfo getcwd "
	"getrlimit ugetrlimit getrusage",
	/* Time. */
	"clock_gettime clock_gettime64 clock_getres clock_getres_time64 gettimeofday time "
	"nanosleep clock_nanosleep clock_nanosleep_time64",
	/* Random numbers. */
	"getrandom",
	/* Files that are there: configuration, names of users and hosts, kernel settings. */
	"open openat read pread64 readv preadv write pwrite64 writev pwritev close lseek _llseek "
	"stat stat64 lstat lstat64 fstat fstat64 newfstatat fstatat64 statx statfs statfs64 "
	"fstatfs fstatfs64 access faccessat faccessat2 readlink readlinkat getdents getdents64 "
	"fcntl fcntl64 dup dup2 dup3 umask",
	/* The event loop, and what wakes it. */
	"epoll_create1 epoll_ctl epoll_wait epoll_pwait epoll_pwait2 poll ppoll ppoll_time64 "
	"select _newselect pselect6 pselect6_time64 timerfd_create timerfd_settime "
	"timerfd_settime64 timerfd_gettime timerfd_gettime64 eventfd2 pipe pipe2",
	/* Sockets that are open; socket() itself is limited. */
	"bind listen accept accept4 connect shutdown getsockname getpeername getsockopt setsockopt "
	"send sendto sendmsg sendmmsg recv recvfrom recvmsg recvmmsg recvmmsg_time64",
	NULL,
};

static const struct confine_limit common_limits[] = {
	/* Memory is either written or run, and what is mapped as data stays that. */
	{ "mmap", { { 2, PROT_EXEC, 0 } } },
	{ "mmap", { { 2, PROT_WRITE, 0 } } },
	{ "mmap2", { { 2, PROT_EXEC, 0 } } },
	{ "mmap2", { { 2, PROT_WRITE, 0 } } },
	{ "mprotect", { { 2, PROT_EXEC, 0 } } },
	/* Threads, no processes, and none of them in other namespaces. */
	{ "clone", { { 0, CLONE_THREAD | NAMESPACES, CLONE_THREAD } } },
	/* Threads may have names; modules that look up users ask what the process could do. */
	{ "prctl", { CONFINE_IS(0, PR_SET_NAME) } },
	{ "prctl", { CONFINE_IS(0, PR_CAPBSET_READ) } },
	/* Limits are read (the size of a stack, for one), not set. */
	{ "prlimit64", { CONFINE_IS(0, 0), { 2, UINT64_MAX, 0 } } },
	/* Clients, the log; names of hosts; interfaces, routes and sessions of the kernel. */
	{ "socket", { CONFINE_IS(0, AF_UNIX) } },
	{ "socket", { CONFINE_IS(0, AF_INET) } },
	{ "socket", { CONFINE_IS(0, AF_INET6) } },
	{ "socket", { CONFINE_IS(0, AF_PACKET) } },
	{ "socket", { CONFINE_IS(0, AF_NETLINK), CONFINE_IS(2, NETLINK_ROUTE) } },
	{ "socket", { CONFINE_IS(0, AF_NETLINK), CONFINE_IS(2, NETLINK_NETFILTER) } },
	{ "socketpair", { CONFINE_IS(0, AF_UNIX) } },
	/* How much there is to read; interfaces by name and number; whether a log is a terminal. */
	{ "ioctl", { CONFINE_IS(1, FIONREAD) } },
	{ "ioctl", { CONFINE_IS(1, FIONBIO) } },
	{ "ioctl", { CONFINE_IS(1, SIOCGIFINDEX) } },
	{ "ioctl", { CONFINE_IS(1, SIOCGIFNAME) } },
	{ "ioctl", { CONFINE_IS(1, TCGETS) } },
	{ NULL },
};

#ifdef CONFINE_SANITIZED
/*
 * The leak finder of a sanitizer looks at its process from outside, at the end: it makes another
 * one of it, which stops all threads.
 */
static const char *const sanitizer_calls[] = {
	"clone ptrace wait4 waitpid prctl kill tgkill prlimit64 setrlimit mmap mmap2 mprotect",
	NULL,
};
#endif

static int add(scmp_filter_ctx ctx, uint32_t action, const char *name,
	       const struct confine_arg *args) {
	struct scmp_arg_cmp cmp[CONFINE_ARGS];
	int call = seccomp_syscall_resolve_name(name);
	unsigned int n = 0;

	for (; args && n < CONFINE_ARGS && args[n].mask; n++)
		cmp[n] = SCMP_CMP(args[n].arg, SCMP_CMP_MASKED_EQ, args[n].mask, args[n].value);
	return call == __NR_SCMP_ERROR ? -EINVAL
				       : seccomp_rule_add_array(ctx, action, call, n, cmp);
}

static int add_calls(scmp_filter_ctx ctx, const char *const groups[], const char **at) {
	for (size_t i = 0; groups[i]; i++) {
		AUTO_FREE char *copy = xstrdup(groups[i]);
		char *rest = copy, *name;
		int rc;

		while ((name = strsep(&rest, " "))) {
			rc = add(ctx, SCMP_ACT_ALLOW, name, NULL);
			if (rc != 0) {
				*at = groups[i];
				return rc;
			}
		}
	}
	return 0;
}

static int add_limits(scmp_filter_ctx ctx, const struct confine_limit rows[], const char **at) {
	int rc = 0;

	for (size_t i = 0; rc == 0 && rows[i].call; i++) {
		rc = add(ctx, SCMP_ACT_ALLOW, rows[i].call, rows[i].args);
		*at = rows[i].call;
	}
	return rc;
}

/*
 * Signals go to this process alone. What clone3() is asked for is behind a pointer; without it the
 * C library takes clone(), which can be judged.
 */
static int add_own(scmp_filter_ctx ctx, const char **at) {
	const struct confine_limit own[] = {
		{ "kill", { CONFINE_IS(0, getpid()) } },
		{ "tgkill", { CONFINE_IS(0, getpid()) } },
		{ NULL },
	};
	int rc = add_limits(ctx, own, at);

	return rc ? rc : add(ctx, SCMP_ACT_ERRNO(ENOSYS), "clone3", NULL);
}

static int set_up(scmp_filter_ctx ctx) {
	int rc = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);

	if (rc == 0)
		rc = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	/* Calls are looked up in a tree instead of one after the other. */
	return rc ? rc : seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
}

static int fill(scmp_filter_ctx ctx, const struct confine_list *list, const char **at) {
	int rc = set_up(ctx);

	if (rc == 0)
		rc = add_calls(ctx, common_calls, at);
	if (rc == 0)
		rc = add_calls(ctx, list->calls, at);
	if (rc == 0)
		rc = add_own(ctx, at);
	if (rc == 0)
		rc = add_limits(ctx, common_limits, at);
	if (rc == 0)
		rc = add_limits(ctx, list->limits, at);
#ifdef CONFINE_SANITIZED
	if (rc == 0)
		rc = add_calls(ctx, sanitizer_calls, at);
#endif
	return rc;
}

int confine(const struct confine_list *list, struct err *err) {
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_KILL_PROCESS);
	const char *at = "";
	int rc;

	if (!ctx)
		return err_set(err, ERR_PERMISSION, "no filter of system calls can be made");
	rc = fill(ctx, list, &at);
	if (rc != 0)
		err_set(err, ERR_PERMISSION, "filter of system calls: %s: %s", at, strerror(-rc));
	else if ((rc = seccomp_load(ctx)) != 0)
		err_set(err, ERR_PERMISSION, "the kernel takes no filter of system calls: %s",
			strerror(-rc));
	seccomp_release(ctx);
	return rc ? ERR_PERMISSION : 0;
}

bool confine_is_built(void) {
	return true;
}

const char *confine_state(void) {
	return "system calls are limited to those that are needed";
}

#else

int confine(const struct confine_list *list, struct err *err) {
	(void)list;
	(void)err;
	return 0;
}

bool confine_is_built(void) {
	return false;
}

const char *confine_state(void) {
	return "built without libseccomp: system calls are not limited";
}

#endif
