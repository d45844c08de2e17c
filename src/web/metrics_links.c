// SPDX-License-Identifier: Apache-2.0
/* Metrics of the buses, the inverter links, the history and the server. */
#include "metrics.h"
#include "onepack/clock.h"

/* --- buses --- */

struct buses {
	struct bus_status list[STATUS_MAX_BUSES];
	int count;
};

static bool was_heard_of(const struct bus_address_status *address)
{
	uint64_t total = address->answers;

	for (int i = 0; i < BUS_CAUSE_COUNT; i++)
		total += address->errors[i];
	return total > 0;
}

/* One line per address, or with `causes` one per address and cause. */
static void address_lines(const struct sheet *sheet, const struct bus_status *bus, bool causes)
{
	char name[METRIC_LABEL_SIZE], labels[2 * METRIC_LABEL_SIZE];

	metric_label(bus->name, name);
	for (int i = 0; i < BUS_MAX_ADDRESS; i++) {
		const struct bus_address_status *address = &bus->address[i];

		if (!was_heard_of(address))
			continue;
		snprintf(labels, sizeof labels, "bus=\"%s\",address=\"%d\"", name, i);
		if (!causes)
			metric_count(sheet, labels, (int64_t)address->answers);
		for (int cause = 0; causes && cause < BUS_CAUSE_COUNT; cause++) {
			snprintf(labels, sizeof labels, "bus=\"%s\",address=\"%d\",cause=\"%s\"",
				 name, i, bus_cause_name((enum bus_cause)cause));
			metric_count(sheet, labels, (int64_t)address->errors[cause]);
		}
	}
}

static void print_buses(struct sheet *sheet, const struct buses *buses)
{
	static const char *const names[] = {"bus_up", "bus_cycles_total", "bus_cycle_seconds"};
	static const char *const kinds[] = {"gauge", "counter", "gauge"};
	static const char *const helps[] = {"1 while the port works", "complete poll cycles",
					    "duration of the last poll cycle"};
	char name[METRIC_LABEL_SIZE], labels[METRIC_LABEL_SIZE + 8];

	for (int what = 0; what < 3; what++) {
		metric_begin(sheet, kinds[what], names[what], helps[what]);
		for (int i = 0; i < buses->count; i++) {
			const struct bus_status *bus = &buses->list[i];

			snprintf(labels, sizeof labels, "bus=\"%s\"",
				 metric_label(bus->name, name));
			if (what == 0)
				metric_count(sheet, labels, bus->link == LINK_UP);
			else if (what == 1)
				metric_count(sheet, labels, (int64_t)bus->cycles);
			else if (bus->cycle_ms)
				metric_decimal(sheet, labels, (int32_t)bus->cycle_ms);
		}
	}
	metric_begin(sheet, "counter", "bus_answers_total", "good answers");
	for (int i = 0; i < buses->count; i++)
		address_lines(sheet, &buses->list[i], false);
	metric_begin(sheet, "counter", "bus_errors_total", "answers that failed, by cause");
	for (int i = 0; i < buses->count; i++)
		address_lines(sheet, &buses->list[i], true);
}

/* --- inverters --- */

struct inverters {
	struct inverter_status list[STATUS_MAX_INVERTERS];
	int count;
	int64_t now_ms;
};

enum inverter_metric {
	LINK,
	LEASE,
	FRAMES,
	REQUESTS,
	ERRORS,
	HEARD,
	SENT,
	CHARGE_VOLTAGE,
	CHARGE_CURRENT,
	DISCHARGE_CURRENT,
	INVERTER_METRICS
};

static const struct {
	const char *kind, *name, *help;
} inverter_metrics[INVERTER_METRICS] = {
	[LINK] = {"gauge", "inverter_link_up", "1 while the link works"},
	[LEASE] = {"gauge", "inverter_lease_valid", "1 while the engine renews the limits"},
	[FRAMES] = {"counter", "inverter_frames_sent_total", "CAN frames or RS485 answers"},
	[REQUESTS] = {"counter", "inverter_requests_total", "valid frames from the inverter"},
	[ERRORS] = {"counter", "inverter_errors_total", "bad checksums, bus errors, refusals"},
	[HEARD] = {"gauge", "inverter_heard_seconds", "time since the inverter was heard"},
	[SENT] = {"gauge", "inverter_last_sent_seconds", "time since the last frame or answer"},
	[CHARGE_VOLTAGE] = {"gauge", "inverter_charge_voltage_limit_volts", "last put on the wire"},
	[CHARGE_CURRENT] = {"gauge", "inverter_charge_current_limit_amperes",
			    "last put on the wire"},
	[DISCHARGE_CURRENT] = {"gauge", "inverter_discharge_current_limit_amperes",
			       "last put on the wire"},
};

static void inverter_line(const struct sheet *sheet, const char *labels, enum inverter_metric what,
			  const struct inverter_status *inverter, int64_t now_ms)
{
	switch (what) {
	case LINK: metric_count(sheet, labels, inverter->link == LINK_UP); break;
	case LEASE: metric_count(sheet, labels, inverter->lease_valid); break;
	case FRAMES: metric_count(sheet, labels, (int64_t)inverter->frames_sent); break;
	case REQUESTS: metric_count(sheet, labels, (int64_t)inverter->requests); break;
	case ERRORS: metric_count(sheet, labels, (int64_t)inverter->errors); break;
	case HEARD: metric_age(sheet, labels, inverter->heard_ms, now_ms); break;
	case SENT: metric_age(sheet, labels, inverter->sent_ms, now_ms); break;
	case CHARGE_VOLTAGE:
		metric_decimal(sheet, labels, inverter->charge_voltage_limit_mv);
		break;
	case CHARGE_CURRENT:
		metric_decimal(sheet, labels, inverter->charge_current_limit_ma);
		break;
	case DISCHARGE_CURRENT:
		metric_decimal(sheet, labels, inverter->discharge_current_limit_ma);
		break;
	case INVERTER_METRICS: break;
	}
}

static void inverter_label(const struct inverter_status *inverter, int number, char *out,
			   size_t size)
{
	char protocol[METRIC_LABEL_SIZE], port[METRIC_LABEL_SIZE];

	snprintf(out, size, "inverter=\"%d\",protocol=\"%s\",port=\"%s\"", number,
		 metric_label(inverter->protocol, protocol), metric_label(inverter->port, port));
}

static void print_inverters(struct sheet *sheet, const struct inverters *inverters)
{
	char labels[3 * METRIC_LABEL_SIZE];

	for (int what = 0; what < INVERTER_METRICS; what++) {
		metric_begin(sheet, inverter_metrics[what].kind, inverter_metrics[what].name,
			     inverter_metrics[what].help);
		for (int i = 0; i < inverters->count; i++) {
			inverter_label(&inverters->list[i], i + 1, labels, sizeof labels);
			inverter_line(sheet, labels, (enum inverter_metric)what,
				      &inverters->list[i], inverters->now_ms);
		}
	}
}

/* --- the gateway itself --- */

static void print_gateway(struct sheet *sheet, struct web *web)
{
	struct store_status status;

	metric_begin(sheet, "gauge", "snapshot_age_seconds", "age of the battery snapshot");
	metric_age(sheet, "", web->snapshot_ms, clock_monotonic_ms());
	metric_begin(sheet, "gauge", "web_streams", "pages that listen to the event stream");
	metric_count(sheet, "", stream_count(web->stream));
	if (!web->store)
		return;
	store_get_status(web->store, &status);
	metric_begin(sheet, "gauge", "store_working", "1 while the history is written");
	metric_count(sheet, "", status.state == STORE_WORKING);
	metric_begin(sheet, "counter", "store_samples_total", "samples written");
	metric_count(sheet, "", (int64_t)status.samples_written);
	metric_begin(sheet, "counter", "store_samples_dropped_total",
		     "samples lost to a failing disk");
	metric_count(sheet, "", (int64_t)status.samples_dropped);
	metric_begin(sheet, "counter", "store_events_total", "events written");
	metric_count(sheet, "", (int64_t)status.events_written);
	metric_begin(sheet, "counter", "store_commits_total", "batches written");
	metric_count(sheet, "", (int64_t)status.commits);
	metric_begin(sheet, "counter", "store_failures_total", "batches and openings that failed");
	metric_count(sheet, "", (int64_t)status.failures);
}

void metrics_print_links(struct sheet *sheet, struct web *web)
{
	struct inverters inverters;
	struct buses buses;

	buses.count = board_buses(web->board, buses.list);
	inverters.count = board_inverters(web->board, inverters.list);
	inverters.now_ms = clock_monotonic_ms();
	print_buses(sheet, &buses);
	print_inverters(sheet, &inverters);
	print_gateway(sheet, web);
}
