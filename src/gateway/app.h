// SPDX-License-Identifier: Apache-2.0
/* The running gateway: all parts, started in order, run until a signal, stopped in reverse. */
#pragma once

#include "config.h"

/* Serves until SIGTERM or SIGINT, or until a replayed log is over. Returns the exit status. */
int app_serve(const struct config *config);
