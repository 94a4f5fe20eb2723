/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libcurl inside the event loop: it says which sockets and which timer it wants to be told of
 * (watch_socket, watch_time), and is told (turn). Names are resolved by its thread; the features of
 * the library are asked for that, and QUICK_EXIT lets go of a thread whose name server does not
 * answer instead of waiting for it.
 *
 * The connection is kept between heartbeats, and with it what is costly: the handshake, and reading
 * the certificates of the system, which libcurl keeps for as long as they come from one file and
 * not from a directory. So the directory is switched off.
 *
 * What a URL holds beside scheme, host, port and path may be secret, and is never told.
 */
#include "sync/callback.h"

#include <bsd/string.h>
#include <curl/curl.h>
#include <event2/event.h>
#include <stdlib.h>
#include <strings.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "cfgdb/base/mem.h"
#include "cfgdb/base/random.h"
#include "cfgdb/base/str.h"
#include "sync/clock.h"

#define INTERVAL_MS 1000             /* where none is configured */

/* A heartbeat that is under way. */
struct attempt {
	CURL *easy;                  /* NULL: none is */
	CURLU *url;
	struct curl_slist *headers;
	uint64_t begun_ms;
	char request[CALLBACK_REQUEST_MAX];
	struct str answer;
	size_t heads;                /* bytes of headers */
	bool too_long;
	char detail[CURL_ERROR_SIZE];
};

struct callback {
	struct event_base *base;
	struct callback_calls calls;
	struct callback_limits limits;
	char *ca_file, *url;         /* NULL: those of the system; none */
	uint32_t interval_ms;
	CURLM *multi;                /* NULL: there is no URL */
	struct event *beat, *due;    /* the next heartbeat; libcurl's timer */
	struct attempt attempt;
	uint64_t sequence;
	union net_addr own;          /* address of the unit, as the request had it */
	struct callback_info info;
	char told[CALLBACK_WHY];     /* the last reason that was told; "": it answers */
	uint64_t told_ms;            /* when; 0: never */
};

/* ---- time ---- */

static uint64_t now_ms(void) {
	return clock_us() / 1000;
}

static void arm(struct event *timer, uint64_t ms) {
	const struct timeval wait = { .tv_sec = (time_t)(ms / 1000),
				      .tv_usec = (suseconds_t)(ms % 1000 * 1000) };

	if (event_add(timer, &wait) != 0)
		event_active(timer, EV_TIMEOUT, 0); /* no memory */
}

uint32_t callback_wait_ms(uint32_t interval_ms, unsigned int failures, uint32_t wait_max_ms,
			  uint32_t random) {
	uint64_t max = interval_ms > wait_max_ms ? interval_ms : wait_max_ms, wait = interval_ms;

	while (failures-- > 1 && wait < max)
		wait *= 2;
	wait = wait < max ? wait : max;
	return (uint32_t)(wait - random % (wait / 4 + 1));
}

static uint32_t draw(void) {
	uint32_t random;

	random_bytes(&random, sizeof(random));
	return random;
}

/* ---- what a heartbeat holds ---- */

static size_t take_body(char *data, size_t size, size_t n, void *arg) {
	struct attempt *a = arg;

	a->too_long = a->too_long || size * n > CALLBACK_ANSWER_MAX - a->answer.len;
	if (a->too_long)
		return 0;
	str_add_bytes(&a->answer, data, size * n);
	return size * n;
}

static size_t take_head(char *data, size_t size, size_t n, void *arg) {
	struct attempt *a = arg;

	(void)data;
	a->heads += size * n;
	a->too_long = a->too_long || a->heads > CALLBACK_ANSWER_MAX;
	return a->too_long ? 0 : size * n;
}

static bool attempt_numbers(CURL *easy, uint32_t timeout_ms) {
	const struct {
		CURLoption option;
		long value;
	} numbers[] = {
		{ CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2 },
		{ CURLOPT_SSL_VERIFYPEER, 1 },
		{ CURLOPT_SSL_VERIFYHOST, 2 },
		{ CURLOPT_FOLLOWLOCATION, 0 },
		{ CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1 },
		{ CURLOPT_POST, 1 },
		{ CURLOPT_TIMEOUT_MS, (long)timeout_ms },
		{ CURLOPT_NOSIGNAL, 1 },
		{ CURLOPT_QUICK_EXIT, 1 },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(numbers); i++)
		if (curl_easy_setopt(easy, numbers[i].option, numbers[i].value) != CURLE_OK)
			return false;
	return true;
}

static bool attempt_pointers(struct attempt *a, const char *ca_file) {
	const struct {
		CURLoption option;
		const void *value;
	} pointers[] = {
		{ CURLOPT_CURLU, a->url },
		{ CURLOPT_PROTOCOLS_STR, "https" },
		{ CURLOPT_PROXY, "" },
		{ CURLOPT_CAPATH, NULL },
		{ CURLOPT_HTTPHEADER, a->headers },
		{ CURLOPT_POSTFIELDS, a->request },
		{ CURLOPT_USERAGENT, "gatehouse/" PACKAGE_VERSION },
		{ CURLOPT_ERRORBUFFER, a->detail },
		{ CURLOPT_WRITEDATA, a },
		{ CURLOPT_HEADERDATA, a },
	};

	for (unsigned int i = 0; i < ARRAY_LEN(pointers); i++)
		if (curl_easy_setopt(a->easy, pointers[i].option, pointers[i].value) != CURLE_OK)
			return false;
	return (!ca_file || curl_easy_setopt(a->easy, CURLOPT_CAINFO, ca_file) == CURLE_OK) &&
	       curl_easy_setopt(a->easy, CURLOPT_WRITEFUNCTION, take_body) == CURLE_OK &&
	       curl_easy_setopt(a->easy, CURLOPT_HEADERFUNCTION, take_head) == CURLE_OK;
}

static bool attempt_headers(struct attempt *a) {
	static const char *const lines[] = { "Content-Type: application/json",
					     "Accept: application/json", "Expect:" };

	for (unsigned int i = 0; i < ARRAY_LEN(lines); i++) {
		struct curl_slist *longer = curl_slist_append(a->headers, lines[i]);

		if (!longer)
			return false;
		a->headers = longer;
	}
	return true;
}

static void attempt_end(struct callback *cb) {
	struct attempt *a = &cb->attempt;

	if (a->easy) {
		curl_multi_remove_handle(cb->multi, a->easy);
		curl_easy_cleanup(a->easy);
	}
	curl_url_cleanup(a->url);
	curl_slist_free_all(a->headers);
	str_done(&a->answer);
	*a = (struct attempt){ .easy = NULL };
}

/* Append a part of its URL, after what stands before it there; false: it has none. */
static bool attempt_part(const struct attempt *a, CURLUPart part, const char *before,
			 struct str *ret) {
	char *text = NULL;
	bool is_there = curl_url_get(a->url, part, &text, 0) == CURLUE_OK && text;

	if (is_there) {
		str_add(ret, before);
		str_add(ret, text);
	}
	curl_free(text);
	return is_there;
}

/* Its URL, as far as it may be shown. */
static char *attempt_shown(const struct attempt *a) {
	AUTO_STR struct str s = STR_INIT;

	if (!attempt_part(a, CURLUPART_SCHEME, "", &s) ||
	    !attempt_part(a, CURLUPART_HOST, "://", &s))
		return xstrdup("callback-url");
	attempt_part(a, CURLUPART_PORT, ":", &s);
	attempt_part(a, CURLUPART_PATH, "", &s);
	return str_steal(&s);
}

static int attempt_url(struct attempt *a, const char *url, struct err *err) {
	char *scheme = NULL;
	CURLUcode code;
	int rc = 0;

	a->url = curl_url();
	if (!a->url)
		return err_set(err, ERR_STORE, "no memory");
	code = curl_url_set(a->url, CURLUPART_URL, url, CURLU_NON_SUPPORT_SCHEME);
	if (code == CURLUE_OK)
		code = curl_url_get(a->url, CURLUPART_SCHEME, &scheme, 0);
	if (code != CURLUE_OK)
		rc = err_set(err, ERR_VALUE, "the URL is not understood: %s",
			     curl_url_strerror(code));
	else if (strcasecmp(scheme, "https") != 0)
		rc = err_set(err, ERR_VALUE, "the URL begins with %s, and only https will do",
			     scheme);
	curl_free(scheme);
	return rc;
}

static void attempt_request(struct callback *cb) {
	struct callback_facts facts = { .primary = false };
	const struct callback_beat beat = { .interval_s = (cb->interval_ms + 999) / 1000,
					    .sequence = ++cb->sequence,
					    .time_s = time(NULL) };

	cb->calls.facts(cb->calls.arg, &facts);
	cb->own = facts.ip;
	callback_form_request(cb->attempt.request, &facts, &beat);
}

static int attempt_begin(struct callback *cb, struct err *err) {
	struct attempt *a = &cb->attempt;
	int rc = attempt_url(a, cb->url, err);

	a->begun_ms = now_ms();
	if (rc)
		return rc;
	attempt_request(cb);
	a->easy = curl_easy_init();
	if (!a->easy || !attempt_headers(a) || !attempt_numbers(a->easy, cb->limits.timeout_ms) ||
	    !attempt_pointers(a, cb->ca_file) ||
	    curl_multi_add_handle(cb->multi, a->easy) != CURLM_OK)
		return err_set(err, ERR_STORE, "libcurl does not do what it must");
	cb->info.sent++;
	return 0;
}

/* ---- how it ended ---- */

/* libcurl's own words, without those that say what kind of error it is. */
static const char *detail(const struct attempt *a, CURLcode code) {
	static const char *const kinds[] = { "SSL certificate problem: ", "SSL: " };
	const char *text = *a->detail ? a->detail : curl_easy_strerror(code);

	for (unsigned int i = 0; i < ARRAY_LEN(kinds); i++)
		if (strncmp(text, kinds[i], strlen(kinds[i])) == 0)
			return text + strlen(kinds[i]);
	return text;
}

/*
 * Why nothing came back. The texts are the same each time, or each failure would count as a change.
 */
static int not_answered(const struct callback *cb, CURLcode code, struct err *err) {
	const struct attempt *a = &cb->attempt;
	long error = 0;

	switch (code) {
	case CURLE_COULDNT_RESOLVE_HOST:
		return err_set(err, ERR_NOT_FOUND, "the name of the host cannot be resolved");
	case CURLE_COULDNT_CONNECT:
		curl_easy_getinfo(a->easy, CURLINFO_OS_ERRNO, &error);
		return err_set(err, ERR_TIMEOUT, "no connection: %s",
			       error ? strerror((int)error) : curl_easy_strerror(code));
	case CURLE_OPERATION_TIMEDOUT:
		return err_set(err, ERR_TIMEOUT, "no answer within %u ms", cb->limits.timeout_ms);
	case CURLE_PEER_FAILED_VERIFICATION:
		return err_set(err, ERR_VALUE, "the certificate is refused: %s", detail(a, code));
	case CURLE_SSL_CACERT_BADFILE:
		return err_set(err, ERR_FILE, "the certificates of those who sign cannot be read");
	case CURLE_SSL_CONNECT_ERROR:
		return err_set(err, ERR_VALUE, "TLS failed: %s", detail(a, code));
	default:
		return err_set(err, ERR_TIMEOUT, "the answer broke off: %s",
			       curl_easy_strerror(code));
	}
}

static int take_answer(const struct callback *cb, CURLcode code, struct callback_answer *ret,
		       struct err *err) {
	const struct attempt *a = &cb->attempt;
	long status = 0;

	if (a->too_long)
		return err_set(err, ERR_TOO_LONG, "the answer is longer than %d bytes",
			       CALLBACK_ANSWER_MAX);
	if (code != CURLE_OK)
		return not_answered(cb, code, err);
	curl_easy_getinfo(a->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status / 100 == 3)
		return err_set(err, ERR_VALUE, "HTTP status %ld: redirects are not followed",
			       status);
	if (status / 100 != 2)
		return err_set(err, ERR_VALUE, "HTTP status %ld", status);
	return callback_form_answer(ret, str_text(&a->answer), a->answer.len, &cb->own, err);
}

/* ---- heartbeats ---- */

static void failed(struct callback *cb, const char *shown, const struct err *err) {
	struct callback_info *info = &cb->info;
	uint64_t now = now_ms();

	info->failures++;
	snprintf(info->why, sizeof(info->why), "%.*s (%s)", CALLBACK_WHY / 2, err->text, shown);
	err_clean_line(info->why);
	arm(cb->beat,
	    callback_wait_ms(cb->interval_ms, info->failures, cb->limits.wait_max_ms, draw()));
	if (strcmp(info->why, cb->told) == 0 ||
	    (cb->told_ms && now - cb->told_ms < cb->limits.tell_ms))
		return;
	strlcpy(cb->told, info->why, sizeof(cb->told));
	cb->told_ms = now;
	cb->calls.failed(cb->calls.arg, cb->told);
}

static void answered(struct callback *cb, const char *shown, uint64_t begun_ms,
		     const struct callback_answer *answer) {
	uint64_t took_ms = now_ms() - begun_ms;
	AUTO_FREE char *text = xasprintf("The callback answers again (%s)", shown);
	bool again = *cb->told;

	cb->info.answered++;
	cb->info.answered_s = time(NULL);
	cb->info.failures = 0;
	*cb->info.why = *cb->told = '\0';
	arm(cb->beat, took_ms < cb->interval_ms ? cb->interval_ms - took_ms : 0);
	if (again)
		cb->calls.log(cb->calls.arg, LOG_INFO, text);
	if (answer->decided)
		cb->calls.decided(cb->calls.arg, answer->primary, &answer->primary_ip);
}

/* The attempt is over before anything is told, so that what is called may configure anew. */
static void end(struct callback *cb, int rc, const struct callback_answer *answer,
		const struct err *err) {
	AUTO_FREE char *shown = attempt_shown(&cb->attempt);
	uint64_t begun_ms = cb->attempt.begun_ms;

	attempt_end(cb);
	if (rc)
		failed(cb, shown, err);
	else
		answered(cb, shown, begun_ms, answer);
}

static void on_beat(evutil_socket_t fd, short what, void *arg) {
	struct callback *cb = arg;
	struct err err = { 0 };
	int rc;

	(void)fd;
	(void)what;
	rc = attempt_begin(cb, &err);
	if (rc)
		end(cb, rc, NULL, &err);
}

/* ---- libcurl and the event loop ---- */

static void turn(struct callback *cb, curl_socket_t fd, int what) {
	struct callback_answer answer;
	struct err err = { 0 };
	const CURLMsg *done;
	int n;

	curl_multi_socket_action(cb->multi, fd, what, &n);
	done = curl_multi_info_read(cb->multi, &n);
	if (done && done->msg == CURLMSG_DONE)
		end(cb, take_answer(cb, done->data.result, &answer, &err), &answer, &err);
}

static void on_socket(evutil_socket_t fd, short what, void *arg) {
	turn(arg, fd,
	     (what & EV_READ ? CURL_CSELECT_IN : 0) | (what & EV_WRITE ? CURL_CSELECT_OUT : 0));
}

static void on_due(evutil_socket_t fd, short what, void *arg) {
	(void)fd;
	(void)what;
	turn(arg, CURL_SOCKET_TIMEOUT, 0);
}

/* A socket that cannot be watched for want of memory: the attempt ends when its time is over. */
static int watch_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *watch) {
	struct callback *cb = arg;
	struct event *event = watch;
	short wanted = EV_PERSIST;

	(void)easy;
	if (event)
		event_free(event);
	event = NULL;
	wanted |= what == CURL_POLL_IN || what == CURL_POLL_INOUT ? EV_READ : 0;
	wanted |= what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? EV_WRITE : 0;
	if (what != CURL_POLL_REMOVE)
		event = event_new(cb->base, fd, wanted, on_socket, cb);
	if (event)
		event_add(event, NULL);
	curl_multi_assign(cb->multi, fd, event);
	return 0;
}

static int watch_time(CURLM *multi, long ms, void *arg) {
	struct callback *cb = arg;

	(void)multi;
	if (ms < 0)
		event_del(cb->due);
	else
		arm(cb->due, (uint64_t)ms);
	return 0;
}

/* With each URL anew: so no connection to an earlier one stays. */
static void multi_begin(struct callback *cb) {
	cb->multi = curl_multi_init();
	if (cb->multi && (curl_multi_setopt(cb->multi, CURLMOPT_SOCKETFUNCTION, watch_socket) ||
			  curl_multi_setopt(cb->multi, CURLMOPT_SOCKETDATA, cb) ||
			  curl_multi_setopt(cb->multi, CURLMOPT_TIMERFUNCTION, watch_time) ||
			  curl_multi_setopt(cb->multi, CURLMOPT_TIMERDATA, cb) ||
			  curl_multi_setopt(cb->multi, CURLMOPT_MAXCONNECTS, 1L))) {
		curl_multi_cleanup(cb->multi);
		cb->multi = NULL;
	}
}

static void multi_end(struct callback *cb) {
	attempt_end(cb);
	if (cb->multi)
		curl_multi_cleanup(cb->multi);
	cb->multi = NULL;
	event_del(cb->due);
	event_del(cb->beat);
}

/* ---- from outside ---- */

static bool library_fits(void) {
	const curl_version_info_data *v = curl_version_info(CURLVERSION_NOW);

	return v->features & CURL_VERSION_SSL && v->features & CURL_VERSION_ASYNCHDNS;
}

struct callback *callback_new(struct event_base *base, const struct callback_calls *calls,
			      const char *ca_file, const struct callback_limits *limits,
			      struct err *err) {
	struct callback *cb;

	if (ca_file && access(ca_file, R_OK) != 0) {
		err_set(err, ERR_FILE, "%s: %m", ca_file);
		return NULL;
	}
	if (!library_fits() || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		err_set(err, ERR_STORE, "libcurl has no TLS, or waits when it resolves names");
		return NULL;
	}
	cb = xcalloc(1, sizeof(*cb));
	cb->base = base;
	cb->calls = *calls;
	cb->limits = limits ? *limits : (struct callback_limits)CALLBACK_LIMITS;
	cb->ca_file = ca_file ? xstrdup(ca_file) : NULL;
	cb->sequence = (uint64_t)time(NULL); /* greater than before a restart */
	cb->beat = evtimer_new(base, on_beat, cb);
	cb->due = evtimer_new(base, on_due, cb);
	if (cb->beat && cb->due)
		return cb;
	err_set(err, ERR_STORE, "no event loop");
	return callback_free(cb);
}

struct callback *callback_free(struct callback *cb) {
	if (!cb)
		return NULL;
	if (cb->beat && cb->due)
		multi_end(cb);
	if (cb->beat)
		event_free(cb->beat);
	if (cb->due)
		event_free(cb->due);
	free(cb->ca_file);
	free(cb->url);
	free(cb);
	curl_global_cleanup();
	return NULL;
}

void callback_configure(struct callback *cb, const char *url, uint32_t interval_ms) {
	const char *old = cb->url ? cb->url : "";
	bool same_url;

	url = url ? url : "";
	interval_ms = interval_ms ? interval_ms : INTERVAL_MS;
	same_url = strcmp(url, old) == 0;
	if (same_url && interval_ms == cb->interval_ms)
		return;
	cb->interval_ms = interval_ms;
	if (!same_url) {
		multi_end(cb);
		free(cb->url);
		cb->url = *url ? xstrdup(url) : NULL;
		cb->info.failures = 0;
		*cb->info.why = *cb->told = '\0';
		if (cb->url)
			multi_begin(cb);
	}
	if (cb->url && !cb->attempt.easy)
		arm(cb->beat, 0);
}

void callback_info(const struct callback *cb, struct callback_info *info) {
	*info = cb->info;
}
