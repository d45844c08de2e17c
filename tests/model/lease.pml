/* SPDX-License-Identifier: Apache-2.0 */
/* The lease between the engine, which may die, hang and return at any moment, and an inverter link, which has a turn
 * in every tick (it wakes up at the moment of expiry; a tick is 500 ms).
 *
 * The properties: 3 s after the last renewal the inverter is told zero; an expired lease ends in zero unless it is
 * renewed; after a revocation it ends in zero for good; and the link never says a limit that was not published. */
#include "lease_states.h"

#define TTL     5 /* LEASE_TTL_MS in ticks */
#define PROMISE 6 /* 3 s */

mtype:state lease = NONE;
byte page; /* the published limit */
byte said; /* what the inverter heard last */
byte age;  /* ticks since the last renewal, saturated */
bool turn; /* the link has to take its turn before time goes on */

proctype engine() {
	mtype:event happens;
	do
	:: atomic {
		happens = publish;
		if :: page = 0 :: page = 1 :: page = 2 fi;
		age = 0;
		apply(lease, happens)
	}
	:: atomic { happens = revoke; apply(lease, happens) }
	:: break /* killed, or hung for good: nothing is renewed any more */
	od
}

proctype clock() {
	mtype:event happens;
	do
	:: atomic {
		!turn ->
		age = (age <= PROMISE -> age + 1 : age);
		happens = (age > TTL -> expire : wait);
		apply(lease, happens);
		turn = true
	}
	od
}

proctype link() {
	do
	:: atomic {
		turn ->
#ifdef KEEP_LAST_LIMIT /* a wrong variant: what was said last stays when the lease has ended */
		said = (lease == VALID -> page : said);
#else
		said = (lease == VALID -> page : 0);
#endif
		assert(said <= 2);
		turn = false
	}
	od
}

init {
	atomic { run engine(); run clock(); run link() }
}

#define silent_for_3_s (age >= PROMISE && !turn)
ltl zero_in_time { [] (silent_for_3_s -> said == 0) }
ltl expired_ends_in_zero { [] ((lease == EXPIRED) -> <> (said == 0 || lease == VALID)) }
ltl revoked_ends_in_zero { [] ((lease == REVOKED) -> <> [] (said == 0)) }
