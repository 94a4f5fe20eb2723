/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The daemon's end of the control socket: accepts local administrators, holds their transactions,
 * answers requests one after the other.
 */
#pragma once

#include "cfgdb/control/command.h"
#include "cfgdb/engine.h"

struct aaa;
struct audit;
struct event_base;
struct pending;
struct relay;
struct role;
struct server;
struct workspace;

struct server_config {
	const char *path;                  /* of the socket, replaced if it exists */
	const char *group;                 /* whose members are administrators, besides root */
	const struct command *commands;    /* n_commands of them; live as long as the server */
	size_t n_commands;
	const char *version;               /* of the product */
	struct audit *audit;               /* is told of refusals and commands; NULL: nobody is */
	struct relay *relay;               /* for who attaches; NULL: nobody can */
	const char *attach_user;           /* who may, and nothing else, beside root; or NULL */
	struct role *role;                 /* of the unit in its group; NULL: none */
	struct workspace *workspace;       /* for config transactions; NULL: there are none */
	struct pending *pending;           /* for commits to be confirmed; NULL: there are none */
	const struct aaa *aaa;             /* for administrators; NULL: they have no sessions */
};

/* Listen; strings of config are copied. NULL and *err when that fails. */
struct server *server_new(struct event_base *base, struct engine *engine,
			  const struct server_config *config, struct err *err);

/* A session is over: what belongs to it may do nothing more, is told why and hung up on. */
void server_end_session(struct server *s, uint32_t session, const char *why);

/* Drop all connections, remove the socket. NULL is fine. */
void server_free(struct server *s);
