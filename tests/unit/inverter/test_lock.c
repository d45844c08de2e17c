// SPDX-License-Identifier: Apache-2.0
/* The choice of one Pylon master address: scripts of polls and whether they are answered. */
#include "../cmocka_all.h"

#include "lock.h"

struct poll {
	int64_t s; /* seconds since start */
	int address;
	bool answered;
};

static void play(const struct poll *polls, size_t count)
{
	struct lock lock;

	lock_init(&lock, 0x02);
	for (size_t i = 0; i < count; i++)
		if (lock_accepts(&lock, polls[i].address, polls[i].s * 1000) != polls[i].answered)
			fail_msg("poll %zu: %02x at %lld s", i, (unsigned)polls[i].address,
				 (long long)polls[i].s);
}

#define PLAY(polls) play(polls, sizeof(polls) / sizeof *(polls))

static void the_home_address_is_answered_at_once(void **state)
{
	static const struct poll polls[] = {{0, 0x02, true}, {1, 0x02, true}, {500, 0x02, true}};

	(void)state;
	PLAY(polls);
}

/* Axpert: 02 52 42 32 22 12, then it stays with what answered. */
static void a_sweep_finds_the_home_address_only(void **state)
{
	static const struct poll polls[] = {
		{0, 0x02, true},   {1, 0x52, false},  {2, 0x42, false},  {3, 0x32, false},
		{4, 0x22, false},  {5, 0x12, false},  {6, 0x02, true},   {20, 0x12, false},
		{25, 0x12, false}, {31, 0x12, false}, {40, 0x12, false}, {41, 0x02, true},
	};

	(void)state;
	PLAY(polls);
}

static void an_inverter_that_only_asks_12_is_answered_after_ten_seconds(void **state)
{
	static const struct poll polls[] = {
		{0, 0x12, false},  {4, 0x12, false}, {9, 0x12, false},
		{10, 0x12, true},  {11, 0x12, true}, {12, 0x02, false}, /* exactly one address */
		{13, 0x22, false}, {14, 0x12, true},
	};

	(void)state;
	PLAY(polls);
}

static void a_poll_of_home_before_that_decides(void **state)
{
	static const struct poll polls[] = {
		{0, 0x12, false},  {9, 0x12, false}, {9, 0x02, true},
		{12, 0x12, false}, {13, 0x02, true},
	};

	(void)state;
	PLAY(polls);
}

static void single_polls_long_apart_do_not_add_up(void **state)
{
	static const struct poll polls[] = {
		{0, 0x12, false},  {11, 0x12, false}, {22, 0x12, false},
		{28, 0x12, false}, {32, 0x12, true},
	};

	(void)state;
	PLAY(polls);
}

static void a_sweep_without_home_ends_on_one(void **state)
{
	static const struct poll polls[] = {
		{0, 0x32, false}, {1, 0x22, false},  {5, 0x32, false},  {6, 0x22, false},
		{10, 0x32, true}, {11, 0x22, false}, {16, 0x22, false}, {17, 0x32, true},
	};

	(void)state;
	PLAY(polls);
}

static void slaves_and_nonsense_are_never_answered(void **state)
{
	static const struct poll polls[] = {
		{0, 0x03, false},  {6, 0x03, false},  {12, 0x03, false}, {13, 0x82, false},
		{19, 0x82, false}, {25, 0x82, false}, {26, -1, false},   {32, -1, false},
		{37, -1, false},   {38, 0x02, true},
	};

	(void)state;
	PLAY(polls);
}

static void after_a_minute_of_silence_it_starts_anew(void **state)
{
	static const struct poll from_12[] = {
		{0, 0x12, false},  {5, 0x12, false}, {10, 0x12, true},
		{70, 0x02, false}, {71, 0x02, true}, /* 12 was last polled 61 s ago */
		{72, 0x12, false},
	};
	static const struct poll from_home[] = {
		{0, 0x02, true},   {58, 0x12, false}, {61, 0x12, false},
		{68, 0x12, false}, {71, 0x12, true},
	};

	(void)state;
	PLAY(from_12);
	PLAY(from_home);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_home_address_is_answered_at_once),
		cmocka_unit_test(a_sweep_finds_the_home_address_only),
		cmocka_unit_test(an_inverter_that_only_asks_12_is_answered_after_ten_seconds),
		cmocka_unit_test(a_poll_of_home_before_that_decides),
		cmocka_unit_test(single_polls_long_apart_do_not_add_up),
		cmocka_unit_test(a_sweep_without_home_ends_on_one),
		cmocka_unit_test(slaves_and_nonsense_are_never_answered),
		cmocka_unit_test(after_a_minute_of_silence_it_starts_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
