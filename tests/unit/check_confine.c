/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both daemons' lists, each tried in a child: what they forbid ends it with SIGSYS, and what the
 * daemons do goes on.
 */
#include "cfgdb/base/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/sched.h>
#include <netdb.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "tests/lib/fixture.h"

#ifdef CONFINE_SANITIZED
#define WATCHED true /* the sanitizer needs what is forbidden otherwise */
#else
#define WATCHED false
#endif

static const struct confine_list *const lists[] = { &confine_gatehoused, &confine_syncd };

static char *dir; /* for this test */

/* How a child ends that does this under a list: its exit status, or minus the signal. */
static int outcome(const struct confine_list *list, void (*act)(void)) {
	struct err err = { 0 };
	pid_t pid = fork();
	int status;

	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (confine(list, &err) != 0) {
			fprintf(stderr, "%s\n", err.text);
			_exit(99);
		}
		act();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* A child that goes on in vain. */
static void must(bool true_) {
	if (!true_)
		_exit(1);
}

/* ---- what is forbidden ---- */

static void run_program(void) {
	execl("/bin/true", "true", (char *)NULL);
}

static void run_program_at(void) {
	syscall(SYS_execveat, AT_FDCWD, "/bin/true", NULL, NULL, 0);
}

static void make_process(void) {
	if (fork() == 0)
		_exit(0);
}

static void spawn(void) {
	char name[] = "true", *argv[] = { name, NULL };
	pid_t pid;

	must(posix_spawn(&pid, "/bin/true", NULL, NULL, argv, NULL) != EAGAIN);
}

static void make_namespace_thread(void) {
	syscall(SYS_clone, CLONE_THREAD | CLONE_SIGHAND | CLONE_VM | CLONE_NEWNET, NULL, NULL, NULL,
		NULL);
}

static void be_traced(void) {
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
}

static void look_into_parent(void) {
	syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0);
}

static void signal_parent(void) {
	kill(getppid(), 0);
}

static void leave_namespaces(void) {
	syscall(SYS_unshare, CLONE_NEWUSER);
}

static void enter_namespace(void) {
	syscall(SYS_setns, -1, 0);
}

static void mount_something(void) {
	syscall(SYS_mount, "none", "/nonexistent", "tmpfs", 0, NULL);
}

static void change_root(void) {
	syscall(SYS_chroot, "/nonexistent");
}

static void change_user(void) {
	syscall(SYS_setuid, getuid());
}

static void load_bpf(void) {
	syscall(SYS_bpf, 0, NULL, 0);
}

static void load_module(void) {
	syscall(SYS_finit_module, -1, "", 0);
}

static void use_ring(void) {
	syscall(SYS_io_uring_setup, 1, NULL);
}

static void use_keyring(void) {
	syscall(SYS_keyctl, 0, 0, 0, 0, 0);
}

static void handle_faults(void) {
	syscall(SYS_userfaultfd, 0);
}

static void raise_core_limit(void) {
	const struct rlimit some = { 1, 1 };

	setrlimit(RLIMIT_CORE, &some);
}

static void become_dumpable(void) {
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static void write_and_run(void) {
	mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
}

static void run_data(void) {
	mprotect(dir, 1, PROT_READ | PROT_EXEC);
}

static void use_crypto_socket(void) {
	socket(AF_ALG, SOCK_SEQPACKET, 0);
}

static void use_audit_socket(void) {
	socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT);
}

static void type_for_others(void) {
	ioctl(0, TIOCSTI, "x");
}

static void *change_user_in_thread(void *arg) {
	change_user();
	return arg;
}

static void forbidden_in_thread(void) {
	pthread_t thread;

	must(pthread_create(&thread, NULL, change_user_in_thread, NULL) == 0);
	pthread_join(thread, NULL);
}

static const struct forbidden {
	const char *name;
	void (*act)(void);
	bool watched;                /* a sanitizer needs it */
} forbidden[] = {
	{ "run a program", run_program, false },
	{ "run a program (execveat)", run_program_at, false },
	{ "make a process", make_process, true },
	{ "spawn", spawn, true },
	{ "make a thread in another namespace", make_namespace_thread, true },
	{ "be traced", be_traced, true },
	{ "look into another process", look_into_parent, false },
	{ "send a signal to another process", signal_parent, true },
	{ "unshare", leave_namespaces, false },
	{ "setns", enter_namespace, false },
	{ "mount", mount_something, false },
	{ "chroot", change_root, false },
	{ "setuid", change_user, false },
	{ "bpf", load_bpf, false },
	{ "load a module", load_module, false },
	{ "io_uring", use_ring, false },
	{ "keyctl", use_keyring, false },
	{ "userfaultfd", handle_faults, false },
	{ "allow core files", raise_core_limit, true },
	{ "become dumpable", become_dumpable, true },
	{ "map memory to write and run", write_and_run, true },
	{ "make memory one to run", run_data, true },
	{ "a socket of a foreign family", use_crypto_socket, false },
	{ "a netlink socket of a foreign kind", use_audit_socket, false },
	{ "type for other terminals", type_for_others, false },
	{ "anything of it in a thread", forbidden_in_thread, false },
};

START_TEST(test_forbidden) {
	const struct forbidden *f = &forbidden[_i];

	if (f->watched && WATCHED)
		return;
	dir = fixture_dir();
	for (size_t i = 0; i < ARRAY_LEN(lists); i++)
		ck_assert_msg(outcome(lists[i], f->act) == -SIGSYS, "%s is not forbidden (list %zu)",
			      f->name, i);
	free(dir);
}
END_TEST

/* ---- what goes on ---- */

static void *return_it(void *arg) {
	return arg;
}

static void use_thread(void) {
	pthread_t thread;
	void *ret = NULL;

	must(pthread_create(&thread, NULL, return_it, dir) == 0);
	must(pthread_join(thread, &ret) == 0 && ret == dir);
}

/* A resolver reads files, loads modules and asks servers. */
static void resolve(void) {
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	struct addrinfo *list = NULL;

	must(getaddrinfo("localhost", "443", &hints, &list) == 0 && list);
	freeaddrinfo(list);
	(void)getaddrinfo("name.invalid", NULL, &hints, &list);
}

static void look_up_user(void) {
	must(getpwnam("root") && !getpwnam("nobody-has-this-name"));
}

static void use_memory(void) {
	char *p = malloc(64 << 20);

	must(p);
	memset(p, 1, 64 << 20);
	p = realloc(p, 128 << 20);
	must(p && p[1] == 1);
	free(p);
}

static volatile sig_atomic_t caught;

static void on_signal(int number) {
	caught = number;
}

static void signal_itself(void) {
	must(signal(SIGUSR1, on_signal) != SIG_ERR);
	must(raise(SIGUSR1) == 0 && caught == SIGUSR1);
}

static void use_sockets(void) {
	static const struct {
		int family, type, protocol;
	} kinds[] = {
		{ AF_UNIX, SOCK_STREAM, 0 },	  { AF_INET, SOCK_STREAM, 0 },
		{ AF_INET6, SOCK_DGRAM, 0 },	  { AF_NETLINK, SOCK_RAW, NETLINK_ROUTE },
		{ AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER },
	};

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		must(socket(kinds[i].family, kinds[i].type, kinds[i].protocol) >= 0);
	must(socket(AF_PACKET, SOCK_DGRAM, 0) >= 0 || errno == EPERM);
}

/* Of clone3() it hears that there is none, and takes clone(). */
static void have_no_clone3(void) {
	must(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
}

static void abort_itself(void) {
	abort();
}

static const struct {
	const char *name;
	void (*act)(void);
	int end;
} allowed[] = {
	{ "threads", use_thread, 0 },
	{ "names of hosts", resolve, 0 },
	{ "names of users", look_up_user, 0 },
	{ "memory", use_memory, 0 },
	{ "a signal to itself", signal_itself, 0 },
	{ "sockets", use_sockets, 0 },
	{ "clone3", have_no_clone3, 0 },
	{ "abort", abort_itself, -SIGABRT },
};

START_TEST(test_allowed) {
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		int end = outcome(lists[i], allowed[_i].act);

		ck_assert_msg(end == allowed[_i].end, "%s: %d (list %zu)", allowed[_i].name, end,
			      i);
	}
}
END_TEST

/* ---- where the lists differ ---- */

static void keep_configuration(void) {
	struct engine *e = fixture_engine(dir);

	fixture_set(e, "firewall.address", "x", "set comment \"y\"\n");
	engine_close(e);
}

static void remove_file(void) {
	AUTO_FREE char *path = xasprintf("%s/none", dir);

	unlink(path);
}

static void make_directory(void) {
	AUTO_FREE char *path = xasprintf("%s/made", dir);

	mkdir(path, 0700);
}

static void rename_file(void) {
	rename(dir, "/nonexistent/name");
}

START_TEST(test_files) {
	dir = fixture_dir();
	ck_assert_int_eq(outcome(&confine_gatehoused, keep_configuration), 0);
	ck_assert_int_eq(outcome(&confine_gatehoused, remove_file), 0);
	ck_assert_int_eq(outcome(&confine_syncd, keep_configuration), -SIGSYS);
	ck_assert_int_eq(outcome(&confine_syncd, remove_file), -SIGSYS);
	ck_assert_int_eq(outcome(&confine_syncd, make_directory), -SIGSYS);
	ck_assert_int_eq(outcome(&confine_syncd, rename_file), -SIGSYS);
	free(dir);
}
END_TEST

/* ---- threads that run already ---- */

static int gate[2];

static void *wait_and_change_user(void *arg) {
	char c;

	if (read(gate[0], &c, 1) == 1)
		change_user();
	return arg;
}

static void let_thread_go(void) {
	must(write(gate[1], "x", 1) == 1);
	pause();
}

START_TEST(test_earlier_thread) {
	struct err err = { 0 };
	pid_t pid = fork();
	pthread_t thread;
	int status;

	if (pid == 0) {
		must(pipe(gate) == 0);
		must(pthread_create(&thread, NULL, wait_and_change_user, NULL) == 0);
		must(confine(&confine_gatehoused, &err) == 0);
		let_thread_go();
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
}
END_TEST

START_TEST(test_state) {
	ck_assert_ptr_nonnull(strstr(confine_state(),
				     confine_is_built() ? "limited" : "not limited"));
}
END_TEST

static Suite *confine_suite(void) {
	Suite *s = suite_create("confine");
	TCase *t = fixture_case(s, "confine");

	tcase_add_test(t, test_state);
	if (!confine_is_built())
		return s;
	tcase_add_loop_test(t, test_forbidden, 0, ARRAY_LEN(forbidden));
	tcase_add_loop_test(t, test_allowed, 0, ARRAY_LEN(allowed));
	tcase_add_test(t, test_files);
	tcase_add_test(t, test_earlier_thread);
	return s;
}

int main(void) {
	return fixture_run(confine_suite());
}
