/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The control protocol between the shell and the daemon, over a unix stream socket.
 *
 * A frame is u32 length (of what follows), u8 type, fields (cfgdb/base/buf.h). The client sends one
 * request and reads answers until CTL_OK or CTL_ERROR. Both ends are built from one schema; the
 * hello carries its digest, so table and attribute numbers mean the same on both.
 *
 * request            fields                                    answers before CTL_OK
 * CTL_HELLO          u32 version, str schema digest            CTL_INFO
 * CTL_GET            u16 table, str key                        CTL_OBJECT
 * CTL_LIST           u16 table                                 CTL_OBJECT...
 * CTL_KEYS           u16 table, str prefix, u32 max            CTL_KEY...
 * CTL_CHECK_REF      u16 table, u16 attribute, str name
 * CTL_NEXT_ID        u16 table                                 CTL_ID
 * CTL_BEGIN          u8 kind of transaction
 * CTL_COMMIT         u32 minutes, str comment
 * CTL_ABORT
 * CTL_PUT            u16 table, str key, u64 version, str body
 * CTL_DELETE         u16 table, str key
 * CTL_RENAME         u16 table, str key, str new key
 * CTL_PLACE          u16 table, str key, u8 before, str other key
 * CTL_PURGE          u16 table
 * CTL_RUN            u8 form, u16 count, str word...           CTL_TEXT..., CTL_LAST
 * CTL_CANCEL
 * CTL_CHECK_SECRET   u16 table, u16 attribute, str "ENC TEXT"
 * CTL_PRIVATE_KEY    u8 at once, str digits
 * CTL_OUTCOME        u32 code
 * CTL_ATTACH
 * CTL_REPLY          u32 id, str text                          (none)
 * CTL_REPLY_END      u32 id, u32 code, str text                (none)
 * CTL_READY                                                    (none)
 *
 * CTL_SYNC_TABLES                                              CTL_SYNC_REVISION,
 *                                                              CTL_SYNC_DIGEST...
 * CTL_SYNC_INDEX     str table, str after, u32 max             the same, of keys
 * CTL_SYNC_CHANGES   u64 since, u32 bytes                      CTL_SYNC_REVISION, CTL_SYNC_ORIGIN,
 *                                                              CTL_SYNC_OPERATION...
 * CTL_SYNC_READ      u16 count, (str table, str key)...        CTL_SYNC_REVISION,
 *                                                              CTL_SYNC_OPERATION...
 * CTL_SYNC_BEGIN     str user, str source, u64 time, str comment
 * CTL_SYNC_STAGE     operation
 * CTL_SYNC_COMMIT    str serial, u64 epoch, u64 revision, digests
 * CTL_SYNC_ROLE      u8 primary, u32 address, u64 epoch, u64 told, str why
 * CTL_SYNC_MEMBERS   str membership
 *
 * The output of CTL_RUN may come as long as the client wants it. CTL_CANCEL, the one request that
 * may be sent before the answer to another, ends it; it has no answer of its own, and means nothing
 * when the output has ended meanwhile. What the command says in that case, such as its totals, is
 * CTL_LAST.
 *
 * CTL_RUN in the form of a check carries nothing out: it answers whether the command would be,
 * now. In that of a hint it is what completion asks: that it is refused is told nobody. What the
 * shell does by itself (a restart, a backup) it begins with CTL_RUN, and says with CTL_OUTCOME what
 * became of it, 0 or the code of an error: then it is told in the log, or when the connection ends.
 *
 * CTL_RENAME changes the key of an entry and whatever refers to it; CTL_PLACE moves an entry of an
 * ordered table before (1) or behind (0) another one; CTL_PURGE deletes all entries of a table, or
 * none.
 *
 * These, CTL_PUT, CTL_DELETE and CTL_COMMIT answer CTL_WARNING... before CTL_OK where something was
 * accepted that will not do all that was meant. That the config transaction of the connection is
 * near its end, or over, is a warning, too, to requests that no completion makes.
 *
 * CTL_PRIVATE_KEY gives the key that the connection's next commit takes if it enables
 * private-data-encryption. At once (1): that is enabled, and this is its key from now on, or from
 * the commit of what is open here.
 *
 * CTL_INFO says what the user may: whether he may write all, the first words of commands (enum
 * rights_verb), and what he may with each table (enum rights_level), by number. So the shell need
 * not offer what is refused; what he may can change meanwhile.
 *
 * The minutes of a commit are those until it is reverted unless it is confirmed, 0: never. The
 * comment is that of its revision. Where a config transaction is open (cfgdb/workspace.h), what
 * comes between CTL_BEGIN and CTL_COMMIT is staged there one by one, and both do nothing else.
 *
 * The version of a put is that of the object it started from, 2^64 - 1 when there was none. 2^64 -
 * 3 is for a new entry of a list with numbers as keys: it gets the next free one if its own is
 * taken.
 *
 * When a session is ended from elsewhere, its connections get a CTL_ERROR that says so, with code
 * ERR_TIMEOUT, and are hung up on.
 *
 * answer             fields
 * CTL_OK             str hostname
 * CTL_ERROR          u32 code, str text
 * CTL_INFO           str user, str product version, u8 all, u8 verbs, u16 count, u8 level...
 * CTL_OBJECT         u64 version, str key, str body
 * CTL_KEY            str key, str remark
 * CTL_ID             u64 id
 * CTL_TEXT           str text
 * CTL_WARNING        str text
 * CTL_LAST           str text
 * CTL_STATE          u8 kind of state, bytes
 * CTL_CALL           u32 id, u8 form, u16 count, str word...
 * CTL_CALL_CANCEL    u32 id
 *
 * CTL_SYNC_REVISION  u64 revision
 * CTL_SYNC_DIGEST    str table or key, 32 bytes
 * CTL_SYNC_ORIGIN    str users, str sources, u64 seconds since 1970
 * CTL_SYNC_OPERATION operation
 *
 * The requests CTL_SYNC_... are for replication of the configuration
 * (cfgdb/control/requests_sync.c): only who may attach may send them, and while the unit is in a
 * group: ERR_CONFLICT otherwise. Tables have their dotted names. TABLES lists those with something
 * that the group shares, by name; INDEX the objects of one behind the key `after` ("": from the
 * first), in its order if it has one, at most max: fewer are the end. CHANGES are the operations
 * that bring a configuration of that revision to the present one; ERR_NOT_FOUND when the history
 * does not reach back so far, ERR_TOO_LONG when they are more bytes; ORIGIN says who has made them,
 * CTL_ORIGIN_MAX bytes at most, and when the last one was. READ answers with puts, and deletions of
 * what is not there. An operation is that of cfgdb/model/operation.h. BEGIN opens a replicated
 * transaction (cfgdb/txn.h), which CTL_ABORT drops; COMMIT makes it active if that gives the
 * digests of global, root and all, 32 bytes each (zeros: they are not known), and remembers whose
 * revision it is. ROLE and MEMBERS are those of cfgdb/role.h and cfgdb/membership.h.
 *
 * CTL_ATTACH turns the connection round: from its CTL_OK on, the client is the one that serves (the
 * daemon of session synchronization). It gets the last three without having asked: CTL_STATE, what
 * it is to do, at once and after each change, and the commands of administrators, each of which it
 * answers with CTL_REPLY... and CTL_REPLY_END, unless CTL_CALL_CANCEL comes before. Code 0 of
 * CTL_REPLY_END is success. Replies to what has been cancelled mean nothing. After a CTL_STATE it
 * says CTL_READY once the sessions of the other members are here, or cannot be had; saying it
 * again means nothing. One at a time can be attached.
 */
#pragma once

#define CTL_VERSION 11
#define CTL_FRAME_MAX (8u << 20)   /* bytes after the length field */
#define CTL_WORD_MAX 65536         /* bytes in one word of CTL_RUN */
#define CTL_WORDS_MAX 256
#define CTL_ORIGIN_MAX 63          /* bytes of the names of users, of sources, of changes */
#define CTL_TEXT_CHUNK 32768       /* bytes of output in one CTL_TEXT or CTL_LAST */
#define CTL_ATTACHED_MAX 65536     /* bytes of a frame on an attached connection, either way */
#define CTL_COMMENT_MAX 255        /* bytes in the comment of a revision */
#define CTL_SOCKET_NAME "ctl"      /* in the run directory */

/* Of a command is wanted what it prints, as text or JSON; whether it may be; text to complete. */
enum ctl_form { CTL_FORM_TEXT, CTL_FORM_JSON, CTL_FORM_CHECK, CTL_FORM_HINT, CTL_FORM_COUNT };

/*
 * What a transaction begins with: the configuration as it is; nothing, or what a new unit has, so
 * that what is not put is gone when it is committed.
 */
enum ctl_begin {
	CTL_BEGIN_CHANGE,
	CTL_BEGIN_REPLACE,
	CTL_BEGIN_REPLACE_FACTORY,
	CTL_BEGIN_REPLACE_PARTLY,
	CTL_BEGIN_COUNT,
};

enum ctl_type {
	CTL_HELLO = 1,
	CTL_GET,
	CTL_LIST,
	CTL_KEYS,
	CTL_CHECK_REF,
	CTL_NEXT_ID,
	CTL_BEGIN,
	CTL_COMMIT,
	CTL_ABORT,
	CTL_PUT,
	CTL_DELETE,
	CTL_RUN,
	CTL_CANCEL,
	CTL_CHECK_SECRET,
	CTL_ATTACH,
	CTL_REPLY,
	CTL_REPLY_END,
	CTL_READY,
	CTL_SYNC_TABLES,
	CTL_SYNC_INDEX,
	CTL_SYNC_CHANGES,
	CTL_SYNC_READ,
	CTL_SYNC_BEGIN,
	CTL_SYNC_STAGE,
	CTL_SYNC_COMMIT,
	CTL_SYNC_ROLE,
	CTL_SYNC_MEMBERS,
	CTL_RENAME,
	CTL_PLACE,
	CTL_PURGE,
	CTL_PRIVATE_KEY,
	CTL_OUTCOME,
	CTL_REQUEST_COUNT,

	CTL_OK = 64,
	CTL_ERROR,
	CTL_INFO,
	CTL_OBJECT,
	CTL_KEY,
	CTL_ID,
	CTL_TEXT,
	CTL_WARNING,
	CTL_LAST,
	CTL_STATE,
	CTL_CALL,
	CTL_CALL_CANCEL,
	CTL_SYNC_REVISION,
	CTL_SYNC_DIGEST,
	CTL_SYNC_ORIGIN,
	CTL_SYNC_OPERATION,
};

/* What a CTL_STATE is about: backends/cluster.h, backends/autoscale.h. */
enum ctl_state { CTL_STATE_CLUSTER = 1, CTL_STATE_AUTOSCALE, CTL_STATE_COUNT };
