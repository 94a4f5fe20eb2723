/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stretching a secret takes longer than the daemon may be silent, so a thread does it, which
 * touches nothing but its own job; a descriptor tells the loop that it has ended. Whoever asks
 * meanwhile for something else gets it after that.
 *
 * The result is kept beside what it was made of: the group's number and a keyed MAC of the secret.
 * All of it is sealed under the device key, so the file helps nobody to guess the secret.
 */
#include "backends/group_key.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "cfgdb/base/file.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/wipe.h"

#define FILE_VERSION 1
#define FILE_MAX 1024

/* A key, and what it was made of. */
struct made {
	uint8_t version, group;
	uint8_t mac[SECRET_MAC_LEN];
	uint8_t key[SECRET_GROUP_KEY_LEN];
};

struct job {
	pthread_t thread;
	const struct keyring *keyring;
	char *sealed;
	struct made made;
	int done;                    /* the descriptor that tells of its end */
	struct err err;
};

struct group_key {
	const struct keyring *keyring;
	char *path;
	void (*ready)(void *arg);
	void *arg;
	struct made made;            /* version 0: none */
	bool looked;                 /* into the file */
	bool running;
	struct job job;
	struct event *ended;
	struct err failed;           /* of the last job */
};

static bool is_made_of(const struct made *m, const struct made *wanted) {
	return m->version == wanted->version && m->group == wanted->group &&
	       memcmp(m->mac, wanted->mac, sizeof(m->mac)) == 0;
}

/* ---- the file: the struct in hex, sealed ---- */

#define HEX_LEN (2 * sizeof(struct made))

static void to_hex(const struct made *m, char *text) {
	const uint8_t *p = (const uint8_t *)m;

	for (size_t i = 0; i < sizeof(*m); i++)
		sprintf(text + 2 * i, "%02x", p[i]);
}

static bool from_hex(const char *text, struct made *m) {
	uint8_t *p = (uint8_t *)m;

	if (strlen(text) != HEX_LEN)
		return false;
	for (size_t i = 0; i < sizeof(*m); i++)
		if (sscanf(text + 2 * i, "%2hhx", &p[i]) != 1)
			return false;
	return true;
}

/* What cannot be read is made anew. */
static void load(struct group_key *g) {
	AUTO_STR struct str text = STR_INIT;
	char *plain = NULL;

	g->looked = true;
	if (file_read(g->path, FILE_MAX, &text, NULL) != 0 ||
	    secret_unseal(g->keyring, str_text(&text), &plain, NULL) != 0)
		return;
	if (!from_hex(plain, &g->made))
		explicit_bzero(&g->made, sizeof(g->made));
	explicit_bzero(plain, strlen(plain));
	free(plain);
}

/* What cannot be kept is made anew after the next start. */
static void save(const struct group_key *g) {
	char hex[HEX_LEN + 1];
	AUTO_FREE char *sealed = NULL;

	to_hex(&g->made, hex);
	sealed = secret_seal(g->keyring, hex);
	explicit_bzero(hex, sizeof(hex));
	(void)file_replace(g->path, sealed, strlen(sealed), NULL);
}

/* ---- the job ---- */

static void *job_run(void *arg) {
	struct job *j = arg;
	const uint64_t one = 1;

	secret_group_key(j->keyring, j->sealed, j->made.group, j->made.key, &j->err);
	wipe_stack();
	while (write(j->done, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

static void job_clear(struct job *j) {
	free(j->sealed);
	j->sealed = NULL;
	j->err = (struct err){ 0 };
	explicit_bzero(&j->made, sizeof(j->made));
}

static void on_ended(evutil_socket_t fd, short what, void *arg) {
	struct group_key *g = arg;
	uint64_t n;

	(void)what;
	if (read(fd, &n, sizeof(n)) != sizeof(n) || !g->running)
		return;
	pthread_join(g->job.thread, NULL);
	g->running = false;
	g->failed = g->job.err;
	g->made = g->job.made;
	job_clear(&g->job);
	if (g->failed.code == 0)
		save(g);
	g->ready(g->arg);
}

static int job_start(struct group_key *g, const char *sealed, const struct made *wanted,
		     struct err *err) {
	int error;

	g->job.keyring = g->keyring;
	g->job.sealed = xstrdup(sealed);
	g->job.made = *wanted;
	error = pthread_create(&g->job.thread, NULL, job_run, &g->job);
	g->running = error == 0;
	if (g->running)
		return 0;
	job_clear(&g->job);
	return err_set(err, ERR_STORE, "no thread to stretch a secret: %s", strerror(error));
}

/* ---- the whole ---- */

struct group_key *group_key_new(struct event_base *base, const struct keyring *keyring,
				const char *path, void (*ready)(void *arg), void *arg,
				struct err *err) {
	struct group_key *g = xcalloc(1, sizeof(*g));

	g->keyring = keyring;
	g->path = xstrdup(path);
	g->ready = ready;
	g->arg = arg;
	g->job.done = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (g->job.done >= 0)
		g->ended = event_new(base, g->job.done, EV_READ | EV_PERSIST, on_ended, g);
	if (g->ended && event_add(g->ended, NULL) == 0)
		return g;
	err_set(err, ERR_STORE, "no event loop");
	return group_key_free(g);
}

struct group_key *group_key_free(struct group_key *g) {
	if (!g)
		return NULL;
	if (g->running)
		pthread_join(g->job.thread, NULL);
	job_clear(&g->job);
	if (g->ended)
		event_free(g->ended);
	if (g->job.done >= 0)
		close(g->job.done);
	explicit_bzero(&g->made, sizeof(g->made));
	free(g->path);
	free(g);
	return NULL;
}

enum group_key_state group_key_get(struct group_key *g, const char *sealed, uint8_t group,
				   uint8_t key[SECRET_GROUP_KEY_LEN], struct err *err) {
	struct made wanted = { .version = FILE_VERSION, .group = group };

	if (secret_mac(g->keyring, NULL, sealed, wanted.mac, err) != 0)
		return GROUP_KEY_FAILED;
	if (secret_is_key(g->keyring, sealed))
		return secret_group_key(g->keyring, sealed, group, key, err) ? GROUP_KEY_FAILED
									     : GROUP_KEY_READY;
	if (!g->looked)
		load(g);
	if (g->failed.code && is_made_of(&g->made, &wanted)) {
		*err = g->failed;
		g->failed = (struct err){ 0 };
		explicit_bzero(&g->made, sizeof(g->made));
		return GROUP_KEY_FAILED;
	}
	if (is_made_of(&g->made, &wanted)) {
		memcpy(key, g->made.key, sizeof(g->made.key));
		return GROUP_KEY_READY;
	}
	if (!g->running && job_start(g, sealed, &wanted, err) != 0)
		return GROUP_KEY_FAILED;
	return GROUP_KEY_MAKING;
}
