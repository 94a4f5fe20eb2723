/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two queues between loop and thread under one lock: what is to be compared, and what was. A
 * descriptor wakes the loop. The thread touches a job only while it is in neither. A name that
 * nobody has is compared with a hash made of random bytes at the start, with the same method and
 * cost as all others.
 */
#include "cfgdb/aaa/hasher.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/queue.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "cfgdb/base/wipe.h"
#include "cfgdb/password.h"

struct hasher_job {
	char *hash, *password;
	bool right;
	void (*done)(void *arg, bool right);
	void *arg;
	STAILQ_ENTRY(hasher_job) next;
};

STAILQ_HEAD(queue, hasher_job);

struct hasher {
	pthread_t thread;
	bool runs;
	pthread_mutex_t lock;        /* of the queues, and stop */
	pthread_cond_t more;
	struct queue waiting, ended;
	bool stop;
	unsigned int n;              /* jobs that have not been answered */
	int fd;                      /* readable when something has ended */
	struct event *event;
	char *nobody;                /* a hash that no password gives */
	uint64_t count;
};

static void wipe(char *text) {
	if (text)
		explicit_bzero(text, strlen(text));
	free(text);
}

static void job_free(struct hasher_job *job) {
	wipe(job->hash);
	wipe(job->password);
	free(job);
}

static struct hasher_job *take(struct queue *q) {
	struct hasher_job *job = STAILQ_FIRST(q);

	if (job)
		STAILQ_REMOVE_HEAD(q, next);
	return job;
}

/* ---- the thread ---- */

/* The next job, when there is one; NULL when the thread is to end. */
static struct hasher_job *wait_for_job(struct hasher *h) {
	struct hasher_job *job;

	pthread_mutex_lock(&h->lock);
	while (!h->stop && STAILQ_EMPTY(&h->waiting))
		pthread_cond_wait(&h->more, &h->lock);
	job = h->stop ? NULL : take(&h->waiting);
	pthread_mutex_unlock(&h->lock);
	return job;
}

static void *work(void *arg) {
	struct hasher *h = arg;
	struct hasher_job *job;

	while ((job = wait_for_job(h)) != NULL) {
		bool right = password_is(job->hash ? job->hash : h->nobody, job->password);

		job->right = right && job->hash;
		wipe_stack();
		pthread_mutex_lock(&h->lock);
		STAILQ_INSERT_TAIL(&h->ended, job, next);
		pthread_mutex_unlock(&h->lock);
		while (eventfd_write(h->fd, 1) != 0 && errno == EINTR)
			;
	}
	return NULL;
}

/* Signals are the loop's. */
static int start_thread(struct hasher *h) {
	sigset_t all, before;
	int rc;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = pthread_create(&h->thread, NULL, work, h);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	h->runs = rc == 0;
	return rc;
}

/* ---- the loop ---- */

static struct hasher_job *take_ended(struct hasher *h) {
	struct hasher_job *job;

	pthread_mutex_lock(&h->lock);
	job = take(&h->ended);
	pthread_mutex_unlock(&h->lock);
	return job;
}

static void on_ended(evutil_socket_t fd, short what, void *arg) {
	struct hasher *h = arg;
	struct hasher_job *job;
	eventfd_t n;

	(void)what;
	(void)eventfd_read(fd, &n);
	while ((job = take_ended(h)) != NULL) {
		h->n--;
		h->count++;
		job->done(job->arg, job->right);
		job_free(job);
	}
}

static char *make_nobody(void) {
	char password[2 * 16 + 1];

	for (int i = 0; i < 2; i++)
		snprintf(password + 16 * i, 17, "%016llx", (unsigned long long)random_u64());
	return password_hash(password);
}

struct hasher *hasher_new(struct event_base *base, struct err *err) {
	struct hasher *h = xcalloc(1, sizeof(*h));

	STAILQ_INIT(&h->waiting);
	STAILQ_INIT(&h->ended);
	pthread_mutex_init(&h->lock, NULL);
	pthread_cond_init(&h->more, NULL);
	h->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	h->nobody = make_nobody();
	h->event = h->fd < 0 ? NULL : event_new(base, h->fd, EV_READ | EV_PERSIST, on_ended, h);
	if (h->nobody && h->event && event_add(h->event, NULL) == 0 && start_thread(h) == 0)
		return h;
	err_set(err, ERR_STORE, "passwords cannot be compared: no thread, or no yescrypt");
	return hasher_free(h);
}

static void drop_all(struct queue *q) {
	struct hasher_job *job;

	while ((job = take(q)) != NULL) {
		free(job->arg);
		job_free(job);
	}
}

static void stop_thread(struct hasher *h) {
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->thread, NULL);
}

struct hasher *hasher_free(struct hasher *h) {
	if (!h)
		return NULL;
	if (h->runs)
		stop_thread(h);
	drop_all(&h->waiting);
	drop_all(&h->ended);
	if (h->event)
		event_free(h->event);
	if (h->fd >= 0)
		close(h->fd);
	pthread_cond_destroy(&h->more);
	pthread_mutex_destroy(&h->lock);
	wipe(h->nobody);
	free(h);
	return NULL;
}

bool hasher_compare(struct hasher *h, const char *hash, const char *password,
		    void (*done)(void *arg, bool right), void *arg) {
	struct hasher_job *job;

	if (h->n >= HASHER_JOBS_MAX)
		return false;
	job = xcalloc(1, sizeof(*job));
	job->hash = hash ? xstrdup(hash) : NULL;
	job->password = xstrdup(password);
	job->done = done;
	job->arg = arg;
	h->n++;
	pthread_mutex_lock(&h->lock);
	STAILQ_INSERT_TAIL(&h->waiting, job, next);
	pthread_cond_signal(&h->more);
	pthread_mutex_unlock(&h->lock);
	return true;
}

uint64_t hasher_count(const struct hasher *h) {
	return h->count;
}
