/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of `execute config-transaction` for what workspace.c and pending.c do. When a
 * transaction begins it is told how long it lasts, and how to come back to it.
 */
#include "cfgdb/control/cmd_transaction.h"

#include <bsd/stdlib.h>
#include <inttypes.h>
#include <string.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/requests.h"
#include "cfgdb/difference.h"
#include "cfgdb/pending.h"

static struct workspace *workspace_of(const struct command_call *call) {
	return call->caller->config->workspace;
}

static int take_number(const char *word, long long most, long long *ret, struct err *err) {
	const char *bad;

	*ret = strtonum(word, 1, most, &bad);
	return bad ? command_bad_word(word, err) : 0;
}

static int take_minutes(const char *word, long long most, long long *ret, struct err *err) {
	if (take_number(word, most, ret, err) == 0)
		return 0;
	return err_set(err, ERR_PARSE,
		       "\ncommand parse error before '%.200s'\nminutes are 1 to %lld", word, most);
}

static int one_word_at_most(const struct command_call *call, struct err *err) {
	return call->argc > 1 ? command_bad_word(call->argv[1], err) : 0;
}

/* ---- execute config-transaction ---- */

static void tell_time(const struct held *h, struct str *out) {
	str_addf(out,
		 "It ends after %u minute%s without a change. `execute config-transaction resume "
		 "%" PRIu64 "` takes it up again after a lost connection.\n",
		 h->minutes, str_plural(h->minutes), h->id);
}

static int start_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct caller *s = call->caller;
	long long minutes = WORKSPACE_MINUTES;
	int rc = one_word_at_most(call, err);

	(void)ctx;
	if (rc == 0 && call->argc > 0)
		rc = take_minutes(call->argv[0], WORKSPACE_MINUTES_MAX, &minutes, err);
	if (rc == 0 && s->txn)
		rc = err_set(err, ERR_CONFLICT,
			     "all of these commands are one transaction (--atomic): no other can "
			     "be started in it");
	if (rc == 0)
		rc = workspace_start(workspace_of(call), &s->seat, s->user, (unsigned int)minutes,
				     err);
	if (rc)
		return rc;
	str_addf(out, "config transaction id=%" PRIu64 " is open\n", s->seat.held->id);
	tell_time(s->seat.held, out);
	return 0;
}

static int resume_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct caller *s = call->caller;
	long long id;
	size_t n;
	int rc = call->argc < 1 ? command_word_missing(err) : one_word_at_most(call, err);

	(void)ctx;
	if (rc == 0)
		rc = take_number(call->argv[0], INT64_MAX, &id, err);
	if (rc == 0 && s->txn)
		rc = err_set(err, ERR_CONFLICT, "a transaction is open already");
	if (rc == 0)
		rc = workspace_resume(workspace_of(call), &s->seat, (uint64_t)id, s->user, err);
	if (rc)
		return rc;
	n = txn_staged(s->seat.held->txn);
	str_addf(out, "config transaction id=%" PRIu64 " is open, with %zu change%s\n",
		 s->seat.held->id, n, str_plural(n));
	tell_time(s->seat.held, out);
	return 0;
}

/* An id, and what is open under it if that is not here; *id is 0 without one. */
static int take_other(const struct command_call *call, uint64_t *id, const struct held **other,
		      struct err *err) {
	long long number = 0;
	int rc = one_word_at_most(call, err);

	*other = NULL;
	if (rc == 0 && call->argc > 0)
		rc = take_number(call->argv[0], INT64_MAX, &number, err);
	*id = (uint64_t)number;
	if (rc == 0 && number > 0)
		rc = workspace_find(workspace_of(call), *id, call->user, other, err);
	if (*other && (*other)->seat == &call->caller->seat)
		*other = NULL;
	return rc;
}

static int abort_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct caller *s = call->caller;
	const struct held *other;
	uint64_t id;
	int rc = take_other(call, &id, &other, err);

	(void)ctx;
	explicit_bzero(s->private_key, sizeof(s->private_key)); /* given for what goes now */
	if (other)
		str_addf(out,
			 "config transaction id=%" PRIu64 " of %s is aborted: %zu changes are "
			 "dropped\n",
			 id, other->user, txn_staged(other->txn));
	return rc ? rc : workspace_abort(workspace_of(call), &s->seat, id, s->user, err);
}

/* For the question of a shell before somebody loses what he works in; if nobody does: nothing. */
static int elsewhere_run(void *ctx, const struct command_call *call, struct str *out,
			 struct err *err) {
	const struct held *other;
	uint64_t id;
	int rc = take_other(call, &id, &other, err);

	(void)ctx;
	if (other && other->seat)
		str_addf(out,
			 "config transaction id=%" PRIu64 " of %s is open in another session, with "
			 "%zu changes.\n",
			 id, other->user, txn_staged(other->txn));
	return rc;
}

/* "confirm" MINUTES and "comment" TEXT, in any order. */
static int read_wish(const struct command_call *call, struct commit_wish *ret, struct err *err) {
	long long minutes;
	int rc;

	*ret = (struct commit_wish){ .comment = "" };
	for (size_t i = 0; i < call->argc; i += 2) {
		bool confirm = strcmp(call->argv[i], "confirm") == 0;

		if (!confirm && strcmp(call->argv[i], "comment") != 0)
			return command_bad_word(call->argv[i], err);
		if (i + 1 == call->argc)
			return command_word_missing(err);
		if (confirm) {
			rc = take_minutes(call->argv[i + 1], PENDING_MINUTES_MAX, &minutes, err);
			if (rc)
				return rc;
			ret->confirm_minutes = (unsigned int)minutes;
		} else {
			ret->comment = call->argv[i + 1];
		}
	}
	if (strlen(ret->comment) > CTL_COMMENT_MAX)
		return err_set(err, ERR_TOO_LONG, "the comment is too long: at most %d bytes",
			       CTL_COMMENT_MAX);
	return 0;
}

static int commit_run(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct caller *s = call->caller;
	struct commit_wish wish;
	struct held *h;
	int rc = read_wish(call, &wish, err);

	(void)ctx;
	(void)out;
	if (rc == 0)
		rc = workspace_open(&s->seat, &h, err);
	if (rc)
		return rc;
	rc = caller_commit(s, h->txn, &wish, err);
	if (rc == 0)
		workspace_end(&s->seat);
	else
		err_prefix(err, "config transaction id=%" PRIu64 " stays open:", h->id);
	return rc;
}

struct confirming {
	const struct caller *caller;
	uint64_t revision;
};

/* Another one's commit is confirmed by who could have made it. */
static int check_owner(void *arg, const struct awaited *a) {
	const struct caller *s = ((const struct confirming *)arg)->caller;
	uint64_t revision = ((const struct confirming *)arg)->revision;

	return a->revision == revision && strcmp(a->user, s->user) != 0 &&
	       rights_in(&s->rights, "all") < RIGHTS_WRITE;
}

static int confirm_run(void *ctx, const struct command_call *call, struct str *out,
		       struct err *err) {
	struct caller *s = call->caller;
	long long number = 0;
	uint64_t revision;
	int rc = one_word_at_most(call, err);

	(void)ctx;
	if (rc == 0 && call->argc > 0)
		rc = take_number(call->argv[0], INT64_MAX, &number, err);
	if (rc == 0 && pending_each(s->config->pending, check_owner,
				    &(struct confirming){ s, (uint64_t)number }))
		rc = rights_refuse("confirm what others have committed", err);
	if (rc == 0)
		rc = pending_confirm(s->config->pending, (uint64_t)number, s->user, &revision, err);
	if (rc == 0)
		str_addf(out, "revision %" PRIu64 " is confirmed\n", revision);
	return rc;
}

static int diff_run(void *ctx, const struct command_call *call, struct str *out, struct err *err) {
	struct held *h;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc == 0)
		rc = workspace_open(&call->caller->seat, &h, err);
	if (rc == 0)
		difference_txn(h->txn, out);
	return rc;
}

#define EXECUTE "execute config-transaction "

const struct command *commands_transaction(size_t *n) {
	static const struct command table[] = {
		{ .words = EXECUTE "start", .reads = "any", .run = start_run },
		{ .words = EXECUTE "resume", .reads = "any", .run = resume_run },
		{ .words = EXECUTE "abort", .reads = "any", .run = abort_run },
		{ .words = EXECUTE "elsewhere", .reads = "any", .run = elsewhere_run },
		{ .words = EXECUTE "commit", .reads = "any", .run = commit_run },
		{ .words = EXECUTE "confirm", .reads = "any", .run = confirm_run },
		{ .words = EXECUTE "diff", .reads = "any", .run = diff_run },
	};

	*n = ARRAY_LEN(table);
	return table;
}
