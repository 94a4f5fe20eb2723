/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that the daemon answers (`diagnose ...`, `get router info ...`): a table of words and
 * functions that the composition root puts together from its parts.
 *
 * A command answers at once, in one text, or opens a stream: output that comes piece by piece while
 * the daemon serves others, so that it may be long, or endless, and costs no memory.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "cfgdb/base/err.h"
#include "cfgdb/base/str.h"
#include "cfgdb/model/model.h"

struct caller;
struct rights;

/* What commands keep from one call to the next on one connection; made by command_memory. */
struct memories;

/*
 * A kind of such memory: its size in bytes, how it begins (NULL: zeroed), what ends it (or NULL).
 */
struct memory_kind {
	size_t size;
	void (*init)(void *memory);
	void (*done)(void *memory);
};

struct command_call {
	const struct model *model;   /* the active configuration */
	size_t argc;
	char *const *argv;           /* the argc words after those of the command */
	const char *user;
	const struct rights *rights; /* his */
	bool json;                   /* the output is to be JSON; only for commands that have it */
	struct memories **memories;  /* of the connection */
	struct caller *caller;       /* the connection, for what belongs to it (requests.h) */
};

/* Whether the user of a command may see the objects of a table. */
bool command_may_see(const struct command_call *call, const struct schema_table *table);

/* The errors of a command that got a wrong word, or too few; they return their codes. */
int command_bad_word(const char *word, struct err *err);
int command_word_missing(struct err *err);

/* For commands without arguments: an error when there are some. */
int command_no_words(const struct command_call *call, struct err *err);

/* The memory of this kind on this connection, made when it is first asked for. Never NULL. */
void *command_memory(const struct command_call *call, const struct memory_kind *kind);

/* End all memories of a connection. */
void memories_done(struct memories **memories);

enum stream_state {
	STREAM_MORE,         /* there is more at once */
	STREAM_WAIT,         /* there is more when fd is readable */
	STREAM_END,
	STREAM_FAILED,       /* *err is filled */
};

struct stream {
	/*
	 * Append the next piece, lines ending in \n, to out: a few hundred kilobytes and a few
	 * milliseconds at most, for everyone else waits. Never called again after its end.
	 */
	enum stream_state (*next)(void *ctx, struct str *out, struct err *err);
	/* Release ctx; called once, whether the stream came to its end or nobody wants the rest. */
	void (*close)(void *ctx);
	int fd;              /* stays open until close; -1 when next never waits */
	void *ctx;
	/* Nobody wants the rest: append what is still to be said, a few lines. May be NULL. */
	void (*last)(void *ctx, struct str *out);
};

struct command {
	const char *words;   /* "diagnose ip address list" */
	bool has_json;       /* the output can be JSON; also where there is none */
	/* Group of which its user may read, or write (cfgdb/rights.h); neither: super_admin. What
	 * writes is told in the log with its arguments, of which none is a secret. */
	const char *reads, *writes;
	/* The shell does it, when run has let it: told with the outcome that the shell says. */
	bool by_shell;
	const char *act;     /* what a refusal says that he may not; NULL: run it */
	/* Append the whole output, lines ending in \n, to out. */
	int (*run)(void *ctx, const struct command_call *call, struct str *out, struct err *err);
	void *ctx;
	/* What speaks against it, when only that is asked, other than his role. May be NULL. */
	int (*check)(void *ctx, const struct command_call *call, struct err *err);
	/*
	 * Instead of run: fill *ret, which the caller closes. What leaves it as it is has no
	 * output.
	 */
	int (*open)(void *ctx, const struct command_call *call, struct stream *ret,
		    struct err *err);
};
