// SPDX-License-Identifier: Apache-2.0
/* Signals and a timer as one descriptor. */
#include "sim_stop.h"

#include <signal.h>
#include <sys/signalfd.h>
#include <sys/time.h>

int sim_stop_fd(double seconds)
{
	struct itimerval timer = {.it_value.tv_sec = (time_t)seconds};
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGALRM);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	timer.it_value.tv_usec = (suseconds_t)((seconds - (double)timer.it_value.tv_sec) * 1e6);
	if (seconds > 0)
		setitimer(ITIMER_REAL, &timer, NULL);
	return signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
}
