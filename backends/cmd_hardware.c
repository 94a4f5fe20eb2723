/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is told is what the kernel says, in the lines that administrators look for: a line for each
 * disk that is a device and not made of others, one for each driver of network devices.
 */
#include "backends/cmd_hardware.h"

#include <bsd/string.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "backends/device.h"
#include "cfgdb/base/file.h"
#include "cfgdb/base/json_put.h"
#include "cfgdb/base/mem.h"
#include "cfgdb/model/version.h"

#define FILE_MAX (8u << 20) /* bytes of /proc/cpuinfo */
#define ITEMS_MAX 64        /* disks, drivers */
#define NAME_MAX_LEN 32
#define SECTORS_PER_MIB 2048

struct part {
	char name[NAME_MAX_LEN];
	uint64_t mib;
};

struct hardware {
	char cpu[128];
	unsigned int n_cpus;
	uint64_t ram_mib;
	struct part disk[ITEMS_MAX], driver[ITEMS_MAX];
	size_t n_disks, n_drivers;
};

/* Not every processor has a name in that file; the kind of machine it always has. */
static void read_cpu(struct hardware *h) {
	static const char name[] = "model name\t: ";
	AUTO_STR struct str text = STR_INIT;
	struct utsname machine;
	const char *at = NULL;

	if (file_read("/proc/cpuinfo", FILE_MAX, &text, NULL) == 0)
		at = strstr(str_text(&text), name);
	if (at) {
		at += sizeof(name) - 1;
		strlcpy(h->cpu, at, sizeof(h->cpu));
		h->cpu[strcspn(h->cpu, "\n")] = '\0';
	} else if (uname(&machine) == 0) {
		strlcpy(h->cpu, machine.machine, sizeof(h->cpu));
	}
	h->n_cpus = (unsigned int)get_nprocs();
}

static uint64_t read_size(const char *disk) {
	AUTO_FREE char *path = xasprintf("/sys/class/block/%s/size", disk);
	AUTO_STR struct str text = STR_INIT;

	return file_read(path, NAME_MAX_LEN, &text, NULL) == 0
		       ? strtoull(str_text(&text), NULL, 10) / SECTORS_PER_MIB
		       : 0;
}

static int by_name(const void *a, const void *b) {
	const struct part *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static void read_disks(struct hardware *h) {
	DIR *dir = opendir("/sys/block");
	const struct dirent *entry;

	while (dir && h->n_disks < ITEMS_MAX && (entry = readdir(dir)) != NULL) {
		AUTO_FREE char *path = xasprintf("/sys/block/%s/device", entry->d_name);
		struct part *disk = &h->disk[h->n_disks];

		if (entry->d_name[0] == '.' || access(path, F_OK) != 0)
			continue;
		strlcpy(disk->name, entry->d_name, sizeof(disk->name));
		disk->mib = read_size(entry->d_name);
		h->n_disks++;
	}
	if (dir)
		closedir(dir);
	qsort(h->disk, h->n_disks, sizeof(*h->disk), by_name);
}

static void add_driver(struct hardware *h, const char *name) {
	for (size_t i = 0; i < h->n_drivers; i++)
		if (strcmp(h->driver[i].name, name) == 0)
			return;
	if (*name && h->n_drivers < ITEMS_MAX)
		strlcpy(h->driver[h->n_drivers++].name, name, NAME_MAX_LEN);
}

static int read_drivers(struct hardware *h, struct err *err) {
	struct rtnl *rtnl = rtnl_open(err);
	struct devices devices;
	int rc;

	if (!rtnl)
		return ERR_KERNEL;
	rc = devices_read(rtnl, &devices);
	for (size_t i = 0; i < devices.n; i++) {
		struct device_driver driver;

		if (!device_is_wire(&devices.device[i]))
			continue;
		device_ask_driver(devices.device[i].name, &driver);
		add_driver(h, driver.name);
	}
	devices_done(&devices);
	rtnl_close(rtnl);
	return rc ? err_set(err, ERR_KERNEL, "the kernel cannot be read: %s", strerror(rc)) : 0;
}

static void print(const struct hardware *h, struct str *out) {
	str_addf(out, "Model name: %s\nASIC version: not available\nCPU: %s\n", VERSION_PRODUCT,
		 h->cpu);
	str_addf(out, "Number of CPUs: %u\nRAM: %" PRIu64 " MB\n", h->n_cpus, h->ram_mib);
	for (size_t i = 0; i < h->n_disks; i++)
		str_addf(out, "Hard disk: %" PRIu64 " MB /dev/%s\n", h->disk[i].mib,
			 h->disk[i].name);
	if (h->n_disks == 0)
		str_add(out, "Hard disk: not available\n");
	for (size_t i = 0; i < h->n_drivers; i++)
		str_addf(out, "Network Card chipset: %s\n", h->driver[i].name);
}

static void put(const struct hardware *h, struct str *out) {
	struct json j = json_put_begin(out);

	json_put_object(&j, NULL);
	json_put_text(&j, "model", VERSION_PRODUCT);
	json_put_text(&j, "cpu", h->cpu);
	json_put_u64(&j, "cpus", h->n_cpus);
	json_put_u64(&j, "ram_mib", h->ram_mib);
	json_put_array(&j, "disks");
	for (size_t i = 0; i < h->n_disks; i++) {
		json_put_object(&j, NULL);
		json_put_textf(&j, "device", "/dev/%s", h->disk[i].name);
		json_put_u64(&j, "size_mib", h->disk[i].mib);
		json_put_end(&j);
	}
	json_put_end(&j);
	json_put_array(&j, "network_drivers");
	for (size_t i = 0; i < h->n_drivers; i++)
		json_put_text(&j, NULL, h->driver[i].name);
	json_put_end(&j);
	json_put_end(&j);
}

static int run_status(void *ctx, const struct command_call *call, struct str *out,
		      struct err *err) {
	struct hardware h = { .n_cpus = 0 };
	struct sysinfo info;
	int rc = command_no_words(call, err);

	(void)ctx;
	if (rc == 0)
		rc = read_drivers(&h, err);
	if (rc == 0 && sysinfo(&info) != 0)
		rc = err_set(err, ERR_KERNEL, "the kernel cannot be read: %s", strerror(errno));
	if (rc)
		return rc;
	h.ram_mib = (uint64_t)info.totalram * info.mem_unit >> 20;
	read_cpu(&h);
	read_disks(&h);
	if (call->json)
		put(&h, out);
	else
		print(&h, out);
	return 0;
}

const struct command *commands_hardware(size_t *n) {
	static const struct command table[] = {
		{ .words = "get hardware status", .reads = "sysgrp.cfg",
		  .run = run_status, .has_json = true },
	};

	*n = ARRAY_LEN(table);
	return table;
}
