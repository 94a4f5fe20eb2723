/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One error: the number that the administrator sees after "Return code" and the lines above it.
 *
 * It is filled where the fault is known and carried up untouched; only the top layer prints it.
 * The numbers are those FortiOS prints, so that scripts which know them keep working.
 */
#pragma once

#include <stdarg.h>

enum err_code {
	ERR_NONE = 0,
	ERR_HA_AND_SYNC = -188,    /* HA mode and session synchronization together */
	ERR_LOCKED = 14,           /* changed by someone else meanwhile */
	ERR_LENGTH = -1,           /* string too long */
	ERR_NOT_FOUND = -3,        /* no such entry */
	ERR_MAX_ENTRIES = -4,      /* table or list is full */
	ERR_EXISTS = -5,           /* key or name exists already */
	ERR_CONFLICT = -7,         /* conflicts with other settings */
	ERR_IP = -8,               /* bad IP address */
	ERR_NETMASK = -9,          /* bad netmask */
	ERR_DENIED = -14,          /* object that the administrator may not see or change */
	ERR_DUPLICATE = -15,       /* duplicate entry */
	ERR_IN_USE = -23,          /* still referenced */
	ERR_RESTORE = -28,         /* no file to restore */
	ERR_VIP = -36,             /* duplicate or invalid virtual IP */
	ERR_PERMISSION = -37,      /* not allowed */
	ERR_FILE = -39,            /* configuration file error */
	ERR_IP_RANGE = -45,        /* bad address range */
	ERR_FORMAT = -50,          /* bad format */
	ERR_OVERLAP = -54,         /* subnets overlap */
	ERR_EMPTY = -56,           /* required value is empty */
	ERR_PARSE = -61,           /* input not as expected */
	ERR_TOO_LONG = -72,        /* text is too long */
	ERR_ZONE = -157,           /* interface that policies name cannot be in a zone */
	ERR_INCOMPLETE = -160,     /* a word is missing */
	ERR_NAME_INTERFACE = -553, /* name clash of interface objects */
	ERR_CHARACTERS = -173,     /* characters that a name may not hold */
	ERR_TIMEOUT = -360,        /* the configuration daemon did not answer */
	ERR_STORE = -361,          /* the configuration could not be written */
	ERR_KERNEL = -362,         /* the kernel refused the change */
	ERR_PORT_RANGE = -363,     /* bad port range */
	ERR_RANGE = -650,          /* inverted or impossible range */
	ERR_VALUE = -651,          /* value fails the attribute's check */
	ERR_OPMODE = -7610,        /* operation mode that this product does not have */
	ERR_UNKNOWN = -9999,       /* first word is no command here: printed without a code line */
};

#define ERR_TEXT_MAX 1024

struct err {
	int code;                  /* 0: no error */
	char text[ERR_TEXT_MAX];   /* lines as printed, without the last newline */
};

/* Fill e (which may be NULL) and return code. */
int err_set(struct err *e, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Put a formatted line before the text of e, which keeps its code. */
void err_prefix(struct err *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Make one line of a text that quotes what a user or a peer typed, without control characters. */
void err_clean_line(char *text);

/* What the number means, in a few words; never NULL. */
const char *err_meaning(int code);
