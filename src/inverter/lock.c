// SPDX-License-Identifier: Apache-2.0
/* The choice of one Pylon master address; see lock.h. */
#include "lock.h"

#include <string.h>

/* A gap longer than this is not "being polled" any more. */
#define STEADY_MS LOCK_AFTER_MS

static bool is_master(int address)
{
	return (address & 0x0f) == 2 && address / 16 < LOCK_GROUPS;
}

static void choose(struct lock *lock, int address, int64_t now_ms)
{
	int home = lock->home;

	lock_init(lock, home);
	lock->chosen = address;
	lock->polled_ms = now_ms;
}

/* Polled steadily for long enough? */
static bool has_waited(struct lock_group *group, int64_t now_ms)
{
	if (!group->polled || now_ms - group->last_ms > STEADY_MS)
		group->first_ms = now_ms;
	group->polled = true;
	group->last_ms = now_ms;
	return now_ms - group->first_ms >= LOCK_AFTER_MS;
}

/* Is this the address to choose, while none is? */
static bool is_wanted(struct lock *lock, int address, int64_t now_ms)
{
	return address == lock->home ||
	       (is_master(address) && has_waited(&lock->groups[address / 16], now_ms));
}

void lock_init(struct lock *lock, int home)
{
	memset(lock, 0, sizeof *lock);
	lock->home = home;
	lock->chosen = -1;
}

bool lock_accepts(struct lock *lock, int address, int64_t now_ms)
{
	if (lock->chosen >= 0 && now_ms - lock->polled_ms > LOCK_FORGET_MS)
		lock_init(lock, lock->home);
	if (lock->chosen < 0 && is_wanted(lock, address, now_ms))
		choose(lock, address, now_ms);
	if (lock->chosen < 0 || address != lock->chosen)
		return false;
	lock->polled_ms = now_ms;
	return true;
}
