// SPDX-License-Identifier: Apache-2.0
/* Starts the parts in order, runs the engine, stops them in reverse. The wiring diagram of the
 * gateway; docs/architecture.md draws it. */
#include "app.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "onepack/log.h"

#include "engine.h"

/* an RS485 link waits for a last poll, to answer it with zero limits */
#define LINKS_STOP_MS (LINK_FAREWELL_MS + 500)
#define WHY_SIZE      256

/* Everything that runs. Closing functions accept what was never opened. */
struct app {
	const struct config *config;
	int signals, wake, lease_fd;
	struct lease_page *lease;
	struct links *links;
	struct rack *rack;
	struct replay *replay; /* in place of a rack, NULL = none */
	struct board *board;
	struct store *store;
	struct web *web;
	struct mqtt *mqtt;
	struct engine *engine;
};

/* Signals are taken from a descriptor, and blocked before any thread or process starts. */
static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* The parts without which there is no battery for the inverter. */
static int start_control(struct app *app, char *why)
{
	struct inverter_config inverters[STATUS_MAX_INVERTERS];
	const int inverter_count = config_links(app->config, inverters);
	int result;

	app->lease_fd = lease_create();
	app->lease = app->lease_fd >= 0 ? lease_map(app->lease_fd) : NULL;
	if (!app->lease) {
		snprintf(why, WHY_SIZE, "no shared memory for the inverter links: %s",
			 strerror(errno));
		return -1;
	}
	result = links_start(inverters, inverter_count, app->lease_fd, &app->links, why, WHY_SIZE);
	if (result < 0)
		return result;
	app->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (app->config->replay.log[0])
		return replay_open(app->config->replay.log, app->config->replay.speed, &app->replay,
				   why, WHY_SIZE);
	result = rack_start(app->config->buses, app->config->bus_count, app->wake, &app->rack, why,
			    WHY_SIZE);
	if (result == 0 && rack_enable_updates(app->rack, &app->config->update, why, WHY_SIZE) < 0)
		log_line(LOG_LEVEL_ERROR, "no updates of packs: %s", why);
	return result;
}

/* The consumers. None of them may stop the control path, so a failure is told and lived with. */
static void start_consumers(struct app *app)
{
	char why[WHY_SIZE] = "";

	if (store_start(&app->config->store, app->board, &app->store, why, sizeof why) < 0)
		log_line(LOG_LEVEL_ERROR, "no history: %s", why);
	struct web_config web = app->config->web;

	web.rack = app->rack;
	if (web_start(&web, app->board, app->store, &app->web, why, sizeof why) < 0)
		log_line(LOG_LEVEL_ERROR, "no web page: %s", why);
	if (app->config->mqtt.enabled &&
	    mqtt_start(&app->config->mqtt, app->board, &app->mqtt, why, sizeof why) < 0)
		log_line(LOG_LEVEL_ERROR, "no MQTT: %s", why);
}

static int start(struct app *app)
{
	char why[WHY_SIZE] = "";
	int32_t charged_wh = 0, discharged_wh = 0;

	app->board = board_new();
	if (!app->board || start_control(app, why) < 0) {
		log_line(LOG_LEVEL_ERROR, "cannot start: %s", app->board ? why : "out of memory");
		return -1;
	}
	store_last_energy(app->config->store.path, &charged_wh, &discharged_wh);
	const struct engine_parts parts = {app->config, app->rack,  app->replay,
					   app->links,  app->lease, app->board};
	app->engine = engine_new(&parts, charged_wh, discharged_wh);
	if (!app->engine)
		return -1;
	start_consumers(app);
	return 0;
}

/* In reverse order, but the inverters first: they must hear zero limits before anything else
 * happens. */
static void stop(struct app *app)
{
	if (app->lease)
		lease_revoke(app->lease);
	links_stop(app->links, LINKS_STOP_MS);
	if (app->board)
		board_close(app->board);
	web_stop(app->web);
	mqtt_stop(app->mqtt);
	store_stop(app->store);
	rack_stop(app->rack);
	replay_close(app->replay);
	engine_free(app->engine);
	board_free(app->board);
}

/* True until a signal asks to stop. Waits for a new sample, a signal, or the period. */
static bool wait_for_news(struct app *app)
{
	struct pollfd fds[] = {{.fd = app->signals, .events = POLLIN},
			       {.fd = app->wake, .events = POLLIN}};
	uint64_t count;

	if (poll(fds, 2, ENGINE_PERIOD_MS) > 0 && fds[1].revents & POLLIN &&
	    read(app->wake, &count, sizeof count) < 0)
		return errno == EAGAIN || errno == EINTR;
	return !(fds[0].revents & POLLIN);
}

static void run(struct app *app)
{
	sd_notify(0, "READY=1");
	log_line(LOG_LEVEL_NOTICE, "running: %d bus(es), %d inverter link(s), web on %s",
		 app->config->bus_count, app->config->inverter_count, app->config->web.listen);
	do {
		if (!engine_step(app->engine, clock_monotonic_ms(), clock_wall_ms())) {
			log_line(LOG_LEVEL_NOTICE, "the log is over");
			break;
		}
		sd_notify(0, "WATCHDOG=1");
	} while (wait_for_news(app));
	sd_notify(0, "STOPPING=1");
	log_line(LOG_LEVEL_NOTICE, "stopping: zero limits first");
}

int app_serve(const struct config *config)
{
	struct app *app = calloc(1, sizeof *app); /* the only instance, handed down from here */
	int result;

	if (!app)
		return 1;
	app->config = config;
	app->signals = open_signals();
	result = start(app);
	if (result == 0)
		run(app);
	stop(app);
	free(app);
	return result == 0 ? 0 : 1;
}
