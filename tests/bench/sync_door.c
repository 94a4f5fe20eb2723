/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * In the place of gatehoused for gatehouse-syncd: sync_door RUN_DIR OWN_SERIAL PEER_IP USER GROUP.
 * Tells whoever attaches as that user to share all sessions with one peer, and then nothing more.
 * The socket is served by gatehoused's own code, so that it always speaks as gatehouse-syncd does;
 * there is no kernel behind it.
 */
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "backends/cluster.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/control/ctl.h"
#include "cfgdb/control/relay.h"
#include "cfgdb/control/server.h"

static int make_cluster(struct cluster *c, const char *serial, const char *peer) {
	*c = (struct cluster){ .encrypt = true, .has_key = true, .tcp = true, .others = true,
			       .nat = true, .n_peers = 1 };
	snprintf(c->serial, sizeof(c->serial), "%s", serial);
	memset(c->key, 0x5a, sizeof(c->key));
	c->peer[0] = (struct cluster_peer){ .sync_id = 1, .sync_root = true, .all_vdoms = true,
					    .hb_interval_ms = 200, .hb_lost = 10 };
	return net_parse(AF_INET, peer, &c->peer[0].ip) ? 0 : ERR_VALUE;
}

static void set_state(struct relay *relay, const struct cluster *c) {
	AUTO_BUF struct buf b = BUF_INIT;

	cluster_encode(&b, c);
	relay_set_state(relay, CTL_STATE_CLUSTER, b.data, b.len);
}

static int serve(char *argv[], struct relay *relay, struct err *err) {
	AUTO_FREE char *path = xasprintf("%s/%s", argv[1], CTL_SOCKET_NAME);
	const struct server_config config = { .path = path, .version = "bench", .relay = relay,
					      .attach_user = argv[4], .group = argv[5] };
	struct event_base *base = event_base_new();
	struct engine *engine = engine_open(argv[1], err);
	struct server *server = NULL;

	if (!base)
		err_set(err, ERR_STORE, "no event loop");
	if (base && engine)
		server = server_new(base, engine, &config, err);
	if (server)
		event_base_dispatch(base);
	server_free(server);
	engine_close(engine);
	if (base)
		event_base_free(base);
	return err->code;
}

int main(int argc, char *argv[]) {
	struct relay *relay;
	struct cluster c;
	struct err err = { 0 };

	if (argc != 6 || make_cluster(&c, argv[2], argv[3]) != 0) {
		fputs("usage: sync_door RUN_DIR OWN_SERIAL PEER_IP USER GROUP\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	relay = relay_new();
	set_state(relay, &c);
	serve(argv, relay, &err);
	relay_free(relay);
	fprintf(stderr, "sync_door: %s\n", err.text);
	return 1;
}
