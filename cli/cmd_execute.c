/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that are no configuration: those the daemon answers are passed on with their words in
 * full; output that is watched as it comes ends at a key, too, which is then the first of the next
 * line, so that `diagnose debug disable` can be typed as where the output runs in the background;
 * exit ends the session.
 */
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/client.h"
#include "cli/commands.h"

#define REMOTE_WORDS_MAX 32

static void remote_text(void *arg, const char *text, size_t len) {
	const struct shell *sh = arg;

	out_bytes(sh->out, text, len);
	out_flush(sh->out); /* the next piece may be long in coming */
}

static bool remote_enough(void *arg) {
	const struct shell *sh = arg;

	return out_stopped(sh->out);
}

static bool watch_enough(void *arg) {
	const struct shell *sh = arg;
	struct pollfd key = { .fd = STDIN_FILENO, .events = POLLIN };

	return out_stopped(sh->out) || (sh->typing && poll(&key, 1, 0) > 0);
}

/* After Ctrl-C: what the command has to say about that is wanted, and no filter is for it. */
static void remote_last(void *arg, const char *text, size_t len) {
	const struct shell *sh = arg;
	AUTO_STR struct str all = STR_INIT;

	out_begin(sh->out);
	str_add_char(&all, '\n');
	str_add_bytes(&all, text, len);
	out_say(sh->out, str_text(&all));
}

/* The command as the daemon knows it; how many words it has. */
static size_t remote_line(const struct call *call, char *words[REMOTE_WORDS_MAX]) {
	size_t n = 0;

	for (size_t i = 0; i < call->n_words; i++)
		words[n++] = (char *)call->words[i];
	for (size_t i = 0; i < call->argc && n < REMOTE_WORDS_MAX; i++)
		words[n++] = call->argv[i];
	return n;
}

static int remote_words(struct shell *sh, const struct call *call, const struct client_output *out,
			struct err *err) {
	char *words[REMOTE_WORDS_MAX];

	return client_run(sh->client, remote_line(call, words), words, out, err);
}

static int remote_run(struct shell *sh, const struct call *call, bool (*enough)(void *arg),
		      struct err *err) {
	const struct client_output out = { .text = remote_text,
					   .enough = enough,
					   .arg = sh,
					   .json = sh->json,
					   .last = remote_last };

	return remote_words(sh, call, &out, err);
}

int cmd_remote(struct shell *sh, const struct call *call, struct err *err) {
	return remote_run(sh, call, remote_enough, err);
}

int cmd_may(struct shell *sh, const struct call *call, struct err *err) {
	char *words[REMOTE_WORDS_MAX];

	return client_may(sh->client, remote_line(call, words), words, err);
}

int cmd_watch(struct shell *sh, const struct call *call, struct err *err) {
	return remote_run(sh, call, watch_enough, err);
}

/* Other keys mean nothing here, and are not for the next line. */
static bool top_enough(void *arg) {
	const struct shell *sh = arg;
	const struct out *out = sh->out;

	while (sh->typing && !out_stopped(sh->out) && out->key_ready(out->key_arg)) {
		int byte = out->key(out->key_arg);

		if (byte < 0 || byte == 'q' || byte == 'Q')
			return true;
	}
	return out_stopped(sh->out);
}

int cmd_top(struct shell *sh, const struct call *call, struct err *err) {
	return remote_run(sh, call, top_enough, err);
}

/* ---- with a question that the daemon knows ---- */

static void take_answer(void *arg, const char *text, size_t len) {
	str_add_bytes(arg, text, len);
}

static bool never_enough(void *arg) {
	(void)arg;
	return false;
}

int cmd_permit(struct shell *sh, const struct call *call, struct err *err) {
	AUTO_STR struct str said = STR_INIT;
	const struct client_output out = { .text = take_answer,
					   .enough = never_enough,
					   .arg = &said };

	return remote_words(sh, call, &out, err);
}

int cmd_outcome(struct shell *sh, int rc) {
	struct err err;

	if (client_outcome(sh->client, rc, &err) == ERR_TIMEOUT)
		sh->lost = true;
	return rc;
}

/* What the daemon answers to these words, whatever form of output the session has. */
static int remote_ask(struct shell *sh, size_t n, const char *const words[], struct str *answer,
		      struct err *err) {
	const struct client_output out = { .text = take_answer,
					   .enough = never_enough,
					   .arg = answer };

	return client_run(sh->client, n, (char **)words, &out, err);
}

/* Without a filter everyone is cut off, the administrator too: it is asked first, at a terminal. */
int cmd_session_clear(struct shell *sh, const struct call *call, struct err *err) {
	const char *const words[] = { "diagnose", "sys", call->words[2], "clear",
				      "unfiltered-count" };
	AUTO_STR struct str answer = STR_INIT;
	AUTO_FREE char *warning = NULL;
	int rc = remote_ask(sh, ARRAY_LEN(words), words, &answer, err);

	if (rc == ERR_NOT_FOUND)
		return cmd_remote(sh, call, err);
	if (rc)
		return rc;
	warning = xasprintf("No filter spares any: this ends all %.*s sessions.",
			    (int)strcspn(str_text(&answer), "\n"), str_text(&answer));
	return shell_confirm(sh, warning) ? cmd_remote(sh, call, err) : 0;
}

/* Somebody may be at work in it, or the administrator himself in another window. */
int cmd_transaction_take(struct shell *sh, const struct call *call, struct err *err) {
	AUTO_STR struct str answer = STR_INIT;
	AUTO_FREE char *warning = NULL;
	int rc = 0;

	if (call->argc > 0 && sh->confirm) {
		const char *const words[] = { "execute", "config-transaction", "elsewhere",
					      call->argv[0] };

		rc = remote_ask(sh, ARRAY_LEN(words), words, &answer, err);
	}
	if (rc)
		return rc;
	warning = xstrndup(str_text(&answer), strcspn(str_text(&answer), "\n"));
	return !*warning || shell_confirm(sh, warning) ? cmd_remote(sh, call, err) : 0;
}

/* ---- exit ---- */

int cmd_exit(struct shell *sh, const struct call *call, struct err *err) {
	(void)call;
	(void)err;
	sh->quit = true;
	return 0;
}

int cmd_exit_inside(struct shell *sh, const struct call *call, struct err *err) {
	(void)sh;
	(void)call;
	return err_set(err, ERR_UNKNOWN, "please use 'end' to return to root shell");
}
