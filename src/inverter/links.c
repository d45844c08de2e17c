// SPDX-License-Identifier: Apache-2.0
/* Supervisor of the link processes, on the gateway's side: start, wake, watch, end.
 *
 * Links get the lease page and an eventfd by number. An eventfd because a link sleeps in ppoll on
 * its port as well, which a futex in the page could not be part of; one each, because reading it
 * resets it and every link must see every wake-up. They run in process groups of their own, so that
 * Ctrl-C in a terminal reaches the gateway first and the zero limits go out in order. */
#include "onepack/inverter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "onepack/lease.h"

#define PROGRAM        "onepack-link"
#define MAX_ARGUMENTS  (24 + 2 * INVERTER_MAX_OPTIONS)
#define PATH_SIZE      4096
#define BACKOFF_MIN_MS 1000
#define BACKOFF_MAX_MS 30000
#define HEALTHY_MS     60000 /* ran this long: the next start is immediate again */

struct one_link {
	char *arguments[MAX_ARGUMENTS + 1]; /* all allocated, NULL-ended */
	int argument_count;
	int wake_fd;
	pid_t pid; /* 0 = not running */
	int64_t started_ms;
	int64_t start_again_ms;
	int64_t backoff_ms; /* 0 = the next start is immediate */
	bool crashed;       /* it did not end by itself */
};

struct links {
	char program[PATH_SIZE];
	int lease_fd;
	struct lease_page *page;
	int count;
	struct one_link link[STATUS_MAX_INVERTERS];
};

extern char **environ;

/* --- starting --- */

/* Beside the running program. */
static int find_program(char *path, size_t size)
{
	const char *given = getenv("ONEPACK_LINK");
	ssize_t n;
	char *slash;

	if (given) {
		snprintf(path, size, "%s", given);
	} else {
		n = readlink("/proc/self/exe", path, size - sizeof PROGRAM);
		if (n < 0)
			return -errno;
		path[n] = 0;
		slash = strrchr(path, '/');
		snprintf(slash + 1, sizeof PROGRAM, PROGRAM);
	}
	return access(path, X_OK) < 0 ? -errno : 0;
}

__attribute__((format(printf, 2, 3))) static bool add(struct one_link *link, const char *format,
						      ...)
{
	char text[1024];
	va_list arguments;

	if (link->argument_count == MAX_ARGUMENTS)
		return false;
	va_start(arguments, format);
	vsnprintf(text, sizeof text, format, arguments);
	va_end(arguments);
	link->arguments[link->argument_count] = strdup(text);
	return link->arguments[link->argument_count++] != NULL;
}

static bool make_arguments(struct links *links, int slot, const struct inverter_config *config)
{
	struct one_link *link = &links->link[slot];
	bool ok = add(link, "%s", PROGRAM) && add(link, "--lease-fd=%d", links->lease_fd) &&
		  add(link, "--wake-fd=%d", link->wake_fd) && add(link, "--slot=%d", slot) &&
		  add(link, "--engine=%d", (int)getpid()) &&
		  add(link, "--protocol=%s", config->protocol) &&
		  add(link, "--port=%s", config->port) &&
		  add(link, "--bitrate=%u", config->bitrate) &&
		  add(link, "--address=%d", config->address);

	for (int i = 0; i < config->option_count; i++)
		ok = ok &&
		     add(link, "--option=%s=%s", config->options[i].name, config->options[i].value);
	return ok;
}

/* All signals as in a fresh process: the gateway blocks some for its signalfd. */
static int set_attributes(posix_spawnattr_t *attributes)
{
	sigset_t none;
	sigset_t all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	return posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF |
							    POSIX_SPAWN_SETPGROUP);
}

static int spawn(struct links *links, struct one_link *link, int64_t now_ms)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	pid_t pid = 0;
	int error;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	/* A descriptor duplicated onto itself loses its close-on-exec flag, and keeps its number.
	 */
	error = posix_spawn_file_actions_adddup2(&actions, links->lease_fd, links->lease_fd);
	if (!error)
		error = posix_spawn_file_actions_adddup2(&actions, link->wake_fd, link->wake_fd);
	if (!error)
		error = set_attributes(&attributes);
	if (!error)
		error = posix_spawn(&pid, links->program, &actions, &attributes, link->arguments,
				    environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	if (error)
		return -error;
	link->pid = pid;
	link->started_ms = now_ms;
	return 0;
}

static void free_links(struct links *links)
{
	for (int i = 0; i < links->count; i++) {
		for (int j = 0; j < links->link[i].argument_count; j++)
			free(links->link[i].arguments[j]);
		if (links->link[i].wake_fd >= 0)
			close(links->link[i].wake_fd);
	}
	if (links->page)
		munmap(links->page, lease_page_size());
	free(links);
}

static int check(const struct inverter_config *configs, int count, char *why, size_t why_size)
{
	if (count > STATUS_MAX_INVERTERS) {
		snprintf(why, why_size, "%d inverters are too many, the most is %d", count,
			 STATUS_MAX_INVERTERS);
		return -E2BIG;
	}
	for (int i = 0; i < count; i++)
		for (int j = 0; j < i; j++)
			if (strcmp(configs[i].port, configs[j].port) == 0) {
				snprintf(why, why_size, "two inverters on one port: %s",
					 configs[i].port);
				return -EINVAL;
			}
	return 0;
}

int links_start(const struct inverter_config *configs, int count, int lease_fd, struct links **out,
		char *why, size_t why_size)
{
	int64_t now_ms = clock_monotonic_ms();
	int err = check(configs, count, why, why_size);
	struct links *links;

	if (err)
		return err;
	links = calloc(1, sizeof *links);
	if (!links) {
		snprintf(why, why_size, "out of memory");
		return -ENOMEM;
	}
	links->lease_fd = lease_fd;
	links->page = lease_map(lease_fd);
	err = links->page ? find_program(links->program, sizeof links->program) : -errno;
	for (int i = 0; i < count && !err; i++) {
		links->count++;
		links->link[i].wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (links->link[i].wake_fd < 0)
			err = -errno;
		else if (!make_arguments(links, i, &configs[i]))
			err = -ENOMEM;
		else
			err = spawn(links, &links->link[i], now_ms);
	}
	if (err) {
		snprintf(why, why_size, "cannot start %s: %s",
			 links->program[0] ? links->program : PROGRAM, strerror(-err));
		links_stop(links, 0);
		return err;
	}
	*out = links;
	return 0;
}

/* --- running --- */

void links_wake(const struct links *links)
{
	static const uint64_t one = 1;

	for (int i = 0; i < links->count; i++)
		(void)!write(links->link[i].wake_fd, &one, sizeof one);
}

/* True when the process is not there any more. */
static bool reap(struct one_link *link)
{
	int status = 0;
	pid_t n;

	do
		n = waitpid(link->pid, &status, WNOHANG);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return false;
	link->pid = 0;
	link->crashed = n > 0 && WIFSIGNALED(status) && WTERMSIG(status) != SIGTERM;
	return true;
}

/* One that ended by itself was told to (systemd ends all processes of a service together), or
 * cannot work: that is not undone at once. */
static void plan_restart(struct one_link *link, int64_t now_ms)
{
	if (now_ms - link->started_ms >= HEALTHY_MS)
		link->backoff_ms = 0;
	if (!link->crashed && link->backoff_ms == 0)
		link->backoff_ms = BACKOFF_MIN_MS;
	link->start_again_ms = now_ms + link->backoff_ms;
	link->backoff_ms = link->backoff_ms ? 2 * link->backoff_ms : BACKOFF_MIN_MS;
	if (link->backoff_ms > BACKOFF_MAX_MS)
		link->backoff_ms = BACKOFF_MAX_MS;
}

static bool is_hung(const struct links *links, int slot, int64_t now_ms)
{
	const struct one_link *link = &links->link[slot];
	struct inverter_status status;
	int64_t alive_ms;

	lease_read_status(links->page, slot, &status);
	alive_ms = status.alive_ms > link->started_ms ? status.alive_ms : link->started_ms;
	return now_ms - alive_ms > LINK_HUNG_MS;
}

void links_tick(struct links *links, int64_t now_ms)
{
	for (int i = 0; i < links->count; i++) {
		struct one_link *link = &links->link[i];

		if (link->pid > 0 && reap(link))
			plan_restart(link, now_ms);
		else if (link->pid > 0 && is_hung(links, i, now_ms))
			kill(link->pid, SIGKILL);
		if (link->pid == 0 && now_ms >= link->start_again_ms &&
		    spawn(links, link, now_ms) < 0)
			plan_restart(link, now_ms);
	}
}

/* --- ending --- */

static int signal_all(struct links *links, int signal)
{
	int running = 0;

	for (int i = 0; i < links->count; i++) {
		if (links->link[i].pid == 0 || reap(&links->link[i]))
			continue;
		if (signal)
			kill(links->link[i].pid, signal);
		running++;
	}
	return running;
}

void links_stop(struct links *links, int timeout_ms)
{
	int64_t end_ms = clock_monotonic_ms() + timeout_ms;

	if (!links)
		return;
	signal_all(links, SIGTERM);
	while (signal_all(links, 0) > 0 && clock_monotonic_ms() < end_ms)
		(void)poll(NULL, 0, 5);
	signal_all(links, SIGKILL);
	for (int i = 0; i < links->count; i++)
		if (links->link[i].pid > 0)
			(void)waitpid(links->link[i].pid, NULL, 0);
	free_links(links);
}
