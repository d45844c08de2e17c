// SPDX-License-Identifier: Apache-2.0
/* The lease page: what readers get in each state, that they never see half a snapshot, and that a
 * writer which dies in the middle of one neither hangs nor misleads them. */
#include "../cmocka_all.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "onepack/clock.h"
#include "onepack/lease.h"

static struct lease_page *new_page(void)
{
	int fd = lease_create();
	struct lease_page *page;

	assert_true(fd >= 0);
	page = lease_map(fd);
	assert_non_null(page);
	close(fd);
	return page;
}

static void free_page(struct lease_page *page)
{
	munmap(page, lease_page_size());
}

/* A battery in which every int says the same number, so that half of one and half of another is
 * seen. */
static void fill(struct battery *battery, int32_t number)
{
	int32_t *words = (int32_t *)battery;

	for (size_t i = 0; i < sizeof *battery / sizeof *words; i++)
		words[i] = number;
}

static bool is_whole(const struct battery *battery)
{
	const int32_t *words = (const int32_t *)battery;

	for (size_t i = 1; i < sizeof *battery / sizeof *words; i++)
		if (words[i] != words[0])
			return false;
	return true;
}

static void assert_zero_limits(const struct battery *battery)
{
	assert_int_equal(battery->charge_current_limit_ma, 0);
	assert_int_equal(battery->discharge_current_limit_ma, 0);
	assert_int_equal(battery->charge_allowed, 0);
	assert_int_equal(battery->discharge_allowed, 0);
	assert_int_equal(battery->force_charge, FORCE_NONE);
	assert_int_equal(battery->full_charge_request, 0);
	assert_int_equal(battery->state, BATTERY_FAULT);
	assert_true(battery->protections & ALARM_BIT(ALARM_internal_communication));
}

static void a_working_battery(struct battery *battery)
{
	battery_clear(battery);
	battery->state = BATTERY_CHARGING;
	battery->voltage_mv = 53100;
	battery->soc_mpct = 67000;
	battery->charge_voltage_limit_mv = 55200;
	battery->charge_current_limit_ma = 200000;
	battery->discharge_current_limit_ma = 300000;
	battery->charge_allowed = 1;
	battery->discharge_allowed = 1;
	battery->force_charge = FORCE_URGENT;
	battery->full_charge_request = 1;
	battery->warnings = ALARM_BIT(ALARM_cell_imbalance);
	battery->reason_count = 1;
}

static void nothing_was_published(void **state)
{
	struct lease_page *page = new_page();
	struct battery battery;
	struct battery cleared;
	int64_t age_ms = 7;

	(void)state;
	battery_clear(&cleared);
	assert_int_equal(lease_read(page, 1000, &battery, &age_ms), LEASE_NONE);
	assert_memory_equal(&battery, &cleared, sizeof battery);
	assert_int_equal(age_ms, -1);
	lease_revoke(page);
	assert_int_equal(lease_read(page, 1000, &battery, NULL), LEASE_REVOKED);
	assert_zero_limits(&battery);
	free_page(page);
}

static void a_lease_is_valid_until_it_expires(void **state)
{
	static const struct {
		int64_t now_ms, age_ms;
		enum lease_state state;
	} rows[] = {
		{10000, 0, LEASE_VALID},
		{10001, 1, LEASE_VALID},
		{9990, 0, LEASE_VALID}, /* the reader looked at the clock before the writer did */
		{10000 + LEASE_TTL_MS, LEASE_TTL_MS, LEASE_VALID},
		{10001 + LEASE_TTL_MS, LEASE_TTL_MS + 1, LEASE_EXPIRED},
		{9999 - LEASE_TTL_MS, 0, LEASE_EXPIRED}, /* published in the future */
		{INT64_MAX / 2, INT64_MAX / 2 - 10000, LEASE_EXPIRED},
	};
	struct lease_page *page = new_page();
	struct battery published;
	struct battery battery;
	int64_t age_ms;

	(void)state;
	a_working_battery(&published);
	lease_publish(page, &published, 10000);
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		assert_int_equal(lease_read(page, rows[i].now_ms, &battery, &age_ms),
				 rows[i].state);
		assert_int_equal(age_ms, rows[i].age_ms);
		if (rows[i].state == LEASE_VALID)
			assert_memory_equal(&battery, &published, sizeof battery);
		else
			assert_zero_limits(&battery);
	}
	free_page(page);
}

static void a_renewed_lease_is_valid_again(void **state)
{
	struct lease_page *page = new_page();
	struct battery published;
	struct battery battery;

	(void)state;
	a_working_battery(&published);
	lease_publish(page, &published, 10000);
	assert_int_equal(lease_read(page, 20000, &battery, NULL), LEASE_EXPIRED);
	lease_publish(page, &published, 20000);
	assert_int_equal(lease_read(page, 20000, &battery, NULL), LEASE_VALID);
	assert_memory_equal(&battery, &published, sizeof battery);
	free_page(page);
}

static void a_revoked_lease_stays_revoked(void **state)
{
	struct lease_page *page = new_page();
	struct battery published;
	struct battery battery;

	(void)state;
	a_working_battery(&published);
	lease_publish(page, &published, 10000);
	lease_revoke(page);
	assert_int_equal(lease_read(page, 10000, &battery, NULL), LEASE_REVOKED);
	assert_zero_limits(&battery);
	lease_publish(page, &published, 10100);
	assert_int_equal(lease_read(page, 10100, &battery, NULL), LEASE_REVOKED);
	assert_zero_limits(&battery);
	free_page(page);
}

static void a_safe_battery_keeps_its_measurements(void **state)
{
	struct battery battery;
	struct battery before;

	(void)state;
	a_working_battery(&battery);
	before = battery;
	lease_make_safe(&battery);
	assert_zero_limits(&battery);
	assert_int_equal(battery.reason_count, 0);
	assert_int_equal(battery.voltage_mv, before.voltage_mv);
	assert_int_equal(battery.soc_mpct, before.soc_mpct);
	assert_int_equal(battery.charge_voltage_limit_mv, before.charge_voltage_limit_mv);
	assert_int_equal(battery.warnings, before.warnings);
}

static void slots_keep_each_link_apart(void **state)
{
	struct lease_page *page = new_page();
	struct inverter_status in = {.port = "can0", .frames_sent = 5, .link = LINK_UP};
	struct inverter_status out;

	(void)state;
	for (int slot = 0; slot < STATUS_MAX_INVERTERS; slot++) {
		in.frames_sent = (uint64_t)slot + 5;
		lease_write_status(page, slot, &in);
	}
	for (int slot = 0; slot < STATUS_MAX_INVERTERS; slot++) {
		lease_read_status(page, slot, &out);
		assert_int_equal(out.frames_sent, slot + 5);
		assert_string_equal(out.port, "can0");
	}
	free_page(page);

	page = new_page();
	lease_read_status(page, 3, &out);
	assert_string_equal(out.protocol, "");
	assert_int_equal(out.link, LINK_DOWN);
	assert_int_equal(out.heard_ms, 0);
	assert_int_equal(out.charge_current_limit_ma, FIELD_UNKNOWN);
	assert_int_equal(out.view.inverter_alive, FIELD_UNKNOWN);
	free_page(page);
}

static void foreign_memory_is_refused(void **state)
{
	int fd = memfd_create("foreign", MFD_CLOEXEC);

	(void)state;
	assert_int_equal(ftruncate(fd, 100), 0);
	assert_null(lease_map(fd));
	assert_int_equal(errno, EPROTO);
	assert_int_equal(ftruncate(fd, (off_t)lease_page_size()), 0);
	assert_null(lease_map(fd));
	assert_int_equal(errno, EPROTO);
	close(fd);
	assert_null(lease_map(fd));
	assert_int_equal(errno, EBADF);
}

static void the_page_cannot_be_shrunk(void **state)
{
	int fd = lease_create();

	(void)state;
	assert_int_equal(ftruncate(fd, 0), -1);
	close(fd);
}

struct hammer {
	struct lease_page *page;
	atomic_bool stop;
};

static void *publish_for_ever(void *argument)
{
	struct hammer *hammer = argument;
	static struct battery battery;

	for (int32_t number = 1; !atomic_load(&hammer->stop); number++) {
		fill(&battery, number);
		lease_publish(hammer->page, &battery, 0);
	}
	return NULL;
}

static void readers_never_see_half_a_snapshot(void **state)
{
	struct hammer hammer = {.page = new_page()};
	struct battery battery;
	pthread_t thread;
	int64_t end_ms = clock_monotonic_ms() + 500;
	int32_t last = 0;
	int valid = 0;
	int torn = 0;
	int backwards = 0;

	(void)state;
	atomic_init(&hammer.stop, false);
	assert_int_equal(pthread_create(&thread, NULL, publish_for_ever, &hammer), 0);
	while (clock_monotonic_ms() < end_ms) {
		if (lease_read(hammer.page, 0, &battery, NULL) != LEASE_VALID)
			continue;
		valid++;
		torn += !is_whole(&battery);
		backwards += battery.voltage_mv < last;
		last = battery.voltage_mv;
	}
	atomic_store(&hammer.stop, true);
	pthread_join(thread, NULL);
	assert_int_equal(torn, 0);
	assert_int_equal(backwards, 0);
	assert_true(valid > 100);
	assert_true(last > 100);
	free_page(hammer.page);
}

static void die(int signal)
{
	(void)signal;
	_exit(0);
}

/* Publishes a battery whose last part lies in memory that cannot be read. */
static void crash_in_the_middle(struct lease_page *page)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	size_t readable = sizeof(struct battery) / page_size * page_size;
	uint8_t *memory = mmap(NULL, readable + 2 * page_size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(readable > 0);
	memset(memory, 0x7f, readable);
	mprotect(memory + readable, 2 * page_size, PROT_NONE);
	signal(SIGSEGV, die);
	lease_publish(page, (const struct battery *)(void *)memory, 0);
	_exit(1);
}

static void a_writer_that_dies_halfway_leaves_the_previous_snapshot(void **state)
{
	struct lease_page *page = new_page();
	struct battery battery;
	int status;

	(void)state;
	for (int32_t number = 1; number <= 4; number++) { /* both halves */
		pid_t child;

		fill(&battery, number);
		lease_publish(page, &battery, 0);
		child = fork();
		if (child == 0)
			crash_in_the_middle(page);
		waitpid(child, &status, 0);
		assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
		memset(&battery, 0, sizeof battery);
		assert_int_equal(lease_read(page, 0, &battery, NULL), LEASE_VALID);
		assert_true(is_whole(&battery));
		assert_int_equal(battery.voltage_mv, number);
	}
	free_page(page);
}

static void a_writer_killed_at_any_moment_does_no_harm(void **state)
{
	struct hammer hammer = {.page = new_page()};
	struct battery battery;
	int64_t start_us;

	(void)state;
	atomic_init(&hammer.stop, false);
	for (int i = 0; i < 100; i++) {
		pid_t child = fork();

		if (child == 0)
			publish_for_ever(&hammer);
		while (lease_read(hammer.page, 0, &battery, NULL) == LEASE_NONE)
			;
		usleep((useconds_t)(500 + i * 7));
		kill(child, SIGKILL);
		waitpid(child, NULL, 0);
		start_us = clock_monotonic_us();
		assert_int_equal(lease_read(hammer.page, 0, &battery, NULL), LEASE_VALID);
		assert_true(is_whole(&battery));
		assert_true(clock_monotonic_us() - start_us < 100000);
	}
	free_page(hammer.page);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_was_published),
		cmocka_unit_test(a_lease_is_valid_until_it_expires),
		cmocka_unit_test(a_renewed_lease_is_valid_again),
		cmocka_unit_test(a_revoked_lease_stays_revoked),
		cmocka_unit_test(a_safe_battery_keeps_its_measurements),
		cmocka_unit_test(slots_keep_each_link_apart),
		cmocka_unit_test(foreign_memory_is_refused),
		cmocka_unit_test(the_page_cannot_be_shrunk),
		cmocka_unit_test(readers_never_see_half_a_snapshot),
		cmocka_unit_test(a_writer_that_dies_halfway_leaves_the_previous_snapshot),
		cmocka_unit_test(a_writer_killed_at_any_moment_does_no_harm),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
