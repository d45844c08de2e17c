// SPDX-License-Identifier: Apache-2.0
/* The lease on the limits. The engine publishes each battery snapshot into a page of shared memory
 * together with the time of publication; the inverter link (its own process) reads it there. When
 * the engine stops renewing, for whatever reason (killed, stopped, hung), the snapshot that a
 * reader gets has all current limits at zero.
 *
 * One writer, any number of readers in other processes. Reading never blocks, never sees half a
 * snapshot, and does not depend on the writer being alive. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "onepack/battery.h"
#include "onepack/status.h"

#define LEASE_TTL_MS 2500 /* links act at the moment of expiry: within the promised 3 s */

struct lease_page; /* layout in src/inverter/lease.c */

/* Bytes of shared memory that a page needs. */
uint64_t lease_page_size(void);

/* A new anonymous shared memory object, sealed in its size and close-on-exec (links_start hands it
 * on): returns its file descriptor or -errno. */
int lease_create(void);

/* Maps the page behind a descriptor; NULL and errno on failure, EPROTO when it is not a page of
 * this version. Pages are never unmapped while in use. */
struct lease_page *lease_map(int fd);

/* Engine side, one thread. Publishes the snapshot, valid until now_ms + LEASE_TTL_MS
 * (CLOCK_MONOTONIC). Publishing the same snapshot again is how the lease is renewed. */
void lease_publish(struct lease_page *page, const struct battery *battery, int64_t now_ms);

/* Engine side: from now on readers get zero limits, whatever was or will be published; used for an
 * orderly stop. */
void lease_revoke(struct lease_page *page);

enum lease_state { LEASE_NONE, LEASE_VALID, LEASE_EXPIRED, LEASE_REVOKED };

/* What can be had of the last snapshot: nothing was ever published, all of it, or none that is
 * whole. */
enum lease_copy { LEASE_COPY_NONE, LEASE_COPY_WHOLE, LEASE_COPY_TORN };

/* Pure: whether there is a lease, from the three things that decide it. `age_ms`, the time since
 * the last renewal, counts for a whole copy only. */
enum lease_state lease_judge(enum lease_copy copy, bool revoked, int64_t age_ms);

/* Link side: copies the latest snapshot. Unless the lease is valid, the copy is made safe by
 * lease_make_safe. With LEASE_NONE (nothing was ever published) it is a cleared battery. `age_ms`
 * (may be NULL) is the time since the last renewal, -1 if there was none. */
enum lease_state lease_read(const struct lease_page *page, int64_t now_ms, struct battery *out,
			    int64_t *age_ms);

/* Pure: what is left of a snapshot without a lease: both current limits 0, nothing allowed,
 * internal_communication in protections, state fault, no force-charge or full-charge request, no
 * reasons; voltages and temperatures stay, so that frames stay well-formed. */
void lease_make_safe(struct battery *battery);

/* Each link has a slot for its own status, so that the gateway can show it. 0 <= slot <
 * STATUS_MAX_INVERTERS; one writer per slot. A slot that was never written reads as nothing known:
 * empty names, times 0, link down. */
void lease_write_status(struct lease_page *page, int slot, const struct inverter_status *status);
void lease_read_status(const struct lease_page *page, int slot, struct inverter_status *out);
