/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The protocol by which the modules of the login (NSS, PAM, the helper for keys) ask the daemon who
 * may log in, over a unix socket of packets (SOCK_SEQPACKET), open to every process.
 *
 * A packet is a request or an answer, whole: u8 AAA_VERSION, u8 type, fields (cfgdb/base/buf.h).
 * Each request has one answer, in order. Whoever sends what is no request is hung up on.
 *
 * request       fields                    who may ask              answer
 * AAA_NAME      str name                  anyone                   account
 * AAA_UID       u32 uid                   anyone                   account
 * AAA_AUTH      login, str password       uid 0                    account
 * AAA_ACCOUNT   login                     uid 0                    account
 * AAA_KEYS      str name                  uid 0, the user of keys  str text
 * AAA_BEGIN     login                     uid 0                    account
 * AAA_END       u32 session               uid 0                    account
 * AAA_SELF                                a process of a session   account
 * AAA_PASSWORD  str name, str old, str new   uid 0, the administrator  account
 * AAA_LISTEN                              uid 0                    server
 * AAA_LOCAL     u8 what, login            uid 0                    account
 *
 * login    u8 service, str name, str source, str tty
 * server   u16 port, u16 grace_s, u32 idle_s, u8 banner, str kex, str ciphers, str macs
 * account  str name, u32 uid, u32 gid, u32 session, u32 idle_s, u8 flags, str origin
 *
 * An answer is AAA_OK and the fields above, or AAA_NOT_FOUND, AAA_DENIED or AAA_BUSY and a str:
 * what may be told to who logs in ("": nothing but that it has failed).
 *
 * The source of a login is the address it comes from as text, "" at the console. AAA_AUTH judges a
 * password; it answers alike, and after the same work, for a name that nobody has. AAA_ACCOUNT
 * judges everything else, however the password or key was proved: it is asked after either, and
 * AAA_BEGIN judges it again. A session begins for the process that asks and ends with it, or by
 * AAA_END. With that the shell of who has not typed for too long ends its own, before it exits;
 * only uid 0 ends any. AAA_KEYS gives lines of an authorized_keys file with their options.
 *
 * AAA_LISTEN tells what the SSH server for administrators is to do: algorithms are words of the
 * schema with a blank between two.
 *
 * AAA_LOCAL tells of a user of the machine's files, whom the daemon does not judge: the log has it.
 *
 * AAA_PASSWORD sets a password. The old one is compared unless uid 0 asks, or the session of who
 * asks has AAA_MUST_CHANGE, which goes with it. AAA_DENIED: another one may do; AAA_BUSY with a
 * text: none would, as on a secondary of a group.
 *
 * A session that begins with AAA_MUST_CHANGE can do nothing but set a password: the daemon refuses
 * all else, whoever speaks for it.
 *
 * Only sessions that have begun can use the configuration: a process with the uid of an
 * administrator that is no descendant of a session's process is refused by the daemon.
 *
 * Files may have an account with the name of an administrator: who logs somebody in must check that
 * the account it is about to use has the uid of the answer.
 */
#pragma once

#define AAA_VERSION 1
#define AAA_SOCKET_NAME "aaa"      /* in the run directory */

/* Uids of administrators: asked of the daemon for nothing else, and by the daemon for none. */
#define AAA_UID_MIN 70000u
#define AAA_UID_MAX 99999u

#define AAA_NAME_MAX 63            /* bytes, each without the end; who is called longer stays out */
#define AAA_SOURCE_MAX 63
#define AAA_TTY_MAX 32
#define AAA_PASSWORD_MAX 256
#define AAA_ORIGIN_MAX 79          /* "ssh(ADDRESS)" */
#define AAA_TEXT_MAX 255           /* of a refusal */
#define AAA_WORDS_MAX 511          /* all algorithms of a kind */
#define AAA_KEYS_MAX 24576         /* all keys of an administrator with their options */
#define AAA_REQUEST_MAX 1024       /* bytes of a packet */
#define AAA_ANSWER_MAX 25600

/* What AAA_LOCAL tells. */
enum aaa_local {
	AAA_LOCAL_REFUSED,
	AAA_LOCAL_LOGIN,
	AAA_LOCAL_LOGOUT,
	AAA_LOCAL_COUNT,
};

enum aaa_type {
	AAA_NAME = 1,
	AAA_UID,
	AAA_AUTH,
	AAA_ACCOUNT,
	AAA_KEYS,
	AAA_BEGIN,
	AAA_END,
	AAA_SELF,
	AAA_PASSWORD,
	AAA_LISTEN,
	AAA_LOCAL,
	AAA_REQUEST_COUNT,

	AAA_OK = 64,
	AAA_NOT_FOUND,             /* nobody has that name, uid or session */
	AAA_DENIED,
	AAA_BUSY,                  /* too many ask, or it cannot be done here now: later */
};

enum aaa_service {
	AAA_SSH,
	AAA_CONSOLE,
	AAA_SERVICE_COUNT
};

/* Flags of an account. */
enum aaa_flag {
	AAA_MUST_CHANGE = 1 << 0,  /* a new password has to be set before anything else */
	AAA_BANNER = 1 << 1,       /* the post-login banner is to be accepted */
};
