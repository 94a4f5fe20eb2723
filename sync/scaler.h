/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Replication of the configuration as a running thing: the state machine with its channels to the
 * other members, its desk at gatehoused, the callback that decides roles, and its clock.
 */
#pragma once

#include "sync/autoscale.h"
#include "sync/callback.h"
#include "sync/channels.h"

struct event_base;
struct scaler;

struct scaler_config {
	struct event_base *base;
	const char *socket;          /* path of gatehoused's control socket */
	const char *callback_ca;     /* file of those whom callback-url is believed by; or NULL */
	/* Takes a line for the log, with a priority of syslog(3). */
	void (*log)(void *arg, int priority, const char *text);
	/* As inquired() of struct autoscale_env; out of the event loop. */
	void (*inquired)(void *arg, uint32_t inquiry, const struct autoscale_message *answer,
			 const char *why);
	void *arg;                   /* of both */
};

/* One that does nothing yet; NULL and *err when that fails. The caller frees it before the base. */
struct scaler *scaler_new(const struct scaler_config *config, struct err *err);

/* Hang up; NULL is fine. Returns NULL. */
struct scaler *scaler_free(struct scaler *s);

/*
 * Do this from now on. Where port 703 cannot be had, the log says so, and it is tried again some
 * seconds later.
 */
void scaler_configure(struct scaler *s, const struct autoscale *a);

/*
 * As the functions of sync/autoscale.h, sync/channels.h and sync/callback.h; where nothing is open,
 * what channels count is zero.
 */
void scaler_stats(const struct scaler *s, struct autoscale_stats *ret);
void scaler_channels(const struct scaler *s, struct channels_stats *ret);
void scaler_callback(const struct scaler *s, struct callback_info *ret);
bool scaler_peer(const struct scaler *s, unsigned int i, struct autoscale_peer_info *ret);
bool scaler_event(const struct scaler *s, unsigned int i, struct autoscale_event *ret);
int scaler_forget(struct scaler *s, const char *serial, struct err *err);
uint32_t scaler_inquire(struct scaler *s, const char *serial,
			const struct autoscale_message *question, struct err *err);
