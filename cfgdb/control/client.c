/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A request is written whole, then frames are read until the one that closes it. Frames that come
 * before it go to a handler; a handler that has seen enough makes the rest be read and dropped, so
 * the connection stays in step.
 */
#include "cfgdb/control/client.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/base/warn.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/model/text.h"

#define ENOUGH_MS 200 /* between two looks whether more output is wanted */
#define AHEAD 32768   /* bytes that are read at once: lists come in many small frames */

struct client {
	int fd;
	bool broken;
	struct client_info info;
	uint8_t *levels;         /* of info */
	struct buf in;           /* the frame being read */
	size_t pos, end;         /* what of ahead is to come */
	uint8_t ahead[AHEAD];
	const struct client_output *output; /* of the command under way, or NULL */
	bool cancelled;          /* the rest of it is on its way to nobody */
	void (*warn)(void *arg, const char *text);
	void *warn_arg;
};

/* What a request does with the frames before CTL_OK; non-zero: no more of them. */
typedef int frame_fn(void *arg, enum ctl_type type, struct buf_reader *r);

/* ---- frames ---- */

static int client_broken(struct client *c, const char *why, struct err *err) {
	c->broken = true;
	return err_set(err, ERR_TIMEOUT, "the configuration daemon does not answer: %s", why);
}

static bool write_all(int fd, const uint8_t *data, size_t len) {
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

/* Why reading or writing failed: the bound on the socket has passed, or its other end is gone. */
static const char *lost(void) {
	return errno == EAGAIN ? "it takes too long" : "connection lost";
}

/* Tell the daemon once that there is enough of a command's output; false when it is gone. */
static bool client_cancel(struct client *c) {
	static const uint8_t frame[] = { 0, 0, 0, 1, CTL_CANCEL };

	if (!c->output || c->cancelled || !c->output->enough(c->output->arg))
		return true;
	c->cancelled = true;
	return write_all(c->fd, frame, sizeof(frame));
}

/* Wait for the daemon; a command's output may pause for long, and is left at any time. */
static bool client_wait(struct client *c) {
	struct pollfd p = { .fd = c->fd, .events = POLLIN };

	while (c->output && !c->cancelled) {
		int n = poll(&p, 1, ENOUGH_MS);

		if (n > 0)
			break;
		if ((n < 0 && errno != EINTR) || !client_cancel(c))
			return false;
	}
	return true;
}

/* Fill what was read ahead, of which nothing is left. */
static bool read_ahead(struct client *c) {
	ssize_t n;

	do {
		if (!client_wait(c))
			return false;
		n = recv(c->fd, c->ahead, sizeof(c->ahead), 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0) {
		errno = n == 0 ? ECONNRESET : errno;
		return false;
	}
	c->pos = 0;
	c->end = (size_t)n;
	return true;
}

static bool read_all(struct client *c, uint8_t *data, size_t len) {
	while (len > 0) {
		size_t n = c->end - c->pos < len ? c->end - c->pos : len;

		if (n == 0 && !read_ahead(c))
			return false;
		memcpy(data, c->ahead + c->pos, n);
		c->pos += n;
		data += n;
		len -= n;
	}
	return true;
}

static void request_begin(struct buf *b, enum ctl_type type) {
	buf_put_u32(b, 0);
	buf_put_u8(b, (uint8_t)type);
}

/* The next frame into c->in; its type and fields into *type and *r. */
static int client_read(struct client *c, enum ctl_type *type, struct buf_reader *r,
		       struct err *err) {
	uint8_t head[4];
	struct buf_reader len_reader;
	uint32_t len;

	if (!client_cancel(c) || !read_all(c, head, sizeof(head)))
		return client_broken(c, lost(), err);
	buf_reader_init(&len_reader, head, sizeof(head));
	len = buf_get_u32(&len_reader);
	if (len == 0 || len > CTL_FRAME_MAX)
		return client_broken(c, "bad frame", err);
	c->in.len = 0;
	if (c->in.size < len) {
		c->in.data = xreallocarray(c->in.data, len, 1);
		c->in.size = len;
	}
	if (!read_all(c, c->in.data, len))
		return client_broken(c, lost(), err);
	buf_reader_init(r, c->in.data, len);
	*type = buf_get_u8(r);
	return 0;
}

static void take_hostname(struct client *c, struct buf_reader *r) {
	AUTO_FREE char *name = buf_get_str(r, sizeof(c->info.hostname) - 1);

	if (!r->bad && *name)
		snprintf(c->info.hostname, sizeof(c->info.hostname), "%s", name);
}

static int take_error(struct buf_reader *r, struct err *err) {
	int code = (int)buf_get_u32(r);
	AUTO_FREE char *text = buf_get_str(r, ERR_TEXT_MAX);

	return err_set(err, code ? code : ERR_TIMEOUT, "%s", text);
}

static void take_warning(struct client *c, struct buf_reader *r) {
	AUTO_FREE char *text = buf_get_str(r, WARN_TEXT_MAX);

	err_clean_line(text);
	if (!r->bad && c->warn)
		c->warn(c->warn_arg, text);
}

/* The daemon hangs up on fields beyond their bounds; no key is that long: no such entry. */
static int refuse_long_key(struct err *err) {
	return err_set(err, ERR_NOT_FOUND, "entry is not found in table");
}

/* Send a request and read its answers. */
static int client_call(struct client *c, struct buf *request, frame_fn *each, void *arg,
		       struct err *err) {
	uint32_t len = (uint32_t)(request->len - 4);
	bool enough = false;

	if (c->broken)
		return client_broken(c, "connection lost", err);
	if (len > CTL_FRAME_MAX)
		return err_set(err, ERR_TOO_LONG, "object is too large: at most %u bytes",
			       CTL_FRAME_MAX);
	for (int i = 0; i < 4; i++)
		request->data[i] = (uint8_t)(len >> (24 - 8 * i));
	/* The daemon may have said why it hangs up, and hung up: that is still to be read. */
	(void)write_all(c->fd, request->data, request->len);
	for (;;) {
		enum ctl_type type = CTL_ERROR;
		struct buf_reader r;
		int rc = client_read(c, &type, &r, err);

		if (rc)
			return rc;
		if (type == CTL_ERROR)
			return take_error(&r, err);
		if (type == CTL_OK) {
			take_hostname(c, &r);
			return 0;
		}
		if (type == CTL_WARNING)
			take_warning(c, &r);
		else if (each && !enough)
			enough = each(arg, type, &r) != 0;
	}
}

static int client_call_simple(struct client *c, enum ctl_type type, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	request_begin(&b, type);
	return client_call(c, &b, NULL, NULL, err);
}

/* ---- connection ---- */

static void take_rights(struct client *c, struct buf_reader *r) {
	uint16_t n;

	c->info.writes_all = buf_get_u8(r);
	c->info.verbs = buf_get_u8(r);
	n = buf_get_u16(r);
	free(c->levels);
	c->info.levels = c->levels = xcalloc(schema_n_tables, 1);
	for (uint16_t i = 0; i < n && i < schema_n_tables; i++)
		c->levels[i] = buf_get_u8(r);
}

static int take_info(void *arg, enum ctl_type type, struct buf_reader *r) {
	struct client *c = arg;
	AUTO_FREE char *user = buf_get_str(r, sizeof(c->info.user) - 1);
	AUTO_FREE char *version = buf_get_str(r, sizeof(c->info.version) - 1);

	(void)type;
	snprintf(c->info.user, sizeof(c->info.user), "%s", user);
	snprintf(c->info.version, sizeof(c->info.version), "%s", version);
	take_rights(c, r);
	return 0;
}

static int client_hello(struct client *c, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	request_begin(&b, CTL_HELLO);
	buf_put_u32(&b, CTL_VERSION);
	buf_put_str(&b, schema_digest);
	return client_call(c, &b, take_info, c, err);
}

struct client *client_open(const char *path, struct err *err) {
	return client_open_within(path, CLIENT_WAIT_S, err);
}

struct client *client_open_within(const char *path, unsigned int wait_s, struct err *err) {
	const struct timeval wait = { .tv_sec = wait_s };
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	struct client *c;

	if (strlen(path) >= sizeof(addr.sun_path)) {
		err_set(err, ERR_TIMEOUT, "%s: path is too long for a socket", path);
		return NULL;
	}
	strcpy(addr.sun_path, path);
	c = xcalloc(1, sizeof(*c));
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) != 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) != 0 ||
	    connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) != 0)
		err_set(err, ERR_TIMEOUT, "cannot reach gatehoused at %s: %s", path,
			strerror(errno));
	else if (client_hello(c, err) == 0)
		return c;
	client_close(c);
	return NULL;
}

void client_close(struct client *c) {
	if (!c)
		return;
	if (c->fd >= 0)
		close(c->fd);
	buf_done(&c->in);
	free(c->levels);
	free(c);
}

void client_on_warning(struct client *c, void (*warn)(void *arg, const char *text), void *arg) {
	c->warn = warn;
	c->warn_arg = arg;
}

const struct client_info *client_info(const struct client *c) {
	return &c->info;
}

/* ---- reading ---- */

struct object_taker {
	const struct schema_table *table;
	int (*each)(void *arg, struct object *obj);
	void *arg;
	struct err *err;
	int rc;
};

static int take_object(void *arg, enum ctl_type type, struct buf_reader *r) {
	struct object_taker *t = arg;
	uint64_t ver = buf_get_u64(r);
	AUTO_FREE char *key = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *body = buf_get_str(r, TEXT_BODY_MAX);
	struct object *obj;

	if (type != CTL_OBJECT || r->bad) {
		t->rc = err_set(t->err, ERR_TIMEOUT, "bad answer from the configuration daemon");
		return t->rc;
	}
	obj = object_new(t->table, key);
	obj->ver = ver;
	t->rc = text_parse(obj, body, t->err);
	if (t->rc) {
		object_free(obj);
		return t->rc;
	}
	return t->each(t->arg, obj);
}

static int keep_object(void *arg, struct object *obj) {
	struct object **ret = arg;

	object_free(*ret);
	*ret = obj;
	return 0;
}

int client_get(struct client *c, const struct schema_table *table, const char *key,
	       struct object **ret, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct object *obj = NULL;
	struct object_taker t = { table, keep_object, &obj, err, 0 };
	int rc;

	if (strlen(key) > OBJECT_KEY_MAX)
		return refuse_long_key(err);
	request_begin(&b, CTL_GET);
	buf_put_u16(&b, table->id);
	buf_put_str(&b, key);
	rc = client_call(c, &b, take_object, &t, err);
	if (rc == 0)
		rc = t.rc;
	if (rc == 0 && !obj)
		rc = err_set(err, ERR_TIMEOUT, "bad answer from the configuration daemon");
	if (rc)
		object_free(obj);
	else
		*ret = obj;
	return rc;
}

int client_list(struct client *c, const struct schema_table *table,
		int (*each)(void *arg, struct object *obj), void *arg, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct object_taker t = { table, each, arg, err, 0 };
	int rc;

	request_begin(&b, CTL_LIST);
	buf_put_u16(&b, table->id);
	rc = client_call(c, &b, take_object, &t, err);
	return rc ? rc : t.rc;
}

struct key_taker {
	int (*each)(void *arg, const char *key, const char *remark);
	void *arg;
};

static int take_key(void *arg, enum ctl_type type, struct buf_reader *r) {
	struct key_taker *t = arg;
	AUTO_FREE char *key = buf_get_str(r, OBJECT_KEY_MAX);
	AUTO_FREE char *remark = buf_get_str(r, CTL_FRAME_MAX);

	return type != CTL_KEY || r->bad ? 1 : t->each(t->arg, key, remark);
}

int client_keys(struct client *c, const struct schema_table *table, const char *prefix,
		uint32_t max, int (*each)(void *arg, const char *key, const char *remark),
		void *arg, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	struct key_taker t = { each, arg };

	if (strlen(prefix) > OBJECT_KEY_MAX)
		return 0;
	request_begin(&b, CTL_KEYS);
	buf_put_u16(&b, table->id);
	buf_put_str(&b, prefix);
	buf_put_u32(&b, max);
	return client_call(c, &b, take_key, &t, err);
}

/* A yes or a no (ERR_NOT_FOUND, ERR_VALUE) about a text that is to be set in an attribute. */
static int client_check(struct client *c, enum ctl_type type, const struct schema_table *table,
			unsigned int attr, const char *text, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	request_begin(&b, type);
	buf_put_u16(&b, table->id);
	buf_put_u16(&b, (uint16_t)attr);
	buf_put_str(&b, text);
	return client_call(c, &b, NULL, NULL, err);
}

int client_check_ref(struct client *c, const struct schema_table *table, unsigned int attr,
		     const char *name, struct err *err) {
	if (strlen(name) > OBJECT_KEY_MAX)
		return err_set(err, ERR_NOT_FOUND, "%s", "");
	return client_check(c, CTL_CHECK_REF, table, attr, name, err);
}

int client_check_secret(struct client *c, const struct schema_table *table, unsigned int attr,
			const char *sealed, struct err *err) {
	if (strlen(sealed) > VALUE_SECRET_MAX)
		return err_set(err, ERR_VALUE, "%s", "");
	return client_check(c, CTL_CHECK_SECRET, table, attr, sealed, err);
}

static int take_id(void *arg, enum ctl_type type, struct buf_reader *r) {
	if (type == CTL_ID)
		*(uint64_t *)arg = buf_get_u64(r);
	return 0;
}

int client_next_id(struct client *c, const struct schema_table *table, uint64_t *ret,
		   struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	request_begin(&b, CTL_NEXT_ID);
	buf_put_u16(&b, table->id);
	return client_call(c, &b, take_id, ret, err);
}

/* ---- changing ---- */

static int client_begin_kind(struct client *c, enum ctl_begin kind, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	request_begin(&b, CTL_BEGIN);
	buf_put_u8(&b, (uint8_t)kind);
	return client_call(c, &b, NULL, NULL, err);
}

int client_begin(struct client *c, struct err *err) {
	return client_begin_kind(c, CTL_BEGIN_CHANGE, err);
}

int client_replace(struct client *c, bool factory, struct err *err) {
	return client_begin_kind(c, factory ? CTL_BEGIN_REPLACE_FACTORY : CTL_BEGIN_REPLACE, err);
}

int client_replace_partly(struct client *c, struct err *err) {
	return client_begin_kind(c, CTL_BEGIN_REPLACE_PARTLY, err);
}

int client_commit_as(struct client *c, const struct client_commit *how, struct err *err) {
	static const struct client_commit plain;
	AUTO_BUF struct buf b = BUF_INIT;

	how = how ? how : &plain;
	if (how->comment && strlen(how->comment) > CTL_COMMENT_MAX)
		return err_set(err, ERR_TOO_LONG, "the comment is too long: at most %d bytes",
			       CTL_COMMENT_MAX);
	request_begin(&b, CTL_COMMIT);
	buf_put_u32(&b, how->confirm_minutes);
	buf_put_str(&b, how->comment ? how->comment : "");
	return client_call(c, &b, NULL, NULL, err);
}

int client_commit(struct client *c, struct err *err) {
	return client_commit_as(c, NULL, err);
}

int client_abort(struct client *c, struct err *err) {
	return client_call_simple(c, CTL_ABORT, err);
}

int client_put(struct client *c, const struct object *obj, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	AUTO_STR struct str body = STR_INIT;

	text_body(obj, 0, TEXT_WIRE, &body);
	if (body.len > TEXT_BODY_MAX)
		return err_set(err, ERR_TOO_LONG, "object is too large: at most %u bytes",
			       TEXT_BODY_MAX);
	request_begin(&b, CTL_PUT);
	buf_put_u16(&b, obj->table->id);
	buf_put_str(&b, obj->key);
	buf_put_u64(&b, obj->ver);
	buf_put_strn(&b, str_text(&body), body.len);
	return client_call(c, &b, NULL, NULL, err);
}

int client_delete(struct client *c, const struct schema_table *table, const char *key,
		  struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	if (strlen(key) > OBJECT_KEY_MAX)
		return refuse_long_key(err);
	request_begin(&b, CTL_DELETE);
	buf_put_u16(&b, table->id);
	buf_put_str(&b, key);
	return client_call(c, &b, NULL, NULL, err);
}

int client_rename(struct client *c, const struct schema_table *table, const char *key,
		  const char *to, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	if (strlen(key) > OBJECT_KEY_MAX || strlen(to) > OBJECT_KEY_MAX)
		return refuse_long_key(err);
	request_begin(&b, CTL_RENAME);
	buf_put_u16(&b, table->id);
	buf_put_str(&b, key);
	buf_put_str(&b, to);
	return client_call(c, &b, NULL, NULL, err);
}

int client_place(struct client *c, const struct schema_table *table, const char *key, bool before,
		 const char *other, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	if (strlen(key) > OBJECT_KEY_MAX || strlen(other) > OBJECT_KEY_MAX)
		return refuse_long_key(err);
	request_begin(&b, CTL_PLACE);
	buf_put_u16(&b, table->id);
	buf_put_str(&b, key);
	buf_put_u8(&b, before);
	buf_put_str(&b, other);
	return client_call(c, &b, NULL, NULL, err);
}

int client_purge(struct client *c, const struct schema_table *table, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	request_begin(&b, CTL_PURGE);
	buf_put_u16(&b, table->id);
	return client_call(c, &b, NULL, NULL, err);
}

int client_private_key(struct client *c, const char *digits, bool at_once, struct err *err) {
	struct buf b = BUF_INIT;
	int rc;

	buf_reserve(&b, 16 + strlen(digits));
	request_begin(&b, CTL_PRIVATE_KEY);
	buf_put_u8(&b, at_once);
	buf_put_str(&b, digits);
	rc = client_call(c, &b, NULL, NULL, err);
	buf_wipe(&b);
	return rc;
}

static int take_text(void *arg, enum ctl_type type, struct buf_reader *r) {
	const struct client_output *out = arg;
	AUTO_FREE char *text = buf_get_str(r, CTL_TEXT_CHUNK);

	if (type == CTL_LAST && !r->bad && out->last)
		out->last(out->arg, text, strlen(text));
	if (type == CTL_TEXT && !r->bad && !out->enough(out->arg))
		out->text(out->arg, text, strlen(text));
	return 0;
}

static int put_command(struct buf *b, enum ctl_form form, size_t n_words, char *const words[],
		       struct err *err) {
	if (n_words > CTL_WORDS_MAX)
		return err_set(err, ERR_TOO_LONG, "too many words in one command: at most %d",
			       CTL_WORDS_MAX);
	request_begin(b, CTL_RUN);
	buf_put_u8(b, (uint8_t)form);
	buf_put_u16(b, (uint16_t)n_words);
	for (size_t i = 0; i < n_words; i++) {
		if (strlen(words[i]) > CTL_WORD_MAX)
			return err_set(err, ERR_TOO_LONG, "a word is too long: at most %d bytes",
				       CTL_WORD_MAX);
		buf_put_str(b, words[i]);
	}
	return 0;
}

int client_run(struct client *c, size_t n_words, char *const words[],
	       const struct client_output *out, struct err *err) {
	enum ctl_form form = out->json ? CTL_FORM_JSON : CTL_FORM_TEXT;
	AUTO_BUF struct buf b = BUF_INIT;
	int rc = put_command(&b, out->hint ? CTL_FORM_HINT : form, n_words, words, err);

	if (rc)
		return rc;
	c->output = out;
	c->cancelled = false;
	rc = client_call(c, &b, take_text, (void *)out, err);
	c->output = NULL;
	return rc;
}

int client_may(struct client *c, size_t n_words, char *const words[], struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;
	int rc = put_command(&b, CTL_FORM_CHECK, n_words, words, err);

	return rc ? rc : client_call(c, &b, NULL, NULL, err);
}

int client_outcome(struct client *c, int code, struct err *err) {
	AUTO_BUF struct buf b = BUF_INIT;

	request_begin(&b, CTL_OUTCOME);
	buf_put_u32(&b, (uint32_t)code);
	return client_call(c, &b, NULL, NULL, err);
}
