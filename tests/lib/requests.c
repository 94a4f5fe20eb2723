/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Somebody who speaks the control protocol without the shell:
 *
 *     requests SOCKET
 *
 * connects anew for each type of request, says hello and then that type alone, without fields, and
 * prints how many were refused as not allowed, how many got another answer, and how many were hung
 * up on: who may ask is looked at before the fields are, and a request without them is none. Left
 * out is CTL_CANCEL, which has no answer.
 */
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "cfgdb/base/buf.h"
#include "cfgdb/base/err.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/model/schema.h"

enum outcome { REFUSED, ANSWERED, HUNG_UP, OUTCOME_COUNT };

static int dial(const char *path) {
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s", path);
	if (fd >= 0 && connect(fd, (struct sockaddr *)&addr, sizeof(addr)) == 0)
		return fd;
	perror(path);
	_exit(2);
}

static bool say(int fd, const struct buf *fields) {
	AUTO_BUF struct buf frame = BUF_INIT;

	buf_put_u32(&frame, (uint32_t)fields->len);
	buf_put_bytes(&frame, fields->data, fields->len);
	return send(fd, frame.data, frame.len, MSG_NOSIGNAL) == (ssize_t)frame.len;
}

/* The frame that ends the answer; false when there is none. */
static bool hear(int fd, uint8_t frame[CTL_FRAME_MAX], struct buf_reader *ret) {
	uint8_t head[4], type;

	do {
		struct buf_reader r;
		uint32_t len;

		if (recv(fd, head, sizeof(head), MSG_WAITALL) != (ssize_t)sizeof(head))
			return false;
		buf_reader_init(&r, head, sizeof(head));
		len = buf_get_u32(&r);
		if (len > CTL_FRAME_MAX || recv(fd, frame, len, MSG_WAITALL) != (ssize_t)len)
			return false;
		buf_reader_init(ret, frame, len);
		type = buf_get_u8(ret);
	} while (type != CTL_OK && type != CTL_ERROR);
	buf_reader_init(ret, frame, 5);
	return true;
}

static enum outcome ask(const char *path, uint8_t type) {
	static uint8_t frame[CTL_FRAME_MAX];
	AUTO_BUF struct buf hello = BUF_INIT, request = BUF_INIT;
	enum outcome outcome = HUNG_UP;
	struct buf_reader r;
	int fd = dial(path);

	buf_put_u8(&hello, CTL_HELLO);
	buf_put_u32(&hello, CTL_VERSION);
	buf_put_str(&hello, schema_digest);
	buf_put_u8(&request, type);
	if (say(fd, &hello) && hear(fd, frame, &r) && buf_get_u8(&r) == CTL_OK &&
	    say(fd, &request) && hear(fd, frame, &r))
		outcome = buf_get_u8(&r) == CTL_ERROR && (int)buf_get_u32(&r) == ERR_PERMISSION
				  ? REFUSED
				  : ANSWERED;
	close(fd);
	return outcome;
}

int main(int argc, char *argv[]) {
	unsigned int n[OUTCOME_COUNT] = { 0 };

	if (argc != 2) {
		fputs("usage: requests SOCKET\n", stderr);
		return 2;
	}
	for (uint8_t type = CTL_HELLO + 1; type < CTL_REQUEST_COUNT; type++)
		if (type != CTL_CANCEL)
			n[ask(argv[1], type)]++;
	printf("%u refused, %u answered, %u hung up on\n", n[REFUSED], n[ANSWERED], n[HUNG_UP]);
	return 0;
}
