/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cfgdb/control/client.h without a daemon: the configuration is in memory, for tests and fuzzing of
 * what uses it. It keeps versions, transactions and references as the daemon does, and takes sealed
 * secrets for its own unless they begin with "foreign"; it checks nothing else.
 */
#pragma once

#include "cfgdb/control/client.h"

/* A new empty configuration; client_close() frees it. */
struct client *fake_client_new(void);

/* The next n calls of a kind ("put", "delete", "commit", "begin", "get", ...) fail like this. */
void fake_client_fail(struct client *c, const char *kind, unsigned int n, int code,
		      const char *text);

/* The administrator may use these first words, and with tables what levels, which stay, say. */
void fake_client_role(struct client *c, uint8_t verbs, const uint8_t *levels);

/* From now on calls of a kind ("put", "delete", "commit") that succeed warn of this; NULL: not. */
void fake_client_warn(struct client *c, const char *kind, const char *text);

/* Somebody else changes an object: its version is another one now. */
void fake_client_touch(struct client *c, const struct schema_table *table, const char *key);

/* How often a function of this kind was called ("put", "commit", "check_ref", "get", ...). */
unsigned int fake_client_calls(const struct client *c, const char *kind);

/*
 * The output of commands that begin with this word (a constant) lasts until there is enough, and
 * then they say so.
 */
void fake_client_endless(struct client *c, const char *word);

/* What this command prints from now on, both constants; other commands print their own words. */
void fake_client_say(struct client *c, const char *command, const char *text);

/* The code that client_outcome() had last. */
int fake_client_outcome(const struct client *c);

/* Number of objects of a table that are really there, staged ones not counted. */
size_t fake_client_count(const struct client *c, const struct schema_table *table);
