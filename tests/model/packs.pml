/* SPDX-License-Identifier: Apache-2.0 */
/* Three packs of equal shares, each in any of its states, and the current limit that the rules E, F and I make of
 * them. In each step one of them meets anything that its table allows, with any limit that its BMS may state. (What happens
 * to several at once happens to one after another here: if no single loss raises the limit, several do not.)
 *
 * The property: when a pack only misses something, the limit does not rise. And a pack that was lost or in quarantine
 * is never active again before it was a candidate.
 *
 * The rules are written here a second time, as docs/fusion.md tells them: n packs surely conduct, so pack i keeps its
 * limit L while the total is at most n L; a pack that perhaps conducts counts as one more; never more than the sum. */
#include "pack_states.h"

#define N    3
#define FULL 4 /* units of current; a weak pack allows 1, its half is 1/2, so everything counts twice */
#define WEAK 1

mtype:state state[N];
mtype:event event; /* of the step, and then cleared, so that it makes no states */
bool known[N];   /* there is a believed answer */
bool closed[N];  /* its switch is */
bool silent[N];  /* nothing believable for longer than `held` */
bit weak[N];     /* what its BMS states */
byte limit;

/* What the step tells of the pack. Limits and switches change with a believed answer only. */
inline believe(i) {
	if
	:: event == good || event == forgiven || event == replaced ->
		known[i] = (state[i] != QUARANTINED) || known[i];
		if
		:: state[i] != QUARANTINED ->
			silent[i] = false;
			if :: weak[i] = 0 :: weak[i] = 1 fi;
			if :: closed[i] = false :: closed[i] = true fi
		:: else
		fi
	:: event == stale && known[i] -> if :: silent[i] = true :: skip fi
	:: event == gone && known[i] -> silent[i] = true
	:: else
	fi
	if
	:: state[i] == QUARANTINED && known[i] -> silent[i] = true
	:: else
	fi
}

#define SURE(i)  (known[i] && closed[i] && !silent[i] && (state[i] == ACTIVE || state[i] == HELD))
#define PERHAPS(i) (known[i] && closed[i] && !SURE(i) FORGOTTEN(i))

#ifdef FORGET_LOST /* a wrong variant: a lost pack is out of the sums, so it is out of the network */
#define FORGOTTEN(i) && state[i] != LOST
#else
#define FORGOTTEN(i)
#endif

/* The pack's own limit, doubled: half of it is left while nobody has heard of the pack. */
#define OWN(i) ((weak[i] -> WEAK : FULL) * ((silent[i] || state[i] == HELD) -> 1 : 2))

#define LEAST(a, b) ((a) < (b) -> (a) : (b))
#define BOUND(i) (SURE(i) -> sure * OWN(i) : (PERHAPS(i) -> (sure + 1) * OWN(i) : 255))

inline find_limit() {
	sure = SURE(0) + SURE(1) + SURE(2);
	sum = SURE(0) * OWN(0) + SURE(1) * OWN(1) + SURE(2) * OWN(2);
	limit = (sure == 0 -> 0 : LEAST(LEAST(sum, BOUND(0)), LEAST(BOUND(1), BOUND(2))));
	sure = 0;
	sum = 0
}

active proctype fusion() {
	byte i, before, sure, sum;
	for (i : 0 .. N - 1) {
		state[i] = ABSENT
	}
	do
	:: atomic {
		if :: i = 0 :: i = 1 :: i = 2 fi;
		meet(state[i], event);
		believe(i);
		before = limit;
		find_limit();
		assert(!MISSING(event) || limit <= before);
		before = 0;
		event = 0;
		i = 0
	}
	od
}

#define banned (state[0] == LOST || state[0] == QUARANTINED)
ltl comes_back_as_a_candidate { [] (banned -> ((state[0] != ACTIVE) W (state[0] == CANDIDATE))) }
