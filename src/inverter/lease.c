// SPDX-License-Identifier: Apache-2.0
/* The lease page: one snapshot cell that the engine writes, and one status cell per inverter link.
 *
 * A cell holds two copies of its object. Copy number n goes into half n % 2, and `latest` moves to
 * n only when the half is complete. So a writer that dies or is stopped in the middle of a copy
 * leaves the previous copy readable, and a reader never waits for anybody: it only tries again when
 * a whole newer copy has overtaken it.
 *
 * Memory order: the object is copied word by word with release stores and acquire loads. A reader
 * that sees one word of a newer copy therefore sees the mark that was set before it, and throws its
 * copy away. No fences, so ThreadSanitizer can follow. */
#include "onepack/lease.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define WORD        sizeof(uint64_t)
#define WORDS(type) ((sizeof(type) + WORD - 1) / WORD)

/* A reader is overtaken only by two whole copies in the time of one; more than a few times in a row
 * means that the writer has gone mad. */
#define READ_TRIES 1000

struct half {
	_Atomic uint64_t number; /* of the copy that it holds, 0 while it is being written */
	_Atomic int64_t stamp_ms;
};

struct cell {
	_Atomic uint64_t latest; /* number of the last complete copy, 0 = none yet */
	struct half half[2];
};

struct lease_page {
	_Atomic uint64_t
		layout; /* LAYOUT, so that two versions of the product never share a page */
	_Atomic uint32_t revoked;
	struct cell snapshot;
	_Atomic uint64_t snapshot_words[2][WORDS(struct battery)];
	struct cell status[STATUS_MAX_INVERTERS];
	_Atomic uint64_t status_words[STATUS_MAX_INVERTERS][2][WORDS(struct inverter_status)];
};

#define LAYOUT ((uint64_t)0x4f503101 << 32 | sizeof(struct lease_page)) /* "OP1", version 1 */

_Static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "the page is shared between processes");

static void copy_in(_Atomic uint64_t *words, const void *from, size_t size)
{
	const uint8_t *bytes = from;

	for (size_t at = 0; at < size; at += WORD) {
		uint64_t word = 0;

		memcpy(&word, bytes + at, size - at < WORD ? size - at : WORD);
		atomic_store_explicit(&words[at / WORD], word, memory_order_release);
	}
}

static void copy_out(const _Atomic uint64_t *words, void *to, size_t size)
{
	uint8_t *bytes = to;

	for (size_t at = 0; at < size; at += WORD) {
		uint64_t word = atomic_load_explicit(&words[at / WORD], memory_order_acquire);

		memcpy(bytes + at, &word, size - at < WORD ? size - at : WORD);
	}
}

/* `words` are the cell's two halves, `stride` words each. */
static void cell_write(struct cell *cell, _Atomic uint64_t *words, size_t stride,
		       const void *object, size_t size, int64_t stamp_ms)
{
	uint64_t number = atomic_load_explicit(&cell->latest, memory_order_relaxed) + 1;
	struct half *half = &cell->half[number % 2];

	atomic_store_explicit(&half->number, 0, memory_order_relaxed);
	atomic_store_explicit(&half->stamp_ms, stamp_ms, memory_order_release);
	copy_in(words + number % 2 * stride, object, size);
	atomic_store_explicit(&half->number, number, memory_order_release);
	atomic_store_explicit(&cell->latest, number, memory_order_release);
}

static enum lease_copy cell_read(const struct cell *cell, const _Atomic uint64_t *words,
				 size_t stride, void *object, size_t size, int64_t *stamp_ms)
{
	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t number = atomic_load_explicit(&cell->latest, memory_order_acquire);
		const struct half *half = &cell->half[number % 2];

		if (number == 0)
			return LEASE_COPY_NONE;
		if (atomic_load_explicit(&half->number, memory_order_acquire) != number)
			continue;
		*stamp_ms = atomic_load_explicit(&half->stamp_ms, memory_order_acquire);
		copy_out(words + number % 2 * stride, object, size);
		if (atomic_load_explicit(&half->number, memory_order_relaxed) == number)
			return LEASE_COPY_WHOLE;
	}
	return LEASE_COPY_TORN;
}

uint64_t lease_page_size(void)
{
	return sizeof(struct lease_page);
}

int lease_create(void)
{
	const uint64_t layout = LAYOUT;
	int fd = memfd_create("onepack-lease", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	int error;

	if (fd < 0)
		return -errno;
	/* Sealed: nobody can shrink the page under a reader, which would be its death by SIGBUS. */
	if (ftruncate(fd, sizeof(struct lease_page)) == 0 &&
	    pwrite(fd, &layout, sizeof layout, offsetof(struct lease_page, layout)) ==
		    sizeof layout &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	error = errno;
	close(fd);
	return -error;
}

struct lease_page *lease_map(int fd)
{
	struct lease_page *page;
	struct stat st;

	if (fstat(fd, &st) < 0)
		return NULL;
	if ((uint64_t)st.st_size != sizeof(struct lease_page)) {
		errno = EPROTO;
		return NULL;
	}
	page = mmap(NULL, sizeof *page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return NULL;
	if (atomic_load(&page->layout) != LAYOUT) {
		munmap(page, sizeof *page);
		errno = EPROTO;
		return NULL;
	}
	return page;
}

void lease_publish(struct lease_page *page, const struct battery *battery, int64_t now_ms)
{
	cell_write(&page->snapshot, page->snapshot_words[0], WORDS(struct battery), battery,
		   sizeof *battery, now_ms);
}

void lease_revoke(struct lease_page *page)
{
	atomic_store(&page->revoked, 1);
}

/* A renewal from the future cannot be judged (another clock, another machine's page): not valid.
 * The small allowance is for a reader that took its time before the writer published. */
static bool in_time(int64_t age_ms)
{
	return age_ms >= -LEASE_TTL_MS && age_ms <= LEASE_TTL_MS;
}

enum lease_state lease_judge(enum lease_copy copy, bool revoked, int64_t age_ms)
{
	if (revoked)
		return LEASE_REVOKED;
	if (copy == LEASE_COPY_NONE)
		return LEASE_NONE;
	return copy == LEASE_COPY_WHOLE && in_time(age_ms) ? LEASE_VALID : LEASE_EXPIRED;
}

enum lease_state lease_read(const struct lease_page *page, int64_t now_ms, struct battery *out,
			    int64_t *age_ms)
{
	int64_t renewed_ms = 0;
	enum lease_copy copy = cell_read(&page->snapshot, page->snapshot_words[0],
					 WORDS(struct battery), out, sizeof *out, &renewed_ms);
	int64_t age = now_ms - renewed_ms;
	enum lease_state state = lease_judge(copy, atomic_load(&page->revoked), age);

	if (copy != LEASE_COPY_WHOLE) {
		battery_clear(out);
		age = -1;
	}
	if (age_ms)
		*age_ms = copy != LEASE_COPY_WHOLE || age > 0 ? age : 0;
	if (state != LEASE_VALID && state != LEASE_NONE)
		lease_make_safe(out);
	return state;
}

void lease_make_safe(struct battery *battery)
{
	battery->charge_current_limit_ma = 0;
	battery->discharge_current_limit_ma = 0;
	battery->charge_allowed = 0;
	battery->discharge_allowed = 0;
	battery->force_charge = FORCE_NONE;
	battery->full_charge_request = 0;
	battery->state = BATTERY_FAULT;
	battery->protections |= ALARM_BIT(ALARM_internal_communication);
	battery->reason_count = 0; /* they explained limits that no longer hold */
}

void lease_write_status(struct lease_page *page, int slot, const struct inverter_status *status)
{
	cell_write(&page->status[slot], page->status_words[slot][0], WORDS(struct inverter_status),
		   status, sizeof *status, 0);
}

void lease_read_status(const struct lease_page *page, int slot, struct inverter_status *out)
{
	int64_t unused;

	if (cell_read(&page->status[slot], page->status_words[slot][0],
		      WORDS(struct inverter_status), out, sizeof *out, &unused) > 0)
		return;
	memset(out, 0, sizeof *out);
	out->charge_voltage_limit_mv = FIELD_UNKNOWN;
	out->charge_current_limit_ma = FIELD_UNKNOWN;
	out->discharge_current_limit_ma = FIELD_UNKNOWN;
	inverter_view_clear(&out->view);
}
