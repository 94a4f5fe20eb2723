/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The configuration as one text: what `execute backup` writes. */
#pragma once

#include <stdbool.h>

#include "cfgdb/base/str.h"
#include "cfgdb/control/client.h"

#define BACKUP_KEY_MAX 15 /* bytes in the name of a private key */

enum backup_form {
	BACKUP_CONFIG,           /* what `show` prints */
	BACKUP_FULL,             /* with what is at its default */
	BACKUP_YAML,             /* for other programs */
};

/*
 * Append the whole configuration as it is at one moment. stop(arg) is asked now and then whether
 * that is enough; then the text ends anywhere, and 0 is returned.
 */
int backup_text(struct client *client, enum backup_form form, bool (*stop)(void *arg), void *arg,
		struct str *out, struct err *err);

/* Number of the revision that is active, into *ret. */
int backup_revision(struct client *client, struct str *ret, struct err *err);

/* Give a revision this comment. */
int backup_comment(struct client *client, const char *revision, const char *comment,
		   struct err *err);

/* Name of the private key that secrets are sealed with, into *ret: "none" or 8 digits. */
int backup_key(struct client *client, struct str *ret, struct err *err);

/*
 * The name of the private key that the secrets of a backup are sealed with, from the lines that it
 * begins with; "none": with that of a device.
 */
void backup_key_of(const char *text, size_t n, char ret[BACKUP_KEY_MAX + 1]);

/* Append the lines that a configuration begins with. */
void backup_header(const struct client *client, struct str *out);

/* Whether a text of n bytes begins as one that this product wrote; as one of any product. */
bool backup_is_ours(const char *text, size_t n);
bool backup_is_any(const char *text, size_t n);

/* Whether it has the line that ends what `execute backup` writes. */
bool backup_has_end(const char *text, size_t n);

/*
 * Write a file that only its owner can read, or replace a file: whole, and on the disk, or not at
 * all. Nothing but a file is replaced, and no link is followed.
 */
int backup_write(const char *path, const struct str *text, struct err *err);
