/* SPDX-License-Identifier: Apache-2.0 */
/* The shared page of src/inverter/lease.c: copy n goes into half n % 2, and `latest` moves when the half is complete.
 * The writer may die between any two stores; the reader runs beside it. An object has two words here.
 *
 * The properties: a reader never takes half a copy, and a dead writer never keeps it from a copy that was complete.
 * (Sequentially consistent memory: that the release and acquire orders suffice is the text of lease.c to argue.) */

#define COPIES 4

byte latest;
byte number[2], first[2], second[2];
bool dead;
byte taken; /* the last whole copy that the reader had */

#ifdef ONE_HALF /* a wrong variant: always the same place */
#define HALF(n) 0
#else
#define HALF(n) ((n) % 2)
#endif

proctype writer() {
	byte n = 1;
	do
	:: n > COPIES -> break
	:: n <= COPIES ->
		if :: goto died :: skip fi;
		number[HALF(n)] = 0;
		if :: goto died :: skip fi;
		first[HALF(n)] = n;
		if :: goto died :: skip fi;
		second[HALF(n)] = n;
		if :: goto died :: skip fi;
		number[HALF(n)] = n;
		latest = n;
		n++
	od;
died:
	dead = true
}

proctype reader() {
	byte n, a, b;
	do
	:: n = latest;
		if
		:: n == 0 || number[HALF(n)] != n -> skip
		:: else ->
			a = first[HALF(n)];
			b = second[HALF(n)];
#ifdef NO_SECOND_LOOK /* a wrong variant: does not ask again whether the copy is still the same */
			if
			:: true ->
#else
			if
			:: number[HALF(n)] == n ->
#endif
				assert(a == n && b == n);
				taken = n
			:: else
			fi
		fi
	od
}

init {
	atomic { run writer(); run reader() }
}

ltl the_dead_leave_a_copy { [] ((dead && latest > 0) -> <> (taken == latest)) }
